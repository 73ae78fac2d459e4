//! Events that change the plan's own keys, a rate's baseline, or a deadline.

use super::Document;
use crate::ids::{IndicatorId, Period, UnitId};
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, de};
use std::fmt;

/// Where a unit's rate began was entered, corrected or taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BaselineEntered {
    /// Whose rate; the province's own rate names the province.
    pub unit: UnitId,
    /// Which rate.
    pub indicator: IndicatorId,
    /// The year that the figures are of; may lie before the plan's first period.
    pub period: Period,
    /// The figures, or that the baseline is taken back.
    #[serde(flatten)]
    pub value: BaselineValue,
    /// The paper that the figures come from; the baseline holds from its date on.
    pub document: Document,
    /// Why, in the words of the one who asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// 1 for the first baseline of this unit and indicator, then one more each time.
    pub revision: u32,
    /// SHA-256 of the request, where an idempotency key binds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_digest: Option<String>,
}

/// What a baseline says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum BaselineValue {
    /// Two whole numbers, numerator at most denominator.
    Rate {
        /// How many have it.
        numerator: u64,
        /// Of how many.
        denominator: u64,
    },
    /// The baseline is taken back; the earliest reported period is the baseline again.
    Withdrawn {
        /// Always true.
        withdrawn: bool,
    },
}

impl BaselineValue {
    /// A baseline that is taken back.
    pub const WITHDRAWN: BaselineValue = BaselineValue::Withdrawn { withdrawn: true };
}

impl<'de> Deserialize<'de> for BaselineEntered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// All fields that the data may have; which of them belong together is checked below.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Fields {
            unit: UnitId,
            indicator: IndicatorId,
            period: Period,
            numerator: Option<u64>,
            denominator: Option<u64>,
            withdrawn: Option<bool>,
            document: Document,
            reason: Option<String>,
            revision: u32,
            request_digest: Option<String>,
        }
        let fields = Fields::deserialize(deserializer)?;
        let value = match (fields.numerator, fields.denominator, fields.withdrawn) {
            (Some(numerator), Some(denominator), None) => BaselineValue::Rate { numerator, denominator },
            (None, None, Some(true)) => BaselineValue::WITHDRAWN,
            _ => return Err(de::Error::custom("a baseline holds two numbers or is withdrawn")),
        };
        Ok(BaselineEntered {
            unit: fields.unit,
            indicator: fields.indicator,
            period: fields.period,
            value,
            document: fields.document,
            reason: fields.reason,
            revision: fields.revision,
            request_digest: fields.request_digest,
        })
    }
}

/// Keys of the plan were given other values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanAmended {
    /// The keys and their new values, each key once.
    pub changes: Vec<KeyChange>,
    /// 1 for the first amendment of the plan, then one more each time.
    pub revision: u32,
    /// From when they hold (start of that day in the plan's time zone).
    pub effective: Date,
    /// The legal instrument.
    pub instrument: String,
    /// Why, in the words of the one who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// SHA-256 of the request, where an idempotency key binds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_digest: Option<String>,
}

/// One key of the plan and its new value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyChange {
    /// The key, such as `thresholds.on_track` or `reviews.2025.units_as_of`.
    pub key: String,
    /// The new value.
    pub value: KeyValue,
}

/// The value of a key of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum KeyValue {
    /// Yes or no.
    Flag(bool),
    /// A whole number: months, days, levels.
    Whole(u32),
    /// A text: ratios, dates, marks.
    Text(String),
    /// A text in both languages.
    Texts(KeyTexts),
    /// Nothing: the key is left out of the plan (`null`).
    Nothing,
}

/// A text in both languages, as the value of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyTexts {
    /// Vietnamese.
    pub vi: String,
    /// English.
    pub en: String,
}

impl fmt::Display for KeyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyValue::Flag(flag) => flag.fmt(f),
            KeyValue::Whole(whole) => whole.fmt(f),
            KeyValue::Text(text) => f.write_str(text),
            KeyValue::Texts(texts) => write!(f, "{} / {}", texts.vi, texts.en),
            KeyValue::Nothing => f.write_str("nothing"),
        }
    }
}

/// The reports of a period may come later, those of one unit or of all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeadlineExtended {
    /// The period whose reports are meant.
    pub period: Period,
    /// The unit whose report may come later; none where all may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitId>,
    /// The day before which reports are due now.
    pub due_before: Date,
    /// 1 for the first extension of this period and unit, then one more each time.
    pub revision: u32,
    /// From when it holds (start of that day in the plan's time zone).
    pub effective: Date,
    /// The legal instrument.
    pub instrument: String,
    /// Why, in the words of the one who asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// SHA-256 of the request, where an idempotency key binds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_digest: Option<String>,
}
