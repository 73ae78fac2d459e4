//! Snapshots on disk: segments of facts that follow each other, each written in one step and bound to the log.
//!
//! A segment that is full stays as it is; only the last one is written anew as the fold goes on, so that a
//! snapshot costs what came since, not what there is. Each segment names the root of the log's Merkle tree at
//! its end and before its beginning: it is used only where the log has the same roots.

use event_log::{EvidenceError, Log};
use events::Position;
use indicators::{Facts, SegmentHead};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A segment of so many events is full: the next snapshot begins another one.
pub const SEGMENT_EVENTS: u64 = 262_144;

const ENDING: &str = "facts";
/// What earlier versions wrote; nobody reads it any more.
const FORMER_ENDING: &str = "snapshot";

/// The directory of the snapshots, and the segments in it that the facts rest on.
#[derive(Debug)]
pub struct Snapshots {
    directory: PathBuf,
    segment_events: u64,
    /// In order, without a gap, from the first position on.
    chain: Vec<Segment>,
}

/// A segment on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Segment {
    after: Position,
    head: Position,
    path: PathBuf,
}

/// Facts from segments that follow each other.
#[derive(Debug)]
pub struct Loaded {
    facts: Facts,
    chain: Vec<Segment>,
    heads: Vec<SegmentHead>,
}

/// A segment that is to be written.
#[derive(Debug)]
pub(crate) struct Pending {
    directory: PathBuf,
    segment: Segment,
    bytes: Vec<u8>,
}

/// A segment that was written.
#[derive(Debug)]
pub(crate) struct Written(Segment);

impl Snapshots {
    /// Makes the directory if it is not there, and removes what a killed service left half-written and what
    /// only earlier versions read.
    pub fn open(directory: PathBuf, segment_events: u64) -> io::Result<Snapshots> {
        fs::create_dir_all(&directory)?;
        let snapshots = Snapshots { directory, segment_events: segment_events.max(1), chain: Vec::new() };
        for path in snapshots.with_ending("new")?.into_iter().chain(snapshots.with_ending(FORMER_ENDING)?) {
            fs::remove_file(path)?;
        }
        Ok(snapshots)
    }

    /// What is to be written so that a restart finds these facts; none where they are on disk already.
    pub(crate) fn prepare(&self, facts: &Facts, log: &Log) -> Result<Option<Pending>, EvidenceError> {
        let last = self.chain.last();
        let after = match last {
            // The last one is written anew until it is full.
            Some(last) if last.head.0 - last.after.0 < self.segment_events => last.after,
            Some(last) => last.head,
            None => Position::START,
        };
        let head = facts.head();
        if head <= last.map_or(Position::START, |last| last.head) {
            return Ok(None);
        }
        let bytes = facts.segment(after, log.root_at(head)?.0, log.root_at(after)?.0);
        let path = self.directory.join(format!("{:020}-{:020}.{ENDING}", after.0, head.0));
        let segment = Segment { after, head, path };
        Ok(Some(Pending { directory: self.directory.clone(), segment, bytes }))
    }

    /// Takes note of what was written, and removes what it stands in place of.
    pub(crate) fn done(&mut self, written: Written) -> io::Result<()> {
        let Written(segment) = written;
        self.chain.retain(|before| before.head <= segment.after);
        self.chain.push(segment);
        let used: BTreeSet<&PathBuf> = self.chain.iter().map(|segment| &segment.path).collect();
        let there = self.with_ending(ENDING)?;
        there.iter().filter(|path| !used.contains(path)).try_for_each(fs::remove_file)
    }

    /// Loads the segments before the log can be asked whose they are: opening a long log takes as long. Changes
    /// nothing; none where there is nothing to load or something is wrong, which `restore` then says.
    pub fn load_ahead(directory: &Path) -> Option<Loaded> {
        let snapshots = Snapshots { directory: directory.to_owned(), segment_events: 1, chain: Vec::new() };
        load(&snapshots.found().ok()?, |_| Ok(())).ok()
    }

    /// The facts of all segments that are right and of this log; none if the log is to be folded from the
    /// beginning. What is wrong with a segment is said in the log lines. `ahead` is what was loaded already.
    pub fn restore(&mut self, log: &Log, ahead: Option<Loaded>) -> io::Result<Option<Facts>> {
        let mut found = self.found()?;
        let is_of = |head: &SegmentHead| is_of(log, head);
        let ahead = ahead.filter(|loaded| loaded.heads.iter().all(|head| is_of(head).is_ok()));
        let mut loaded = ahead.map(Ok);
        loop {
            match loaded.take().unwrap_or_else(|| load(&found, is_of)) {
                Ok(Loaded { facts, chain, .. }) => {
                    let position = facts.head();
                    self.chain = chain;
                    if position == Position::START {
                        return Ok(None);
                    }
                    tracing::info!(position = position.0, segments = self.chain.len(), "Restored the facts");
                    return Ok(Some(facts));
                }
                Err((path, why)) => {
                    metrics::counter!("planwatch_snapshots_refused_total").increment(1);
                    tracing::warn!("The snapshot `{}` is not used: {why}", path.display());
                    found.retain(|(_, other)| *other != path);
                }
            }
        }
    }

    /// The segments that are there; of two that begin at the same place the longer one comes first.
    fn found(&self) -> io::Result<Vec<(SegmentHead, PathBuf)>> {
        let mut found = Vec::new();
        for path in self.with_ending(ENDING)? {
            found.extend(head_of(&path).map(|head| (head, path)));
        }
        found.sort_by_key(|(head, _)| (head.after, std::cmp::Reverse(head.head)));
        Ok(found)
    }

    fn with_ending(&self, ending: &str) -> io::Result<Vec<PathBuf>> {
        let entries = fs::read_dir(&self.directory)?.collect::<io::Result<Vec<_>>>()?;
        let paths = entries.into_iter().map(|entry| entry.path());
        Ok(paths.filter(|path| path.extension().is_some_and(|found| found == ending)).collect())
    }
}

impl Pending {
    /// Writes the segment durably, in one step.
    pub(crate) fn write(self) -> io::Result<Written> {
        let Pending { directory, segment, bytes } = self;
        let new = segment.path.with_extension("new");
        let written = File::create(&new).and_then(|mut file| {
            file.write_all(&bytes)?;
            file.sync_all()
        });
        if let Err(error) = written.and_then(|()| fs::rename(&new, &segment.path)) {
            // The room that a half-written file takes is given back; the error that is told is the first one.
            let _ = fs::remove_file(&new);
            return Err(error);
        }
        File::open(directory)?.sync_all()?;
        Ok(Written(segment))
    }
}

/// What a segment's first bytes say; none if it is none of ours: it is removed with the next snapshot.
fn head_of(path: &Path) -> Option<SegmentHead> {
    use std::io::Read;
    let mut first = Vec::with_capacity(256);
    let read = File::open(path).and_then(|file| file.take(256).read_to_end(&mut first));
    let head = read.map_err(|error| error.to_string());
    let head = head.and_then(|_| SegmentHead::read(&first).map_err(|error| error.to_string()));
    head.inspect_err(|why| {
        metrics::counter!("planwatch_snapshots_refused_total").increment(1);
        tracing::warn!("The snapshot `{}` is not used: {why}", path.display());
    })
    .ok()
}

/// Loads segments that follow each other and are right, as far as there are any; says which one is not to be used.
fn load(
    found: &[(SegmentHead, PathBuf)],
    is_right: impl Fn(&SegmentHead) -> Result<(), String>,
) -> Result<Loaded, (PathBuf, String)> {
    let mut loaded = Loaded { facts: Facts::new(), chain: Vec::new(), heads: Vec::new() };
    loop {
        let after = loaded.facts.head();
        let Some((head, path)) = found.iter().find(|(head, _)| head.after == after) else {
            return Ok(loaded);
        };
        let refused = |why: String| (path.clone(), why);
        is_right(head).map_err(refused)?;
        let bytes = fs::read(path).map_err(|error| refused(error.to_string()))?;
        let read = loaded.facts.load(&bytes).map_err(|error| refused(error.to_string()))?;
        if read != *head {
            return Err(refused("it was changed while it was read".to_owned()));
        }
        loaded.heads.push(read);
        loaded.chain.push(Segment { after, head: head.head, path: path.clone() });
    }
}

/// Compares a segment with the log: the log may have been replaced since.
fn is_of(log: &Log, head: &SegmentHead) -> Result<(), String> {
    if head.head > log.head() {
        return Err(format!("the log does not reach position {}", head.head));
    }
    let root = |position| log.root_at(position).map(|root| root.0).map_err(|error| error.to_string());
    if root(head.head)? == head.content && root(head.after)? == head.content_before {
        Ok(())
    } else {
        Err("it is of another log".to_owned())
    }
}

#[cfg(test)]
mod tests;
