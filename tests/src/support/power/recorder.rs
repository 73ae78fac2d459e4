//! The library that records what a process does to its files.

use super::super::preload;
use super::trace::Trace;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The environment variable that names the file into which a process is recorded; also read by processes that
/// put marks into it.
pub(super) const TRACE_VARIABLE: &str = "PLANWATCH_TEST_TRACE";

/// A library that is loaded before the C library, and the trace that it writes.
#[derive(Debug)]
pub struct Recorder {
    folder: TempDir,
}

impl Recorder {
    /// Builds the library; none where no C compiler is there, and skipping is allowed.
    pub fn build() -> Option<Recorder> {
        let recorder = Recorder { folder: tempfile::tempdir().expect("a temporary directory") };
        preload::build("power/recorder.c", &recorder.library()).then_some(recorder)
    }

    /// What a process needs in its environment to be recorded below a directory. Several processes may be,
    /// into the same trace.
    pub fn environment(&self, root: &Path) -> Vec<(String, String)> {
        let text = |path: &Path| path.to_str().expect("the path is text").to_owned();
        let root = root.canonicalize().expect("the directory to record is there");
        vec![
            ("LD_PRELOAD".into(), text(&self.library())),
            ("PLANWATCH_TEST_TRACE_ROOT".into(), text(&root)),
            (TRACE_VARIABLE.into(), text(&self.trace())),
        ]
    }

    /// How long the trace is now: everything that happened before lies before this place.
    pub fn length_bytes(&self) -> u64 {
        std::fs::metadata(self.trace()).map_or(0, |metadata| metadata.len())
    }

    /// The trace so far.
    pub fn read(&self) -> Trace {
        Trace::parse(&std::fs::read(self.trace()).expect("the recorded process wrote a trace"))
    }

    /// Forgets the trace: the next process begins a new one.
    pub fn forget(&self) {
        let _not_there = std::fs::remove_file(self.trace());
    }

    fn trace(&self) -> PathBuf {
        self.folder.path().join("trace")
    }

    fn library(&self) -> PathBuf {
        self.folder.path().join("recorder.so")
    }
}
