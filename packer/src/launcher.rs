//! The launcher: the shell script that a bundle begins with, rendered for one application and its stubs.
//! What the script does is in `launcher.sh`.

use std::fmt::Write as _;

use bundle_spec::digest::Digest;
use bundle_spec::layout::{ALIGNMENT, LAUNCHER_MAX_LEN, padding};
use bundle_spec::project::App;

const TEMPLATE: &str = include_str!("launcher.sh");

/// One installer stub.
#[derive(Clone, Debug)]
pub struct Stub {
    /// Architecture as `uname -m` says.
    pub arch: String,
    /// The program.
    pub bytes: Vec<u8>,
}

/// Renders the launcher of a bundle in which `stubs` follow it, each at the next multiple of [`ALIGNMENT`].
///
/// # Errors
/// When the launcher becomes longer than readers accept.
pub fn render(app: &App, stubs: &[Stub]) -> Result<Vec<u8>, &'static str> {
    // The script names where the stubs lie, which depends on its own length: the first length that fits is taken.
    let mut len = ALIGNMENT;
    while len <= LAUNCHER_MAX_LEN as u64 - ALIGNMENT {
        let script = script(app, &places(stubs, len));
        if script.len() as u64 <= len {
            let mut bytes = script.into_bytes();
            bytes.resize(usize::try_from(len).unwrap_or(LAUNCHER_MAX_LEN), b'\n');
            return Ok(bytes);
        }
        len += ALIGNMENT;
    }
    Err("the launcher is too long")
}

/// The branches of the script's `case`, for stubs that follow a launcher of `start` bytes.
fn places(stubs: &[Stub], start: u64) -> String {
    let mut offset = start;
    let mut cases = String::new();
    for stub in stubs {
        let len = stub.bytes.len() as u64;
        let digest = Digest::of(&stub.bytes).hex();
        let (block, blocks, rest) = (offset / ALIGNMENT, len / ALIGNMENT, len % ALIGNMENT);
        // Writing to a String cannot fail.
        let _ = writeln!(
            cases,
            "    {}) stub_block={block} stub_blocks={blocks} stub_rest={rest}\n      stub_sha256={digest} ;;",
            stub.arch
        );
        offset += len + padding(offset + len);
    }
    cases.trim_end().to_owned()
}

fn script(app: &App, stubs: &str) -> String {
    let architectures: Vec<_> = stubs
        .lines()
        .filter_map(|line| line.split_once(") stub_block").map(|(arch, _)| arch.trim()))
        .collect();
    let values = [
        ("@STUBS@", stubs.to_owned()),
        ("@ARCHITECTURES_QUOTED@", quoted(&architectures.join(", "))),
        ("@NAME_QUOTED@", quoted(&app.name)),
        ("@NAME@", app.name.clone()),
        ("@VERSION@", app.version.clone()),
        ("@FILE@", file_name(app)),
        ("@TITLE_EN@", app.title.en.clone()),
        ("@TITLE_ZH@", app.title.zh.clone()),
    ];
    let mut rendered = String::with_capacity(TEMPLATE.len() * 2);
    let mut rest = TEMPLATE;
    while let Some(at) = rest.find('@') {
        rendered.push_str(&rest[..at]);
        rest = &rest[at..];
        let marker = values.iter().find(|(marker, _)| rest.starts_with(marker));
        let (skipped, value) = marker.map_or((1, "@"), |(marker, value)| (marker.len(), value.as_str()));
        rendered.push_str(value);
        rest = &rest[skipped..];
    }
    rendered.push_str(rest);
    rendered
}

/// What the file is called unless somebody renames it. The name given with `-o` does not count: it must not change bytes.
pub fn file_name(app: &App) -> String {
    format!("{}-{}.run", app.name, app.version)
}

/// Quotes for the shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests;
