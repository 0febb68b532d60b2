//! Opens the application's public ports in the host's firewall, if the operator consented. Comes last: what is not healthy,
//! or still has its first password, is not for other machines.

use bundle_spec::answer::{Answer, Answers};
use bundle_spec::index::Content;
use bundle_spec::question::builtin::OPEN_FIREWALL;

use super::Context;
use crate::host::firewall::{self, Opening, Tool};
use crate::outcome::{Failure, Outcome};
use crate::receipt::Receipt;
use crate::text::problem as text;

pub(super) fn is_done(context: &Context<'_>) -> bool {
    let wanted = wanted(context.content, context.answers);
    let is_wanted = |opening: &Opening| wanted.contains(&opening.port);
    let app = &context.content.app.name;
    context.receipt.openings.iter().all(is_wanted)
        && context
            .facts
            .access
            .firewall
            .is_none_or(|tool| wanted.iter().all(|port| firewall::closed(tool, *port, app).is_empty()))
}

pub(super) fn execute(context: &mut Context<'_>) -> Outcome<()> {
    let wanted = wanted(context.content, context.answers);
    let (kept, stale): (Vec<Opening>, Vec<Opening>) =
        context.receipt.openings.clone().into_iter().partition(|opening| wanted.contains(&opening.port));
    close_all(&stale)?;
    context.receipt.openings = kept;
    context.save()?;
    let Some(tool) = context.facts.access.firewall else { return Ok(()) };
    for port in wanted {
        for opening in firewall::closed(tool, port, &context.content.app.name) {
            // Before it is opened: a kill in between leaves a record without an opening, never the other way round.
            if !context.receipt.openings.contains(&opening) {
                context.receipt.openings.push(opening.clone());
                context.save()?;
            }
            let todo = || text::open_port_yourself(&by_hand(&opening, true));
            firewall::open(&opening, &context.content.app.name)
                .map_err(|why| Failure::midway(text::port_not_opened(port)).quoting(why).todo(todo()))?;
        }
    }
    Ok(())
}

/// The ports that shall be open.
pub fn wanted(content: &Content, answers: &Answers) -> Vec<u16> {
    if answers.of(OPEN_FIREWALL).map(Answer::reveal) != Some("true") {
        return Vec::new();
    }
    public(content, answers)
}

/// The ports that are for other machines. One that depends on a question that was not asked is not in use.
pub fn public(content: &Content, answers: &Answers) -> Vec<u16> {
    let ports = content.public_ports.iter().filter_map(|port| answers.expand(port).ok()?.parse().ok());
    let mut ports: Vec<u16> = ports.collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// Closes everything that was opened.
///
/// # Errors
/// When the firewall refuses.
pub fn take_back(receipt: &Receipt) -> Outcome<()> {
    close_all(&receipt.openings)
}

fn close_all(openings: &[Opening]) -> Outcome<()> {
    // The last one first: it may stand for the state that an earlier one left.
    openings.iter().rev().try_for_each(|opening| {
        let todo = || text::close_port_yourself(&by_hand(opening, false));
        firewall::close(opening)
            .map_err(|why| Failure::midway(text::port_not_closed(opening.port)).quoting(why).todo(todo()))
    })
}

/// What somebody types who opens or closes a port, for now and for later.
fn by_hand(opening: &Opening, opens: bool) -> String {
    let port = opening.port;
    match opening.tool {
        Tool::Firewalld => {
            let zone = opening.zone.as_ref().map(|zone| format!(" --zone={zone}")).unwrap_or_default();
            let command =
                format!("firewall-cmd{zone} --{}-port={port}/tcp", if opens { "add" } else { "remove" });
            format!("{command} && {command} --permanent")
        }
        Tool::Ufw if opens => format!("ufw allow {port}/tcp"),
        Tool::Ufw if opening.replaced.is_empty() => format!("ufw delete allow {port}/tcp"),
        Tool::Ufw => format!("ufw {}", opening.replaced.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_opens_or_closes_a_port_by_hand_is_told_how() {
        let opening = |tool, zone: Option<&str>| Opening {
            tool,
            zone: zone.map(str::to_owned),
            permanent: false,
            port: 8080,
            replaced: Vec::new(),
            place: None,
        };
        let firewalld = opening(Tool::Firewalld, Some("public"));
        assert_eq!(
            by_hand(&firewalld, true),
            "firewall-cmd --zone=public --add-port=8080/tcp && firewall-cmd --zone=public --add-port=8080/tcp --permanent"
        );
        assert!(by_hand(&firewalld, false).contains("--remove-port=8080/tcp --permanent"));
        let mut ufw = opening(Tool::Ufw, None);
        assert_eq!(
            [by_hand(&ufw, true), by_hand(&ufw, false)],
            ["ufw allow 8080/tcp", "ufw delete allow 8080/tcp"]
        );
        // What ours took the place of comes back.
        ufw.replaced = vec!["deny".to_owned(), "8080/tcp".to_owned()];
        assert_eq!(by_hand(&ufw, false), "ufw deny 8080/tcp");
    }
}
