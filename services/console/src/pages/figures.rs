//! The projection's answers as far as the pages show them; fields that they do not show are ignored.

use events::{Rule, Severity, Summary};
use serde::Deserialize;
use serde_json::Value;

/// A name in both languages.
#[derive(Debug, Clone, Deserialize)]
pub struct Name {
    /// Vietnamese.
    pub vi: String,
    /// English.
    pub en: String,
}

/// The plan.
#[derive(Debug, Clone, Deserialize)]
pub struct PlanHead {
    /// Its name.
    pub name: Name,
}

/// A unit, as of the answer.
#[derive(Debug, Clone, Deserialize)]
pub struct UnitHead {
    /// Its id.
    pub id: String,
    /// Its name, which is Vietnamese.
    pub name: String,
    /// Its type, such as `city`.
    #[serde(rename = "type")]
    pub unit_type: String,
}

/// An indicator.
#[derive(Debug, Clone, Deserialize)]
pub struct IndicatorHead {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Name,
}

/// A value of any kind.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct CellValue {
    /// Of a rate.
    pub numerator: Option<u64>,
    /// Of a rate.
    pub denominator: Option<u64>,
    /// Of a rate or a share.
    pub percent: Option<String>,
    /// Of a level.
    pub level: Option<u8>,
    /// Of a yes/no.
    pub attained: Option<bool>,
    /// Of a share: how many meet it.
    pub count: Option<u64>,
    /// Of a share: of how many.
    pub of: Option<u64>,
    /// Of a share: how many more are needed.
    pub needed: Option<u64>,
    /// Of a recognition: whether it has lapsed. Of a share: the districts whose recognition has.
    #[serde(default)]
    pub lapsed: Mention,
    /// Of a share: the districts whose value is of an older period.
    #[serde(default)]
    pub stale: Mention,
}

/// Something said of a value itself, or of some of the districts that it counts.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Mention {
    /// Of the value.
    Whole(bool),
    /// Of these districts.
    Units(Vec<String>),
}

impl Default for Mention {
    fn default() -> Self {
        Mention::Whole(false)
    }
}

impl Mention {
    /// Whether anything is said.
    pub fn is_made(&self) -> bool {
        match self {
            Mention::Whole(whole) => *whole,
            Mention::Units(units) => !units.is_empty(),
        }
    }

    /// The districts, where it is said of some.
    pub fn units(&self) -> &[String] {
        match self {
            Mention::Whole(_) => &[],
            Mention::Units(units) => units,
        }
    }
}

/// The target that a status speaks of.
#[derive(Debug, Clone, Deserialize)]
pub struct CellTarget {
    /// At whose end it is judged.
    pub review: String,
    /// The value.
    #[serde(flatten)]
    pub value: CellValue,
}

/// Where a path begins.
#[derive(Debug, Clone, Deserialize)]
pub struct Baseline {
    /// The period.
    pub period: String,
    /// The value.
    pub percent: String,
    /// The units whose figures it was derived from; none where the unit reported it itself.
    #[serde(default)]
    pub derived_from: Vec<String>,
}

/// The report behind a cell.
#[derive(Debug, Clone, Deserialize)]
pub struct CellReport {
    /// The period that it speaks of.
    pub period: Option<String>,
    /// `received`, `awaited` or `overdue`.
    pub state: String,
}

/// A newer period for which not every unit has reported.
#[derive(Debug, Clone, Deserialize)]
pub struct Provisional {
    /// The period.
    pub period: String,
    /// The value so far.
    pub value: CellValue,
    /// How many units have reported.
    pub coverage: Option<Coverage>,
}

/// How many units have reported.
#[derive(Debug, Clone, Deserialize)]
pub struct Coverage {
    /// These.
    pub reported: u64,
    /// Of these.
    pub of: u64,
}

/// A unit and an indicator.
#[derive(Debug, Clone, Deserialize)]
pub struct Cell {
    /// The unit.
    pub unit: String,
    /// The indicator.
    pub indicator: String,
    /// The period of the value.
    pub period: Option<String>,
    /// The value.
    pub value: Option<CellValue>,
    /// The target.
    pub target: Option<CellTarget>,
    /// The baseline.
    pub baseline: Option<Baseline>,
    /// Where the path is at the period.
    pub expected: Option<String>,
    /// How fast it goes.
    pub pace: Option<String>,
    /// The status; none where the figures are degraded.
    pub status: Option<String>,
    /// The report.
    pub report: Option<CellReport>,
    /// A newer, incomplete period.
    pub provisional: Option<Provisional>,
    /// Since when the figures cannot be relied on.
    pub degraded: Option<Value>,
}

/// The answer to `matrix`.
#[derive(Debug, Clone, Deserialize)]
pub struct MatrixAnswer {
    /// The plan.
    pub plan: PlanHead,
    /// Whether the figures are made up.
    pub sample: bool,
    /// The position up to which they are known.
    pub position: u64,
    /// The moment of which they speak.
    pub as_of: String,
    /// The rows.
    pub units: Vec<UnitHead>,
    /// The columns.
    pub indicators: Vec<IndicatorHead>,
    /// The cells, in any order.
    pub cells: Vec<Cell>,
}

/// One alert of the answer to `alerts`.
#[derive(Debug, Clone, Deserialize)]
pub struct Alert {
    /// Its id.
    pub id: String,
    /// The unit.
    pub unit: String,
    /// The indicator; none for an overdue report.
    pub indicator: Option<String>,
    /// The rule.
    pub rule: Rule,
    /// The period.
    pub period: Option<String>,
    /// How grave it is.
    pub severity: Severity,
    /// Who took note of it, if anyone did.
    pub acknowledged: Option<Acknowledged>,
    /// Since when.
    pub raised_at: Option<String>,
    /// What it says.
    pub summary: Summary,
}

/// A note that was taken of an alert.
#[derive(Debug, Clone, Deserialize)]
pub struct Acknowledged {
    /// The note.
    pub note: Option<String>,
    /// By when someone looks again.
    pub review_by: Option<String>,
}

/// The answer to `alerts`.
#[derive(Debug, Clone, Deserialize)]
pub struct AlertList {
    /// The position up to which they are known.
    pub position: u64,
    /// The alerts.
    pub alerts: Vec<Alert>,
}
