//! `planwatch plan amend`: shows what an amendment changes, then records it.

use crate::client::Client;
use crate::commands::recording::RecordingArguments;
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use anyhow::Context;
use clap::Args;
use events::command::AmendmentPreview;
use serde_json::Value;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

const PATH: &str = "/api/v1/plan/amendments";

/// Which amendment, and how far to go.
#[derive(Debug, Args)]
pub(super) struct Amend {
    /// The amendment: {"changes": [{"key": …, "value": …}], "effective", "instrument"}
    file: PathBuf,
    /// Only show what it would change
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Record it without asking
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    recording: RecordingArguments,
}

/// Shows the difference and its consequences, asks, and records.
pub(super) fn run(amend: &Amend) -> Outcome {
    let body =
        std::fs::read(&amend.file).with_context(|| format!("cannot read `{}`", amend.file.display()))?;
    let (client, key) = (amend.recording.client()?, amend.recording.key());
    let shown = client.post(&format!("{PATH}?dry_run=true"), &body, key)?.value()?;
    let preview: AmendmentPreview =
        serde_json::from_value(shown.clone()).context("the server's answer cannot be read")?;
    if amend.dry_run {
        if amend.recording.json {
            output::json(&shown);
        } else {
            show(&preview);
        }
        return Ok(Exit::Done);
    }
    if !amend.recording.json {
        show(&preview);
    }
    if !amend.yes && !preview.already_recorded && !confirmed()? {
        output::say("nothing was recorded");
        return Ok(Exit::Refused);
    }
    let mut answer = record(&client, body, &preview, key)?;
    if amend.recording.json {
        answer["preview"] = shown;
    }
    Ok(amend.recording.recorded(&answer))
}

/// Records what was shown. Under a key the body stays as it is; without one it must become the very revision
/// that was shown, so that nothing was recorded between the two.
fn record(
    client: &Client,
    body: Vec<u8>,
    preview: &AmendmentPreview,
    key: Option<&str>,
) -> Result<Value, Failure> {
    let body = match (key, serde_json::from_slice(&body)) {
        (None, Ok(Value::Object(mut fields))) => {
            fields.entry("revision").or_insert_with(|| preview.revision.into());
            Value::Object(fields).to_string().into_bytes()
        }
        _ => body,
    };
    client.post(PATH, &body, key)?.value()
}

/// Asks the person at the terminal.
fn confirmed() -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            "nothing was recorded: there is no terminal to ask at; look at what it changes, then give --yes",
        ));
    }
    let mut stderr = std::io::stderr();
    let _closed = write!(stderr, "record this amendment? [y/N] ").and_then(|()| stderr.flush());
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("cannot read the answer")?;
    Ok(matches!(line.trim().to_lowercase().as_str(), "y" | "yes"))
}

fn show(preview: &AmendmentPreview) {
    if preview.already_recorded {
        output::line(format_args!("already recorded as revision {}", preview.revision));
        return;
    }
    let changes = preview.changes.iter();
    let rows: Vec<[String; 3]> =
        changes.map(|change| [change.key.clone(), change.from.to_string(), change.to.to_string()]).collect();
    output::table(["key", "from", "to"], &rows);
    let when = if preview.as_if_in_force {
        format!("as it would be on {}, were the amendment in force", preview.as_of)
    } else {
        format!("as of {}", preview.as_of)
    };
    if preview.cells.is_empty() {
        output::line(format_args!("no cell says anything else {when}"));
        return;
    }
    output::line(format_args!("cells that say something else {when}:"));
    let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let cells = preview.cells.iter();
    let rows: Vec<[String; 5]> = cells
        .map(|cell| {
            let (from, to) = (or_dash(&cell.from), or_dash(&cell.to));
            [cell.unit.to_string(), cell.indicator.to_string(), cell.what.clone(), from, to]
        })
        .collect();
    output::table(["unit", "indicator", "what", "from", "to"], &rows);
    if preview.more_cells > 0 {
        output::line(format_args!("and {} more", preview.more_cells));
    }
}
