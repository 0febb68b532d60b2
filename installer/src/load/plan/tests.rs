//! Tests of what travels and when.

use std::collections::HashSet;

use bundle_spec::project::{App, Localized, Project, Requirements};
use bundle_spec::reference::ImageReference;

use proptest::prelude::*;

use super::*;
use crate::engine::{ContainerdAccess, Flavour};

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
            footprint: Default::default(),
        },
        images: vec![
            image("back", &["base", "python", "app"]),
            image("front", &["base", "page"]),
            image("db", &["pg"]),
        ],
        engine: None,
        questions: vec![],
        values: vec![],
        requirements: Requirements::default(),
        checks: vec![],
        links: vec![],
        actions: vec![],
        tls: None,
        public_ports: vec![],
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
        is_in_swarm: false,
        quirks: crate::engine::description::Quirks::default(),
        staging: "/var/lib/docker/tmp".into(),
        containerd_root: "/var/lib/containerd".into(),
        containerd: None,
    }
}

fn overlay2(version: &str) -> Description {
    engine(Store::GraphDriver("overlay2".into()), version)
}

fn present(image: &Image, id: Digest) -> PresentImage {
    PresentImage { id: id.to_string(), diff_ids: image.diff_ids(), tags: vec![image.reference.clone()] }
}

/// A containerd store whose containerd can be reached.
fn containerd() -> Description {
    let access = ContainerdAccess {
        socket: "/run/containerd/containerd.sock".into(),
        namespace: "moby".into(),
        snapshotter: "overlayfs".into(),
    };
    Description { containerd: Some(access), ..engine(Store::Containerd, "28.5.2") }
}

fn usual(content: &Content, inventory: &Inventory, engine: &Description) -> LoadPlan {
    plan(content, inventory, engine, Trust::Usual)
}

/// What travels for an image, in all its requests.
fn layers_of(plan: &LoadPlan, image: usize) -> Vec<usize> {
    let requests = plan.requests.iter().filter(|request| request.image == image);
    requests.flat_map(|request| request.layers.clone()).collect()
}

#[test]
fn the_form_follows_what_the_engine_can_take() {
    let form =
        |description: &Description, trust| plan(&content(), &Inventory::default(), description, trust).form;
    assert_eq!(form(&overlay2("20.10.24+dfsg1"), Trust::Usual), Form::DockerPlain);
    assert_eq!(form(&overlay2("23.0.0"), Trust::Usual), Form::DockerZstd);
    assert_eq!(form(&overlay2("28.5.2"), Trust::Usual), Form::DockerZstd);
    assert_eq!(form(&engine(Store::Containerd, "26.1.5"), Trust::Usual), Form::Oci);
    assert_eq!(form(&containerd(), Trust::Usual), Form::Snapshots);
    assert_eq!(form(&containerd(), Trust::Nothing), Form::Oci);
}

#[test]
fn a_shared_layer_travels_once_and_its_images_do_not_race() {
    let plan = usual(&content(), &Inventory::default(), &engine(Store::Containerd, "28.5.2"));
    // `front` shares its base with the larger `back`; `db` shares nothing.
    let order: Vec<_> = plan.requests.iter().map(|request| request.image).collect();
    assert_eq!(order, [2, 1, 0]);
    assert_eq!(plan.requests[2].after, [1]);
    assert_eq!(plan.requests[2].layers, [1, 2]);
    assert_eq!(plan.read_bytes, 50);
}

#[test]
fn a_graph_driver_gets_a_shared_base_first_and_then_what_stands_on_it() {
    let plan = usual(&content(), &Inventory::default(), &overlay2("28.5.2"));
    let shown: Vec<_> = plan
        .requests
        .iter()
        .map(|request| {
            (request.image, request.layers.clone(), request.depth, request.names, request.after.clone())
        })
        .collect();
    assert_eq!(
        shown,
        [
            (0, vec![0], 1, false, vec![]),
            (0, vec![1, 2], 3, true, vec![0]),
            (1, vec![1], 2, true, vec![0]),
            (2, vec![0], 1, true, vec![]),
        ]
    );
}

#[test]
fn snapshots_are_made_one_by_one_and_named_at_the_end() {
    let plan = usual(&content(), &Inventory::default(), &containerd());
    let shown: Vec<_> = plan
        .requests
        .iter()
        .map(|request| (request.image, request.layers.clone(), request.names, request.after.clone()))
        .collect();
    assert_eq!(
        shown,
        [
            (0, vec![0], false, vec![]),
            (0, vec![1], false, vec![0]),
            (0, vec![2], false, vec![1]),
            (0, vec![], true, vec![2]),
            (1, vec![1], false, vec![0]),
            (1, vec![], true, vec![4]),
            (2, vec![0], false, vec![]),
            (2, vec![], true, vec![6]),
        ]
    );
}

#[test]
fn requests_with_the_same_blob_on_different_parents_do_not_break_each_other_off() {
    let mut content = content();
    content.images = vec![image("one", &["x", "same"]), image("two", &["y", "same"])];
    let brings = |plan: &LoadPlan, image: usize| {
        plan.requests
            .iter()
            .position(|request| request.image == image && request.layers.contains(&1))
            .unwrap()
    };
    for engine in [containerd(), engine(Store::Containerd, "26.1.5")] {
        let plan = usual(&content, &Inventory::default(), &engine);
        let (one, two) = (brings(&plan, 0), brings(&plan, 1));
        assert!(plan.requests[one.max(two)].after.contains(&one.min(two)), "{engine:?}");
        // What is there is not written.
        let blobs = [content.images[0].layers[1].blob].into();
        let plan = usual(&content, &Inventory { blobs, ..Inventory::default() }, &engine);
        assert!(plan.requests.iter().all(|request| {
            request.after.iter().all(|before| plan.requests[*before].image == request.image)
        }));
    }
    let plan = usual(&content, &Inventory::default(), &overlay2("28.5.2"));
    assert!(plan.requests.iter().all(|request| request.after.is_empty()));
}

#[test]
fn what_a_graph_driver_has_is_a_prefix_and_nothing_else() {
    let content = content();
    let mut older = present(&content.images[0], digest("older config"));
    older.diff_ids.truncate(2);
    let inventory = Inventory { images: vec![older], ..Inventory::default() };
    let plan = usual(&content, &inventory, &overlay2("28.5.2"));
    assert_eq!(layers_of(&plan, 0), [2]);
    assert_eq!(layers_of(&plan, 1), [1]);
    // The same layers in another order are other chains.
    let mut shuffled = present(&content.images[0], digest("shuffled"));
    shuffled.diff_ids.reverse();
    let inventory = Inventory { images: vec![shuffled], ..Inventory::default() };
    let plan = usual(&content, &inventory, &overlay2("28.5.2"));
    assert_eq!([layers_of(&plan, 0), layers_of(&plan, 1)], [vec![0, 1, 2], vec![1]]);
}

#[test]
fn a_complete_image_is_left_alone_on_either_store_and_a_changed_config_is_not() {
    let content = content();
    let back = &content.images[0];
    for (id, images) in [(back.config, 2), (back.manifest, 2), (digest("other config"), 3)] {
        let inventory = Inventory { images: vec![present(back, id)], ..Inventory::default() };
        assert_eq!(usual(&content, &inventory, &overlay2("28.5.2")).images.len(), images);
    }
}

#[test]
fn blobs_that_containerd_has_stay_on_the_stick() {
    let content = content();
    let blobs: HashSet<Digest> = content.images[0].layers.iter().map(|layer| layer.blob).collect();
    let inventory = Inventory { blobs: blobs.clone(), ..Inventory::default() };
    let plan = usual(&content, &inventory, &engine(Store::Containerd, "28.5.2"));
    assert_eq!(layers_of(&plan, 0), Vec::<usize>::new());
    assert_eq!(plan.read_bytes, 20);
    // A blob that is not unpacked is read again where we unpack ourselves.
    let chains = chain_ids(&content.images[0].diff_ids())[..2].iter().copied().collect();
    let inventory = Inventory { blobs, chains, ..Inventory::default() };
    assert_eq!(layers_of(&usual(&content, &inventory, &containerd()), 0), [2]);
}

#[test]
fn without_trust_everything_travels() {
    let content = content();
    let blobs: HashSet<Digest> = content.images[0].layers.iter().map(|layer| layer.blob).collect();
    let chains = chain_ids(&content.images[0].diff_ids()).into_iter().collect();
    let inventory = Inventory { blobs, chains, ..Inventory::default() };
    for engine in [overlay2("28.5.2"), overlay2("20.10.24"), containerd()] {
        let plan = plan(&content, &inventory, &engine, Trust::Nothing);
        assert_eq!(plan.read_bytes, 50, "{engine:?}");
        assert!(plan.requests.iter().all(|request| request.names));
    }
}

#[test]
fn the_staging_of_a_graph_driver_is_counted_and_bounded_by_the_largest_layer() {
    let zstd = usual(&content(), &Inventory::default(), &overlay2("28.5.2"));
    let plain = usual(&content(), &Inventory::default(), &overlay2("20.10.24"));
    // Five layers of 90 bytes and one file each.
    assert_eq!(zstd.kept_bytes, 5 * (90 + 2048));
    assert_eq!(plain.kept_bytes, zstd.kept_bytes);
    // All five at one time: 5 x 10. Plain, that would be five times the largest layer; two of one request are twice.
    assert_eq!(zstd.staged_bytes, 50);
    assert_eq!(plain.staged_bytes, 200);
    assert_eq!(usual(&content(), &Inventory::default(), &containerd()).staged_bytes, 0);
}

/// Any few images over a few layers, and any part of them present.
fn situations() -> impl Strategy<Value = (Content, Inventory, usize)> {
    let images = prop::collection::vec(prop::collection::vec(0..5_usize, 1..6), 1..6);
    (images, any::<u64>(), 0..5_usize).prop_map(|(images, present_mask, engine)| {
        let names = ["a", "b", "c", "d", "e"];
        let mut content = content();
        content.images = images
            .iter()
            .enumerate()
            .map(|(number, layers)| {
                let layers: Vec<&str> = layers.iter().map(|layer| names[*layer]).collect();
                image(&format!("image{number}"), &layers)
            })
            .collect();
        let bit = |position: usize| present_mask >> (position % 64) & 1 == 1;
        let mut inventory = Inventory::default();
        for (number, image) in content.images.iter().enumerate() {
            if bit(number) {
                inventory.images.push(present(image, image.config));
            }
            let chains = chain_ids(&image.diff_ids());
            // What is unpacked stands on something unpacked.
            let depth = (0..chains.len()).take_while(|layer| bit(number * 7 + layer)).count();
            inventory.chains.extend(&chains[..depth]);
            for (layer, blob) in image.layers.iter().map(|layer| layer.blob).enumerate() {
                if bit(number * 11 + layer) {
                    inventory.blobs.insert(blob);
                }
            }
        }
        (content, inventory, engine)
    })
}

proptest! {
    /// Whatever is there and whatever is missing: carried out in any order that `after` allows, every image is complete in
    /// the end, nothing travels twice, and nothing travels before what it stands on.
    #[test]
    fn every_plan_completes_every_image((content, inventory, engine) in situations()) {
        let engine = match engine {
            0 => overlay2("20.10.24"),
            1 => overlay2("28.5.2"),
            2 => self::engine(Store::Containerd, "26.1.5"),
            _ => containerd(),
        };
        let plan = usual(&content, &inventory, &engine);
        let known = known(&inventory);
        let mut chains = known.chains.clone();
        let mut sent = HashSet::new();
        let mut named = HashSet::new();
        for (position, request) in plan.requests.iter().enumerate() {
            prop_assert!(request.after.iter().all(|before| *before < position));
            let image = &content.images[request.image];
            let ids = chain_ids(&image.diff_ids());
            for layer in &request.layers {
                prop_assert!(sent.insert(ids[*layer]), "twice");
                prop_assert!(*layer < request.depth);
                if plan.form != Form::Oci && *layer > 0 {
                    prop_assert!(chains.contains(&ids[layer - 1]), "nothing to stand on");
                }
                chains.insert(ids[*layer]);
            }
            if request.names {
                named.insert(request.image);
                prop_assert_eq!(request.depth, image.layers.len());
                for (layer, chain) in ids.iter().enumerate() {
                    let has_blob = known.blobs.contains(&image.layers[layer].blob);
                    prop_assert!(chains.contains(chain) || (plan.form == Form::Oci && has_blob), "incomplete");
                }
            }
        }
        prop_assert_eq!(named, plan.images.iter().copied().collect());
        // The same order of events must come out when requests wait only for what they say they wait for.
        for request in &plan.requests {
            let image = &content.images[request.image];
            let ids = chain_ids(&image.diff_ids());
            let Some(first) = request.layers.first().copied().filter(|layer| *layer > 0) else { continue };
            if plan.form != Form::Oci && !known.chains.contains(&ids[first - 1]) {
                let brings = |before: &usize| {
                    let before = &plan.requests[*before];
                    let ids = chain_ids(&content.images[before.image].diff_ids());
                    before.layers.iter().any(|layer| ids[*layer] == chain_ids(&image.diff_ids())[first - 1])
                };
                prop_assert!(request.after.iter().any(brings), "does not wait for its base");
            }
        }
    }
}
