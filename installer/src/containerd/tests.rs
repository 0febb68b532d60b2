//! Tests with something on containerd's socket that does what no real one can be brought to do: nothing at all.

use std::collections::HashMap;
use std::os::unix::net::UnixListener;

use bundle_spec::digest::Digest;
use bytes::Bytes;
use tokio::sync::mpsc::channel;

use super::*;
use crate::engine::spawn;

const SHORT: Duration = Duration::from_millis(300);

/// A connection that somebody has taken who neither reads nor says anything, for as long as the folder is kept.
fn silent_one() -> (tempfile::TempDir, Containerd) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("sock");
    let listener = UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || {
        let mut taken = Vec::new();
        listener.incoming().for_each(|stream| taken.push(stream));
    });
    let containerd = Containerd::connect(&socket, "moby").unwrap().answering_within(SHORT);
    (folder, containerd)
}

fn is_silent(error: &ContainerdError) -> bool {
    matches!(error, ContainerdError::Silent { .. })
}

/// An installation hung for ever below an engine that answered.
#[test]
fn a_containerd_that_never_answers_is_given_up() {
    let (_folder, containerd) = silent_one();
    let digest = Digest::of(b"x");
    let outcomes = [
        containerd.has_blob(&digest).map(drop),
        containerd.snapshotter_root("overlayfs").map(drop),
        containerd.leases("shop").map(drop),
        containerd.delete_lease("lease"),
        containerd.commit_snapshot("overlayfs", "key", &digest),
        containerd.remove_snapshot("overlayfs", "key"),
        containerd.snapshot_inodes("overlayfs", "key").map(drop),
        containerd.write_blob(&digest, 1, None, None).map(drop),
        containerd.write_blob(&digest, 1, None, Some(std::path::Path::new("/nowhere"))).map(drop),
        containerd.ingests().map(drop),
    ];
    for outcome in outcomes {
        assert!(is_silent(outcome.as_ref().unwrap_err()), "{outcome:?}");
    }
}

#[test]
fn a_write_that_nobody_takes_is_given_up_and_one_that_waits_for_us_is_not() {
    let (_folder, containerd) = silent_one();
    let begin = |len: u64| {
        let ((pieces, queue), containerd) = (channel(1), containerd.clone());
        let write = content::Write { reference: "x".into(), digest: Digest::of(b"x"), len };
        let task = async move { containerd.write(write, HashMap::new(), queue).await };
        (pieces, spawn(task))
    };
    // Small enough to be on its way as a whole: the answer is missing.
    let (small, is_small_done) = begin(1);
    small.blocking_send(Bytes::from_static(b"x")).unwrap();
    drop(small);
    // Too large for what may be on its way.
    let (large, is_large_done) = begin(1 << 30);
    let piece = Bytes::from(vec![0; 1 << 20]);
    while large.blocking_send(piece.clone()).is_ok() {}
    for done in [is_small_done, is_large_done] {
        let outcome = wait(done).unwrap();
        assert!(is_silent(outcome.as_ref().unwrap_err()), "{outcome:?}");
    }
    // As slow as a stick may be.
    let (slow, is_slow_done) = begin(1);
    std::thread::sleep(4 * SHORT);
    assert!(!is_slow_done.is_finished());
    drop(slow);
}
