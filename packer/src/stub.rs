//! The installer stubs that this packer carries; the build script made them.

use rust_embed::RustEmbed;

use crate::launcher::Stub;
use crate::outcome::{Failure, Outcome};

#[derive(RustEmbed)]
#[folder = "$OUT_DIR/stub"]
struct Embedded;

/// The stub for a machine of architecture `arch`.
pub fn for_arch(arch: &str) -> Outcome<Stub> {
    match Embedded::get(arch) {
        Some(stub) => Ok(Stub { arch: arch.to_owned(), bytes: stub.data.into_owned() }),
        None => {
            let known: Vec<_> = Embedded::iter().collect();
            Err(Failure::usage(format!("this airlift has no installer for {arch}"))
                .because(format!("it has installers for {}", known.join(", ")))
                .hint("set requirements.arch, or use an airlift that was built for that architecture"))
        }
    }
}
