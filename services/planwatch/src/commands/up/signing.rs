//! The log's signing keys at a start: made at the first one, looked at from then on.

use crate::data_directory::DataDirectory;
use crate::signing_keys;
use anyhow::Context;
use events::PlanId;
use ingestion::keys::Keys;
use std::io::ErrorKind;

/// Makes the first key of a data directory that has none yet; gives the public half of the newest one.
///
/// A directory from which the private keys are gone is for a person: outsiders hold their public halves.
pub(super) fn prepare(directory: &DataDirectory, plan: &PlanId) -> anyhow::Result<String> {
    let keys = directory.keys_folder();
    if !keys.exists() {
        // Made beside and moved into place: what a killed start leaves is no directory without its private key.
        let beside = keys.with_extension("making");
        match std::fs::remove_dir_all(&beside) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(
                    anyhow::Error::new(error).context(format!("cannot remove `{}`", beside.display()))
                );
            }
            _ => {}
        }
        signing_keys::make(&beside, &signing_keys::name_of(plan))?;
        std::fs::rename(&beside, &keys)
            .and_then(|()| std::fs::File::open(directory.root())?.sync_all())
            .with_context(|| format!("cannot move the new key to `{}`", keys.display()))?;
    }
    let keys = Keys::read(&keys).context("cannot sign for the log")?;
    Ok(keys.newest().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_first_key_is_made_once_and_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let directory = DataDirectory::prepare(folder.path()).unwrap();
        let plan = PlanId::parse("binh-duong").unwrap();
        std::fs::create_dir(folder.path().join("keys.making")).unwrap();
        let vkey = prepare(&directory, &plan).unwrap();
        assert!(vkey.starts_with("planwatch/binh-duong+"), "{vkey}");
        assert_eq!(prepare(&directory, &plan).unwrap(), vkey);
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&directory.keys_folder()), 0o700);
        let files = std::fs::read_dir(directory.keys_folder()).unwrap().map(|entry| entry.unwrap().path());
        let key = files.into_iter().find(|path| path.extension().is_some_and(|end| end == "key")).unwrap();
        assert_eq!(mode(&key), 0o600);

        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        let refused = format!("{:#}", prepare(&directory, &plan).unwrap_err());
        assert!(refused.contains("chmod 600"), "{refused}");
        std::fs::remove_file(&key).unwrap();
        let refused = format!("{:#}", prepare(&directory, &plan).unwrap_err());
        assert!(refused.contains("no private key"), "{refused}");
    }
}
