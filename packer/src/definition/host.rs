//! Sections about the customer's host: `[[directory]]`, `[requirements]`, `[[check]]`, `[[link]]`.

use bundle_spec::project::{Check, Directory, Link, Requirements};
use bundle_spec::suggest::nearest;
use bundle_spec::{placeholder, validate};

use super::document::Table;
use super::project_path;
use crate::quantity;

/// Longest time that a check may take, in seconds; a reader refuses more.
const TIMEOUT_MAX: u64 = 24 * 3600;

pub fn directory(table: &Table<'_>) -> Option<Directory> {
    let path = table.required("path", project_path);
    let mode = table.optional("mode", quantity::parse_mode);
    let owner = table.optional("owner", quantity::parse_owner);
    table.report_unknown();
    let (uid, gid) = owner.unwrap_or((0, 0));
    Some(Directory { path: path?, mode: mode.unwrap_or(0o755), uid, gid })
}

pub fn requirements(table: Option<Table<'_>>, questions: &[&str]) -> Option<Requirements> {
    let arch = "x86_64".to_owned();
    let Some(table) = table else { return Some(Requirements { arch, ..Requirements::default() }) };
    let cores = table.integer("cores", 1..=4096).and_then(|cores| u32::try_from(cores).ok());
    let memory = table.optional("memory", quantity::parse_size);
    let disk = table.optional("disk", quantity::parse_size);
    let ports = table.texts_or_numbers("ports");
    for port in &ports {
        if let Err(problem) = port_or_placeholder(port, questions) {
            table.problem_of("ports", problem);
        }
    }
    let kernel =
        table.optional(
            "kernel",
            |text| match text.split('.').map(str::parse::<u16>).collect::<Vec<_>>()[..] {
                [Ok(_), Ok(_)] => Ok(text.to_owned()),
                _ => Err(format!("`{text}` is not a kernel version; write for instance \"3.10\"")),
            },
        );
    let arch = table.optional("arch", known_arch).unwrap_or(arch);
    let cpu = texts(&table, "cpu", validate::cpu);
    let sysctls = texts(&table, "sysctls", validate::sysctl);
    table.report_unknown();
    Some(Requirements { cores, memory, disk, ports, kernel, arch, cpu, sysctls })
}

fn texts(table: &Table<'_>, key: &'static str, check: fn(&str) -> Result<(), String>) -> Vec<String> {
    let texts = table.texts(key);
    for problem in texts.iter().filter_map(|text| check(text).err()) {
        table.problem_of(key, problem);
    }
    texts
}

pub fn check(table: &Table<'_>, questions: &[&str]) -> Option<Check> {
    let name = table.required("name", |text| validate::text(text).map(|()| text.to_owned()));
    let title = table.localized("title");
    let url = table.required("url", |url| match url.strip_prefix("http://") {
        Some(_) => template(url, questions),
        None => Err(format!("`{url}`: only http:// URLs can be checked")),
    });
    let status = table.integer("status", 100..=599).and_then(|status| u16::try_from(status).ok());
    let contains = table.optional("contains", |text| {
        validate::text(text)?;
        known_in(text, questions, placeholder::expand_ids(text, |id| known(id, questions)))
    });
    let timeout = table.optional("timeout", |text| match quantity::parse_seconds(text)? {
        seconds if seconds <= TIMEOUT_MAX => Ok(seconds),
        _ => Err(format!("`{text}` is longer than a day")),
    });
    table.report_unknown();
    Some(Check {
        name: name?,
        title,
        url: url?,
        status: status.unwrap_or(200),
        contains,
        timeout: timeout.unwrap_or(60),
    })
}

/// `[firewall]`: the ports that other machines use.
pub fn firewall(table: &Table<'_>, questions: &[&str]) -> Vec<String> {
    let ports = table.texts_or_numbers("ports");
    if ports.is_empty() {
        table.problem("[firewall] needs `ports`: those that other machines use");
    }
    for port in &ports {
        if let Err(problem) = port_or_placeholder(port, questions) {
            table.problem_of("ports", problem);
        }
    }
    table.report_unknown();
    ports
}

pub fn link(table: &Table<'_>, questions: &[&str]) -> Option<Link> {
    let title = table.required_localized("title");
    let url = table.required("url", |url| template(url, questions));
    table.report_unknown();
    Some(Link { title: title?, url: url? })
}

fn known_arch(text: &str) -> Result<String, String> {
    match text {
        "x86_64" | "aarch64" => Ok(text.to_owned()),
        "amd64" => Ok("x86_64".to_owned()),
        "arm64" => Ok("aarch64".to_owned()),
        _ => Err(format!("`{text}` is not an architecture that Airlift knows (x86_64, aarch64)")),
    }
}

/// Checks that every `{placeholder}` names a question.
fn template(text: &str, questions: &[&str]) -> Result<String, String> {
    validate::text(text)?;
    known_in(text, questions, placeholder::expand(text, |id| known(id, questions)))
}

fn known(id: &str, questions: &[&str]) -> Option<String> {
    questions.contains(&id).then(String::new)
}

/// Names the placeholder of a text that is none of a question's.
fn known_in(text: &str, questions: &[&str], expanded: Result<String, String>) -> Result<String, String> {
    expanded.map_err(|id| match nearest(&id, questions.iter().copied()) {
        Some(near) => {
            format!("`{text}` names the question `{id}`, which does not exist: did you mean `{near}`?")
        }
        None => format!("`{text}` names the question `{id}`, which does not exist"),
    })?;
    Ok(text.to_owned())
}

fn port_or_placeholder(text: &str, questions: &[&str]) -> Result<(), String> {
    let number = text.parse::<u16>().is_ok_and(|port| port > 0);
    if number {
        return Ok(());
    }
    if text.starts_with('{') && text.ends_with('}') {
        return template(text, questions).map(|_| ());
    }
    Err(format!(
        "`{text}` is neither a port (1 to 65535) nor a question's placeholder such as \"{{http_port}}\""
    ))
}
