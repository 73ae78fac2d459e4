//! `planwatch restore`: a data directory from a backup.

use crate::backup_folder::{self, CLOCK_NAME, LOG_NAME, PLAN_NAME, Whole};
use crate::data_directory::DataDirectory;
use crate::exit::{Exit, Failure, Outcome};
use crate::fresh_data::{FreshData, tell_about_the_clock};
use crate::log_directory::{LogDirectory, VKEYS_NAME};
use crate::output;
use crate::private_file;
use crate::progress::while_working;
use crate::public_keys::KeyArguments;
use anyhow::Context;
use clap::Args;
use event_log::ImportReport;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Which backup, and where to.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The backup
    backup: PathBuf,
    /// The data directory that is made: one that is not there yet, or empty
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    #[command(flatten)]
    vkeys: KeyArguments,
    /// Bring the log's signing keys along: a copy of `keys` of the data directory, whole. Without it new ones are
    /// made at the next start; where something was signed after the backup, that is the only way, for a key must
    /// never sign two histories
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Makes the directory, once the backup was found whole.
pub fn run(arguments: &Arguments) -> Outcome {
    let (backup, given) = (&arguments.backup, arguments.vkeys.read()?);
    if !backup.is_dir() {
        return Err(Failure::unreachable(anyhow::anyhow!("there is no directory `{}`", backup.display())));
    }
    if let Some(keys) = arguments.keys.as_ref().filter(|keys| !keys.is_dir()) {
        return Err(Failure::unreachable(anyhow::anyhow!("there is no directory `{}`", keys.display())));
    }
    let checked = while_working("checking the backup", || backup_folder::check(backup, &given));
    let Some(whole) = checked.whole else {
        let first = checked.findings.first_problem().unwrap_or_default();
        checked.findings.print(arguments.json)?;
        output::say(format_args!("nothing was restored: {first}"));
        return Ok(Exit::Refused);
    };
    let fresh = FreshData::begin(&arguments.to)?;
    match while_working("restoring", || put_back(&fresh, arguments, &whole)) {
        Ok(report) => {
            let place = fresh.finish()?;
            tell(arguments, &place, &whole, &report);
            Ok(Exit::Done)
        }
        Err(error) => {
            fresh.give_up();
            Err(Failure::refused(error))
        }
    }
}

/// Makes the log, then what lies beside it.
fn put_back(fresh: &FreshData, arguments: &Arguments, whole: &Whole) -> anyhow::Result<ImportReport> {
    let backup = &arguments.backup;
    let bundle = backup.join(LOG_NAME);
    let report = fresh.import(&bundle, &whole.bundle.plan, &whole.keys)?;
    let log = LogDirectory::of_plan(fresh.directory(), &whole.bundle.plan);
    let copied = [
        (backup.join(CLOCK_NAME), log.folder.join(CLOCK_NAME)),
        (backup.join(PLAN_NAME), fresh.directory().plan_file()),
        // Every key that ever signed, and not only those that were given to check with.
        (bundle.join(VKEYS_NAME), log.earlier_vkeys_file()),
    ];
    for (from, to) in copied {
        copy_text(&from, &to)?;
    }
    if let Some(keys) = &arguments.keys {
        bring_keys(keys, &fresh.directory().keys_folder())?;
    }
    Ok(report)
}

/// Copies the directory of keys as it is: private and public ones, and the last checkpoint that they signed, which
/// keeps them from signing another history.
fn bring_keys(from: &Path, to: &Path) -> anyhow::Result<()> {
    private_file::make_folder(to)?;
    let cannot_read = || format!("cannot read `{}`", from.display());
    for entry in std::fs::read_dir(from).with_context(cannot_read)? {
        let file = entry.with_context(cannot_read)?.path();
        let name = file.file_name().context("an entry of a directory has a name")?;
        if file.is_file() {
            copy_text(&file, &to.join(name))?;
        }
    }
    Ok(())
}

/// Copies a small file that holds something.
fn copy_text(from: &Path, to: &Path) -> anyhow::Result<()> {
    if !from.is_file() {
        return Ok(());
    }
    let text = std::fs::read_to_string(from).with_context(|| format!("cannot read `{}`", from.display()))?;
    if text.is_empty() { Ok(()) } else { private_file::write(to, &text) }
}

fn tell(arguments: &Arguments, place: &Path, whole: &Whole, report: &ImportReport) {
    let mark = &whole.mark;
    if arguments.json {
        output::json(&json!({
            "data": place, "plan": mark.plan, "head": report.head, "root": report.root.to_string(),
            "signed": mark.signed, "made_at": mark.made_at,
        }));
    } else {
        output::line(format_args!(
            "{}: the log of `{}` up to position {}, as of {}",
            place.display(),
            mark.plan,
            report.head,
            mark.made_at
        ));
    }
    if !whole.keys.is_empty() && arguments.keys.is_none() {
        output::say(
            "the log was signed, and its keys were not brought (--keys): the next start makes a new one, of which \
             whoever checks the log has to be told",
        );
    }
    output::say(format_args!(
        "put the operator's token back into {} if you have it, then start it with: planwatch up --data {}",
        DataDirectory::at(place).token_file().display(),
        place.display()
    ));
    // The clock was right when the backup was taken, if it was kept.
    let made_at = mark.made_at.parse().ok().filter(|_| arguments.backup.join(CLOCK_NAME).exists());
    tell_about_the_clock(place, made_at.or(report.recorded_at));
}
