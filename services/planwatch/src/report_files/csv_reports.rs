//! Reports in CSV: one line of a report per row; rows with the same unit, period and document are one report.

use super::gathered::{Gathered, OF_THE_REPORT, ReadRow, ReportKey};
use super::{FileError, Place, Row, whole_file};
use serde_json::{Map, Value};
use std::path::Path;
use std::sync::Arc;

const REQUIRED: [&str; 10] = [
    "unit",
    "period",
    "document_number",
    "document_date",
    "measure",
    "numerator",
    "denominator",
    "level",
    "attained",
    "source",
];
const OPTIONAL: [&str; 4] = ["revision", "withdrawn", "history", "recognised_year"];
/// The most rows of one file.
const ROWS_LIMIT: usize = 1_000_000;

/// Reads a file; every row that is wrong is named there, and what is wrong with the file as a whole is the error.
pub(super) fn read(file: &Path, bytes: &[u8], gathered: &mut Gathered) -> Result<(), Vec<FileError>> {
    let whole = |reason: String, remedy: &str| vec![whole_file(file, reason, remedy)];
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = line_of(bytes, error.valid_up_to());
        let place = Place { file: file.to_owned(), line: Some(line), column: String::new() };
        let reason = "is not UTF-8 from here on".to_owned();
        vec![FileError { place, reason, remedy: "save it as CSV UTF-8".into() }]
    })?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator(text))
        // Short and long rows are found here, so that each is named and not only the first.
        .flexible(true)
        .from_reader(text.as_bytes());
    let header = reader
        .headers()
        .map_err(|error| whole(format!("cannot be read: {error}"), "correct the header"))?
        .clone();
    let columns = Columns::of(file, &header)?;
    let mut table = Table { file: file.into(), text, columns, gathered, rows: 0 };
    for (count, row) in reader.records().enumerate() {
        if count == ROWS_LIMIT {
            return Err(whole(format!("has more than {ROWS_LIMIT} rows"), "split it into several files"));
        }
        match row {
            Ok(row) => table.take(&row),
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                table.refuse(line, "", format!("cannot be read: {error}"), "correct the row's quotes");
            }
        }
    }
    if table.rows == 0 {
        return Err(whole("holds no row".into(), "add one, or leave the file out"));
    }
    Ok(())
}

fn line_of(bytes: &[u8], offset: usize) -> u64 {
    let before = bytes.iter().take(offset).filter(|byte| **byte == b'\n').count();
    before as u64 + 1
}

/// The separator is whichever of comma and semicolon the header holds more of: no column's name holds either.
fn separator(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let count = |letter| header.matches(letter).count();
    if count(';') > count(',') { b';' } else { b',' }
}

struct Columns(Vec<String>);

impl Columns {
    fn of(file: &Path, header: &csv::StringRecord) -> Result<Columns, Vec<FileError>> {
        let names: Vec<String> = header.iter().map(|name| name.trim().to_ascii_lowercase()).collect();
        let mut errors = Vec::new();
        let mut refuse = |column: &str, reason: String, remedy: String| {
            let place = Place { file: file.to_owned(), line: Some(1), column: column.to_owned() };
            errors.push(FileError { place, reason, remedy });
        };
        for (index, name) in names.iter().enumerate() {
            if !REQUIRED.contains(&name.as_str()) && !OPTIONAL.contains(&name.as_str()) {
                let remedy = format!("use {} and optionally {}", REQUIRED.join(","), OPTIONAL.join(","));
                refuse(name, format!("there is no column `{name}`"), remedy);
            } else if names[..index].contains(name) {
                refuse(name, format!("the column `{name}` stands twice"), "keep one of the two".into());
            }
        }
        for required in REQUIRED {
            if !names.iter().any(|name| name == required) {
                let reason = format!("the column `{required}` is missing");
                refuse(
                    required,
                    reason,
                    "add it to the header, and leave its fields empty where nothing is meant".into(),
                );
            }
        }
        if errors.is_empty() { Ok(Columns(names)) } else { Err(errors) }
    }

    fn field<'a>(&self, row: &'a csv::StringRecord, name: &str) -> Option<&'a str> {
        let index = self.0.iter().position(|column| column == name)?;
        row.get(index).map(str::trim).filter(|field| !field.is_empty())
    }
}

struct Table<'a> {
    file: Arc<Path>,
    text: &'a str,
    columns: Columns,
    gathered: &'a mut Gathered,
    /// How many rows hold anything.
    rows: usize,
}

impl Table<'_> {
    fn refuse(&mut self, line: u64, column: &str, reason: String, remedy: &str) {
        self.rows += 1;
        self.gathered.refuse(&Row { file: Arc::clone(&self.file), line }, column, reason, remedy);
    }

    /// The reader's position lies before the empty lines and the second half of a line break that it skips.
    fn line_of(&self, row: &csv::StringRecord) -> u64 {
        let Some(position) = row.position() else { return 0 };
        let offset = usize::try_from(position.byte()).unwrap_or(usize::MAX);
        let rest = self.text.as_bytes().get(offset..).unwrap_or_default();
        let skipped = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r'));
        position.line() + skipped.filter(|byte| **byte == b'\n').count() as u64
    }

    /// A field as it is meant: a line ends alike on every system.
    fn text(&self, row: &csv::StringRecord, name: &str) -> Option<String> {
        self.columns.field(row, name).map(|text| text.replace("\r\n", "\n").replace('\r', "\n"))
    }

    fn take(&mut self, row: &csv::StringRecord) {
        let line = self.line_of(row);
        if row.iter().all(|field| field.trim().is_empty()) {
            return;
        }
        if row.len() != self.columns.0.len() {
            let reason = format!("the row has {} fields, the header {}", row.len(), self.columns.0.len());
            self.refuse(line, "", reason, "quote fields that hold the separator");
            return;
        }
        self.rows += 1;
        let errors_before = self.gathered.errors.len();
        let key: ReportKey = ["unit", "period", "document_number", "document_date"]
            .map(|name| self.text(row, name).unwrap_or_default());
        let of_the_report = OF_THE_REPORT.map(|name| self.text(row, name));
        let mut value = Map::new();
        for name in ["measure", "source", "recognised_year"] {
            if let Some(text) = self.text(row, name) {
                value.insert(name.to_owned(), text.into());
            }
        }
        for name in ["numerator", "denominator", "level"] {
            if let Some(text) = self.text(row, name) {
                let number = self.whole_number(line, name, &text);
                value.insert(name.to_owned(), number.unwrap_or_else(|| text.into()));
            }
        }
        for name in ["attained", "withdrawn"] {
            let Some(text) = self.text(row, name) else { continue };
            match self.yes_or_no(line, name, &text) {
                // `withdrawn` false says nothing: most tools fill a whole column.
                Some(false) if name == "withdrawn" => {}
                Some(said) => drop(value.insert(name.to_owned(), said.into())),
                None => drop(value.insert(name.to_owned(), text.into())),
            }
        }
        let revision = of_the_report[0].as_ref().and_then(|text| self.whole_number(line, "revision", text));
        let row = Row { file: Arc::clone(&self.file), line };
        let read = ReadRow { row, key, of_the_report, revision, line: Value::Object(value) };
        if self.gathered.errors.len() == errors_before {
            self.gathered.take(read);
        } else {
            self.gathered.take_unreadable(read);
        }
    }

    fn whole_number(&mut self, line: u64, column: &str, text: &str) -> Option<Value> {
        if text.bytes().all(|byte| byte.is_ascii_digit())
            && let Ok(number) = text.parse::<u64>()
        {
            return Some(number.into());
        }
        let reason = format!("`{text}` is no whole number");
        self.refuse(line, column, reason, "write digits only, without separators or decimals");
        None
    }

    fn yes_or_no(&mut self, line: u64, column: &str, text: &str) -> Option<bool> {
        match text.to_lowercase().as_str() {
            "true" | "yes" | "có" | "1" => Some(true),
            "false" | "no" | "không" | "0" => Some(false),
            _ => {
                let reason = format!("`{text}` is neither true nor false");
                self.refuse(line, column, reason, "write true or false");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report_files::{FileReport, ReadFiles};
    use serde_json::json;

    const HEADER: &str =
        "unit,period,document_number,document_date,measure,numerator,denominator,level,attained,source";

    fn read_all(files: &[(&str, &[u8])]) -> ReadFiles {
        let mut gathered = Gathered::default();
        for (name, bytes) in files {
            let whole = read(Path::new(name), bytes, &mut gathered);
            gathered.errors.extend(whole.err().unwrap_or_default());
        }
        gathered.finish()
    }

    fn values(reports: Vec<FileReport>) -> Vec<Value> {
        reports.into_iter().map(|report| report.report).collect()
    }

    fn reports(text: &str) -> Vec<Value> {
        let read = read_all(&[("x.csv", text.as_bytes())]);
        assert_eq!(read.errors, []);
        values(read.reports)
    }

    fn errors(text: &str) -> Vec<String> {
        read_all(&[("x.csv", text.as_bytes())]).errors.iter().map(FileError::to_string).collect()
    }

    #[test]
    fn rows_with_the_same_unit_period_and_document_are_one_report() {
        let text = format!(
            "{HEADER}\n\
             di-an,2024,12/BC,2024-11-22,life-skills,5,10,,,\"sổ, quyển 2\"\n\
             di-an,2024,13/BC,2024-11-23,life-skills,6,10,,,\n\
             di-an,2024,12/BC,2024-11-22,primary-level,,,3,,\n\
             di-an,2024,12/BC,2024-11-22,learning-district,,,,true,\n"
        );
        assert_eq!(
            reports(&text),
            [
                json!({"unit": "di-an", "period": "2024", "document": {"number": "12/BC", "date": "2024-11-22"}, "lines": [
                    {"measure": "life-skills", "numerator": 5, "denominator": 10, "source": "sổ, quyển 2"},
                    {"measure": "primary-level", "level": 3},
                    {"measure": "learning-district", "attained": true}]}),
                json!({"unit": "di-an", "period": "2024", "document": {"number": "13/BC", "date": "2024-11-23"},
                    "lines": [{"measure": "life-skills", "numerator": 6, "denominator": 10}]}),
            ]
        );
    }

    #[test]
    fn a_byte_order_mark_semicolons_and_columns_in_any_order_are_read() {
        let text = "\u{feff}measure;unit;period;document_date;document_number;source;attained;level;denominator;numerator;withdrawn;history;revision\r\n\
                    life-skills;di-an;2021;2022-01-05;1/BC;;;;10;5;false;lưu trữ;2\r\n\
                    primary-level;di-an;2021;2022-01-05;1/BC;;;;;;true;lưu trữ;2\r\n";
        assert_eq!(
            reports(text),
            [json!({"unit": "di-an", "period": "2021", "revision": 2, "history": "lưu trữ",
                "document": {"number": "1/BC", "date": "2022-01-05"}, "lines": [
                    {"measure": "life-skills", "numerator": 5, "denominator": 10},
                    {"measure": "primary-level", "withdrawn": true}]})]
        );
        let wrong = text.replace(";10;5;", ";10;five;").replace(";true;lưu", ";perhaps;lưu");
        let said = errors(&wrong);
        assert!(
            said[0].starts_with("x.csv:2: numerator") && said[1].starts_with("x.csv:3: withdrawn"),
            "{said:?}"
        );
    }

    #[test]
    fn every_bad_row_is_named_with_line_column_and_reason() {
        let text = format!(
            "{HEADER}\n\
             di-an,2024,12/BC,2024-11-22,life-skills,-5,10.5,,,\n\
             di-an,2024,12/BC,2024-11-22,life-skills,5\n\
             \n\
             di-an,2024,12/BC,2024-11-22,learning-district,,,,maybe,\n\
             di-an,2024,12/BC,2024-11-22,\"two\nlines\",1,1,,,\n\
             di-an,2024,12/BC,2024-11-22,life-skills,99999999999999999999,1,,,\n"
        );
        let said = errors(&text);
        let expected = [
            "x.csv:2: numerator: `-5` is no whole number",
            "x.csv:2: denominator: `10.5` is no whole number",
            "x.csv:3: the row has 6 fields, the header 10",
            "x.csv:5: attained: `maybe` is neither true nor false",
            "x.csv:8: numerator: `99999999999999999999` is no whole number",
        ];
        assert_eq!(said.len(), expected.len(), "{said:#?}");
        for (said, expected) in said.iter().zip(expected) {
            assert!(said.starts_with(expected), "{said:?} must begin with {expected:?}");
        }
    }

    #[test]
    fn a_wrong_header_names_each_column() {
        let said = errors(
            "unit,period,document_number,document_date,measure,numerator,denominator,level,attained,unit,note\n",
        );
        let expected = ["`unit` stands twice", "no column `note`", "`source` is missing"];
        assert_eq!(said.len(), expected.len(), "{said:#?}");
        for (said, expected) in said.iter().zip(expected) {
            assert!(said.starts_with("x.csv:1: ") && said.contains(expected), "{said:?} {expected:?}");
        }
    }

    #[test]
    fn rows_of_one_report_must_agree_and_an_empty_file_holds_nothing() {
        let text = format!(
            "{HEADER},revision\n\
             di-an,2024,12/BC,2024-11-22,life-skills,5,10,,,,1\n\
             di-an,2024,12/BC,2024-11-22,primary-level,,,3,,,2\n"
        );
        assert!(errors(&text)[0].starts_with("x.csv:3: revision: `revision` differs from line 2"));
        assert!(errors(&format!("{HEADER}\n"))[0].contains("holds no row"));
        let broken = read_all(&[("x.csv", b"unit\n\xff")]).errors[0].to_string();
        assert!(broken.starts_with("x.csv:2: is not UTF-8"), "{broken}");
    }

    #[test]
    fn a_row_that_cannot_be_read_is_left_out_and_named_with_all_that_is_wrong_in_it() {
        let text = format!(
            "{HEADER}\n\
             di-an,2024,12/BC,2024-11-22,life-skills,5,10,,,\n\
             di-an,2024,12/BC,2024-11-22,primary-level,,,x,,\n\
             ,20x4,12/BC,soon,,x,2,,,\n"
        );
        let read = read_all(&[("x.csv", text.as_bytes())]);
        let said: Vec<String> = read.errors.iter().map(|error| error.place.to_string()).collect();
        let expected = [
            "x.csv:3: level",
            "x.csv:4: numerator",
            "x.csv:4: unit",
            "x.csv:4: period",
            "x.csv:4: document_date",
            "x.csv:4: measure",
        ];
        assert_eq!(said, expected);
        let of_the_report = values(read.reports);
        assert_eq!(of_the_report.len(), 1);
        assert_eq!(of_the_report[0]["lines"].as_array().unwrap().len(), 1);
        let left_out: Vec<String> =
            read.unreadable.iter().map(|report| report.place("/unit").to_string()).collect();
        assert_eq!(left_out, ["x.csv:3: unit", "x.csv:4: unit"]);
        assert_eq!(read.unreadable[1].report["lines"], json!([{"numerator": "x", "denominator": 2}]));
    }

    #[test]
    fn rows_of_one_document_are_one_report_across_files() {
        let row = |measure: &str, level: &str| {
            format!("{HEADER}\ndi-an,2024,12/BC,2024-11-22,{measure},,,{level},,\n").into_bytes()
        };
        let (first, second, third) =
            (row("primary-level", "3"), row("literacy-level", "2"), row("literacy-level", "1"));
        let read = read_all(&[("a.csv", &first), ("b.csv", &second), ("a.csv", &first), ("c.csv", &third)]);
        assert_eq!(read.errors, []);
        assert_eq!(read.reports.len(), 1);
        // The file that is named again adds nothing; another value for the same measure is for the server to refuse.
        let lines = json!([
            {"measure": "primary-level", "level": 3}, {"measure": "literacy-level", "level": 2},
            {"measure": "literacy-level", "level": 1}]);
        assert_eq!(read.reports[0].report["lines"], lines);
        let place = |pointer: &str| read.reports[0].place(pointer).to_string();
        assert_eq!(
            (place("/unit"), place("/lines/2/level")),
            ("a.csv:2: unit".into(), "c.csv:2: level".into())
        );

        let other =
            format!("{HEADER},revision\ndi-an,2024,12/BC,2024-11-22,primary-level,,,3,,,2\n").into_bytes();
        let said = read_all(&[("a.csv", &first), ("b.csv", &other)]).errors[0].to_string();
        assert!(said.starts_with("b.csv:2: revision: `revision` differs from `a.csv`, line 2"), "{said}");
    }

    #[test]
    fn a_line_break_in_a_field_is_one_line_feed_on_every_system() {
        let text = format!("{HEADER}\r\ndi-an,2024,12/BC,2024-11-22,primary-level,,,3,,\"a\r\nb\rc\nd\"\r\n");
        assert_eq!(reports(&text)[0]["lines"][0]["source"], "a\nb\nc\nd");
    }
}
