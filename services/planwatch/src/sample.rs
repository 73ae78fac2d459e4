//! The sample history: made-up reports of 2021 to 2025, loaded into an empty log and marked as made up.
//!
//! The loader sets the day: the plan is adopted on 16 March 2022, then each entry of
//! `deploy/sample/history.jsonl` comes on its own day, is admitted by ingestion's admission, and alerting's
//! rules decide until nothing follows; between two entries the clock stops wherever it alone can change
//! something. The same pure functions run in the services, so the log is the one that living through those
//! years would have left. Ids are derived, so every machine gets the same events.

mod driver;
mod history;

use anyhow::{Context, bail};
use driver::Driver;
use event_log::{Opened, Options};
use events::Position;
use plan::Plan;
use std::path::Path;

/// What was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleReport {
    /// The head of the log.
    pub head: Position,
    /// The digest of the state at the head; the same on every machine.
    pub digest: String,
}

/// Loads the sample history into the log of an empty directory; refuses a log that holds anything.
///
/// Everything is decided in memory first and then appended, one commit for each instant at which something
/// came. A process that is killed meanwhile leaves a log that is not whole, so the caller loads beside the
/// place where the log is used and moves it there.
pub fn load(directory: &Path, plan: &Plan) -> anyhow::Result<SampleReport> {
    let Opened { log, mut writer, .. } = event_log::open(directory, &plan.id, Options::default())?;
    if log.head() != Position::START {
        bail!(
            "the log in `{}` holds {} events; the sample history is loaded into an empty log only",
            directory.display(),
            log.head()
        );
    }
    let loaded = Driver::live_through(plan, &history::embedded()?)?;
    for (instant, events) in loaded.commits {
        writer
            .append(vec![events], instant)
            .with_context(|| format!("cannot append what came at {}", plan.calendar.shown(instant)))?;
    }
    if log.head() != loaded.facts.head() {
        bail!("the log ends at {}, the sample at {}", log.head(), loaded.facts.head());
    }
    Ok(SampleReport { head: log.head(), digest: loaded.facts.digest() })
}

#[cfg(test)]
mod tests;
