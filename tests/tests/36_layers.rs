//! What layers hold is the same in a container whichever way it came, also what is odd, and what is long.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;

use bundle_spec::digest::Digest;
use installer::containerd::Containerd;
use tests::bundle::Vendor;
use tests::engine::{Engine, Store};
use tests::images::{self, Layer};
use tests::odd;
use tests::parts::{self, Suite};
use tests::site::Site;

const WEB: &str = "hello/web:1.0";
/// What the installer says when it falls back to sending whole images.
const PLAINEST: &str = "plainest way";

/// A file as a container of an image has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Exported {
    kind: tar::EntryType,
    mode: u32,
    owner: (u64, u64),
    time: Option<[u8; 12]>,
    device: (Option<u32>, Option<u32>),
    link: Option<Vec<u8>>,
    content: Digest,
    attributes: BTreeMap<String, Vec<u8>>,
}

/// Everything below `/odd` that a container of `web` would start with.
fn exported(engine: &Engine, folder: &tempfile::TempDir) -> BTreeMap<Vec<u8>, Exported> {
    let id = engine.docker(["create", "--network", "none", WEB]).done().stdout.trim().to_owned();
    let file = folder.path().join(&id);
    let _ = engine.docker(["export", "--output", file.to_str().unwrap(), &id]).done();
    let mut archive = tar::Archive::new(Cursor::new(fs::read(&file).unwrap()));
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let extensions = entry.pax_extensions().unwrap().into_iter().flatten().map(Result::unwrap);
        let extensions = extensions.map(|record| {
            (String::from_utf8_lossy(record.key_bytes()).into_owned(), record.value_bytes().to_vec())
        });
        let attributes =
            extensions.filter(|(key, _)| key.starts_with("SCHILY.xattr.") || key == "mtime").collect();
        let path = entry.path_bytes().into_owned();
        let header = entry.header();
        // A directory that a layer uses and does not bring gets the time of loading, whichever way it is loaded.
        let is_touched = header.entry_type().is_dir() && odd::is_touched(&path);
        let exported = Exported {
            kind: header.entry_type(),
            mode: header.mode().unwrap(),
            owner: (header.uid().unwrap(), header.gid().unwrap()),
            time: (!is_touched).then_some(header.as_old().mtime),
            device: (header.device_major().unwrap(), header.device_minor().unwrap()),
            link: entry.link_name_bytes().map(|link| link.into_owned()),
            content: Digest::of(&content),
            attributes,
        };
        // Elsewhere are things of the engine's own making.
        if path.starts_with(b"odd") {
            files.insert(path, exported);
        }
    }
    files
}

#[track_caller]
fn assert_same(one: &BTreeMap<Vec<u8>, Exported>, other: &BTreeMap<Vec<u8>, Exported>) {
    let paths: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    let differs = paths.into_iter().filter(|path| one.get(*path) != other.get(*path));
    let differences: Vec<_> = differs
        .map(|path| {
            let path_shown = String::from_utf8_lossy(path);
            format!("{path_shown:?}\n  {:?}\n  {:?}", one.get(path), other.get(path))
        })
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The same without what a graph driver gets wrong: a directory that a layer uses and does not bring loses owner and mode.
fn without_touched(mut files: BTreeMap<Vec<u8>, Exported>) -> BTreeMap<Vec<u8>, Exported> {
    files.retain(|path, file| !(file.kind.is_dir() && odd::is_touched(path)));
    files
}

#[test]
fn files_are_the_same_whichever_way_they_came() {
    let vendor = Vendor::of(odd::images()).with_engine();
    let bundle = vendor.pack();
    let folder = parts::scratch();
    let installed = |suite, store| {
        let site = Site::new(suite, store);
        let _ = site.install(&bundle).done().never_saying(PLAINEST);
        exported(&site.engine, &folder)
    };
    let loaded = |store| {
        let engine = Engine::start(Suite::Forky, store);
        let archive = vendor.path("images.tar");
        let _ = engine.docker(["load", "--input", archive.to_str().unwrap()]).done();
        exported(&engine, &folder)
    };
    let ours = installed(Suite::Forky, Store::Containerd);
    assert_same(&ours, &loaded(Store::Containerd));
    assert_same(&ours, &installed(Suite::Trixie, Store::Containerd));
    let on_overlay2 = loaded(Store::Overlay2);
    assert_same(&on_overlay2, &installed(Suite::Forky, Store::Overlay2));
    assert_same(&without_touched(ours.clone()), &without_touched(on_overlay2));
    // That all three are right, in what an engine might leave out everywhere.
    let of = |path: &[u8]| ours.get(path).unwrap_or_else(|| panic!("{} is lost", path.escape_ascii()));
    let capability = &of(b"odd/capable").attributes["SCHILY.xattr.security.capability"];
    assert_eq!(capability[..], odd::CAPABILITY);
    assert_eq!((of(b"odd/group/").mode, of(b"odd/group/").owner), (0o2750, (33, 33)));
    assert_eq!(of(b"odd/set-user").mode, 0o4755);
    assert_eq!(of(b"odd/null").device, (Some(1), Some(3)));
    assert_eq!(of(b"odd/bytes-\xff\xfe").content, Digest::of(b"name"));
    assert!(of(b"odd/opaque/above").kind.is_file() && !ours.contains_key(&b"odd/opaque/below"[..]));
    assert!(!ours.contains_key(&b"odd/gone"[..]) && !ours.contains_key(&b"odd/gone-folder/"[..]));
}

#[test]
fn what_is_not_unpacked_by_us_is_left_to_the_engine() {
    let vendor = Vendor::of(odd::images_with_a_path_twice()).with_engine();
    let bundle = vendor.pack();
    let site = Site::new(Suite::Forky, Store::Containerd);
    let _ = site.install(&bundle).done().saying(PLAINEST).saying("twice/file");
    let script = "cat /twice/file; echo; stat -c %a /twice/file";
    let said = site.engine.docker(["exec", "hello-web-1", "sh", "-c", script]).done().stdout;
    assert_eq!(
        said,
        "second
600
"
    );
    assert_eq!(site.engine.layers(WEB).unwrap(), bundle.layers(WEB));
}

/// How many zstd frames follow one another.
fn frames(mut stored: &[u8]) -> usize {
    let mut count = 0;
    while !stored.is_empty() {
        stored = &stored[zstd::zstd_safe::find_frame_compressed_size(stored).unwrap()..];
        count += 1;
    }
    count
}

#[test]
fn a_layer_of_several_frames_arrives_whole_on_every_kind_of_store() {
    // Zeros up to the second frame cost nothing; what can be told apart lies behind them.
    let mut content = vec![0; 130 << 20];
    content.extend(images::noise(3, 3 << 20));
    let mut long = Layer::default();
    long.folder("long").file("long/file", 0o644, &content);
    let mut all = images::set(1000);
    all[0].layers.push(long.finish());
    let vendor = Vendor::of(all);
    let bundle = vendor.pack();
    let opened = bundle.open();
    let layers = opened.index.content.images.iter().flat_map(|image| &image.layers);
    let longest = layers.max_by_key(|layer| layer.tar_len).unwrap();
    let file = fs::File::open(&bundle.path).unwrap();
    assert!(
        frames(&opened.blob_bytes(file, &longest.blob, u64::MAX).unwrap()) > 1,
        "it is no test of several frames"
    );
    for (suite, store) in [
        (Suite::Forky, Store::Containerd),
        (Suite::Forky, Store::Overlay2),
        (Suite::Bookworm, Store::Overlay2),
    ] {
        let site = Site::new(suite, store).with_compose();
        let _ = site.install(&bundle).done().never_saying(PLAINEST);
        let said =
            site.engine.docker(["exec", "hello-web-1", "busybox", "sha256sum", "/long/file"]).done().stdout;
        assert_eq!(
            said.split_whitespace().next().unwrap(),
            Digest::of(&content).hex(),
            "{suite:?}, {store:?}"
        );
    }
}

/// A blob gets into containerd in either way, and only under its digest; of one that does not, nothing is left.
#[test]
fn a_blob_gets_into_containerd_in_messages_and_in_its_file() {
    let engine = Engine::start(Suite::Forky, Store::Containerd);
    let socket = engine.get("/info")["Containerd"]["Address"].as_str().unwrap().to_owned();
    let containerd = Containerd::connect(Path::new(&socket), "moby").unwrap();
    containerd.create_lease("test", "test", "2100-01-01T00:00:00Z").unwrap();
    let containerd = containerd.under_lease("test", "test");
    let ingests = containerd.ingests().unwrap().unwrap();
    let in_files = || -> u64 {
        let folders = fs::read_dir(&ingests).unwrap().flatten();
        folders.map(|folder| fs::metadata(folder.path().join("data")).unwrap().len()).sum()
    };
    for (seed, place) in [(1, None), (2, Some(ingests.as_path()))] {
        let bytes = bytes::Bytes::from(images::noise(seed, 3 << 20));
        let digest = Digest::of(&bytes);
        let begin = |digest: &Digest| {
            containerd.write_blob(digest, bytes.len() as u64, None, place).unwrap().unwrap()
        };

        let mut writer = begin(&digest);
        assert!(writer.send(&bytes.slice(..1 << 20)));
        if place.is_some() {
            assert_eq!(in_files(), 1 << 20, "it went another way");
        }
        assert!(writer.send(&bytes.slice(1 << 20..)));
        writer.finish().unwrap();
        let blob = ingests.with_file_name("blobs").join("sha256").join(digest.hex());
        assert!(fs::read(blob).unwrap() == bytes && containerd.has_blob(&digest).unwrap());

        // Once more: somebody else was quicker.
        let again = containerd.write_blob(&digest, bytes.len() as u64, None, place).unwrap();
        assert_eq!(again.is_none(), place.is_some());
        again.into_iter().for_each(|writer| drop(writer.finish()));

        // Other bytes than the digest says, and too few.
        let other = Digest::of(b"other");
        let mut writer = begin(&other);
        let _ = writer.send(&bytes);
        writer.finish().unwrap_err();
        containerd.forget_blob(&other).unwrap();
        let mut writer = begin(&other);
        let _ = writer.send(&bytes.slice(1..));
        writer.finish().unwrap_err();
        containerd.forget_blob(&other).unwrap();
        assert!(!containerd.has_blob(&other).unwrap());
        assert_eq!(fs::read_dir(&ingests).unwrap().count(), 0);
    }
}
