//! `planwatch report submit`: reports out of files, all of them or none.

use crate::client::{Answer, Client, ServerArguments};
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::report_files::{self, FileError, FileReport};
use clap::{Args, Subcommand};
use events::FieldError;
use serde_json::{Value, json};
use std::path::PathBuf;

/// What to do with reports.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Submit the reports of files: all are recorded, or none
    Submit(Submit),
}

#[derive(Debug, Args)]
struct Submit {
    /// Files: .json (a report, a list, or {"reports": […]}) or .csv (one line of a report per row)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Check only; record nothing
    #[arg(long)]
    dry_run: bool,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArguments,
}

/// Submits reports.
pub fn run(arguments: &Arguments) -> Outcome {
    let Command::Submit(submit) = &arguments.command;
    let reports = report_files::read(&submit.files).map_err(|errors| {
        tell_errors(&errors, submit.json);
        nothing_recorded(&errors)
    })?;
    let client = submit.server.client()?;
    let answer = post(&client, &reports, submit.dry_run)?;
    if !(200..300).contains(&answer.status) {
        return Err(refused(&reports, &answer, submit.json));
    }
    let value = answer.value()?;
    if submit.json {
        output::json(&value);
        return Ok(Exit::Done);
    }
    let told = value.get("reports").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    for (report, told) in reports.iter().zip(told) {
        let text = |value: &Value, name: &str| match value.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let (unit, period) = (text(&report.report, "unit"), text(&report.report, "period"));
        let revision = text(told, "revision");
        output::line(if submit.dry_run {
            let before = told.get("already_recorded") == Some(&Value::Bool(true));
            let verdict = if before { "is recorded already as" } else { "would become" };
            format!("{unit} {period} {verdict} revision {revision}")
        } else {
            format!("{unit} {period} revision {revision} at position {}", text(told, "position"))
        });
    }
    Ok(Exit::Done)
}

/// One batch without an idempotency key: the server gives the same content its first answer again.
fn post(client: &Client, reports: &[FileReport], dry_run: bool) -> Result<Answer, Failure> {
    let list: Vec<&Value> = reports.iter().map(|report| &report.report).collect();
    let body = json!({ "reports": list }).to_string();
    let path = if dry_run { "/api/v1/reports/batch?dry_run=true" } else { "/api/v1/reports/batch" };
    client.post(path, body.as_bytes(), None)
}

/// The server's refusal, with each error at its file, line and column.
fn refused(reports: &[FileReport], answer: &Answer, json: bool) -> Failure {
    let mut failure = answer.failure();
    let problem = answer.problem();
    let located: Vec<(Option<FileError>, &FieldError)> =
        problem.errors.iter().map(|error| (report_files::locate(reports, error), error)).collect();
    if located.is_empty() || located.iter().any(|(place, _)| place.is_none()) {
        return failure;
    }
    let errors: Vec<FileError> = located.into_iter().filter_map(|(place, _)| place).collect();
    tell_errors(&errors, json);
    failure.error = nothing_recorded(&errors).error;
    failure
}

fn tell_errors(errors: &[FileError], json: bool) {
    for error in errors {
        output::say(error);
    }
    if json {
        let errors: Vec<Value> = errors
            .iter()
            .map(|error| {
                json!({"file": error.place.file, "line": error.place.line, "column": error.place.column,
                    "reason": error.reason, "remedy": error.remedy})
            })
            .collect();
        output::json(&json!({ "errors": errors }));
    }
}

fn nothing_recorded(errors: &[FileError]) -> Failure {
    let count = errors.len();
    let noun = if count == 1 { "place is" } else { "places are" };
    Failure::refused(anyhow::anyhow!("nothing was recorded: {count} {noun} wrong"))
}
