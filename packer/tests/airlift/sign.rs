//! `keygen`, `pack --sign`, `sign`, `verify --key`: against the real minisign, both ways.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;

use crate::pack::packable;
use crate::sandbox::{Ran, Sandbox, ran};

const RUN: &str = "demo-1.0.run";

/// Runs the real minisign in the project; `make parts` installs it.
fn minisign(sandbox: &Sandbox, args: &[&str]) -> Ran {
    let mut command = Command::new("minisign");
    command.current_dir(sandbox.root()).args(args);
    ran(command.output().unwrap())
}

/// A project, and a key pair `vendor` without a password.
fn with_key() -> (Sandbox, String) {
    let sandbox = packable();
    let made = sandbox.airlift(&["keygen", "vendor", "--no-password"]).ok();
    let public = made.out.trim().to_owned();
    (sandbox, public)
}

#[test]
fn keys_are_for_their_owner_only_and_never_overwritten() {
    let (sandbox, public) = with_key();
    let mode = |name: &str| std::fs::metadata(sandbox.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("vendor.key"), 0o600);
    assert!(public.starts_with("RW") && public.len() == 56, "{public}");
    let secret = sandbox.read("vendor.key");
    let _ = sandbox.airlift(&["keygen", "vendor", "--no-password"]).fails(2, &["is there already"]);
    assert_eq!(sandbox.read("vendor.key"), secret);
    // Nobody can be asked for a password here.
    let _ = sandbox.airlift(&["keygen", "other"]).fails(2, &["--password-file"]);
    assert!(!sandbox.names().iter().any(|name| name.starts_with("other")));
}

#[test]
fn plain_minisign_checks_what_airlift_signed() {
    let (sandbox, public) = with_key();
    let _ = sandbox.airlift(&["pack", "--sign", "vendor.key"]).ok();
    let checked = minisign(&sandbox, &["-V", "-m", RUN, "-p", "vendor.pub"]).ok();
    assert!(checked.out.contains("Trusted comment: demo 1.0"), "{}", checked.out);
    let _ = minisign(&sandbox, &["-V", "-m", RUN, "-P", &public]).ok();
    let mut bytes = sandbox.read(RUN);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    sandbox.write(RUN, &bytes);
    assert_ne!(minisign(&sandbox, &["-V", "-m", RUN, "-p", "vendor.pub"]).code, 0);
}

#[test]
fn airlift_signs_with_keys_that_minisign_made_and_the_other_way_round() {
    let sandbox = packable();
    let _ = minisign(&sandbox, &["-G", "-W", "-p", "theirs.pub", "-s", "theirs.key"]).ok();
    let _ = sandbox.airlift(&["pack", "--sign", "theirs.key"]).ok();
    let _ = minisign(&sandbox, &["-V", "-m", RUN, "-p", "theirs.pub"]).ok();
    let verified = sandbox.airlift(&["verify", RUN, "--key", "theirs.pub"]).ok().out;
    assert!(verified.contains("signed with the given key"), "{verified}");
    // minisign prints the key's number as we do.
    let recreated = minisign(&sandbox, &["-R", "-s", "theirs.key", "-p", "again.pub"]);
    let _ = recreated.ok();
    let id = String::from_utf8(sandbox.read("again.pub")).unwrap();
    let id = id.lines().next().unwrap().rsplit(' ').next().unwrap().to_owned();
    assert!(verified.contains(&id), "{id}: {verified}");
    // One bit of it flipped: the signature would not hold.
    let mut broken = String::from_utf8(sandbox.read("theirs.key")).unwrap();
    let at = broken.find('\n').unwrap() + 101;
    let other = if &broken[at..=at] == "A" { "B" } else { "A" };
    broken.replace_range(at..=at, other);
    sandbox.write("broken.key", broken);
    let _ = sandbox.airlift(&["sign", RUN, "--key", "broken.key"]).fails(1, &["cannot sign"]);
    let _ = sandbox.airlift(&["verify", RUN, "--key", "theirs.pub"]).ok();
    // And minisign signs with ours.
    let _ = sandbox.airlift(&["keygen", "ours", "--no-password"]).ok();
    sandbox.write("note.txt", "anything");
    let _ = minisign(&sandbox, &["-S", "-s", "ours.key", "-m", "note.txt"]).ok();
    let _ = minisign(&sandbox, &["-V", "-m", "note.txt", "-p", "ours.pub"]).ok();
}

#[test]
fn a_key_with_a_password_is_used_without_a_terminal() {
    let sandbox = packable();
    sandbox.write("password", "correct horse\n");
    sandbox.write("wrong", "battery staple\n");
    let _ = sandbox.airlift(&["keygen", "vendor", "--password-file", "password"]).ok();
    let _ = sandbox.airlift(&["pack", "--sign", "vendor.key"]).fails(2, &["--password-file"]);
    let wrong = ["pack", "--sign", "vendor.key", "--password-file", "wrong"];
    let _ = sandbox.airlift(&wrong).fails(2, &["vendor.key", "password"]);
    assert!(!sandbox.path(RUN).exists(), "a wrong password is found before anything is packed");
    let _ = sandbox.airlift(&["pack", "--sign", "vendor.key", "--password-file", "password"]).ok();
    let _ = sandbox.airlift(&["verify", RUN, "--key", "vendor.pub"]).ok();
}

#[test]
fn verify_and_inspect_name_the_signer_and_refuse_another() {
    let (sandbox, public) = with_key();
    let _ = sandbox.airlift(&["keygen", "other", "--no-password"]).ok();
    let _ = sandbox.airlift(&["pack"]).ok();
    assert!(sandbox.airlift(&["inspect", RUN]).ok().out.contains("signed by     nobody"));
    assert!(sandbox.airlift(&["verify", RUN]).ok().out.contains("not signed"));
    let _ = sandbox.airlift(&["verify", RUN, "--key", &public]).fails(5, &["it is not signed"]);

    let _ = sandbox.airlift(&["pack", "--sign", "vendor.key"]).ok();
    let shown: Value = serde_json::from_str(&sandbox.airlift(&["inspect", RUN, "--json"]).ok().out).unwrap();
    assert_eq!(shown["signer"]["key"], public.as_str());
    let fingerprint = shown["signer"]["fingerprint"].as_str().unwrap();
    assert!(sandbox.airlift(&["inspect", RUN]).ok().out.contains(fingerprint));
    let _ = sandbox.airlift(&["verify", RUN]).ok();
    let _ = sandbox.airlift(&["verify", RUN, "--key", &public]).ok();
    let _ =
        sandbox.airlift(&["verify", RUN, "--key", "other.pub"]).fails(5, &["it is signed with", fingerprint]);
    let _ = sandbox.airlift(&["verify", RUN, "--key", "nothing.pub"]).fails(2, &["RW"]);
}

#[test]
fn signing_later_gives_the_same_file_apart_from_the_signature() {
    let (sandbox, public) = with_key();
    let _ = sandbox.airlift(&["pack"]).ok();
    let unsigned = sandbox.read(RUN);
    let _ = sandbox.airlift(&["sign", RUN, "--key", "vendor.key"]).ok();
    let later = sandbox.read(RUN);
    let _ = minisign(&sandbox, &["-V", "-m", RUN, "-p", "vendor.pub"]).ok();
    let _ = sandbox.airlift(&["pack", "--sign", "vendor.key"]).ok();
    let at_once = sandbox.read(RUN);
    assert_eq!((later.len(), at_once.len()), (unsigned.len(), unsigned.len()));
    // A signature has random numbers in it; everything before the index is the same, byte for byte.
    let differs = unsigned.iter().zip(&at_once).position(|(a, b)| a != b).unwrap();
    assert!(unsigned.len() - differs < 4096, "they differ from byte {differs} on");
    assert_eq!(later[..differs], at_once[..differs]);
    // Packed again without a key, it is the unsigned file again, and the signature beside it is said to be old.
    let again = sandbox.airlift(&["pack"]).ok();
    assert!(again.err.contains("demo-1.0.run.minisig belongs to an older file"), "{}", again.err);
    assert_eq!(sandbox.read(RUN), unsigned);
    let _ = sandbox.airlift(&["verify", RUN, "--key", &public]).fails(5, &["not signed"]);
}

#[test]
fn things_that_are_no_keys_are_refused_before_anything_is_packed() {
    let (sandbox, _) = with_key();
    for given in ["vendor.pub", "images.tar", "docker-compose.yml", "nowhere.key"] {
        let _ = sandbox.airlift(&["pack", "--sign", given]).fails(2, &[given]);
        assert!(!sandbox.path(RUN).exists(), "{given}");
    }
}
