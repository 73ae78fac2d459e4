//! The beginning of a log: the plan adopted, the sample history loaded, or what is there left alone.

use crate::sample;
use anyhow::{Context, bail};
use event_log::{FirstEvent, Opened, Options, SystemClock};
use events::{PlanId, Position, Timestamp};
use plan::Plan;
use std::path::{Path, PathBuf};

/// The plan of this product: adopted where no other is named, and the only one that has a sample history.
pub const BINH_DUONG: &str = include_str!("../../../deploy/plans/binh-duong.toml");
/// What errors about the embedded plan call its file.
pub const BINH_DUONG_NAME: &str = "binh-duong.toml";

/// Whether a plan is the embedded one, which `up` takes where no other is named.
pub fn is_embedded(plan: &PlanId) -> bool {
    read_plan(BINH_DUONG_NAME, BINH_DUONG).is_ok_and(|embedded| embedded.id == *plan)
}

/// How a log begins where there is none yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// With the plan's adoption, as of now, and nothing else.
    Empty,
    /// With the sample history.
    Sample,
}

/// What was done to a log's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prepared {
    /// It holds events and was left alone.
    AlreadyThere,
    /// The plan was adopted.
    Adopted,
    /// The plan was adopted and the sample loaded.
    SampleLoaded {
        /// The head of the log.
        head: Position,
    },
}

/// Reads a plan file; every mistake is named with its place.
pub fn read_plan(name: &str, text: &str) -> anyhow::Result<Plan> {
    plan::file::read(name, text).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}", lines.join("\n"))
    })
}

/// Begins a log where there is none. With `must_agree`, a log that is there has to have adopted the same plan.
///
/// A beginning is made beside the directory and moved into place whole: a process that is killed meanwhile
/// leaves no log that has only half of it.
pub fn prepare(
    directory: &Path,
    plan: &Plan,
    beginning: Beginning,
    must_agree: bool,
) -> anyhow::Result<Prepared> {
    if holds_events(directory, plan, must_agree)? {
        return Ok(Prepared::AlreadyThere);
    }
    let beside = beside(directory);
    remove_if_there(&beside)?;
    let prepared = match beginning {
        Beginning::Empty => {
            let Opened { mut writer, .. } = open(&beside, &plan.id)?;
            ingestion::adopt(&mut writer, plan, false, Timestamp::now()).context("cannot adopt the plan")?;
            Prepared::Adopted
        }
        Beginning::Sample => {
            let report = sample::load(&beside, plan).context("cannot load the sample history")?;
            // The sample ends in the past, and time has not stood still since: that is no clock gone wrong.
            event_log::accept_clock(&beside, &SystemClock)
                .context("cannot accept the clock for the sample's log")?;
            Prepared::SampleLoaded { head: report.head }
        }
    };
    set_aside(directory)?;
    std::fs::rename(&beside, directory)
        .and_then(|()| sync_parent(directory))
        .with_context(|| format!("cannot move the new log to `{}`", directory.display()))?;
    Ok(prepared)
}

/// Whether a log is there that holds anything; compares its plan where that is asked for.
///
/// A log that holds something is looked at and left closed: what a crash has left of its end is for ingestion
/// to judge, which can ask the stream for what is missing.
fn holds_events(directory: &Path, plan: &Plan, must_agree: bool) -> anyhow::Result<bool> {
    let cannot_read = || format!("cannot read the log in `{}`", directory.display());
    match event_log::first_event(directory, &plan.id).with_context(cannot_read)? {
        FirstEvent::Found(first) => {
            if must_agree {
                ingestion::compare_with(&first.bytes, plan)?;
            }
            Ok(true)
        }
        FirstEvent::Unreadable => Ok(true),
        FirstEvent::None if !directory.exists() => Ok(false),
        // With its journal lost, the index may still hold everything.
        FirstEvent::None => Ok(open(directory, &plan.id)?.log.head() != Position::START),
    }
}

fn open(directory: &Path, plan: &PlanId) -> anyhow::Result<Opened> {
    event_log::open(directory, plan, Options::default())
        .with_context(|| format!("cannot open the log in `{}`", directory.display()))
}

fn beside(directory: &Path) -> PathBuf {
    let mut name = directory.as_os_str().to_owned();
    name.push(".loading");
    name.into()
}

fn remove_if_there(directory: &Path) -> anyhow::Result<()> {
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(anyhow::Error::new(error).context(format!("cannot remove `{}`", directory.display())))
        }
        _ => Ok(()),
    }
}

/// Moves what is in the way of a new log out of it: nothing that may be evidence is ever deleted.
fn set_aside(directory: &Path) -> anyhow::Result<()> {
    if !directory.exists() {
        return Ok(());
    }
    let aside = (1..).map(|number| {
        let mut name = directory.as_os_str().to_owned();
        name.push(format!(".set-aside-{number}"));
        PathBuf::from(name)
    });
    let aside = aside.into_iter().find(|aside| !aside.exists()).expect("numbers do not end");
    std::fs::rename(directory, &aside)
        .with_context(|| format!("cannot move `{}` aside", directory.display()))?;
    tracing::warn!(directory = %aside.display(), "Moved aside what was in the place of the new log");
    Ok(())
}

/// Refuses to begin a log where the keys have signed one already: it is lost, not new, and a second one under
/// the same keys would contradict what outsiders hold.
pub fn none_was_signed(directory: &Path, keys: &Path, plan: &PlanId) -> anyhow::Result<()> {
    let file = keys.join(ingestion::kept::CHECKPOINT_NAME);
    let signed = ingestion::kept::read_kept(&file)?.map_or(0, |kept| kept.claimed().size());
    if signed == 0 || directory.join("index").exists() {
        return Ok(());
    }
    let first = event_log::first_event(directory, plan);
    let first = first.with_context(|| format!("cannot read the log in `{}`", directory.display()))?;
    if first == FirstEvent::None {
        bail!(
            "the log in `{}` is gone, but its keys have signed {signed} events of it (`{}`): put a backup or a copy of the \
             log back; to give the old log up and begin a new one, name another directory with --data",
            directory.display(),
            file.display()
        );
    }
    Ok(())
}

/// Refuses to begin a log where copies of one are: it is lost, not new, and they hold what can be saved.
pub fn none_is_lost(directory: &Path, copies: &[PathBuf], plan: &PlanId) -> anyhow::Result<()> {
    let begins = |directory: &Path| {
        let first = event_log::first_event(directory, plan);
        first.with_context(|| format!("cannot read the log in `{}`", directory.display()))
    };
    if directory.join("index").exists() || begins(directory)? != FirstEvent::None {
        return Ok(());
    }
    for copy in copies {
        if begins(copy)? != FirstEvent::None {
            bail!(
                "the log in `{}` is gone, but `{}` holds a copy of it: put a backup back, or that copy in the log's \
                 place; to give the old log up and begin a new one, name another directory with --data",
                directory.display(),
                copy.display()
            );
        }
    }
    Ok(())
}

fn sync_parent(directory: &Path) -> std::io::Result<()> {
    match directory.parent() {
        Some(parent) => std::fs::File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

/// Refuses a plan file that is of another plan than the data directory's.
pub fn same_plan(ours: &PlanId, theirs: &PlanId) -> anyhow::Result<()> {
    if ours != theirs {
        bail!(
            "this data directory watches the plan `{ours}`, the file is of `{theirs}`: name another directory with --data"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn embedded() -> Plan {
        read_plan(BINH_DUONG_NAME, BINH_DUONG).unwrap()
    }

    #[test]
    fn a_plan_is_adopted_once_and_another_text_of_it_is_refused_with_the_difference() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("log");
        let plan = embedded();
        assert_eq!(prepare(&directory, &plan, Beginning::Empty, true).unwrap(), Prepared::Adopted);
        for must_agree in [true, false] {
            let again = prepare(&directory, &plan, Beginning::Empty, must_agree).unwrap();
            assert_eq!(again, Prepared::AlreadyThere);
        }
        let mut other = plan.clone();
        other.name.en = "Another name".into();
        let refused = prepare(&directory, &other, Beginning::Empty, true).unwrap_err().to_string();
        assert!(refused.contains("/name/en") && refused.contains("Another name"), "{refused}");
        assert_eq!(prepare(&directory, &other, Beginning::Empty, false).unwrap(), Prepared::AlreadyThere);
    }

    #[test]
    fn a_log_whose_end_or_beginning_is_torn_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("log");
        let plan = embedded();
        prepare(&directory, &plan, Beginning::Empty, true).unwrap();
        let journal = std::fs::read_dir(directory.join("journal")).unwrap().next().unwrap().unwrap().path();
        let whole = std::fs::read(&journal).unwrap();
        let torn_end = [&whole[..], b"PWF\x01torn"].concat();
        let torn_beginning = whole[..whole.len() / 2].to_vec();
        for torn in [torn_end, torn_beginning] {
            std::fs::write(&journal, &torn).unwrap();
            assert_eq!(prepare(&directory, &plan, Beginning::Sample, true).unwrap(), Prepared::AlreadyThere);
            assert_eq!(std::fs::read(&journal).unwrap(), torn);
        }
        // Without its mark the directory is not taken for a fresh one.
        std::fs::remove_file(directory.join("format.json")).unwrap();
        let refused = format!("{:#}", prepare(&directory, &plan, Beginning::Empty, true).unwrap_err());
        assert!(refused.contains("no format mark"), "{refused}");
        assert!(journal.exists());
    }

    #[test]
    fn a_log_whose_journal_is_lost_is_not_begun_again_while_the_index_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("log");
        let plan = embedded();
        prepare(&directory, &plan, Beginning::Empty, true).unwrap();
        for file in std::fs::read_dir(directory.join("journal")).unwrap() {
            std::fs::remove_file(file.unwrap().path()).unwrap();
        }
        assert_eq!(prepare(&directory, &plan, Beginning::Empty, true).unwrap(), Prepared::AlreadyThere);
        assert!(matches!(event_log::first_event(&directory, &plan.id).unwrap(), FirstEvent::Found(_)));
    }

    #[test]
    fn a_log_that_is_lost_is_not_begun_anew_while_a_copy_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let (log, copy) = (folder.path().join("log"), folder.path().join("copy"));
        let plan = embedded();
        none_is_lost(&log, std::slice::from_ref(&copy), &plan.id).unwrap();
        prepare(&copy, &plan, Beginning::Empty, true).unwrap();
        let refused = none_is_lost(&log, std::slice::from_ref(&copy), &plan.id).unwrap_err().to_string();
        assert!(refused.contains("holds a copy of it"), "{refused}");
        prepare(&log, &plan, Beginning::Empty, true).unwrap();
        none_is_lost(&log, std::slice::from_ref(&copy), &plan.id).unwrap();
    }

    #[test]
    fn a_log_that_is_lost_is_not_begun_anew_under_the_keys_that_signed_it() {
        let folder = tempfile::tempdir().unwrap();
        let (log, keys) = (folder.path().join("log"), folder.path().join("keys"));
        let plan = embedded();
        std::fs::create_dir(&keys).unwrap();
        none_was_signed(&log, &keys, &plan.id).unwrap();
        let root = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        let note =
            |size: u64, root: &str| format!("planwatch/x\n{size}\n{root}\n\n\u{2014} planwatch/x AAAAAAAA\n");
        std::fs::write(keys.join("checkpoint"), note(0, root)).unwrap();
        none_was_signed(&log, &keys, &plan.id).unwrap();
        std::fs::write(keys.join("checkpoint"), note(7, root)).unwrap();
        let refused = none_was_signed(&log, &keys, &plan.id).unwrap_err().to_string();
        assert!(refused.contains("its keys have signed 7 events"), "{refused}");
        prepare(&log, &plan, Beginning::Empty, true).unwrap();
        none_was_signed(&log, &keys, &plan.id).unwrap();
        std::fs::write(keys.join("checkpoint"), "torn").unwrap();
        assert!(
            none_was_signed(&log, &keys, &plan.id).unwrap_err().to_string().contains("move this file aside")
        );
    }

    #[test]
    fn what_a_killed_beginning_left_is_begun_again() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("log");
        let plan = embedded();
        // One was opened and never written, the other was being loaded.
        drop(open(&directory, &plan.id).unwrap());
        std::fs::create_dir_all(beside(&directory)).unwrap();
        std::fs::write(beside(&directory).join("half"), "x").unwrap();
        assert_eq!(prepare(&directory, &plan, Beginning::Empty, true).unwrap(), Prepared::Adopted);
        assert!(!beside(&directory).exists());
        assert!(!directory.join("half").exists());
    }
}
