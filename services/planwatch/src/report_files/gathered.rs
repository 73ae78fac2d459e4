//! Rows of CSV files gathered into reports, and reports of JSON files as they are, in the order in which they came.

use super::{FileError, FileReport, Origin, Place, ReadFiles, Row};
use events::FieldError;
use events::command::SubmitReport;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;

/// Columns that speak of the report; every row of one report says the same in them.
pub(super) const OF_THE_REPORT: [&str; 2] = ["revision", "history"];

/// What makes rows one report, in whichever file they stand: unit, period, number and date of the document.
pub(super) type ReportKey = [String; 4];

/// One row, as far as it can be read.
pub(super) struct ReadRow {
    /// Where it stands.
    pub(super) row: Row,
    /// To which report it belongs.
    pub(super) key: ReportKey,
    /// What it says in the columns of [`OF_THE_REPORT`].
    pub(super) of_the_report: [Option<String>; OF_THE_REPORT.len()],
    /// The revision, where it can be read.
    pub(super) revision: Option<Value>,
    /// The line; a field that cannot be read is the text that stands there.
    pub(super) line: Value,
}

struct GatheredReport {
    head: Map<String, Value>,
    lines: Vec<Value>,
    rows: Vec<Row>,
    of_the_report: [Option<String>; OF_THE_REPORT.len()],
}

enum Entry {
    Rows(GatheredReport),
    Whole(FileReport),
}

/// Everything that was read so far, of all files.
#[derive(Default)]
pub(super) struct Gathered {
    entries: Vec<Entry>,
    by_key: HashMap<ReportKey, usize>,
    unreadable: Vec<FileReport>,
    pub(super) errors: Vec<FileError>,
}

impl Gathered {
    /// Takes the reports of a JSON file.
    pub(super) fn take_whole(&mut self, reports: Vec<FileReport>) {
        self.entries.extend(reports.into_iter().map(Entry::Whole));
    }

    /// Notes that something in a row is wrong.
    pub(super) fn refuse(&mut self, row: &Row, column: &str, reason: String, remedy: &str) {
        let place = Place { file: row.file.to_path_buf(), line: Some(row.line), column: column.to_owned() };
        self.errors.push(FileError { place, reason, remedy: remedy.to_owned() });
    }

    /// Takes a row of which a field cannot be read: it is left out of its report, and what else cannot be read of
    /// it is named as well.
    pub(super) fn take_unreadable(&mut self, read: ReadRow) {
        let mut report = head(&read.key, read.revision, &read.of_the_report);
        report.insert("lines".to_owned(), json!([read.line]));
        let origin = Origin::Csv { rows: vec![read.row] };
        let report = FileReport { report: Value::Object(report), origin };
        let errors = SubmitReport::read(&report.report).err().unwrap_or_default();
        for FieldError { pointer, reason, remedy, .. } in errors {
            let place = report.place(&pointer);
            if !self.errors.iter().rev().any(|error| error.place == place) {
                self.errors.push(FileError { place, reason, remedy });
            }
        }
        self.unreadable.push(report);
    }

    /// Takes a row into its report.
    pub(super) fn take(&mut self, read: ReadRow) {
        let ReadRow { row, key, of_the_report, revision, line } = read;
        if let Some(index) = self.by_key.get(&key)
            && let Entry::Rows(report) = &mut self.entries[*index]
        {
            let differs = OF_THE_REPORT.iter().zip(of_the_report.iter().zip(&report.of_the_report));
            let differs = differs.filter(|(_, (said, first))| said != first).map(|(column, _)| column);
            if let Some(column) = differs.into_iter().next() {
                let first = &report.rows[0];
                let file = if first.file == row.file {
                    String::new()
                } else {
                    format!("`{}`, ", first.file.display())
                };
                let reason = format!("`{column}` differs from {file}line {} of the same report", first.line);
                self.refuse(&row, column, reason, "say the same in every row of one report");
            } else if !report.stands_in_another_file(&row, &line) {
                report.lines.push(line);
                report.rows.push(row);
            }
            return;
        }
        let head = head(&key, revision, &of_the_report);
        self.by_key.insert(key, self.entries.len());
        self.entries.push(Entry::Rows(GatheredReport {
            head,
            lines: vec![line],
            rows: vec![row],
            of_the_report,
        }));
    }

    /// Gives everything that was read.
    pub(super) fn finish(self) -> ReadFiles {
        let report = |entry| match entry {
            Entry::Whole(report) => report,
            Entry::Rows(GatheredReport { mut head, lines, rows, .. }) => {
                head.insert("lines".to_owned(), json!(lines));
                FileReport { report: Value::Object(head), origin: Origin::Csv { rows } }
            }
        };
        ReadFiles {
            reports: self.entries.into_iter().map(report).collect(),
            unreadable: self.unreadable,
            errors: self.errors,
        }
    }
}

impl GatheredReport {
    /// Whether another file says the very same: a file that is named twice, or a copy of it, adds nothing.
    fn stands_in_another_file(&self, row: &Row, line: &Value) -> bool {
        self.rows
            .iter()
            .zip(&self.lines)
            .any(|(other, said)| !Arc::ptr_eq(&other.file, &row.file) && said == line)
    }
}

fn head(
    key: &ReportKey,
    revision: Option<Value>,
    of_the_report: &[Option<String>; OF_THE_REPORT.len()],
) -> Map<String, Value> {
    let [unit, period, number, date] = key;
    let named = |fields: [(&str, &String); 2]| {
        let given = fields.into_iter().filter(|(_, text)| !text.is_empty());
        given.map(|(name, text)| (name.to_owned(), Value::from(text.as_str()))).collect::<Map<_, _>>()
    };
    let mut head = named([("unit", unit), ("period", period)]);
    head.insert("document".to_owned(), Value::Object(named([("number", number), ("date", date)])));
    if let Some(revision) = revision {
        head.insert("revision".to_owned(), revision);
    }
    if let Some(history) = &of_the_report[1] {
        head.insert("history".to_owned(), history.as_str().into());
    }
    head
}
