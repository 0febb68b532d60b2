//! Damaged bundles: every part is named, wherever the flipped bit is.

use bundle_spec::layout::TRAILER_LEN;
use bundle_spec::reader::Bundle;

use crate::pack::packable;
use crate::sandbox::Sandbox;

fn packed() -> (Sandbox, Vec<u8>, Bundle) {
    let sandbox = packable();
    let _ = sandbox.airlift(&["pack", "-q", "-o", "x.run"]).ok();
    let bytes = sandbox.read("x.run");
    let bundle = Bundle::open(&mut std::io::Cursor::new(&bytes)).unwrap();
    (sandbox, bytes, bundle)
}

#[test]
fn one_flipped_bit_in_any_section_is_found_and_its_part_named() {
    let (sandbox, bytes, bundle) = packed();
    let content = &bundle.index.content;
    let at = |digest| bundle.index.blob(digest).unwrap().offset;
    let trailer = bytes.len() - TRAILER_LEN;
    let cases = [
        (500, "launcher"),
        (bundle.index.place.stubs[0].offset, "installer for x86_64"),
        (at(&content.project.files[0].blob), "project file docker-compose.yml"),
        (at(&content.images[0].layers[0].blob) + 9, "a layer of demo/one:1.0"),
        (at(&content.images[1].manifest), "the description of demo/two:1.0"),
        (bundle.trailer.index_offset + 3, "the index"),
        (trailer as u64 + 1, "the trailer"),
        (trailer as u64 + 60, "the trailer"),
    ];
    for (at, part) in cases {
        let mut damaged = bytes.clone();
        damaged[usize::try_from(at).unwrap()] ^= 1;
        sandbox.write("bad.run", damaged);
        let ran = sandbox
            .airlift(&["verify", "bad.run"])
            .fails(5, &["bad.run", "damaged", "copy the file again", part]);
        assert!(
            part == "launcher" || !ran.err.contains("launcher"),
            "only what is damaged is named: {}",
            ran.err
        );
    }
}

#[test]
fn an_intact_bundle_is_intact() {
    let (sandbox, ..) = packed();
    let ran = sandbox.airlift(&["verify", "x.run"]).ok();
    assert!(ran.out.starts_with("demo 1.0: intact, "), "{}", ran.out);
}

#[test]
fn shortened_and_lengthened_files_are_named_as_such() {
    let (sandbox, bytes, _) = packed();
    for len in [bytes.len() - 1, bytes.len() / 2, 9000] {
        sandbox.write("bad.run", &bytes[..len]);
        for verb in
            [&["verify", "bad.run"][..], &["inspect", "bad.run"], &["export", "bad.run", "--oci", "oci"]]
        {
            let said = format!("the file has {len} bytes and should have {}", bytes.len());
            let _ = sandbox.airlift(verb).fails(5, &[&said, "copy the file again"]);
        }
    }
    assert!(!sandbox.path("oci").exists());
    let mut longer = bytes;
    longer.push(0);
    sandbox.write("bad.run", longer);
    let _ = sandbox.airlift(&["verify", "bad.run"]).fails(5, &["should have"]);
}

#[test]
fn another_file_is_no_bundle() {
    let sandbox = packable();
    let _ =
        sandbox.airlift(&["verify", "docker-compose.yml"]).fails(5, &["this file is not an Airlift bundle"]);
    let _ = sandbox
        .airlift(&["inspect", "nothing.run"])
        .fails(2, &["cannot read nothing.run", "what to do: give the path of a .run file"]);
}

#[test]
fn export_stops_at_a_damaged_blob() {
    let (sandbox, mut bytes, bundle) = packed();
    let blob = bundle.index.blob(&bundle.index.content.images[0].layers[0].blob).unwrap();
    bytes[usize::try_from(blob.offset).unwrap() + 20] ^= 4;
    sandbox.write("bad.run", bytes);
    let _ = sandbox.airlift(&["export", "bad.run", "--oci", "oci"]).fails(5, &["is damaged"]);
    assert!(!sandbox.path("oci/index.json").exists(), "an incomplete layout must not look complete");
}
