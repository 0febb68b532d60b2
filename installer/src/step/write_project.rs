//! Writes the project: answers first, so that a generated secret is never made twice; then directories, files, `.env`.

use std::collections::BTreeMap;
use std::path::Path;

use bundle_spec::codec;
use bundle_spec::project::ProjectFile;

use super::{Context, start_project};
use crate::event::Event;
use crate::host::below::Folder;
use crate::host::file::{self, Access};
use crate::outcome::{Failure, Outcome};
use crate::project::{env_file, rendered};
use crate::text::{problem as text, progress};

pub(super) fn is_done(context: &Context<'_>) -> bool {
    let layout = &context.plan.layout;
    let Ok(project) = Folder::open(&layout.dir) else { return false };
    let has = |path: &Path, wanted: &[u8]| std::fs::read(path).is_ok_and(|found| found == wanted);
    let files_done = || {
        context.content.project.files.iter().all(|file| {
            content_of(context, file)
                .is_ok_and(|(_, wanted)| project.holds(Path::new(file.path.as_str()), &wanted))
        })
    };
    let dirs_done =
        || context.content.project.directories.iter().all(|dir| project.has(Path::new(dir.path.as_str())));
    let files = context.content.project.files.iter().map(|file| file.path.as_str());
    files.eq(context.receipt.files.iter().map(String::as_str))
        && has(&layout.env(), env_file::render(context.content, context.answers).as_bytes())
        && has(&layout.answers(), &answers_json(context))
        && has(&layout.index(), &index_json(context))
        && dirs_done()
        && files_done()
}

pub(super) fn execute(context: &mut Context<'_>) -> Outcome<()> {
    let layout = &context.plan.layout;
    file::write(&layout.answers(), Access::PRIVATE, &answers_json(context))?;
    // Recorded before they are there, so that they can be taken back; those of an earlier version until they are gone.
    let files: Vec<String> =
        context.content.project.files.iter().map(|file| file.path.as_str().to_owned()).collect();
    let former = context.receipt.files.iter().filter(|path| !files.contains(path)).cloned();
    context.receipt.files = files.iter().cloned().chain(former.collect::<Vec<_>>()).collect();
    context.save()?;
    file::make_dir(&layout.client_config(), Access { mode: 0o700, owner: None })?;
    let project = open(context)?;
    for directory in &context.content.project.directories {
        let access = Access { mode: directory.mode, owner: Some((directory.uid, directory.gid)) };
        let folder = project.make(Path::new(directory.path.as_str()), access)?;
        // One that was there gets its mode and owner too; what lies in it is the application's.
        folder.apply(access).map_err(|error| {
            let path = layout.dir.join(directory.path.as_str());
            Failure::midway(text::cannot_make_directory(&path.display())).refused(&error, &path)
        })?;
    }
    for project_file in &context.content.project.files {
        let path = Path::new(project_file.path.as_str());
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { continue };
        let folder = project.make(parent, Access::EXECUTABLE)?;
        let (access, content) = content_of(context, project_file)?;
        folder.write(name, access, &content)?;
    }
    let env = env_file::render(context.content, context.answers);
    let found = file::read_text(&layout.env()).ok().flatten();
    if found.as_ref().is_some_and(|found| *found != env) {
        // With the same answers it would be the same: somebody has changed it, and may have started the containers with that.
        if context.receipt.started_as == start_project::fingerprint(context) {
            let names = env_file::changed(found.as_deref().unwrap_or_default(), &env);
            let text = progress::env_was_edited(&layout.env().display(), &names.join(", "));
            context.reporter.emit(&Event::Note { text });
        }
        context.receipt.started_as.clear();
        context.save()?;
    }
    let layout = &context.plan.layout;
    file::write(&layout.env(), Access::PRIVATE, env.as_bytes())?;
    file::write(&layout.index(), Access::READABLE, &index_json(context))?;
    remove_former_files(context, &project)?;
    context.receipt.files = files;
    Ok(())
}

/// What a file will hold, and who may read it.
fn content_of(context: &Context<'_>, project_file: &ProjectFile) -> Outcome<(Access, Vec<u8>)> {
    let failed =
        || Failure::midway(text::file_not_read(project_file.path.as_str())).todo(text::check_medium());
    let source = context.bundle.handle().map_err(|error| failed().because(&error))?;
    // What does not compress grows a little.
    let limit = bundle_spec::limits::PROJECT_FILE_MAX * 2;
    let stored = context.bundle.bundle.blob_bytes(source, &project_file.blob, limit);
    let stored = stored.map_err(|error| failed().because(&error))?;
    let len = usize::try_from(project_file.len).unwrap_or(usize::MAX);
    let stored = codec::decompress_document(&stored, len).map_err(|error| failed().because(&error))?;
    rendered::render(project_file, stored, context.answers)
        .map_err(|error| Failure::midway(text::file_not_rendered(project_file.path.as_str())).because(&error))
}

/// Files that an earlier version had and this one has not.
fn remove_former_files(context: &Context<'_>, project: &Folder) -> Outcome<()> {
    let is_current =
        |path: &String| context.content.project.files.iter().any(|file| file.path.as_str() == path);
    for former in context.receipt.files.iter().filter(|path| !is_current(path)) {
        project.remove(Path::new(former))?;
    }
    Ok(())
}

fn open(context: &Context<'_>) -> Outcome<Folder> {
    let dir = &context.plan.layout.dir;
    Folder::open(dir)
        .map_err(|error| Failure::midway(text::cannot_make_directory(&dir.display())).refused(&error, dir))
}

/// Keeps the answers before the first step: who has to run it again after a failure is not asked anew, and secrets stay the same.
/// What stands in the way will be said when the project is written.
pub fn keep_answers(context: &Context<'_>) {
    drop(file::write(&context.plan.layout.answers(), Access::PRIVATE, &answers_json(context)));
}

/// All answers with their values, for the next run; with them what is not asked this time and may be the next time.
fn answers_json(context: &Context<'_>) -> Vec<u8> {
    let values: BTreeMap<_, _> = context
        .answers
        .dormant()
        .chain(context.answers.iter())
        .map(|(id, answer)| (id.as_str(), answer.reveal()))
        .collect();
    serde_json::to_vec_pretty(&values).unwrap_or_default()
}

/// The content of the index, for the day after.
fn index_json(context: &Context<'_>) -> Vec<u8> {
    serde_json::to_vec(context.content).unwrap_or_default()
}
