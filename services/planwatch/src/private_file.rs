//! Files that their owner alone may read, replaced whole or not at all.

use anyhow::Context;
use service::durable::{self, OWNER_ONLY};
use std::path::Path;

/// Writes a file with mode 0600 in one step: a reader sees the old text or the new one.
pub fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    durable::replace(file, text.as_bytes(), OWNER_ONLY)
        .with_context(|| format!("cannot write `{}`", file.display()))
}

/// Makes a directory and those above it, readable by their owner alone; one that is there is left as it is.
pub fn make_folder(folder: &Path) -> anyhow::Result<()> {
    durable::make_folder(folder).with_context(|| format!("cannot make the directory `{}`", folder.display()))
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
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, OWNER_ONLY);
    }
}
