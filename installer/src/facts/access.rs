//! Collects what stands between people and the application: the firewall, and whether the caller may use the engine.

use crate::host::{firewall, group};

/// The group whose members may use the system's engine.
pub const ENGINE_GROUP: &str = "docker";

/// What stands between people and the application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The active firewall.
    pub firewall: Option<firewall::Tool>,
    /// That firewall has settings that its next reload loses.
    pub is_unsaved: bool,
    /// Who called `sudo`.
    pub invoker: Option<Invoker>,
}

/// A user who called `sudo`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoker {
    /// Login name.
    pub name: String,
    /// Is in the engine's group already.
    pub is_in_group: bool,
}

/// Looks; at what a reload would lose only where one is to come.
pub fn collect(will_reload: bool) -> Access {
    let user = std::env::var("SUDO_USER").ok().filter(|user| user != "root" && group::has_user(user));
    let invoker = user.map(|name| Invoker { is_in_group: group::has_member(ENGINE_GROUP, &name), name });
    let firewall = firewall::active();
    let is_unsaved = will_reload && firewall.is_some_and(firewall::has_unsaved);
    Access { firewall, is_unsaved, invoker }
}
