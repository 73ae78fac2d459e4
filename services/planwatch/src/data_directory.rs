//! The data directory of `up`: where everything of one installation lies, and who holds it.

use crate::private_file;
use anyhow::Context;
use rustix::fs::{FlockOperation, flock};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The environment variable that names the data directory where `--data` does not.
pub const DATA_VARIABLE: &str = "PLANWATCH_DATA";

/// The services that `up` starts, in the order of their start.
pub const SERVICES: [&str; 4] = ["ingestion", "projection", "alerting", "console"];

/// The data directory that is meant where none is named: `$XDG_DATA_HOME/planwatch`, else
/// `~/.local/share/planwatch`, else `.data` in the working directory.
///
/// It does not depend on where a command is called, so that clients find the token that `up` wrote.
pub fn default_root() -> PathBuf {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    folder("XDG_DATA_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| folder("HOME").map(|home| home.join(".local/share")))
        .map_or_else(|| PathBuf::from(".data"), |share| share.join("planwatch"))
}

/// One installation's directory.
#[derive(Debug, Clone)]
pub struct DataDirectory {
    root: PathBuf,
}

impl DataDirectory {
    /// Names a directory without looking at it.
    pub fn at(root: impl Into<PathBuf>) -> DataDirectory {
        DataDirectory { root: root.into() }
    }

    /// Makes the directory and everything in it that is missing, and resolves its path.
    pub fn prepare(root: &Path) -> anyhow::Result<DataDirectory> {
        private_file::make_folder(root)?;
        let root = root
            .canonicalize()
            .with_context(|| format!("cannot resolve the data directory `{}`", root.display()))?;
        let directory = DataDirectory { root };
        for folder in ["config", "run", "nats"].into_iter().chain(SERVICES) {
            private_file::make_folder(&directory.root.join(folder))?;
        }
        Ok(directory)
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The configuration file of a service.
    pub fn config_file(&self, service: &str) -> PathBuf {
        self.root.join("config").join(format!("{service}.toml"))
    }

    /// Ports and passwords, chosen once.
    pub fn installation_file(&self) -> PathBuf {
        self.root.join("config/installation.toml")
    }

    /// The plan with which the log began, as it was given: the log governs, this is for people.
    pub fn plan_file(&self) -> PathBuf {
        self.root.join("config/plan.toml")
    }

    /// Where a service keeps what it stores.
    pub fn service_folder(&self, service: &str) -> PathBuf {
        self.root.join(service)
    }

    /// Where the private nats-server keeps its configuration and its streams.
    pub fn nats_folder(&self) -> PathBuf {
        self.root.join("nats")
    }

    /// Process ids and what else is true only while `up` runs.
    pub fn run_folder(&self) -> PathBuf {
        self.root.join("run")
    }

    /// The process id of a child while it runs.
    pub fn pid_file(&self, name: &str) -> PathBuf {
        self.run_folder().join(format!("{name}.pid"))
    }

    /// Where the console writes the address it listens on.
    pub fn console_address_file(&self) -> PathBuf {
        self.run_folder().join("console.addr")
    }

    /// The code of the one-time sign-in link.
    pub fn sign_in_code_file(&self) -> PathBuf {
        self.run_folder().join("sign-in.code")
    }

    /// The log's signing keys. They lie outside of what is copied with the log.
    pub fn keys_folder(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// The operator's token.
    pub fn token_file(&self) -> PathBuf {
        self.root.join("operator.token")
    }

    /// Takes the directory for this process; none where another `up` holds it.
    pub fn lock(&self) -> anyhow::Result<Option<DataLock>> {
        let file = self.root.join("up.lock");
        let opened = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&file)
            .with_context(|| format!("cannot open `{}`", file.display()))?;
        match flock(&opened, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(DataLock { _held: opened })),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(anyhow::Error::new(error).context(format!("cannot lock `{}`", file.display()))),
        }
    }
}

/// Held by the one `up` of a data directory; the kernel releases it with the process.
#[derive(Debug)]
pub struct DataLock {
    _held: File,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_one_holder_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let directory = DataDirectory::prepare(&folder.path().join("data")).unwrap();
        let held = directory.lock().unwrap();
        assert!(held.is_some());
        assert!(directory.lock().unwrap().is_none());
        drop(held);
        assert!(directory.lock().unwrap().is_some());
    }
}
