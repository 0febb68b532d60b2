//! Group, daemon.json, systemd unit of an engine of ours; for a private one also its containerd's configuration.

use std::path::{Path, PathBuf};

use bundle_spec::digest::Digest;
use serde_json::{Map, Value, json};

use super::Context;
use crate::host::file::{self, Access};
use crate::host::process;
use crate::layout::{EngineHome, SYSTEM_UNIT};
use crate::outcome::{Failure, Outcome};
use crate::plan::EnginePlan;
use crate::receipt::{MARK, Receipt};
use crate::text::{finding, problem as text};

/// What `groupadd` ends with when there is such a group already: in a directory service, which `/etc/group` knows nothing of.
const GROUP_EXISTS: i32 = 9;

pub(super) fn is_done(context: &Context<'_>) -> bool {
    let engine = &context.plan.engine;
    let Some(home) = &engine.home else { return true };
    let has = |path: &Path, content: &str| {
        file::read_text(path).is_ok_and(|found| found.as_deref() == Some(content))
    };
    let config_done = existing(&home.config()).is_ok_and(|found| {
        found.is_some_and(|found| merged(found.clone(), engine, home) == Value::Object(found))
    });
    let unit_done = !engine.by_systemd || (has(Path::new(SYSTEM_UNIT), &unit(home)) && is_enabled());
    let containerd_done = match home {
        EngineHome::Private(_) => has(&containerd_config(home), &containerd_toml(home)),
        EngineHome::System => true,
    };
    config_done && unit_done && containerd_done
}

pub(super) fn execute(context: &mut Context<'_>) -> Outcome<()> {
    let engine = &context.plan.engine;
    let Some(home) = &engine.home else { return Ok(()) };
    let path = home.config();
    // Before anything is changed: what cannot be understood is the operator's all the same.
    let before = existing(&path)?;
    if *home == EngineHome::System && !has_group() {
        context.receipt.made_group = true;
        context.save()?;
        context.receipt.made_group = add_group()?;
        context.save()?;
    }
    if let Some(parent) = path.parent() {
        context.claim_dirs(parent)?;
        file::make_dir(parent, Access::EXECUTABLE)?;
    }
    if before.is_none() && *home == EngineHome::System {
        context.claim(&path)?;
    }
    write_config(context, before)?;
    let engine = &context.plan.engine;
    let Some(home) = &engine.home else { return Ok(()) };
    if let EngineHome::Private(_) = home {
        file::write(&containerd_config(home), Access::READABLE, containerd_toml(home).as_bytes())?;
    }
    if engine.by_systemd {
        context.claim(Path::new(SYSTEM_UNIT))?;
        file::write(Path::new(SYSTEM_UNIT), Access::READABLE, unit(home).as_bytes())?;
        systemctl(&["daemon-reload"])?;
        systemctl(&["enable", "docker.service"])?;
    }
    Ok(())
}

/// Writes `daemon.json`, or completes the one that was there before us: a copy of that one stays beside it, to be put back.
fn write_config(context: &mut Context<'_>, before: Option<Map<String, Value>>) -> Outcome<()> {
    let engine = context.plan.engine.clone();
    let Some(home) = &engine.home else { return Ok(()) };
    let path = home.config();
    let complete = merged(before.clone().unwrap_or_default(), &engine, home);
    if before.as_ref().and_then(|before| Some(before == complete.as_object()?)) == Some(true) {
        return Ok(());
    }
    let text = format!("{complete:#}\n");
    if *home == EngineHome::System && !context.receipt.made.contains(&path) {
        keep_former(context, home, &Digest::of(text.as_bytes()).hex())?;
    }
    file::rewrite(&path, Access::READABLE, text.as_bytes())
}

/// Keeps what the operator had written before us. What was written since, over ours, is kept as it is: nothing is to be put back then.
fn keep_former(context: &mut Context<'_>, home: &EngineHome, completed: &str) -> Outcome<()> {
    let (path, former) = (home.config(), home.former_config());
    let cannot_read = |error| Failure::midway(text::cannot_read(&path.display())).refused(&error, &path);
    let content = file::read(&path).map_err(cannot_read)?.unwrap_or_default();
    // A run that broke off here, or before it wrote what it had noted, has changed nothing yet.
    let is_first = context.receipt.completed_config.is_none()
        || file::read(&former).is_ok_and(|former| former.is_none_or(|former| former == content));
    if is_first {
        context.claim(&former)?;
        file::write(&former, Access::PRIVATE, &content)?;
        file::copy_time(&path, &former);
    }
    if is_first || context.receipt.completed_config == Some(Digest::of(&content).hex()) {
        context.receipt.completed_config = Some(completed.to_owned());
        context.save()?;
    }
    Ok(())
}

/// What has become of an operator's configuration that was there before us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Former {
    /// There was none, or it is as it was before.
    Restored,
    /// Somebody has changed what we made of it, and it stays so; as it was before us, it lies there.
    Kept(PathBuf),
}

/// Puts back the configuration that was there before us, unless somebody has changed what we made of it.
///
/// # Errors
/// Names the path and the reason.
pub fn restore_config(receipt: &Receipt, home: &EngineHome) -> Outcome<Former> {
    let (path, former) = (home.config(), home.former_config());
    let Some(completed) = &receipt.completed_config else { return Ok(Former::Restored) };
    let (Some(now), Some(content)) = (read(&path)?, read(&former)?) else { return Ok(Former::Restored) };
    if now != content {
        if Digest::of(&now).hex() != *completed {
            return Ok(keep_original(receipt, home)?.map_or(Former::Restored, Former::Kept));
        }
        file::rewrite(&path, Access::READABLE, &content)?;
    }
    file::copy_time(&former, &path);
    Ok(Former::Restored)
}

/// Keeps the configuration that was there before us under a name that no later installation writes; returns that, if there is anything to
/// be kept. The oldest is the original.
///
/// # Errors
/// Names the path and the reason.
pub fn keep_original(receipt: &Receipt, home: &EngineHome) -> Outcome<Option<PathBuf>> {
    let (former, original) = (home.former_config(), home.config().with_extension("json.original"));
    let Some(content) = receipt.completed_config.as_ref().map_or(Ok(None), |_| read(&former))? else {
        return Ok(None);
    };
    if read(&home.config())?.as_ref() == Some(&content) {
        return Ok(None);
    }
    if original.symlink_metadata().is_err() {
        file::write(&original, Access::PRIVATE, &content)?;
        file::copy_time(&former, &original);
    }
    Ok(Some(original))
}

fn read(path: &Path) -> Outcome<Option<Vec<u8>>> {
    file::read(path).map_err(|error| {
        Failure::midway(text::cannot_read(&path.display())).refused(&error, path).todo(text::run_again())
    })
}

/// A kill between writing the unit and enabling it would lose the engine at the next boot.
fn is_enabled() -> bool {
    let arguments = ["is-enabled", "--quiet", "docker.service"];
    process::run(process::command("systemctl").args(arguments))
        .is_ok_and(|finished| finished.status.success())
}

/// Runs systemctl.
///
/// # Errors
/// With what it said.
pub(super) fn systemctl(arguments: &[&str]) -> Outcome<()> {
    let failed =
        || Failure::midway(text::systemctl_failed(&arguments.join(" "))).todo(text::look_at_engine_unit());
    let finished = process::run(process::command("systemctl").args(arguments))
        .map_err(|error| failed().because(&error))?;
    if finished.status.success() { Ok(()) } else { Err(failed().quoting(finished.stderr)) }
}

fn has_group() -> bool {
    let groups = file::read_text(Path::new("/etc/group")).ok().flatten().unwrap_or_default();
    groups.lines().any(|line| line.starts_with("docker:"))
}

/// The group whose members may use the socket. Without it dockerd warns and gives the socket to root alone. Returns whether
/// we have made it.
fn add_group() -> Outcome<bool> {
    let Some(groupadd) = process::find("groupadd") else { return Ok(false) };
    let failed = || Failure::midway(text::group_failed());
    let finished = process::run(process::command(groupadd).args(["--system", "docker"]))
        .map_err(|error| failed().because(&error))?;
    match finished.status.code() {
        Some(0) => Ok(true),
        Some(GROUP_EXISTS) => Ok(false),
        _ => Err(failed().quoting(finished.stderr)),
    }
}

/// What `daemon.json` says now; `None` when there is none.
///
/// # Errors
/// When it is there and cannot be read or understood: writing it anew would lose what an operator meant.
fn existing(path: &Path) -> Outcome<Option<Map<String, Value>>> {
    let shown = path.display().to_string();
    let refused = |why: &dyn std::fmt::Display| {
        Failure::midway(finding::config_unreadable(&shown, &why.to_string()))
            .todo(finding::mend_config(&shown))
    };
    let Some(text) = file::read_text(path).map_err(|error| refused(&error))? else { return Ok(None) };
    if text.trim().is_empty() {
        return Ok(Some(Map::new()));
    }
    serde_json::from_str(&text).map(Some).map_err(|error| refused(&error))
}

/// `daemon.json`: what is there wins, what we need is added.
fn merged(mut config: Map<String, Value>, engine: &EnginePlan, home: &EngineHome) -> Value {
    for (key, value) in settings(engine, home) {
        match (config.get_mut(&key), value) {
            (Some(Value::Object(known)), Value::Object(wanted)) => {
                for (key, value) in wanted {
                    known.entry(key).or_insert(value);
                }
            }
            (Some(_), _) => {}
            (None, value) => {
                config.insert(key, value);
            }
        }
    }
    Value::Object(config)
}

fn settings(engine: &EnginePlan, home: &EngineHome) -> Map<String, Value> {
    let mut settings = json!({
        // Layers stay compressed as they came, and unpack two to four times faster than in a graph driver.
        "features": { "containerd-snapshotter": engine.containerd_store },
        // The default keeps every line for ever, until the disk is full.
        "log-driver": "json-file",
        "log-opts": { "max-size": "10m", "max-file": "3" },
    });
    if let EngineHome::Private(_) = home {
        settings["hosts"] = json!([format!("unix://{}", home.socket().display())]);
        settings["data-root"] = json!(home.data_root());
        settings["exec-root"] = json!(home.exec_root());
        settings["pidfile"] = json!(home.pid_file());
        // A containerd of its own: dockerd would else use the host's, and with it the other engine's containers.
        settings["containerd"] = json!(home.containerd_socket());
        settings["bridge"] = json!("none");
        settings["iptables"] = json!(engine.packet_filter);
        // On is the default from 27.0 on; before, asking for it ends the engine unless experimental features are on.
        if !engine.packet_filter {
            settings["ip6tables"] = json!(false);
        }
    }
    match settings {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// The configuration of a private engine's containerd.
pub(super) fn containerd_config(home: &EngineHome) -> std::path::PathBuf {
    home.config().with_file_name("containerd.toml")
}

fn containerd_toml(home: &EngineHome) -> String {
    let root = home.data_root().join("containerd/daemon");
    let state = home.exec_root().join("containerd");
    let quoted = |path: &Path| toml::Value::String(path.display().to_string()).to_string();
    format!(
        "version = 2\nroot = {}\nstate = {}\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\n[grpc]\naddress = {}\n\n[plugins.\"io.containerd.internal.v1.opt\"]\npath = {}\n",
        quoted(&root),
        quoted(&state),
        quoted(&home.containerd_socket()),
        quoted(&root.join("opt")),
    )
}

/// One service without a socket unit, with dockerd's own containerd: nothing to disagree about host flags and sockets
/// (moby#22847, moby#25471). Keys that an old systemd does not know are only warned about.
fn unit(home: &EngineHome) -> String {
    let bin = home.bin();
    let bin = bin.display();
    format!(
        "# {MARK}. Removed again by uninstall --purge.
[Unit]
Description=Docker Application Container Engine
Documentation=https://docs.docker.com
After=network-online.target nss-lookup.target firewalld.service time-set.target
Wants=network-online.target
StartLimitBurst=3
StartLimitIntervalSec=60

[Service]
Type=notify
Environment=PATH={bin}:{path}
ExecStart={bin}/dockerd
ExecReload=/bin/kill -s HUP $MAINPID
TimeoutStartSec=0
RestartSec=2
Restart=always
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
Delegate=yes
KillMode=process
OOMScoreAdjust=-500

[Install]
WantedBy=multi-user.target
",
        path = process::SYSTEM_PATH,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(home: EngineHome) -> EnginePlan {
        EnginePlan {
            socket: home.socket(),
            compose: home.compose(),
            home: Some(home),
            containerd_store: true,
            packet_filter: true,
            by_systemd: true,
        }
    }

    /// A carried engine of 20.10 or 26.1 ended at once: "ip6tables rules are only available if experimental features are enabled".
    #[test]
    fn an_older_private_engine_is_not_asked_for_what_is_an_experiment_there() {
        let home = EngineHome::Private("/srv/app".into());
        let own = plan(home.clone());
        let beside = EnginePlan { packet_filter: false, ..plan(home.clone()) };
        let [own, beside] = [own, beside].map(|plan| settings(&plan, &home));
        assert_eq!((&own["iptables"], own.get("ip6tables")), (&json!(true), None));
        assert_eq!((&beside["iptables"], beside.get("ip6tables")), (&json!(false), Some(&json!(false))));
    }

    #[test]
    fn an_existing_configuration_is_completed_and_never_overruled() {
        let existing = json!({"log-driver":"journald","features":{"buildkit":true},"registry-mirrors":["x"]});
        let existing = existing.as_object().unwrap().clone();
        let config = merged(existing, &plan(EngineHome::System), &EngineHome::System);
        assert_eq!(config["log-driver"], "journald");
        assert_eq!(config["features"], json!({"buildkit": true, "containerd-snapshotter": true}));
        assert_eq!(config["registry-mirrors"], json!(["x"]));
    }

    /// A comma too many, or a comment in another encoding, once made an upgrade replace the operator's `daemon.json` by ours.
    #[test]
    fn a_configuration_with_a_mistake_is_refused_and_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("daemon.json");
        assert_eq!(existing(&path).unwrap(), None);
        for bad in [&b"{\"data-root\": \"/data\",}"[..], b"[]", b"{\"label\": \"\xd6\xd0\"}"] {
            std::fs::write(&path, bad).unwrap();
            let failure = existing(&path).unwrap_err();
            assert!(failure.what.en.contains("daemon.json") && failure.todo.is_some());
        }
        std::fs::write(&path, "\n").unwrap();
        assert_eq!(existing(&path).unwrap(), Some(Map::new()));
    }

    #[test]
    fn a_private_engine_names_nothing_outside_its_directory() {
        let home = EngineHome::Private("/opt/app/engine".into());
        let text = merged(Map::new(), &plan(home.clone()), &home).to_string() + &containerd_toml(&home);
        let paths = text.split('"').filter(|part| part.starts_with('/') || part.starts_with("unix:"));
        assert!(paths.clone().count() >= 8);
        for path in paths {
            assert!(path.trim_start_matches("unix://").starts_with("/opt/app/engine/"), "{path}");
        }
    }
}
