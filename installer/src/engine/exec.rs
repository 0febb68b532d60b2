//! Runs a command inside a running container. What is given to it goes over the engine's socket: neither a command line nor
//! a child process of ours ever has it.

use std::collections::VecDeque;
use std::time::Duration;

use bollard::exec::{CreateExecOptions, StartExecOptions, StartExecResults};
use futures_util::StreamExt as _;
use tokio::io::AsyncWriteExt as _;

use super::{Engine, EngineError, wait};
use crate::host::process;

/// Most that is kept of what a command says, in bytes: the end of it.
const OUTPUT_MAX: usize = 16 << 10;

/// A command for a container. `Debug` shows neither variables nor input.
#[derive(Clone)]
pub struct Exec {
    /// Program and arguments.
    pub command: Vec<String>,
    /// As which user; the container's where nothing is said.
    pub user: Option<String>,
    /// Environment variables, `NAME=value`.
    pub env: Vec<String>,
    /// Standard input.
    pub stdin: Option<String>,
    /// How long it may take.
    pub limit: Duration,
}

impl std::fmt::Debug for Exec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exec").field("command", &self.command).finish_non_exhaustive()
    }
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed {
    /// Its exit code; nothing when it was ended because its time was up.
    pub code: Option<i64>,
    /// The end of what it said on either output.
    pub output: String,
}

impl Engine {
    /// Runs a command in a container to its end, or to the end of its time: then it is killed.
    ///
    /// # Errors
    /// When the engine does not answer, or cannot run it.
    pub fn exec(&self, container: &str, exec: &Exec) -> Result<Executed, EngineError> {
        let options = CreateExecOptions {
            attach_stdin: Some(exec.stdin.is_some()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            cmd: Some(exec.command.clone()),
            env: Some(exec.env.clone()),
            user: exec.user.clone(),
            ..Default::default()
        };
        let id = self.ask("create exec", self.quick.create_exec(container, options))?.id;
        let (mut tail, mut is_cut) = (VecDeque::new(), false);
        let run = async {
            let started = self.patient.start_exec(&id, None::<StartExecOptions>).await?;
            let StartExecResults::Attached { mut output, mut input } = started else { return Ok(()) };
            if let Some(text) = &exec.stdin {
                // A command that does not read its input may end before all of it was written.
                let _ = input.write_all(text.as_bytes()).await;
                let _ = input.shutdown().await;
            }
            while let Some(piece) = output.next().await {
                tail.extend(piece?.into_bytes());
                let excess = tail.len().saturating_sub(OUTPUT_MAX);
                is_cut |= excess > 0;
                tail.drain(..excess);
            }
            Ok(())
        };
        let ended = wait(async { tokio::time::timeout(exec.limit, run).await });
        let is_over = ended.is_ok();
        if let Ok(Err(source)) = ended {
            let socket = self.socket().to_owned();
            return Err(EngineError::Request { operation: "exec", socket, source });
        }
        let state = self.ask("inspect exec", self.quick.inspect_exec(&id))?;
        if !is_over {
            self.end_exec(container, state.pid.unwrap_or(0));
        }
        let bytes: Vec<u8> = tail.into();
        let output = String::from_utf8_lossy(&bytes);
        // Half a line may begin with half a secret, which nobody would know for one.
        let output = if is_cut { output.split_once('\n').map_or("", |(_, whole)| whole) } else { &output };
        Ok(Executed { code: state.exit_code.filter(|_| is_over), output: output.to_owned() })
    }

    /// Kills a process of a container. Ids are reused, so the process must still belong to the container.
    fn end_exec(&self, container: &str, pid: i64) {
        let Ok(pid) = i32::try_from(pid) else { return };
        let cgroup = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        if pid > 0 && cgroup.contains(container) {
            // Gone in between is as good.
            let _ = process::kill(pid);
        }
    }
}
