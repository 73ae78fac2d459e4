//! Writing a bundle's files: each once, everything on disk before the mark.

use super::export::{ExportError, ExportReport};
use super::{CHECKPOINT_NAME, KEYS_NAME, MARK_NAME, Mark, events_in, file_of};
use crate::files::Files;
use evidence::{SignedCheckpoint, TilePath, VerifierKey};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// How many files are synchronised at a time.
const SYNC_THREADS: usize = 16;

/// A bundle on its way to the disk.
pub(super) struct Writing<'a> {
    files: &'a dyn Files,
    directory: &'a Path,
    /// What was written and is not known to be on disk.
    written: Vec<PathBuf>,
    bytes: u64,
}

impl<'a> Writing<'a> {
    /// Begins in a directory that is not there yet, or empty.
    pub(super) fn begin(files: &'a dyn Files, directory: &'a Path) -> Result<Writing<'a>, ExportError> {
        match files.list(directory) {
            Ok(names) if !names.is_empty() => Err(ExportError::NotEmpty(directory.to_owned())),
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(ExportError::Files { path: directory.to_owned(), source })
            }
            _ => Ok(Writing { files, directory, written: Vec::new(), bytes: 0 }),
        }
    }

    pub(super) fn tile(&mut self, path: TilePath, bytes: &[u8]) -> Result<(), ExportError> {
        self.write(file_of(self.directory, path), bytes)
    }

    /// Writes what belongs to every bundle; when it returns, everything is on disk, and the mark came last.
    pub(super) fn finish(
        mut self,
        keys: &[VerifierKey],
        checkpoint: Option<&SignedCheckpoint>,
        size: u64,
        mark: &Mark,
    ) -> Result<ExportReport, ExportError> {
        let keys: String = keys.iter().map(|key| format!("{key}\n")).collect();
        self.write(self.directory.join(KEYS_NAME), keys.as_bytes())?;
        if let Some(checkpoint) = checkpoint {
            self.write(self.directory.join(CHECKPOINT_NAME), checkpoint.to_string().as_bytes())?;
        }
        self.sync()?;
        let written = std::mem::take(&mut self.written).len();
        let mut text = serde_json::to_vec(mark).expect("numbers and texts serialise");
        text.push(b'\n');
        self.write(self.directory.join(MARK_NAME), &text)?;
        self.sync()?;
        let events = events_in(size, mark.from, mark.to);
        Ok(ExportReport { events, files: written + 1, bytes: self.bytes })
    }

    fn write(&mut self, path: PathBuf, bytes: &[u8]) -> Result<(), ExportError> {
        let written = || {
            self.files.create_directory(path.parent().unwrap_or(self.directory))?;
            self.files.open_append(&path)?.write_all(bytes)
        };
        written().map_err(|source| ExportError::Files { path: path.clone(), source })?;
        self.bytes += bytes.len() as u64;
        self.written.push(path);
        Ok(())
    }

    /// Makes everything durable. Several files at a time: the file system takes their synchronisations together.
    fn sync(&self) -> Result<(), ExportError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| ExportError::Files { path, source }
        };
        let sync = |paths: &[PathBuf]| {
            paths.iter().try_for_each(|path| {
                self.files.open_append(path).and_then(|mut file| file.sync_data()).map_err(failed(path))
            })
        };
        let share = self.written.len().div_ceil(SYNC_THREADS).max(1);
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                self.written.chunks(share).map(|paths| scope.spawn(|| sync(paths))).collect();
            let mut outcomes = threads.into_iter().map(|thread| thread.join().expect("it does not panic"));
            outcomes.find(Result::is_err).unwrap_or(Ok(()))
        })?;
        let mut directories = BTreeSet::new();
        for path in &self.written {
            let above = path.ancestors().skip(1).take_while(|above| above.starts_with(self.directory));
            directories.extend(above.map(Path::to_owned));
        }
        directories.iter().try_for_each(|above| self.files.sync_directory(above).map_err(failed(above)))
    }
}
