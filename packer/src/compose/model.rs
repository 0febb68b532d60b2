//! What Compose says about a project: the parts of `config --format json` that packing and linting need.

use std::collections::BTreeMap;
use std::path::Path;

use bundle_spec::project::Footprint;
use serde::Deserialize;
use serde_json::Value;

/// A project.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Model {
    /// Its services by name; those of profiles that are off are not there.
    #[serde(default)]
    pub services: BTreeMap<String, Service>,
    /// Its networks by name.
    #[serde(default)]
    pub networks: BTreeMap<String, Option<Network>>,
}

/// A network.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Network {
    /// Made by somebody else.
    #[serde(default)]
    pub external: bool,
    /// Which addresses it has.
    #[serde(default)]
    pub ipam: Ipam,
}

/// Addresses of a network.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Ipam {
    /// Its subnets, each with settings of its own.
    #[serde(default)]
    pub config: Vec<Subnet>,
}

/// Settings of a subnet.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Subnet {
    /// `address/length`.
    pub subnet: Option<String>,
}

/// A service.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Service {
    /// The fixed name of its container.
    pub container_name: Option<String>,
    /// Its image; filled in where Compose would make up a name.
    #[serde(default)]
    pub image: String,
    /// How to build it.
    pub build: Option<Value>,
    /// When to pull its image.
    pub pull_policy: Option<String>,
    /// Whether it may do everything.
    #[serde(default)]
    pub privileged: bool,
    /// What shows that it is healthy.
    pub healthcheck: Option<Value>,
    /// When it is started again.
    pub restart: Option<String>,
    /// Swarm's settings, which can hold a restart policy too.
    pub deploy: Option<Value>,
    /// Where its output goes.
    pub logging: Option<Value>,
    /// What is mounted into it.
    #[serde(default)]
    pub volumes: Vec<Mount>,
}

/// A mount.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Mount {
    /// `bind`, `volume` and so on.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is mounted. For bind mounts inside the project: relative to it.
    #[serde(default)]
    pub source: String,
    /// Where to.
    #[serde(default)]
    pub target: String,
}

impl Model {
    /// Makes paths relative to the project that Compose was asked about, and names the images that have no name.
    pub fn relate_to(&mut self, root: &Path, project: &str) {
        for (name, service) in &mut self.services {
            if service.image.is_empty() {
                service.image = format!("{project}-{name}");
            }
            for mount in service.volumes.iter_mut().filter(|mount| mount.kind == "bind") {
                if let Ok(relative) = Path::new(&mount.source).strip_prefix(root) {
                    mount.source = relative.to_string_lossy().into_owned();
                }
            }
        }
    }

    /// What the project will take up in an engine.
    pub fn footprint(&self) -> Footprint {
        let made: Vec<_> = self.networks.values().flatten().filter(|network| !network.external).collect();
        let subnets = made.iter().flat_map(|network| &network.ipam.config);
        let subnets = subnets.filter_map(|subnet| subnet.subnet.clone());
        let names = self.services.values().filter_map(|service| service.container_name.clone());
        Footprint {
            container_names: names.collect(),
            networks: u32::try_from(made.len()).ok(),
            // Addresses of version 6 collide with nobody's by accident.
            subnets: subnets.filter(|subnet| !subnet.contains(':')).collect(),
        }
    }

    /// The names of the services, in the order of the Compose file as far as its text shows it.
    pub fn service_names(&self, text: &str) -> Vec<String> {
        let place = |name: &str| {
            let starts = |line: &str| {
                let key = line.trim_start();
                key.len() < line.len() && key.strip_prefix(name).is_some_and(|rest| rest.starts_with(':'))
            };
            text.lines().position(starts).unwrap_or(usize::MAX)
        };
        let mut names: Vec<_> = self.services.keys().cloned().collect();
        names.sort_by_key(|name| place(name));
        names
    }
}
