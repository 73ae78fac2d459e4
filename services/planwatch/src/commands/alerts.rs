//! `planwatch alerts`: the list, live, and taking note of one.

use super::recording::{RecordingArguments, body};
use crate::client::ServerArguments;
use crate::event_stream::{self, StreamEvent};
use crate::exit::{Exit, Failure, Outcome};
use crate::interruption::until_interrupted;
use crate::moment::{self, Moment};
use crate::output;
use clap::{Args, Subcommand};
use events::Date;
use serde_json::{Value, json};

/// The states of an alert that can be asked for.
const STATES: [&str; 3] = ["pending", "firing", "resolved"];

/// What to do with alerts.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List alerts
    List {
        /// Only those that are pending, firing or resolved
        #[arg(long, value_name = "S", value_parser = STATES)]
        state: Option<String>,
        /// One unit only
        #[arg(long, value_name = "U")]
        unit: Option<String>,
        /// As they were known at this date (YYYY-MM-DD or RFC 3339)
        #[arg(long, value_name = "DATE", value_parser = Moment::parse)]
        known_at: Option<Moment>,
        /// Wait until the answer includes this position of the log
        #[arg(long, value_name = "N")]
        at_least: Option<u64>,
        /// Print the server's answer as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: ServerArguments,
    },
    /// Show alerts as they are raised, resolved and acknowledged, until Ctrl-C
    Watch {
        /// Begin after this position of the log [default: from now on]
        #[arg(long, value_name = "N")]
        after: Option<u64>,
        /// Print each event as one line of JSON, as recorded
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: ServerArguments,
    },
    /// Acknowledge an alert
    Ack {
        /// The alert's id
        id: String,
        /// What you mean to do
        #[arg(long, value_name = "TEXT")]
        note: String,
        /// By when someone looks again (YYYY-MM-DD)
        #[arg(long, value_name = "DATE", value_parser = moment::day)]
        review_by: Option<Date>,
        #[command(flatten)]
        recording: RecordingArguments,
    },
}

/// Carries the subcommand out.
pub fn run(arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::List { state, unit, known_at, at_least, json, server } => {
            let query = [
                ("state", state.clone()),
                ("unit", unit.clone()),
                ("known_at", known_at.as_ref().map(|moment| moment.text().to_owned())),
                ("at_least", at_least.map(|position| position.to_string())),
            ];
            let answer = server.client()?.get("/api/v1/alerts", &query)?.value()?;
            if *json {
                output::json(&answer);
            } else {
                list(&answer);
            }
            Ok(Exit::Done)
        }
        Command::Watch { after, json, server } => {
            let (client, after, json) = (server.client()?, *after, *json);
            until_interrupted(move || {
                let shown = |event: &StreamEvent| {
                    if event.kind.starts_with("alert-") {
                        show(event, json);
                    }
                    true
                };
                event_stream::follow(&client, after, shown)?;
                Ok(Exit::Done)
            })
        }
        Command::Ack { id, note, review_by, recording } => {
            if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
                return Err(Failure::usage(format_args!(
                    "`{id}` is no alert's id: take it from `alerts list`"
                )));
            }
            let body = body([("note", Some(json!(note))), ("review_by", review_by.map(|day| json!(day)))]);
            recording.record(&format!("/api/v1/alerts/{id}/ack"), &body)
        }
    }
}

fn list(answer: &Value) {
    output::sample(answer);
    let alerts = answer.get("alerts").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let rows: Vec<[String; 8]> = alerts
        .iter()
        .map(|alert| {
            let text = |pointer: &str| match alert.pointer(pointer) {
                None | Some(Value::Null) => "-".to_owned(),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            };
            let taken = alert.get("acknowledged").is_some_and(|taken| !taken.is_null());
            let mut state = text("/state");
            if taken {
                state.push_str(", acknowledged");
            }
            [
                text("/severity"),
                state,
                text("/rule"),
                text("/unit"),
                text("/indicator"),
                text("/raised_at"),
                text("/id"),
                text("/summary/en"),
            ]
        })
        .collect();
    output::table(["SEVERITY", "STATE", "RULE", "UNIT", "INDICATOR", "RAISED", "ID", "SUMMARY"], &rows);
    output::say(format_args!("{} alerts", rows.len()));
}

fn show(event: &StreamEvent, json: bool) {
    if json {
        output::line(&event.data);
        return;
    }
    let recorded: Value = serde_json::from_str(&event.data).unwrap_or(Value::Null);
    let text = |pointer: &str| recorded.pointer(pointer).and_then(Value::as_str).unwrap_or("-").to_owned();
    let what = match recorded.pointer("/data/summary/en").and_then(Value::as_str) {
        Some(summary) => summary.to_owned(),
        None => text("/data/note"),
    };
    output::line(format_args!(
        "{}  {}  {}  {}  {}  {what}",
        text("/recordedtime"),
        event.kind,
        text("/data/unit"),
        text("/data/rule"),
        text("/data/alert"),
    ));
}
