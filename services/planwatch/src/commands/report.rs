//! `planwatch report submit`: reports out of files, all of them or none.

use crate::client::{Answer, Client, ServerArguments};
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::report_files::{self, FileError, FileReport, ReadFiles};
use clap::{Args, Subcommand};
use events::command::BATCH_LIMIT;
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
    let read = report_files::read(&submit.files);
    if !read.errors.is_empty() {
        return Err(unreadable(submit, read));
    }
    let reports: Vec<&FileReport> = read.reports.iter().collect();
    let client = submit.server.client()?;
    // The dry run says what is recorded already; the answer to the submission itself is the same either way.
    let checked = accepted(&reports, post(&client, &reports, true)?)?;
    let answer = if submit.dry_run {
        checked
    } else {
        let mut answer = accepted(&reports, post(&client, &reports, false)?)?;
        mark_recorded_before(&mut answer, &checked);
        answer
    };
    if submit.json {
        output::json(&answer);
    } else {
        for (report, told) in read.reports.iter().zip(told(&answer)) {
            output::line(sentence(&report.report, told, submit.dry_run));
        }
    }
    Ok(Exit::Done)
}

/// One batch without an idempotency key: the server gives the same content its first answer again.
fn post(client: &Client, reports: &[&FileReport], dry_run: bool) -> Result<Answer, Failure> {
    let list: Vec<&Value> = reports.iter().map(|report| &report.report).collect();
    let body = json!({ "reports": list }).to_string();
    let path = if dry_run { "/api/v1/reports/batch?dry_run=true" } else { "/api/v1/reports/batch" };
    client.post(path, body.as_bytes(), None)
}

fn accepted(reports: &[&FileReport], answer: Answer) -> Result<Value, Failure> {
    if (200..300).contains(&answer.status) {
        return answer.value();
    }
    match located(reports, &answer) {
        Some(errors) => Err(nothing_recorded(&report_files::merge(Vec::new(), errors))),
        None => Err(answer.failure()),
    }
}

/// What is said about each report, in the order of the batch.
fn told(answer: &Value) -> &[Value] {
    answer.get("reports").and_then(Value::as_array).map_or(&[][..], Vec::as_slice)
}

/// Marks the reports of an answer that a dry run just before found recorded.
fn mark_recorded_before(answer: &mut Value, checked: &Value) {
    let Some(Value::Array(reports)) = answer.get_mut("reports") else { return };
    for (report, checked) in reports.iter_mut().zip(told(checked)) {
        if let (Value::Object(report), Some(true)) = (report, is_recorded_before(checked)) {
            report.insert("already_recorded".to_owned(), true.into());
        }
    }
}

fn is_recorded_before(told: &Value) -> Option<bool> {
    told.get("already_recorded").and_then(Value::as_bool)
}

fn sentence(report: &Value, told: &Value, dry_run: bool) -> String {
    let text = |value: &Value, name: &str| match value.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let (unit, period, revision) = (text(report, "unit"), text(report, "period"), text(told, "revision"));
    let verdict = match (is_recorded_before(told) == Some(true), dry_run) {
        (true, _) => " already recorded as",
        (false, true) => " would become",
        (false, false) => "",
    };
    let place = if dry_run { String::new() } else { format!(" at position {}", text(told, "position")) };
    format!("{unit} {period}{verdict} revision {revision}{place}")
}

/// The refusal of files of which something cannot be read: with it comes what the server finds in all the rest.
fn unreadable(submit: &Submit, read: ReadFiles) -> Failure {
    let ReadFiles { reports, unreadable, errors } = read;
    // The rows that cannot be read come last, so that no report is judged after one that is none.
    let to_check: Vec<&FileReport> = reports.iter().chain(&unreadable).take(BATCH_LIMIT).collect();
    let found = if to_check.is_empty() { Ok(Vec::new()) } else { found_by_server(submit, &to_check) };
    let found = found.unwrap_or_else(|failure| {
        output::failure(
            &failure.error.context("what can be read could not be held against the rules of the plan"),
        );
        Vec::new()
    });
    nothing_recorded(&report_files::merge(errors, found))
}

fn found_by_server(submit: &Submit, reports: &[&FileReport]) -> Result<Vec<FileError>, Failure> {
    let answer = post(&submit.server.client()?, reports, true)?;
    if (200..300).contains(&answer.status) {
        return Ok(Vec::new());
    }
    located(reports, &answer).ok_or_else(|| answer.failure())
}

/// The errors of the server's refusal, each at its file, line and column; none where one has no such place.
fn located(reports: &[&FileReport], answer: &Answer) -> Option<Vec<FileError>> {
    let errors = answer.problem().errors;
    let located: Option<Vec<FileError>> =
        errors.iter().map(|error| report_files::locate(reports, error)).collect();
    located.filter(|errors| !errors.is_empty())
}

/// The refusal that names every place.
fn nothing_recorded(errors: &[FileError]) -> Failure {
    for error in errors {
        output::say(error);
    }
    let count = errors.len();
    let noun = if count == 1 { "place is" } else { "places are" };
    let detail = format!("nothing was recorded: {count} {noun} wrong");
    let errors = errors
        .iter()
        .map(|error| {
            json!({"file": error.place.file, "line": error.place.line, "column": error.place.column,
                "reason": error.reason, "remedy": error.remedy})
        })
        .collect();
    Failure::refused(anyhow::anyhow!("{detail}")).with_errors(detail, errors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_recorded_before_is_said_for_people_and_programs() {
        let mut answer =
            json!({"reports": [{"revision": 1, "position": 40}, {"revision": 1, "position": 40}]});
        let checked = json!({"reports": [{"already_recorded": false}, {"already_recorded": true}]});
        mark_recorded_before(&mut answer, &checked);
        assert_eq!(answer["reports"][0], json!({"revision": 1, "position": 40}));
        assert_eq!(answer["reports"][1]["already_recorded"], true);
        let report = json!({"unit": "di-an", "period": "2024"});
        let said: Vec<String> = told(&answer).iter().map(|told| sentence(&report, told, false)).collect();
        assert_eq!(
            said,
            [
                "di-an 2024 revision 1 at position 40",
                "di-an 2024 already recorded as revision 1 at position 40"
            ]
        );
        assert_eq!(
            sentence(&report, &json!({"revision": 2, "already_recorded": false}), true),
            "di-an 2024 would become revision 2"
        );
    }
}
