//! Query parameters, read strictly: a parameter that is unknown, doubled or wrong is named, never ignored.

use crate::problem::Problem;
use axum::extract::Query;
use axum::http::Uri;
use events::ids::SlugError;
use events::{FieldError, Position};
use jiff::Timestamp;
use jiff::civil::Date;

/// The most items that one page of a list may hold.
pub const PAGE_LIMIT: u64 = 1_000;
/// How many items a page of events holds unless the caller says otherwise.
pub const DEFAULT_PAGE: u64 = 100;
/// The longest value of a parameter, in bytes.
const VALUE_LIMIT_BYTES: usize = 512;

/// The parameters of one request; an empty value counts as absent.
#[derive(Debug)]
pub struct Parameters {
    given: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

impl Parameters {
    /// Reads the query of a request in which only the `known` names may stand.
    pub fn of(uri: &Uri, known: &[&str]) -> Parameters {
        let pairs = match Query::<Vec<(String, String)>>::try_from_uri(uri) {
            Ok(Query(pairs)) => pairs,
            Err(rejection) => {
                let error = FieldError::new(
                    "?",
                    "malformed",
                    rejection.body_text(),
                    "write `?name=value&name=value`",
                );
                return Parameters { given: Vec::new(), errors: vec![error] };
            }
        };
        let mut parameters = Parameters { given: Vec::new(), errors: Vec::new() };
        for (name, value) in pairs {
            if !known.contains(&name.as_str()) {
                let remedy = match known {
                    [] => "send none here".to_owned(),
                    known => format!("known here are {}", listed(known)),
                };
                let shown: String = name.chars().take(64).collect();
                parameters.refuse(
                    &shown,
                    "unknown-parameter",
                    format!("`{shown}` is no parameter here"),
                    remedy,
                );
            } else if value.len() > VALUE_LIMIT_BYTES {
                parameters.refuse(
                    &name,
                    "too-long",
                    format!("`{name}` is longer than {VALUE_LIMIT_BYTES} bytes"),
                    "shorten it",
                );
            } else if parameters.given.iter().any(|(given, _)| *given == name) {
                parameters.refuse(
                    &name,
                    "doubled-parameter",
                    format!("`{name}` stands twice"),
                    "keep one of the two",
                );
            } else {
                parameters.given.push((name, value));
            }
        }
        parameters
    }

    /// Notes that a parameter is wrong.
    pub fn refuse(&mut self, name: &str, code: &str, reason: impl Into<String>, remedy: impl Into<String>) {
        self.errors.push(FieldError::new(format!("?{name}"), code, reason, remedy));
    }

    /// The value as written.
    pub fn text(&self, name: &str) -> Option<String> {
        self.given.iter().find(|(given, value)| given == name && !value.is_empty()).map(|(_, v)| v.clone())
    }

    /// Refuses the request where a value is not there.
    pub fn required(&mut self, name: &str) {
        let pointer = format!("?{name}");
        if self.text(name).is_none() && !self.errors.iter().any(|error| error.pointer == pointer) {
            self.refuse(name, "missing", format!("`{name}` is missing"), format!("add `{name}=…`"));
        }
    }

    /// An identifier; whether it exists is for the one who knows the plan to say.
    pub fn id(&mut self, name: &str, parse: impl Fn(&str) -> Result<(), SlugError>) -> Option<String> {
        let value = self.text(name)?;
        match parse(&value) {
            Ok(()) => Some(value),
            Err(error) => {
                self.refuse(name, &format!("unknown-{name}"), error.to_string(), "take the id from the plan");
                None
            }
        }
    }

    /// One of several words.
    pub fn one_of(&mut self, name: &str, words: &[&str]) -> Option<String> {
        let value = self.text(name)?;
        if words.contains(&value.as_str()) {
            return Some(value);
        }
        let remedy = format!("use {}", listed(words));
        self.refuse(name, "unknown-word", format!("`{value}` is no value of `{name}`"), remedy);
        None
    }

    /// A day or an instant, as the caller wrote it.
    pub fn moment(&mut self, name: &str) -> Option<String> {
        let mut value = self.text(name)?;
        // The plus of an offset means a space in a query unless it is encoded; nothing else here has one.
        if value.contains('T') && value.matches(' ').count() == 1 {
            value = value.replace(' ', "+");
        }
        let is_day = value.len() == 10 && value.parse::<Date>().is_ok();
        if is_day || (value.contains('T') && value.parse::<Timestamp>().is_ok()) {
            return Some(value);
        }
        self.refuse(
            name,
            "not-a-date",
            format!("`{value}` is no date"),
            "write a day as in `2025-12-01` or an instant as in `2025-12-01T00:00:00+07:00`",
        );
        None
    }

    /// A whole number between two bounds, both included.
    pub fn whole(&mut self, name: &str, least: u64, most: u64) -> Option<u64> {
        let value = self.text(name)?;
        let digits = value.bytes().all(|byte| byte.is_ascii_digit());
        match value.parse::<u64>() {
            Ok(number) if digits && (least..=most).contains(&number) => Some(number),
            _ => {
                let remedy = if most == u64::MAX {
                    format!("write a whole number from {least} on")
                } else {
                    format!("write a whole number from {least} to {most}")
                };
                self.refuse(name, "not-a-number", format!("`{value}` does not fit `{name}`"), remedy);
                None
            }
        }
    }

    /// A position of the log.
    pub fn position(&mut self, name: &str) -> Option<Position> {
        self.whole(name, 0, u64::MAX).map(Position)
    }

    /// Yes or no; absent means no.
    pub fn flag(&mut self, name: &str) -> bool {
        self.one_of(name, &["true", "false"]).as_deref() == Some("true")
    }

    /// Refuses the request where any parameter was wrong.
    pub fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::of_fields(self.errors)) }
    }
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(query: &str) -> Parameters {
        Parameters::of(&format!("/x?{query}").parse().unwrap(), &["as_of", "limit", "state", "dry_run"])
    }

    fn refused<T>(read: impl Fn(&mut Parameters) -> T, query: &str) -> String {
        let mut parameters = parameters(query);
        read(&mut parameters);
        let problem = parameters.finish().unwrap_err();
        assert_eq!(problem.status().as_u16(), 422);
        problem.errors()[0].pointer.clone()
    }

    #[test]
    fn an_empty_value_counts_as_absent() {
        let mut parameters = parameters("as_of=&limit=");
        assert_eq!(parameters.moment("as_of"), None);
        assert_eq!(parameters.whole("limit", 1, PAGE_LIMIT), None);
        assert!(parameters.finish().is_ok());
    }

    #[test]
    fn days_and_instants_are_read_with_or_without_the_plus_encoded() {
        for (query, expected) in [
            ("as_of=2025-12-01", "2025-12-01"),
            ("as_of=2025-12-01T00:00:00%2B07:00", "2025-12-01T00:00:00+07:00"),
            ("as_of=2025-12-01T00:00:00+07:00", "2025-12-01T00:00:00+07:00"),
            ("as_of=2025-12-01T00:00:00Z", "2025-12-01T00:00:00Z"),
        ] {
            let mut parameters = parameters(query);
            assert_eq!(parameters.moment("as_of").as_deref(), Some(expected), "{query}");
            assert!(parameters.finish().is_ok(), "{query}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for query in ["as_of=yesterday", "as_of=2025-13-01", "as_of=20251201", "as_of=2025-12-01T00:00:00"] {
            assert_eq!(refused(|read| read.moment("as_of"), query), "?as_of", "{query}");
        }
        for query in
            ["limit=0", "limit=1001", "limit=-1", "limit=%2B5", "limit=1.5", "limit=99999999999999999999"]
        {
            let read = |read: &mut Parameters| read.whole("limit", 1, PAGE_LIMIT);
            assert_eq!(refused(read, query), "?limit", "{query}");
        }
        assert_eq!(refused(|read| read.flag("dry_run"), "dry_run=perhaps"), "?dry_run");
        assert_eq!(refused(|_| (), "asof=2025-12-01"), "?asof");
        assert_eq!(refused(|_| (), "limit=1&limit=2"), "?limit");
        assert_eq!(refused(|read| read.required("state"), "limit=1"), "?state");
    }
}
