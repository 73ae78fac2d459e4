//! `planwatch log`: the log itself.

pub mod evidence;
mod export;
mod import;
pub mod live;
mod verify;

use crate::event_stream;
use crate::exit::{Exit, Failure, Outcome};
use crate::interruption::until_interrupted;
use crate::log_place::{LogArguments, LogPlace};
use crate::output;
use anyhow::Context;
use clap::{Args, Subcommand};
use events::{EventId, Position};
use serde_json::Value;

/// What to do with the log.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the last events
    Tail {
        /// How many
        #[arg(short = 'n', long, default_value_t = 20)]
        lines: u64,
        /// Go on with what comes, until Ctrl-C
        #[arg(short, long)]
        follow: bool,
        /// Print each event as one line of JSON, as recorded
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        log: LogArguments,
    },
    /// Print one event
    Show {
        /// Its position or its id
        event: String,
        /// Print it as one line of JSON, as recorded
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        log: LogArguments,
    },
    /// Check a log's directory, an exported bundle or a backup, with --server a running
    /// system, with --proof one entry: say what is wrong and where
    Verify(verify::Arguments),
    /// Write a log, or a part of it, as a bundle that anyone can verify
    Export(export::Arguments),
    /// Make a data directory from a bundle
    Import(import::Arguments),
    /// Print the last signed checkpoint
    Checkpoint(evidence::CheckpointArguments),
    /// Print the proof that an event is in the log
    Prove(evidence::ProveArguments),
    /// Print the proof that the log continues an earlier state of itself
    Consistency(evidence::ConsistencyArguments),
}

/// Carries the subcommand out.
pub fn run(arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::Tail { lines, follow: false, json, log } => tail(*lines, false, *json, log),
        Command::Tail { lines, follow: true, json, log } => {
            let (lines, json, log) = (*lines, *json, log.clone());
            until_interrupted(move || tail(lines, true, json, &log))
        }
        Command::Show { event, json, log } => show(event, *json, log),
        Command::Verify(arguments) => verify::run(arguments),
        Command::Export(arguments) => export::run(arguments),
        Command::Import(arguments) => import::run(arguments),
        Command::Checkpoint(arguments) => evidence::checkpoint(arguments),
        Command::Prove(arguments) => evidence::prove(arguments),
        Command::Consistency(arguments) => evidence::consistency(arguments),
    }
}

fn tail(lines: u64, follow: bool, json: bool, log: &LogArguments) -> Outcome {
    let place = log.open()?;
    let head = place.head()?;
    let mut next = Position(head.0.saturating_sub(lines)).next();
    while next <= head {
        let wanted = usize::try_from(head.0 - next.0 + 1).unwrap_or(usize::MAX);
        let page = place.read_at_most(next, wanted)?;
        if page.is_empty() {
            break;
        }
        next = Position(next.0 + page.len() as u64);
        for event in page {
            print(&event, json);
        }
    }
    if follow {
        let Some(client) = place.client() else {
            return Err(Failure::unreachable(anyhow::anyhow!(
                "nothing is running on this directory, so nothing will come: leave --follow out"
            )));
        };
        event_stream::follow(client, Some(next.0 - 1), |event| {
            print(event.data.as_bytes(), json);
            true
        })?;
    }
    Ok(Exit::Done)
}

fn print(event: &[u8], json: bool) {
    let text = String::from_utf8_lossy(event);
    if json {
        return output::line(text);
    }
    let value: Value = serde_json::from_slice(event).unwrap_or(Value::Null);
    let field = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or("?");
    let data = value.get("data").map(Value::to_string).unwrap_or_default();
    let shown: String = data.chars().take(160).collect();
    let more = if shown.len() < data.len() { "…" } else { "" };
    output::line(format_args!(
        "{:>8}  {}  {}  {}  {shown}{more}",
        field("sequence").trim_start_matches('0'),
        field("recordedtime"),
        field("type").trim_start_matches("planwatch."),
        field("subject"),
    ));
}

fn show(event: &str, json: bool, log: &LogArguments) -> Outcome {
    let place = log.open()?;
    let found = match (event.parse::<u64>(), EventId::parse_str(event)) {
        (Ok(position), _) if position > 0 => place.read_at_most(Position(position), 1)?.into_iter().next(),
        (_, Ok(id)) => place.event_by_id(&id)?,
        _ => {
            return Err(Failure::usage(format_args!(
                "`{event}` is neither a position (from 1) nor an event's id"
            )));
        }
    };
    let found = found.ok_or_else(|| Failure::refused(anyhow::anyhow!("the log holds no event `{event}`")))?;
    if json {
        output::line(String::from_utf8_lossy(&found));
    } else {
        let value: Value = serde_json::from_slice(&found).context("the event is no JSON")?;
        output::line(serde_json::to_string_pretty(&value).context("the event cannot be shown")?);
    }
    Ok(Exit::Done)
}

/// Reads every event of a log in order, up to its end.
pub fn each_event(
    place: &LogPlace,
    mut each: impl FnMut(&[u8]) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let mut next = Position(1);
    loop {
        let page = place.read(next)?;
        if page.is_empty() {
            return Ok(());
        }
        for event in page {
            if !each(&event)? {
                return Ok(());
            }
            next = next.next();
        }
    }
}
