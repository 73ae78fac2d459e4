//! Amendments: which keys of a plan an event may give another value, and the plan that comes of it.
//!
//! ```text
//! thresholds.on_track, thresholds.at_risk                    a ratio, "0.90"
//! alerts.behind.fires_below, alerts.behind.clears_from       a ratio
//! alerts.at_risk.fires_below, alerts.at_risk.clears_from     a ratio
//! reviews.<year>.units_as_of                                 a date, or null: the end of the review's year
//! calendar.history_after_days                                a whole number
//! measures.<id>.months                                       a whole number, or null: it does not lapse
//! indicators.<id>.binds_districts                            true or false
//! indicators.<id>.counts_from_level                          a whole number
//! indicators.<id>.not_restated.<year>.mark                   "attain" or "maintain"
//! decisions.<number>.text                                    {"vi", "en"}
//! ```
//!
//! Everything else stays as it was adopted: another plan is another log.

use crate::file::{self, TEXT_LIMIT_CHARS};
use crate::{Decision, Indicator, Measure, MeasureKind, Names, Plan, Ratio, ReviewYear, Unrestated};
use events::command::read_date;
use events::{IndicatorId, KeyChange, KeyTexts, KeyValue, Mark, MeasureId, Review};

/// The keys that there are, as refusals name them.
const KEYS: &str = "thresholds.on_track, thresholds.at_risk, alerts.behind.fires_below, alerts.behind.clears_from, \
     alerts.at_risk.fires_below, alerts.at_risk.clears_from, reviews.<year>.units_as_of, \
     calendar.history_after_days, measures.<id>.months, indicators.<id>.binds_districts, \
     indicators.<id>.counts_from_level, indicators.<id>.not_restated.<year>.mark, decisions.<number>.text";

/// Why a plan is not amended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AmendmentError {
    /// The change that is wrong, by its place; none where the amended plan is wrong as a whole.
    pub change: Option<usize>,
    /// Whether it is the key that is wrong; else its value.
    pub in_key: bool,
    /// A word for programs.
    pub code: &'static str,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

/// A key of a plan that may be amended.
enum Key<'a> {
    Ratio(&'a mut Ratio),
    UnitsAsOf(&'a mut ReviewYear),
    HistoryAfterDays(&'a mut u16),
    Months(&'a mut Option<u16>),
    BindsDistricts(&'a mut Indicator),
    CountsFromLevel(&'a mut Indicator),
    Mark(&'a mut Unrestated),
    DecisionText(&'a mut Decision),
}

impl Key<'_> {
    /// What may stand there, for remedies.
    fn right(&self) -> &'static str {
        match self {
            Key::Ratio(_) => "a ratio from 0 to 10 with at most two places, in quotes as \"0.90\"",
            Key::UnitsAsOf(_) => "a day, \"YYYY-MM-DD\", or null for the end of the review's year",
            Key::HistoryAfterDays(_) => "a whole number of days up to 65535",
            Key::Months(_) => "a whole number of months up to 65535, or null where it does not lapse",
            Key::BindsDistricts(_) => "true or false",
            Key::CountsFromLevel(_) => "a level, as a whole number",
            Key::Mark(_) => "\"attain\" or \"maintain\"",
            Key::DecisionText(_) => "{\"vi\": …, \"en\": …}, each at most 500 characters",
        }
    }

    fn value(&self) -> KeyValue {
        match self {
            Key::Ratio(ratio) => KeyValue::Text(ratio.to_string()),
            Key::UnitsAsOf(review) => {
                review.units_as_of.map_or(KeyValue::Nothing, |date| KeyValue::Text(date.to_string()))
            }
            Key::HistoryAfterDays(days) => KeyValue::Whole(u32::from(**days)),
            Key::Months(months) => months.map_or(KeyValue::Nothing, |months| KeyValue::Whole(months.into())),
            Key::BindsDistricts(indicator) => KeyValue::Flag(indicator.binds_districts),
            Key::CountsFromLevel(indicator) => {
                indicator.counts_from_level.map_or(KeyValue::Nothing, |level| KeyValue::Whole(level.into()))
            }
            Key::Mark(entry) => KeyValue::Text(
                match entry.mark {
                    Mark::Attain => "attain",
                    Mark::Maintain => "maintain",
                }
                .to_owned(),
            ),
            Key::DecisionText(decision) => {
                KeyValue::Texts(KeyTexts { vi: decision.text.vi.clone(), en: decision.text.en.clone() })
            }
        }
    }

    /// Gives the key another value; none if it can have no such value.
    fn set(self, value: &KeyValue) -> Option<()> {
        match (self, value) {
            (Key::Ratio(ratio), KeyValue::Text(text)) => *ratio = Ratio::parse(text).ok()?,
            (Key::UnitsAsOf(review), KeyValue::Text(text)) => review.units_as_of = Some(read_date(text)?),
            (Key::UnitsAsOf(review), KeyValue::Nothing) => review.units_as_of = None,
            (Key::HistoryAfterDays(days), KeyValue::Whole(whole)) => *days = u16::try_from(*whole).ok()?,
            (Key::Months(months), KeyValue::Whole(whole)) => *months = Some(u16::try_from(*whole).ok()?),
            (Key::Months(months), KeyValue::Nothing) => *months = None,
            (Key::BindsDistricts(indicator), KeyValue::Flag(flag)) => indicator.binds_districts = *flag,
            (Key::CountsFromLevel(indicator), KeyValue::Whole(whole)) => {
                indicator.counts_from_level = Some(u8::try_from(*whole).ok()?);
            }
            (Key::Mark(entry), KeyValue::Text(text)) => {
                entry.mark = match text.as_str() {
                    "attain" => Mark::Attain,
                    "maintain" => Mark::Maintain,
                    _ => return None,
                }
            }
            (Key::DecisionText(decision), KeyValue::Texts(texts)) => {
                let fits = |text: &str| text.chars().count() <= TEXT_LIMIT_CHARS;
                if !fits(&texts.vi) || !fits(&texts.en) {
                    return None;
                }
                decision.text = Names { vi: texts.vi.clone(), en: texts.en.clone() };
            }
            _ => return None,
        }
        Some(())
    }
}

impl Plan {
    /// The value of a key that may be amended; none where there is no such key.
    pub fn value_of(&self, key: &str) -> Option<KeyValue> {
        self.clone().find_key(key).map(|key| key.value())
    }

    /// The plan with keys given other values, whether or not the rules between its parts hold then.
    pub fn with_changes(&self, changes: &[KeyChange]) -> Result<Plan, Vec<AmendmentError>> {
        let mut plan = self.clone();
        let mut errors = Vec::new();
        for (index, change) in changes.iter().enumerate() {
            let shown: String = change.key.chars().take(80).collect();
            let Some(key) = plan.find_key(&change.key) else {
                errors.push(AmendmentError {
                    change: Some(index),
                    in_key: true,
                    code: "unknown-key",
                    what: format!("`{shown}` is no key of this plan that can be amended"),
                    remedy: format!("use one of {KEYS}"),
                });
                continue;
            };
            let right = key.right();
            if key.set(&change.value).is_none() {
                errors.push(AmendmentError {
                    change: Some(index),
                    in_key: false,
                    code: "value-of-another-kind",
                    what: format!("`{}` cannot be the value of `{shown}`", change.value),
                    remedy: format!("give {right}"),
                });
            }
        }
        if errors.is_empty() { Ok(plan) } else { Err(errors) }
    }

    /// The plan with keys given other values, held against every rule that a plan file is held against.
    pub fn amended(&self, changes: &[KeyChange]) -> Result<Plan, Vec<AmendmentError>> {
        let plan = self.with_changes(changes)?;
        let errors: Vec<AmendmentError> = file::findings_of(&plan)
            .into_iter()
            .map(|(key, what, remedy)| {
                let key = plan.key_by_name(&key);
                let change = changes.iter().position(|change| change.key == key);
                let what = if change.is_some() { what } else { format!("{key}: {what}") };
                AmendmentError { change, in_key: false, code: "plan-would-be-wrong", what, remedy }
            })
            .collect();
        if errors.is_empty() { Ok(plan) } else { Err(errors) }
    }

    fn find_key(&mut self, key: &str) -> Option<Key<'_>> {
        let parts: Vec<&str> = key.split('.').collect();
        Some(match parts.as_slice() {
            ["thresholds", "on_track"] => Key::Ratio(&mut self.thresholds.on_track),
            ["thresholds", "at_risk"] => Key::Ratio(&mut self.thresholds.at_risk),
            ["alerts", rule, bound] => {
                let bounds = match *rule {
                    "behind" => &mut self.alerts.behind,
                    "at_risk" => &mut self.alerts.at_risk,
                    _ => return None,
                };
                match *bound {
                    "fires_below" => Key::Ratio(&mut bounds.fires_below),
                    "clears_from" => Key::Ratio(&mut bounds.clears_from),
                    _ => return None,
                }
            }
            ["reviews", year, "units_as_of"] => {
                let year = Review::parse(year).ok()?;
                Key::UnitsAsOf(self.reviews.iter_mut().find(|review| review.review == year)?)
            }
            ["calendar", "history_after_days"] => {
                Key::HistoryAfterDays(&mut self.calendar.history_after_days)
            }
            ["measures", id, "months"] => {
                let id = MeasureId::parse(id).ok()?;
                match self.measures.iter_mut().find(|measure| measure.id == id)? {
                    Measure { kind: MeasureKind::Attained { months }, .. } => Key::Months(months),
                    Measure { kind: MeasureKind::Rate | MeasureKind::Level { .. }, .. } => return None,
                }
            }
            ["indicators", id, of_indicator @ ..] => {
                let id = IndicatorId::parse(id).ok()?;
                let indicator = self.indicators.iter_mut().find(|indicator| indicator.id == id)?;
                match of_indicator {
                    ["binds_districts"] => Key::BindsDistricts(indicator),
                    ["counts_from_level"] => Key::CountsFromLevel(indicator),
                    ["not_restated", year, "mark"] => {
                        let year = Review::parse(year).ok()?;
                        Key::Mark(indicator.not_restated.iter_mut().find(|entry| entry.review == year)?)
                    }
                    _ => return None,
                }
            }
            ["decisions", number, "text"] => {
                let number: u16 = number.parse().ok().filter(|read: &u16| read.to_string() == *number)?;
                Key::DecisionText(self.decisions.iter_mut().find(|decision| decision.number == number)?)
            }
            _ => return None,
        })
    }

    /// A key as the checker of plan files writes it (`reviews[0].units_as_of`), as amendments do
    /// (`reviews.2025.units_as_of`).
    fn key_by_name(&self, key: &str) -> String {
        let Some((list, rest)) = key.split_once('[') else { return key.to_owned() };
        let Some((index, rest)) = rest.split_once(']') else { return key.to_owned() };
        let name = index.parse::<usize>().ok().and_then(|index| match list {
            "reviews" => self.reviews.get(index).map(|review| review.review.to_string()),
            "measures" => self.measures.get(index).map(|measure| measure.id.to_string()),
            "indicators" => self.indicators.get(index).map(|indicator| indicator.id.to_string()),
            "decisions" => self.decisions.get(index).map(|decision| decision.number.to_string()),
            _ => None,
        });
        name.map_or_else(|| key.to_owned(), |name| format!("{list}.{name}{rest}"))
    }
}
