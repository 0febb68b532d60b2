//! Tests of picking project files.

use std::os::unix::fs::symlink;

use super::*;

fn rule(include: &[&str], exclude: &[&str]) -> FileRule {
    let own = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    FileRule { include: own(include), exclude: own(exclude), ..FileRule::default() }
}

fn project() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("docker-compose.yml", "services: {}"),
        ("nginx/default.conf", "a"),
        ("nginx/conf.d/x.conf", "b"),
        ("nginx/old.bak", "c"),
        ("run.sh", "#!/bin/sh"),
        (".env", "SECRET=1"),
        (".git/config", "x"),
    ] {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::set_permissions(root.path().join("run.sh"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(root.path().join("old.run"), format!("{LAUNCHER_FIRST_LINE}…")).unwrap();
    root
}

fn paths(root: &Path, rules: &[FileRule]) -> (Vec<String>, Vec<String>) {
    let compose = compose_file(root, None).unwrap();
    let picked = pick(root, rules, &compose).unwrap();
    (picked.files.iter().map(|file| file.path.to_string()).collect(), picked.problems)
}

#[test]
fn the_compose_file_is_always_there() {
    let root = project();
    assert_eq!(paths(root.path(), &[]), (vec!["docker-compose.yml".to_owned()], vec![]));
}

#[test]
fn globs_pick_and_leave_out() {
    let root = project();
    let (files, problems) = paths(root.path(), &[rule(&["nginx/"], &["**/*.bak"])]);
    assert_eq!(files, ["docker-compose.yml", "nginx/conf.d/x.conf", "nginx/default.conf"]);
    assert!(problems.is_empty());
    let (files, _) = paths(root.path(), &[rule(&["nginx/*.conf"], &[])]);
    assert_eq!(files, ["docker-compose.yml", "nginx/default.conf"]);
}

#[test]
fn everything_does_not_mean_secrets_history_or_the_last_bundle() {
    let root = project();
    let (files, problems) = paths(root.path(), &[rule(&["**"], &[])]);
    assert_eq!(
        files,
        ["docker-compose.yml", "nginx/conf.d/x.conf", "nginx/default.conf", "nginx/old.bak", "run.sh"]
    );
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn modes_are_reduced_to_two() {
    let root = project();
    let picked =
        pick(root.path(), &[rule(&["run.sh"], &[])], &compose_file(root.path(), None).unwrap()).unwrap();
    let modes: Vec<_> = picked.files.iter().map(|file| file.mode).collect();
    assert_eq!(modes, [0o644, 0o755]);
}

#[test]
fn what_cannot_be_packed_is_a_problem() {
    let root = project();
    symlink("/etc/passwd", root.path().join("nginx/out")).unwrap();
    symlink("default.conf", root.path().join("nginx/in")).unwrap();
    fs::File::create(root.path().join("nginx/model")).unwrap().set_len(FILE_MAX + 1).unwrap();
    let (files, problems) = paths(root.path(), &[rule(&["nginx/**", ".env", "missing/*"], &[])]);
    assert!(files.contains(&"nginx/in".to_owned()) && !files.contains(&"nginx/out".to_owned()));
    for part in [
        "outside the project",
        ".env cannot be packed",
        "\"missing/*\" matches nothing",
        "nginx/model has 16.8 MB",
    ] {
        assert!(problems.iter().any(|problem| problem.contains(part)), "{part}: {problems:?}");
    }
}

#[test]
fn compose_files_are_found_in_composes_order() {
    let root = project();
    assert_eq!(compose_file(root.path(), None).unwrap().as_str(), "docker-compose.yml");
    fs::write(root.path().join("compose.yaml"), "").unwrap();
    assert_eq!(compose_file(root.path(), None).unwrap().as_str(), "compose.yaml");
    assert!(compose_file(root.path(), Some("other.yml")).is_err());
}

#[test]
fn a_name_with_an_ending_is_one_of_a_file() {
    for name in ["nginx.conf", "conf/init.sql", "a/my.cnf", "cert.pem", "prometheus.yml", "a.mp4"] {
        assert!(looks_like_file(name), "{name}");
    }
    for name in ["data", "conf.d", "v1.0", ".ssh", "conf.d/x", "releases/2.1", "a."] {
        assert!(!looks_like_file(name), "{name}");
    }
}
