//! Tests of what travels and when.

use std::collections::HashSet;

use bundle_spec::project::{App, Localized, Project, Requirements};
use bundle_spec::reference::ImageReference;

use super::*;
use crate::engine::Flavour;

fn digest(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

/// An image whose layers are named; equal names are the same layer.
fn image(name: &str, layers: &[&str]) -> Image {
    let layer = |layer: &&str| Layer {
        diff_id: digest(&format!("diff {layer}")),
        blob: digest(&format!("blob {layer}")),
        stored_len: 10,
        tar_len: 100,
        unpacked_len: 90,
        entries: 1,
    };
    Image {
        reference: ImageReference::parse(name).unwrap(),
        platform: "linux/amd64".into(),
        manifest: digest(&format!("manifest {name}")),
        manifest_len: 1,
        config: digest(&format!("config {name}")),
        layers: layers.iter().map(layer).collect(),
    }
}

fn content() -> Content {
    let text = Localized { zh: "x".into(), en: "x".into() };
    Content {
        packed_by: String::new(),
        created: 0,
        app: App { name: "x".into(), version: "1".into(), title: text, vendor: None },
        project: Project {
            name: "x".into(),
            compose_file: "compose.yaml".to_owned().try_into().unwrap(),
            profiles: vec![],
            services: vec![],
            files: vec![],
            directories: vec![],
        },
        images: vec![
            image("back", &["base", "python", "app"]),
            image("front", &["base", "page"]),
            image("db", &["pg"]),
        ],
        engine: None,
        questions: vec![],
        requirements: Requirements::default(),
        checks: vec![],
        links: vec![],
        features: vec![],
    }
}

fn engine(store: Store, version: &str) -> Description {
    Description {
        flavour: Flavour::Docker,
        version: version.into(),
        store,
        root: "/var/lib/docker".into(),
        rootless: false,
        containerd_root: "/var/lib/containerd".into(),
    }
}

fn overlay2(version: &str) -> Description {
    engine(Store::GraphDriver("overlay2".into()), version)
}

fn present(image: &Image, id: Digest) -> PresentImage {
    PresentImage { id: id.to_string(), diff_ids: image.diff_ids(), tags: vec![image.reference.clone()] }
}

#[test]
fn the_form_follows_what_the_engine_can_take() {
    let form = |description: &Description| plan(&content(), &Inventory::default(), description).form;
    assert_eq!(form(&overlay2("20.10.24+dfsg1")), Form::DockerPlain);
    assert_eq!(form(&overlay2("23.0.0")), Form::DockerZstd);
    assert_eq!(form(&overlay2("28.5.2")), Form::DockerZstd);
    assert_eq!(form(&engine(Store::Containerd, "28.5.2")), Form::Oci);
}

#[test]
fn a_shared_layer_travels_once_and_its_images_do_not_race() {
    let plan = plan(&content(), &Inventory::default(), &engine(Store::Containerd, "28.5.2"));
    // `front` shares its base with the larger `back`; `db` shares nothing.
    let order: Vec<_> = plan.loads.iter().map(|load| load.reference.as_str()).collect();
    assert_eq!(order, ["db:latest", "front:latest", "back:latest"]);
    assert_eq!(plan.waves, [vec![0, 1], vec![2]]);
    assert_eq!(plan.loads[2].send, [false, true, true]);
    assert_eq!(plan.send_bytes, 50);
}

#[test]
fn what_a_graph_driver_has_is_a_prefix_and_nothing_else() {
    let content = content();
    let mut older = present(&content.images[0], digest("older config"));
    older.diff_ids.truncate(2);
    let inventory = Inventory { images: vec![older], ..Inventory::default() };
    let plan = plan(&content, &inventory, &overlay2("28.5.2"));
    let send_of =
        |plan: &LoadPlan, number| plan.loads.iter().find(|load| load.image == number).unwrap().send.clone();
    assert_eq!(send_of(&plan, 0), [false, false, true]);
    assert_eq!(send_of(&plan, 1), [false, true]);
    // The same layers in another order are other chains.
    let mut shuffled = present(&content.images[0], digest("shuffled"));
    shuffled.diff_ids.reverse();
    let inventory = Inventory { images: vec![shuffled], ..Inventory::default() };
    let plan = super::plan(&content, &inventory, &overlay2("28.5.2"));
    // Only the base travels with the smaller image.
    assert_eq!(send_of(&plan, 0), [false, true, true]);
}

#[test]
fn a_complete_image_is_left_alone_on_either_store_and_a_changed_config_is_not() {
    let content = content();
    let back = &content.images[0];
    for (id, loads) in [(back.config, 2), (back.manifest, 2), (digest("other config"), 3)] {
        let inventory = Inventory { images: vec![present(back, id)], ..Inventory::default() };
        assert_eq!(plan(&content, &inventory, &overlay2("28.5.2")).loads.len(), loads);
    }
}

#[test]
fn blobs_that_containerd_has_stay_on_the_stick() {
    let content = content();
    let blobs: HashSet<Digest> = content.images[0].layers.iter().map(|layer| layer.blob).collect();
    let inventory = Inventory { blobs, ..Inventory::default() };
    let plan = plan(&content, &inventory, &engine(Store::Containerd, "28.5.2"));
    let back = plan.loads.iter().find(|load| load.image == 0).unwrap();
    assert_eq!(back.send, [false, false, false]);
    assert_eq!(plan.send_bytes, 20);
}

#[test]
fn the_staging_of_a_graph_driver_is_counted() {
    let zstd = plan(&content(), &Inventory::default(), &overlay2("28.5.2"));
    let plain = plan(&content(), &Inventory::default(), &overlay2("20.10.24"));
    // Five layers of 90 bytes and one file each; the largest group on its way is db and front: three layers.
    assert_eq!(zstd.disk_bytes, 5 * (90 + 2048) + 3 * 10);
    assert_eq!(plain.disk_bytes, 5 * (90 + 2048) + 3 * 100);
}
