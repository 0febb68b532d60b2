//! What the Compose file says about images and ports, as parts of a first definition. What it does not say is left to a person,
//! as a comment with capital letters where something has to be put in.

use std::fmt::Write as _;

use bundle_spec::reference::{ImageReference, InvalidReference};

use super::{question_id, quoted};
use crate::compose::outline::{Port, Published, Service};

/// The images, each as far as it is known.
pub fn images(services: &[Service], compose_file: &str) -> String {
    let mut text = format!("\n# Images are taken from the running engine, by their names in {compose_file}");
    text.push_str(if services.is_empty() { ".\n" } else { ":\n" });
    for service in services {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "#   {}: {}", service.name, of_service(service, compose_file));
    }
    let plain = services.iter().find_map(|service| plain(service.image.as_deref()?).ok());
    let (reference, file) = match &plain {
        Some(image) => (image.as_str(), file_name(image)),
        None => ("NAME:VERSION", "NAME".to_owned()),
    };
    let _ = writeln!(
        text,
        "# To take one from a file instead:\n# [[image]]\n# reference = {}\n# source = \"archive\"\n\
         # path = \"images/{file}.tar\"   # docker save, OCI archive, OCI layout",
        quoted(reference)
    );
    text
}

fn of_service(service: &Service, compose_file: &str) -> String {
    let name = &service.name;
    let build = if service.is_built {
        format!(", to be built before packing: docker compose build {name}")
    } else {
        String::new()
    };
    match service.image.as_deref() {
        None if service.is_built => {
            format!(
                "is built and has no name: give it `image: NAME:VERSION` in {compose_file}, and build it before packing"
            )
        }
        None => "its image is not seen here".to_owned(),
        Some(image) if image.contains('$') => format!("{image}, with the defaults of the questions{build}"),
        Some(image) => match plain(image) {
            Ok(reference) if !image.ends_with(&format!(":{}", reference.tag())) => {
                format!("{image}, which is {reference}: better give it a version{build}")
            }
            Ok(_) => format!("{image}{build}"),
            Err(InvalidReference::Pinned(_)) => {
                format!("{image}, which is pinned by digest and cannot be packed: give it a tag alone")
            }
            Err(_) => format!("{image}, which is not the name of an image"),
        },
    }
}

/// A name that can be packed.
fn plain(image: &str) -> Result<ImageReference, InvalidReference> {
    ImageReference::parse(image)
}

fn file_name(image: &ImageReference) -> String {
    let name = image.as_str().rsplit('/').next().unwrap_or_default();
    name.split(':').next().unwrap_or(name).to_owned()
}

/// The ports of the machine, and what is to be looked at on them.
pub fn host(services: &[Service], compose_file: &str) -> String {
    let ports: Vec<(&Service, &Port, Option<String>)> = services
        .iter()
        .flat_map(|service| service.ports.iter().map(move |port| (service, port, known(service, port))))
        .collect();
    let mut list: Vec<String> = Vec::new();
    for (_, _, port) in &ports {
        let written =
            port.as_ref().map(|port| if port.starts_with('{') { quoted(port) } else { port.clone() });
        list.extend(written.filter(|port| !list.contains(port)));
    }
    let mut text =
        "# What the customer's machine must offer. What is not stated is not required:\n".to_owned();
    let _ = match list.is_empty() {
        true => writeln!(
            text,
            "# [requirements]\n# ports = [PORT]    # {compose_file} publishes none that is known here"
        ),
        false => {
            writeln!(text, "[requirements]\nports = [{}]    # published in {compose_file}", list.join(", "))
        }
    };
    let left_out =
        ports.iter().filter(|(_, port, known)| known.is_none() && port.published != Published::Any);
    for (service, port, _) in left_out {
        let when = if service.in_profile { ", once its profile is switched on" } else { "" };
        let _ =
            writeln!(text, "# What {} publishes as {} belongs there as well{when}.", service.name, port.text);
    }
    text.push_str(REQUIREMENTS);
    let first = ports.iter().find_map(|(service, _, port)| Some((service.name.as_str(), port.as_deref()?)));
    let (name, port) = first.unwrap_or(("page", "PORT"));
    let _ = writeln!(
        text,
        "\n# What proves that it works, if it is a page:\n# [[check]]\n# name = {}\n# url = \"http://127.0.0.1:{port}/\"\n\
         # status = 200\n# timeout = \"60s\"",
        quoted(name)
    );
    let public = ports.iter().filter(|(_, port, _)| !port.is_local).find_map(|(_, _, port)| port.as_deref());
    let _ = writeln!(
        text,
        "\n# What is shown at the end. ADDRESS is a name, or the {{id}} of a question of kind host:\n# [[link]]\n\
         # title = {{ zh = \"首页\", en = \"Home page\" }}\n# url = \"http://ADDRESS:{}/\"",
        public.unwrap_or("PORT")
    );
    text
}

const REQUIREMENTS: &str = r#"# cores = 2
# memory = "4 GB"
# disk = "10 GB"    # for the application's own data
# kernel = "3.10"
"#;

/// A port as a definition names it: a number, or a question's placeholder. Whether a profile will be on is not known.
fn known(service: &Service, port: &Port) -> Option<String> {
    if service.in_profile {
        return None;
    }
    match &port.published {
        Published::Fixed(port) => Some(port.to_string()),
        Published::Variable(name) => question_id(name).map(|id| format!("{{{id}}}")),
        Published::Any | Published::Unclear => None,
    }
}
