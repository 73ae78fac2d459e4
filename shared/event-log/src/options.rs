//! How a log is opened.

use crate::files::{Files, RealFiles};
use crate::other_copy::OtherCopy;
use std::sync::Arc;

/// How large a file of the journal gets before it is sealed.
const JOURNAL_FILE_LIMIT_BYTES: u64 = 64 * 1024 * 1024;
/// How a log is opened.
#[derive(Clone)]
pub struct Options {
    /// The file layer of the journal.
    pub files: Arc<dyn Files>,
    /// How large a file of the journal gets before it is sealed.
    pub journal_file_limit_bytes: u64,
    /// Whether full files of the journal are written anew, in the background, with merged frames.
    pub compacts_journal: bool,
    /// Where events are read from.
    pub index: IndexKind,
    /// Another copy (the stream): what the journal and the index have lost at their end is put back from there.
    pub other_copy: Option<Arc<dyn OtherCopy>>,
}

/// Where events are read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexKind {
    /// sled, in the log's directory on the real disk.
    Sled,
    /// Memory: read from the journal at every start.
    Memory,
}

impl Default for Options {
    /// The real disk and sled.
    fn default() -> Options {
        Options {
            files: Arc::new(RealFiles),
            journal_file_limit_bytes: JOURNAL_FILE_LIMIT_BYTES,
            compacts_journal: true,
            index: IndexKind::Sled,
            other_copy: None,
        }
    }
}
