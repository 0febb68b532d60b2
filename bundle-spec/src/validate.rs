//! Whether a well-formed index is acceptable: no path escapes, no overlapping ranges, no dangling references, no texts
//! that play with a terminal. Reader and writer ask the same question, so nothing is written that would be refused.

use std::collections::{HashMap, HashSet};

use crate::index::{Content, Index};
use crate::layout::{LAUNCHER_MAX_LEN, STRETCH_LEN};
use crate::limits::{LIST_MAX, PROJECT_FILE_MAX, QUESTIONS_MAX, TEXT_MAX, TIMEOUT_MAX};
use crate::path::{COMPOSE_PATH, ENGINE_DIR, PROGRAM_DIR};
use crate::project::{Action, Localized};
use crate::question::builtin;
use crate::text::is_hostile;

mod certificate;
mod question;

pub use self::certificate::certificate_order;
pub use self::question::{RESERVED_IDS, condition, question, questions, value};

/// Checks an index whose payload ends at `index_offset`.
///
/// # Errors
/// The first thing that is not acceptable, in words.
pub fn index(index: &Index, index_offset: u64) -> Result<(), String> {
    features(&index.content.features)?;
    places(index, index_offset)?;
    content(&index.content)?;
    let known: HashMap<_, _> = index.place.blobs.iter().map(|blob| (blob.digest, blob.len)).collect();
    if let Some(digest) = index.content.references().find(|digest| !known.contains_key(digest)) {
        return Err(format!("refers to blob {digest}, which is not there"));
    }
    let stated = index.content.images.iter().flat_map(|image| {
        let layers = image.layers.iter().map(|layer| (layer.blob, layer.stored_len));
        layers.chain([(image.manifest, image.manifest_len)])
    });
    match stated.into_iter().find(|(digest, len)| known.get(digest) != Some(len)) {
        Some((digest, len)) => Err(format!("says that blob {digest} has {len} bytes, which it has not")),
        None => Ok(()),
    }
}

/// Refuses what this build does not know.
///
/// # Errors
/// The first unknown feature, in words.
pub fn features(features: &[String]) -> Result<(), String> {
    match features.iter().find(|feature| !crate::feature::KNOWN.contains(&feature.as_str())) {
        Some(feature) => Err(format!("needs `{}`, which this version does not know", feature.escape_debug())),
        None => Ok(()),
    }
}

fn places(index: &Index, index_offset: u64) -> Result<(), String> {
    let place = &index.place;
    if place.blobs.len() > LIST_MAX || place.stubs.len() > 16 {
        return Err("too many entries".to_owned());
    }
    let stubs = place.stubs.iter().map(|stub| (stub.offset, stub.len));
    let blobs = place.blobs.iter().map(|blob| (blob.offset, blob.len));
    place.stubs.iter().try_for_each(|stub| text(&stub.arch))?;
    if place.launcher_len > (LAUNCHER_MAX_LEN as u64).min(index_offset) {
        return Err("the launcher is too long".to_owned());
    }
    let mut end = place.launcher_len;
    for (offset, len) in stubs.chain(blobs) {
        if offset < end {
            return Err(format!("the range at {offset} overlaps the one before it"));
        }
        end = offset
            .checked_add(len)
            .filter(|end| *end <= index_offset)
            .ok_or("a range lies outside the file")?;
    }
    if place.stretches.len() as u64 != index_offset.div_ceil(STRETCH_LEN) {
        return Err("the number of stretch digests does not fit the length".to_owned());
    }
    let unique: HashSet<_> = place.blobs.iter().map(|blob| blob.digest).collect();
    if unique.len() == place.blobs.len() { Ok(()) } else { Err("a blob is stored twice".to_owned()) }
}

/// Checks what the packer decided, apart from where it lies.
///
/// # Errors
/// The first thing that is not acceptable, in words.
pub fn content(content: &Content) -> Result<(), String> {
    let project = &content.project;
    lists(content)?;
    name(&content.app.name)?;
    name(&project.name)?;
    version(&content.app.version)?;
    localized(&content.app.title)?;
    content.app.vendor.iter().try_for_each(|vendor| text(vendor))?;
    text(&content.packed_by)?;
    text(&content.requirements.arch)?;
    content.requirements.kernel.iter().try_for_each(|kernel| text(kernel))?;
    content.requirements.cpu.iter().try_for_each(|feature| cpu(feature))?;
    content.requirements.sysctls.iter().try_for_each(|setting| sysctl(setting))?;
    content.engine.iter().filter_map(|engine| engine.version.as_deref()).try_for_each(text)?;
    content.images.iter().try_for_each(|image| text(&image.platform))?;
    paths(content)?;
    sizes(content)?;
    if content.images.iter().any(|image| image.layers.is_empty() || image.layers.len() > 127) {
        return Err("an image has no layers, or more than 127".to_owned());
    }
    unique(content.images.iter().map(|image| image.reference.as_str()), "image")?;
    questions(content)?;
    certificate::tls(content)?;
    unique(content.actions.iter().map(|action| action.name.as_str()), "action")?;
    content.actions.iter().try_for_each(|action| self::action(action, content))?;
    if let Some(feature) =
        crate::feature::needed_by(content).into_iter().find(|feature| !content.features.contains(feature))
    {
        return Err(format!("uses `{feature}` and does not say so among its features"));
    }
    placeholders(content)
}

/// Whether an answer to `id` can be had: a vendor's question, or one of ours.
fn is_known(content: &Content, id: &str) -> bool {
    builtin::ALL.contains(&id) || content.questions.iter().any(|question| question.id.as_str() == id)
}

/// Checks one action.
///
/// # Errors
/// What is not acceptable, in words.
pub fn action(action: &Action, content: &Content) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("action `{}`: {what}", action.name));
    name(&action.name)?;
    action.title.iter().try_for_each(localized)?;
    text(&action.service)?;
    action.user.iter().try_for_each(|user| text(user))?;
    action.command.iter().try_for_each(|word| text(word))?;
    if action.command.is_empty() {
        return wrong("there is no command");
    }
    if action.timeout == 0 || action.timeout > TIMEOUT_MAX {
        return wrong("the timeout is nothing, or longer than a day");
    }
    if !action.env.keys().all(|name| is_env_name(name)) {
        return wrong("env has a name that is no variable name");
    }
    match action.env.values().chain(&action.stdin).find(|id| !is_known(content, id.as_str())) {
        Some(id) => wrong(&format!("it names `{id}`, which is no question")),
        None => Ok(()),
    }
}

fn lists(content: &Content) -> Result<(), String> {
    let project = &content.project;
    let lengths = [
        content.images.len(),
        content.questions.len(),
        content.values.len(),
        content.actions.len(),
        content.checks.len(),
        content.public_ports.len(),
        content.links.len(),
        content.requirements.ports.len(),
        content.requirements.cpu.len(),
        content.requirements.sysctls.len(),
        project.directories.len(),
        project.files.len(),
        project.profiles.len(),
        project.services.len(),
        project.footprint.container_names.len(),
        project.footprint.subnets.len(),
    ];
    let worked_on = [content.questions.len(), content.values.len(), content.actions.len()];
    if worked_on.into_iter().any(|len| len > QUESTIONS_MAX) {
        return Err("too many questions, values or actions".to_owned());
    }
    let choices = content.questions.iter().map(|question| question.choices.len());
    if lengths.into_iter().chain(choices).any(|len| len > LIST_MAX) {
        return Err("too many entries".to_owned());
    }
    let footprint = &project.footprint;
    for list in [&project.profiles, &project.services, &footprint.container_names, &footprint.subnets] {
        list.iter().try_for_each(|item| text(item))?;
    }
    Ok(())
}

/// Files and directories do not get in each other's way, nor in Airlift's own.
fn paths(content: &Content) -> Result<(), String> {
    let project = &content.project;
    let certificates = || content.tls.iter().flat_map(|tls| [tls.certificate.as_str(), tls.key.as_str()]);
    let packed = project.files.iter().map(|file| file.path.as_str());
    let files: HashSet<_> = packed.chain(certificates()).collect();
    if files.len() != project.files.len() + certificates().count() {
        return Err("a project file is there twice".to_owned());
    }
    if !files.contains(project.compose_file.as_str()) {
        return Err(format!("the Compose file {} is not among the project files", project.compose_file));
    }
    let directories = project.directories.iter().map(|directory| directory.path.as_str());
    if let Some(path) = directories.clone().find(|path| files.contains(path)) {
        return Err(format!("{path} is both a file and a directory"));
    }
    // Who may write to a directory can replace what root runs from it.
    if let Some(path) = directories.clone().find(|path| *path == PROGRAM_DIR) {
        return Err(format!("the directory {path} is for Airlift's own programs"));
    }
    let control = format!("{PROGRAM_DIR}/{}ctl", content.app.name);
    let own = [control.as_str(), COMPOSE_PATH];
    for path in files.iter().copied().chain(directories) {
        if path.split('/').next() == Some(".env") {
            return Err("the project has a .env, which Airlift writes itself".to_owned());
        }
        if path.split('/').next() == Some(ENGINE_DIR) || own.contains(&path) {
            return Err(format!("{path} is the place of something that Airlift brings"));
        }
        let mut parents = path.match_indices('/').map(|(at, _)| &path[..at]);
        if let Some(parent) = parents.find(|parent| files.contains(parent)) {
            return Err(format!("{path} lies below {parent}, which is a file"));
        }
    }
    let modes =
        project.files.iter().map(|file| file.mode).chain(project.directories.iter().map(|dir| dir.mode));
    if modes.into_iter().any(|mode| mode > 0o777) {
        return Err("a mode has bits beyond 0777".to_owned());
    }
    Ok(())
}

/// No sum of sizes overflows, so that whoever adds some of them up need not think of it.
fn sizes(content: &Content) -> Result<(), String> {
    let images = content.images.iter().flat_map(|image| {
        let layers = image
            .layers
            .iter()
            .flat_map(|layer| [layer.tar_len, layer.unpacked_len, layer.entries, layer.stored_len]);
        layers.chain([image.manifest_len])
    });
    let engine = content.engine.iter().flat_map(|engine| [engine.archive_unpacked_len, engine.compose_len]);
    let files = content.project.files.iter().map(|file| file.len);
    if let Some(file) = content.project.files.iter().find(|file| file.len > PROJECT_FILE_MAX) {
        return Err(format!("{} has {} bytes, more than a project file may have", file.path, file.len));
    }
    let required = [content.requirements.disk, content.requirements.memory].into_iter().flatten();
    // Far below u64's end, so that there is room for whatever is added to the sum.
    let limit = u64::MAX / 1024;
    let mut all = images.chain(engine).chain(files).chain(required);
    match all.try_fold(0_u64, |sum, size| sum.checked_add(size).filter(|sum| *sum <= limit)) {
        Some(_) => Ok(()),
        None => Err("the sizes are beyond measure".to_owned()),
    }
}

fn unique<'a>(items: impl Iterator<Item = &'a str>, what: &str) -> Result<(), String> {
    let mut seen = HashSet::new();
    items.into_iter().try_for_each(|item| {
        if seen.insert(item) { Ok(()) } else { Err(format!("{what} `{item}` is there twice")) }
    })
}

fn placeholders(content: &Content) -> Result<(), String> {
    // A URL is shown, logged and sent: no place for a secret.
    let shown = content.questions.iter().filter(|question| !question.is_secret());
    let values = content.values.iter().filter(|value| !question::is_secret(content, value));
    let ids = shown.map(|question| question.id.as_str()).chain(values.map(|value| value.id.as_str()));
    let ids: HashSet<_> = ids.collect();
    let known = |id: &str| ids.contains(id).then(|| "1".to_owned());
    let checks = content.checks.iter().map(|check| &check.url);
    let links = content.links.iter().map(|link| &link.url);
    let ports = || content.requirements.ports.iter().chain(&content.public_ports);
    for template in checks.chain(links).chain(ports()) {
        text(template)?;
        crate::placeholder::expand(template, known).map_err(|id| {
            format!("`{template}` names `{id}`, which is no question, or one whose answer is secret")
        })?;
    }
    for port in ports() {
        let is_port =
            crate::placeholder::expand(port, known).is_ok_and(|p| p.parse::<u16>().is_ok_and(|p| p > 0));
        if !is_port {
            return Err(format!("`{port}` is neither a port nor a question's placeholder"));
        }
    }
    for link in &content.links {
        localized(&link.title)?;
    }
    for check in &content.checks {
        text(&check.name)?;
        check.title.iter().try_for_each(localized)?;
        if let Some(contains) = &check.contains {
            text(contains)?;
            crate::placeholder::expand_ids(contains, known).map_err(|id| {
                format!(
                    "check `{}`: contains names `{id}`, which is no question, or one whose answer is secret",
                    check.name
                )
            })?;
        }
        if check.timeout > TIMEOUT_MAX {
            return Err(format!("check `{}`: the timeout is longer than a day", check.name));
        }
        if !check.url.starts_with("http://") {
            return Err(format!("check `{}`: only http:// URLs can be checked", check.name));
        }
    }
    Ok(())
}

/// A machine name: lower-case letters, digits and `-`, 1 to 48 characters, starting with a letter or digit.
///
/// # Errors
/// When it is something else.
pub fn name(name: &str) -> Result<(), String> {
    let chars_ok = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if chars_ok && name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.len() <= 48 {
        Ok(())
    } else {
        Err(format!(
            "`{}` is not a name (lower-case letters, digits and -, at most 48, not starting with -)",
            name.escape_debug()
        ))
    }
}

/// A level of x86-64, or the name of a processor's feature.
///
/// # Errors
/// When it is something else.
pub fn cpu(feature: &str) -> Result<(), String> {
    let is_level = feature.strip_prefix("x86-64-v").is_some_and(|level| ["2", "3", "4"].contains(&level));
    let is_flag = feature.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if is_level || is_flag && !feature.is_empty() && feature.len() <= 32 {
        Ok(())
    } else {
        Err(format!(
            "`{}` is neither x86-64-v2, -v3 or -v4 nor a flag of /proc/cpuinfo such as avx2",
            feature.escape_debug()
        ))
    }
}

/// A kernel setting with the least that it must be.
///
/// # Errors
/// When it is something else.
pub fn sysctl(setting: &str) -> Result<(), String> {
    crate::project::setting(setting).map(drop).ok_or_else(|| {
        format!(
            "`{}` is not a kernel setting; write for instance \"vm.max_map_count=262144\"",
            setting.escape_debug()
        )
    })
}

/// A version: what may stand in a file name.
///
/// # Errors
/// When it is something else.
pub fn version(version: &str) -> Result<(), String> {
    let chars_ok = version.chars().all(|c| c.is_ascii_alphanumeric() || ".-+_".contains(c));
    if chars_ok && !version.is_empty() && version.len() <= 64 && !version.starts_with(['.', '-']) {
        Ok(())
    } else {
        Err(format!("`{}` is not a version (letters, digits and .-+_)", version.escape_debug()))
    }
}

/// Whether `name` can be the name of an environment variable.
#[must_use]
pub fn is_env_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Checks a text in both languages.
///
/// # Errors
/// What is not acceptable, in words.
pub fn localized(localized: &Localized) -> Result<(), String> {
    text(&localized.zh)?;
    text(&localized.en)
}

/// No control characters and no bidirectional overrides: a title must not be able to rewrite the operator's screen.
///
/// # Errors
/// What is not acceptable, in words.
pub fn text(text: &str) -> Result<(), String> {
    if text.chars().any(is_hostile) || text.chars().count() > TEXT_MAX {
        return Err(format!(
            "a text is too long or has control characters: `{}`",
            text.escape_debug().take(80).collect::<String>()
        ));
    }
    Ok(())
}
