//! The parts of a plan, as types; their serde form is the canonical form that the log holds.

use crate::calendar::Calendar;
use events::{Date, IndicatorId, Mark, MeasureId, PlanId, Review, TargetValue, UnitId};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use std::fmt;
use thiserror::Error;

/// A name in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Names {
    /// Vietnamese.
    pub vi: String,
    /// English.
    pub en: String,
}

/// A whole plan. Order is the order of the file: pages and documents keep it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Its id, part of every subject, stream and directory name.
    pub id: PlanId,
    /// What it is called.
    pub name: Names,
    /// The legal instrument that adopted it.
    pub instrument: String,
    /// Who adopted it.
    pub issuer: Names,
    /// The date of the instrument; effective time of `plan-adopted` and of the first targets.
    pub adopted: Date,
    /// Periods, deadlines and the time zone.
    pub calendar: Calendar,
    /// The reviews, in the order of their years.
    pub reviews: Vec<ReviewYear>,
    /// When a pace counts as on track and when as at risk.
    pub thresholds: Thresholds,
    /// When alerts fire and clear.
    pub alerts: AlertParameters,
    /// Who answers for what.
    pub bodies: Vec<Body>,
    /// The units; at least one of level province.
    pub units: Vec<Unit>,
    /// What units report.
    pub measures: Vec<Measure>,
    /// What has targets.
    pub indicators: Vec<Indicator>,
    /// What was decided where the plan's text is silent.
    pub decisions: Vec<Decision>,
}

/// A review: interim or final.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewYear {
    /// The year at whose end targets are judged.
    pub review: Review,
    /// What it is called.
    pub name: Names,
    /// The paragraph it comes from.
    pub paragraph: String,
    /// The recorded decision on whose units a share is counted over in this review's verdict: those in
    /// force on this day. Without one, those in force at the end of the review's year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units_as_of: Option<Date>,
}

/// A level of unit: what a measure binds to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The whole.
    Province,
    /// Its parts.
    District,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Level::Province => "province",
            Level::District => "district",
        })
    }
}

/// A unit as it was on the day of adoption; later changes are events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// Its id, stable for ever.
    pub id: UnitId,
    /// Its official code on that day; codes are reused, so this is no key.
    pub code: String,
    /// Its name on that day.
    pub name: Names,
    /// Its level.
    pub level: Level,
    /// Its type on that day, such as `city` or `district`: a label that may change.
    #[serde(rename = "type")]
    pub unit_type: String,
    /// The province that a district belongs to on that day; where a plan has one province it may be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<UnitId>,
}

/// The shape of a measure's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum MeasureKind {
    /// Two whole numbers.
    Rate,
    /// A level from 0 to `highest`.
    Level {
        /// The highest level that there is.
        highest: u8,
    },
    /// Yes or no.
    Attained {
        /// How many months after its year a recognition holds; without it, it does not lapse.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        months: Option<u16>,
    },
}

/// What units report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// Its id.
    pub id: MeasureId,
    /// What it is called.
    pub name: Names,
    /// The level of the units that report it.
    pub level: Level,
    /// The shape of its value.
    #[serde(flatten)]
    pub kind: MeasureKind,
    /// The law it rests on, where it is not the plan alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub law: Option<String>,
}

/// A target as the plan's text sets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanTarget {
    /// At whose end it is judged.
    pub review: Review,
    /// The value.
    #[serde(flatten)]
    pub value: TargetValue,
    /// Attain or maintain.
    pub mark: Mark,
    /// The paragraph it comes from.
    pub paragraph: String,
}

/// A review for which the plan's text is silent on an indicator (decision 8): the earlier target goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unrestated {
    /// The review without a target.
    pub review: Review,
    /// The mark of a target that is set for it later.
    pub mark: Mark,
}

/// What has a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Indicator {
    /// Its id.
    pub id: IndicatorId,
    /// What it is called.
    pub name: Names,
    /// The measure that feeds it.
    pub measure: MeasureId,
    /// For a share of districts by level: the lowest level that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts_from_level: Option<u8>,
    /// Whether the province's rate target is also held against each district (decision 6).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub binds_districts: bool,
    /// Over what it is counted, in words.
    pub base: Names,
    /// The paragraph of the plan.
    pub paragraph: String,
    /// The bodies that answer for it.
    pub bodies: Vec<String>,
    /// The targets of the plan's text.
    pub targets: Vec<PlanTarget>,
    /// Reviews on which the text is silent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_restated: Vec<Unrestated>,
}

/// How an indicator's cells come about; follows from its measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Numerator over denominator. With a measure of districts, the province's is the sum over them.
    Rate {
        /// Whether districts report it; otherwise the province itself does.
        by_districts: bool,
    },
    /// The province's own level or yes/no.
    State,
    /// How many districts have it; a district's cell shows its own level or recognition.
    Share {
        /// For a level: the lowest that counts. For yes/no: none.
        from_level: Option<u8>,
    },
}

/// A body that answers for part of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// A short id.
    pub id: String,
    /// What it is called.
    pub name: Names,
}

/// A decision taken where the plan's text is silent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Its number.
    pub number: u16,
    /// What was decided.
    pub text: Names,
}

/// When a pace counts as on track and when as at risk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// On track from this pace on.
    pub on_track: Ratio,
    /// At risk from this pace on, behind below it.
    pub at_risk: Ratio,
}

/// Where an alert on the pace fires and where it clears.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hysteresis {
    /// Fires below this pace.
    pub fires_below: Ratio,
    /// Clears from this pace on.
    pub clears_from: Ratio,
}

/// When alerts fire and clear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertParameters {
    /// Rule `behind`.
    pub behind: Hysteresis,
    /// Rule `at-risk`.
    pub at_risk: Hysteresis,
}

/// An exact decimal ratio from 0 to 10 with at most two places, such as `0.95`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ratio {
    hundredths: u16,
}

/// Why a text is no ratio.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is no ratio: write a decimal from 0 to 10 with at most two places, as in \"0.95\"")]
pub struct RatioError {
    text: String,
}

impl Ratio {
    /// Reads a decimal such as `0.95`.
    pub fn parse(text: &str) -> Result<Ratio, RatioError> {
        let refused = || RatioError { text: text.chars().take(16).collect() };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str, limit: usize| {
            !part.is_empty() && part.len() <= limit && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(whole, 2) || !digits(fraction, 2) {
            return Err(refused());
        }
        let whole: u16 = whole.parse().map_err(|_| refused())?;
        let fraction_value: u16 = fraction.parse().map_err(|_| refused())?;
        let fraction_value = if fraction.len() == 1 { fraction_value * 10 } else { fraction_value };
        let hundredths = whole * 100 + fraction_value;
        if hundredths > 1_000 { Err(refused()) } else { Ok(Ratio { hundredths }) }
    }

    /// The ratio in hundredths.
    pub fn hundredths(self) -> u16 {
        self.hundredths
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.hundredths / 100, self.hundredths % 100)
    }
}

impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Ratio {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

impl Plan {
    /// The plan as canonical JSON: what `plan-adopted` embeds.
    pub fn canonical(&self) -> Value {
        serde_json::to_value(self).expect("a plan is plain data")
    }

    /// Lower-case hexadecimal SHA-256 of the canonical form.
    pub fn digest(&self) -> String {
        events::strict_json::sha256_hex(&events::strict_json::canonical(&self.canonical()))
    }

    /// Reads a plan back from `plan-adopted`.
    pub fn from_canonical(value: &Value) -> Result<Plan, serde_json::Error> {
        serde_json::from_value(value.clone())
    }

    /// The provinces, in the plan's order: nearly always one.
    pub fn provinces(&self) -> impl Iterator<Item = &Unit> {
        self.units.iter().filter(|unit| unit.level == Level::Province)
    }

    /// The province; of several the first.
    pub fn province(&self) -> &Unit {
        self.units.iter().find(|unit| unit.level == Level::Province).expect("a checked plan has a province")
    }

    /// The districts of the plan's text, in its order; which of them are in force is a question of time.
    pub fn districts(&self) -> impl Iterator<Item = &Unit> {
        self.units.iter().filter(|unit| unit.level == Level::District)
    }

    /// Finds a unit.
    pub fn unit(&self, id: &UnitId) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.id == *id)
    }

    /// Finds a measure.
    pub fn measure(&self, id: &MeasureId) -> Option<&Measure> {
        self.measures.iter().find(|measure| measure.id == *id)
    }

    /// Finds an indicator.
    pub fn indicator(&self, id: &IndicatorId) -> Option<&Indicator> {
        self.indicators.iter().find(|indicator| indicator.id == *id)
    }

    /// The measure that feeds an indicator of this plan.
    pub fn measure_of(&self, indicator: &Indicator) -> &Measure {
        self.measure(&indicator.measure).expect("a checked plan holds the measure of each indicator")
    }

    /// How the indicator's cells come about.
    pub fn form(&self, indicator: &Indicator) -> Form {
        let measure = self.measure_of(indicator);
        match (&measure.kind, measure.level) {
            (MeasureKind::Rate, Level::District) => Form::Rate { by_districts: true },
            (MeasureKind::Rate, Level::Province) => Form::Rate { by_districts: false },
            (MeasureKind::Level { .. } | MeasureKind::Attained { .. }, Level::Province) => Form::State,
            (MeasureKind::Level { .. }, Level::District) => {
                Form::Share { from_level: Some(indicator.counts_from_level.unwrap_or(1)) }
            }
            (MeasureKind::Attained { .. }, Level::District) => Form::Share { from_level: None },
        }
    }

    /// Whether a unit of this level has a cell for the indicator: the province for each, a district where its measures feed it.
    pub fn has_cell(&self, level: Level, indicator: &Indicator) -> bool {
        match level {
            Level::Province => true,
            Level::District => self.measure_of(indicator).level == Level::District,
        }
    }

    /// The indicators that a measure feeds.
    pub fn fed_by<'a>(&'a self, measure: &'a MeasureId) -> impl Iterator<Item = &'a Indicator> {
        self.indicators.iter().filter(move |indicator| indicator.measure == *measure)
    }
}
