//! What an installation has left, on the engine and in its directory, in a form that can be compared.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bundle_spec::digest::chain_ids;
use serde_json::Value;

use crate::bundle::{Bundle, PASSWORD};
use crate::tree::Tree;

/// Says everything that an engine has, in lines that are the same for the same things. `$DATA` is its data root, `$CTR` its containerd's socket.
pub const ENGINE: &str = r#"
lines() { sort | sed "s|^|$1 |"; }
docker ps --all --no-trunc --format '{{.Names}} {{.State}}' | lines container
docker images --all --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}' | lines image
docker network ls --format '{{.Name}} {{.Driver}}' | lines network
docker volume ls --quiet | lines volume
ctr="ctr --address $CTR --namespace moby"
# What nobody holds any more is gone after the next garbage collection, which the end of a lease brings on.
$ctr leases create --id collect >/dev/null 2>&1 && $ctr leases delete --sync collect >/dev/null 2>&1
$ctr content list --quiet | lines content
$ctr content active | tail -n +2 | cut -c 1-40 | lines half-a-blob
$ctr leases list --quiet | grep airlift | lines lease
$ctr snapshots --snapshotter overlayfs list | awk 'NR > 1 { print ($1 ~ /^sha256:/ ? $1 : $1 ~ /^airlift/ ? "half " $1 : "a container'"'"'s " $NF) }' | lines snapshot
ls $DATA/image/overlay2/layerdb/sha256 2>/dev/null | lines layer
ls $DATA/image/overlay2/layerdb/tmp $DATA/tmp 2>/dev/null | grep -v -e moby-detect -e : -e '^$' | lines staged
known=$(docker ps --all --no-trunc --quiet)
layers=$DATA/image/overlay2/layerdb
for mount in $layers/mounts/*; do
    case " $(echo $known) " in *" ${mount##*/} "*) continue ;; esac
    chain=$(cat "$mount/parent" 2>/dev/null) && echo 'forgotten container'
    while [ -n "$chain" ]; do
        echo "kept-by-forgotten ${chain#sha256:}"
        chain=$(cat "$layers/sha256/${chain#sha256:}/parent" 2>/dev/null)
    done
done
ls $DATA/overlay2 2>/dev/null | grep -v -e '^l$' -e '^backingFsBlockDev$' | grep -c . | lines layers-and-containers
true
"#;

/// Says what keeps things in containerd, for who wonders why they are still there.
pub const HOLDERS: &str = r#"
ctr="ctr --address $CTR --namespace moby"
$ctr leases list
$ctr images list
$ctr content list
true
"#;

/// Files of a project that are the installation's own: they hold secrets, times, ids of processes.
const OWN: [&str; 9] = [
    ".env",
    ".airlift/answers.json",
    ".airlift/install.log",
    ".airlift/last-run.json",
    ".airlift/lock",
    ".airlift/receipt.json",
    ".airlift/salt",
    ".airlift/docker-config/*",
    // A self-signed certificate is made anew.
    "tls/*",
];

/// The files of a project directory, without what differs from one installation to the next.
#[must_use]
pub fn shape(dir: &Path) -> Tree {
    Tree::of(dir, &["engine"]).shape(&OWN)
}

/// Bytes of the bundle's layers that an engine of this state does not have.
#[must_use]
pub fn missing_bytes(bundle: &Bundle, engine: &str) -> u64 {
    // One that is being unpacked bears the same number, and is none yet.
    let arrived: Vec<&str> = engine.lines().filter(|line| !line.starts_with("snapshot half ")).collect();
    let mut missing = BTreeSet::new();
    let mut bytes = 0;
    for image in &bundle.open().index.content.images {
        for (layer, chain) in image.layers.iter().zip(chain_ids(&image.diff_ids())) {
            if !arrived.iter().any(|line| line.contains(&chain.hex()))
                && missing.insert(layer.blob.to_string())
            {
                bytes += layer.stored_len;
            }
        }
    }
    bytes
}

/// What must be true of a project directory at any moment, whatever has died. `key` is the generated secret, once it was seen.
///
/// # Errors
/// What is not.
pub fn check_directory(dir: &Path, key: &mut Option<String>) -> Result<(), String> {
    let read = |name: &str| fs::read_to_string(dir.join(name)).ok();
    if let Some(text) = read(".airlift/receipt.json") {
        let parsed: Result<Value, _> = serde_json::from_str(&text);
        parsed.map_err(|error| format!("half a receipt: {error}\n{text}"))?;
    }
    let of_answers = read(".airlift/answers.json").map(|text| {
        let answers: Value =
            serde_json::from_str(&text).map_err(|error| format!("half of the answers: {error}"))?;
        Ok::<_, String>(answers["session_key"].as_str().unwrap_or_default().to_owned())
    });
    let of_env = read(".env").map(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("SESSION_KEY="));
        line.unwrap_or_default().trim_matches(['"', '\'']).to_owned()
    });
    for seen in of_answers.transpose()?.into_iter().chain(of_env) {
        if seen.len() != 64 {
            return Err(format!("half a secret: `{seen}`"));
        }
        match key {
            Some(key) if *key != seen => return Err("a generated secret has changed".to_owned()),
            _ => *key = Some(seen),
        }
    }
    let secrets = [PASSWORD[..10].to_owned(), key.clone().unwrap_or_else(|| PASSWORD.to_owned())];
    for path in files(dir) {
        // What comes and goes while one looks is no concern.
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        if metadata.len() > 1 << 20 || metadata.permissions().mode() & 0o077 == 0 {
            continue;
        }
        let content = fs::read(&path).unwrap_or_default();
        let content = String::from_utf8_lossy(&content);
        if secrets.iter().any(|secret| content.contains(secret)) {
            return Err(format!("others may read a secret in {}", path.display()));
        }
    }
    Ok(())
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let (mut files, mut open) = (Vec::new(), vec![dir.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                Ok(kind) if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    files
}
