//! A container as health and status see it.

use std::path::PathBuf;

use bollard::models::{ContainerInspectResponse, MountPoint};
use serde::Serialize;

/// One container of a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Container {
    /// Identifier.
    pub id: String,
    /// Name without the leading `/`.
    pub name: String,
    /// Compose service.
    pub service: String,
    /// `running`, `exited`, `restarting`, …
    pub state: String,
    /// `healthy`, `unhealthy`, `starting`; `None` without a health check.
    pub health: Option<String>,
    /// What its last health check wrote, or why that could not be run.
    pub health_output: Option<String>,
    /// Exit code of the last run.
    pub exit_code: i64,
    /// How often the engine has restarted it.
    pub restarts: i64,
    /// Ended because memory ran out.
    pub out_of_memory: bool,
    /// Process id of its first process, 0 when it does not run.
    pub pid: i64,
    /// Whether its restart policy brings it back.
    pub restarts_by_itself: bool,
    /// Is meant to run for ever: its restart policy brings it back even after a good end.
    pub stays_up: bool,
    /// When it was last started, as the engine says.
    pub started_at: String,
    /// The directory of the Compose project that it was made from.
    pub working_dir: String,
    /// What of the host is mounted into it.
    pub binds: Vec<PathBuf>,
    /// Ports of the host that are published for it, as far as they are fixed.
    pub published: Vec<u16>,
}

fn binds(mounts: Vec<MountPoint>) -> Vec<PathBuf> {
    let binds = mounts.into_iter().filter(|mount| mount.typ.as_deref() == Some("bind"));
    binds.filter_map(|mount| mount.source).map(PathBuf::from).collect()
}

impl Container {
    /// From the reply to `GET /containers/{id}/json`.
    pub(super) fn from_reply(reply: ContainerInspectResponse) -> Self {
        let state = reply.state.unwrap_or_default();
        let labels = reply.config.and_then(|config| config.labels).unwrap_or_default();
        let host = reply.host_config.unwrap_or_default();
        let published = host.port_bindings.unwrap_or_default().into_values().flatten().flatten();
        let published = published.filter_map(|binding| binding.host_port?.parse().ok()).collect();
        let policy = host.restart_policy.and_then(|policy| policy.name);
        let policy = policy.map(|name| name.to_string()).unwrap_or_default();
        let checked = state.health.unwrap_or_default();
        let health = checked.status.map(|status| status.to_string());
        let health_output = checked.log.unwrap_or_default().pop().and_then(|last| last.output);
        Self {
            id: reply.id.unwrap_or_default(),
            name: reply.name.unwrap_or_default().trim_start_matches('/').to_owned(),
            service: labels.get("com.docker.compose.service").cloned().unwrap_or_default(),
            state: state.status.map(|status| status.to_string()).unwrap_or_default(),
            health: health.filter(|status| !status.is_empty() && status != "none"),
            health_output: health_output.filter(|output| !output.trim().is_empty()),
            exit_code: state.exit_code.unwrap_or(0),
            restarts: reply.restart_count.unwrap_or(0),
            out_of_memory: state.oom_killed.unwrap_or(false),
            pid: state.pid.unwrap_or(0),
            restarts_by_itself: matches!(policy.as_str(), "always" | "unless-stopped" | "on-failure"),
            stays_up: matches!(policy.as_str(), "always" | "unless-stopped"),
            started_at: state.started_at.map(|time| time.to_string()).unwrap_or_default(),
            binds: binds(reply.mounts.unwrap_or_default()),
            published,
            working_dir: labels.get("com.docker.compose.project.working_dir").cloned().unwrap_or_default(),
        }
    }

    /// Runs, and is healthy where it says anything about its health.
    pub fn is_well(&self) -> bool {
        self.state == "running" && self.health.as_deref().is_none_or(|health| health == "healthy")
    }

    /// Did its work and ended: a one-shot service such as a migration.
    pub fn is_finished(&self) -> bool {
        self.state == "exited" && self.exit_code == 0 && !self.stays_up
    }

    /// Was started, and has trouble of its own: its words say more than anybody else's.
    pub fn is_ill(&self) -> bool {
        let has_ended =
            matches!(self.state.as_str(), "dead" | "exited" | "restarting") && !self.is_finished();
        has_ended || self.out_of_memory || self.health.as_deref() == Some("unhealthy")
    }

    /// Will not become well by waiting.
    pub fn has_failed(&self) -> bool {
        matches!(self.state.as_str(), "dead") || (self.state == "exited" && self.exit_code != 0)
    }
}
