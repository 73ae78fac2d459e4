//! Configuration files: one TOML file per service, read once, wrong values named with line, key and remedy.

use serde::de::DeserializeOwned;
use std::fmt;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The largest configuration file that is read, in bytes.
pub const CONFIG_LIMIT_BYTES: u64 = 1024 * 1024;

/// Why a configuration was not read.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file itself cannot be read.
    #[error("cannot read the configuration `{}`: check that it is there and readable", file.display())]
    Read {
        /// Which file.
        file: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is larger than [`CONFIG_LIMIT_BYTES`].
    #[error("`{}` is {size_bytes} bytes; a configuration has at most {CONFIG_LIMIT_BYTES}: name the right file", file.display())]
    TooLarge {
        /// Which file.
        file: PathBuf,
        /// How large it is.
        size_bytes: u64,
    },
    /// Something in the file is wrong.
    #[error("{}:{line}: {}{what}", file.display(), KeyPrefix(key))]
    Wrong {
        /// Which file.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The key, with its table, such as `bus.url`; empty where the error is about no key.
        key: String,
        /// What is wrong and what would be right.
        what: String,
    },
}

struct KeyPrefix<'a>(&'a str);

impl fmt::Display for KeyPrefix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "{}: ", self.0) }
    }
}

/// Reads a configuration file into its type, which denies unknown fields.
pub fn read<T: DeserializeOwned>(file: &Path) -> Result<T, ConfigError> {
    let unreadable = |source| ConfigError::Read { file: file.to_owned(), source };
    let size_bytes = std::fs::metadata(file).map_err(unreadable)?.len();
    if size_bytes > CONFIG_LIMIT_BYTES {
        return Err(ConfigError::TooLarge { file: file.to_owned(), size_bytes });
    }
    parse(file, &std::fs::read_to_string(file).map_err(unreadable)?)
}

/// Reads a configuration from text; `file` only names it in errors.
pub fn parse<T: DeserializeOwned>(file: &Path, text: &str) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(text.len(), |span| span.start);
        let line = text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1;
        ConfigError::Wrong {
            file: file.to_owned(),
            line,
            key: key_at(text, line, error.message()),
            what: with_remedy(error.message()),
        }
    })
}

/// Makes a path of a configuration absolute: relative ones are relative to the folder of the file.
pub fn resolve(file: &Path, path: &mut PathBuf) {
    if path.is_relative() {
        let folder = file.parent().unwrap_or(Path::new(""));
        *path = folder.join(&*path);
    }
}

/// The dotted key that stands on a line, or that a message about a missing or unknown field names.
fn key_at(text: &str, line: usize, message: &str) -> String {
    let mut table = String::new();
    let mut own = "";
    for (index, content) in text.lines().enumerate().take(line) {
        let content = content.trim();
        if content.starts_with('[') {
            table = content.trim_matches(['[', ']']).trim().to_owned();
            own = "";
        } else if index + 1 == line {
            own = content.split_once('=').map_or("", |(key, _)| key.trim());
        }
    }
    let named = ["missing field `", "unknown field `"]
        .iter()
        .find_map(|prefix| message.strip_prefix(prefix).and_then(|rest| rest.split('`').next()));
    let key = named.unwrap_or(own);
    // A field that is missing from an inline table stands below that table's key.
    let inline = named.is_some() && !own.is_empty() && own != key;
    let parts = [table.as_str(), if inline { own } else { "" }, key];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".")
}

fn with_remedy(message: &str) -> String {
    let message = message.trim();
    if message.starts_with("missing field") {
        format!("{message}: add it")
    } else if message.starts_with("unknown field") {
        format!("{message}: correct the spelling or remove it")
    } else {
        message.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read only to see what is refused")]
    struct Config {
        plan: String,
        directory: PathBuf,
        bus: Bus,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read only to see what is refused")]
    struct Bus {
        url: String,
        limit: u16,
    }

    const GOOD: &str =
        "plan = \"binh-duong\"\ndirectory = \"log\"\n\n[bus]\nurl = \"nats://127.0.0.1\"\nlimit = 4\n";

    fn refusal(from: &str, to: &str) -> String {
        assert!(GOOD.contains(from), "the good text holds {from:?}");
        let error = parse::<Config>(Path::new("x.toml"), &GOOD.replacen(from, to, 1)).unwrap_err();
        error.to_string()
    }

    #[test]
    fn a_good_configuration_is_read() {
        parse::<Config>(Path::new("x.toml"), GOOD).unwrap();
    }

    #[test]
    fn a_wrong_configuration_names_file_line_key_and_what_would_be_right() {
        for (from, to, expected) in [
            (
                "limit = 4",
                "limit = \"four\"",
                "x.toml:6: bus.limit: invalid type: string \"four\", expected u16",
            ),
            ("limit = 4", "limit = 70000", "x.toml:6: bus.limit: "),
            (
                "directory = ",
                "directroy = ",
                "x.toml:2: directroy: unknown field `directroy`, expected one of",
            ),
            ("url = ", "uri = ", "x.toml:5: bus.uri: unknown field `uri`, expected `url` or `limit`"),
            ("limit = 4\n", "", "bus.limit: missing field `limit`: add it"),
            ("plan = \"binh-duong\"", "plan = binh", "x.toml:1: plan: "),
        ] {
            let said = refusal(from, to);
            assert!(said.contains(expected), "{said:?} must say {expected:?}");
        }
    }

    #[test]
    fn a_missing_file_says_what_to_do() {
        let said = read::<Config>(Path::new("/nowhere/x.toml")).unwrap_err().to_string();
        assert!(said.contains("check that it is there"), "{said}");
    }

    #[test]
    fn relative_paths_start_at_the_file() {
        let file = Path::new("/etc/planwatch/ingestion.toml");
        let (mut relative, mut absolute) = (PathBuf::from("../log"), PathBuf::from("/var/log"));
        resolve(file, &mut relative);
        resolve(file, &mut absolute);
        assert_eq!(relative, Path::new("/etc/planwatch/../log"));
        assert_eq!(absolute, Path::new("/var/log"));
    }
}
