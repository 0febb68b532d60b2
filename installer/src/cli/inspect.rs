//! `inspect` and `answers`: what is in the file, as data on standard output.

use super::Session;
use crate::answers::document::{self, Comments};
use crate::answers::schema;
use crate::outcome::Outcome;
use crate::report::data;
use crate::text::{Message, bytes, columns, inspect as text};

pub(super) fn run(session: &Session<'_>) -> Outcome<()> {
    let bundle = session.bundle()?;
    let content = &bundle.bundle.index.content;
    if session.json {
        let mut document = serde_json::to_value(&*bundle.bundle.index).unwrap_or_default();
        document["signer"] = bundle.bundle.signer.as_ref().map_or(serde_json::Value::Null, |signer| {
            serde_json::json!({
                "key": signer.key.base64(),
                "id": signer.key.id(),
                "fingerprint": signer.key.fingerprint(),
                "comment": signer.comment,
            })
        });
        data(&document.to_string());
        return Ok(());
    }
    let lang = session.reporter.lang();
    let app = &content.app;
    let signer = bundle.bundle.signer.as_ref();
    let signer = signer.map_or_else(text::unsigned, |signer| Message::verbatim(signer.key.to_string()));
    let rows = [
        (text::row_application(), text::application(&Message::from(&app.title), &app.version, &app.name)),
        (text::row_file(), text::file(&bundle.path.display(), &bytes(bundle.bundle.trailer.total_len))),
        (text::row_signer(), signer),
    ];
    let images = content.images.iter().enumerate().map(|(position, image)| {
        let unpacked: u64 = image.layers.iter().map(|layer| layer.unpacked_len).sum();
        let label = if position == 0 { text::row_images() } else { Message::verbatim("") };
        (label, text::image(image.reference.as_str(), &image.platform, &bytes(unpacked)))
    });
    let engine = content.engine.as_ref().map(|engine| {
        let version = engine.version.as_deref().unwrap_or("?");
        (text::row_engine(), Message::verbatim(format!("Docker {version}")))
    });
    let rows = rows.into_iter().chain(images).chain(engine);
    let rows: Vec<(String, String)> =
        rows.map(|(label, value)| (label.in_lang(lang).to_owned(), value.in_lang(lang).to_owned())).collect();
    columns::table(&rows, usize::MAX).iter().for_each(|line| data(line));
    Ok(())
}

pub(super) fn answers(session: &Session<'_>) -> Outcome<()> {
    let content = &session.bundle()?.bundle.index.content;
    let lang = session.reporter.lang();
    // Colleagues may read another language than the one who made the file, so both stand in it unless one was asked for.
    let chosen = session.value::<String>(session.verb(), "lang");
    let comments = chosen.map_or(Comments::Both, |_| Comments::In(lang));
    if session.verb().get_flag("schema") {
        data(&schema::render(content, lang));
    } else {
        data(document::template(content, comments).trim_end());
    }
    Ok(())
}
