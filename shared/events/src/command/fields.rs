//! Reads the fields of one JSON object and names every one that is wrong.

use crate::refusal::FieldError;
use jiff::civil::Date;
use serde_json::{Map, Value};
use std::fmt::Display;

/// The fields of one object that have not been asked for yet, and the errors met so far.
#[derive(Debug)]
pub struct Fields<'a> {
    object: &'a Map<String, Value>,
    pointer: String,
    asked: Vec<&'static str>,
    errors: Vec<FieldError>,
}

/// 2⁶⁴, the first whole number that 64 bits do not hold.
const BEYOND_64_BITS: f64 = 18_446_744_073_709_551_616.0;

fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("\"{}\"", text.chars().take(40).collect::<String>()),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
    }
}

impl<'a> Fields<'a> {
    /// Takes the object at `pointer`; anything else is refused.
    pub fn of(value: &'a Value, pointer: &str) -> Result<Fields<'a>, Vec<FieldError>> {
        match value {
            Value::Object(object) => {
                Ok(Fields { object, pointer: pointer.to_owned(), asked: Vec::new(), errors: Vec::new() })
            }
            other => Err(vec![FieldError::new(
                pointer,
                "wrong-type",
                format!("{} stands where an object is expected", describe(other)),
                "send a JSON object",
            )]),
        }
    }

    /// Notes an error at a field of this object (or, with an empty name, at the object).
    pub fn refuse(&mut self, field: &str, code: &str, reason: impl Into<String>, remedy: &str) {
        let pointer =
            if field.is_empty() { self.pointer.clone() } else { format!("{}/{field}", self.pointer) };
        self.errors.push(FieldError::new(pointer, code, reason, remedy));
    }

    /// Where a field of this object stands in the whole body.
    pub fn pointer_of(&self, field: &str) -> String {
        format!("{}/{field}", self.pointer)
    }

    /// Notes errors that already name their place.
    pub fn refuse_all(&mut self, errors: Vec<FieldError>) {
        self.errors.extend(errors);
    }

    /// Whether anything was wrong so far.
    pub fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// Whether the field is there at all.
    pub fn has(&self, field: &str) -> bool {
        self.object.contains_key(field)
    }

    /// The raw value of a field, or none where it is absent.
    pub fn raw(&mut self, field: &'static str) -> Option<&'a Value> {
        self.asked.push(field);
        self.object.get(field)
    }

    fn required(&mut self, field: &'static str, remedy: &str) -> Option<&'a Value> {
        let value = self.raw(field);
        if value.is_none() {
            self.refuse(field, "missing", format!("`{field}` is missing"), remedy);
        }
        value
    }

    fn as_text(&mut self, field: &'static str, value: &'a Value, limit_chars: usize) -> Option<String> {
        let Value::String(text) = value else {
            let reason = format!("`{field}` is {}, not a text", describe(value));
            self.refuse(field, "wrong-type", reason, "write it as a JSON string");
            return None;
        };
        let text = text.trim();
        if text.is_empty() {
            self.refuse(field, "empty", format!("`{field}` is empty"), "write what it is");
            return None;
        }
        let count = text.chars().count();
        if count > limit_chars {
            let reason = format!("`{field}` has {count} characters; the limit is {limit_chars}");
            self.refuse(field, "too-long", reason, "shorten it");
            return None;
        }
        if text.chars().any(|letter| letter.is_control() && letter != '\n' && letter != '\t') {
            let reason = format!("`{field}` holds control characters");
            self.refuse(field, "control-character", reason, "remove what cannot be printed");
            return None;
        }
        Some(text.to_owned())
    }

    /// A text that must be there, trimmed, not empty, within its limit.
    pub fn text(&mut self, field: &'static str, limit_chars: usize) -> Option<String> {
        let value = self.required(field, "give it as a text")?;
        self.as_text(field, value, limit_chars)
    }

    /// A text that may be left out.
    pub fn optional_text(&mut self, field: &'static str, limit_chars: usize) -> Option<String> {
        let value = self.raw(field)?;
        self.as_text(field, value, limit_chars)
    }

    fn as_id<T, E: Display>(
        &mut self,
        field: &'static str,
        value: &'a Value,
        code: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let Value::String(text) = value else {
            let reason = format!("`{field}` is {}, not a text", describe(value));
            self.refuse(field, "wrong-type", reason, "write it as a JSON string");
            return None;
        };
        match parse(text) {
            Ok(id) => Some(id),
            Err(error) => {
                self.refuse(field, code, error.to_string(), "use an id that the plan holds");
                None
            }
        }
    }

    /// An identifier or year that must be there; `code` names the error where it is malformed.
    pub fn id<T, E: Display>(
        &mut self,
        field: &'static str,
        code: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.required(field, "name it as the plan does")?;
        self.as_id(field, value, code, parse)
    }

    /// An identifier or year that may be left out.
    pub fn optional_id<T, E: Display>(
        &mut self,
        field: &'static str,
        code: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.raw(field)?;
        self.as_id(field, value, code, parse)
    }

    /// A whole number from 0 to `limit` that may be left out.
    pub fn optional_whole(&mut self, field: &'static str, limit: u64) -> Option<u64> {
        let value = self.raw(field)?;
        let Value::Number(number) = value else {
            let reason = format!("`{field}` is {}, not a whole number", describe(value));
            self.refuse(field, "wrong-type", reason, "write digits without quotes");
            return None;
        };
        match number.as_u64() {
            Some(whole) if whole <= limit => Some(whole),
            Some(whole) => {
                let reason = format!("`{field}` is {whole}; the largest that is accepted is {limit}");
                self.refuse(field, "out-of-range", reason, "check the figure and its unit");
                None
            }
            None if number.to_string().starts_with('-') => {
                let reason = format!("`{field}` is {number}, which is negative");
                self.refuse(field, "negative", reason, "give a count from 0 up");
                None
            }
            // Whole numbers beyond 64 bits come as floating point; only how large they are is asked.
            None if number.as_f64().is_some_and(|number| number >= BEYOND_64_BITS) => {
                let reason = format!("`{field}` is {number}; the largest that is accepted is {limit}");
                self.refuse(field, "out-of-range", reason, "check the figure and its unit");
                None
            }
            None => {
                let reason = format!("`{field}` is {number}, not a whole number in range");
                self.refuse(
                    field,
                    "not-a-whole-number",
                    reason,
                    "give whole numbers, never a percentage or a fraction",
                );
                None
            }
        }
    }

    /// A revision from 1 that may be left out.
    pub fn optional_revision(&mut self, field: &'static str) -> Option<u32> {
        let revision = self.optional_whole(field, u64::from(u32::MAX))?;
        if revision == 0 {
            self.refuse(field, "out-of-range", "revisions start at 1", "leave it out or give the next one");
            return None;
        }
        u32::try_from(revision).ok()
    }

    /// A yes or no that may be left out.
    pub fn optional_flag(&mut self, field: &'static str) -> Option<bool> {
        match self.raw(field)? {
            Value::Bool(flag) => Some(*flag),
            other => {
                let reason = format!("`{field}` is {}, not true or false", describe(other));
                self.refuse(field, "wrong-type", reason, "write true or false without quotes");
                None
            }
        }
    }

    fn as_date(&mut self, field: &'static str, value: &'a Value) -> Option<Date> {
        let date = match value {
            Value::String(text) => read_date(text),
            _ => None,
        };
        if date.is_none() {
            let reason = format!("`{field}` is {}, not a date of the calendar", describe(value));
            self.refuse(field, "not-a-date", reason, "write the day as \"YYYY-MM-DD\"");
        }
        date
    }

    /// A date that must be there.
    pub fn date(&mut self, field: &'static str) -> Option<Date> {
        let value = self.required(field, "write the day as \"YYYY-MM-DD\"")?;
        self.as_date(field, value)
    }

    /// A date that may be left out.
    pub fn optional_date(&mut self, field: &'static str) -> Option<Date> {
        let value = self.raw(field)?;
        self.as_date(field, value)
    }

    /// Refuses what nobody asked for and gives the result, or every error.
    pub fn finish<T>(mut self, build: impl FnOnce() -> Option<T>) -> Result<T, Vec<FieldError>> {
        for name in self.object.keys() {
            if !self.asked.contains(&name.as_str()) {
                let known = self.asked.join("`, `");
                let shown: String = name.chars().take(40).collect();
                let pointer = format!("{}/{}", self.pointer, name.replace('~', "~0").replace('/', "~1"));
                self.errors.push(FieldError::new(
                    pointer,
                    "unknown-field",
                    format!("there is no field `{shown}` here"),
                    format!("leave it out; known are `{known}`"),
                ));
            }
        }
        match build() {
            Some(built) if self.errors.is_empty() => Ok(built),
            _ => Err(self.errors),
        }
    }
}

/// Reads a date written as `YYYY-MM-DD`, and nothing else.
pub fn read_date(text: &str) -> Option<Date> {
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if shaped { text.parse().ok() } else { None }
}
