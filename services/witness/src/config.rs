//! What a witness needs to know: where it keeps what it remembers, where it listens, which logs it cosigns.

use crate::record::hex_sha256;
use evidence::{KeyName, KeyUse, VerifierKey};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use thiserror::Error;

/// The most logs of one witness.
const LOGS_LIMIT: usize = 64;
/// The most keys of one log: a rotation needs two.
const KEYS_LIMIT: usize = 8;
const NAME_LIMIT_BYTES: usize = 63;
const ADDRESS_LIMIT_BYTES: usize = 1_024;
const DEFAULT_INTERVAL_SECONDS: u32 = 60;
/// A log that is looked at less often than once a day is not followed.
const LONGEST_INTERVAL_SECONDS: u32 = 24 * 60 * 60;

/// The configuration of a witness.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The witness's directory, which `planwatch witness key new` made: its key, and what it remembers.
    pub data: PathBuf,
    /// The file into which the bound address is written once the witness listens.
    #[serde(default)]
    pub ready_file: Option<PathBuf>,
    /// The logs whose checkpoints are cosigned.
    pub logs: Vec<LogConfig>,
}

/// One log.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogConfig {
    origin: Origin,
    /// A short name, under which its cosigned checkpoint is served besides the hash of its origin.
    #[serde(default)]
    pub name: Option<LogName>,
    vkeys: Vec<LogKey>,
    follow: Option<Address>,
    #[serde(default = "default_interval")]
    interval_seconds: u32,
}

fn default_interval() -> u32 {
    DEFAULT_INTERVAL_SECONDS
}

/// A configuration whose values do not go together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WrongConfig {
    /// No log, or too many.
    #[error("`logs` names {0} logs: give 1 to {LOGS_LIMIT}, each as a table `[[logs]]`")]
    Logs(usize),
    /// A log is there twice.
    #[error("the log `{0}` is there twice: keep one `[[logs]]` with all its keys")]
    Twice(String),
    /// A name is there twice.
    #[error("two logs are named `{0}`: give each a `name` of its own")]
    NameTwice(String),
    /// A log has no key, or too many.
    #[error("the log `{origin}` has {keys} keys: give 1 to {KEYS_LIMIT} in `vkeys`")]
    Keys {
        /// Which log.
        origin: String,
        /// How many.
        keys: usize,
    },
    /// A key is another log's.
    #[error("the key `{key}` is not one of the log `{origin}`: its name is the log's origin")]
    OtherName {
        /// Which log.
        origin: String,
        /// The key.
        key: String,
    },
    /// The witness is named like a log.
    #[error(
        "the witness's key has the name of the log `{0}`, so nobody could tell their signatures apart: make a key \
         with another name"
    )]
    NamedLikeLog(String),
    /// The interval is not possible.
    #[error(
        "the log `{origin}` has `interval_seconds = {seconds}`: give 1 to {LONGEST_INTERVAL_SECONDS}, such as {DEFAULT_INTERVAL_SECONDS}"
    )]
    Interval {
        /// Which log.
        origin: String,
        /// The interval.
        seconds: u32,
    },
}

impl Config {
    /// Makes relative paths relative to the folder of the configuration's own file.
    pub fn resolve(&mut self, file: &Path) {
        service::config::resolve(file, &mut self.data);
        if let Some(ready_file) = &mut self.ready_file {
            service::config::resolve(file, ready_file);
        }
    }

    /// Checks that the values go together.
    pub fn check(&self) -> Result<(), WrongConfig> {
        if !(1..=LOGS_LIMIT).contains(&self.logs.len()) {
            return Err(WrongConfig::Logs(self.logs.len()));
        }
        let (mut origins, mut names) = (BTreeSet::new(), BTreeSet::new());
        for log in &self.logs {
            log.check()?;
            let origin = log.origin().to_owned();
            names.insert(hex_sha256(origin.as_bytes()));
            if !origins.insert(origin.clone()) {
                return Err(WrongConfig::Twice(origin));
            }
        }
        for name in self.logs.iter().filter_map(|log| log.name.as_ref()) {
            if !names.insert(name.0.clone()) {
                return Err(WrongConfig::NameTwice(name.0.clone()));
            }
        }
        Ok(())
    }
}

impl LogConfig {
    /// A log that is not followed, only asked about.
    pub fn new(origin: &KeyName, keys: Vec<VerifierKey>) -> LogConfig {
        LogConfig {
            origin: Origin(origin.clone()),
            name: None,
            vkeys: keys.into_iter().map(LogKey).collect(),
            follow: None,
            interval_seconds: DEFAULT_INTERVAL_SECONDS,
        }
    }

    /// The log's name, which its checkpoints begin with.
    pub fn origin(&self) -> &str {
        self.origin.0.as_str()
    }

    /// Its public keys.
    pub fn keys(&self) -> Vec<VerifierKey> {
        self.vkeys.iter().map(|key| key.0.clone()).collect()
    }

    /// Where it is followed, and how often it is looked at.
    pub(crate) fn follow(&self) -> Option<(&str, Duration)> {
        let interval = Duration::from_secs(self.interval_seconds.into());
        self.follow.as_ref().map(|address| (address.0.as_str(), interval))
    }

    fn check(&self) -> Result<(), WrongConfig> {
        let origin = || self.origin().to_owned();
        if !(1..=KEYS_LIMIT).contains(&self.vkeys.len()) {
            return Err(WrongConfig::Keys { origin: origin(), keys: self.vkeys.len() });
        }
        if let Some(other) = self.vkeys.iter().find(|key| *key.0.name() != self.origin.0) {
            return Err(WrongConfig::OtherName { origin: origin(), key: other.0.to_string() });
        }
        if !(1..=LONGEST_INTERVAL_SECONDS).contains(&self.interval_seconds) {
            return Err(WrongConfig::Interval { origin: origin(), seconds: self.interval_seconds });
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct Origin(KeyName);

impl TryFrom<String> for Origin {
    type Error = String;

    fn try_from(text: String) -> Result<Origin, String> {
        KeyName::parse(&text).map(Origin).map_err(|error| error.to_string())
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct LogKey(VerifierKey);

impl TryFrom<String> for LogKey {
    type Error = String;

    fn try_from(text: String) -> Result<LogKey, String> {
        let key: VerifierKey = text.parse().map_err(|error: evidence::KeyError| error.to_string())?;
        match key.key_use() {
            KeyUse::Log => Ok(LogKey(key)),
            KeyUse::Cosigner => Err(format!("`{}` is a witness's key, not a log's", key.name())),
        }
    }
}

/// A short name of a log: small letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct LogName(String);

impl LogName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LogName {
    type Error = String;

    fn try_from(text: String) -> Result<LogName, String> {
        let possible = (1..=NAME_LIMIT_BYTES).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        possible.then_some(LogName(text)).ok_or_else(|| {
            format!(
                "a name has 1 to {NAME_LIMIT_BYTES} small letters, digits and hyphens, such as binh-duong"
            )
        })
    }
}

/// Where a log is: everything C2SP tlog-tiles names lies below.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
struct Address(String);

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(text: String) -> Result<Address, String> {
        let base = text.trim_end_matches('/');
        let rest = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://"));
        let possible = rest.is_some_and(|rest| {
            rest.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[')
                && rest.chars().all(|character| character.is_ascii_graphic())
                && !rest.contains(['?', '#', '@'])
        });
        if possible && base.len() <= ADDRESS_LIMIT_BYTES {
            return Ok(Address(base.to_owned()));
        }
        Err("an address is `http://` or `https://`, a host and a path, without user, query and fragment"
            .to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    fn good() -> String {
        format!(
            "listen = \"127.0.0.1:0\"\ndata = \"witness\"\n\n[[logs]]\norigin = \"PeterNeumann\"\nname = \"pn\"\n\
             vkeys = [\"{KEY}\"]\nfollow = \"https://log.example/api/v1/log/\"\ninterval_seconds = 30\n"
        )
    }

    fn read(text: &str) -> Result<Config, String> {
        let config: Config =
            service::config::parse(Path::new("witness.toml"), text).map_err(|error| error.to_string())?;
        config.check().map_err(|error| error.to_string())?;
        Ok(config)
    }

    #[test]
    fn a_good_configuration_is_read() {
        let config = read(&good()).unwrap();
        assert_eq!(config.logs[0].origin(), "PeterNeumann");
        assert_eq!(config.logs[0].keys()[0].to_string(), KEY);
        let (address, interval) = config.logs[0].follow().unwrap();
        assert_eq!((address, interval), ("https://log.example/api/v1/log", Duration::from_secs(30)));
    }

    #[test]
    fn the_example_that_others_begin_with_is_read() {
        let config = read(include_str!("../../../deploy/witness/witness.toml")).unwrap();
        assert!(config.logs[0].follow().is_some());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line_or_its_log() {
        let second = good().split_once("[[logs]]").unwrap().1.to_owned();
        for (from, to, expected) in [
            (
                "\"PeterNeumann\"",
                "\"Peter Neumann\"",
                "witness.toml:5: logs.origin: `Peter Neumann` cannot name a key",
            ),
            ("ARpc2Q", "ARpc2R", "witness.toml:7: logs.vkeys: the bytes of the key `PeterNeumann` are no"),
            ("[\"Peter", "[\"PRIVATE+KEY+Peter", "this is a private key where a public one belongs"),
            (
                "name = \"pn\"",
                "name = \"P N\"",
                "witness.toml:6: logs.name: a name has 1 to 63 small letters",
            ),
            ("https://log", "ftp://log", "witness.toml:8: logs.follow: an address is `http://`"),
            ("https://log", "https://user@log", "witness.toml:8: logs.follow: an address is `http://`"),
            ("seconds = 30", "seconds = 0", "the log `PeterNeumann` has `interval_seconds = 0`: give 1 to"),
            ("seconds = 30", "minutes = 1", "unknown field `interval_minutes`"),
            ("origin = \"P", "origin = \"p", "is not one of the log `peterNeumann`"),
            (&format!("\"{KEY}\""), "", "has 0 keys: give 1 to 8"),
            ("data = \"witness\"\n", "", "missing field `data`"),
        ] {
            assert!(good().contains(from), "{from}");
            let said = read(&good().replacen(from, to, 1)).unwrap_err();
            assert!(said.contains(expected), "{said:?} must say {expected:?}");
        }
        let twice = format!("{}\n[[logs]]{second}", good());
        assert!(read(&twice).unwrap_err().contains("the log `PeterNeumann` is there twice"));
        let none = good().split_once("[[logs]]").unwrap().0.to_owned() + "logs = []\n";
        assert!(read(&none).unwrap_err().contains("names 0 logs"));
    }
}
