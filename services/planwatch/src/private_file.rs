//! Files that their owner alone may read, replaced whole or not at all.

use anyhow::Context;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

const OWNER_ONLY_FILE: u32 = 0o600;
const OWNER_ONLY_FOLDER: u32 = 0o700;

/// Writes a file with mode 0600 in one step: a reader sees the old text or the new one.
pub fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    let written = || -> std::io::Result<()> {
        // One that a killed process left may have other rights.
        match std::fs::remove_file(beside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut opened =
            OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY_FILE).open(beside)?;
        opened.write_all(text.as_bytes())?;
        opened.sync_all()?;
        std::fs::rename(beside, file)
    };
    written().with_context(|| format!("cannot write `{}`", file.display()))
}

/// Makes a directory and those above it, readable by their owner alone; one that is there is left as it is.
pub fn make_folder(folder: &Path) -> anyhow::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(OWNER_ONLY_FOLDER)
        .create(folder)
        .with_context(|| format!("cannot make the directory `{}`", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_written_file_is_its_owners_alone_even_when_it_was_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("operator.token");
        std::fs::write(&file, "old").unwrap();
        write(&file, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, OWNER_ONLY_FILE);
    }
}
