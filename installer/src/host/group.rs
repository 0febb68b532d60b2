//! Membership of groups, through the system's own tools: users may come from elsewhere than `/etc/passwd`.

use std::path::PathBuf;

use super::process;

/// Whether a user is in a group.
pub fn has_member(group: &str, user: &str) -> bool {
    let finished = process::run(process::command("id").args(["-nG", "--", user]));
    finished.is_ok_and(|finished| {
        finished.status.success() && finished.stdout.split_whitespace().any(|name| name == group)
    })
}

/// Whether there is such a user.
pub fn has_user(user: &str) -> bool {
    process::run(process::command("id").args(["-u", "--", user]))
        .is_ok_and(|finished| finished.status.success())
}

/// A user's home directory.
pub fn home_of(user: &str) -> Option<PathBuf> {
    let finished = process::run(process::command("getent").args(["passwd", user])).ok()?;
    let home = finished.stdout.trim().split(':').nth(5).map(PathBuf::from);
    home.filter(|home| home.is_absolute())
}

/// Adds a user to a group.
///
/// # Errors
/// What the tool said.
pub fn add_member(group: &str, user: &str) -> Result<(), String> {
    match process::find("gpasswd") {
        Some(program) => run(process::command(program).args(["-a", user, group])),
        None => run(process::command("usermod").args(["-a", "-G", group, user])),
    }
}

/// Takes a user out of a group; one who is not in it is fine.
///
/// # Errors
/// What the tool said.
pub fn remove_member(group: &str, user: &str) -> Result<(), String> {
    if !has_member(group, user) {
        return Ok(());
    }
    run(process::command("gpasswd").args(["-d", user, group]))
}

fn run(command: &mut std::process::Command) -> Result<(), String> {
    let finished = process::run(command).map_err(|error| error.to_string())?;
    if finished.status.success() { Ok(()) } else { Err(finished.stderr.trim().to_owned()) }
}
