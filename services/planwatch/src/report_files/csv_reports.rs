//! Reports in CSV: one line of a report per row; rows with the same unit, period and document are one report.

use super::{FileError, FileReport, Origin, Place, whole_file};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::path::Path;

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
/// Columns that speak of the report; every row of one report says the same in them.
const OF_THE_REPORT: [&str; 2] = ["revision", "history"];
/// The most rows of one file.
const ROWS_LIMIT: usize = 1_000_000;

/// Reads a file; every row that is wrong is named.
pub(super) fn read(file: &Path, bytes: &[u8]) -> Result<Vec<FileReport>, Vec<FileError>> {
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
    let mut table =
        Table { file, text, columns, reports: Vec::new(), by_key: HashMap::new(), errors: Vec::new() };
    for (count, row) in reader.records().enumerate() {
        if count == ROWS_LIMIT {
            return Err(whole(format!("has more than {ROWS_LIMIT} rows"), "split it into several files"));
        }
        match row {
            Ok(row) => table.take(&row),
            Err(error) => {
                let line = error.position().map(csv::Position::line);
                table.refuse(line, "", format!("cannot be read: {error}"), "correct the row's quotes");
            }
        }
    }
    table.finish()
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

type ReportKey = [String; 4];

struct GatheredReport {
    head: Map<String, Value>,
    lines: Vec<Value>,
    line_numbers: Vec<u64>,
    of_the_report: [Option<String>; OF_THE_REPORT.len()],
}

struct Table<'a> {
    file: &'a Path,
    text: &'a str,
    columns: Columns,
    reports: Vec<GatheredReport>,
    by_key: HashMap<ReportKey, usize>,
    errors: Vec<FileError>,
}

impl Table<'_> {
    fn refuse(&mut self, line: Option<u64>, column: &str, reason: String, remedy: &str) {
        let place = Place { file: self.file.to_owned(), line, column: column.to_owned() };
        self.errors.push(FileError { place, reason, remedy: remedy.to_owned() });
    }

    /// The reader's position lies before the empty lines and the second half of a line break that it skips.
    fn line_of(&self, row: &csv::StringRecord) -> u64 {
        let Some(position) = row.position() else { return 0 };
        let offset = usize::try_from(position.byte()).unwrap_or(usize::MAX);
        let rest = self.text.as_bytes().get(offset..).unwrap_or_default();
        let skipped = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r'));
        position.line() + skipped.filter(|byte| **byte == b'\n').count() as u64
    }

    fn text(&self, row: &csv::StringRecord, name: &str) -> Option<String> {
        self.columns.field(row, name).map(str::to_owned)
    }

    fn take(&mut self, row: &csv::StringRecord) {
        let line = self.line_of(row);
        if row.iter().all(|field| field.trim().is_empty()) {
            return;
        }
        if row.len() != self.columns.0.len() {
            let reason = format!("the row has {} fields, the header {}", row.len(), self.columns.0.len());
            self.refuse(Some(line), "", reason, "quote fields that hold the separator");
            return;
        }
        let errors_before = self.errors.len();
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
            let text = self.text(row, name);
            if let Some(number) = self.whole_number(line, name, text) {
                value.insert(name.to_owned(), number);
            }
        }
        for name in ["attained", "withdrawn"] {
            let said = self.text(row, name);
            // `withdrawn` false says nothing: most tools fill a whole column.
            match self.yes_or_no(line, name, said) {
                Some(false) if name == "withdrawn" => {}
                Some(said) => drop(value.insert(name.to_owned(), said.into())),
                None => {}
            }
        }
        let revision = self.whole_number(line, "revision", of_the_report[0].clone());
        if self.errors.len() == errors_before {
            self.gather(line, key, of_the_report, revision, Value::Object(value));
        }
    }

    fn whole_number(&mut self, line: u64, column: &str, text: Option<String>) -> Option<Value> {
        let text = text?;
        if text.bytes().all(|byte| byte.is_ascii_digit())
            && let Ok(number) = text.parse::<u64>()
        {
            return Some(number.into());
        }
        let reason = format!("`{text}` is no whole number");
        self.refuse(Some(line), column, reason, "write digits only, without separators or decimals");
        None
    }

    fn yes_or_no(&mut self, line: u64, column: &str, text: Option<String>) -> Option<bool> {
        let text = text?;
        match text.to_lowercase().as_str() {
            "true" | "yes" | "có" | "1" => Some(true),
            "false" | "no" | "không" | "0" => Some(false),
            _ => {
                let reason = format!("`{text}` is neither true nor false");
                self.refuse(Some(line), column, reason, "write true or false");
                None
            }
        }
    }

    fn gather(
        &mut self,
        line: u64,
        key: ReportKey,
        of_the_report: [Option<String>; OF_THE_REPORT.len()],
        revision: Option<Value>,
        value: Value,
    ) {
        if let Some(index) = self.by_key.get(&key).copied() {
            for (column, (said, first)) in
                OF_THE_REPORT.iter().zip(of_the_report.iter().zip(self.reports[index].of_the_report.clone()))
            {
                if *said != first {
                    let first_line = self.reports[index].line_numbers[0];
                    let reason = format!("`{column}` differs from line {first_line} of the same report");
                    self.refuse(Some(line), column, reason, "say the same in every row of one report");
                    return;
                }
            }
            let report = &mut self.reports[index];
            report.lines.push(value);
            report.line_numbers.push(line);
            return;
        }
        let [unit, period, number, date] = key.clone();
        let mut head = Map::new();
        for (name, text) in [("unit", unit), ("period", period)] {
            if !text.is_empty() {
                head.insert(name.to_owned(), text.into());
            }
        }
        let mut document = Map::new();
        for (name, text) in [("number", number), ("date", date)] {
            if !text.is_empty() {
                document.insert(name.to_owned(), text.into());
            }
        }
        head.insert("document".to_owned(), Value::Object(document));
        if let Some(revision) = revision {
            head.insert("revision".to_owned(), revision);
        }
        if let Some(history) = &of_the_report[1] {
            head.insert("history".to_owned(), history.clone().into());
        }
        self.by_key.insert(key, self.reports.len());
        self.reports.push(GatheredReport {
            head,
            lines: vec![value],
            line_numbers: vec![line],
            of_the_report,
        });
    }

    fn finish(self) -> Result<Vec<FileReport>, Vec<FileError>> {
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        if self.reports.is_empty() {
            return Err(vec![whole_file(self.file, "holds no row".into(), "add one, or leave the file out")]);
        }
        let file = self.file;
        let report = |gathered: GatheredReport| {
            let mut report = gathered.head;
            report.insert("lines".to_owned(), json!(gathered.lines));
            let origin = Origin::Csv { file: file.to_owned(), lines: gathered.line_numbers };
            FileReport { report: Value::Object(report), origin }
        };
        Ok(self.reports.into_iter().map(report).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        "unit,period,document_number,document_date,measure,numerator,denominator,level,attained,source";

    fn reports(text: &str) -> Vec<Value> {
        read(Path::new("x.csv"), text.as_bytes()).unwrap().into_iter().map(|report| report.report).collect()
    }

    fn errors(text: &str) -> Vec<String> {
        let errors = read(Path::new("x.csv"), text.as_bytes()).unwrap_err();
        errors.iter().map(FileError::to_string).collect()
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
        assert!(
            read(Path::new("x.csv"), b"unit\n\xff").unwrap_err()[0]
                .to_string()
                .starts_with("x.csv:2: is not UTF-8")
        );
    }
}
