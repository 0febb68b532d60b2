//! The key of the first installation is pinned: what comes later must have it, unless the operator names another one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;

use serde_json::Value;
use tests::bundle::{Bundle, Vendor};
use tests::engine::Store;
use tests::parts::Suite;
use tests::run::Run;
use tests::site::Site;

/// A vendor with two keys and a stranger's bundle.
struct Keys {
    vendor: Vendor,
    old: String,
    new: String,
}

impl Keys {
    fn new() -> Self {
        // It brings the Compose plugin.
        let vendor = Vendor::new().with_engine();
        let make = |name: &str| {
            let path = vendor.path(name);
            vendor
                .airlift(&["keygen", path.to_str().unwrap(), "--no-password"])
                .done()
                .stdout
                .trim()
                .to_owned()
        };
        let (old, new) = (make("old"), make("new"));
        Self { vendor, old, new }
    }

    /// The bundle of this version, signed with the key of this name, or with none.
    fn pack(&self, version: &str, key: Option<&str>) -> Bundle {
        let path = self.vendor.path(&format!("hello-{version}-{}.run", key.unwrap_or("unsigned")));
        let _ = self.vendor.airlift(&["pack", "--level", "1", "-o", path.to_str().unwrap()]).done();
        if let Some(key) = key {
            let key = self.vendor.path(&format!("{key}.key"));
            let _ =
                self.vendor.airlift(&["sign", path.to_str().unwrap(), "--key", key.to_str().unwrap()]).done();
        }
        Bundle { path }
    }
}

fn pinned(site: &Site) -> Value {
    let receipt = fs::read(site.dir().join(".airlift/receipt.json")).unwrap();
    serde_json::from_slice::<Value>(&receipt).unwrap()["signer"].clone()
}

#[test]
fn the_first_key_is_pinned_and_only_the_operator_changes_it() {
    let keys = Keys::new();
    let site = Site::new(Suite::Forky, Store::Containerd);
    let first = keys.pack("1.0.0", Some("old"));
    let install = ["install", "--yes"];
    // Not what was asked for: nothing is made.
    let wrong = ["install", "--yes", "--trust", &keys.new];
    let _ = site.run(&first, &wrong).expect(5).saying("Do not install it");
    assert!(!site.dir().join(".airlift").exists());
    let key = first.open().signer.unwrap().key.to_string();
    let _ = site.install(&first).done().saying(&key);
    assert_eq!(pinned(&site), keys.old.as_str());
    let _ = first.run(&["verify", "--key", &keys.old]).done().saying(&key);
    let _ = first.run(&["verify", "--key", &keys.new]).expect(5);

    keys.vendor.edit("airlift.toml", "version = \"1.0.0\"", "version = \"1.0.1\"");
    let receipt = fs::read(site.dir().join(".airlift/receipt.json")).unwrap();
    let unsigned = keys.pack("1.0.1", None);
    let strange = keys.pack("1.0.1", Some("new"));
    let _ = site.run(&unsigned, &install).expect(5).saying("It is not signed.");
    let _ = site.run(&strange, &install).expect(5).saying("--trust KEY");
    let _ = site.run(&strange, &["preflight"]).expect(5);
    let _ = site.run(&strange, &["install", "--yes", "--trust", &keys.old]).expect(5);
    assert_eq!(fs::read(site.dir().join(".airlift/receipt.json")).unwrap(), receipt, "the host was touched");

    // The right key goes on as ever, and the operator may name a new one.
    let _ = site.run(&keys.pack("1.0.1", Some("old")), &install).done();
    let public = keys.vendor.path("new.pub");
    let _ = site.run(&strange, &["install", "--yes", "--trust", public.to_str().unwrap()]).done();
    assert_eq!(pinned(&site), keys.new.as_str());
    let _ = site.run(&first, &install).expect(5);

    // The data that is kept has the key with it; who purges begins anew.
    let _ = site.run(&strange, &["uninstall", "--yes"]).done();
    let _ = site.run(&unsigned, &install).expect(5).saying("It is not signed.");
    let _ = Run::of_typing(&mut site.command(&strange, &["uninstall", "--purge"]), "hello\n").done();
    let _ = site.run(&unsigned, &["preflight", "--answers", "answers.toml"]).done();
}
