//! `airlift inspect`: what is in an installer file.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use bundle_spec::index::{Content, Index};
use bundle_spec::question::Question;
use bundle_spec::reader::Bundle;
use serde_json::json;

use crate::bundle_file;
use crate::outcome::{Explain, Outcome};
use crate::quantity::{bytes, counted};
use crate::report;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The installer file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print the whole index as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Outcome<ExitCode> {
    let (_, bundle) = bundle_file::open(&args.file)?;
    if args.json {
        let document = json!({
            "format": bundle.trailer.version,
            "length": bundle.trailer.total_len,
            "signer": bundle.signer.as_ref().map(|signer| json!({
                "key": signer.key.base64(),
                "id": signer.key.id(),
                "fingerprint": signer.key.fingerprint(),
                "comment": signer.comment,
            })),
            "content": bundle.index.content,
            "place": { "stubs": bundle.index.place.stubs, "blobs": bundle.index.place.blobs },
        });
        let text = serde_json::to_string_pretty(&document).explain(|| "cannot write JSON")?;
        report::data(&text)?;
    } else {
        report::data(&text(&bundle))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn text(bundle: &Bundle) -> String {
    let (index, total) = (&bundle.index, bundle.trailer.total_len);
    let content = &index.content;
    let app = &content.app;
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{} {}: {} / {}", app.name, app.version, app.title.en, app.title.zh);
    if let Some(vendor) = &app.vendor {
        let _ = writeln!(text, "vendor        {vendor}");
    }
    let _ = writeln!(text, "file          {}, packed by {}", bytes(total), content.packed_by);
    let signer = bundle.signer.as_ref().map_or_else(|| "nobody".to_owned(), |signer| signer.key.to_string());
    let _ = writeln!(text, "signed by     {signer}");
    let arch: Vec<_> = index.place.stubs.iter().map(|stub| stub.arch.as_str()).collect();
    let _ = writeln!(text, "for           {}", arch.join(", "));
    let _ = writeln!(text, "engine        {}", engine(content));
    let _ = writeln!(text, "services      {}", or_none(&content.project.services.join(", ")));
    let _ = writeln!(text, "images");
    for image in &content.images {
        let stored: u64 =
            image.layers.iter().filter_map(|layer| index.blob(&layer.blob)).map(|blob| blob.len).sum();
        let unpacked: u64 = image.layers.iter().map(|layer| layer.tar_len).sum();
        let _ = writeln!(
            text,
            "  {}  {} packed, {} unpacked, {}, {}",
            image.reference,
            bytes(stored),
            bytes(unpacked),
            counted(image.layers.len(), "layer"),
            image.platform
        );
    }
    let _ = writeln!(text, "questions");
    for question in &content.questions {
        let _ = writeln!(text, "  {}  {}{}", question.id, question.prompt.en, default(question));
    }
    for value in &content.values {
        let _ = writeln!(text, "  {}  = {}", value.id, value.value);
    }
    let _ = writeln!(text, "project files");
    for file in &content.project.files {
        let _ = writeln!(text, "  {:04o} {}  {}", file.mode, file.path, bytes(file.len));
    }
    let _ = writeln!(text, "parts");
    for (part, len) in parts(index, total) {
        let _ = writeln!(text, "  {part:<16}{}", bytes(len));
    }
    text
}

fn engine(content: &Content) -> String {
    match &content.engine {
        Some(engine) => {
            format!("Docker {} with Compose", engine.version.as_deref().unwrap_or("of unknown version"))
        }
        None => "none".to_owned(),
    }
}

fn default(question: &Question) -> String {
    match (&question.default, question.generate.is_some(), question.required) {
        (Some(_), ..) if question.is_secret() => " [has a default]".to_owned(),
        (Some(default), ..) => format!(" [{default}]"),
        (None, true, _) => " [generated]".to_owned(),
        (None, false, true) => " (required)".to_owned(),
        (None, false, false) => String::new(),
    }
}

/// Bytes of the file by what they are for. Shared layers count once.
fn parts(index: &Index, total: u64) -> Vec<(&'static str, u64)> {
    let content = &index.content;
    let len = |digest| index.blob(digest).map_or(0, |blob| blob.len);
    let engine = content.engine.as_ref().map_or(0, |engine| len(&engine.archive) + len(&engine.compose));
    let files = content.project.files.iter().map(|file| len(&file.blob)).sum();
    let stubs = index.place.launcher_len + index.place.stubs.iter().map(|stub| stub.len).sum::<u64>();
    let blobs: u64 = index.place.blobs.iter().map(|blob| blob.len).sum();
    let images = blobs.saturating_sub(engine + files);
    let rest = total.saturating_sub(stubs + blobs);
    vec![
        ("images", images),
        ("engine", engine),
        ("project files", files),
        ("installer", stubs),
        ("index, padding", rest),
    ]
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "not known" } else { text }
}
