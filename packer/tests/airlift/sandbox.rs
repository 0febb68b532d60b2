//! A folder with a project in it, and the binary run there in an environment that the machine does not leak into.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

pub const APP: &str = "[app]\nname = \"demo\"\nversion = \"1.0\"\ntitle = { zh = \"演示\", en = \"Demo\" }\n";

pub const COMPOSE: &str = "services:\n  two:\n    image: demo/two:1.0\n  one:\n    image: demo/one:1.0\n";

/// A project of its own. Everything in it is gone at the end.
#[derive(Debug)]
pub struct Sandbox {
    folder: TempDir,
}

/// What a run gave.
#[derive(Debug)]
#[must_use]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self
    }

    /// Ended with this code, and said each of these on stderr.
    pub fn fails(self, code: i32, said: &[&str]) -> Self {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        for part in said {
            assert!(self.err.contains(part), "`{part}` is missing in:\n{}", self.err);
        }
        self
    }
}

impl Sandbox {
    /// A project with a Compose file, and no Docker: its `docker` answers nothing.
    pub fn new() -> Self {
        let sandbox = Self { folder: tempfile::tempdir().unwrap() };
        sandbox.write("docker-compose.yml", COMPOSE);
        sandbox.program("docker", "#!/bin/sh\nexit 1\n");
        sandbox
    }

    /// A path in the project.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// The project's folder.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    /// Puts a program first in the search path.
    pub fn program(&self, name: &str, script: &str) {
        let path = self.tools().join(name);
        fs::create_dir_all(self.tools()).unwrap();
        fs::write(&path, script).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Makes `docker compose config` answer with this JSON.
    pub fn compose_says(&self, json: &str) {
        fs::write(self.tools().join("model.json"), json).unwrap();
        let model = self.tools().join("model.json");
        self.program(
            "docker",
            &format!(
                "#!/bin/sh\ncase \"$*\" in *version) exit 0 ;; esac\ncp .env \"$HOME/env\"\ncat '{}'\n",
                model.display()
            ),
        );
    }

    fn tools(&self) -> PathBuf {
        self.folder.path().join("tools")
    }

    /// The `.env` that Compose was asked with.
    pub fn env_seen(&self) -> String {
        fs::read_to_string(self.folder.path().join("env")).unwrap()
    }

    /// Runs `airlift` in the project.
    pub fn airlift(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_airlift"));
        self.run(command.args(args))
    }

    /// Runs `airlift` where no file may become longer than this.
    pub fn airlift_limited(&self, blocks: u32, args: &[&str]) -> Ran {
        let mut command = Command::new("sh");
        // Without the signal, what is too long fails as a write.
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        self.run(command.args(["-c", &script, env!("CARGO_BIN_EXE_airlift")]).args(args))
    }

    /// Runs `airlift` where no process gets more memory of its own than this, in kilobytes: heap, and stacks of its threads. The
    /// address space would be too coarse a measure: most of it is the program's file, and room that is only reserved.
    pub fn airlift_in_memory(&self, kilobytes: u32, args: &[&str]) -> Ran {
        let mut command = Command::new("sh");
        let script = format!("ulimit -d {kilobytes}; exec \"$0\" \"$@\"");
        self.run(command.args(["-c", &script, env!("CARGO_BIN_EXE_airlift")]).args(args))
    }

    fn run(&self, command: &mut Command) -> Ran {
        let path = format!("{}:/usr/bin:/bin", self.tools().display());
        command.current_dir(self.root()).env_clear().env("PATH", path).env("HOME", self.folder.path());
        ran(command.env("DOCKER_HOST", "unix:///nowhere/docker.sock").output().unwrap())
    }

    /// Names in the project's folder, sorted.
    pub fn names(&self) -> Vec<String> {
        names(&self.root())
    }
}

pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

pub fn ran(output: Output) -> Ran {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}
