//! Builds the installer stub and puts it where the packer embeds it, so that one `cargo build` makes one tool.
//! What the packer does with the stub is not decided here.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Settings of the outer build that must not reach the inner one: flags would replace those of `.cargo/config.toml`,
/// which make the stub static; the wrapper would run clippy instead of the compiler.
const NOT_INHERITED: [&str; 4] =
    ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_TARGET"];

fn main() -> Result<(), Box<dyn Error>> {
    let workspace = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("..");
    let folder = PathBuf::from(env::var("OUT_DIR")?).join("stub");
    let arch = env::var("CARGO_CFG_TARGET_ARCH")?;
    println!("cargo:rerun-if-env-changed=AIRLIFT_STUB");
    let stub = match env::var_os("AIRLIFT_STUB").filter(|given| !given.is_empty()) {
        Some(given) => PathBuf::from(given),
        None => build(&workspace)?,
    };
    println!("cargo:rerun-if-changed={}", stub.display());
    // A stub of another architecture left by an earlier build must not be embedded beside this one.
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    fs::copy(&stub, folder.join(arch)).map_err(|error| format!("{}: {error}", stub.display()))?;
    Ok(())
}

/// Builds the installer into a target directory of its own: the outer build holds the lock of the usual one.
fn build(workspace: &Path) -> Result<PathBuf, Box<dyn Error>> {
    for input in ["installer", "bundle-spec", "Cargo.lock", "Cargo.toml", ".cargo/config.toml"] {
        println!("cargo:rerun-if-changed={}", workspace.join(input).display());
    }
    let target = env::var("TARGET")?;
    let target_dir = target_dir(workspace)?.join("stub");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace).args([
        "build",
        "--package",
        "installer",
        "--profile",
        "stub",
        "--target",
        &target,
    ]);
    cargo.arg("--target-dir").arg(&target_dir);
    cargo.arg("--config").arg(link_args(workspace, &target)?);
    if workspace.join("Cargo.lock").exists() {
        cargo.arg("--locked");
    }
    for name in NOT_INHERITED {
        cargo.env_remove(name);
    }
    if !cargo.status()?.success() {
        return Err("the installer stub does not build; its errors are above".into());
    }
    let stub = target_dir.join(&target).join("stub/airlift-installer");
    if target == env::var("HOST")? {
        // The relocations are packed in a way that only a C library from 2.36 on unpacks; it is linked in, so this shows it.
        let starts = Command::new(&stub).arg("--version").output()?.status.success();
        if !starts {
            return Err("the installer stub does not start; is the C library older than glibc 2.36?".into());
        }
    }
    Ok(stub)
}

/// Makes the stub small: no unwind tables in a program that aborts, packed relocations, and functions of the same code once, which
/// only the linker that Rust brings for x86_64 can do. Added to what `.cargo/config.toml` says for the target.
fn link_args(workspace: &Path, target: &str) -> Result<String, Box<dyn Error>> {
    let script = workspace.canonicalize()?.join("installer/no-unwind.ld");
    let mut flags = vec!["-z,pack-relative-relocs".to_owned(), "--no-eh-frame-hdr".to_owned()];
    if target.starts_with("x86_64-") {
        flags.push("--icf=all".to_owned());
    }
    flags.push(format!("-T,{}", script.display()));
    let flags: Vec<_> = flags.iter().map(|flag| format!("{:?}", format!("-Clink-arg=-Wl,{flag}"))).collect();
    Ok(format!("target.{target}.rustflags=[{}]", flags.join(",")))
}

/// The directory that the outer build uses, which `CARGO_TARGET_DIR` may have moved out of the workspace.
fn target_dir(workspace: &Path) -> Result<PathBuf, Box<dyn Error>> {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => Ok(env::current_dir()?.join(dir)),
        None => Ok(workspace.canonicalize()?.join("target")),
    }
}
