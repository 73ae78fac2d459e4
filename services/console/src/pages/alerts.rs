//! The open alerts as they are shown, gravest first.

use super::figures::{Alert, AlertList, MatrixAnswer};
use super::language::Language;
use events::Severity;
use std::cmp::Reverse;

/// The most alerts that the page shows; the rest is counted.
pub const SHOWN_LIMIT: usize = 200;

/// The alerts of the page.
#[derive(Debug)]
pub struct Alerts {
    /// The position up to which they are known.
    pub position: u64,
    /// Whether they rest on made-up figures.
    pub sample: bool,
    /// The alerts, at most [`SHOWN_LIMIT`].
    pub rows: Vec<AlertRow>,
    /// How many are open.
    pub open: usize,
}

/// One alert.
#[derive(Debug)]
pub struct AlertRow {
    /// Its id.
    pub id: String,
    /// The severity as a word for style and shape.
    pub severity: &'static str,
    /// The severity as a word for people.
    pub severity_word: &'static str,
    /// The rule.
    pub rule: &'static str,
    /// The unit's name.
    pub unit: String,
    /// The indicator's name.
    pub indicator: String,
    /// Since when.
    pub since: String,
    /// What it says.
    pub summary: String,
    /// The note that was taken of it.
    pub acknowledged: Option<String>,
}

impl Alerts {
    /// Arranges an answer, with the names that the matrix knows.
    pub fn of(list: &AlertList, matrix: &MatrixAnswer, language: Language) -> Alerts {
        let mut sorted: Vec<&Alert> = list.alerts.iter().collect();
        // Gravest first, of the same gravity the newest first. Those that came at once, as at the turn of a
        // year, stand as in the matrix; the id at last, so that the order stays.
        sorted.sort_by_cached_key(|alert| {
            let unit = matrix.units.iter().position(|unit| unit.id == alert.unit);
            let indicator =
                matrix.indicators.iter().position(|one| Some(&one.id) == alert.indicator.as_ref());
            let (gravity, newness) = (Reverse(alert.severity), Reverse(alert.raised_at.clone()));
            (gravity, newness, unit, indicator, alert.id.clone())
        });
        let rows = sorted.into_iter().take(SHOWN_LIMIT).map(|alert| row(alert, matrix, language)).collect();
        Alerts { position: list.position, sample: matrix.sample, rows, open: list.alerts.len() }
    }
}

fn row(alert: &Alert, matrix: &MatrixAnswer, language: Language) -> AlertRow {
    let unit = matrix.units.iter().find(|unit| unit.id == alert.unit);
    let indicator = alert.indicator.as_ref().map(|id| {
        let known = matrix.indicators.iter().find(|indicator| indicator.id == *id);
        known.map_or(id.clone(), |known| language.pick(&known.name.vi, &known.name.en).clone())
    });
    let acknowledged = alert.acknowledged.as_ref().map(|acknowledged| {
        let note = acknowledged.note.clone().unwrap_or_default();
        match &acknowledged.review_by {
            Some(day) => format!("{note} ({}: {})", language.words().review_by, language.moment(day)),
            None => note,
        }
    });
    AlertRow {
        id: alert.id.clone(),
        severity: match alert.severity {
            Severity::Critical => "critical",
            Severity::Warning => "warning",
            Severity::Notice => "notice",
        },
        severity_word: language.severity(alert.severity),
        rule: language.rule(alert.rule),
        unit: unit.map_or_else(|| alert.unit.clone(), |unit| unit.name.clone()),
        indicator: indicator.unwrap_or_else(|| match &alert.period {
            Some(period) => format!("{} ({period})", language.words().all_indicators),
            None => language.words().all_indicators.to_owned(),
        }),
        since: alert.raised_at.as_deref().map_or_else(|| "–".to_owned(), |at| language.moment(at)),
        summary: language.pick(&alert.summary.vi, &alert.summary.en).clone(),
        acknowledged,
    }
}
