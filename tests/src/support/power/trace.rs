//! What a recorded process did, in order.

use super::recorder::TRACE_VARIABLE;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

const MAGIC: u32 = 0x5254_5750;
const HEADER_BYTES: usize = 32;

/// What recorded processes did, in order.
#[derive(Debug, Clone)]
pub struct Trace {
    /// Each thing that was done.
    pub records: Vec<Record>,
}

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where in the trace it stands: synchronisations cover what stands before a place.
    pub place: u64,
    /// The inode to which it was done, or that it made.
    pub node: u64,
    /// What was done.
    pub what: What,
}

/// What was done. Paths are relative to the directory that is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// An empty file was made.
    Create(PathBuf),
    /// A directory was made.
    MakeDirectory(PathBuf),
    /// Bytes were written at a place in a file.
    Write {
        /// Where in the file.
        offset: u64,
        /// What.
        bytes: Vec<u8>,
    },
    /// A file was cut or grown to a size.
    Resize(u64),
    /// A file or directory was synchronised: what stands before this place of the trace is covered.
    Sync(u64),
    /// A name was changed, replacing what had the new one.
    Rename(PathBuf, PathBuf),
    /// A file got a second name.
    Link(PathBuf, PathBuf),
    /// A name was removed.
    Remove(PathBuf),
    /// The process said something about itself.
    Mark(String),
}

impl Trace {
    /// Reads a trace; a last record that is not whole is left out.
    pub(super) fn parse(bytes: &[u8]) -> Trace {
        let mut records = Vec::new();
        let mut at = 0;
        while at + HEADER_BYTES <= bytes.len() {
            let u32_at = |offset: usize| {
                u32::from_ne_bytes(bytes[at + offset..at + offset + 4].try_into().expect("four bytes"))
            };
            let u64_at = |offset: usize| {
                u64::from_ne_bytes(bytes[at + offset..at + offset + 8].try_into().expect("eight bytes"))
            };
            assert_eq!(u32_at(0), MAGIC, "a record begins at byte {at} of the trace");
            let names_at = at + HEADER_BYTES;
            let data_at = names_at + u32_at(24) as usize;
            let end = data_at + u32_at(28) as usize;
            if end > bytes.len() {
                break;
            }
            let names = std::str::from_utf8(&bytes[names_at..data_at]).expect("names are text");
            let name = || PathBuf::from(names.trim_start_matches('/'));
            let two = || {
                let (from, to) = names.split_once('\0').expect("two names");
                (from.trim_start_matches('/').into(), to.trim_start_matches('/').into())
            };
            let kind = u8::try_from(u32_at(4)).map_or('?', char::from);
            let what = match kind {
                'C' => What::Create(name()),
                'D' => What::MakeDirectory(name()),
                'W' => What::Write { offset: u64_at(16), bytes: bytes[data_at..end].to_vec() },
                'T' => What::Resize(u64_at(16)),
                'S' | 's' => What::Sync(u64_at(16)),
                'R' => {
                    let (from, to) = two();
                    What::Rename(from, to)
                }
                'L' => {
                    let (from, to) = two();
                    What::Link(from, to)
                }
                'U' => What::Remove(name()),
                'M' => What::Mark(String::from_utf8_lossy(&bytes[data_at..end]).into_owned()),
                'X' => panic!("the process did what cannot be replayed: {names}"),
                other => panic!("the trace holds a record of the unknown kind {other}"),
            };
            records.push(Record { place: at as u64, node: u64_at(8), what });
            at = end;
        }
        Trace { records }
    }
}

/// Puts a mark into the trace of the process that calls it, if it is recorded.
pub fn mark(text: &str) {
    let Some(path) = std::env::var_os(TRACE_VARIABLE) else { return };
    let mut record = Vec::with_capacity(HEADER_BYTES + text.len());
    record.extend_from_slice(&MAGIC.to_ne_bytes());
    record.extend_from_slice(&u32::from(b'M').to_ne_bytes());
    record.extend_from_slice(&[0; 20]);
    record.extend_from_slice(&u32::try_from(text.len()).expect("a mark is short").to_ne_bytes());
    record.extend_from_slice(text.as_bytes());
    let mut trace = OpenOptions::new().append(true).open(path).expect("the trace is there");
    trace.write_all(&record).expect("the trace can be written");
}
