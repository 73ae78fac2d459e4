//! What is left of a directory.

use super::disk::Names;
use std::collections::BTreeMap;
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What is left of a directory: its files with their bytes, and its directories.
#[derive(Clone, PartialEq, Eq)]
pub struct Remains {
    /// By path; a directory has no bytes.
    pub entries: BTreeMap<PathBuf, Option<Vec<u8>>>,
}

impl Remains {
    /// Follows the names from the root on; what no name leads to is lost.
    pub(super) fn new(names: &Names, contents: Vec<Option<Vec<u8>>>) -> Remains {
        let mut remains = Remains { entries: BTreeMap::new() };
        let mut open = vec![(0, PathBuf::new())];
        while let Some((directory, path)) = open.pop() {
            let inside = names.range((directory, String::new())..(directory + 1, String::new()));
            for ((_, name), node) in inside {
                let path = path.join(name);
                if contents[*node].is_none() {
                    open.push((*node, path.clone()));
                }
                remains.entries.insert(path, contents[*node].clone());
            }
        }
        remains
    }

    /// Reads a directory.
    pub fn read(root: &Path) -> Remains {
        let mut remains = Remains { entries: BTreeMap::new() };
        let mut open = vec![PathBuf::new()];
        while let Some(directory) = open.pop() {
            for entry in std::fs::read_dir(root.join(&directory)).expect("the directory can be read") {
                let entry = entry.expect("the directory can be read");
                let path = directory.join(entry.file_name());
                if entry.file_type().expect("a file has a type").is_dir() {
                    open.push(path.clone());
                    remains.entries.insert(path, None);
                } else {
                    match std::fs::read(entry.path()) {
                        Ok(bytes) => drop(remains.entries.insert(path, Some(bytes))),
                        // Threads of sled remove what it needs no more after it was closed.
                        Err(error) if error.kind() == ErrorKind::NotFound => {}
                        Err(error) => panic!("{}: {error}", entry.path().display()),
                    }
                }
            }
        }
        remains
    }

    /// Writes it into an empty directory.
    pub fn write_to(&self, root: &Path) {
        for (path, bytes) in &self.entries {
            let path = root.join(path);
            match bytes {
                None => std::fs::create_dir(&path).expect("the directory can be made"),
                Some(bytes) => std::fs::write(&path, bytes).expect("the file can be written"),
            }
        }
    }
}

impl fmt::Debug for Remains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sizes = self.entries.iter().map(|(path, bytes)| (path, bytes.as_ref().map(Vec::len)));
        f.debug_map().entries(sizes).finish()
    }
}
