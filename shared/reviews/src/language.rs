//! The two languages, and how figures and moments are written in each.

use plan::Names;
use std::fmt;

/// What a document for people is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Language {
    /// Vietnamese, the language of the plan.
    #[default]
    Vietnamese,
    /// English.
    English,
}

impl Language {
    /// Both.
    pub const ALL: [Language; 2] = [Language::Vietnamese, Language::English];

    /// Its tag (BCP 47).
    pub fn tag(self) -> &'static str {
        self.pick("vi", "en")
    }

    /// Finds a language by its tag.
    pub fn of_tag(tag: &str) -> Option<Language> {
        Self::ALL.into_iter().find(|language| language.tag() == tag)
    }

    pub(crate) fn pick<T>(self, vietnamese: T, english: T) -> T {
        match self {
            Language::Vietnamese => vietnamese,
            Language::English => english,
        }
    }

    pub(crate) fn name(self, names: &Names) -> &str {
        match self {
            Language::Vietnamese => &names.vi,
            Language::English => &names.en,
        }
    }

    /// A decimal number, with a comma in Vietnamese.
    pub(crate) fn decimal(self, number: &str) -> String {
        self.pick(number.replace('.', ","), number.to_owned())
    }

    /// A whole number with its thousands apart.
    pub(crate) fn count(self, number: u64) -> String {
        let digits = number.to_string();
        let mut grouped = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                grouped.push(self.pick('.', ','));
            }
            grouped.push(digit);
        }
        grouped
    }

    /// A day (YYYY-MM-DD) or an instant (RFC 3339) as people write it, to the second; anything else as it is.
    pub(crate) fn moment(self, text: &str) -> String {
        let day = |day: &str| match day.split('-').collect::<Vec<_>>().as_slice() {
            [year, month, day] => self.pick(format!("{day}/{month}/{year}"), format!("{year}-{month}-{day}")),
            _ => day.to_owned(),
        };
        match text.split_once('T') {
            Some((date, time)) => {
                let seconds: String = time.chars().take(8).collect();
                format!("{seconds} {}", day(date))
            }
            None => day(text),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_moments_are_written_as_in_the_language() {
        let (vi, en) = (Language::Vietnamese, Language::English);
        assert_eq!((vi.decimal("55.33").as_str(), en.decimal("55.33").as_str()), ("55,33", "55.33"));
        assert_eq!((vi.count(1_118_400).as_str(), en.count(999).as_str()), ("1.118.400", "999"));
        assert_eq!(vi.moment("2024-11-22T09:10:07.123+07:00"), "09:10:07 22/11/2024");
        assert_eq!(en.moment("2024-11-22"), "2024-11-22");
    }
}
