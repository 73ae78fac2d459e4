//! The private server's configuration file, written anew at every start.

use super::permissions::{self, Role, Subjects};
use std::fmt::{self, Write as _};
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The largest message. A batch of reports (up to 8 MiB of events and what is around them) is one request:
/// one limit raised is simpler than requests that are cut in pieces and may arrive in part. Replies, which
/// have no such bound, are cut.
const MAX_PAYLOAD_BYTES: usize = 16 * 1024 * 1024;
/// What waits at the server for one slow connection before it is closed.
const MAX_PENDING_BYTES: usize = 128 * 1024 * 1024;
/// How many connections there may be.
const MAX_CONNECTIONS: usize = 1024;
/// The shortest password, in characters.
const PASSWORD_MINIMUM: usize = 16;

/// A user with the password that the caller drew at random.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerUser {
    /// Who, and so what may be done.
    pub role: Role,
    /// At least 16 letters, digits, `-` and `_`.
    pub password: String,
}

impl fmt::Debug for ServerUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerUser").field("role", &self.role).finish_non_exhaustive()
    }
}

/// How a private server runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// Where its streams, configuration, log and pid file lie; no other server may use it.
    pub store_dir: PathBuf,
    /// The port on 127.0.0.1; 0 takes a free one, which [`super::await_ready`] then tells.
    pub port: u16,
    /// Its users.
    pub users: Vec<ServerUser>,
}

/// Why a configuration was not written.
#[derive(Debug, Error)]
pub enum ServerConfigError {
    /// A password could be guessed, or would not survive the file's syntax.
    #[error(
        "the password of user `{user}` must have at least {PASSWORD_MINIMUM} letters, digits, `-` or `_`"
    )]
    Password {
        /// Whose.
        user: &'static str,
    },
    /// A role stands twice.
    #[error("user `{user}` stands twice in the configuration of nats-server")]
    Twice {
        /// Which.
        user: &'static str,
    },
    /// The file's syntax cannot hold this path.
    #[error(
        "nats-server cannot be told the directory {path}; choose one without quotes and control characters"
    )]
    Path {
        /// Which.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("cannot write {path}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl ServerConfig {
    /// Where the configuration is written.
    pub fn path(&self) -> PathBuf {
        self.store_dir.join("nats.conf")
    }

    /// Where the server writes what happens to it.
    pub fn log_path(&self) -> PathBuf {
        self.store_dir.join("nats-server.log")
    }

    /// Where the server writes its process id.
    pub fn pid_path(&self) -> PathBuf {
        self.store_dir.join("nats-server.pid")
    }

    /// Writes the configuration, readable by its owner only, in one step, and gives its path. Done before
    /// each start: it also clears away what a killed server leaves behind.
    pub fn write(&self) -> Result<PathBuf, ServerConfigError> {
        let text = self.text()?;
        let path = self.path();
        let written = fs::create_dir_all(&self.store_dir).and_then(|()| replace(&path, text.as_bytes()));
        for stale in self.port_files() {
            // A later process may get the same id; one that stays is told apart by the greeting.
            let _ = fs::remove_file(stale);
        }
        match written {
            Ok(()) => Ok(path),
            Err(source) => Err(ServerConfigError::Write { path, source }),
        }
    }

    /// The files in which servers of this directory told their ports.
    pub(super) fn port_files(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(&self.store_dir) else { return Vec::new() };
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "ports")).collect()
    }

    fn text(&self) -> Result<String, ServerConfigError> {
        let port = if self.port == 0 { "-1".to_owned() } else { self.port.to_string() };
        let store = quoted(&self.store_dir.join("jetstream"))?;
        let directory = quoted(&self.store_dir)?;
        let log = quoted(&self.log_path())?;
        let pid = quoted(&self.pid_path())?;
        let mut users = String::new();
        let mut seen = Vec::new();
        for user in &self.users {
            let name = user.role.user();
            if seen.contains(&user.role) {
                return Err(ServerConfigError::Twice { user: name });
            }
            seen.push(user.role);
            users.push_str(&user_text(user)?);
        }
        Ok(format!(
            "# Written by planwatch at every start; changes are lost.\n\
             server_name: planwatch\n\
             host: 127.0.0.1\n\
             port: {port}\n\
             ports_file_dir: {directory}\n\
             pid_file: {pid}\n\
             log_file: {log}\n\
             logfile_size_limit: 16MB\n\
             max_payload: {MAX_PAYLOAD_BYTES}\n\
             max_pending: {MAX_PENDING_BYTES}\n\
             max_connections: {MAX_CONNECTIONS}\n\
             jetstream {{\n  store_dir: {store}\n  sync_interval: 1s\n}}\n\
             authorization {{\n  timeout: 5\n  users: [\n{users}  ]\n}}\n"
        ))
    }
}

fn user_text(user: &ServerUser) -> Result<String, ServerConfigError> {
    let name = user.role.user();
    let safe = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if user.password.len() < PASSWORD_MINIMUM || !user.password.chars().all(safe) {
        return Err(ServerConfigError::Password { user: name });
    }
    let permissions = permissions::of(user.role);
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write!(
        text,
        "    {{\n      user: \"{name}\"\n      password: \"{}\"\n      permissions {{\n        publish {}\n        subscribe {}\n      }}\n    }}\n",
        user.password,
        subjects_text(&permissions.publish),
        subjects_text(&permissions.subscribe)
    );
    Ok(text)
}

fn subjects_text(subjects: &Subjects) -> String {
    let list = |subjects: &[String]| {
        subjects.iter().map(|subject| format!("\"{subject}\"")).collect::<Vec<_>>().join(", ")
    };
    let mut text = format!("{{ allow: [{}]", list(&subjects.allow));
    if !subjects.deny.is_empty() {
        let _ = write!(text, ", deny: [{}]", list(&subjects.deny));
    }
    text.push_str(" }");
    text
}

fn quoted(path: &Path) -> Result<String, ServerConfigError> {
    let unusable = || ServerConfigError::Path { path: path.to_owned() };
    let text = path.to_str().ok_or_else(unusable)?;
    if text.chars().any(|letter| letter.is_control() || matches!(letter, '"' | '\'' | '\\')) {
        return Err(unusable());
    }
    Ok(format!("\"{text}\""))
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let new = path.with_extension("conf.new");
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    // Made anew, so that the mode holds from the first byte on.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn config(store_dir: PathBuf, password: &str) -> ServerConfig {
        let user = ServerUser { role: Role::Ingestion, password: password.to_owned() };
        ServerConfig { store_dir, port: 0, users: vec![user] }
    }

    #[test]
    fn the_file_is_for_its_owner_only() {
        let home = tempfile::tempdir().unwrap();
        let config = config(home.path().join("nats"), "0123456789abcdef");
        for _ in 0..2 {
            let path = config.write().unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.contains("host: 127.0.0.1") && text.contains("sync_interval: 1s"), "{text}");
        }
    }

    #[test]
    fn what_would_break_the_file_is_refused() {
        let home = tempfile::tempdir().unwrap();
        for password in ["short", "0123456789abcdef\" }", "0123456789 abcdef"] {
            let refused = config(home.path().to_owned(), password).write();
            assert!(matches!(refused, Err(ServerConfigError::Password { user: "ingestion" })), "{password}");
        }
        let refused = config(home.path().join("a\"b"), "0123456789abcdef").write();
        assert!(matches!(refused, Err(ServerConfigError::Path { .. })));
        let mut twice = config(home.path().to_owned(), "0123456789abcdef");
        twice.users.push(twice.users[0].clone());
        assert!(matches!(twice.write(), Err(ServerConfigError::Twice { .. })));
    }

    #[test]
    fn a_password_is_not_printed() {
        let shown = format!("{:?}", config(PathBuf::from("/x"), "0123456789abcdef"));
        assert!(!shown.contains("0123456789abcdef"), "{shown}");
    }
}
