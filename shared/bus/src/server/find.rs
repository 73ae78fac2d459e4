//! Finding a nats-server that is new enough.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use thiserror::Error;

/// The environment variable that names the binary to use, before anything else is looked at.
pub const SERVER_VARIABLE: &str = "PLANWATCH_NATS_SERVER";

/// The oldest nats-server that does.
pub const MINIMUM_VERSION: ServerVersion = ServerVersion { major: 2, minor: 12, patch: 0 };

const SERVER_NAME: &str = "nats-server";

/// A nats-server's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerVersion {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// The third number.
    pub patch: u32,
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl ServerVersion {
    /// Reads what `nats-server --version` prints, as in `nats-server: v2.12.3`.
    fn parse(text: &str) -> Option<ServerVersion> {
        let numbers = text.trim().rsplit_once(['v', ' '])?.1;
        // A preview such as 2.12.0-RC.1 counts as the release before it would: its patch is what it says.
        let numbers = numbers.split('-').next()?;
        let mut parts = numbers.split('.').map(|part| part.parse().ok());
        let version = ServerVersion { major: parts.next()??, minor: parts.next()??, patch: parts.next()?? };
        parts.next().is_none().then_some(version)
    }
}

/// A nats-server that was found, asked for its version and is new enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerBinary {
    path: PathBuf,
    version: ServerVersion,
}

impl ServerBinary {
    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says it is.
    pub fn version(&self) -> ServerVersion {
        self.version
    }

    /// The arguments that make it run with a configuration file.
    pub fn arguments(&self, config: &Path) -> Vec<OsString> {
        vec!["--config".into(), config.into()]
    }
}

/// Why there is no nats-server to run.
#[derive(Debug, Error)]
pub enum FindServerError {
    /// The variable names something that does not do.
    #[error(
        "{SERVER_VARIABLE} names {path}, which does not do: {reason}; name a nats-server >= {MINIMUM_VERSION} or unset it"
    )]
    Named {
        /// What it names.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// None was found.
    #[error(
        "no nats-server >= {MINIMUM_VERSION} was found ({looked}); run deploy/nats/install, put one on PATH, or name one in {SERVER_VARIABLE}"
    )]
    Nowhere {
        /// Where was looked, and why each did not do.
        looked: String,
    },
}

/// Finds a nats-server: the one that [`SERVER_VARIABLE`] names, else the first new enough on PATH, else the
/// first new enough in these directories.
pub fn find_server(directories: &[PathBuf]) -> Result<ServerBinary, FindServerError> {
    find(env::var_os(SERVER_VARIABLE), env::var_os("PATH"), directories)
}

fn find(
    named: Option<OsString>,
    path: Option<OsString>,
    directories: &[PathBuf],
) -> Result<ServerBinary, FindServerError> {
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        let path = PathBuf::from(named);
        return ask(&path).map_err(|reason| FindServerError::Named { path, reason });
    }
    let on_path = path.as_deref().map(|path| env::split_paths(path).collect()).unwrap_or_default();
    let on_path: Vec<PathBuf> = on_path;
    let mut looked = Vec::new();
    for directory in on_path.iter().chain(directories) {
        let candidate = directory.join(SERVER_NAME);
        if !candidate.is_file() {
            continue;
        }
        match ask(&candidate) {
            Ok(binary) => return Ok(binary),
            Err(reason) => looked.push(format!("{}: {reason}", candidate.display())),
        }
    }
    if looked.is_empty() {
        let places = directories.iter().map(|directory| directory.display().to_string());
        looked.push(format!("looked on PATH and in [{}]", places.collect::<Vec<_>>().join(", ")));
    }
    Err(FindServerError::Nowhere { looked: looked.join("; ") })
}

fn ask(path: &Path) -> Result<ServerBinary, String> {
    let output = Command::new(path).arg("--version").output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => format!("it does not run: {error}"),
    })?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = ServerVersion::parse(&text)
        .ok_or_else(|| format!("it does not tell its version, but `{}`", text.trim()))?;
    if version < MINIMUM_VERSION {
        return Err(format!("it is {version}, too old"));
    }
    Ok(ServerBinary { path: path.to_owned(), version })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn versions_are_read_as_the_server_prints_them() {
        let version = |text: &str| ServerVersion::parse(text).map(|version| version.to_string());
        assert_eq!(version("nats-server: v2.15.1\n").as_deref(), Some("2.15.1"));
        assert_eq!(version("nats-server: 2.9.10").as_deref(), Some("2.9.10"));
        assert_eq!(version("nats-server: v2.12.0-RC.1").as_deref(), Some("2.12.0"));
        assert_eq!(version("something else"), None);
        assert_eq!(version(""), None);
    }

    fn server_that_prints(directory: &Path, text: &str) -> PathBuf {
        fs::create_dir_all(directory).unwrap();
        let path = directory.join(SERVER_NAME);
        fs::write(&path, format!("#!/bin/sh\necho '{text}'\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn an_old_server_on_path_is_passed_over_for_a_new_one_in_a_directory() {
        let home = tempfile::tempdir().unwrap();
        let (old, new) = (home.path().join("old"), home.path().join("new"));
        server_that_prints(&old, "nats-server: v2.9.10");
        let expected = server_that_prints(&new, "nats-server: v2.12.1");
        let found = find(None, Some(old.clone().into()), std::slice::from_ref(&new)).unwrap();
        assert_eq!(found.path(), expected);
        let missing = find(None, Some(old.into()), &[]).unwrap_err().to_string();
        assert!(missing.contains("2.9.10, too old") && missing.contains("deploy/nats/install"), "{missing}");
    }

    #[test]
    fn a_named_server_is_taken_or_refused_but_never_passed_over() {
        let home = tempfile::tempdir().unwrap();
        let (old, new) = (home.path().join("old"), home.path().join("new"));
        let named = server_that_prints(&old, "nats-server: v2.11.9");
        server_that_prints(&new, "nats-server: v2.12.1");
        let refused = find(Some(named.into()), Some(new.into()), &[]).unwrap_err();
        assert!(matches!(refused, FindServerError::Named { .. }), "{refused}");
    }
}
