//! The witness's key: a file that its owner alone may read, and the public half beside it.

use evidence::{KeyError, KeyName, KeyUse, SEED_BYTES, SigningKey, VerifierKey};
use service::durable::{OWNER_ONLY, READABLE, make_folder, read_bounded, sync_folder, write_new};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The private key's file in the witness's directory.
pub const KEY_NAME: &str = "witness.key";
/// The public key's file beside it.
pub const VKEY_NAME: &str = "witness.vkey";
const KEY_LIMIT_BYTES: usize = 1024;
/// What group and others may not do with a private key: anything.
const OF_OTHERS: u32 = 0o077;

/// Why a key cannot be used or made.
#[derive(Debug, Error)]
pub enum KeyFileError {
    /// There is no key.
    #[error("there is no key `{}`: make one with `planwatch witness key new --name NAME --out DIR`", .0.display())]
    None(PathBuf),
    /// There is one already.
    #[error("`{}` is there already and is not replaced: a witness has one key, begin another in a new directory", .0.display())]
    There(PathBuf),
    /// The disk refused.
    #[error("cannot use `{}`", path.display())]
    Files {
        /// What was used.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds no key.
    #[error("`{}` cannot be used as a key", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        source: KeyError,
    },
    /// Others could read the private key.
    #[error("others than its owner may use the private key `{}`: `chmod 600` it, or make a new one if it was seen", .0.display())]
    Open(PathBuf),
}

/// Reads the private key from the witness's directory.
pub fn read_key(directory: &Path) -> Result<SigningKey, KeyFileError> {
    let path = directory.join(KEY_NAME);
    let refused = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => KeyFileError::None(path.clone()),
        _ => KeyFileError::Files { path: path.clone(), source },
    };
    if std::fs::metadata(&path).map_err(refused)?.mode() & OF_OTHERS != 0 {
        return Err(KeyFileError::Open(path));
    }
    let bytes = read_bounded(&path, KEY_LIMIT_BYTES).map_err(refused)?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    text.trim_end().parse().map_err(|source| KeyFileError::Key { path, source })
}

/// Makes a witness's directory with a new key in it, from a seed that the system's randomness gave; gives the
/// public half, which logs and verifiers are told.
pub fn make_key(
    directory: &Path,
    name: &KeyName,
    seed: &[u8; SEED_BYTES],
) -> Result<VerifierKey, KeyFileError> {
    let key = SigningKey::from_seed(name.clone(), seed);
    let public = key.verifier(KeyUse::Cosigner);
    let (private_path, public_path) = (directory.join(KEY_NAME), directory.join(VKEY_NAME));
    let refused = |path: &Path| {
        let path = path.to_owned();
        move |source| KeyFileError::Files { path, source }
    };
    make_folder(directory).map_err(refused(directory))?;
    let beside = directory.join(format!("{KEY_NAME}.new"));
    write_new(&beside, format!("{}\n", key.to_secret_text()).as_bytes(), OWNER_ONLY)
        .map_err(refused(&beside))?;
    // A link, in place of a rename, replaces nothing.
    let linked = std::fs::hard_link(&beside, &private_path);
    std::fs::remove_file(&beside).map_err(refused(&beside))?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(KeyFileError::There(private_path));
        }
        linked => linked.map_err(refused(&private_path))?,
    }
    write_new(&public_path, format!("{public}\n").as_bytes(), READABLE).map_err(refused(&public_path))?;
    sync_folder(directory).map_err(refused(directory))?;
    Ok(public)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    fn name() -> KeyName {
        KeyName::parse("witness.example/w1").unwrap()
    }

    #[test]
    fn a_key_is_made_once_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("witness");
        assert!(matches!(read_key(&directory), Err(KeyFileError::None(_))));
        let public = make_key(&directory, &name(), &[1; SEED_BYTES]).unwrap();
        assert_eq!(read_key(&directory).unwrap().verifier(KeyUse::Cosigner), public);
        assert_eq!(std::fs::read_to_string(directory.join(VKEY_NAME)).unwrap(), format!("{public}\n"));
        assert_eq!(std::fs::metadata(&directory).unwrap().mode() & 0o777, 0o700);
        assert_eq!(std::fs::metadata(directory.join(KEY_NAME)).unwrap().mode() & 0o777, 0o600);
        let again = make_key(&directory, &name(), &[2; SEED_BYTES]);
        assert!(matches!(again, Err(KeyFileError::There(_))), "{again:?}");
        assert_eq!(read_key(&directory).unwrap().verifier(KeyUse::Cosigner), public, "it is the first one");
        let names = std::fs::read_dir(&directory).unwrap().count();
        assert_eq!(names, 2, "nothing is left beside the two files");
    }

    #[test]
    fn a_private_key_that_others_may_read_or_that_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        make_key(folder.path(), &name(), &[1; SEED_BYTES]).unwrap();
        let path = folder.path().join(KEY_NAME);
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read_key(folder.path()), Err(KeyFileError::Open(_))));
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        for wrong in ["", "hello\n", &"x".repeat(2_000)] {
            std::fs::write(&path, wrong).unwrap();
            let said = read_key(folder.path()).unwrap_err().to_string();
            assert!(said.contains("witness.key"), "{said}");
        }
    }
}
