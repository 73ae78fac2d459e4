//! Baselines, amendments of the plan and extended deadlines as people ask for them.

use super::report::read_document;
use super::{COUNT_LIMIT, Fields, TEXT_LIMIT_CHARS, TITLE_LIMIT_CHARS};
use crate::event::{BaselineValue, Document, KeyChange, KeyTexts, KeyValue};
use crate::ids::{IndicatorId, Period, UnitId};
use crate::refusal::FieldError;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// The most keys that one amendment may change.
pub const CHANGES_LIMIT: usize = 50;
/// The most cells that the preview of an amendment lists; it says how many more there are.
pub const PREVIEW_LIMIT: usize = 1_000;

/// A request to enter where a unit's rate began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnterBaseline {
    /// Whose rate.
    pub unit: UnitId,
    /// Which rate.
    pub indicator: IndicatorId,
    /// The year that the figures are of.
    pub period: Period,
    /// The figures, or that the baseline is taken back.
    pub value: BaselineValue,
    /// The paper that they come from.
    pub document: Document,
    /// Why.
    pub reason: Option<String>,
    /// The revision this must become.
    pub revision: Option<u32>,
}

/// A request to give keys of the plan other values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmendPlan {
    /// The keys and their new values: at least one, no key twice.
    pub changes: Vec<KeyChange>,
    /// From when they hold.
    pub effective: Date,
    /// The legal instrument.
    pub instrument: String,
    /// Why.
    pub reason: Option<String>,
    /// The revision this must become.
    pub revision: Option<u32>,
}

/// A request to let the reports of a period come later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtendDeadline {
    /// The period.
    pub period: Period,
    /// The unit whose report may come later; none where all may.
    pub unit: Option<UnitId>,
    /// The day before which reports are due then.
    pub due_before: Date,
    /// From when it holds.
    pub effective: Date,
    /// The legal instrument.
    pub instrument: String,
    /// Why.
    pub reason: Option<String>,
    /// The revision this must become.
    pub revision: Option<u32>,
}

/// What an amendment would do: the keys it changes and the cells that would say something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AmendmentPreview {
    /// The revision it would become, or became when it was recorded before.
    pub revision: u32,
    /// Whether it was recorded before under the same key; then nothing more would follow.
    pub already_recorded: bool,
    /// Every key with the value that it has on the effective day and the one it would have.
    pub changes: Vec<KeyDifference>,
    /// RFC 3339 in the plan's time zone: the moment for which the cells are compared.
    pub as_of: String,
    /// Whether the effective day lies ahead, and the cells are shown as if it were here.
    pub as_if_in_force: bool,
    /// What would change, cell by cell, at most [`PREVIEW_LIMIT`] lines.
    pub cells: Vec<CellDifference>,
    /// How many lines are left out.
    pub more_cells: usize,
}

/// A key of the plan before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyDifference {
    /// The key.
    pub key: String,
    /// Its value before.
    pub from: KeyValue,
    /// Its value after.
    pub to: KeyValue,
}

/// What a cell says before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellDifference {
    /// The unit.
    pub unit: UnitId,
    /// The indicator.
    pub indicator: IndicatorId,
    /// `status`, or `verdict` of a review as in `verdict 2025`.
    pub what: String,
    /// Before; null where nothing is said.
    pub from: Option<String>,
    /// After; null where nothing is said.
    pub to: Option<String>,
}

impl EnterBaseline {
    /// Reads a baseline; every wrong field is named.
    pub fn read(value: &Value) -> Result<EnterBaseline, Vec<FieldError>> {
        let mut fields = Fields::of(value, "")?;
        let unit = fields.id("unit", "unknown-unit", UnitId::parse);
        let indicator = fields.id("indicator", "unknown-indicator", IndicatorId::parse);
        let period = fields.id("period", "unknown-period", Period::parse);
        let value = read_figures(&mut fields);
        let document = match fields.raw("document").map(read_document) {
            Some(Ok(document)) => Some(document),
            Some(Err(errors)) => {
                fields.refuse_all(errors);
                None
            }
            None => {
                let remedy = "give the `number` and `date` of the paper that the figures come from";
                fields.refuse("document", "missing", "`document` is missing", remedy);
                None
            }
        };
        let reason = fields.optional_text("reason", TEXT_LIMIT_CHARS);
        let revision = fields.optional_revision("revision");
        fields.finish(|| {
            Some(EnterBaseline {
                unit: unit?,
                indicator: indicator?,
                period: period?,
                value: value?,
                document: document?,
                reason,
                revision,
            })
        })
    }
}

fn read_figures(fields: &mut Fields<'_>) -> Option<BaselineValue> {
    let given = ["numerator", "denominator", "withdrawn"].map(|field| fields.has(field));
    let numerator = fields.optional_whole("numerator", COUNT_LIMIT);
    let denominator = fields.optional_whole("denominator", COUNT_LIMIT);
    let withdrawn = fields.optional_flag("withdrawn");
    match given {
        [true, true, false] => {
            let (numerator, denominator) = (numerator?, denominator?);
            if denominator == 0 {
                let reason = "`denominator` is 0: nothing of nothing is no point to begin at";
                fields.refuse("denominator", "empty-baseline", reason, "give how many there were");
            } else if numerator > denominator {
                let reason =
                    format!("the numerator {numerator} is larger than the denominator {denominator}");
                let remedy = "check the two figures; they may be swapped";
                fields.refuse("numerator", "numerator-above-denominator", reason, remedy);
            }
            Some(BaselineValue::Rate { numerator, denominator })
        }
        [false, false, true] => {
            if withdrawn == Some(false) {
                let remedy = "leave it out and give the figures, or write true to take the baseline back";
                fields.refuse("withdrawn", "not-withdrawn", "`withdrawn` is false", remedy);
            }
            withdrawn.map(|_| BaselineValue::WITHDRAWN)
        }
        [true, false, false] => {
            let remedy = "a rate is always two whole numbers";
            fields.refuse("denominator", "missing", "`denominator` is missing", remedy);
            None
        }
        [false, _, false] => {
            let remedy = "give `numerator` and `denominator`, or `withdrawn`: true";
            fields.refuse("numerator", "missing", "`numerator` is missing", remedy);
            None
        }
        _ => {
            let remedy = "give the two figures or `withdrawn`, not both";
            fields.refuse("", "mixed-values", "figures are given and taken back", remedy);
            None
        }
    }
}

impl AmendPlan {
    /// Reads an amendment; every wrong field is named.
    pub fn read(value: &Value) -> Result<AmendPlan, Vec<FieldError>> {
        let mut fields = Fields::of(value, "")?;
        let changes = match fields.raw("changes") {
            Some(Value::Array(changes)) => read_changes(&mut fields, changes),
            Some(_) => {
                fields.refuse("changes", "wrong-type", "`changes` is not a list", "give a list of changes");
                None
            }
            None => {
                let remedy = "give a list of `{\"key\": …, \"value\": …}`";
                fields.refuse("changes", "missing", "`changes` is missing", remedy);
                None
            }
        };
        let effective = fields.date("effective");
        let instrument = fields.text("instrument", TITLE_LIMIT_CHARS);
        let reason = fields.optional_text("reason", TEXT_LIMIT_CHARS);
        let revision = fields.optional_revision("revision");
        fields.finish(|| {
            Some(AmendPlan {
                changes: changes?,
                effective: effective?,
                instrument: instrument?,
                reason,
                revision,
            })
        })
    }
}

fn read_changes(fields: &mut Fields<'_>, changes: &[Value]) -> Option<Vec<KeyChange>> {
    if changes.is_empty() || changes.len() > CHANGES_LIMIT {
        let reason =
            format!("the amendment has {} changes; it needs from 1 to {CHANGES_LIMIT}", changes.len());
        let remedy = "change at least one key, or split it into several amendments";
        fields.refuse("changes", "number-of-changes", reason, remedy);
        return None;
    }
    let mut read = Vec::with_capacity(changes.len());
    let mut seen = BTreeSet::new();
    for (index, change) in changes.iter().enumerate() {
        let pointer = format!("/changes/{index}");
        match read_change(change, &pointer) {
            Ok(change) => {
                if !seen.insert(change.key.clone()) {
                    fields.refuse_all(vec![FieldError::new(
                        format!("{pointer}/key"),
                        "duplicate-key",
                        format!("`{}` is changed twice", change.key),
                        "keep one of the two: which one was meant cannot be told",
                    )]);
                }
                read.push(change);
            }
            Err(errors) => fields.refuse_all(errors),
        }
    }
    (read.len() == changes.len()).then_some(read)
}

fn read_change(value: &Value, pointer: &str) -> Result<KeyChange, Vec<FieldError>> {
    let mut fields = Fields::of(value, pointer)?;
    let key = fields.text("key", TITLE_LIMIT_CHARS);
    let remedy = "give a text, a whole number, true or false, `{\"vi\", \"en\"}`, or null";
    let value = match fields.raw("value") {
        None => {
            fields.refuse("value", "missing", "`value` is missing", remedy);
            None
        }
        Some(Value::Null) => Some(KeyValue::Nothing),
        Some(Value::Bool(flag)) => Some(KeyValue::Flag(*flag)),
        Some(Value::String(_)) => fields.text("value", TEXT_LIMIT_CHARS).map(KeyValue::Text),
        Some(Value::Object(object)) => {
            let texts = Value::Object(object.clone());
            match read_texts(&texts, &format!("{pointer}/value")) {
                Ok(texts) => Some(KeyValue::Texts(texts)),
                Err(errors) => {
                    fields.refuse_all(errors);
                    None
                }
            }
        }
        Some(Value::Number(number)) => match number.as_u64().and_then(|whole| u32::try_from(whole).ok()) {
            Some(whole) => Some(KeyValue::Whole(whole)),
            None => {
                let reason = format!("`value` is {number}, not a whole number in range");
                let remedy = "write ratios in quotes, as in \"0.90\", and counts as whole numbers";
                fields.refuse("value", "not-a-whole-number", reason, remedy);
                None
            }
        },
        Some(Value::Array(_)) => {
            fields.refuse("value", "wrong-type", "`value` is a list", remedy);
            None
        }
    };
    fields.finish(|| Some(KeyChange { key: key?, value: value? }))
}

fn read_texts(value: &Value, pointer: &str) -> Result<KeyTexts, Vec<FieldError>> {
    let mut fields = Fields::of(value, pointer)?;
    let vi = fields.text("vi", TEXT_LIMIT_CHARS);
    let en = fields.text("en", TEXT_LIMIT_CHARS);
    fields.finish(|| Some(KeyTexts { vi: vi?, en: en? }))
}

impl ExtendDeadline {
    /// Reads an extension; every wrong field is named.
    pub fn read(value: &Value) -> Result<ExtendDeadline, Vec<FieldError>> {
        let mut fields = Fields::of(value, "")?;
        let period = fields.id("period", "unknown-period", Period::parse);
        let unit = fields.optional_id("unit", "unknown-unit", UnitId::parse);
        let due_before = fields.date("due_before");
        let effective = fields.date("effective");
        let instrument = fields.text("instrument", TITLE_LIMIT_CHARS);
        let reason = fields.optional_text("reason", TEXT_LIMIT_CHARS);
        let revision = fields.optional_revision("revision");
        fields.finish(|| {
            Some(ExtendDeadline {
                period: period?,
                unit,
                due_before: due_before?,
                effective: effective?,
                instrument: instrument?,
                reason,
                revision,
            })
        })
    }
}
