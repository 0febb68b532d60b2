//! Writes certificate and key to where the application's server looks for them, or takes them away again. One that is
//! self-signed is made once, and kept until its host changes or its end is near.

use std::path::Path;
use std::time::SystemTime;

use bundle_spec::answer::Answers;
use bundle_spec::index::Content;
use bundle_spec::project::Tls;
use bundle_spec::question::builtin::{TLS, TLS_OFF};

use super::Context;
use crate::host::below::Folder;
use crate::host::file::Access;
use crate::outcome::{Failure, Outcome};
use crate::text::{problem, tls as text};
use crate::tls::fault::LEN_MAX;
use crate::tls::{Pair, Wanted, judge, make};

/// Whether there is anything for this step to do or to see to.
pub fn is_needed(content: &Content, answers: &Answers, placed: &[String]) -> bool {
    let is_on = answers.of(TLS).is_some_and(|answer| answer.reveal() != TLS_OFF);
    (content.tls.is_some() && is_on) || !placed.is_empty()
}

pub(super) fn is_done(context: &Context<'_>) -> bool {
    let receipt = &context.receipt;
    match (&context.content.tls, &context.plan.certificate) {
        (Some(tls), Some(Wanted::Own(pair))) => {
            receipt.made_certificate.is_none()
                && receipt.certificate == paths(tls)
                && placed(context, tls).is_some_and(|placed| placed == *pair)
        }
        (Some(tls), Some(Wanted::SelfSigned { hosts })) => {
            let is_good = |pair: &Pair| {
                let faults = judge::judge(&pair.certificate, Some(&pair.key), hosts, SystemTime::now());
                faults.is_empty() && judge::fingerprint(&pair.certificate) == receipt.made_certificate
            };
            receipt.certificate == paths(tls)
                && receipt.made_certificate.is_some()
                && placed(context, tls).is_some_and(|placed| is_good(&placed))
        }
        _ => receipt.certificate.is_empty(),
    }
}

pub(super) fn execute(context: &mut Context<'_>) -> Outcome<()> {
    let wanted = match (&context.content.tls, &context.plan.certificate) {
        (Some(tls), Some(Wanted::Own(pair))) => Some((tls, pair.clone(), None)),
        (Some(tls), Some(Wanted::SelfSigned { hosts })) => {
            let pair = make(context, tls, hosts)?;
            let fingerprint = judge::fingerprint(&pair.certificate);
            Some((tls, pair, fingerprint))
        }
        _ => None,
    };
    let wanted_paths = wanted.as_ref().map(|(tls, ..)| paths(tls)).unwrap_or_default();
    for former in context.receipt.certificate.iter().filter(|path| !wanted_paths.contains(path)) {
        open(context)?.remove(Path::new(former))?;
    }
    let Some((tls, pair, made)) = wanted else {
        context.receipt.certificate.clear();
        context.receipt.made_certificate = None;
        return Ok(());
    };
    let project = open(context)?;
    let mut folders = Vec::new();
    for path in [&tls.key, &tls.certificate] {
        let below = Path::new(path.as_str());
        let folder = project.make(below.parent().unwrap_or(Path::new("")), Access::EXECUTABLE)?;
        if !context.receipt.certificate.iter().any(|known| known == path.as_str()) {
            // A key that somebody put there by hand may be the only one.
            folder.set_aside(below.file_name().unwrap_or_default())?;
        }
        folders.push((folder, below.file_name().unwrap_or_default()));
    }
    // Before anything is written: a kill in between leaves a record without a file, never the other way round.
    context.receipt.certificate = paths(tls);
    context.receipt.made_certificate = made;
    context.save()?;
    let modes = [Access::PRIVATE, Access::READABLE].map(|access| Access { owner: tls.owner, ..access });
    for (((folder, name), access), content) in folders.iter().zip(modes).zip([&pair.key, &pair.certificate]) {
        folder.write(name, access, content)?;
    }
    Ok(())
}

fn open(context: &Context<'_>) -> Outcome<Folder> {
    let dir = &context.plan.layout.dir;
    Folder::open(dir)
        .map_err(|error| Failure::midway(problem::cannot_make_directory(&dir.display())).because(&error))
}

fn make(context: &Context<'_>, tls: &Tls, hosts: &[String]) -> Outcome<Pair> {
    let mut random = [0; make::RANDOM_LEN];
    getrandom::fill(&mut random)
        .map_err(|error| Failure::midway(problem::no_random_numbers()).because(&error))?;
    let path = context.plan.layout.dir.join(tls.certificate.as_str());
    make::self_signed(hosts, SystemTime::now(), &random)
        .map_err(|why| Failure::midway(text::not_made(&path.display())).quoting(why))
}

fn paths(tls: &Tls) -> Vec<String> {
    [&tls.certificate, &tls.key].map(|path| path.as_str().to_owned()).into()
}

fn placed(context: &Context<'_>, tls: &Tls) -> Option<Pair> {
    let project = Folder::open(&context.plan.layout.dir).ok()?;
    let read = |path: &str| project.read(Path::new(path), LEN_MAX).ok();
    Some(Pair { certificate: read(tls.certificate.as_str())?, key: read(tls.key.as_str())? })
}
