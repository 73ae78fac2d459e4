//! A report as a district sends it.

use super::{COUNT_LIMIT, Fields, LINES_LIMIT, TEXT_LIMIT_CHARS, TITLE_LIMIT_CHARS};
use crate::event::{Document, LineValue, ReportLine};
use crate::ids::{MeasureId, Period, UnitId};
use crate::refusal::FieldError;
use serde_json::Value;
use std::collections::BTreeSet;

/// A request to record one report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmitReport {
    /// Who reports.
    pub unit: UnitId,
    /// The year reported on.
    pub period: Period,
    /// The revision this must become, where the caller insists on it.
    pub revision: Option<u32>,
    /// The paper behind it.
    pub document: Document,
    /// What is reported: at least one line, no measure twice.
    pub lines: Vec<ReportLine>,
    /// Why a document older than the bound is entered.
    pub history: Option<String>,
}

impl SubmitReport {
    /// Reads a report; every wrong field is named by its pointer in the report.
    pub fn read(value: &Value) -> Result<SubmitReport, Vec<FieldError>> {
        let mut fields = Fields::of(value, "")?;
        let unit = fields.id("unit", "unknown-unit", UnitId::parse);
        let period = fields.id("period", "unknown-period", Period::parse);
        let revision = fields.optional_revision("revision");
        let history = fields.optional_text("history", TEXT_LIMIT_CHARS);
        let document = match fields.raw("document") {
            Some(document) => keep(&mut fields, read_document(document)),
            None => {
                fields.refuse(
                    "document",
                    "missing",
                    "`document` is missing",
                    "give the paper's `number` and `date`",
                );
                None
            }
        };
        let lines = match fields.raw("lines") {
            Some(Value::Array(lines)) => read_lines(&mut fields, lines),
            Some(_) => {
                fields.refuse("lines", "wrong-type", "`lines` is not a list", "give a list of lines");
                None
            }
            None => {
                fields.refuse("lines", "missing", "`lines` is missing", "report at least one measure");
                None
            }
        };
        fields.finish(|| {
            Some(SubmitReport {
                unit: unit?,
                period: period?,
                revision,
                document: document?,
                lines: lines?,
                history,
            })
        })
    }
}

/// What can be read of a report that as a whole cannot: so that the rules of the plan can be held against it
/// too, and all that is wrong is named at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReadableParts {
    /// The unit.
    pub unit: Option<UnitId>,
    /// The period.
    pub period: Option<Period>,
    /// The document.
    pub document: Option<Document>,
    /// Whether a reason to enter it as history is given.
    pub history: bool,
    /// The lines that can be read, with their places in the list.
    pub lines: Vec<(usize, ReportLine)>,
}

impl ReadableParts {
    /// Reads what can be read.
    pub fn of(value: &Value) -> ReadableParts {
        let Ok(mut fields) = Fields::of(value, "") else { return ReadableParts::default() };
        let lines = match fields.raw("lines") {
            Some(Value::Array(lines)) => lines.iter().take(LINES_LIMIT).enumerate(),
            _ => [].iter().take(LINES_LIMIT).enumerate(),
        };
        ReadableParts {
            unit: fields.id("unit", "unknown-unit", UnitId::parse),
            period: fields.id("period", "unknown-period", Period::parse),
            document: fields.raw("document").and_then(|document| read_document(document).ok()),
            history: fields.optional_text("history", TEXT_LIMIT_CHARS).is_some(),
            lines: lines.filter_map(|(index, line)| Some((index, read_line(line, "").ok()?))).collect(),
        }
    }
}

impl From<&SubmitReport> for ReadableParts {
    fn from(report: &SubmitReport) -> ReadableParts {
        ReadableParts {
            unit: Some(report.unit.clone()),
            period: Some(report.period),
            document: Some(report.document.clone()),
            history: report.history.is_some(),
            lines: report.lines.iter().cloned().enumerate().collect(),
        }
    }
}

fn keep<T>(fields: &mut Fields<'_>, result: Result<T, Vec<FieldError>>) -> Option<T> {
    result.map_err(|errors| fields.refuse_all(errors)).ok()
}

pub(super) fn read_document(value: &Value) -> Result<Document, Vec<FieldError>> {
    let mut fields = Fields::of(value, "/document")?;
    let number = fields.text("number", TITLE_LIMIT_CHARS);
    let date = fields.date("date");
    fields.finish(|| Some(Document { number: number?, date: date? }))
}

fn read_lines(fields: &mut Fields<'_>, lines: &[Value]) -> Option<Vec<ReportLine>> {
    if lines.is_empty() {
        fields.refuse("lines", "empty", "the report has no line", "report at least one measure");
        return None;
    }
    if lines.len() > LINES_LIMIT {
        let reason = format!("the report has {} lines; the limit is {LINES_LIMIT}", lines.len());
        fields.refuse("lines", "too-many-lines", reason, "split it into several reports");
        return None;
    }
    let mut read = Vec::with_capacity(lines.len());
    let mut seen = BTreeSet::new();
    for (index, line) in lines.iter().enumerate() {
        let pointer = format!("/lines/{index}");
        if let Some(line) = keep(fields, read_line(line, &pointer)) {
            if !seen.insert(line.measure.clone()) {
                fields.refuse_all(vec![FieldError::new(
                    format!("{pointer}/measure"),
                    "duplicate-measure",
                    format!("`{}` is reported twice", line.measure),
                    "keep one line for each measure",
                )]);
            }
            read.push(line);
        }
    }
    (read.len() == lines.len()).then_some(read)
}

fn read_line(value: &Value, pointer: &str) -> Result<ReportLine, Vec<FieldError>> {
    let mut fields = Fields::of(value, pointer)?;
    let measure = fields.id("measure", "unknown-measure", MeasureId::parse);
    let given: Vec<&str> = ["numerator", "denominator", "level", "attained", "withdrawn"]
        .into_iter()
        .filter(|field| fields.has(field))
        .collect();
    let numerator = fields.optional_whole("numerator", COUNT_LIMIT);
    let denominator = fields.optional_whole("denominator", COUNT_LIMIT);
    let level = fields.optional_whole("level", 255);
    let attained = fields.optional_flag("attained");
    let withdrawn = fields.optional_flag("withdrawn");
    let recognised_year = read_recognised_year(&mut fields);
    let source = fields.optional_text("source", TEXT_LIMIT_CHARS);

    let value = match given.as_slice() {
        ["numerator", "denominator"] => rate(&mut fields, numerator, denominator),
        ["numerator"] => missing(&mut fields, "denominator"),
        ["denominator"] => missing(&mut fields, "numerator"),
        ["level"] => level.and_then(|level| u8::try_from(level).ok()).map(|level| LineValue::Level { level }),
        ["attained"] => attained.map(|attained| LineValue::Attained { attained, recognised_year }),
        ["withdrawn"] => match withdrawn {
            Some(true) => Some(LineValue::WITHDRAWN),
            Some(false) => {
                fields.refuse(
                    "withdrawn",
                    "not-withdrawn",
                    "`withdrawn` is false",
                    "leave it out and give the value, or write true to take the line back",
                );
                None
            }
            None => None,
        },
        [] => {
            fields.refuse(
                "",
                "missing",
                "the line has no value",
                "give `numerator` and `denominator`, `level`, `attained`, or `withdrawn`: true",
            );
            None
        }
        several => {
            let reason = format!("the line mixes `{}`", several.join("`, `"));
            fields.refuse("", "mixed-values", reason, "give the fields of one kind of value only");
            None
        }
    };
    if fields.has("recognised_year") && !matches!(value, Some(LineValue::Attained { attained: true, .. })) {
        fields.refuse(
            "recognised_year",
            "not-a-recognition",
            "`recognised_year` stands in a line that recognises nothing",
            "leave it out, or report `attained`: true",
        );
    }
    fields.finish(|| Some(ReportLine { measure: measure?, value: value?, source }))
}

fn missing(fields: &mut Fields<'_>, field: &str) -> Option<LineValue> {
    let reason = format!("`{field}` is missing");
    fields.refuse(field, "missing", reason, "a rate is always two whole numbers");
    None
}

fn rate(fields: &mut Fields<'_>, numerator: Option<u64>, denominator: Option<u64>) -> Option<LineValue> {
    let (numerator, denominator) = (numerator?, denominator?);
    if numerator > denominator {
        let reason = format!("the numerator {numerator} is larger than the denominator {denominator}");
        fields.refuse(
            "numerator",
            "numerator-above-denominator",
            reason,
            "check the two figures; they may be swapped",
        );
        return None;
    }
    Some(LineValue::Rate { numerator, denominator })
}

/// The year may be written as text, as periods are, or as a number.
fn read_recognised_year(fields: &mut Fields<'_>) -> Option<Period> {
    let text = match fields.raw("recognised_year")? {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match Period::parse(&text) {
        Ok(year) => Some(year),
        Err(error) => {
            fields.refuse("recognised_year", "not-a-year", error.to_string(), "write the year as \"2024\"");
            None
        }
    }
}
