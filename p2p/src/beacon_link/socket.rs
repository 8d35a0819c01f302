//! The socket file: for this user only, or for a group as well.

use std::{
    fs, io,
    os::unix::{
        fs::{FileTypeExt, PermissionsExt, chown},
        net::UnixStream,
    },
    path::{Path, PathBuf},
};

use nix::unistd::Group;
use tokio::net::UnixListener;

/// A socket that beacons can connect to. Its file is removed when this value is dropped.
pub struct Socket {
    listener: UnixListener,
    file: SocketFile,
}

/// The file in the file system.
pub struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

impl Socket {
    /// Listens on `path`. A socket that no process serves any more is replaced; any other file is left alone.
    pub fn bind(path: &Path, group: Option<&str>) -> Result<Self, String> {
        let name = path.display();
        let group = group.map(group_id).transpose()?;
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("cannot use the socket {name}: {error}")),
            Ok(info) if !info.file_type().is_socket() => return Err(format!("{name} exists and is not a socket")),
            Ok(_) if UnixStream::connect(path).is_ok() => return Err(format!("another process serves on {name}")),
            Ok(_) => {}
        }
        let listener = put(path, group).map_err(|error| format!("cannot listen on {name}: {error}"))?;
        Ok(Self { listener, file: SocketFile(path.into()) })
    }

    pub(super) fn into_parts(self) -> (UnixListener, SocketFile) {
        (self.listener, self.file)
    }
}

/// Makes the socket under a temporary name, sets its permissions, and renames it to `path` in one step.
fn put(path: &Path, group: Option<u32>) -> io::Result<UnixListener> {
    let temporary = temporary(path);
    remove(&temporary);
    let listener = UnixListener::bind(&temporary)?;
    let result = (|| {
        fs::set_permissions(&temporary, fs::Permissions::from_mode(0o600))?;
        if let Some(group) = group {
            chown(&temporary, None, Some(group))?;
            fs::set_permissions(&temporary, fs::Permissions::from_mode(0o660))?;
        }
        fs::rename(&temporary, path)
    })();
    if result.is_err() {
        remove(&temporary);
    }
    result.map(|()| listener)
}

fn temporary(path: &Path) -> PathBuf {
    path.with_file_name(format!(".p2p-{}", std::process::id()))
}

/// Removes a socket file. It is no error if the file does not exist.
fn remove(path: &Path) {
    let _ = fs::remove_file(path);
}

fn group_id(name: &str) -> Result<u32, String> {
    match Group::from_name(name) {
        Ok(Some(group)) => Ok(group.gid.as_raw()),
        Ok(None) => Err(format!("there is no group {name}")),
        Err(error) => Err(format!("cannot look up the group {name}: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use temp_dir::TempDir;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn error_of(result: Result<Socket, String>) -> String {
        result.err().unwrap()
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_a_served_one_is_not() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("engine.sock");
        let (listener, file) = Socket::bind(&path, None).unwrap().into_parts();
        assert_eq!(mode(&path), 0o600);
        assert!(error_of(Socket::bind(&path, None)).starts_with("another process serves on"));
        // This is the state after the process was killed.
        drop(listener);
        std::mem::forget(file);
        assert!(path.exists());
        let second = Socket::bind(&path, None).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        drop(second);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_file_that_is_no_socket_stays() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("precious");
        fs::write(&path, "text").unwrap();
        assert!(error_of(Socket::bind(&path, None)).ends_with("is not a socket"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "text");
    }

    #[tokio::test]
    async fn a_group_may_be_let_in() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("engine.sock");
        let own = Group::from_gid(nix::unistd::getegid()).unwrap().unwrap().name;
        let _listener = Socket::bind(&path, Some(&own)).unwrap();
        assert_eq!(mode(&path), 0o660);
        assert_eq!(error_of(Socket::bind(&path, Some("no-such-group"))), "there is no group no-such-group");
    }
}
