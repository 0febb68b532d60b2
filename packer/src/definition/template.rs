//! The definition that `airlift init` writes: complete, valid, and with a comment where a person has to think.

mod services;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bundle_spec::question::QuestionId;

use crate::compose::outline::{Published, Service};
use crate::compose::variables::Variable;

const FILES: &str = r#"
# Files that the services mount or read. The Compose file is packed anyway, .env never.
"#;

const NO_FILES: &str = r#"# [[file]]
# include = ["nginx/**"]
# exclude = ["**/*.bak"]
"#;

const NO_FOLDERS: &str = r#"# [[directory]]
# path = "data"
# mode = "0755"
# owner = "1000:1000"
"#;

const ENGINE: &str = r#"
# The engine to carry, for hosts without Docker:
# [engine]
# docker = { url = "https://download.docker.com/linux/static/stable/x86_64/docker-NN.N.N.tgz", sha256 = "..." }
# compose = { url = "https://github.com/docker/compose/releases/download/vN.N.N/docker-compose-linux-x86_64", sha256 = "..." }

"#;

/// Something in the project that a service mounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Its path in the project, or a glob for what is in it.
    pub path: String,
    /// What becomes of it.
    pub kind: MountKind,
}

/// What becomes of something that a service mounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountKind {
    /// A folder to be made on the machine: it has no content here.
    Folder,
    /// A file, by its name, that is not here.
    MissingFile,
    /// Content that belongs into the bundle.
    Packed,
}

/// Renders a definition for a project in `folder` with these variables and mounts.
pub fn render(
    folder: &str,
    compose_file: &str,
    variables: &BTreeMap<String, Variable>,
    mounts: &[Mount],
    services: &[Service],
) -> String {
    let name = machine_name(folder);
    let mut text = format!(
        "# What goes into the installer file, and what the customer is asked. All keys: docs/definition.md\n\n\
         [app]\nname = \"{name}\"    # names the folder on the host and the command {name}ctl\n\
         version = \"1.0.0\"\ntitle = {{ zh = \"{name}\", en = \"{name}\" }}\n\n\
         [compose]\nfile = {}\n{}{FILES}",
        quoted(compose_file),
        services::images(services, compose_file)
    );
    let list = |kind| mounts.iter().filter(move |mount| mount.kind == kind);
    let files: Vec<_> = list(MountKind::Packed).map(|mount| quoted(&mount.path)).collect();
    if files.is_empty() {
        text.push_str(NO_FILES);
    } else {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "[[file]]\ninclude = [{}]\nexclude = []", files.join(", "));
    }
    for mount in list(MountKind::MissingFile) {
        let path = &mount.path;
        let _ = writeln!(text, "# {path} is mounted and not here: put it there, and add it to `include`.");
    }
    text.push_str("\n# Folders that are made before the start, for the user that the container runs as.\n");
    if list(MountKind::Folder).next().is_none() {
        text.push_str(NO_FOLDERS);
    }
    for mount in list(MountKind::Folder) {
        let path = quoted(&mount.path);
        let _ = writeln!(text, "[[directory]]\npath = {path}\nmode = \"0755\"\nowner = \"0:0\"\n");
    }
    text.push_str(ENGINE);
    let ports: Vec<_> =
        services.iter().flat_map(|service| &service.ports).map(|port| &port.published).collect();
    for (variable, found) in variables {
        let is_port = ports.contains(&&Published::Variable(variable.clone()));
        question(&mut text, variable, found, is_port);
    }
    text.push_str(&services::host(services, compose_file));
    text
}

/// The id of the question that sets a variable, if its name gives one.
fn question_id(variable: &str) -> Option<String> {
    let id = variable.to_ascii_lowercase();
    let id = id.trim_start_matches(|c: char| !c.is_ascii_lowercase());
    QuestionId::parse(id).is_ok().then(|| id.to_owned())
}

/// `is_port` is whether the variable is published as a port.
fn question(text: &mut String, variable: &str, found: &Variable, is_port: bool) {
    let Some(id) = question_id(variable) else {
        let _ = writeln!(text, "# The variable {variable} needs a [[question]] with an id of its own.\n");
        return;
    };
    let default = found.default.as_deref().filter(|default| !default.contains('$'));
    let kind = if is_port && may_be_port(default.unwrap_or_default()) { "port" } else { kind(&id, default) };
    let _ = writeln!(text, "[[question]]\nid = \"{id}\"\nenv = \"{variable}\"\nkind = \"{kind}\"");
    let _ =
        writeln!(text, "prompt = {{ zh = \"{variable}\", en = \"{variable}\" }}   # what the operator reads");
    match default {
        Some("") => text.push_str("required = false\n"),
        Some(default) => {
            let _ = writeln!(text, "default = {}", quoted(default));
        }
        None if kind == "secret" => text.push_str("generate = { format = \"hex\", bytes = 32 }\n"),
        None => {}
    }
    text.push('\n');
}

/// Endings of names that mean a password, and of those that mean another secret.
const PASSWORDS: [&str; 6] = ["password", "passwd", "passphrase", "pass", "pwd", "pw"];
const SECRETS: [&str; 6] = ["secret", "token", "key", "apikey", "credential", "credentials"];

/// Endings of names that only say something about a secret: `TOKEN_FILE`, `SECRET_NAME`.
const ABOUT: [&str; 8] = ["dir", "file", "host", "name", "path", "port", "url", "user"];

/// A guess from name and default; a person looks at it anyway. In doubt it is a secret: what is masked for nothing does
/// less harm than what is shown.
fn kind(id: &str, default: Option<&str>) -> &'static str {
    let default = default.unwrap_or_default();
    let last = id.rsplit('_').next().unwrap_or(id);
    let is_plain = default.parse::<i64>().is_ok() || matches!(default, "true" | "false");
    let mentions = |words: &[&str]| {
        let within = id.split('_').any(|part| words.contains(&part));
        words.contains(&last) || (within && !ABOUT.contains(&last) && !is_plain)
    };
    // Written together: DBPASSWORD, APITOKEN.
    let ends = |words: &[&str]| words.iter().any(|word| word.len() > 4 && last.ends_with(word));
    if mentions(&PASSWORDS) || ends(&PASSWORDS) {
        "password"
    } else if mentions(&SECRETS) || ends(&SECRETS) {
        "secret"
    } else if last == "port" && may_be_port(default) {
        "port"
    } else if default.starts_with("http://") || default.starts_with("https://") {
        "url"
    } else if matches!(default, "true" | "false") {
        "bool"
    } else if default.parse::<i64>().is_ok() {
        "integer"
    } else {
        "text"
    }
}

fn may_be_port(default: &str) -> bool {
    default.is_empty() || default.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Sources of short-form bind mounts, `- ./path:/where`.
pub fn mounted(compose: &str) -> Vec<String> {
    let source = |line: &str| {
        let item = line.trim().strip_prefix("- ")?.trim_start_matches(['"', '\'']);
        let path = item.strip_prefix("./")?.split(':').next()?;
        (item.contains(':') && !path.is_empty() && !path.contains('$'))
            .then(|| path.trim_end_matches('/').to_owned())
    };
    let mut paths: Vec<_> = compose.lines().filter_map(source).collect();
    paths.sort();
    paths.dedup();
    paths
}

/// A folder's name as the name of an application.
fn machine_name(folder: &str) -> String {
    let name: String = folder
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' })
        .collect();
    let name: String = name.trim_matches('-').chars().take(48).collect();
    if name.is_empty() { "app".to_owned() } else { name }
}

fn quoted(text: &str) -> String {
    let escaped: String =
        text.chars().flat_map(|c| if matches!(c, '"' | '\\') { vec!['\\', c] } else { vec![c] }).collect();
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::MountKind;
    use crate::compose::{outline, variables};
    use crate::definition;

    #[test]
    fn what_init_writes_is_a_valid_definition() {
        let compose = "services:\n  web:\n    image: web:${TAG:-1}\n    volumes: \n      - ./nginx/default.conf:/etc/x:ro\n      - \"./db/:/db\"\n    environment:\n      K: ${SECRET_KEY:?}\n      P: ${HTTP_PORT:-80}\n      U: \"${LLM_API_URL:-http://h}\"\n      E: ${EMPTY:-}\n      1: ${_}\n";
        let mounts: Vec<_> = super::mounted(compose)
            .into_iter()
            .map(|path| {
                let kind = if path.contains("nginx") { MountKind::Packed } else { MountKind::Folder };
                super::Mount { kind, path }
            })
            .collect();
        let services = outline::services(compose);
        let text = super::render("My App", "docker-compose.yml", &variables::of(compose), &mounts, &services);
        let definition = definition::parse(&text).unwrap();
        assert_eq!(definition.app.name, "my-app");
        assert_eq!(definition.files[0].include, ["nginx/default.conf"]);
        assert_eq!(definition.directories[0].path.as_str(), "db");
        let bare = super::render("", "compose.yaml", &variables::of(""), &[], &[]);
        assert!(definition::parse(&bare).is_ok_and(|bare| bare.app.name == "app"));
        let kinds: Vec<_> = definition.questions.iter().map(|q| (q.id.as_str(), q.required)).collect();
        assert_eq!(
            kinds,
            [
                ("empty", false),
                ("http_port", true),
                ("llm_api_url", true),
                ("secret_key", true),
                ("tag", true)
            ]
        );
    }

    #[test]
    fn what_a_name_says_is_secret_is_masked() {
        for name in ["admin_pw", "db_pass", "pwd", "root_passwd", "user_password_2", "dbpassword"] {
            assert_eq!(super::kind(name, None), "password", "{name}");
        }
        for name in ["api_token", "secret", "secret_key", "aws_credential", "key", "access_key_id", "apikey"]
        {
            assert_eq!(super::kind(name, None), "secret", "{name}");
        }
        assert_eq!(super::kind("admin_pw", Some("123456")), "password");
        assert_eq!(super::kind("token_minutes", Some("60")), "integer");
        assert_eq!(super::kind("secret_file", None), "text");
        assert_eq!(super::kind("token_url", Some("https://h")), "url");
        for name in ["compass", "keyboard", "monkey", "power", "password_path"] {
            assert_eq!(super::kind(name, None), "text", "{name}");
        }
    }

    /// What `init` writes about these services, and that it is valid.
    fn written(compose: &str) -> String {
        let (variables, services) = (variables::of(compose), outline::services(compose));
        let text = super::render("app", "compose.yaml", &variables, &[], &services);
        assert!(definition::parse(&text).is_ok(), "{text}");
        text
    }

    #[test]
    fn images_and_ports_are_those_of_the_compose_file() {
        let text = written(
            "services:\n  web:\n    image: nginx:1.25\n    ports: [\"8080:80\", \"127.0.0.1:9000:9000\"]\n  api:\n    image: reg/foo\n    ports:\n      - \"${WEB:-3000}:3000\"\n      - 4000-4002:4000-4002\n      - 5000\n  app:\n    image: my/app:2\n    build: .\n  job:\n    build: .\n  dev:\n    image: dev:1\n    profiles: [dev]\n    ports: [6000:6000]\n  tagged:\n    image: t:${TAG:-1}\n  pinned:\n    image: a@sha256:0000000000000000000000000000000000000000000000000000000000000000\n",
        );
        for line in [
            "#   web: nginx:1.25",
            "#   api: reg/foo, which is reg/foo:latest: better give it a version",
            "#   app: my/app:2, to be built before packing: docker compose build app",
            "#   job: is built and has no name: give it `image: NAME:VERSION` in compose.yaml, and build it before packing",
            "#   tagged: t:${TAG:-1}, with the defaults of the questions",
            "# reference = \"nginx:1.25\"",
            "# path = \"images/nginx.tar\"   # docker save, OCI archive, OCI layout",
            "[requirements]",
            "ports = [8080, 9000, \"{web}\"]    # published in compose.yaml",
            "# What api publishes as 4000-4002:4000-4002 belongs there as well.",
            "# What dev publishes as 6000:6000 belongs there as well, once its profile is switched on.",
            "kind = \"port\"",
            "# name = \"web\"",
            "# url = \"http://127.0.0.1:8080/\"",
            "# url = \"http://ADDRESS:8080/\"",
        ] {
            assert!(text.lines().any(|written| written == line), "`{line}` is missing in:\n{text}");
        }
        assert!(
            text.contains("#   pinned: a@sha256:") && text.contains("cannot be packed: give it a tag alone")
        );
        assert!(!text.contains(":5000") && !text.contains("[5000"), "{text}");
    }

    #[test]
    fn what_the_compose_file_does_not_say_is_left_to_a_person() {
        for compose in
            ["", "services: {web: {image: a}}", "services:\n  web:\n    image: a:1\n    ports: [80/udp]\n"]
        {
            let text = written(compose);
            assert!(text.contains("# [requirements]\n# ports = [PORT]"), "{text}");
            assert!(text.contains("# url = \"http://127.0.0.1:PORT/\""), "{text}");
            assert!(text.contains("# url = \"http://ADDRESS:PORT/\""), "{text}");
        }
        assert!(written("").contains("# reference = \"NAME:VERSION\""));
        // A port of this machine alone is nothing to show people.
        let text = written("services:\n  web:\n    image: a:1\n    ports: [\"127.0.0.1:90:90\"]\n");
        assert!(text.contains("http://127.0.0.1:90/") && text.contains("http://ADDRESS:PORT/"), "{text}");
    }

    #[test]
    fn nothing_is_required_of_a_machine_that_nobody_stated() {
        let text = super::render("x", "compose.yaml", &variables::of(""), &[], &[]);
        let requirements = definition::parse(&text).unwrap().requirements;
        assert_eq!((requirements.cores, requirements.memory, requirements.disk), (None, None, None));
        assert!(requirements.kernel.is_none() && requirements.ports.is_empty());
    }
}
