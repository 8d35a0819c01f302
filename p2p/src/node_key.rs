//! The key that identifies this engine to its peers: a file with 32 bytes in hex, as lean-quickstart writes it.
//!
//! It is not a validator key. Anyone who has it can pretend to be this engine.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::Path,
};

use libp2p::identity::{Keypair, secp256k1};

use crate::log::Log;

/// The largest key file in bytes.
const MAX_FILE: u64 = 256;

/// Reads the key. Makes one with mode 0600 if the file is missing.
///
/// The file must belong to the user of this process or to root, and must not be writable for others. If others can read
/// it, as with files of lean-quickstart, the key is used and a warning is logged.
pub fn load_or_make(path: &Path, log: &Log) -> Result<Keypair, String> {
    let name = path.display();
    match read(path, log) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => match make(path) {
            Ok(key) => {
                log.info("node_key_made", &[("file", &name)]);
                Ok(key)
            }
            // Another process has made the file at the same moment.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                read(path, log).map_err(|error| format!("cannot read the node key {name}: {error}"))
            }
            Err(error) => Err(format!("cannot make the node key {name}: {error}")),
        },
        Err(error) => Err(format!("cannot read the node key {name}: {error}")),
        Ok(key) => Ok(key),
    }
}

fn invalid(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}

fn read(path: &Path, log: &Log) -> io::Result<Keypair> {
    let file = OpenOptions::new().read(true).open(path)?;
    let info = file.metadata()?;
    if !info.is_file() {
        return Err(invalid("it is not a file"));
    }
    let user = nix::unistd::geteuid().as_raw();
    if info.uid() != user && info.uid() != 0 {
        return Err(invalid(format!("it belongs to user {}, not to this process's user {user} or root", info.uid())));
    }
    if info.mode() & 0o022 != 0 {
        return Err(invalid("others can write it; run: chmod 600 on it"));
    }
    if info.mode() & 0o044 != 0 {
        log.warn("node_key_readable", &[("file", &path.display()), ("advice", &"chmod 600")]);
    }
    let mut text = String::new();
    file.take(MAX_FILE).read_to_string(&mut text)?;
    parse(&text).map_err(invalid)
}

/// Parses a key. Errors do not quote the text, which is secret.
fn parse(text: &str) -> Result<Keypair, String> {
    let text = text.trim();
    let bytes = hex::decode(text.strip_prefix("0x").unwrap_or(text)).map_err(|_| "it is not 32 bytes in hex")?;
    if bytes.len() != 32 {
        return Err("it is not 32 bytes in hex".into());
    }
    let secret = secp256k1::SecretKey::try_from_bytes(bytes).map_err(|_| "it is not a key of secp256k1")?;
    Ok(secp256k1::Keypair::from(secret).into())
}

/// Writes a temporary file and links it to its place in one step, so that an incomplete file never stays behind.
fn make(path: &Path) -> io::Result<Keypair> {
    let pair = secp256k1::Keypair::generate();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let temporary = folder.join(format!(".node-key.{:016x}", rand::random::<u64>()));
    let result = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(hex::encode(pair.secret().to_bytes()).as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        // Unlike a rename, a link does not replace a file that another process has put there meanwhile.
        fs::hard_link(&temporary, path)?;
        fs::File::open(folder)?.sync_all()
    })();
    let _ = fs::remove_file(&temporary);
    result.map(|()| pair.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use temp_dir::TempDir;

    use super::*;
    use crate::log::{Form, Levels};

    fn log() -> Log {
        Log::to(Levels::parse("error").unwrap(), Form::Text, |_| true).unwrap()
    }

    #[test]
    fn who_make_a_key_at_once_have_the_same_one() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("node.key");
        let made = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| load_or_make(&path, &log()).unwrap().public())).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(made.iter().all(|key| *key == made[0]));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_missing_key_is_made_and_kept() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("node.key");
        let made = load_or_make(&path, &log()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(load_or_make(&path, &log()).unwrap().public(), made.public());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_of_lean_quickstart_is_taken() {
        let pair = parse("af27950128b49cda7e7bc9fcb7b0270f7a3945aa7543326f3bfdbd57d2a97a32\n").unwrap();
        let expected = "16Uiu2HAmPQhkD6Zg5Co2ee8ShshkiY4tDePKFARPpCS2oKSLj1E1";
        assert_eq!(pair.public().to_peer_id().to_string(), expected);
    }

    #[test]
    fn what_is_no_key_is_refused_and_not_quoted() {
        for text in ["", "secret", &"ab".repeat(31), &"ab".repeat(33), &"00".repeat(32), &"ff".repeat(32)] {
            let error = parse(text).unwrap_err();
            assert!(text.is_empty() || !error.contains(text), "{error}");
        }
    }

    #[test]
    fn a_key_that_others_can_write_is_refused() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("node.key");
        load_or_make(&path, &log()).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o620)).unwrap();
        assert!(load_or_make(&path, &log()).unwrap_err().contains("chmod 600"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(load_or_make(&path, &log()).is_ok());
    }
}
