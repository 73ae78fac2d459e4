//! The log's signing keys: a directory of private keys that sign, and of every public key that ever did.
//!
//! ```text
//! <id>.key    a private key that signs, readable by its owner only
//! vkeys       the public keys of all that signed at any time, one a line: what outsiders are given
//! checkpoint  the last checkpoint that they signed: no later one may contradict it
//! ```
//!
//! A checkpoint carries a signature of every private key there is. So a rotation is a new key beside the old
//! one, a while in which both sign, and the old one's removal; its public half stays in `vkeys`, with which
//! older checkpoints go on verifying.

use evidence::{KeyError, KeyName, KeyUse, SEED_BYTES, SigningKey, VerifierKey};
use service::durable::{OWNER_ONLY, make_folder, replace_and_sync};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use thiserror::Error;

const VKEYS_NAME: &str = "vkeys";
const PRIVATE_EXTENSION: &str = "key";
/// The most private keys that sign at once.
const SIGNING_LIMIT: usize = 8;
/// What group and others may not do with a private key: anything.
const OF_OTHERS: u32 = 0o077;
/// What they may not do with the directory: put keys into it.
const WRITE_OF_OTHERS: u32 = 0o022;

/// The keys of one log.
#[derive(Debug, Clone)]
pub struct Keys {
    name: KeyName,
    signing: Vec<SigningKey>,
    verifying: Vec<VerifierKey>,
}

/// Why keys cannot be used.
#[derive(Debug, Error)]
pub enum KeysError {
    /// The disk refused.
    #[error("cannot use `{}`", path.display())]
    Files {
        /// What was used.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file holds no key.
    #[error("`{}` cannot be used as a key", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        source: KeyError,
    },
    /// Others could read a private key.
    #[error("others than its owner may use the private key `{}`: `chmod 600` it, or make a new one if it was seen", path.display())]
    Open {
        /// The file.
        path: PathBuf,
    },
    /// Others could put keys into the directory.
    #[error("others than its owner may write into `{}`: `chmod 700` it, and look at the keys in it", directory.display())]
    OpenDirectory {
        /// The directory.
        directory: PathBuf,
    },
    /// The directory is not there.
    #[error(
        "there are no keys in `{}`: bring the directory from where it is kept, or make a first key with \
         `planwatch key new`",
        .0.display()
    )]
    Missing(PathBuf),
    /// There is nothing to sign with.
    #[error(
        "`{}` holds no private key: bring it from where it is kept, or make another one with `planwatch key rotate`; \
         outsiders need the new public key then",
        .0.display()
    )]
    None(PathBuf),
    /// There are more keys than may sign.
    #[error("`{}` holds more than {SIGNING_LIMIT} private keys: retire some with `planwatch key retire`", .0.display())]
    TooMany(PathBuf),
    /// Keys of several logs lie together.
    #[error("`{}` holds keys named `{one}` and `{other}`: the keys of one log have one name, which is its origin", directory.display())]
    Names {
        /// The directory.
        directory: PathBuf,
        /// A name.
        one: KeyName,
        /// Another one.
        other: KeyName,
    },
    /// There is no such key, or it is the last one.
    #[error("`{}` holds no private key {id:08x}, or it is the only one: make a new one first", directory.display())]
    NotRetired {
        /// The directory.
        directory: PathBuf,
        /// The key's id.
        id: u32,
    },
}

impl Keys {
    /// Reads a directory of keys.
    pub fn read(directory: &Path) -> Result<Keys, KeysError> {
        let refused = |path: &Path| {
            let path = path.to_owned();
            move |source| KeysError::Files { path, source }
        };
        match std::fs::metadata(directory) {
            Ok(found) if found.mode() & WRITE_OF_OTHERS != 0 => {
                return Err(KeysError::OpenDirectory { directory: directory.to_owned() });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(KeysError::Missing(directory.to_owned()));
            }
            Ok(_) | Err(_) => {}
        }
        let mut files = Vec::new();
        for entry in std::fs::read_dir(directory).map_err(refused(directory))? {
            let path = entry.map_err(refused(directory))?.path();
            if path.extension().is_some_and(|extension| extension == PRIVATE_EXTENSION) {
                files.push(path);
            }
        }
        files.sort();
        let mut signing: Vec<SigningKey> = Vec::new();
        for path in files {
            let metadata = std::fs::metadata(&path).map_err(refused(&path))?;
            if metadata.mode() & OF_OTHERS != 0 {
                return Err(KeysError::Open { path });
            }
            let text = std::fs::read_to_string(&path).map_err(refused(&path))?;
            let key: SigningKey =
                text.trim_end().parse().map_err(|source| KeysError::Key { path, source })?;
            if let Some(first) = signing.first().filter(|first| first.name() != key.name()) {
                let (one, other) = (first.name().clone(), key.name().clone());
                return Err(KeysError::Names { directory: directory.to_owned(), one, other });
            }
            signing.push(key);
        }
        let Some(first) = signing.first() else { return Err(KeysError::None(directory.to_owned())) };
        if signing.len() > SIGNING_LIMIT {
            return Err(KeysError::TooMany(directory.to_owned()));
        }
        let mut verifying = read_vkeys(directory)?;
        for key in signing.iter().map(|key| key.verifier(KeyUse::Log)) {
            if !verifying.contains(&key) {
                verifying.push(key);
            }
        }
        Ok(Keys { name: first.name().clone(), signing, verifying })
    }

    /// The name of the keys, which is the log's origin.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// Those that sign.
    pub fn signing(&self) -> Vec<&SigningKey> {
        self.signing.iter().collect()
    }

    /// The public halves of all that sign or signed.
    pub fn verifying(&self) -> &[VerifierKey] {
        &self.verifying
    }

    /// The public half of the newest key that signs.
    pub fn newest(&self) -> VerifierKey {
        let signs = |known: &&VerifierKey| self.signs(known);
        self.verifying.iter().rev().find(signs).cloned().expect("the public half of each that signs is there")
    }

    /// Whether the private half of a key is there.
    pub fn signs(&self, key: &VerifierKey) -> bool {
        self.signing.iter().any(|signing| signing.verifier(KeyUse::Log) == *key)
    }

    /// Whether the same keys sign, and the same are known.
    pub fn is_same(&self, other: &Keys) -> bool {
        let signing =
            |keys: &Keys| keys.signing.iter().map(|key| key.verifier(KeyUse::Log)).collect::<Vec<_>>();
        self.verifying == other.verifying && signing(self) == signing(other)
    }

    /// Makes a private key beside those that are there, from a seed that the system's randomness gave.
    pub fn make(directory: &Path, name: &KeyName, seed: &[u8; SEED_BYTES]) -> Result<VerifierKey, KeysError> {
        let refused = |path: &Path| {
            let path = path.to_owned();
            move |source| KeysError::Files { path, source }
        };
        make_folder(directory).map_err(refused(directory))?;
        let key = SigningKey::from_seed(name.clone(), seed);
        let public = key.verifier(KeyUse::Log);
        // The public half first: no checkpoint is signed by a key that outsiders cannot be told of.
        let mut known = read_vkeys(directory)?;
        if let Some(other) = known.iter().map(VerifierKey::name).find(|other| *other != name) {
            let (one, other) = (name.clone(), other.clone());
            return Err(KeysError::Names { directory: directory.to_owned(), one, other });
        }
        known.push(public.clone());
        let text: String = known.iter().map(|key| format!("{key}\n")).collect();
        write_whole(&directory.join(VKEYS_NAME), &text).map_err(refused(&directory.join(VKEYS_NAME)))?;
        let path = private_file(directory, public.id());
        write_whole(&path, &format!("{}\n", key.to_secret_text())).map_err(refused(&path))?;
        Ok(public)
    }

    /// Removes a private key, which then signs nothing more; its public half stays known.
    pub fn retire(directory: &Path, id: u32) -> Result<(), KeysError> {
        let keys = Keys::read(directory)?;
        let not_retired = || KeysError::NotRetired { directory: directory.to_owned(), id };
        let is_there = keys.signing.iter().any(|key| key.verifier(KeyUse::Log).id() == id);
        if !is_there || keys.signing.len() < 2 {
            return Err(not_retired());
        }
        let path = private_file(directory, id);
        std::fs::remove_file(&path).map_err(|source| KeysError::Files { path, source })
    }
}

/// The public keys of all that signed at any time; none where there is no such file yet.
pub fn read_vkeys(directory: &Path) -> Result<Vec<VerifierKey>, KeysError> {
    let path = directory.join(VKEYS_NAME);
    match std::fs::read_to_string(&path) {
        Ok(text) => VerifierKey::parse_lines(&text).map_err(|source| KeysError::Key { path, source }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(KeysError::Files { path, source }),
    }
}

fn private_file(directory: &Path, id: u32) -> PathBuf {
    directory.join(format!("{id:08x}.{PRIVATE_EXTENSION}"))
}

/// Replaces a file of the owner's alone. What a key has signed is given away: it must not be lost with the power.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    replace_and_sync(path, text.as_bytes(), OWNER_ONLY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    fn name() -> KeyName {
        KeyName::parse("planwatch/binh-duong").unwrap()
    }

    #[test]
    fn a_key_is_made_beside_another_and_the_older_one_is_retired() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("keys");
        assert!(matches!(Keys::read(&directory), Err(KeysError::Missing(_))));
        let first = Keys::make(&directory, &name(), &[1; SEED_BYTES]).unwrap();
        assert!(matches!(Keys::retire(&directory, first.id()), Err(KeysError::NotRetired { .. })));
        let second = Keys::make(&directory, &name(), &[2; SEED_BYTES]).unwrap();
        assert_eq!(Keys::read(&directory).unwrap().signing().len(), 2);
        Keys::retire(&directory, first.id()).unwrap();
        let keys = Keys::read(&directory).unwrap();
        assert_eq!(keys.signing().len(), 1);
        assert_eq!(
            (keys.signing()[0].verifier(KeyUse::Log), keys.newest()),
            (second.clone(), second.clone())
        );
        assert!(keys.signs(&second) && !keys.signs(&first));
        assert_eq!(keys.verifying(), [first, second], "what the old one signed goes on verifying");
    }

    #[test]
    fn a_private_key_that_others_may_read_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let made = Keys::make(folder.path(), &name(), &[1; SEED_BYTES]).unwrap();
        let file = private_file(folder.path(), made.id());
        assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        std::fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Keys::read(folder.path()), Err(KeysError::Open { .. })));
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        Keys::read(folder.path()).unwrap();
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(Keys::read(folder.path()), Err(KeysError::OpenDirectory { .. })));
    }

    #[test]
    fn the_keys_of_two_logs_do_not_lie_together() {
        let folder = tempfile::tempdir().unwrap();
        Keys::make(folder.path(), &name(), &[1; SEED_BYTES]).unwrap();
        let other = KeyName::parse("planwatch/other").unwrap();
        let made = Keys::make(folder.path(), &other, &[2; SEED_BYTES]);
        assert!(matches!(made, Err(KeysError::Names { .. })));
        let beside = folder.path().join("beside");
        let moved = Keys::make(&beside, &other, &[2; SEED_BYTES]).unwrap();
        std::fs::rename(private_file(&beside, moved.id()), private_file(folder.path(), moved.id())).unwrap();
        assert!(matches!(Keys::read(folder.path()), Err(KeysError::Names { .. })));
    }

    #[test]
    fn what_is_no_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(Keys::read(folder.path()), Err(KeysError::None(_))));
        let path = folder.path().join("00000000.key");
        std::fs::write(&path, "hello\n").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let said = Keys::read(folder.path()).unwrap_err().to_string();
        assert!(said.contains("00000000.key"), "{said}");
    }
}
