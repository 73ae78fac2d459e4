//! Reading the events of which only some fields belong together: each is read whole, then held to one value.
//!
//! Derived readers of flattened and untagged types would take unknown fields, and more than one value.

use super::{
    LineValue, Mark, ReportLine, Share, Successor, TargetChanged, TargetValue, UnitChange, UnitChanged,
    UnitName,
};
use crate::ids::{IndicatorId, MeasureId, Period, Review, UnitId};
use crate::percent::Percent;
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, de};

impl<'de> Deserialize<'de> for ReportLine {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// All fields that a line may have; which of them belong together is checked below.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Fields {
            measure: MeasureId,
            numerator: Option<u64>,
            denominator: Option<u64>,
            level: Option<u8>,
            attained: Option<bool>,
            recognised_year: Option<Period>,
            withdrawn: Option<bool>,
            source: Option<String>,
        }
        let fields = Fields::deserialize(deserializer)?;
        let value = match fields {
            Fields {
                numerator: Some(numerator),
                denominator: Some(denominator),
                level: None,
                attained: None,
                recognised_year: None,
                withdrawn: None,
                ..
            } => LineValue::Rate { numerator, denominator },
            Fields {
                numerator: None,
                denominator: None,
                level: Some(level),
                attained: None,
                recognised_year: None,
                withdrawn: None,
                ..
            } => LineValue::Level { level },
            Fields {
                numerator: None,
                denominator: None,
                level: None,
                attained: Some(attained),
                recognised_year,
                withdrawn: None,
                ..
            } => LineValue::Attained { attained, recognised_year },
            Fields {
                numerator: None,
                denominator: None,
                level: None,
                attained: None,
                recognised_year: None,
                withdrawn: Some(true),
                ..
            } => LineValue::WITHDRAWN,
            _ => return Err(de::Error::custom("a line holds exactly one value")),
        };
        Ok(ReportLine { measure: fields.measure, value, source: fields.source })
    }
}

impl<'de> Deserialize<'de> for TargetChanged {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// All fields that the data may have; exactly one of the four values belongs to it.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Fields {
            indicator: IndicatorId,
            unit: Option<UnitId>,
            review: Review,
            percent: Option<Percent>,
            level: Option<u8>,
            attained: Option<bool>,
            withdrawn: Option<bool>,
            mark: Mark,
            revision: u32,
            effective: Date,
            instrument: String,
            reason: Option<String>,
            request_digest: Option<String>,
        }
        let fields = Fields::deserialize(deserializer)?;
        let value = match (fields.percent, fields.level, fields.attained, fields.withdrawn) {
            (Some(percent), None, None, None) => TargetValue::Percent(percent),
            (None, Some(level), None, None) => TargetValue::Level(level),
            (None, None, Some(attained), None) => TargetValue::Attained(attained),
            (None, None, None, Some(true)) => TargetValue::Withdrawn(true),
            _ => return Err(de::Error::custom("a target holds exactly one value")),
        };
        Ok(TargetChanged {
            indicator: fields.indicator,
            unit: fields.unit,
            review: fields.review,
            value,
            mark: fields.mark,
            revision: fields.revision,
            effective: fields.effective,
            instrument: fields.instrument,
            reason: fields.reason,
            request_digest: fields.request_digest,
        })
    }
}

impl<'de> Deserialize<'de> for UnitChanged {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// A new name, or the name of a new unit in both languages.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Name {
            New(String),
            Both(UnitName),
        }
        /// The one unit of a merger, or those of a split.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Into {
            One(UnitId),
            Several(Vec<Successor>),
        }
        /// All fields that the data may have; which of them a change needs is checked below.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Fields {
            unit: UnitId,
            change: String,
            name: Option<Name>,
            #[serde(rename = "type")]
            unit_type: Option<String>,
            code: Option<String>,
            parent: Option<UnitId>,
            into: Option<Into>,
            share: Option<Share>,
            revision: u32,
            effective: Date,
            instrument: String,
            reason: Option<String>,
            request_digest: Option<String>,
        }
        let fields = Fields::deserialize(deserializer)?;
        let wrong = || de::Error::custom("a unit change holds exactly what its kind needs");
        let Fields { change, name, unit_type, code, parent, into, share, .. } = fields;
        let change = match (change.as_str(), name, unit_type, code, parent, into, share) {
            ("establish", Some(Name::Both(name)), Some(unit_type), Some(code), parent, None, None) => {
                UnitChange::Establish { name, unit_type, code, parent }
            }
            ("rename", Some(Name::New(name)), None, None, None, None, None) => UnitChange::Rename { name },
            ("retype", None, Some(unit_type), None, None, None, None) => UnitChange::Retype { unit_type },
            ("recode", None, None, Some(code), None, None, None) => UnitChange::Recode { code },
            ("merge", None, None, None, None, Some(Into::One(into)), share) => {
                UnitChange::Merge { into, share }
            }
            ("split", None, None, None, None, Some(Into::Several(into)), None) => UnitChange::Split { into },
            ("move", None, None, None, Some(parent), None, None) => UnitChange::Move { parent },
            ("dissolve", None, None, None, None, None, None) => UnitChange::Dissolve,
            _ => return Err(wrong()),
        };
        Ok(UnitChanged {
            unit: fields.unit,
            change,
            revision: fields.revision,
            effective: fields.effective,
            instrument: fields.instrument,
            reason: fields.reason,
            request_digest: fields.request_digest,
        })
    }
}
