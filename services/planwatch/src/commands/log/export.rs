//! `planwatch log export`: a log, or a part of it, as a bundle that anyone can verify.

use crate::exit::{Exit, Failure, Outcome};
use crate::journal_extent::{Edge, Extent};
use crate::log_directory::{DirectoryArguments, LogDirectory};
use crate::moment::Moment;
use crate::output;
use crate::progress::Progress;
use crate::public_keys::{self, KeyArguments};
use anyhow::Context;
use clap::Args;
use event_log::files::RealFiles;
use event_log::{BundleHead, JournalReader, export_journal};
use events::Position;
use evidence::{NOTE_LIMIT_BYTES, SignedCheckpoint, VerifierKey};
use serde_json::json;
use std::path::{Path, PathBuf};

/// What is exported, and where to.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where the bundle is written: a directory that is not there yet, or empty
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// The first position
    #[arg(long, value_name = "P", value_parser = clap::value_parser!(u64).range(1..))]
    from: Option<u64>,
    /// From the beginning of a day (YYYY-MM-DD, in the plan's time zone) or from an instant (RFC 3339) on
    #[arg(long, value_name = "DATE", value_parser = Moment::parse, conflicts_with = "from")]
    from_date: Option<Moment>,
    /// The last position
    #[arg(long, value_name = "P", value_parser = clap::value_parser!(u64).range(1..))]
    until: Option<u64>,
    /// To the end of a day (YYYY-MM-DD, in the plan's time zone) or to an instant (RFC 3339)
    #[arg(long, value_name = "DATE", value_parser = Moment::parse, conflicts_with = "until")]
    until_date: Option<Moment>,
    /// The signed checkpoint that the bundle is held against [default: the last one in the log's directory; without
    /// any, the bundle is unsigned]
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    #[command(flatten)]
    keys: KeyArguments,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    directory: DirectoryArguments,
}

/// Writes the bundle.
pub(super) fn run(arguments: &Arguments) -> Outcome {
    let log = arguments.directory.find().map_err(Failure::unreachable)?;
    let keys = keys(&arguments.keys, &log)?;
    let checkpoint = checkpoint(arguments.checkpoint.as_deref(), &log, &keys)?;
    let journal = JournalReader::new(&RealFiles, &log.folder).context("cannot read the log")?;
    let mut edges = Vec::new();
    edges.extend(arguments.from_date.as_ref().map(|moment| Edge::Before(moment.kind())));
    edges.extend(arguments.until_date.as_ref().map(|moment| Edge::Until(moment.kind())));
    let extent = Extent::read(&journal, &edges)?;
    if extent.head == Position::START {
        return Err(Failure::refused(anyhow::anyhow!("the log in `{}` is empty", log.folder.display())));
    }
    let before = arguments.from_date.as_ref().map(|_| extent.until[0]);
    let from = before.map_or(Position(arguments.from.unwrap_or(1)), Position::next);
    let by_date = arguments.until_date.as_ref().and_then(|_| extent.until.last().copied());
    let size = checkpoint.as_ref().map_or(extent.head.0, |checkpoint| checkpoint.claimed().size());
    let until = match (arguments.until, by_date) {
        (Some(until), _) => Position(until),
        (None, Some(by_date)) => by_date.min(Position(size)),
        (None, None) => Position(size),
    };
    if checkpoint.is_none() && until >= extent.head {
        extent.require_whole_end(&journal)?;
    }
    if until < from {
        return Err(Failure::refused(anyhow::anyhow!(
            "nothing was recorded in that time: position {from} would be the first, {until} the last"
        )));
    }
    let head = match &checkpoint {
        Some(checkpoint) => BundleHead::Signed(checkpoint),
        None => BundleHead::Unsigned { size, older: None },
    };
    let mut progress = Progress::new("events exported");
    let report =
        export_journal(&journal, from..=until, head, &keys, &RealFiles, &arguments.to, &mut |done| {
            progress.done(done);
        })
        .with_context(|| format!("cannot export to `{}`", arguments.to.display()))?;
    drop(progress);
    if arguments.json {
        output::json(&json!({
            "bundle": arguments.to, "plan": journal.plan(), "from": from, "to": until, "size": size,
            "signed": checkpoint.is_some(), "events": [report.events.start(), report.events.end()],
            "files": report.files, "bytes": report.bytes,
        }));
    } else {
        output::line(format_args!(
            "{}: positions {from} to {until} (in its files {} to {}), {} files, {} bytes",
            arguments.to.display(),
            report.events.start(),
            report.events.end(),
            report.files,
            report.bytes
        ));
    }
    match &checkpoint {
        None => output::say(
            "the bundle is unsigned: no checkpoint is kept with the log and none was given, so it shows that it is \
             whole, not whose it is",
        ),
        Some(_) if Position(size) < extent.head && arguments.until.is_none() && by_date.is_none() => {
            output::say(format_args!(
                "the checkpoint covers {size} events, the log holds {}: the later ones are not in the bundle",
                extent.head
            ));
        }
        Some(_) => {}
    }
    Ok(Exit::Done)
}

/// The keys that were given, else those that lie with the log.
fn keys(given: &KeyArguments, log: &LogDirectory) -> Result<Vec<VerifierKey>, Failure> {
    let given = given.read()?;
    if given.is_empty() { Ok(log.vkeys()?) } else { Ok(given) }
}

/// The checkpoint that was given, else the last one of the log; one that no known key signed is refused where
/// keys are known.
fn checkpoint(
    given: Option<&Path>,
    log: &LogDirectory,
    keys: &[VerifierKey],
) -> Result<Option<SignedCheckpoint>, Failure> {
    let kept = Some(log.checkpoint_file()).filter(|file| file.is_file());
    let Some(file) = given.map(Path::to_owned).or(kept) else { return Ok(None) };
    let bytes = public_keys::read_bounded(&file, NOTE_LIMIT_BYTES)?;
    let refused = || format!("cannot use the checkpoint `{}`", file.display());
    let checkpoint = SignedCheckpoint::parse(&bytes).with_context(refused)?;
    if !keys.is_empty() {
        checkpoint.verify(keys).with_context(refused)?;
    }
    Ok(Some(checkpoint))
}
