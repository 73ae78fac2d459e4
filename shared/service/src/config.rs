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
    #[error("{}:{line}: {}{what}: {remedy}", file.display(), KeyPrefix(key))]
    Wrong {
        /// Which file.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The key, with its table, such as `bus.url`; empty where the error is about no key.
        key: String,
        /// What is wrong.
        what: String,
        /// What would be right.
        remedy: String,
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
    let bytes = std::fs::read(file).map_err(unreadable)?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => parse(file, text),
        Err(error) => Err(ConfigError::Wrong {
            file: file.to_owned(),
            line: line_of(&bytes, error.valid_up_to()),
            key: String::new(),
            what: "this is not UTF-8".to_owned(),
            remedy: "save the file as UTF-8".to_owned(),
        }),
    }
}

/// Reads a configuration from text; `file` only names it in errors.
pub fn parse<T: DeserializeOwned>(file: &Path, text: &str) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let offset = error.span().map_or(text.len(), |span| span.start);
        let line = line_of(text.as_bytes(), offset);
        let key = key_at(text, line, error.message());
        // The name of one of our types is nothing to the one who wrote the file.
        let mut what = error.message().trim().replace('\n', ", ");
        if let Some((before, _)) = what.split_once("expected struct ") {
            what = format!("{before}expected a table");
        }
        // What is no TOML at all is told apart from a value that is not the right one.
        let is_toml = toml::de::DeTable::parse(text).is_ok();
        let remedy = if is_toml { remedy_for(&what, &key) } else { syntax_remedy(&what) };
        ConfigError::Wrong { file: file.to_owned(), line, key, what, remedy }
    })
}

fn line_of(bytes: &[u8], offset: usize) -> usize {
    bytes.iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
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
    let (mut own, mut is_inline) = ("", false);
    for (index, content) in text.lines().enumerate().take(line) {
        let content = content.trim();
        if content.starts_with('[') {
            table = content.trim_matches(['[', ']']).trim().to_owned();
            own = "";
        } else if index + 1 == line {
            let pair = content.split_once('=');
            own = pair.map_or("", |(key, _)| key.trim());
            is_inline = pair.is_some_and(|(_, value)| value.trim_start().starts_with('{'));
        }
    }
    let named = ["missing field `", "unknown field `"]
        .iter()
        .find_map(|prefix| message.strip_prefix(prefix).and_then(|rest| rest.split('`').next()));
    let key = named.unwrap_or(own);
    // A field that is missing from an inline table stands below that table's key.
    let inline = named.is_some() && is_inline && own != key;
    let parts = [table.as_str(), if inline { own } else { "" }, key];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".")
}

/// What stands rightly at the keys that the services' configurations have, each by its own name.
const EXAMPLES: [(&str, &str); 18] = [
    ("plan", "\"binh-duong\""),
    ("plan_file", "\"plan.toml\""),
    ("data", "\"/var/lib/planwatch\""),
    ("listen", "\"127.0.0.1:8080\""),
    ("token_file", "\"operator.token\""),
    ("sign_in_code_file", "\"sign-in.code\""),
    ("ready_file", "\"console.addr\""),
    ("allowed_hosts", "[\"planwatch.example.org\"]"),
    ("replicas", "1"),
    ("snapshot_every", "10000"),
    ("url", "\"nats://127.0.0.1:4222\""),
    ("user", "\"ingestion\""),
    ("password", "\"…\""),
    ("origin", "\"planwatch/binh-duong\""),
    ("name", "\"binh-duong\""),
    ("vkeys", "[\"planwatch/binh-duong+1a2b3c4d+…\"]"),
    ("follow", "\"https://log.example.vn/api/v1/log\""),
    ("interval_seconds", "60"),
];

/// A line that is right at a key: one that is known, else one of the type that was expected there.
fn example(key: &str, what: &str) -> String {
    let name = key.rsplit('.').next().unwrap_or(key);
    let known = EXAMPLES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let expected = what.rsplit_once("expected ").map_or("", |(_, expected)| expected);
    let by_type = match expected {
        "a boolean" => "true",
        "a sequence" => "[\"…\"]",
        whole if whole.starts_with(['u', 'i']) || whole.contains("integer") => "1",
        _ => "\"…\"",
    };
    format!("{name} = {}", known.unwrap_or(by_type))
}

fn remedy_for(what: &str, key: &str) -> String {
    if what.starts_with("unknown field") {
        return "correct the spelling or remove it".to_owned();
    }
    let name = key.rsplit('.').next().unwrap_or(key);
    let is_table = what.ends_with("expected a table") || name == "bus";
    if is_table {
        return format!("write it as a table of its own: `[{name}]`, and its keys below");
    }
    if what.starts_with("missing field") {
        return format!("add it, as in `{}`", example(key, what));
    }
    if what.contains("socket address") {
        return "write HOST:PORT as in 127.0.0.1:8080".to_owned();
    }
    if key.is_empty() {
        return "write each key as in `plan = \"binh-duong\"`".to_owned();
    }
    format!("write `{}`", example(key, what))
}

fn syntax_remedy(what: &str) -> String {
    if what.contains("duplicate key") {
        return "keep one of the two".to_owned();
    }
    "write it as TOML: `key = \"text\"` or `key = 1`, and `[table]` above the keys of a table".to_owned()
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
        listen: std::net::SocketAddr,
        bus: Bus,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read only to see what is refused")]
    struct Bus {
        url: String,
        limit: u16,
    }

    const GOOD: &str = "plan = \"binh-duong\"\ndirectory = \"log\"\nlisten = \"127.0.0.1:1\"\n[bus]\nurl = \"nats://127.0.0.1\"\nlimit = 4\n";

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
                "x.toml:6: bus.limit: invalid type: string \"four\", expected u16: write `limit = 1`",
            ),
            ("limit = 4", "limit = 70000", "x.toml:6: bus.limit: "),
            (
                "directory = ",
                "directroy = ",
                "x.toml:2: directroy: unknown field `directroy`, expected one of",
            ),
            ("url = ", "uri = ", "x.toml:5: bus.uri: unknown field `uri`, expected `url` or `limit`"),
            ("limit = 4\n", "", "bus.limit: missing field `limit`: add it, as in `limit = "),
            ("plan = \"binh-duong\"", "plan = 5", "expected a string: write `plan = \"binh-duong\"`"),
            ("directory = \"log\"", "directory = 5", "x.toml:2: directory: invalid type: integer `5`"),
            ("directory = \"log\"", "directory = 5", ": write `directory = \"…\"`"),
            ("listen = \"127.0.0.1:1\"", "listen = \"localhost\"", "x.toml:3: listen: "),
            ("listen = \"127.0.0.1:1\"", "listen = \"localhost\"", ": write HOST:PORT as in 127.0.0.1:8080"),
            ("plan = \"binh-duong\"", "plan = binh", "x.toml:1: plan: "),
            ("plan = \"binh-duong\"", "plan = binh", ": write it as TOML: `key = \"text\"`"),
            ("plan = \"binh-duong\"", "plan", ": write it as TOML: `key = \"text\"`"),
            ("url = ", "limit = 3\nurl = ", "duplicate key: keep one of the two"),
            (
                "listen = \"127.0.0.1:1\"\n",
                "",
                "x.toml:1: listen: missing field `listen`: add it, as in `listen = \"127.0.0.1",
            ),
            (
                "[bus]\nurl",
                "bus = { limit = 4 }\n[other]\nurl",
                "x.toml:4: bus.url: missing field `url`: add it",
            ),
            ("[bus]\n", "bus = 5\n[other]\n", "expected a table: write it as a table of its own: `[bus]`"),
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
    fn a_file_in_another_encoding_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.toml");
        std::fs::write(&file, b"plan = \"a\"\ndirectory = \"\xff\"\n").unwrap();
        let said = read::<Config>(&file).unwrap_err().to_string();
        assert!(said.ends_with("x.toml:2: this is not UTF-8: save the file as UTF-8"), "{said}");
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
