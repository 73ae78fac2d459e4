//! Reports as files: JSON and CSV become one batch, and every error of the server finds its way back to a
//! file, a line and a column.

pub mod csv_reports;
pub mod json_reports;

use events::FieldError;
use serde_json::Value;
use std::fmt;
use std::path::{Path, PathBuf};

/// The largest file that is read, in bytes.
pub const FILE_LIMIT_BYTES: u64 = 64 * 1024 * 1024;

/// Where something stands in a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
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
    /// The lines of a CSV file: the one on which the report begins, and one for each line of the report.
    Csv { file: PathBuf, lines: Vec<u64> },
}

impl FileReport {
    /// Where the part of this report stands that a pointer of the server names.
    pub fn place(&self, pointer: &str) -> Place {
        match &self.origin {
            Origin::Json { file, pointer: own } => {
                Place { file: file.clone(), line: None, column: format!("{own}{pointer}") }
            }
            Origin::Csv { file, lines } => csv_place(file, lines, pointer),
        }
    }
}

fn csv_place(file: &Path, lines: &[u64], pointer: &str) -> Place {
    let mut parts = pointer.split('/').skip(1);
    let (line, column) = match (parts.next(), parts.next(), parts.next()) {
        (Some("lines"), Some(index), field) => (
            index.parse::<usize>().ok().and_then(|index| lines.get(index)),
            field.unwrap_or_default().to_owned(),
        ),
        // The list of lines as a whole has no column of its own.
        (Some("lines"), None, _) => (lines.first(), String::new()),
        (Some("document"), Some(field), _) => (lines.first(), format!("document_{field}")),
        (Some(field), ..) => (lines.first(), field.to_owned()),
        (None, ..) => (lines.first(), String::new()),
    };
    Place { file: file.to_owned(), line: line.or(lines.first()).copied(), column }
}

/// Reads every file into one batch; all errors of all files are collected.
pub fn read(files: &[PathBuf]) -> Result<Vec<FileReport>, Vec<FileError>> {
    let mut reports = Vec::new();
    let mut errors = Vec::new();
    for file in files {
        match read_file(file) {
            Ok(read) => reports.extend(read),
            Err(wrong) => errors.extend(wrong),
        }
    }
    if errors.is_empty() { Ok(reports) } else { Err(errors) }
}

fn read_file(file: &Path) -> Result<Vec<FileReport>, Vec<FileError>> {
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
        Some("csv") => csv_reports::read(file, &bytes),
        Some("json") => json_reports::read(file, &bytes),
        _ => Err(whole("is neither .csv nor .json".into(), "name it by what it holds")),
    }
}

fn whole_file(file: &Path, reason: String, remedy: &str) -> FileError {
    let place = Place { file: file.to_owned(), line: None, column: String::new() };
    FileError { place, reason, remedy: remedy.to_owned() }
}

/// Brings an error of the server about a batch back to the file; `/reports/3/lines/0/level` and `/3/lines/0/level` mean the same.
pub fn locate(reports: &[FileReport], error: &FieldError) -> Option<FileError> {
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
            origin: Origin::Csv { file: "a.csv".into(), lines: lines.to_vec() },
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
            let located = locate(&reports, &error(pointer)).unwrap();
            assert_eq!(located.to_string(), format!("{expected}: it is wrong: correct it"), "{pointer}");
        }
        assert!(locate(&reports, &error("")).is_none());
        assert!(locate(&reports, &error("/7/unit")).is_none());
    }
}
