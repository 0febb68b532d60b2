//! Which certificate the application is to have: follows the answers to the files that they name, and has them judged
//! (`tls::judge`). Changes nothing.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bundle_spec::answer::Answer;
use bundle_spec::index::Content;
use bundle_spec::project::Tls;
use bundle_spec::question::builtin::{TLS, TLS_CERTIFICATE, TLS_KEY, TLS_OWN, TLS_SELF_SIGNED};

use crate::answers::{Origin, Problem, Resolved};
use crate::facts::exposure::{self, Exposure};
use crate::layout::Layout;
use crate::preflight::{self, Finding};
use crate::tls::fault::{Fault, LEN_MAX, Place, Which};
use crate::tls::{Pair, Wanted, hosts_of, judge, make};

/// What came of looking.
#[derive(Debug, Default)]
pub(super) struct Examined {
    /// Which one it is to be; nothing where the bundle knows of none.
    pub(super) wanted: Option<Wanted>,
    /// What forbids it.
    pub(super) problems: Vec<Problem>,
    /// What the operator should know.
    pub(super) findings: Vec<Finding>,
}

/// Looks at the certificate that the answers ask for.
pub(super) fn examine(content: &Content, layout: &Layout, resolved: &Resolved, now: SystemTime) -> Examined {
    let Some(tls) = &content.tls else { return Examined::default() };
    let answer = |id: &str| resolved.answers.of(id).map(Answer::reveal);
    let hosts = answer(tls.host.as_str()).map(hosts_of).unwrap_or_default();
    match answer(TLS) {
        Some(TLS_SELF_SIGNED) => self_signed(tls, resolved, hosts, now),
        Some(TLS_OWN) => own(tls, layout, resolved, &hosts, now),
        _ => Examined { wanted: Some(Wanted::Off), ..Examined::default() },
    }
}

fn self_signed(tls: &Tls, resolved: &Resolved, hosts: Vec<String>, now: SystemTime) -> Examined {
    // What the library would refuse midway is seen beforehand; this one is thrown away.
    let trial = |host: &String| make::self_signed(std::slice::from_ref(host), now, &[1; make::RANDOM_LEN]);
    let refused = if hosts.is_empty() { Some("") } else { None };
    let refused = refused.or_else(|| hosts.iter().find(|host| trial(host).is_err()).map(String::as_str));
    let Some(refused) = refused else {
        return Examined { wanted: Some(Wanted::SelfSigned { hosts }), ..Examined::default() };
    };
    let place = Place { certificate: PathBuf::new(), key: PathBuf::new(), now };
    let fault = Fault::NotCertifiable(refused.escape_debug().to_string());
    Examined { problems: vec![problem(fault, &place, tls, resolved)], ..Examined::default() }
}

fn own(tls: &Tls, layout: &Layout, resolved: &Resolved, hosts: &[String], now: SystemTime) -> Examined {
    let path = |id: &str| resolved.answers.of(id).map(|answer| PathBuf::from(answer.reveal()));
    // That an answer is missing has been said.
    let Some(certificate) = path(TLS_CERTIFICATE) else { return Examined::default() };
    let place = Place { certificate, key: path(TLS_KEY).unwrap_or_default(), now };
    let mut faults = Vec::new();
    let mut look = |id: &str, path: &Path, placed: &str, which: Which| {
        let read = read(path, which).or_else(|fault| {
            // Whoever answered this in an earlier run may have taken the stick out since.
            let is_earlier = resolved.origins.get(id) == Some(&Origin::Earlier);
            let kept = (is_earlier && fault == Fault::NotFound(which)).then(|| layout.dir.join(placed));
            kept.and_then(|kept| read(&kept, which).ok()).ok_or(fault)
        });
        read.map_err(|fault| faults.push(fault)).ok()
    };
    let certificate = look(TLS_CERTIFICATE, &place.certificate, tls.certificate.as_str(), Which::Certificate);
    let key = path(TLS_KEY).and_then(|key| look(TLS_KEY, &key, tls.key.as_str(), Which::Key));
    let key_bytes = key.as_ref().map(|key| &key.bytes[..]);
    let judged = judge::judge(certificate.as_ref().map_or(&[], |found| &found.bytes), key_bytes, hosts, now);
    // Of a file that could not be read nothing else is said.
    let judged = judged
        .into_iter()
        .filter(|fault| certificate.is_some() || (fault.concerns_key() && *fault != Fault::Exchanged));
    let (bearable, unbearable): (Vec<_>, Vec<_>) =
        faults.into_iter().chain(judged).partition(Fault::is_bearable);
    let mut findings: Vec<Finding> =
        bearable.iter().map(|fault| preflight::certificate::finding(fault, &place)).collect();
    if let Some(exposure) = key.as_ref().and_then(|key| key.exposure) {
        findings.push(preflight::certificate::open_key(&place, exposure));
    }
    let problems: Vec<_> =
        unbearable.into_iter().map(|fault| problem(fault, &place, tls, resolved)).collect();
    let wanted = match (certificate, key) {
        (Some(certificate), Some(key)) if problems.is_empty() => {
            Some(Wanted::Own(Pair { certificate: certificate.bytes, key: key.bytes }))
        }
        _ => None,
    };
    Examined { wanted, problems, findings }
}

/// A person can mend it if there is one answer among those that have part in it that was not given for good.
fn problem(fault: Fault, place: &Place, tls: &Tls, resolved: &Resolved) -> Problem {
    let ids = [TLS, TLS_CERTIFICATE, TLS_KEY, tls.host.as_str()];
    let is_open = |id: &&str| resolved.origins.get(*id).is_some_and(|origin| *origin > Origin::File);
    Problem::Certificate { can_be_asked: ids.iter().any(is_open), fault, place: place.clone() }
}

/// A file that was read.
struct Found {
    bytes: Vec<u8>,
    /// How it is kept from other users of the machine, if they can read it.
    exposure: Option<Exposure>,
}

fn read(path: &Path, which: Which) -> Result<Found, Fault> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Fault::NotFound(which),
        _ => Fault::Unreadable(which, error.to_string()),
    };
    // Opening a pipe would wait for somebody to write into it.
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(Fault::NotAFile(which));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LEN_MAX + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > LEN_MAX {
        return Err(Fault::TooLarge(which));
    }
    Ok(Found { bytes, exposure: exposure::of(path, &metadata) })
}

#[cfg(test)]
mod tests;
