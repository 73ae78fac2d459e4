//! Questions as they come: JSON with text as the caller wrote it, read once and refused by parameter.

use crate::page::{Cursor, PAGE_LIMIT};
use events::{FieldError, IndicatorId, Position, Refusal, RefusalKind, UnitId};
use indicators::{AlertState, View};
use plan::{Indicator, Level, Plan, Unit};
use serde_json::{Map, Value};

/// The largest question, in bytes; a larger one is refused.
pub(crate) const QUESTION_LIMIT_BYTES: usize = 8 * 1024;
/// How much of a wrong value is shown back, in characters.
const SHOWN_LIMIT_CHARS: usize = 64;

/// A question that was read; which of the parameters it may have is up to the endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) unit: Option<String>,
    pub(crate) indicator: Option<String>,
    /// The year of a review.
    pub(crate) review: Option<String>,
    pub(crate) as_of: Option<String>,
    pub(crate) known_at: Option<String>,
    pub(crate) state: Option<AlertState>,
    pub(crate) position: Option<Position>,
    /// Where an interval begins and ends: moments, or positions of the log.
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
    pub(crate) from_position: Option<Position>,
    pub(crate) to_position: Option<Position>,
    /// The answer must rest on this position at least.
    pub(crate) at_least: Position,
    /// How many entries of the list are asked for.
    pub(crate) limit: Option<usize>,
    /// Where the list goes on.
    pub(crate) cursor: Option<Cursor>,
}

impl Question {
    /// Reads a question that may have the parameters named; an empty one has none.
    pub(crate) fn read(payload: &[u8], parameters: &[&str]) -> Result<Question, Refusal> {
        if payload.len() > QUESTION_LIMIT_BYTES {
            let detail = format!("the question is larger than {QUESTION_LIMIT_BYTES} bytes");
            return Err(Refusal::new(RefusalKind::TooLarge, detail));
        }
        let fields = match payload {
            [] => Map::new(),
            bytes => match serde_json::from_slice(bytes) {
                Ok(Value::Object(fields)) => fields,
                Ok(_) => return Err(Refusal::new(RefusalKind::Malformed, "the question is no JSON object")),
                Err(error) => {
                    return Err(Refusal::new(
                        RefusalKind::Malformed,
                        format!("the question is no JSON: {error}"),
                    ));
                }
            },
        };
        let mut question = Question::default();
        let mut errors = Vec::new();
        for (name, value) in &fields {
            if !parameters.contains(&name.as_str()) {
                let remedy = match parameters {
                    [] => "ask without any".to_owned(),
                    known => format!("ask with {} only", known.join(", ")),
                };
                let reason = format!("there is no parameter `{}`", short(name));
                errors.push(FieldError::new(
                    format!("?{}", short(name)),
                    "unknown-parameter",
                    reason,
                    remedy,
                ));
            } else if let Err(error) = question.take(name, value) {
                errors.push(error);
            }
        }
        if errors.is_empty() { Ok(question) } else { Err(Refusal::of_fields(errors)) }
    }

    fn take(&mut self, name: &str, value: &Value) -> Result<(), FieldError> {
        match name {
            "unit" => self.unit = text(name, value)?,
            "indicator" => self.indicator = text(name, value)?,
            "review" => self.review = text(name, value)?,
            "as_of" => self.as_of = text(name, value)?,
            "known_at" => self.known_at = text(name, value)?,
            "state" => self.state = text(name, value)?.map(|word| alert_state(&word)).transpose()?,
            "limit" => self.limit = limit(name, value)?,
            "cursor" => self.cursor = text(name, value)?.map(|text| text.parse()).transpose()?,
            "from" => self.from = text(name, value)?,
            "to" => self.to = text(name, value)?,
            "from_position" => self.from_position = position(name, value)?,
            "to_position" => self.to_position = position(name, value)?,
            "position" => self.position = position(name, value)?,
            _ => self.at_least = position(name, value)?.unwrap_or_default(),
        }
        Ok(())
    }

    /// Finds the unit that is asked for, if one is.
    pub(crate) fn unit_of<'a>(&self, plan: &'a Plan) -> Result<Option<&'a Unit>, FieldError> {
        let Some(asked) = &self.unit else { return Ok(None) };
        let found = UnitId::parse(asked).ok().and_then(|id| plan.unit(&id));
        found.map(Some).ok_or_else(|| {
            FieldError::new(
                "?unit",
                "unknown-unit",
                format!("there is no unit `{}`", short(asked)),
                "take the unit's id from the list of units, as in `di-an`",
            )
        })
    }

    /// Refuses a unit whose establishment was not recorded at the moment that is asked about.
    pub(crate) fn known_then(view: &View<'_>, unit: &Unit) -> Result<(), Refusal> {
        if view.knows_unit(&unit.id) {
            return Ok(());
        }
        Err(Refusal::of_fields(vec![FieldError::new(
            "?unit",
            "unknown-unit",
            format!("the establishment of `{}` was not recorded at that moment", unit.id),
            "ask about a later moment",
        )]))
    }

    /// Finds the indicator that is asked for, if one is.
    pub(crate) fn indicator_of<'a>(&self, plan: &'a Plan) -> Result<Option<&'a Indicator>, FieldError> {
        let Some(asked) = &self.indicator else { return Ok(None) };
        let found = IndicatorId::parse(asked).ok().and_then(|id| plan.indicator(&id));
        found.map(Some).ok_or_else(|| {
            FieldError::new(
                "?indicator",
                "unknown-indicator",
                format!("the plan has no indicator `{}`", short(asked)),
                "take the indicator's id from the plan, as in `life-skills`",
            )
        })
    }

    /// The unit and the indicator where both are needed and must have a cell; everything wrong is named.
    pub(crate) fn cell_of<'a>(&self, plan: &'a Plan) -> Result<(&'a Unit, &'a Indicator), Refusal> {
        let missing = |name: &str| {
            let reason = format!("`{name}` is missing: one cell is asked for");
            FieldError::new(format!("?{name}"), "missing", reason, format!("name the {name}"))
        };
        let unit = self.unit_of(plan).and_then(|unit| unit.ok_or_else(|| missing("unit")));
        let indicator = self.indicator_of(plan).and_then(|found| found.ok_or_else(|| missing("indicator")));
        match (unit, indicator) {
            (Ok(unit), Ok(indicator)) if plan.has_cell(unit.level, indicator) => Ok((unit, indicator)),
            (Ok(unit), Ok(indicator)) => Err(no_such_cell(unit, indicator)),
            (unit, indicator) => {
                Err(Refusal::of_fields(unit.err().into_iter().chain(indicator.err()).collect()))
            }
        }
    }
}

fn no_such_cell(unit: &Unit, indicator: &Indicator) -> Refusal {
    let level = match unit.level {
        Level::Province => "the province",
        Level::District => "a district",
    };
    Refusal::of_field(
        RefusalKind::Rules,
        FieldError::new(
            "?indicator",
            "no-such-cell",
            format!("`{}` is {level} and has no cell for `{}`", unit.id, indicator.id),
            "ask for the province, or for an indicator that this unit reports",
        ),
    )
}

fn text(name: &str, value: &Value) -> Result<Option<String>, FieldError> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        other => Err(FieldError::new(
            format!("?{name}"),
            "not-a-text",
            format!("`{name}` is {}, not a text", short(&other.to_string())),
            "write it in quotes, or leave it out",
        )),
    }
}

fn position(name: &str, value: &Value) -> Result<Option<Position>, FieldError> {
    let read = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_u64(),
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    };
    read.map(|number| Some(Position(number))).ok_or_else(|| {
        FieldError::new(
            format!("?{name}"),
            "not-a-position",
            format!("`{name}` is {}, not a position of the log", short(&value.to_string())),
            "write a whole number from 0 on, as an answer gives it",
        )
    })
}

fn limit(name: &str, value: &Value) -> Result<Option<usize>, FieldError> {
    if value.is_null() {
        return Ok(None);
    }
    let limit = value.as_u64().and_then(|limit| usize::try_from(limit).ok());
    limit.filter(|limit| (1..=PAGE_LIMIT).contains(limit)).map(Some).ok_or_else(|| {
        FieldError::new(
            format!("?{name}"),
            "out-of-range",
            format!("`{name}` is {}", short(&value.to_string())),
            format!("write a whole number from 1 to {PAGE_LIMIT}"),
        )
    })
}

fn alert_state(word: &str) -> Result<AlertState, FieldError> {
    match word {
        "pending" => Ok(AlertState::Pending),
        "firing" => Ok(AlertState::Firing),
        "resolved" => Ok(AlertState::Resolved),
        _ => Err(FieldError::new(
            "?state",
            "unknown-state",
            format!("there is no state `{}` of an alert", short(word)),
            "write pending, firing or resolved",
        )),
    }
}

fn short(text: &str) -> String {
    text.chars().take(SHOWN_LIMIT_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&str; 7] = ["unit", "indicator", "as_of", "known_at", "state", "position", "at_least"];

    fn read(json: &str) -> Result<Question, Vec<(String, String)>> {
        Question::read(json.as_bytes(), &ALL)
            .map_err(|refusal| refusal.errors.into_iter().map(|error| (error.pointer, error.code)).collect())
    }

    #[test]
    fn what_is_left_out_and_what_is_null_is_not_asked_for() {
        assert_eq!(read("{}").unwrap(), Question::default());
        assert_eq!(Question::read(b"", &[]).unwrap(), Question::default());
        let nulls =
            r#"{"unit":null,"indicator":null,"as_of":null,"known_at":null,"state":null,"at_least":null}"#;
        assert_eq!(read(nulls).unwrap(), Question::default());
    }

    #[test]
    fn a_position_is_a_number_or_its_digits() {
        for json in [r#"{"at_least":42}"#, r#"{"at_least":"42"}"#] {
            assert_eq!(read(json).unwrap().at_least, Position(42));
        }
        for json in [
            r#"{"at_least":-1}"#,
            r#"{"at_least":1.5}"#,
            r#"{"at_least":"+1"}"#,
            r#"{"at_least":""}"#,
            r#"{"at_least":"18446744073709551616"}"#,
            r#"{"at_least":true}"#,
            r#"{"at_least":[1]}"#,
        ] {
            assert_eq!(read(json).unwrap_err(), [("?at_least".into(), "not-a-position".into())], "{json}");
        }
    }

    #[test]
    fn every_wrong_parameter_is_named() {
        let wrong = read(r#"{"unit":7,"state":"open","colour":"red"}"#).unwrap_err();
        let mut named: Vec<&str> = wrong.iter().map(|(pointer, _)| pointer.as_str()).collect();
        named.sort_unstable();
        assert_eq!(named, ["?colour", "?state", "?unit"]);
    }

    #[test]
    fn a_parameter_of_another_endpoint_is_unknown() {
        let refusal = Question::read(br#"{"state":"firing"}"#, &["unit"]).unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::Rules);
        assert_eq!(refusal.errors[0].code, "unknown-parameter");
    }

    #[test]
    fn what_is_no_object_is_malformed_and_what_is_too_long_too_large() {
        for json in ["[]", "7", "{", "\u{0}"] {
            assert_eq!(Question::read(json.as_bytes(), &ALL).unwrap_err().kind, RefusalKind::Malformed);
        }
        let long = format!(r#"{{"unit":"{}"}}"#, "x".repeat(QUESTION_LIMIT_BYTES));
        assert_eq!(Question::read(long.as_bytes(), &ALL).unwrap_err().kind, RefusalKind::TooLarge);
    }
}
