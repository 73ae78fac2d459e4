//! `planwatch backup`: the log and what belongs to it, of a stopped or a running system.

use crate::backup_folder::{self, CLOCK_NAME, FORMAT, LOG_NAME, MARK_NAME, Mark, PLAN_NAME, SUMS_NAME};
use crate::data_directory::DataDirectory;
use crate::exit::{Exit, Failure, Outcome};
use crate::fresh_data::require_nothing_at;
use crate::journal_extent::Extent;
use crate::log_directory::{DirectoryArguments, LogDirectory};
use crate::output;
use crate::private_file;
use crate::progress::{Progress, while_working};
use crate::public_keys;
use anyhow::Context;
use clap::Args;
use event_log::files::RealFiles;
use event_log::{BundleHead, JournalReader, export_journal};
use events::{Position, Timestamp};
use evidence::{NOTE_LIMIT_BYTES, SignedCheckpoint};
use serde_json::json;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long a running system is waited for to sign what it held when the backup began: it does so every second.
const CHECKPOINT_LIMIT: Duration = Duration::from_secs(10);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What is backed up, and where to.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Where the backup is written: a directory that is not there yet, or empty
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    directory: DirectoryArguments,
}

/// Writes the backup, and reads it again.
pub fn run(arguments: &Arguments) -> Outcome {
    let made_at = Timestamp::now().to_string();
    let log = arguments.directory.find().map_err(Failure::unreachable)?;
    let place = &arguments.to;
    require_nothing_at(place)?;
    let journal = JournalReader::new(&RealFiles, &log.folder).context("cannot read the log")?;
    let extent = Extent::read(&journal, &[])?;
    extent.require_whole_end(&journal)?;
    if extent.head == Position::START {
        return Err(Failure::refused(anyhow::anyhow!("the log in `{}` is empty", log.folder.display())));
    }
    let checkpoint = checkpoint(&log, &journal, extent.head)?;
    let head = match &checkpoint {
        Some(checkpoint) if checkpoint.claimed().size() >= extent.head.0 => BundleHead::Signed(checkpoint),
        older => BundleHead::Unsigned { size: extent.head.0, older: older.as_ref() },
    };
    let signed = checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.claimed().size());
    let to = Position(signed.max(extent.head.0));
    let keys = log.vkeys()?;

    private_file::make_folder(place)?;
    let mut progress = Progress::new("events backed up");
    let all = Position(1)..=to;
    export_journal(&journal, all, head, &keys, &RealFiles, &place.join(LOG_NAME), &mut |done| {
        progress.done(done);
    })
    .with_context(|| format!("cannot write the log to `{}`", place.display()))?;
    drop(progress);
    let mark = Mark {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        plan: journal.plan().clone(),
        made_at,
        head: to,
        signed,
        keys: log
            .data
            .as_ref()
            .map(|data| DataDirectory::at(data).keys_folder())
            .filter(|keys| keys.is_dir()),
    };
    write_beside_the_log(&log, place, &mark)?;

    let checked = while_working("reading the backup again", || backup_folder::check(place, &[]));
    if let Some(first) = checked.findings.first_problem() {
        return Err(Failure::refused(anyhow::anyhow!(
            "what was written to `{}` does not read back: {first}; check the disk and take another backup",
            place.display()
        )));
    }
    tell(arguments, &mark);
    Ok(Exit::Done)
}

/// The checkpoint that goes along: of a running system that signs, one that covers what it held when the backup
/// began, for which a moment is waited; else the last one.
fn checkpoint(
    log: &LogDirectory,
    journal: &JournalReader<'_>,
    head: Position,
) -> Result<Option<SignedCheckpoint>, Failure> {
    let file = log.checkpoint_file();
    let begun = Instant::now();
    loop {
        if !file.is_file() {
            return Ok(None);
        }
        let bytes = public_keys::read_bounded(&file, NOTE_LIMIT_BYTES)?;
        let checkpoint = SignedCheckpoint::parse(&bytes)
            .with_context(|| format!("cannot use the checkpoint `{}`", file.display()))?;
        let is_running = journal.is_in_use().context("cannot look at the log's lock")?;
        if checkpoint.claimed().size() > head.0 && !is_running {
            return Err(Failure::refused(anyhow::anyhow!(
                "the log has signed {} events (`{}`) and holds {head}: it has lost some, which a backup would hide; see \
                 `planwatch log verify`",
                checkpoint.claimed().size(),
                file.display()
            )));
        }
        if checkpoint.claimed().size() >= head.0 || !is_running || begun.elapsed() > CHECKPOINT_LIMIT {
            return Ok(Some(checkpoint));
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// Writes what a new start needs besides the log; the mark and the checksums come last.
fn write_beside_the_log(log: &LogDirectory, place: &Path, mark: &Mark) -> anyhow::Result<()> {
    let plan = log.data.as_deref().map(|data| DataDirectory::at(data).plan_file());
    let copied = [(plan, PLAN_NAME), (Some(log.folder.join(CLOCK_NAME)), CLOCK_NAME)];
    for (from, name) in copied {
        let Some(from) = from.filter(|from| from.is_file()) else { continue };
        let text =
            std::fs::read_to_string(&from).with_context(|| format!("cannot read `{}`", from.display()))?;
        private_file::write(&place.join(name), &text)?;
    }
    let text = serde_json::to_string_pretty(mark).context("cannot write the backup's mark")?;
    private_file::write(&place.join(MARK_NAME), &format!("{text}\n"))?;
    private_file::write(&place.join(SUMS_NAME), &backup_folder::sums(place)?)?;
    let above = std::path::absolute(place)?;
    [Some(above.as_path()), above.parent()]
        .into_iter()
        .flatten()
        .try_for_each(|folder| File::open(folder)?.sync_all())
        .with_context(|| format!("cannot make `{}` durable", place.display()))
}

fn tell(arguments: &Arguments, mark: &Mark) {
    let place = arguments.to.display();
    if arguments.json {
        output::json(&json!({
            "backup": arguments.to, "plan": mark.plan, "head": mark.head, "signed": mark.signed,
            "made_at": mark.made_at, "keys": mark.keys,
        }));
    } else {
        let signed = match mark.signed {
            0 => "unsigned".to_owned(),
            signed => format!("signed up to position {signed}"),
        };
        output::line(format_args!(
            "{place}: the log of `{}` up to position {}, {signed}; read back whole",
            mark.plan, mark.head
        ));
    }
    output::say(format_args!(
        "check it any time:  planwatch log verify {place}\nput it back:        planwatch restore {place} --to DIR"
    ));
    let keys = mark.keys.as_ref().map(|keys| format!("the private keys in {}, ", keys.display()));
    output::say(format_args!(
        "not in it: {}the operator's token, passwords. Keep a copy of keys and token elsewhere, readable by nobody else: \
         without its keys a restored log is signed with new ones, without its token it takes a request that is \
         repeated for a new one",
        keys.unwrap_or_default()
    ));
}
