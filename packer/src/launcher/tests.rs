//! Tests of the launcher in the shells that it must run in, with a script in place of the installer.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use bundle_spec::layout::{LAUNCHER_FIRST_LINE, LAUNCHER_LENGTH_DIGITS, LAUNCHER_LENGTH_KEY};
use bundle_spec::project::Localized;

use super::*;

/// A stub whose length is no multiple of a block, that shows what it was given and cleans up as the real one does.
const STUB: &str = "#!/bin/sh\n[ \"$1\" = __probe ] && exit 0\necho \"$AIRLIFT_BUNDLE|$(umask)|$*\"\nrm -rf \"$AIRLIFT_STUB_DIR\"\nexit 42\n";

fn app() -> App {
    let title = Localized { zh: "甲 $(rm) '乙'".to_owned(), en: "It's `x` $HOME @NAME@".to_owned() };
    App { name: "app".to_owned(), version: "1.0".to_owned(), title, vendor: None }
}

/// A file with launcher, stub and something behind them, its length patched in as the writer does.
fn bundle(folder: &Path, name: &str, arch: &str, stub: &str) -> PathBuf {
    let stub = Stub { arch: arch.to_owned(), bytes: stub.as_bytes().to_vec() };
    let mut bytes = render(&app(), std::slice::from_ref(&stub)).unwrap();
    bytes.extend_from_slice(&stub.bytes);
    bytes.resize(bytes.len().next_multiple_of(4096) + 5000, 0xa5);
    let key = format!("\n{LAUNCHER_LENGTH_KEY}");
    let at = bytes.windows(key.len()).position(|window| window == key.as_bytes()).unwrap() + key.len();
    let digits = format!("{:0width$}", bytes.len(), width = LAUNCHER_LENGTH_DIGITS);
    bytes[at..at + LAUNCHER_LENGTH_DIGITS].copy_from_slice(digits.as_bytes());
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn machine() -> String {
    let output = Command::new("uname").arg("-m").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Every shell of this machine that a customer's `sh` may be. `dash` is one at least, or the test says so.
fn shells() -> Vec<Vec<&'static str>> {
    let all = [vec!["dash"], vec!["bash", "--posix"], vec!["bash"], vec!["busybox", "sh"], vec!["sh"]];
    let there = |shell: &Vec<&str>| {
        Command::new(shell[0]).args(&shell[1..]).args(["-c", ":"]).output().is_ok_and(|o| o.status.success())
    };
    let shells: Vec<_> = all.into_iter().filter(there).collect();
    assert!(shells.len() >= 3, "too few shells to test with: {shells:?}");
    shells
}

fn run(shell: &[&str], file: &str, folder: &Path, env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(shell[0]);
    command.args(&shell[1..]).arg(file).args(["install", "a b"]).current_dir(folder).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap()).envs(env.iter().copied());
    command.output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn it_begins_as_the_format_says_and_fills_whole_blocks() {
    let stub = Stub { arch: "x86_64".to_owned(), bytes: vec![1; 10_000] };
    let launcher = render(&app(), &[stub]).unwrap();
    assert!(launcher.starts_with(LAUNCHER_FIRST_LINE.as_bytes()));
    assert_eq!(launcher.len() % 4096, 0);
    let text = String::from_utf8(launcher).unwrap();
    assert!(text.contains("\nbundle_length=00000000000000000000\n"));
    assert!(!text.contains('\r') && !text.contains("@VERSION@") && !text.contains("@STUBS@"));
    // A title is a comment, whatever is in it, and markers in it are not replaced.
    assert!(text.contains("#   It's `x` $HOME @NAME@ / 甲 $(rm) '乙'\n"));
    assert!(text.contains("stub_blocks=2 stub_rest=1808"));
}

#[test]
fn every_shell_parses_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = bundle(folder.path(), "x.run", "x86_64", STUB);
    let text = fs::read(&file).unwrap();
    let end = text.windows(8).position(|window| window == b"\nexit 1\n").unwrap() + 8;
    let script = folder.path().join("script.sh");
    fs::write(&script, &text[..end]).unwrap();
    for shell in shells() {
        let output = Command::new(shell[0]).args(&shell[1..]).arg("-n").arg(&script).output().unwrap();
        assert!(output.status.success(), "{shell:?}: {}", stderr(&output));
    }
}

#[test]
fn the_stub_is_run_with_the_arguments_and_the_callers_umask() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("with space");
    fs::create_dir(&inner).unwrap();
    let place = tempfile::tempdir().unwrap();
    let file = bundle(&inner, "x y.run", &machine(), STUB);
    let env = [("AIRLIFT_TMPDIR", place.path().to_str().unwrap())];
    for shell in shells() {
        for (name, cwd) in [
            (file.to_str().unwrap(), "/"),
            ("x y.run", inner.to_str().unwrap()),
            ("./with space/x y.run", folder.path().to_str().unwrap()),
        ] {
            let output = run(&shell, name, Path::new(cwd), &env);
            assert_eq!(output.status.code(), Some(42), "{shell:?} {name}: {}", stderr(&output));
            let said = String::from_utf8(output.stdout).unwrap();
            let (bundle, rest) = said.trim().split_once('|').unwrap();
            assert_eq!(fs::canonicalize(bundle).unwrap(), fs::canonicalize(&file).unwrap());
            assert!(
                bundle.starts_with('/') && rest.ends_with("|install a b") && !rest.starts_with("0077"),
                "{said}"
            );
            assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "{shell:?} left something behind");
        }
    }
    let direct = Command::new(&file).arg("x").env("AIRLIFT_TMPDIR", place.path()).output().unwrap();
    assert_eq!(direct.status.code(), Some(42), "{}", stderr(&direct));
}

#[test]
fn a_shortened_file_is_named_as_such_in_both_languages() {
    let folder = tempfile::tempdir().unwrap();
    let file = bundle(folder.path(), "x.run", &machine(), STUB);
    let len = fs::metadata(&file).unwrap().len();
    fs::File::options().write(true).open(&file).unwrap().set_len(len - 7).unwrap();
    for shell in shells() {
        let output = run(&shell, "x.run", folder.path(), &[]);
        assert_eq!(output.status.code(), Some(5));
        let message = stderr(&output);
        assert!(
            message.contains(&format!("has {} bytes and should have {len}", len - 7))
                && message.contains("Copy the file again"),
            "{message}"
        );
        let chinese = stderr(&run(&shell, "x.run", folder.path(), &[("LANG", "zh_CN.UTF-8")]));
        assert!(chinese.contains("请重新复制该文件"), "{chinese}");
        // Who asks for a language gets it, wherever.
        let asked = |words: &[&str], lang: &str| {
            let mut command = Command::new(shell[0]);
            command.args(&shell[1..]).arg("x.run").args(words).current_dir(folder.path()).env("LANG", lang);
            stderr(&command.output().unwrap())
        };
        for words in [&["install", "--lang", "zh"][..], &["--lang=zh", "verify"]] {
            assert!(asked(words, "C.UTF-8").contains("请重新复制该文件"), "{words:?}");
        }
        assert!(asked(&["--lang", "en"], "zh_CN.UTF-8").contains("Copy the file again"));
        for env in [[("LANG", "zh_CN.UTF-8"), ("TERM", "linux")], [("LANG", "zh_CN.GBK"), ("TERM", "xterm")]]
        {
            assert!(
                stderr(&run(&shell, "x.run", folder.path(), &env)).contains("Copy the file again"),
                "{env:?}"
            );
        }
    }
}

#[test]
fn another_machine_is_told_what_the_file_is_for() {
    let folder = tempfile::tempdir().unwrap();
    bundle(folder.path(), "x.run", "riscv128", STUB);
    let output = run(&["sh"], "x.run", folder.path(), &[]);
    assert_eq!(output.status.code(), Some(4));
    assert!(stderr(&output).contains("this file is for riscv128"), "{}", stderr(&output));
}

#[test]
fn a_damaged_stub_is_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = bundle(folder.path(), "x.run", &machine(), STUB);
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.windows(7).rposition(|window| window == b"exit 42").unwrap();
    bytes[at + 5] ^= 1;
    fs::write(&file, bytes).unwrap();
    let output = run(&["sh"], "x.run", folder.path(), &[]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert!(stderr(&output).contains("installer program in this file is damaged"));
}

#[test]
fn places_that_cannot_execute_are_passed_over_and_cleared() {
    let folder = tempfile::tempdir().unwrap();
    let place = tempfile::tempdir().unwrap();
    // A stub that refuses its probe looks like one on a file system that is mounted noexec.
    bundle(folder.path(), "x.run", &machine(), "#!/bin/sh\nexit 126\n");
    let output = run(&["sh"], "x.run", folder.path(), &[("AIRLIFT_TMPDIR", place.path().to_str().unwrap())]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("AIRLIFT_TMPDIR=/folder"), "{}", stderr(&output));
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    // Only the first place refuses: the next one is taken.
    let choosy = "#!/bin/sh\ncase $0 in *refuses*) exit 126;; esac\n[ \"$1\" = __probe ] && exit 0\nrm -rf \"$AIRLIFT_STUB_DIR\"\nexit 42\n";
    let refuses = place.path().join("refuses");
    fs::create_dir(&refuses).unwrap();
    bundle(folder.path(), "y.run", &machine(), choosy);
    let output = run(&["sh"], "y.run", folder.path(), &[("AIRLIFT_TMPDIR", refuses.to_str().unwrap())]);
    assert_eq!(output.status.code(), Some(42), "{}", stderr(&output));
}

/// A folder of programs: those of this machine that the launcher needs, and some that are made up, also in their place.
fn programs(folder: &Path, made_up: &[(&str, &str)]) -> PathBuf {
    let bin = folder.join("bin");
    let _ = fs::remove_dir_all(&bin);
    fs::create_dir(&bin).unwrap();
    let needed = ["sh", "stat", "uname", "mktemp", "dd", "sha256sum", "chmod", "rm", "id", "ls", "wc", "env"];
    for name in needed {
        std::os::unix::fs::symlink(program(name), bin.join(name)).unwrap();
    }
    for (name, script) in made_up {
        let path = bin.join(name);
        let _ = fs::remove_file(&path);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    bin
}

fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.exists()).unwrap()
}

/// Double-clicks: no terminal anywhere, a display, no arguments; `env` adds to that.
fn click(shell: &[&str], file: &Path, bin: &Path, env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(program(shell[0]));
    command.args(&shell[1..]).arg(file).current_dir("/").env_clear().env("PATH", bin);
    command.envs(env.iter().copied()).stdin(std::process::Stdio::null()).output().unwrap()
}

/// A terminal emulator that only writes down how it was called, and runs what it was given with Enter pressed at the end.
const EMULATOR: &str = r#"echo "${0##*/} $1" >&2
while [ "$1" != sh ]; do shift; done
echo | "$@""#;

#[test]
fn a_double_click_opens_a_terminal_that_stays_and_asks_for_root() {
    for shell in shells() {
        let folder = tempfile::tempdir().unwrap();
        let place = tempfile::tempdir().unwrap();
        let inner = folder.path().join("with space");
        fs::create_dir(&inner).unwrap();
        let file = bundle(&inner, "x 1.run", &machine(), STUB);
        for (name, argument) in [
            ("x-terminal-emulator", "-e"),
            ("gnome-terminal", "--"),
            ("konsole", "-e"),
            ("xfce4-terminal", "-x"),
            ("xterm", "-e"),
        ] {
            let made_up = [
                (name, EMULATOR),
                ("id", "echo 1000"),
                // As sudo does: the environment is not kept, and what was asked for is run.
                (
                    "sudo",
                    "echo \"sudo $*\" >&2; exec env -i PATH=\"$PATH\" AIRLIFT_TMPDIR=\"$AIRLIFT_TMPDIR\" \"$@\"",
                ),
            ];
            let bin = programs(folder.path(), &made_up);
            let env = [("DISPLAY", ":0"), ("AIRLIFT_TMPDIR", place.path().to_str().unwrap())];
            let output = click(&shell, &file, &bin, &env);
            let said = stderr(&output);
            assert!(said.contains(&format!("{name} {argument}\n")), "{shell:?} {name}: {said}");
            assert!(said.contains(&format!("sudo sh {}", file.display())), "{shell:?}: {said}");
            assert!(said.contains("press Enter"), "the window does not stay: {said}");
            let run = String::from_utf8(output.stdout).unwrap();
            assert!(run.contains(&format!("{}|", file.display())) && run.ends_with("|\n"), "{run}");
        }
    }
}

#[test]
fn a_terminal_that_does_not_open_gives_way_to_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let place = tempfile::tempdir().unwrap();
    let file = bundle(folder.path(), "x.run", &machine(), STUB);
    let made_up = [("gnome-terminal", "exit 1"), ("xterm", EMULATOR), ("id", "echo 0")];
    let bin = programs(folder.path(), &made_up);
    let env = [("WAYLAND_DISPLAY", "wayland-0"), ("AIRLIFT_TMPDIR", place.path().to_str().unwrap())];
    let said = stderr(&click(&["sh"], &file, &bin, &env));
    assert!(said.contains("xterm -e\n") && !said.contains("sudo"), "{said}");
}

#[test]
fn without_a_terminal_program_it_says_what_to_type() {
    let folder = tempfile::tempdir().unwrap();
    let file = bundle(folder.path(), "x.run", &machine(), STUB);
    let bin = programs(folder.path(), &[("xmessage", "echo \"window: $*\" >&2")]);
    let output = click(&["sh"], &file, &bin, &[("DISPLAY", ":0"), ("LANG", "zh_CN.UTF-8")]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    let (_, window) = said.split_once("window: -center app: ").expect(&said);
    let line = format!("\nsudo sh {}\n", file.display());
    let sentences = ["无法打开终端窗口", "No terminal window could be opened", &line];
    assert!(sentences.iter().all(|part| window.contains(part)), "{said}");
}

#[test]
fn no_window_opens_for_scripts() {
    let folder = tempfile::tempdir().unwrap();
    let place = tempfile::tempdir().unwrap();
    let file = bundle(folder.path(), "x.run", &machine(), STUB);
    let bin = programs(folder.path(), &[("xterm", "echo WINDOW >&2")]);
    let place = place.path().to_str().unwrap();
    // Without a display, and with arguments.
    let quiet = click(&["sh"], &file, &bin, &[("AIRLIFT_TMPDIR", place)]);
    assert_eq!((quiet.status.code(), stderr(&quiet).contains("WINDOW")), (Some(42), false));
    let mut command = Command::new("sh");
    command.arg(&file).arg("install").env_clear().env("PATH", &bin).env("DISPLAY", ":0");
    let output = command.env("AIRLIFT_TMPDIR", place).stdin(std::process::Stdio::null()).output().unwrap();
    assert_eq!((output.status.code(), stderr(&output).contains("WINDOW")), (Some(42), false));
}
