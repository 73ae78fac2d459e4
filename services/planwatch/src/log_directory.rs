//! Where the log of a data directory lies, for commands that work on its files.

use crate::data_directory::{self, DataDirectory};
use crate::{public_keys, service_configs};
use anyhow::{Context, bail};
use clap::Args;
use events::PlanId;
use evidence::VerifierKey;
use std::path::{Path, PathBuf};

/// What a log's directory and a bundle keep the last signed checkpoint in.
pub const CHECKPOINT_NAME: &str = "checkpoint";
/// The list of public keys, in a directory of keys and in a bundle.
pub const VKEYS_NAME: &str = "vkeys";

/// Which log's files are meant.
#[derive(Debug, Clone, Args)]
pub struct DirectoryArguments {
    /// The data directory of `up`, stopped or running, or the directory of a log [default: the one that `up` uses]
    #[arg(long, value_name = "DIR", env = data_directory::DATA_VARIABLE)]
    data: Option<PathBuf>,
    /// The plan whose log is meant, where a data directory holds several
    #[arg(long = "plan-id", value_name = "ID")]
    plan: Option<String>,
}

impl DirectoryArguments {
    /// Finds the log.
    pub fn find(&self) -> anyhow::Result<LogDirectory> {
        let root = self.data.clone().unwrap_or_else(data_directory::default_root);
        LogDirectory::find(&root, self.plan.as_deref())
    }
}

/// The directory of a log, and the data directory that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogDirectory {
    /// The log's own directory.
    pub folder: PathBuf,
    /// The data directory, where the log lies in one.
    pub data: Option<PathBuf>,
}

impl LogDirectory {
    /// Finds the log in a data directory; a log's own directory is taken as such.
    pub fn find(root: &Path, plan: Option<&str>) -> anyhow::Result<LogDirectory> {
        if holds_journal(root) {
            let above = std::path::absolute(root).ok();
            let above = above.as_deref().and_then(Path::parent).and_then(Path::parent);
            let data = above.filter(|above| above.join("config").is_dir()).map(Path::to_owned);
            return Ok(LogDirectory { folder: root.to_owned(), data });
        }
        Ok(LogDirectory { folder: folder_in(root, plan)?, data: Some(root.to_owned()) })
    }

    /// The log of a plan in a data directory.
    pub fn of_plan(data: &DataDirectory, plan: &PlanId) -> LogDirectory {
        let folder = service_configs::log_folder(data, "ingestion", plan);
        LogDirectory { folder, data: Some(data.root().to_owned()) }
    }

    /// The last checkpoint that the log signed.
    pub fn checkpoint_file(&self) -> PathBuf {
        self.folder.join(CHECKPOINT_NAME)
    }

    /// Where the keys of all that signed before a backup was put back are.
    pub fn earlier_vkeys_file(&self) -> PathBuf {
        self.folder.join(VKEYS_NAME)
    }

    /// The public keys that lie with the log: of all that sign or signed for it.
    pub fn vkeys(&self) -> anyhow::Result<Vec<VerifierKey>> {
        let current = self.data.as_ref().map(|data| DataDirectory::at(data).keys_folder().join(VKEYS_NAME));
        let mut keys = Vec::new();
        for file in current.into_iter().chain([self.earlier_vkeys_file()]).filter(|file| file.is_file()) {
            for key in public_keys::read_file(&file)? {
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        Ok(keys)
    }
}

/// Whether a directory is that of a log.
pub fn holds_journal(folder: &Path) -> bool {
    folder.join("journal").is_dir()
}

fn folder_in(root: &Path, plan: Option<&str>) -> anyhow::Result<PathBuf> {
    let logs = DataDirectory::at(root).service_folder("ingestion");
    if let Some(plan) = plan {
        return Ok(logs.join(plan));
    }
    let found: Vec<PathBuf> = std::fs::read_dir(&logs)
        .with_context(|| {
            format!("there is no log in `{}`: name the data directory with --data", root.display())
        })?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|folder| holds_journal(folder) && folder.extension().is_none())
        .collect();
    match found.as_slice() {
        [only] => Ok(only.clone()),
        [] => bail!("there is no log in `{}`", logs.display()),
        _ => bail!("`{}` holds several logs: name the plan with --plan-id", logs.display()),
    }
}
