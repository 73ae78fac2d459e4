//! The matrix as it is shown: one row for each unit, one column for each indicator.

use super::figures::{Cell, CellValue, MatrixAnswer, Mention};
use super::language::Language;
use std::collections::HashMap;

/// The matrix of the page.
#[derive(Debug)]
pub struct Matrix {
    /// The plan's name.
    pub plan: String,
    /// Whether the figures are made up.
    pub sample: bool,
    /// The position up to which they are known.
    pub position: u64,
    /// The moment of which they speak.
    pub as_of: String,
    /// The columns.
    pub indicators: Vec<Column>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A column.
#[derive(Debug)]
pub struct Column {
    /// The indicator's name.
    pub name: String,
    /// Its name in the other language.
    pub other: String,
}

/// A row.
#[derive(Debug)]
pub struct Row {
    /// The unit's name.
    pub name: String,
    /// The word for its type.
    pub unit_type: String,
    /// The period for which its report is overdue.
    pub overdue: Option<String>,
    /// Its cells, one for each column; none where the indicator does not concern the unit.
    pub cells: Vec<Option<CellView>>,
}

/// A cell.
#[derive(Debug)]
pub struct CellView {
    /// Its id in the page.
    pub id: String,
    /// The status as a word for style and shape.
    pub status: String,
    /// The status as a word for people.
    pub status_word: String,
    /// The value.
    pub value: String,
    /// Words beside it: provisional, lapsed, of an earlier period.
    pub marks: Vec<String>,
    /// What else there is to know, as term and text.
    pub details: Vec<(String, String)>,
    /// The details in one line.
    pub title: String,
}

impl Matrix {
    /// Arranges an answer.
    pub fn of(answer: &MatrixAnswer, language: Language) -> Matrix {
        let cells: HashMap<(&str, &str), &Cell> =
            answer.cells.iter().map(|cell| ((cell.unit.as_str(), cell.indicator.as_str()), cell)).collect();
        let row = |unit: &super::figures::UnitHead| {
            let own: Vec<Option<&Cell>> = answer
                .indicators
                .iter()
                .map(|indicator| cells.get(&(unit.id.as_str(), indicator.id.as_str())).copied())
                .collect();
            Row {
                name: unit.name.clone(),
                unit_type: language.unit_type(&unit.unit_type).to_owned(),
                overdue: own.iter().flatten().find_map(|cell| overdue(cell)),
                cells: own.into_iter().map(|cell| cell.map(|cell| view(cell, language))).collect(),
            }
        };
        let column = |indicator: &super::figures::IndicatorHead| Column {
            name: language.pick(&indicator.name.vi, &indicator.name.en).clone(),
            other: language.other().pick(&indicator.name.vi, &indicator.name.en).clone(),
        };
        Matrix {
            plan: language.pick(&answer.plan.name.vi, &answer.plan.name.en).clone(),
            sample: answer.sample,
            position: answer.position,
            as_of: language.moment(&answer.as_of),
            indicators: answer.indicators.iter().map(column).collect(),
            rows: answer.units.iter().map(row).collect(),
        }
    }
}

fn overdue(cell: &Cell) -> Option<String> {
    let report = cell.report.as_ref().filter(|report| report.state == "overdue")?;
    Some(report.period.clone().unwrap_or_default())
}

fn view(cell: &Cell, language: Language) -> CellView {
    let words = language.words();
    let status = match (&cell.degraded, &cell.status) {
        (Some(_), _) => "degraded",
        (None, Some(status)) => status,
        (None, None) => "no-data",
    };
    let mut marks = Vec::new();
    if cell.provisional.is_some() {
        marks.push(words.provisional.to_owned());
    }
    let said = |of: fn(&CellValue) -> &Mention| cell.value.as_ref().is_some_and(|value| of(value).is_made());
    if said(|value| &value.lapsed) {
        marks.push(words.lapsed.to_owned());
    }
    if said(|value| &value.stale) {
        marks.push(words.stale.to_owned());
    }
    let details = details(cell, language);
    let title: Vec<String> = details.iter().map(|(term, text)| format!("{term}: {text}")).collect();
    CellView {
        id: format!("cell-{}-{}", cell.unit, cell.indicator),
        status: status.to_owned(),
        status_word: language.status(status).to_owned(),
        value: cell.value.as_ref().map_or_else(|| "–".to_owned(), |value| short(value, language)),
        marks,
        details,
        title: title.join(" · "),
    }
}

fn details(cell: &Cell, language: Language) -> Vec<(String, String)> {
    let words = language.words();
    let mut details = Vec::new();
    let mut say = |term: &str, text: Option<String>| {
        details.extend(text.map(|text| (term.to_owned(), text)));
    };
    let value = cell.value.as_ref();
    say(words.period, cell.period.clone());
    say(words.counts, value.and_then(|value| counts(value.numerator, value.denominator, language)));
    let needed = value.and_then(|value| value.needed).filter(|needed| *needed > 0);
    say(words.needed, needed.map(|needed| language.count(needed)));
    for (term, of) in [
        (words.lapsed, (|value| &value.lapsed) as fn(&CellValue) -> &Mention),
        (words.stale, |value| &value.stale),
    ] {
        let units = value.map(|value| of(value).units()).filter(|units| !units.is_empty());
        say(term, units.map(|units| units.join(", ")));
    }
    say(
        words.target,
        cell.target.as_ref().map(|target| format!("{} ({})", short(&target.value, language), target.review)),
    );
    say(
        words.baseline,
        cell.baseline.as_ref().map(|baseline| {
            let from = match baseline.derived_from.as_slice() {
                [] => String::new(),
                units => format!(", {} {}", words.derived_from, units.join(", ")),
            };
            format!("{} ({}{from})", language.percent(&baseline.percent), baseline.period)
        }),
    );
    say(words.expected, cell.expected.as_ref().map(|expected| language.percent(expected)));
    say(words.pace, cell.pace.as_ref().map(|pace| language.decimal(pace)));
    say(
        words.provisional,
        cell.provisional.as_ref().map(|newer| {
            let coverage = newer
                .coverage
                .as_ref()
                .map_or_else(String::new, |coverage| format!(", {}/{}", coverage.reported, coverage.of));
            format!("{} ({}{coverage})", short(&newer.value, language), newer.period)
        }),
    );
    details
}

fn counts(numerator: Option<u64>, denominator: Option<u64>, language: Language) -> Option<String> {
    Some(format!("{}/{}", language.count(numerator?), language.count(denominator?)))
}

/// A value of any kind in a few characters.
fn short(value: &CellValue, language: Language) -> String {
    let words = language.words();
    match value {
        CellValue { count: Some(count), of: Some(of), .. } => format!("{count}/{of}"),
        CellValue { percent: Some(percent), .. } => language.percent(percent),
        CellValue { level: Some(level), .. } => format!("{} {level}", words.level),
        CellValue { attained: Some(true), .. } => words.yes.to_owned(),
        CellValue { attained: Some(false), .. } => words.no.to_owned(),
        CellValue { numerator, denominator, .. } => {
            counts(*numerator, *denominator, language).unwrap_or_else(|| "–".to_owned())
        }
    }
}
