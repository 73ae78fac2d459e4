//! Snapshots on disk: written in one step, the last two kept, the newest right one taken.

use event_log::Log;
use events::Position;
use indicators::Facts;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// How many snapshots are kept: one may turn out to be wrong.
pub(crate) const KEPT: usize = 2;
/// Beyond this position no snapshots are written: the facts would take more room than they save time.
pub(crate) const POSITION_LIMIT: Position = Position(2_000_000);

const ENDING: &str = "snapshot";

/// The directory of the snapshots.
#[derive(Debug, Clone)]
pub(crate) struct Snapshots {
    directory: PathBuf,
}

impl Snapshots {
    /// Makes the directory if it is not there, and removes what a killed service left half-written.
    pub(crate) fn open(directory: PathBuf) -> io::Result<Snapshots> {
        fs::create_dir_all(&directory)?;
        let snapshots = Snapshots { directory };
        for path in snapshots.with_ending("new")? {
            fs::remove_file(path)?;
        }
        Ok(snapshots)
    }

    /// Writes the facts' snapshot durably and removes those older than the last two.
    pub(crate) fn write(&self, facts: &Facts) -> io::Result<()> {
        let path = self.directory.join(format!("{:020}.{ENDING}", facts.head().0));
        let new = path.with_extension("new");
        let written = File::create(&new).and_then(|mut file| {
            file.write_all(&facts.snapshot())?;
            file.sync_all()
        });
        if let Err(error) = written.and_then(|()| fs::rename(&new, &path)) {
            // The room that a half-written file takes is given back; the error that is told is the first one.
            let _ = fs::remove_file(&new);
            return Err(error);
        }
        File::open(&self.directory)?.sync_all()?;
        for old in self.newest_first()?.into_iter().skip(KEPT) {
            fs::remove_file(old)?;
        }
        Ok(())
    }

    /// The facts of the newest snapshot that is right and of this log; none if the log is to be folded from
    /// the beginning. What is wrong with a snapshot is said in the log lines.
    pub(crate) fn restore(&self, log: &Log) -> io::Result<Option<Facts>> {
        for path in self.newest_first()? {
            match restore_one(&path, log) {
                Ok(facts) => {
                    tracing::info!(position = facts.head().0, "Restored the facts from `{}`", path.display());
                    return Ok(Some(facts));
                }
                Err(why) => {
                    metrics::counter!("planwatch_snapshots_refused_total").increment(1);
                    tracing::warn!("The snapshot `{}` is not used: {why}", path.display());
                }
            }
        }
        Ok(None)
    }

    fn newest_first(&self) -> io::Result<Vec<PathBuf>> {
        let mut paths = self.with_ending(ENDING)?;
        // Positions have a fixed width, so that names order as positions do.
        paths.sort_unstable_by(|one, other| other.cmp(one));
        Ok(paths)
    }

    fn with_ending(&self, ending: &str) -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(&self.directory)?.collect::<io::Result<Vec<_>>>()?;
        let paths = entries.into_iter().map(|entry| entry.path());
        Ok(paths.filter(|path| path.extension().is_some_and(|found| found == ending)).collect())
    }
}

/// Restores one snapshot and compares it with the log: the log may have been replaced since.
fn restore_one(path: &Path, log: &Log) -> Result<Facts, String> {
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let facts = Facts::restore(&bytes).map_err(|error| error.to_string())?;
    let adopted = facts.adopted().ok_or("it holds no plan")?;
    let held = |position: Position| {
        let stored = log.event_at(position).map_err(|error| error.to_string())?;
        stored.ok_or_else(|| format!("the log does not reach position {position}"))
    };
    let same_log = held(adopted.position)?.id == adopted.event
        && Some(held(facts.head())?.recorded_at) == facts.head_recorded_at();
    if same_log { Ok(facts) } else { Err("it is of another log".to_owned()) }
}
