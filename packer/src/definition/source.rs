//! Sections that say where things come from: `[[image]]`, `[[file]]`, `[engine]`. Nothing is looked up here.

use std::path::PathBuf;

use bundle_spec::digest::Digest;
use bundle_spec::reference::ImageReference;

use super::document::Table;
use super::{EngineSource, FileRule, ImagePlace, ImageSource, Part, PartPlace};

pub fn image(table: &Table<'_>) -> Option<ImageSource> {
    let reference = table.required("reference", ImageReference::parse);
    let source = table.optional("source", |text| match text {
        "engine" | "archive" => Ok(text.to_owned()),
        other => Err(format!("`{other}` is not a source; write \"engine\" or \"archive\"")),
    });
    let path = table.text("path").map(PathBuf::from);
    let place = match (source.as_deref(), path) {
        (Some("engine"), Some(_)) => {
            table.problem_of("path", "an image from the engine has no path; write source = \"archive\"");
            None
        }
        (Some("archive"), None) => {
            table.problem("an image with source = \"archive\" needs `path`: a docker save tar, OCI archive or OCI layout");
            None
        }
        (_, Some(path)) => Some(ImagePlace::Archive(path)),
        (_, None) => Some(ImagePlace::Engine),
    };
    table.report_unknown();
    Some(ImageSource { reference: reference?, place: place? })
}

pub fn files(table: &Table<'_>) -> FileRule {
    let rule = FileRule {
        include: table.texts("include"),
        exclude: table.texts("exclude"),
        template: table.boolean("template").unwrap_or(false),
        owner: table.optional("owner", crate::quantity::parse_owner),
    };
    if rule.include.is_empty() && table.is_empty_or_missing("include") {
        table.problem("[[file]] needs `include`, a list of globs");
    }
    for (key, globs) in [("include", &rule.include), ("exclude", &rule.exclude)] {
        for glob in globs {
            if let Err(error) = crate::files::glob(glob) {
                table.problem_of(key, error);
            }
        }
    }
    table.report_unknown();
    rule
}

pub fn engine(table: &Table<'_>) -> Option<EngineSource> {
    let read = |key: &'static str| match table.table(key) {
        Some(table) => part(&table),
        None => {
            table.problem(format!("[engine] needs `{key}`: a table with path or url, and sha256"));
            None
        }
    };
    let (docker, compose) = (read("docker"), read("compose"));
    table.report_unknown();
    Some(EngineSource { docker: docker?, compose: compose? })
}

fn part(table: &Table<'_>) -> Option<Part> {
    let path = table.text("path").map(|path| PartPlace::Path(path.into()));
    let url = table.optional("url", |text| match text.split_once("://") {
        Some(("http" | "https", _)) => Ok(PartPlace::Url(text.to_owned())),
        _ => Err(format!("`{text}` is not a URL that begins with http:// or https://")),
    });
    let digest = table.required("sha256", |text| {
        Digest::from_hex(text.strip_prefix("sha256:").unwrap_or(text)).map_err(|_| {
            format!("`{text}` is not a SHA-256 digest; write the 64 hex digits that sha256sum prints, with or without `sha256:` in front")
        })
    });
    let place = match (path, url) {
        (Some(place), None) | (None, Some(place)) => Some(place),
        (None, None) if table.has("url") => None,
        _ => {
            table.problem("write either `path` or `url`");
            None
        }
    };
    table.report_unknown();
    Some(Part { place: place?, digest: Some(digest?) })
}
