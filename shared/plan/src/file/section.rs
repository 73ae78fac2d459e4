//! Reads the keys of one TOML table and finds every one that is wrong.

use super::place::child;
use super::{Finding, TEXT_LIMIT_CHARS};
use crate::Names;
use events::Date;
use std::fmt::Display;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One table of the file: the keys that were asked for, and where findings go.
pub(super) struct Section<'t, 'f> {
    path: String,
    table: &'t DeTable<'t>,
    asked: Vec<&'static str>,
    findings: &'f mut Vec<Finding>,
}

/// What is right at a key that holds something with a written form of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    right: &'static str,
    example: &'static str,
}

impl Form {
    /// An identifier; the example is one of the right kind.
    pub(super) const fn id(example: &'static str) -> Form {
        Form { right: "an id of lower-case letters, digits and single hyphens", example }
    }

    /// A year.
    pub(super) const fn year(example: &'static str) -> Form {
        Form { right: "a year of four digits from 1900 on", example }
    }

    /// A ratio.
    pub(super) const fn ratio(example: &'static str) -> Form {
        Form { right: "a ratio from 0 to 10 with at most two places", example }
    }

    /// A percentage.
    pub(super) const PERCENT: Form =
        Form { right: "a percentage from 0 to 100 with at most two places", example: "12.5" };
    /// A time zone.
    pub(super) const TIME_ZONE: Form =
        Form { right: "a name of the IANA list of time zones", example: "Asia/Ho_Chi_Minh" };
    /// A day of every year.
    pub(super) const MONTH_DAY: Form =
        Form { right: "a month and a day that every year has, MM-DD", example: "12-01" };
}

/// How many keys a "known are …" remedy may list before it stops being of help.
const NAMED_LIMIT: usize = 30;

impl<'t, 'f> Section<'t, 'f> {
    /// Opens a table.
    pub(super) fn of(path: &str, table: &'t DeTable<'t>, findings: &'f mut Vec<Finding>) -> Self {
        Section { path: path.to_owned(), table, asked: Vec::new(), findings }
    }

    /// Notes that a key of this table is wrong.
    pub(super) fn refuse(&mut self, name: &str, what: impl Into<String>, remedy: impl Into<String>) {
        let key = if name.is_empty() { self.path.clone() } else { child(&self.path, name) };
        self.findings.push(Finding::new(key, what, remedy));
    }

    fn refuse_type(&mut self, name: &str, value: &DeValue<'_>, expected: &str, remedy: &str) {
        self.refuse(name, format!("{} stands where {expected} is expected", shown(value)), remedy);
    }

    /// Whether a key is there at all; a key that was not asked for is refused in the end.
    pub(super) fn has(&self, name: &str) -> bool {
        self.table.contains_key(name)
    }

    /// The value of a key, or none where it is absent.
    pub(super) fn optional(&mut self, name: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        if !self.asked.contains(&name) {
            self.asked.push(name);
        }
        self.table.get(name)
    }

    fn required(&mut self, name: &'static str, remedy: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        let value = self.optional(name);
        if value.is_none() {
            self.refuse(name, format!("`{name}` is missing"), remedy);
        }
        value
    }

    /// A text is kept even where its bounds are broken: the finding refuses the file, and reading goes on.
    fn as_text(&mut self, name: &'static str, value: &DeValue<'_>) -> Option<String> {
        let DeValue::String(text) = value else {
            self.refuse_type(name, value, "a text", &format!("quote it: `{name} = \"…\"`"));
            return None;
        };
        let count = text.chars().count();
        if text.trim().is_empty() {
            self.refuse(name, format!("`{name}` is empty"), "write what it is");
        } else if text.trim().len() != text.len() {
            self.refuse(name, format!("`{name}` begins or ends with a blank"), "take the blank out");
        }
        if count > TEXT_LIMIT_CHARS {
            let what = format!("`{name}` has {count} characters; the limit is {TEXT_LIMIT_CHARS}");
            self.refuse(name, what, "shorten it");
        }
        if text.chars().any(char::is_control) {
            self.refuse(name, format!("`{name}` holds control characters"), "remove what cannot be printed");
        }
        Some(text.clone().into_owned())
    }

    /// A text that must be there.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        let value = self.required(name, &format!("add `{name} = \"…\"`"))?;
        self.as_text(name, value.get_ref())
    }

    /// A text that may be left out: `Some(None)` where it is, none where it cannot be read.
    pub(super) fn optional_text(&mut self, name: &'static str) -> Option<Option<String>> {
        let Some(value) = self.optional(name) else { return Some(None) };
        self.as_text(name, value.get_ref()).map(Some)
    }

    /// A list of texts that must be there.
    pub(super) fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        let remedy = format!("add `{name} = [\"…\"]`");
        let value = self.required(name, &remedy)?;
        let DeValue::Array(items) = value.get_ref() else {
            self.refuse_type(name, value.get_ref(), "a list of texts", &remedy);
            return None;
        };
        let texts: Vec<String> =
            items.iter().filter_map(|item| item.get_ref().as_str().map(str::to_owned)).collect();
        if texts.len() < items.len() {
            self.refuse(name, format!("`{name}` holds something that is no text"), "quote each entry");
            return None;
        }
        Some(texts)
    }

    fn as_parsed<T, E: Display>(
        &mut self,
        name: &'static str,
        value: &DeValue<'_>,
        form: Form,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let Form { right, example } = form;
        let DeValue::String(text) = value else {
            let remedy = format!("write it in quotes, as in `{name} = \"{example}\"`");
            self.refuse_type(name, value, "a quoted text", &remedy);
            return None;
        };
        // It stands in quotes already: what is wrong is what it says.
        let remedy = || format!("give {right}, as in `{name} = \"{example}\"`");
        parse(text).map_err(|error| self.refuse(name, error.to_string(), remedy())).ok()
    }

    /// Something with a written form of its own (an id, a year, a ratio) that must be there, as a text.
    pub(super) fn parsed<T, E: Display>(
        &mut self,
        name: &'static str,
        form: Form,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<T> {
        let value = self.required(name, &format!("add it, as in `{name} = \"{}\"`", form.example))?;
        self.as_parsed(name, value.get_ref(), form, parse)
    }

    /// A text of a form of its own that may be left out.
    #[expect(clippy::option_option, reason = "left out and wrong are two things")]
    pub(super) fn optional_parsed<T, E: Display>(
        &mut self,
        name: &'static str,
        form: Form,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Option<Option<T>> {
        let Some(value) = self.optional(name) else { return Some(None) };
        self.as_parsed(name, value.get_ref(), form, parse).map(Some)
    }

    /// One of a few words, which must be there.
    pub(super) fn word<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> Option<T> {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let remedy = format!("use one of {}", quoted(known));
        let value = self.required(name, &remedy)?;
        match value.get_ref() {
            DeValue::String(text) => {
                let found = words.iter().find(|(word, _)| word == text).map(|(_, meaning)| *meaning);
                if found.is_none() {
                    self.refuse(name, format!("`{text}` is no `{name}`"), remedy);
                }
                found
            }
            other => {
                self.refuse_type(name, other, "a word", &remedy);
                None
            }
        }
    }

    fn as_whole<T: TryFrom<u64>>(
        &mut self,
        name: &'static str,
        value: &DeValue<'_>,
        limit: u64,
    ) -> Option<T> {
        let remedy = format!("write a whole number from 0 to {limit} without quotes");
        let DeValue::Integer(integer) = value else {
            self.refuse_type(name, value, "a whole number", &remedy);
            return None;
        };
        let whole = u64::from_str_radix(integer.as_str(), integer.radix()).ok();
        let whole = whole.filter(|whole| *whole <= limit).and_then(|whole| T::try_from(whole).ok());
        if whole.is_none() {
            self.refuse(name, format!("`{name}` is {integer}, which is out of range"), remedy);
        }
        whole
    }

    /// A whole number up to `limit` that must be there.
    pub(super) fn whole<T: TryFrom<u64>>(&mut self, name: &'static str, limit: u64) -> Option<T> {
        let value = self.required(name, &format!("add `{name}` as a whole number"))?;
        self.as_whole(name, value.get_ref(), limit)
    }

    /// A whole number up to `limit` that may be left out: `Some(None)` where it is, none where it cannot be read.
    pub(super) fn optional_whole<T: TryFrom<u64>>(
        &mut self,
        name: &'static str,
        limit: u64,
    ) -> Option<Option<T>> {
        let Some(value) = self.optional(name) else { return Some(None) };
        self.as_whole(name, value.get_ref(), limit).map(Some)
    }

    /// A yes or no that must be there.
    pub(super) fn flag(&mut self, name: &'static str) -> Option<bool> {
        let value = self.required(name, &format!("add `{name} = true`"))?;
        self.as_flag(name, value.get_ref())
    }

    /// A yes or no; left out, it is no.
    pub(super) fn flag_or_no(&mut self, name: &'static str) -> Option<bool> {
        let Some(value) = self.optional(name) else { return Some(false) };
        self.as_flag(name, value.get_ref())
    }

    fn as_flag(&mut self, name: &'static str, value: &DeValue<'_>) -> Option<bool> {
        let flag = value.as_bool();
        if flag.is_none() {
            self.refuse_type(name, value, "true or false", "write true or false without quotes");
        }
        flag
    }

    fn as_date(&mut self, name: &'static str, value: &DeValue<'_>) -> Option<Date> {
        let date = match value {
            DeValue::Datetime(day) if day.time.is_none() && day.offset.is_none() => {
                events::command::read_date(&day.to_string())
            }
            _ => None,
        };
        if date.is_none() {
            self.refuse_type(name, value, "a day", "write the day as 2022-03-16, without quotes");
        }
        date
    }

    /// A day that must be there.
    pub(super) fn date(&mut self, name: &'static str) -> Option<Date> {
        let value = self.required(name, &format!("add it, as in `{name} = 2022-03-16`"))?;
        self.as_date(name, value.get_ref())
    }

    /// A day that may be left out: `Some(None)` where it is, none where it cannot be read.
    pub(super) fn optional_date(&mut self, name: &'static str) -> Option<Option<Date>> {
        let Some(value) = self.optional(name) else { return Some(None) };
        self.as_date(name, value.get_ref()).map(Some)
    }

    /// A name in both languages, which must be there.
    pub(super) fn names(&mut self, name: &'static str) -> Option<Names> {
        self.table(name, &format!("add `{name}.vi` and `{name}.en`"), |names| {
            let (vi, en) = (names.text("vi"), names.text("en"));
            Some(Names { vi: vi?, en: en? })
        })
    }

    /// A table that must be there; whatever `build` does not ask for is refused.
    pub(super) fn table<T>(
        &mut self,
        name: &'static str,
        remedy: &str,
        build: impl FnOnce(&mut Section<'t, '_>) -> Option<T>,
    ) -> Option<T> {
        let value = self.required(name, remedy)?;
        match value.get_ref() {
            DeValue::Table(table) => {
                let mut section = Section::of(&child(&self.path, name), table, self.findings);
                let built = build(&mut section);
                section.finish();
                built
            }
            other => {
                self.refuse_type(name, other, "a table", remedy);
                None
            }
        }
    }

    /// A list of tables; absent it is empty. None where any entry cannot be read.
    pub(super) fn tables<T>(
        &mut self,
        name: &'static str,
        limit: usize,
        build: impl Fn(&mut Section<'t, '_>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Some(value) = self.optional(name) else { return Some(Vec::new()) };
        let path = child(&self.path, name);
        let remedy = format!("write each entry as a table of its own under `[[{name}]]`");
        let DeValue::Array(items) = value.get_ref() else {
            self.refuse_type(name, value.get_ref(), "a list of tables", &remedy);
            return None;
        };
        if items.len() > limit {
            let what = format!("there are {} {name}; the limit is {limit}", items.len());
            self.refuse(name, what, "split the plan");
            return None;
        }
        let mut entries = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let path = format!("{path}[{index}]");
            match item.get_ref() {
                DeValue::Table(table) => {
                    let mut section = Section::of(&path, table, self.findings);
                    entries.extend(build(&mut section));
                    section.finish();
                }
                other => {
                    let what = format!("{} stands where a table is expected", shown(other));
                    self.findings.push(Finding::new(path, what, remedy.clone()));
                }
            }
        }
        (entries.len() == items.len()).then_some(entries)
    }

    /// Refuses the keys that nobody asked for.
    pub(super) fn finish(self) {
        for (name, _) in self.table {
            let name: &str = name.get_ref();
            if !self.asked.contains(&name) {
                let remedy = format!("leave it out; known are {}", quoted(self.asked.iter().copied()));
                let what = format!("there is no key `{name}` here");
                self.findings.push(Finding::new(child(&self.path, name), what, remedy));
            }
        }
    }
}

/// Lists words as `a`, `b`, `c`, and of a long list only the beginning.
pub(super) fn quoted<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.get(..NAMED_LIMIT) {
        Some(first) if words.len() > NAMED_LIMIT => {
            format!("{} and {} more", first.join(", "), words.len() - NAMED_LIMIT)
        }
        _ => words.join(", "),
    }
}

fn shown(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the text \"{}\"", text.chars().take(40).collect::<String>()),
        DeValue::Integer(number) => format!("the number {number}"),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Boolean(flag) => format!("`{flag}`"),
        DeValue::Datetime(instant) => format!("the time {instant}"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
