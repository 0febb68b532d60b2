//! Unix sockets that other processes of the same user come in by.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::fault::{self, Act};
use super::file::{self, Access};

/// Listens at `path`, in place of whatever an earlier process left there. Its directory keeps other users out until the mode
/// does.
///
/// # Errors
/// As the system says: not every file system can hold a socket.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    let (_dir, short) = shortened(path)?;
    fault::pass(Act::Bind, path)?;
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(short)?;
    file::apply(path, Access::PRIVATE)?;
    Ok(listener)
}

/// Connects to whoever listens at `path`.
///
/// # Errors
/// As the system says; "refused" when the one who listened is gone.
pub fn connect(path: &Path) -> io::Result<UnixStream> {
    let (_dir, short) = shortened(path)?;
    UnixStream::connect(short)
}

/// Whether the process on the other side runs as the same user as we do.
pub fn is_own_user(stream: &UnixStream) -> bool {
    rustix::net::sockopt::socket_peercred(stream).is_ok_and(|peer| peer.uid == rustix::process::geteuid())
}

/// Gives up reading after so long; `None` waits for ever.
///
/// # Errors
/// As the system says.
pub fn limit_reading(stream: &UnixStream, limit: Option<Duration>) -> io::Result<()> {
    stream.set_read_timeout(limit)
}

/// A socket's path may have 107 bytes, a project directory more: the same path by way of its open directory.
fn shortened(path: &Path) -> io::Result<(File, PathBuf)> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let dir = File::open(parent)?;
    let short = PathBuf::from(format!("/proc/self/fd/{}", dir.as_raw_fd())).join(name);
    Ok((dir, short))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_path_longer_than_a_sockets_may_be_is_no_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("d".repeat(120));
        std::fs::create_dir(&deep).unwrap();
        let path = deep.join("live");
        // What a process that was killed has left.
        drop(listen(&path).unwrap());
        assert_eq!(connect(&path).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        let listener = listen(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let mut near = connect(&path).unwrap();
        let (mut far, _) = listener.accept().unwrap();
        assert!(is_own_user(&far));
        near.write_all(b"x").unwrap();
        let mut got = [0];
        far.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"x");
    }
}
