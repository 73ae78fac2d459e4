//! Clocks that a test moves: the time of day of each process of a system, by the name of its service.

use super::preload;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Whose clocks can be moved: the services, and the commands that a person runs.
const PROCESSES: [&str; 8] =
    ["up", "prepare", "ingestion", "projection", "alerting", "console", "clock", "witness"];

/// A library that is loaded before the C library and shifts what the processes of a system take for the time.
#[derive(Debug)]
pub struct Clocks {
    folder: TempDir,
}

impl Clocks {
    /// Builds the library; none where no C compiler is there, and skipping is allowed.
    pub fn build() -> Option<Clocks> {
        let clocks = Clocks { folder: tempfile::tempdir().expect("a temporary directory") };
        if !preload::build("clock/shifted.c", &clocks.library()) {
            return None;
        }
        for process in PROCESSES {
            std::fs::write(clocks.folder.path().join(process), 0_i64.to_ne_bytes()).expect("a small file");
        }
        Some(clocks)
    }

    /// What a process needs in its environment for its clock to be moved.
    pub fn environment(&self) -> Vec<(String, String)> {
        let text = |path: &Path| path.to_str().expect("the path is text").to_owned();
        vec![
            ("LD_PRELOAD".into(), text(&self.library())),
            ("PLANWATCH_TEST_CLOCKS".into(), text(self.folder.path())),
        ]
    }

    /// Sets the clock of one process so many days ahead of the true time; at once, also while it runs.
    pub fn set(&self, process: &str, days_ahead: i64) {
        let path = self.folder.path().join(process);
        let file = File::options().write(true).open(path).expect("a process whose clock can be moved");
        // In place: the file is mapped into the process.
        file.write_all_at(&(days_ahead * 24 * 60 * 60).to_ne_bytes(), 0).expect("a small file");
    }

    /// Sets every clock.
    pub fn set_all(&self, days_ahead: i64) {
        for process in PROCESSES {
            self.set(process, days_ahead);
        }
    }

    fn library(&self) -> PathBuf {
        self.folder.path().join("shifted.so")
    }
}
