//! What an engine had under the names of our images before us: it stays, and has its name again when we are gone.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use tests::bundle::{self, Vendor};
use tests::engine::Store;
use tests::images::{self, Image, Layer};
use tests::parts::{self, Suite};
use tests::site::Site;

const WEB: &str = "hello/web:1.0";

/// Another image of the same name, in an archive.
fn theirs() -> (Image, tempfile::TempDir) {
    let mut layer = Layer::default();
    layer.folder("theirs").file("theirs/file", 0o644, b"theirs");
    let image = Image::new(WEB, vec![images::base(), layer.finish()], &["/bin/true"]);
    let folder = parts::scratch();
    images::save(std::slice::from_ref(&image), &folder.path().join("theirs.tar"));
    (image, folder)
}

fn ids(site: &Site) -> Vec<String> {
    let run = site.engine.docker(["images", "--all", "--no-trunc", "--quiet"]).done();
    let mut ids: Vec<_> = run.stdout.lines().map(str::to_owned).collect();
    ids.sort();
    ids.dedup();
    ids
}

/// Theirs is there, ours takes its name, the next version too, and with ours gone all is as before.
fn name_comes_back(suite: Suite, store: Store) {
    let site = Site::new(suite, store);
    let (theirs, archive) = theirs();
    let load =
        || site.engine.docker(["load", "--input", archive.path().join("theirs.tar").to_str().unwrap()]);
    let _ = load().done();
    let before = ids(&site);
    assert_eq!(site.engine.layers(WEB), Some(theirs.diff_ids()));

    let bundle = bundle::hello_with_engine();
    let _ = site.install(&bundle).done();
    assert_eq!(site.engine.layers(WEB), Some(bundle.layers(WEB)));
    assert!(
        before.iter().all(|id| ids(&site).contains(id)),
        "{before:?} were there before: {:?}",
        ids(&site)
    );

    // The next version brings another image of that name: what it replaces is ours, not theirs.
    let mut next = images::set(1000);
    let mut more = Layer::default();
    more.file("www/more", 0o644, b"more");
    next[0].layers.push(more.finish());
    let next = Vendor::of(next).with_engine();
    next.edit("airlift.toml", "1.0.0", "1.1.0");
    let next = next.pack();
    let _ = site.install(&next).done();
    assert_eq!(site.engine.layers(WEB), Some(next.layers(WEB)));

    let _ = site.run(&next, &["uninstall", "--yes"]).done();
    assert_eq!(site.engine.layers(WEB), Some(theirs.diff_ids()));
    assert_eq!(ids(&site), before);
    let names = site.engine.docker(["images", "--all", "--format", "{{.Repository}}:{{.Tag}}"]).done().stdout;
    assert_eq!(names.trim(), WEB, "a name that was not there before is left");

    // Installed again, and theirs is removed meanwhile: nothing is left to give the name back to.
    let _ = site.install(&next).done();
    for id in &before {
        let _ = site.engine.docker(["rmi", id]).done();
    }
    let _ = site.run(&next, &["uninstall", "--yes"]).done();
    assert_eq!(ids(&site), Vec::<String>::new());
}

#[test]
fn a_name_that_was_taken_comes_back_20_overlay2() {
    name_comes_back(Suite::Bookworm, Store::Overlay2);
}

#[test]
fn a_name_that_was_taken_comes_back_newest_overlay2() {
    name_comes_back(Suite::Forky, Store::Overlay2);
}

#[test]
fn a_name_that_was_taken_comes_back_26_containerd() {
    name_comes_back(Suite::Trixie, Store::Containerd);
}

#[test]
fn a_name_that_was_taken_comes_back_newest_containerd() {
    name_comes_back(Suite::Forky, Store::Containerd);
}
