//! A vendor's folder with a small application, and the bundle that the real packer makes of it.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use bundle_spec::digest::Digest;
use bundle_spec::reader::Bundle as Opened;
use serde_json::Value;
use tempfile::TempDir;

use crate::images::{self, Image};
use crate::parts::{self, Suite};
use crate::run::Run;

/// Answers for the application that hold; the port is the test's.
#[must_use]
pub fn answers(port: u16) -> String {
    format!("http_port = {port}\ngreeting = {GREETING:?}\nadmin_password = '{PASSWORD}'\n")
}

/// A text that must arrive in the container as it is.
pub const GREETING: &str = "hello $HOME ${X} # 'one' \"two\" \\ three 你好";

/// A secret that must be seen nowhere.
pub const PASSWORD: &str = r#"s3cret $(id) `id` "quoted" \n # end"#;

const COMPOSE: &str = r#"name: hello

services:
  web:
    image: hello/web:1.0
    network_mode: host
    restart: unless-stopped
    stop_grace_period: 1s
    environment:
      HTTP_PORT: ${HTTP_PORT}
      GREETING: ${GREETING}
      ADMIN_PASSWORD: ${ADMIN_PASSWORD}
      SESSION_KEY: ${SESSION_KEY}
    volumes:
      - ./conf/app.conf:/etc/app.conf:ro
      - ./data:/state
    healthcheck:
      test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:${HTTP_PORT}/health"]
      interval: 1s
      timeout: 3s
      retries: 30

  worker:
    image: hello/worker:1.0
    network_mode: none
    restart: unless-stopped
    stop_grace_period: 1s

  spare:
    image: hello/spare:1.0
    network_mode: none
    restart: unless-stopped
    stop_grace_period: 1s
"#;

const DEFINITION: &str = r#"[app]
name = "hello"
version = "1.0.0"
title = { zh = "你好应用", en = "Hello Application" }
vendor = "Example Ltd."

[[image]]
reference = "hello/web:1.0"
source = "archive"
path = "images.tar"

[[image]]
reference = "hello/worker:1.0"
source = "archive"
path = "images.tar"

[[image]]
reference = "hello/spare:1.0"
source = "archive"
path = "images.tar"

[[file]]
include = ["conf/**"]
exclude = ["conf/*.bak"]

[[question]]
id = "http_port"
env = "HTTP_PORT"
kind = "port"
prompt = { zh = "网页端口", en = "Port of the web page" }
default = "18080"

[[question]]
id = "greeting"
env = "GREETING"
kind = "text"
prompt = { zh = "问候语", en = "Greeting" }

[[question]]
id = "admin_password"
env = "ADMIN_PASSWORD"
kind = "password"
prompt = { zh = "管理员密码", en = "Password of the administrator" }

[[question]]
id = "session_key"
env = "SESSION_KEY"
kind = "secret"
prompt = { zh = "会话密钥", en = "Session key" }
generate = { format = "hex", bytes = 32 }

[[directory]]
path = "data"
mode = "0750"
owner = "1000:1000"

[requirements]
cores = 1
memory = "64 MB"
disk = "10 MB"
ports = ["{http_port}"]
kernel = "3.10"

[firewall]
ports = ["{http_port}", 18443]

[[check]]
name = "health"
url = "http://127.0.0.1:{http_port}/health"
contains = "ok"
timeout = "60s"

[[link]]
title = { zh = "打开网页", en = "Open the page" }
url = "http://127.0.0.1:{http_port}/"
"#;

/// A vendor's folder.
#[derive(Debug)]
pub struct Vendor {
    folder: TempDir,
    images: Vec<Image>,
}

impl Vendor {
    /// A folder with the application, its images small.
    #[must_use]
    pub fn new() -> Self {
        Self::with_noise(100_000)
    }

    /// A folder with the application, its images larger by so many bytes.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn with_noise(size: usize) -> Self {
        Self::of(images::set(size))
    }

    /// A folder with the application, its images these.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn of(images: Vec<Image>) -> Self {
        let vendor = Self { folder: parts::scratch(), images };
        images::save(&vendor.images, &vendor.path("images.tar"));
        vendor.write("docker-compose.yml", COMPOSE);
        vendor.write("airlift.toml", DEFINITION);
        vendor.write("conf/app.conf", "listen = all\n");
        vendor.write("conf/app.conf.bak", "not packed\n");
        vendor
    }

    /// A path in the folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The images of the application.
    #[must_use]
    pub fn images(&self) -> &[Image] {
        &self.images
    }

    /// Writes a file.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Replaces a text in a file; it must be there.
    ///
    /// # Panics
    /// When it is not.
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{name} has no `{from}`");
        self.write(name, text.replace(from, to));
    }

    /// Lets the bundle carry the newest engine.
    ///
    /// # Panics
    /// When the definition cannot be written.
    #[must_use]
    pub fn with_engine(self) -> Self {
        let parts = parts::engine(Suite::Forky);
        let part = |path: PathBuf| {
            format!("{{ path = \"{}\", sha256 = \"{}\" }}", path.display(), parts::sha256(&path))
        };
        let section =
            format!("\n[engine]\ndocker = {}\ncompose = {}\n", part(parts.archive()), part(parts.compose()));
        let definition = fs::read_to_string(self.path("airlift.toml")).unwrap() + &section;
        self.write("airlift.toml", definition);
        self
    }

    /// Runs the packer in the folder. Compose is the one of the newest engine; no engine is at hand.
    pub fn airlift(&self, args: &[&str]) -> Run {
        Run::of(&mut self.command(args))
    }

    fn command(&self, args: &[&str]) -> Command {
        let programs = self.path("programs");
        if !programs.exists() {
            fs::create_dir(&programs).unwrap();
            std::os::unix::fs::symlink(
                parts::engine(Suite::Forky).program("docker"),
                programs.join("docker"),
            )
            .unwrap();
            let plugins = self.path("docker-config/cli-plugins");
            fs::create_dir_all(&plugins).unwrap();
            std::os::unix::fs::symlink(parts::engine(Suite::Forky).compose(), plugins.join("docker-compose"))
                .unwrap();
        }
        let mut command = Command::new(parts::airlift());
        command
            .args(args)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", programs.display()))
            .env("DOCKER_CONFIG", self.path("docker-config"))
            .env("DOCKER_HOST", format!("unix://{}", self.path("no-engine.sock").display()))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("HOME", self.folder.path());
        command
    }

    /// Packs the bundle.
    ///
    /// # Panics
    /// When that fails.
    #[must_use]
    pub fn pack(&self) -> Bundle {
        let path = self.path("hello-1.0.0.run");
        let _ = self.airlift(&["pack", "-o", path.to_str().unwrap()]).done();
        Bundle { path }
    }

    /// The bundle, packed unless one of the same files by the same packer lies below `target/` under this name.
    ///
    /// # Panics
    /// When it cannot be packed.
    #[must_use]
    pub fn pack_once(&self, name: &str) -> Bundle {
        let _lock = parts::lock(name);
        let files =
            ["airlift.toml", "docker-compose.yml", "images.tar"].map(|name| parts::sha256(&self.path(name)));
        let inputs = [files.concat(), parts::sha256(&parts::airlift())];
        let folder = parts::target().join("parts").join(name);
        let short = Digest::of(inputs.concat().as_bytes()).short().to_string();
        let path = folder.join(format!("hello-{short}.run"));
        if !path.exists() {
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).unwrap();
            fs::rename(self.pack().path, &path).unwrap();
        }
        Bundle { path }
    }
}

impl Default for Vendor {
    fn default() -> Self {
        Self::new()
    }
}

/// The application's bundle with the newest engine in it: packed once for each build of the packer, since that takes its time.
///
/// # Panics
/// When it cannot be packed.
#[must_use]
pub fn hello_with_engine() -> Bundle {
    Vendor::with_noise(4 << 20).with_engine().pack_once("hello")
}

/// The same with a certificate, an action, and with what only a whole machine has: every step that there is.
///
/// # Panics
/// When it cannot be packed.
#[must_use]
pub fn hello_with_every_step() -> Bundle {
    let vendor = Vendor::with_noise(4 << 20).with_engine();
    let definition = fs::read_to_string(vendor.path("airlift.toml")).unwrap();
    vendor.write("airlift.toml", definition + EVERY_STEP);
    vendor.pack_once("every-step")
}

/// Answers to it.
#[must_use]
pub fn answers_for_every_step(port: u16) -> String {
    format!("{}tls = \"self-signed\"\nopen_firewall = true\ndocker_group = true\n", answers(port))
}

const EVERY_STEP: &str = r#"
[tls]
certificate = "tls/server.crt"
key = "tls/server.key"
host = "server_host"

[[question]]
id = "server_host"
kind = "host"
prompt = { zh = "主机", en = "Host" }
default = "127.0.0.1"

[[action]]
name = "admin-password"
service = "web"
title = { zh = "设置密码", en = "Set the password" }
command = ["sh", "-c", "cat >/dev/null"]
stdin = "admin_password"
run = "change"
timeout = "20s"
"#;

/// The same with [`images::tall`], for what happens in the middle of loading.
///
/// # Panics
/// When it cannot be packed.
#[must_use]
pub fn tall_with_engine() -> Bundle {
    Vendor::of(images::tall(40 << 20)).with_engine().pack_once("tall")
}

/// A packed bundle.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The file.
    pub path: PathBuf,
}

impl Bundle {
    /// Reads what it says of itself.
    ///
    /// # Panics
    /// When it cannot be read.
    #[must_use]
    pub fn open(&self) -> Opened {
        Opened::open(&mut fs::File::open(&self.path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", self.path.display()))
    }

    /// What `airlift inspect --json` says of it.
    #[must_use]
    pub fn inspect(&self) -> Value {
        let path = self.path.to_str().expect("paths of tests are text");
        Run::of(Command::new(parts::airlift()).args(["inspect", "--json", path])).done().json()
    }

    /// The diff IDs of an image as the bundle has them.
    ///
    /// # Panics
    /// When it has no such image.
    #[must_use]
    pub fn layers(&self, reference: &str) -> Vec<String> {
        let opened = self.open();
        let image = opened.index.content.images.iter().find(|image| image.reference.as_str() == reference);
        let image = image.unwrap_or_else(|| panic!("no {reference}"));
        image.diff_ids().iter().map(Digest::to_string).collect()
    }

    /// Runs it on this machine, with nothing from the environment but a search path.
    #[must_use]
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        command.args(args).env_clear().env("PATH", path).env("HOME", "/root").current_dir("/");
        command
    }

    /// Runs it on this machine.
    pub fn run(&self, args: &[&str]) -> Run {
        Run::of(&mut self.command(args))
    }

    /// A copy of it whose bytes were changed.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn changed(&self, to: &Path, change: impl FnOnce(&mut Vec<u8>)) -> Self {
        let mut bytes = fs::read(&self.path).unwrap();
        change(&mut bytes);
        fs::write(to, bytes).unwrap();
        fs::set_permissions(to, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        Self { path: to.to_owned() }
    }
}

/// A TCP port that nobody uses at the moment.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
