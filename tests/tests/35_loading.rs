//! What can happen while images are loaded: the disk gets full, the engine dies, the stick is pulled out, the file is damaged,
//! somebody prunes, the run is killed. Nothing half is left, and the same command finishes the job without reading again what
//! has arrived.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Cursor, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bundle_spec::digest::{Digest, chain_ids};
use bundle_spec::layout::STRETCH_LEN;
use bundle_spec::project::{Image, Layer};
use serde_json::{Value, json};
use tests::bundle::{self, Bundle, Vendor};
use tests::disk::{Disk, Format};
use tests::engine::{APART, Engine, Store};
use tests::odd;
use tests::parts::{self, Suite};
use tests::run::Run;
use tests::running::bytes_to_load;
use tests::site::Site;
use tests::wait;

const WEB: &str = "hello/web:1.0";
const MIB: u64 = 1 << 20;
/// What the installer says when it falls back to sending whole images.
const PLAINEST: &str = "plainest way";

/// The layers of `web` in [`bundle::tall_with_engine`], from the bottom.
const LOWER_NOISE: usize = 1;
const UPPER_NOISE: usize = 2;

fn web(bundle: &Bundle) -> Image {
    let images = bundle.open().index.content.images.clone();
    images.into_iter().find(|image| image.reference.as_str() == WEB).unwrap()
}

fn stored(layers: &[Layer]) -> u64 {
    layers.iter().map(|layer| layer.stored_len).sum()
}

/// What a load that broke off must not leave in the engine, whatever the next run does: half a layer, or its copy on the way.
fn assert_nothing_half(engine: &Engine) {
    let staged = engine.data().join("tmp");
    // The engine may learn later than we do that a request has ended.
    let look = || -> Vec<String> {
        let staged = fs::read_dir(&staged).into_iter().flatten().flatten();
        let staged = staged.map(|entry| entry.path().display().to_string());
        // What the engine finds out about the kernel when it first starts a container.
        let staged = staged.filter(|path| !path.contains("moby-detect"));
        let snapshots = engine.ctr(&["snapshots", "--snapshotter", "overlayfs", "list"]).done().stdout;
        let ingests = engine.ctr(&["content", "active"]).done().stdout;
        let below = snapshots.lines().filter(|line| line.contains("airlift-"));
        // The first line names the columns.
        staged.chain(below.chain(ingests.lines().skip(1)).map(str::to_owned)).collect()
    };
    let clean = || look().is_empty().then_some(());
    wait::until("an engine with nothing half in it", Duration::from_secs(15), clean, || look().join("\n"));
}

/// What an installation that ended well leaves: the images of the bundle, and nothing that it needed on the way.
fn assert_settled(site: &Site, bundle: &Bundle) {
    let engine = &site.engine;
    for image in &bundle.open().index.content.images {
        let layers: Vec<_> = image.diff_ids().iter().map(Digest::to_string).collect();
        let reference = image.reference.as_str();
        assert_eq!(engine.layers(reference), Some(layers), "{reference}");
    }
    let images = engine.get("/images/json?all=1");
    let is_named = |image: &Value| image["RepoTags"].as_array().is_some_and(|tags| !tags.is_empty());
    assert!(images.as_array().unwrap().iter().all(is_named), "an image without a name: {images:#}");
    let containers = engine.get("/containers/json?all=1").to_string();
    assert!(!containers.contains("airlift.held-by"), "a container that held an image: {containers}");
    let leases = engine.ctr(&["leases", "list"]).done().stdout;
    assert!(!leases.contains("airlift-"), "a lease is left:\n{leases}");
    assert_nothing_half(engine);
    assert!(site.page().contains("hello"), "the page is not there");
}

/// Loads with a disk that gets full after preflight found it large enough.
fn disk_full(suite: Suite, store: Store) {
    let bundle = bundle::tall_with_engine();
    let (engine, disk) =
        Engine::start_prepared(suite, store, |data| Disk::new(Format::Ext4, 512 * MIB, data));
    let site = Site::on(engine);
    let mut running = site.begin(&bundle);
    running.hold_at_loading();
    // Room for the base, not for what comes above it.
    let filler = disk.fill(24 * MIB);
    let run = running.end().expect(1).saying("disk is full").saying("Free some room");
    assert_eq!(site.engine.layers(WEB), None, "{run}");
    assert_nothing_half(&site.engine);
    fs::remove_file(filler).unwrap();
    let _ = site.install(&bundle).done();
    assert_settled(&site, &bundle);
}

#[test]
fn a_disk_that_gets_full_20_overlay2() {
    disk_full(Suite::Bookworm, Store::Overlay2);
}

#[test]
fn a_disk_that_gets_full_26_containerd() {
    disk_full(Suite::Trixie, Store::Containerd);
}

#[test]
fn a_disk_that_gets_full_newest_overlay2() {
    disk_full(Suite::Forky, Store::Overlay2);
}

#[test]
fn a_disk_that_gets_full_newest_containerd() {
    disk_full(Suite::Forky, Store::Containerd);
}

/// Kills the engine and its containerd in the middle of the first large layer.
fn engine_killed(suite: Suite, store: Store) {
    let bundle = bundle::tall_with_engine();
    let mut site = Site::new(suite, store);
    let mut running = site.begin(&bundle);
    running.hold_at_loading();
    running.hold_after_reading(20 * MIB);
    site.engine.kill();
    let _ = running.end().expect(1).saying("hello/").saying("no longer answers");
    site.engine.restart(store, &APART);
    let _ = site.install(&bundle).done();
    assert_settled(&site, &bundle);
}

#[test]
fn an_engine_that_is_killed_20_overlay2() {
    engine_killed(Suite::Bookworm, Store::Overlay2);
}

#[test]
fn an_engine_that_is_killed_26_containerd() {
    engine_killed(Suite::Trixie, Store::Containerd);
}

#[test]
fn an_engine_that_is_killed_newest_overlay2() {
    engine_killed(Suite::Forky, Store::Overlay2);
}

#[test]
fn an_engine_that_is_killed_newest_containerd() {
    engine_killed(Suite::Forky, Store::Containerd);
}

/// Restarts the engine in the middle of the first large layer. It answers again when the installer notices.
fn engine_restarted(store: Store) {
    let bundle = bundle::tall_with_engine();
    let mut site = Site::new(Suite::Forky, store);
    let mut running = site.begin(&bundle);
    running.hold_at_loading();
    running.hold_after_reading(20 * MIB);
    site.engine.restart(store, &APART);
    // An engine that is there again gets a second attempt in the same run.
    let _ = running.end().done().saying(PLAINEST);
    assert_settled(&site, &bundle);
}

#[test]
fn an_engine_that_is_restarted_overlay2() {
    engine_restarted(Store::Overlay2);
}

#[test]
fn an_engine_that_is_restarted_containerd() {
    engine_restarted(Store::Containerd);
}

/// Pulls the stick in the middle of the upper of two large layers.
fn stick_pulled(store: Store, format: Format) {
    let site = Site::new(Suite::Forky, store);
    let stick = Disk::new(format, 512 * MIB, &site.path("stick"));
    let bundle = Bundle { path: stick.take(&bundle::tall_with_engine().path) };
    let layers = web(&bundle).layers;
    let mut running = site.begin(&bundle);
    running.hold_at_loading();
    running.hold_after_reading(stored(&layers[..UPPER_NOISE]) + 10 * MIB);
    let pulled = stick.pull();
    let _ = running.end().expect(5).saying("Cannot read").saying("stick");
    pulled.back();
    let again = site.install_with_events(&bundle).done();
    assert_eq!(bytes_to_load(&again), stored(&layers[UPPER_NOISE..]), "{again}");
    assert_settled(&site, &bundle);
}

#[test]
fn a_stick_that_is_pulled_overlay2() {
    stick_pulled(Store::Overlay2, Format::Ext4);
}

#[test]
fn a_stick_that_is_pulled_containerd() {
    stick_pulled(Store::Containerd, Format::Exfat);
}

/// Installs while somebody removes every image that nothing uses, all the time. Not on a containerd store before 27: there the
/// engine itself keeps nothing of a `docker load` between taking it and unpacking it, and no second try is faster than the next
/// prune.
fn pruned(suite: Suite, store: Store) {
    let bundle = bundle::tall_with_engine();
    let site = Site::new(suite, store);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let prune = || {
            let mut times = 0;
            while !is_over.load(Ordering::Relaxed) {
                let _ = site.engine.docker(["image", "prune", "--all", "--force"]);
                times += 1;
            }
            times
        };
        let pruning = scope.spawn(prune);
        let run = site.install(&bundle);
        is_over.store(true, Ordering::Relaxed);
        let times = pruning.join().unwrap();
        assert!(times > 5, "only {times} times\n{run}");
        let _ = run.done();
    });
    assert_settled(&site, &bundle);
}

#[test]
fn prune_beside_us_20_overlay2() {
    pruned(Suite::Bookworm, Store::Overlay2);
}

#[test]
fn prune_beside_us_newest_overlay2() {
    pruned(Suite::Forky, Store::Overlay2);
}

#[test]
fn prune_beside_us_newest_containerd() {
    pruned(Suite::Forky, Store::Containerd);
}

/// A copy with one bit flipped in the middle of the upper large layer, and what must be said about it.
fn damaged(bundle: &Bundle, site: &Site) -> (Bundle, String) {
    let opened = bundle.open();
    let blob = opened.index.blob(&web(bundle).layers[UPPER_NOISE].blob).unwrap();
    let position = blob.offset + blob.len / 2;
    let copy =
        bundle.changed(&site.path("damaged.run"), |bytes| bytes[usize::try_from(position).unwrap()] ^= 1);
    let start = position / STRETCH_LEN * STRETCH_LEN;
    let megabytes = |bytes: u64| (bytes as f64 / 1e6).round();
    (copy, format!("{}-{} MB of", megabytes(start), megabytes(start + STRETCH_LEN)))
}

/// Whether the engine has anything of a layer.
fn has_layer(engine: &Engine, image: &Image, number: usize) -> bool {
    let (has_blob, has_snapshot, is_layer) = traces(engine, image, number);
    has_blob || has_snapshot || is_layer
}

/// Whether the engine has all of a layer, so that nobody need bring it again.
fn is_kept(engine: &Engine, image: &Image, number: usize) -> bool {
    let (has_blob, has_snapshot, is_layer) = traces(engine, image, number);
    (has_blob && has_snapshot) || is_layer
}

/// Whether the engine has a layer's blob, its snapshot, and (in a graph driver's store) the layer itself.
fn traces(engine: &Engine, image: &Image, number: usize) -> (bool, bool, bool) {
    let (blob, diff_id) = (image.layers[number].blob.to_string(), image.layers[number].diff_id.to_string());
    let chain = chain_ids(&image.diff_ids())[number].to_string();
    let content = engine.ctr(&["content", "list", "--quiet"]).done().stdout;
    let snapshots = engine.ctr(&["snapshots", "--snapshotter", "overlayfs", "list"]).done().stdout;
    let has_snapshot = snapshots.lines().any(|line| line.contains(&chain) && line.contains("Committed"));
    let layers = fs::read_dir(engine.data().join("image/overlay2/layerdb/sha256"));
    let mut diffs = layers.into_iter().flatten().flatten().map(|layer| layer.path().join("diff"));
    let is_layer = diffs.any(|diff| fs::read_to_string(diff).is_ok_and(|text| text == diff_id));
    (content.contains(&blob), has_snapshot, is_layer)
}

/// Not on a containerd store before 27: there the engine itself keeps half a blob of a request that broke off.
fn damaged_layer(suite: Suite, store: Store) {
    let bundle = bundle::tall_with_engine();
    let site = Site::new(suite, store);
    let (copy, place) = damaged(&bundle, &site);
    let web = web(&bundle);
    let run = site.install(&copy).expect(5).saying(&place).saying(WEB).saying("Copy the file again");
    assert!(has_layer(&site.engine, &web, LOWER_NOISE), "the way to look does not find what is there\n{run}");
    assert!(!has_layer(&site.engine, &web, UPPER_NOISE), "{run}");
    assert_nothing_half(&site.engine);
    let again = site.install_with_events(&bundle).done();
    assert_eq!(bytes_to_load(&again), stored(&web.layers[UPPER_NOISE..]), "{again}");
    assert!(has_layer(&site.engine, &web, UPPER_NOISE), "the way to look does not find what is there");
    assert_settled(&site, &bundle);
}

#[test]
fn a_damaged_layer_20_overlay2() {
    damaged_layer(Suite::Bookworm, Store::Overlay2);
}

#[test]
fn a_damaged_layer_newest_overlay2() {
    damaged_layer(Suite::Forky, Store::Overlay2);
}

#[test]
fn a_damaged_layer_newest_containerd() {
    damaged_layer(Suite::Forky, Store::Containerd);
}

#[test]
fn a_damaged_layer_is_found_before_anything_is_changed_if_asked_for() {
    let bundle = bundle::tall_with_engine();
    let site = Site::new(Suite::Forky, Store::Containerd);
    let (copy, place) = damaged(&bundle, &site);
    let run = site.run(&copy, &["install", "--answers", "answers.toml", "--yes", "--verify-first"]);
    let _ = run.expect(5).saying(&place).saying(WEB);
    assert!(!site.dir().exists());
    assert_eq!(site.engine.get("/images/json?all=1"), json!([]));
    let content = site.engine.ctr(&["content", "list", "--quiet"]).done().stdout;
    let leases = site.engine.ctr(&["leases", "list", "--quiet"]).done().stdout;
    assert_eq!((content.as_str(), leases.as_str(), site.loads()), ("", "", 0));
}

/// Kills the installer in the middle of a layer; the next run reads that one and what comes above it.
fn killed_while_loading(suite: Suite, store: Store) {
    let bundle = bundle::tall_with_engine();
    let site = Site::new(suite, store);
    let web = web(&bundle);
    let layers = &web.layers;
    for layer in [LOWER_NOISE, UPPER_NOISE] {
        let mut running = site.begin(&bundle);
        running.hold_at_loading();
        // Each run reads only what is missing.
        let before = if layer == LOWER_NOISE {
            stored(&layers[..LOWER_NOISE])
        } else {
            layers[LOWER_NOISE].stored_len
        };
        running.hold_after_reading(before + 10 * MIB);
        // The next layer is read while the engine still commits the one before.
        while layer == UPPER_NOISE && !is_kept(&site.engine, &web, LOWER_NOISE) {
            running.hold_after_reading(0);
        }
        let _ = running.kill().expect(1).saying("ended without a word");
    }
    // Usually from the upper layer on, unless it came through as well before the engine had the lower one.
    let missing = (UPPER_NOISE..layers.len()).filter(|number| !is_kept(&site.engine, &web, *number));
    let missing: u64 = missing.map(|number| layers[number].stored_len).sum();
    let last = site.install_with_events(&bundle).done();
    assert_eq!(bytes_to_load(&last), missing, "{last}");
    assert_settled(&site, &bundle);
}

#[test]
fn a_run_that_is_killed_while_it_loads_20_overlay2() {
    killed_while_loading(Suite::Bookworm, Store::Overlay2);
}

#[test]
fn a_run_that_is_killed_while_it_loads_26_containerd() {
    killed_while_loading(Suite::Trixie, Store::Containerd);
}

#[test]
fn a_run_that_is_killed_while_it_loads_newest_overlay2() {
    killed_while_loading(Suite::Forky, Store::Overlay2);
}

#[test]
fn a_run_that_is_killed_while_it_loads_newest_containerd() {
    killed_while_loading(Suite::Forky, Store::Containerd);
}

/// Removes one image, which shares its lower layers with the others.
fn one_image_removed(suite: Suite, store: Store) {
    let bundle = bundle::tall_with_engine();
    let site = Site::new(suite, store);
    let layers = web(&bundle).layers;
    let first = site.install_with_events(&bundle).done();
    assert_eq!(bytes_to_load(&first), stored(&layers), "each layer once\n{first}");
    let _ = site.engine.docker(["rm", "--force", "hello-web-1"]).done();
    let _ = site.engine.docker(["rmi", WEB]).done();
    let again = site.install_with_events(&bundle).done();
    assert_eq!(bytes_to_load(&again), stored(&layers[UPPER_NOISE..]), "{again}");
    assert_settled(&site, &bundle);
}

#[test]
fn only_what_is_missing_is_read_20_overlay2() {
    one_image_removed(Suite::Bookworm, Store::Overlay2);
}

#[test]
fn only_what_is_missing_is_read_26_containerd() {
    one_image_removed(Suite::Trixie, Store::Containerd);
}

#[test]
fn only_what_is_missing_is_read_newest_overlay2() {
    one_image_removed(Suite::Forky, Store::Overlay2);
}

#[test]
fn only_what_is_missing_is_read_newest_containerd() {
    one_image_removed(Suite::Forky, Store::Containerd);
}

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
    let _: Run = site.install(&bundle).done().saying(PLAINEST).saying("twice/file");
    let script = "cat /twice/file; echo; stat -c %a /twice/file";
    let said = site.engine.docker(["exec", "hello-web-1", "sh", "-c", script]).done().stdout;
    assert_eq!(
        said,
        "second
600
"
    );
    assert_settled(&site, &bundle);
}
