//! `airlift`, the packer's program. Everything is in the library, so that parsers can be tried without a process.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    packer::run()
}
