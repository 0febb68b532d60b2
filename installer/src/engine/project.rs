//! A Compose project's containers, networks and volumes, found by Compose's labels: neither Compose nor the project's files are
//! needed.
//!
//! Not here: what a container's state means (`container`, and `health` above it).

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use bollard::query_parameters as query;
use futures_util::StreamExt as _;

use super::{Container, Engine, EngineError, PATIENT, QUICK, is_not_found, wait};

fn project_label(project: &str) -> String {
    format!("com.docker.compose.project={project}")
}

impl Engine {
    pub(super) fn remove_container(&self, id: &str) -> Result<(), EngineError> {
        let options = query::RemoveContainerOptions { force: true, v: true, link: false };
        match self.ask_within(PATIENT, "remove container", self.patient.remove_container(id, Some(options))) {
            Err(error) if !is_not_found(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes whatever of a Compose project is still there, found by its label: containers, networks and, if asked,
    /// volumes. Needs neither Compose nor the project's files.
    ///
    /// # Errors
    /// When the engine does not answer or refuses.
    pub fn remove_project(&self, project: &str, with_volumes: bool) -> Result<(), EngineError> {
        for container in self.containers(project)? {
            self.remove_container(&container.id)?;
        }
        let filters = || Some(HashMap::from([("label".to_owned(), vec![project_label(project)])]));
        let options = query::ListNetworksOptions { filters: filters() };
        for network in self.ask("list networks", self.quick.list_networks(Some(options)))? {
            self.ask("remove network", self.patient.remove_network(&network.id.unwrap_or_default()))?;
        }
        if with_volumes {
            for volume in self.volumes(project)? {
                let remove = self.patient.remove_volume(&volume, None::<query::RemoveVolumeOptions>);
                self.ask_within(PATIENT, "remove volume", remove)?;
            }
        }
        Ok(())
    }

    /// The names of a Compose project's volumes, in their order.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn volumes(&self, project: &str) -> Result<Vec<String>, EngineError> {
        let filters = Some(HashMap::from([("label".to_owned(), vec![project_label(project)])]));
        let options = query::ListVolumesOptions { filters };
        let volumes = self.ask("list volumes", self.quick.list_volumes(Some(options)))?.volumes;
        let mut names: Vec<_> = volumes.unwrap_or_default().into_iter().map(|volume| volume.name).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// The containers of a Compose project, running or not.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn containers(&self, project: &str) -> Result<Vec<Container>, EngineError> {
        let options = query::ListContainersOptions {
            all: true,
            filters: Some(HashMap::from([("label".to_owned(), vec![project_label(project)])])),
            ..Default::default()
        };
        let list = self.ask("list containers", self.quick.list_containers(Some(options)))?;
        let mut containers = Vec::new();
        for id in list.into_iter().filter_map(|summary| summary.id) {
            match self.ask("inspect container", self.quick.inspect_container(&id, None)) {
                Ok(reply) => containers.push(Container::from_reply(reply)),
                Err(error) if is_not_found(&error) => {}
                Err(error) => return Err(error),
            }
        }
        containers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(containers)
    }

    /// The IDs of all containers.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn container_ids(&self) -> Result<HashSet<String>, EngineError> {
        let options = query::ListContainersOptions { all: true, ..Default::default() };
        let list = self.ask("list containers", self.quick.list_containers(Some(options)))?;
        Ok(list.into_iter().filter_map(|summary| summary.id).collect())
    }

    /// The names of all containers, each with its Compose project; empty where it has none.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn container_names(&self) -> Result<Vec<(String, String)>, EngineError> {
        let options = query::ListContainersOptions { all: true, ..Default::default() };
        let list = self.ask("list containers", self.quick.list_containers(Some(options)))?;
        let named = list.into_iter().flat_map(|summary| {
            let labels = summary.labels.unwrap_or_default();
            let project = labels.get("com.docker.compose.project").cloned().unwrap_or_default();
            let names = summary.names.unwrap_or_default();
            names.into_iter().map(move |name| (name.trim_start_matches('/').to_owned(), project.clone()))
        });
        Ok(named.collect())
    }

    /// The last lines of a container's log.
    pub fn log_tail(&self, id: &str, lines: usize) -> Vec<String> {
        let options =
            query::LogsOptions { stdout: true, stderr: true, tail: lines.to_string(), ..Default::default() };
        let collect = async {
            let mut text = String::new();
            let mut stream = std::pin::pin!(self.quick.logs(id, Some(options)));
            while let Some(Ok(piece)) = stream.next().await {
                text.push_str(&String::from_utf8_lossy(&piece.into_bytes()));
            }
            text
        };
        let limited = async { tokio::time::timeout(Duration::from_secs(QUICK), collect).await };
        let text = wait(limited).unwrap_or_default();
        let mut tail: Vec<String> = text.lines().map(|line| line.trim_end().to_owned()).collect();
        tail.split_off(tail.len().saturating_sub(lines))
    }
}
