//! Reads a plan from the TOML file that people write, and says of everything wrong where it is and what to do.
//!
//! The file has the shape of [`Plan`]'s own fields: tables `[calendar]`, `[thresholds]`, `[alerts]` and lists
//! `[[reviews]]`, `[[bodies]]`, `[[units]]`, `[[measures]]`, `[[indicators]]` with `[[indicators.targets]]` and
//! `[[indicators.not_restated]]`, and `[[decisions]]`. Percentages, ratios and years are quoted texts, so that
//! no floating point stands between the paper and the plan; dates are TOML's own (`2022-03-16`).

mod check;
mod check_indicator;
mod place;
mod section;
mod shape;

use crate::Plan;
use place::Places;
use std::collections::HashSet;
use std::fmt;
use thiserror::Error;
use toml::de::DeTable;

/// The largest plan file, in bytes.
pub const FILE_LIMIT_BYTES: usize = 1024 * 1024;
/// The most units in a plan.
pub const UNITS_LIMIT: usize = 10_000;
/// The most indicators in a plan.
pub const INDICATORS_LIMIT: usize = 200;
/// The most measures in a plan.
pub const MEASURES_LIMIT: usize = 200;
/// The most entries in each of the other lists of a plan: reviews, bodies, decisions.
pub const ENTRIES_LIMIT: usize = 100;
/// The most years from the first period to the last.
pub const PERIODS_LIMIT: i16 = 100;
/// The longest text in a plan, in characters.
pub const TEXT_LIMIT_CHARS: usize = 500;
/// The most errors that are listed; a last one says how many more there are.
pub const ERRORS_LIMIT: usize = 100;

/// One thing that is wrong with a plan file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub struct PlanError {
    /// The file's name, as it was given to [`read`].
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The key, such as `indicators[3].measure` (lists count from 0); empty for the file as a whole.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for PlanError {
    /// Writes `file:line: key: what; remedy`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}; {}", self.what, self.remedy)
    }
}

/// Something wrong at a key, before its place in the file is known.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    key: String,
    what: String,
    remedy: String,
}

impl Finding {
    fn new(key: impl Into<String>, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { key: key.into(), what: what.into(), remedy: remedy.into() }
    }
}

/// Reads a plan file and checks it; `name` is what the errors call the file.
///
/// Errors come in the order of the file. The rules between the parts of a plan (units, measures, targets) are
/// checked once every part can be read; until then only what cannot be read is listed.
pub fn read(name: &str, text: &str) -> Result<Plan, Vec<PlanError>> {
    if text.len() > FILE_LIMIT_BYTES {
        let what = format!("the file is {} bytes; the limit is {FILE_LIMIT_BYTES}", text.len());
        let finding = Finding::new("", what, "take out what is no part of the plan");
        return Err(located(name, &Places::default(), vec![(finding, Some(0))], text));
    }
    let (document, syntax_errors) = DeTable::parse_recoverable(text);
    let places = Places::of(document.get_ref());
    if !syntax_errors.is_empty() {
        let findings = syntax_errors.iter().map(|error| syntax_finding(error, &places)).collect();
        return Err(located(name, &places, findings, text));
    }
    let mut findings = Vec::new();
    let plan = shape::plan(document.get_ref(), &mut findings);
    if let Some(plan) = &plan {
        check::check(plan, &mut findings);
    }
    match plan {
        Some(plan) if findings.is_empty() => Ok(plan),
        _ => {
            let findings = findings.into_iter().map(|finding| (finding, None)).collect();
            Err(located(name, &places, findings, text))
        }
    }
}

/// Everything that the rules between the parts of a plan find wrong: key, what and remedy.
pub(crate) fn findings_of(plan: &Plan) -> Vec<(String, String, String)> {
    let mut findings = Vec::new();
    check::rules(plan, &mut findings);
    findings.into_iter().map(|Finding { key, what, remedy }| (key, what, remedy)).collect()
}

fn syntax_finding(error: &toml::de::Error, places: &Places) -> (Finding, Option<usize>) {
    let offset = error.span().map_or(0, |span| span.start);
    let remedy = if error.message().contains("duplicate key") {
        "keep one of the two: which one was meant cannot be told"
    } else {
        "write it as TOML: `key = \"value\"`, `[table]`, `[[list of tables]]`"
    };
    let what = format!("this is no TOML: {}", error.message());
    (Finding::new(places.key_before(offset), what, remedy), Some(offset))
}

/// Gives each finding its line, in the order of the file and at most [`ERRORS_LIMIT`] of them.
fn located(
    name: &str,
    places: &Places,
    findings: Vec<(Finding, Option<usize>)>,
    text: &str,
) -> Vec<PlanError> {
    let mut placed: Vec<(usize, Finding)> = findings
        .into_iter()
        .map(|(finding, offset)| (offset.unwrap_or_else(|| places.offset_of(&finding.key)), finding))
        .collect();
    placed.sort_by_key(|(offset, _)| *offset);
    let mut seen = HashSet::new();
    placed.retain(|(offset, finding)| seen.insert((*offset, finding.key.clone(), finding.what.clone())));
    let beyond_limit = placed.len().saturating_sub(ERRORS_LIMIT);
    if beyond_limit > 0 {
        placed.truncate(ERRORS_LIMIT);
        let what = format!("there are {beyond_limit} more errors");
        placed.push((text.len(), Finding::new("", what, "mend these first and read the file again")));
    }
    placed
        .into_iter()
        .map(|(offset, Finding { key, what, remedy })| {
            let (line, column) = place::line_and_column(text, offset);
            PlanError { file: name.to_owned(), line, column, key, what, remedy }
        })
        .collect()
}
