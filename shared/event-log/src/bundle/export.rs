//! Writing a bundle.

use super::{CHECKPOINT_NAME, FORMAT, KEYS_NAME, MARK_NAME, Mark, file_of, path_in, tile_above};
use crate::files::Files;
use crate::log::Log;
use crate::proofs::EvidenceError;
use events::Position;
use evidence::{
    FULL_TILE_HASHES, Resource, SignedCheckpoint, TILE_LEVELS, TilePath, VerifierKey, full_tiles,
};
use std::collections::BTreeSet;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// How many files are synchronised at a time.
const SYNC_THREADS: usize = 16;

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportReport {
    /// The first and the last position whose events are in the bundle: the selection, rounded out.
    pub events: RangeInclusive<u64>,
    /// How many files were written.
    pub files: usize,
    /// How many bytes are in them.
    pub bytes: u64,
}

/// Why nothing, or only a part without its mark, was exported.
#[derive(Debug, Error)]
pub enum ExportError {
    /// Something is there already.
    #[error("`{}` is not empty; name a directory that is not there yet", .0.display())]
    NotEmpty(PathBuf),
    /// The selection is not within what the checkpoint covers.
    #[error(
        "positions {from} to {to} are not within the {size} events that the checkpoint covers; take a newer \
         checkpoint or fewer positions"
    )]
    Selection {
        /// The first position asked for.
        from: Position,
        /// The last position asked for.
        to: Position,
        /// How many events the checkpoint covers.
        size: u64,
    },
    /// The checkpoint is not of this log.
    #[error(
        "the checkpoint of {size} events by `{origin}` does not agree with this log; take one that it signed"
    )]
    OtherLog {
        /// Whose checkpoint it says it is.
        origin: String,
        /// How many events it covers.
        size: u64,
    },
    /// The log could not show its evidence.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// A file could not be written.
    #[error("cannot write `{}`", path.display())]
    Files {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Writes the events from one position to another (inclusive) into a directory, with everything that is needed
/// to hold them against the checkpoint. From 1 to the checkpoint's size it is the whole log.
///
/// The checkpoint has to be of this log; its signatures are not looked at here. Everything is on disk when it
/// returns; the mark comes last.
pub fn export(
    log: &Log,
    selection: RangeInclusive<Position>,
    checkpoint: &SignedCheckpoint,
    keys: &[VerifierKey],
    files: &dyn Files,
    directory: &Path,
) -> Result<ExportReport, ExportError> {
    let (from, to) = selection.into_inner();
    let size = checkpoint.claimed().size();
    if from < Position(1) || from > to || to.0 > size {
        return Err(ExportError::Selection { from, to, size });
    }
    if log.root_at(Position(size))? != checkpoint.claimed().root() {
        let origin = checkpoint.claimed().origin().to_owned();
        return Err(ExportError::OtherLog { origin, size });
    }
    let mut bundle = Writing { files, directory, written: Vec::new(), bytes: 0 };
    bundle.require_empty()?;
    for path in paths(size, from.0 - 1, to.0 - 1) {
        let missing = EvidenceError::Beyond { asked: size, size: log.tree_size() };
        let bytes = log.tile(&path)?.ok_or(missing)?;
        bundle.write(file_of(directory, path), &bytes)?;
    }
    let keys: String = keys.iter().map(|key| format!("{key}\n")).collect();
    bundle.write(directory.join(KEYS_NAME), keys.as_bytes())?;
    bundle.write(directory.join(CHECKPOINT_NAME), checkpoint.to_string().as_bytes())?;
    bundle.sync()?;
    let written = std::mem::take(&mut bundle.written).len();
    let mark = Mark { format: FORMAT, plan: log.plan().clone(), from, to };
    let mut mark = serde_json::to_vec(&mark).expect("numbers and a slug serialise");
    mark.push(b'\n');
    bundle.write(directory.join(MARK_NAME), &mark)?;
    bundle.sync()?;
    let first = tile_above(from.0 - 1, 0) * FULL_TILE_HASHES as u64 + 1;
    let last = size.min((tile_above(to.0 - 1, 0) + 1) * FULL_TILE_HASHES as u64);
    Ok(ExportReport { events: first..=last, files: written + 1, bytes: bundle.bytes })
}

/// What has to be in a bundle of the entries from one index to another: their bundles, the tiles above them,
/// and the rightmost tile of every level.
fn paths(size: u64, first: u64, last: u64) -> Vec<TilePath> {
    let entries = tile_above(first, 0)..=tile_above(last, 0);
    let mut paths: Vec<TilePath> = entries.filter_map(|at| path_in(size, Resource::Entries, at)).collect();
    for level in 0..TILE_LEVELS {
        let above = tile_above(first, level)..=tile_above(last, level);
        let tiles: BTreeSet<u64> = above.chain([full_tiles(size, level)]).collect();
        paths.extend(tiles.into_iter().filter_map(|at| path_in(size, Resource::Hashes { level }, at)));
    }
    paths
}

struct Writing<'a> {
    files: &'a dyn Files,
    directory: &'a Path,
    /// What was written and is not known to be on disk.
    written: Vec<PathBuf>,
    bytes: u64,
}

impl Writing<'_> {
    fn require_empty(&self) -> Result<(), ExportError> {
        match self.files.list(self.directory) {
            Ok(names) if !names.is_empty() => Err(ExportError::NotEmpty(self.directory.to_owned())),
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(ExportError::Files { path: self.directory.to_owned(), source })
            }
            _ => Ok(()),
        }
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
