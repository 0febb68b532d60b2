//! What can happen while images are loaded: the disk gets full, the engine dies, the stick is pulled out, the file is damaged,
//! somebody prunes, the run is killed. Nothing half is left, and the same command finishes the job without reading again what
//! has arrived.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bundle_spec::digest::{Digest, chain_ids};
use bundle_spec::layout::STRETCH_LEN;
use bundle_spec::project::{Image, Layer};
use serde_json::{Value, json};
use tests::bundle::{self, Bundle};
use tests::disk::{Disk, Format};
use tests::engine::{APART, Engine, Store};
use tests::parts::Suite;
use tests::run::Run;
use tests::running::bytes_to_load;
use tests::site::{INSTALL, Site};
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
    assert_eq!((content.as_str(), site.loads()), ("", 0));
    // The engine's builder holds one for a moment after it has started.
    let leases = || site.engine.ctr(&["leases", "list", "--quiet"]).done().stdout;
    let none = || leases().is_empty().then_some(());
    wait::until("an engine without leases", Duration::from_secs(15), none, leases);
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

/// What such a run holds in containerd outlived an uninstallation by days.
#[test]
fn a_run_that_is_killed_while_it_loads_holds_nothing_after_an_uninstallation() {
    let (site, bundle) = (Site::new(Suite::Forky, Store::Containerd), bundle::tall_with_engine());
    let mut running = site.begin(&bundle);
    running.hold_at_loading();
    running.hold_after_reading(10 * MIB);
    let _ = running.kill();
    let leases = || site.engine.ctr(&["leases", "ls", "-q"]).done().stdout;
    assert!(leases().contains("airlift-"), "the run held nothing: {}", leases());
    let _ = site.run(&bundle, &["uninstall", "--yes"]).done();
    assert!(!leases().contains("airlift-"), "{}", leases());
}

/// The engine's own lease for a request whose client died in the middle of it held what had come for a day.
#[test]
fn leases_of_requests_that_died_are_let_go() {
    let bundle = bundle::tall_with_engine();
    let site = Site::new(Suite::Forky, Store::Containerd);
    // Containers are held by leases that do not end by themselves.
    let leases = || {
        let all = site.engine.ctr(&["leases", "ls"]).done().stdout;
        all.lines().filter(|line| line.contains("gc.expire")).collect::<Vec<_>>().join("\n")
    };
    let manifest = web(&bundle).manifest;
    let file = fs::File::open(&bundle.path).unwrap();
    let document = bundle.open().blob_bytes(file, &manifest, MIB).unwrap();
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(document.len() as u64);
    tar.append_data(&mut header, format!("blobs/sha256/{}", manifest.hex()), document.as_slice()).unwrap();
    // The next blob is on its way when the request dies; containerd notes that, and keeps the note.
    let mut part = tar.get_ref().clone();
    header.set_size(MIB);
    header.set_path(format!("blobs/sha256/{}", web(&bundle).layers[LOWER_NOISE].blob.hex())).unwrap();
    header.set_cksum();
    part.extend(header.as_bytes());
    part.extend([7; 4096]);
    let part = &part;
    let head = "POST /images/load HTTP/1.1\r\nHost: engine\r\nTransfer-Encoding: chunked\r\n\r\n";
    // The second one finds all images there, and loads none.
    let another = [&INSTALL[..], &["--set", "greeting=another"]].concat();
    for args in [&INSTALL[..], &another, &["uninstall", "--yes"]] {
        let mut request = UnixStream::connect(site.engine.socket()).unwrap();
        write!(request, "{head}{:x}\r\n", part.len()).unwrap();
        request.write_all(&[part, &b"\r\n"[..]].concat()).unwrap();
        let on_its_way = || site.engine.ctr(&["content", "active"]).done().stdout;
        let blob = web(&bundle).layers[LOWER_NOISE].blob.hex();
        let is_under_way = || (!leases().is_empty() && on_its_way().contains(&blob)).then_some(());
        wait::until("a lease with a blob on its way", Duration::from_secs(15), is_under_way, on_its_way);
        drop(request);
        let run = site.run(&bundle, args).done();
        assert_eq!(leases(), "", "{run}");
    }
}

/// An engine that is killed while it makes a container forgets it; its containerd does not.
#[test]
fn containers_that_an_engine_has_forgotten_keep_no_layers() {
    let bundle = bundle::hello_with_engine();
    let mut site = Site::new(Suite::Forky, Store::Containerd);
    let snapshots = |site: &Site| {
        let all = site.engine.ctr(&["snapshots", "--snapshotter", "overlayfs", "list"]).done().stdout;
        all.lines().skip(1).map(str::to_owned).collect::<Vec<_>>().join("\n")
    };
    let leases = |site: &Site| site.engine.ctr(&["leases", "list", "--quiet"]).done().stdout;
    let forget = |site: &mut Site, ids: &[&String]| {
        site.engine.kill();
        for id in ids {
            fs::remove_dir_all(site.engine.data().join("containers").join(id)).unwrap();
        }
        site.engine.restart(Store::Containerd, &APART);
    };
    let create = |site: &Site, arguments: &[&str]| {
        let all = [&["create", "--network=none"], arguments].concat();
        site.engine.docker(all).done().stdout.trim().to_owned()
    };
    let before = snapshots(&site);
    let _ = site.install(&bundle).done();
    let forgotten = create(&site, &[WEB]);
    // In this one somebody has written something: whoever repairs the engine may want it.
    let written = create(&site, &[WEB]);
    let file = site.path("answers.toml");
    let _ = site.engine.docker(["cp", file.to_str().unwrap(), &format!("{written}:/kept")]).done();
    forget(&mut site, &[&forgotten, &written]);
    assert!(leases(&site).contains(&forgotten) && leases(&site).contains(&written), "{}", leases(&site));
    // This one is known, and on our image.
    let known = create(&site, &["--name=theirs", WEB, "sleep", "1000"]);
    // And this one holds nothing.
    let others = "0".repeat(64);
    let _ = site.engine.ctr(&["leases", "create", "--id", &others]).done();
    let run = site.install(&bundle).done();
    let after = leases(&site);
    assert!(!after.contains(&forgotten), "{run}\n{after}");
    for id in [&written, &known, &others] {
        assert!(after.contains(id), "{run}\n{after}");
    }
    let _ = site.engine.docker(["start", "theirs"]).done();
    let _ = site.engine.docker(["rm", "--force", "theirs"]).done();
    let _ = site.engine.ctr(&["leases", "delete", &written]).done();
    // Forgotten once more, right before all is taken back.
    let forgotten = create(&site, &[WEB]);
    forget(&mut site, &[&forgotten]);
    let run = Run::of_typing(&mut site.command(&bundle, &["uninstall", "--purge"]), "hello\n").done();
    assert_eq!(snapshots(&site), before, "{run}\n{}", leases(&site));
    assert!(!leases(&site).contains(&forgotten), "{}", leases(&site));
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
