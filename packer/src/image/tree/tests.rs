//! Tests of random access to tars and directories.

use std::io::{Seek, Write};

use super::*;

fn tree(build: impl FnOnce(&mut tar::Builder<Vec<u8>>)) -> Tree {
    let mut builder = tar::Builder::new(Vec::new());
    build(&mut builder);
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&builder.into_inner().unwrap()).unwrap();
    file.rewind().unwrap();
    Tree::of_tar(file, "test".to_owned()).unwrap()
}

fn put(builder: &mut tar::Builder<Vec<u8>>, name: &str, content: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    builder.append_data(&mut header, name, content).unwrap();
}

fn link(builder: &mut tar::Builder<Vec<u8>>, kind: tar::EntryType, name: &str, target: &str) {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(0);
    builder.append_link(&mut header, name, target).unwrap();
}

#[test]
fn files_are_found_through_links_of_both_kinds() {
    let long = "d/".repeat(80) + "long";
    let tree = tree(|builder| {
        put(builder, "./a/x", b"first");
        put(builder, &long, b"second");
        link(builder, tar::EntryType::Symlink, "b/x", "../a/x");
        link(builder, tar::EntryType::Link, "hard", "b/x");
        link(builder, tar::EntryType::Symlink, "loop", "loop");
        link(builder, tar::EntryType::Symlink, "gone", "nowhere");
    });
    for name in ["a/x", "./a/x", "b/x", "hard"] {
        assert_eq!(tree.read(name, 100).unwrap(), b"first", "{name}");
    }
    assert_eq!(tree.read(&long, 100).unwrap(), b"second");
    assert!(!tree.has("loop") && !tree.has("gone") && !tree.has("c"));
    assert!(tree.read("a/x", 4).is_err(), "longer than the limit");
    assert!(tree.reader("gone").is_err());
}

#[test]
fn two_readers_do_not_disturb_each_other() {
    let tree = tree(|builder| {
        put(builder, "a", b"aaaa");
        put(builder, "b", b"bbbb");
    });
    let (mut a, mut b) = (tree.reader("a").unwrap().0, tree.reader("b").unwrap().0);
    let mut pair = [0; 2];
    for _ in 0..2 {
        for (reader, expected) in [(&mut a, b"aa"), (&mut b, b"bb")] {
            reader.read_exact(&mut pair).unwrap();
            assert_eq!(&pair, expected);
        }
    }
    assert_eq!((a.read(&mut pair).unwrap(), b.read(&mut pair).unwrap()), (0, 0));
}
