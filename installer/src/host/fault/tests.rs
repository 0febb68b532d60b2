//! Whole sequences of acts, as a plan has them, through any faults: broken off at the first that is noticed, and run again.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use proptest::prelude::*;

use super::{Act, Plan, with};
use crate::host::below::Folder;
use crate::host::file::{self, Access};
use crate::host::lock;
use crate::outcome::Outcome;

#[derive(Clone, Debug)]
enum Step {
    Below(u8, Vec<u8>),
    Directory(u8),
    Link(u8),
    Lock,
    Remove(u8),
    Rewrite(u8, Vec<u8>),
    SetAside(u8),
    Write(u8, Vec<u8>),
}

impl Step {
    fn carry_out(&self, dir: &Path) -> Outcome<()> {
        let at = |name: &u8| dir.join(format!("f{name}"));
        match self {
            Self::Below(name, content) => {
                let folder = Folder::open(dir).unwrap().make("b/deep".as_ref(), Access::EXECUTABLE)?;
                folder.write(format!("f{name}").as_ref(), Access::READABLE, content)
            }
            Self::Directory(name) => {
                file::make_dir(&dir.join(format!("d{name}/deep")), Access::EXECUTABLE).map(|_| ())
            }
            Self::Link(name) => file::link(&dir.join(format!("l{name}")), &at(name)),
            Self::Lock => lock::take(&dir.join("lock")).map(|_| ()),
            Self::Remove(name) => file::remove(&at(name)),
            Self::Rewrite(name, content) => file::rewrite(&at(name), Access::READABLE, content),
            Self::SetAside(name) => Folder::open(dir).unwrap().set_aside(format!("f{name}").as_ref()),
            Self::Write(name, content) => file::write(&at(name), Access::PRIVATE, content),
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let content = || proptest::collection::vec(any::<u8>(), 0..20_000);
    let step = prop_oneof![
        (0..3u8, content()).prop_map(|(name, content)| Step::Below(name, content)),
        (0..3u8).prop_map(Step::Directory),
        (0..3u8).prop_map(Step::Link),
        Just(Step::Lock),
        (0..3u8).prop_map(Step::Remove),
        (0..3u8, content()).prop_map(|(name, content)| Step::Rewrite(name, content)),
        (0..3u8).prop_map(Step::SetAside),
        (0..3u8, content()).prop_map(|(name, content)| Step::Write(name, content)),
    ];
    proptest::collection::vec(step, 1..12)
}

/// Faults anywhere: which act of its kind, on whatever path, fails how, once or from then on.
fn faults() -> impl Strategy<Value = String> {
    let act = prop::sample::select(vec![
        Act::Create,
        Act::Link,
        Act::Lock,
        Act::Mkdir,
        Act::Own,
        Act::Remove,
        Act::Rename,
        Act::Sync,
        Act::SyncDir,
        Act::Write,
    ]);
    let kind = prop::sample::select(vec!["EACCES", "EDQUOT", "EINTR", "EIO", "ENOSPC", "EROFS", "SHORT"]);
    let fault = (act, 1..9usize, kind, any::<bool>()).prop_map(|(act, number, kind, lasts)| {
        let is_over = kind == "EINTR" && act != Act::Write;
        // The system's own calls are tried again when they are interrupted; and what is interrupted for ever never ends.
        let (kind, lasts) = if is_over { ("EIO", lasts) } else { (kind, lasts && kind != "EINTR") };
        format!("{act} {number}{} {kind} *", if lasts { "+" } else { "" })
    });
    proptest::collection::vec(fault, 0..4).prop_map(|faults| faults.join("\n"))
}

/// Everything in a directory, with content or target and mode.
fn look(dir: &Path) -> BTreeMap<String, (Vec<u8>, u32)> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let seen = entries.map(|entry| {
        let metadata = entry.path().symlink_metadata().unwrap();
        let content = if metadata.is_file() && entry.file_name() != "lock" {
            fs::read(entry.path()).unwrap()
        } else {
            Vec::new()
        };
        (entry.file_name().into_string().unwrap(), (content, metadata.mode()))
    });
    seen.collect()
}

/// What each file may have in it at any moment: nothing, or something that was written there, or moved there, whole.
fn is_whole(name: &str, content: &[u8], steps: &[Step]) -> bool {
    let name = name.trim_end_matches(".before-airlift");
    steps.iter().any(|step| match step {
        Step::Below(to, written) | Step::Write(to, written) | Step::Rewrite(to, written) => {
            format!("f{to}") == name && written == content
        }
        _ => false,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_plan_that_faults_break_off_leaves_nothing_half_and_is_finished_by_running_it_again(
        steps in steps(), faults in faults()
    ) {
        let folder = tempfile::tempdir().unwrap();
        let run = || steps.iter().try_for_each(|step| step.carry_out(folder.path()));
        let (outcome, acts) = with(Plan::parse(&faults).unwrap(), run);
        for (name, (content, mode)) in look(folder.path()).into_iter().chain(look(&folder.path().join("b/deep"))) {
            prop_assert!(!name.starts_with(".airlift-"), "{} is left over by {:?}", name, acts);
            if name.starts_with('f') && mode & 0o170_000 == 0o100_000 {
                prop_assert!(is_whole(&name, &content, &steps), "half of {}", name);
            }
        }
        if let Err(failure) = outcome {
            prop_assert!(!failure.causes.is_empty(), "{failure:?}");
            prop_assert!(failure.what.en.contains(&*folder.path().to_string_lossy()), "{failure:?}");
        }
        // Nothing but the faults may stand in the way, whatever was done before them.
        let (again, _) = with(Plan::default(), run);
        let clean = tempfile::tempdir().unwrap();
        let undisturbed = steps.iter().try_for_each(|step| step.carry_out(clean.path()));
        prop_assert_eq!(again.is_ok(), undisturbed.is_ok());
    }
}

#[test]
fn a_plan_is_read_as_it_is_written_and_nothing_else_is_one() {
    let plan = Plan::parse("write 2 EIO /a b\nsync 1+ ENOSPC *").unwrap();
    let (wrote, acts) = with(plan, || {
        let tried = |act, path: &str| super::pass(act, Path::new(path)).is_err();
        [
            tried(Act::Write, "/a b"),
            tried(Act::Write, "/c"),
            tried(Act::Write, "/a b"),
            tried(Act::Write, "/a b"),
            tried(Act::Sync, "/x"),
            tried(Act::Sync, "/y"),
        ]
    });
    assert_eq!(wrote, [false, false, true, false, true, true]);
    assert_eq!(acts.len(), 6);
    for wrong in ["write", "write x EIO /a", "write 1 EWHAT /a", "write 1 EIO"] {
        assert!(Plan::parse(wrong).is_err(), "{wrong}");
    }
}
