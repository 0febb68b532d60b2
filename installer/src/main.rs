//! The installer's executable: hands the process to the library and its exit code to the shell.

#[cfg(all(target_env = "gnu", target_feature = "crt-static"))]
mod c_symbols;

fn main() -> std::process::ExitCode {
    installer::run()
}
