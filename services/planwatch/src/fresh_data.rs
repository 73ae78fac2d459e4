//! A data directory that is made beside its place and moved there whole: one that is there is never touched.

use crate::data_directory::DataDirectory;
use crate::exit::Failure;
use crate::log_directory::{CHECKPOINT_NAME, LogDirectory};
use crate::{output, private_file, public_keys};
use anyhow::Context;
use event_log::files::RealFiles;
use event_log::{ImportReport, Options, import};
use events::{PlanId, Timestamp};
use evidence::{NOTE_LIMIT_BYTES, VerifierKey};
use jiff::SignedDuration;
use std::fs::File;
use std::path::{Path, PathBuf};

/// How far behind the clock a log may end that `up` goes on writing without asking.
const AGE_LIMIT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A data directory on its way.
pub struct FreshData {
    place: PathBuf,
    beside: PathBuf,
    directory: DataDirectory,
}

impl FreshData {
    /// Begins one for a place that is not there yet, or an empty directory.
    pub fn begin(place: &Path) -> Result<FreshData, Failure> {
        let place = std::path::absolute(place)
            .with_context(|| format!("`{}` is no possible place", place.display()))?;
        require_nothing_at(&place)?;
        let mut beside = place.clone().into_os_string();
        beside.push(".incomplete");
        let beside = PathBuf::from(beside);
        if beside.exists() {
            return Err(Failure::refused(anyhow::anyhow!(
                "`{}` is there, from an attempt that was cut short: remove it and start again",
                beside.display()
            )));
        }
        let directory = DataDirectory::prepare(&beside)?;
        Ok(FreshData { place, beside, directory })
    }

    /// The directory while it is being made.
    pub fn directory(&self) -> &DataDirectory {
        &self.directory
    }

    /// Makes the log from a bundle that verified whole, and keeps its checkpoint.
    pub fn import(&self, bundle: &Path, plan: &PlanId, keys: &[VerifierKey]) -> anyhow::Result<ImportReport> {
        let log = LogDirectory::of_plan(&self.directory, plan);
        let report = import(&RealFiles, bundle, keys, &log.folder, Options::default())
            .with_context(|| format!("cannot import `{}`", bundle.display()))?;
        // One that covers more would say that the log has lost something.
        if (1..=report.head.0).contains(&report.bundle.signed()) {
            let checkpoint = public_keys::read_bounded(&bundle.join(CHECKPOINT_NAME), NOTE_LIMIT_BYTES)?;
            private_file::write(&log.checkpoint_file(), std::str::from_utf8(&checkpoint)?)?;
        }
        Ok(report)
    }

    /// Moves it to its place; gives that.
    pub fn finish(self) -> anyhow::Result<PathBuf> {
        let moved = std::fs::rename(&self.beside, &self.place)
            .and_then(|()| self.place.parent().map_or(Ok(()), |above| File::open(above)?.sync_all()));
        moved.with_context(|| format!("cannot move what was made to `{}`", self.place.display()))?;
        Ok(self.place)
    }

    /// Removes what was made so far.
    pub fn give_up(self) {
        // What cannot be removed is named by the next attempt.
        let _left = std::fs::remove_dir_all(&self.beside);
    }
}

/// Refuses a place where something is.
pub fn require_nothing_at(place: &Path) -> Result<(), Failure> {
    let is_empty = match std::fs::read_dir(place) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => {
            let error = anyhow::Error::new(error).context(format!("cannot use `{}`", place.display()));
            return Err(error.into());
        }
    };
    if is_empty {
        return Ok(());
    }
    Err(Failure::refused(anyhow::anyhow!(
        "`{}` is not empty, and nothing is ever overwritten: name a directory that is not there yet",
        place.display()
    )))
}

/// Says how a log goes on that is old: the next start would take the clock for wrong. `right_at` is the last time
/// that is known to have been right.
pub fn tell_about_the_clock(place: &Path, right_at: Option<Timestamp>) {
    let age = right_at.map(|right_at| Timestamp::now().duration_since(right_at));
    if age.is_some_and(|age| age > AGE_LIMIT) {
        output::say(format_args!(
            "the log is more than 30 days old, so `up` will take nothing in before a person says that the clock \
             is right: planwatch clock accept --data {}",
            place.display()
        ));
    }
}
