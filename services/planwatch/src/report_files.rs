//! Reports as files: JSON and CSV become one batch, and every error of the server finds its way back to a
//! file, a line and a column.

pub mod csv_reports;
mod gathered;
pub mod json_reports;

use events::FieldError;
use gathered::Gathered;
use serde_json::Value;
use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest file that is read, in bytes.
pub const FILE_LIMIT_BYTES: u64 = 64 * 1024 * 1024;

/// Where something stands in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The file as it was named.
    pub file: PathBuf,
    /// The line, counted from 1; none where the format has no lines of its own.
    pub line: Option<u64>,
    /// The column of a CSV, or the pointer in a JSON file; empty for the whole line or file.
    pub column: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if !self.column.is_empty() {
            write!(f, ": {}", self.column)?;
        }
        Ok(())
    }
}

/// Something that is wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileError {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub reason: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.place, self.reason, self.remedy)
    }
}

/// One report out of a file, and where its parts stand there.
#[derive(Debug, Clone)]
pub struct FileReport {
    /// The report, as `POST /api/v1/reports` takes it.
    pub report: Value,
    origin: Origin,
}

#[derive(Debug, Clone)]
enum Origin {
    /// At a pointer of a JSON file.
    Json { file: PathBuf, pointer: String },
    /// The rows of CSV files, one for each line of the report; with the first the report begins.
    Csv { rows: Vec<Row> },
}

impl FileReport {
    /// Where the part of this report stands that a pointer of the server names.
    pub fn place(&self, pointer: &str) -> Place {
        match &self.origin {
            Origin::Json { file, pointer: own } => {
                Place { file: file.clone(), line: None, column: format!("{own}{pointer}") }
            }
            Origin::Csv { rows } => csv_place(rows, pointer),
        }
    }
}

/// A row of a CSV file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    file: Arc<Path>,
    line: u64,
}

fn csv_place(rows: &[Row], pointer: &str) -> Place {
    let mut parts = pointer.split('/').skip(1);
    let first = rows.first();
    let (row, column) = match (parts.next(), parts.next(), parts.next()) {
        (Some("lines"), Some(index), field) => (
            index.parse::<usize>().ok().and_then(|index| rows.get(index)),
            field.unwrap_or_default().to_owned(),
        ),
        // The list of lines as a whole has no column of its own.
        (Some("lines"), None, _) => (first, String::new()),
        (Some("document"), Some(field), _) => (first, format!("document_{field}")),
        (Some(field), ..) => (first, field.to_owned()),
        (None, ..) => (first, String::new()),
    };
    let row = row.or(first).expect("a report out of rows has one");
    Place { file: row.file.to_path_buf(), line: Some(row.line), column }
}

/// What files hold.
#[derive(Debug, Clone, Default)]
pub struct ReadFiles {
    /// The reports, without the rows that cannot be read.
    pub reports: Vec<FileReport>,
    /// The rows that cannot be read, each as a report of its own: for the rules to look at, never to be recorded.
    pub unreadable: Vec<FileReport>,
    /// Everything that cannot be read.
    pub errors: Vec<FileError>,
}

/// Reads every file into one batch; all errors of all files are collected.
pub fn read(files: &[PathBuf]) -> ReadFiles {
    let mut gathered = Gathered::default();
    for file in files {
        if let Err(errors) = read_file(file, &mut gathered) {
            gathered.errors.extend(errors);
        }
    }
    gathered.finish()
}

fn read_file(file: &Path, gathered: &mut Gathered) -> Result<(), Vec<FileError>> {
    let whole = |reason: String, remedy: &str| vec![whole_file(file, reason, remedy)];
    let unreadable = |error: std::io::Error| {
        whole(format!("cannot be read: {error}"), "check that the file is there and readable")
    };
    let size_bytes = std::fs::metadata(file).map_err(unreadable)?.len();
    if size_bytes > FILE_LIMIT_BYTES {
        let reason = format!("is {size_bytes} bytes; the limit is {FILE_LIMIT_BYTES}");
        return Err(whole(reason, "split it into several files"));
    }
    let bytes = std::fs::read(file).map_err(unreadable)?;
    let extension = file.extension().map(|extension| extension.to_string_lossy().to_ascii_lowercase());
    match extension.as_deref() {
        Some("csv") => csv_reports::read(file, &bytes, gathered),
        Some("json") => json_reports::read(file, &bytes).map(|reports| gathered.take_whole(reports)),
        _ => Err(whole("is neither .csv nor .json".into(), "name it by what it holds")),
    }
}

/// Puts the errors of files and of the server in the order of file, line and column, each once. Where a field
/// cannot be read, that is all that is said about it.
pub fn merge(reading: Vec<FileError>, server: Vec<FileError>) -> Vec<FileError> {
    let unreadable: HashSet<Place> = reading.iter().map(|error| error.place.clone()).collect();
    let mut errors = reading;
    errors.extend(server.into_iter().filter(|error| !unreadable.contains(&error.place)));
    errors.sort_by(|left, right| (&left.place, &left.reason).cmp(&(&right.place, &right.reason)));
    errors.dedup();
    errors
}

fn whole_file(file: &Path, reason: String, remedy: &str) -> FileError {
    let place = Place { file: file.to_owned(), line: None, column: String::new() };
    FileError { place, reason, remedy: remedy.to_owned() }
}

/// Brings an error of the server about a batch back to the file; `/reports/3/lines/0/level` and `/3/lines/0/level` mean the same.
pub fn locate(reports: &[&FileReport], error: &FieldError) -> Option<FileError> {
    let below = error.pointer.strip_prefix("/reports").unwrap_or(&error.pointer);
    let rest = below.strip_prefix('/')?;
    let (index, pointer) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    let report = reports.get(index.parse::<usize>().ok()?)?;
    Some(FileError {
        place: report.place(pointer),
        reason: error.reason.clone(),
        remedy: error.remedy.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(pointer: &str) -> FieldError {
        FieldError::new(pointer, "code", "it is wrong", "correct it")
    }

    #[test]
    fn an_error_in_a_batch_finds_its_file_line_and_column() {
        let csv = |lines: &[u64]| FileReport {
            report: Value::Null,
            origin: Origin::Csv {
                rows: lines.iter().map(|line| Row { file: Path::new("a.csv").into(), line: *line }).collect(),
            },
        };
        let json = FileReport {
            report: Value::Null,
            origin: Origin::Json { file: "b.json".into(), pointer: "/reports/0".into() },
        };
        let reports = [csv(&[2, 5]), csv(&[3]), json];
        for (pointer, expected) in [
            ("/reports/0/lines/1/level", "a.csv:5: level"),
            ("/0/lines/1/level", "a.csv:5: level"),
            ("/1/document/date", "a.csv:3: document_date"),
            ("/1/unit", "a.csv:3: unit"),
            ("/1", "a.csv:3"),
            ("/0/lines", "a.csv:2"),
            ("/2/lines/4/measure", "b.json: /reports/0/lines/4/measure"),
        ] {
            let located = locate(&reports.each_ref(), &error(pointer)).unwrap();
            assert_eq!(located.to_string(), format!("{expected}: it is wrong: correct it"), "{pointer}");
        }
        assert!(locate(&reports.each_ref(), &error("")).is_none());
        assert!(locate(&reports.each_ref(), &error("/7/unit")).is_none());
    }

    #[test]
    fn errors_of_files_and_of_the_server_come_in_the_order_of_the_files() {
        let at = |file: &str, line, column: &str, reason: &str| FileError {
            place: Place { file: file.into(), line: Some(line), column: column.into() },
            reason: reason.into(),
            remedy: "mend it".into(),
        };
        let reading = vec![at("b.csv", 2, "level", "no number"), at("a.csv", 12, "level", "no number")];
        let server = vec![
            at("b.csv", 2, "level", "wrong type"),
            at("a.csv", 9, "unit", "unknown"),
            at("a.csv", 9, "unit", "unknown"),
            at("a.csv", 9, "measure", "unknown"),
        ];
        let merged: Vec<String> = merge(reading, server).iter().map(|error| error.to_string()).collect();
        assert_eq!(
            merged,
            [
                "a.csv:9: measure: unknown: mend it",
                "a.csv:9: unit: unknown: mend it",
                "a.csv:12: level: no number: mend it",
                "b.csv:2: level: no number: mend it",
            ]
        );
    }
}
