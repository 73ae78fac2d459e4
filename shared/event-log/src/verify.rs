//! Checking a log's files from end to end, without the index.

use crate::against::{self, Against, CheckpointVerdict, Recomputed};
use crate::directory;
use crate::files::{Files, RealFiles};
use crate::frame::{self, End};
use crate::journal;
use crate::open::OpenError;
use crate::stored::Stored;
use events::{EventId, PlanId, Position, Timestamp, wire};
use evidence::TreeHash;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// How many problems are listed; the rest is counted.
const PROBLEMS_LIMIT: usize = 1_000;

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// The plan whose log it is.
    pub plan: Option<PlanId>,
    /// The last position in a whole frame.
    pub head: Position,
    /// How many whole frames there are.
    pub frames: u64,
    /// How many events are in them.
    pub events: u64,
    /// How many bytes the journal's files hold.
    pub bytes: u64,
    /// Bytes behind the last whole frame of a log that is being written: a commit on its way.
    pub in_flight_bytes: u64,
    /// The root of the tree over the events; none if they are not contiguous from position 1.
    pub root: Option<TreeHash>,
    /// What was found about each checkpoint that was given.
    pub checkpoints: Vec<CheckpointVerdict>,
    /// What is wrong, at most the first 1,000.
    pub problems: Vec<Problem>,
    /// How many more there are.
    pub further_problems: u64,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The position at which it is.
    pub position: Position,
    /// The file.
    pub file: PathBuf,
    /// What it is.
    pub what: String,
}

/// Why a log could not be checked.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// The directory is not one that this version can read.
    #[error(transparent)]
    Directory(#[from] OpenError),
    /// There is no log.
    #[error("there is no log in `{}`; name the directory that holds `format.json`", .0.display())]
    NoLog(PathBuf),
    /// It belongs to another plan.
    #[error("the log belongs to plan `{found}`, not `{asked}`")]
    OtherPlan {
        /// Its plan.
        found: PlanId,
        /// The plan that was asked for.
        asked: PlanId,
    },
    /// A file could not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl VerifyReport {
    /// Whether nothing is wrong.
    pub fn is_ok(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Checks the journal in a directory: frames and their checksums, contiguity, the sequence in each event,
/// recorded times, ids.
///
/// Changes nothing and takes no lock; on a log that is being written it checks what is whole. Needs memory
/// for every id, about 50 bytes an event.
pub fn verify(directory: &Path, plan: Option<&PlanId>) -> Result<VerifyReport, VerifyError> {
    verify_files(&RealFiles, directory, plan)
}

/// Does what [`verify`] does, on any file layer.
pub fn verify_files(
    files: &dyn Files,
    directory: &Path,
    plan: Option<&PlanId>,
) -> Result<VerifyReport, VerifyError> {
    verify_against(files, directory, plan, &Against::default())
}

/// Does what [`verify`] does, and says of each checkpoint whether the journal agrees with it.
///
/// A checkpoint that is refused, that covers more than there is, or that differs is a problem, too; its file is
/// the checkpoint's.
pub fn verify_against(
    files: &dyn Files,
    directory: &Path,
    plan: Option<&PlanId>,
    against: &Against<'_>,
) -> Result<VerifyReport, VerifyError> {
    let found =
        directory::read_format(files, directory)?.ok_or_else(|| VerifyError::NoLog(directory.to_owned()))?;
    if let Some(asked) = plan.filter(|asked| **asked != found) {
        return Err(VerifyError::OtherPlan { found, asked: asked.clone() });
    }
    let journal_directory = directory::journal(directory);
    let read_error = |path: &Path| {
        let path = path.to_owned();
        move |source| VerifyError::Read { path, source }
    };
    let lock = directory::lock_file(directory);
    let is_live = files.is_locked(&lock).map_err(read_error(&lock))?;
    let listed = journal::list(files, &journal_directory).map_err(read_error(&journal_directory))?;
    let checked = against::check_signatures(against);
    let tree = Recomputed::new(&checked);
    let mut check = Check {
        plan: found,
        report: VerifyReport::default(),
        frame_at: 0,
        last: None,
        ids: HashMap::new(),
        tree,
    };
    for (index, (first, path)) in listed.iter().enumerate() {
        let bytes = files.read(path).map_err(read_error(path))?;
        let is_last = index + 1 == listed.len();
        check.file(path, *first, &bytes, is_last && is_live);
    }
    let walk_again = |visit: &mut dyn FnMut(Position, &[u8]) -> bool| {
        for (_, path) in &listed {
            let Ok(bytes) = files.read(path) else { return };
            if !walk_events(&bytes, visit) {
                return;
            }
        }
    };
    let (verdicts, problems) = against::judge(against, checked, &check.tree, walk_again);
    check.report.problems.extend(problems);
    check.report.checkpoints = verdicts;
    check.report.root = check.tree.root();
    check.report.plan = Some(check.plan);
    Ok(check.report)
}

/// Hands out the events of whole frames; false if the visitor stopped.
fn walk_events(bytes: &[u8], visit: &mut dyn FnMut(Position, &[u8]) -> bool) -> bool {
    let mut frames = Vec::new();
    frame::walk(bytes, |offset, _| frames.push(offset));
    let events = frames.into_iter().flat_map(|offset| frame::decode(&bytes[offset..]).unwrap_or_default());
    for stored in events {
        if !visit(stored.position, &stored.bytes) {
            return false;
        }
    }
    true
}

struct Check {
    plan: PlanId,
    report: VerifyReport,
    /// Where the frame starts that is being looked at.
    frame_at: usize,
    last: Option<(Position, Timestamp)>,
    ids: HashMap<EventId, Position>,
    tree: Recomputed,
}

impl Check {
    fn next(&self) -> Position {
        self.last.map_or(Position(1), |(position, _)| position.next())
    }

    fn problem(&mut self, position: Position, file: &Path, what: String) {
        if self.report.problems.len() < PROBLEMS_LIMIT {
            self.report.problems.push(Problem { position, file: file.to_owned(), what });
        } else {
            self.report.further_problems += 1;
        }
    }

    fn file(&mut self, path: &Path, first: Position, bytes: &[u8], may_be_in_flight: bool) {
        self.report.bytes += bytes.len() as u64;
        if first != self.next() {
            let what = format!("the file is named for position {first}, {} comes next", self.next());
            self.problem(first, path, what);
        }
        let mut start = 0;
        while start < bytes.len() {
            let mut frames = Vec::new();
            let (length, end) = frame::walk(&bytes[start..], |offset, _| frames.push(start + offset));
            for offset in frames {
                self.frame(path, offset, &bytes[offset..]);
            }
            let End::Torn { what, resumes } = end else { return };
            let rest = bytes.len() - start - length;
            match resumes {
                Some((offset, _)) => {
                    let what = format!("byte {}: {what}", start + length);
                    self.problem(self.next(), path, what);
                    start += offset;
                }
                None if may_be_in_flight => {
                    self.report.in_flight_bytes = rest as u64;
                    return;
                }
                None => {
                    let what = format!(
                        "byte {}: {what}; the last {rest} bytes are no whole frame (if this is the last file, \
                         the next start cuts or restores them)",
                        start + length
                    );
                    self.problem(self.next(), path, what);
                    return;
                }
            }
        }
    }

    fn frame(&mut self, path: &Path, offset: usize, bytes: &[u8]) {
        self.report.frames += 1;
        self.frame_at = offset;
        match frame::decode(bytes) {
            Ok(stored) => stored.iter().for_each(|stored| self.event(path, stored)),
            Err(error) => self.wrong_event(self.next(), path, error.to_string()),
        }
    }

    /// Names what is wrong with an event, and the frame that it is in.
    fn wrong_event(&mut self, position: Position, path: &Path, what: String) {
        let what = format!("byte {}: {what}", self.frame_at);
        self.problem(position, path, what);
    }

    fn event(&mut self, path: &Path, stored: &Stored) {
        self.report.events += 1;
        let position = stored.position;
        self.tree.event(position, &stored.bytes);
        if position != self.next() {
            self.wrong_event(position, path, format!("{} comes next", self.next()));
        }
        if self.last.is_some_and(|(_, last)| stored.recorded_at < last) {
            self.wrong_event(
                position,
                path,
                "the recorded time is before that of the event before".to_owned(),
            );
        }
        if let Some(earlier) = self.ids.insert(stored.id, position) {
            self.wrong_event(position, path, format!("the id {} is that of position {earlier}", stored.id));
        }
        match wire::read_envelope(&stored.bytes) {
            // A newer version wrote it; its frame is whole all the same.
            Err(wire::ReadError::UnknownType { .. }) => {}
            Err(error) => self.wrong_event(position, path, error.to_string()),
            Ok(envelope) => {
                let mut differs = |what: &str| {
                    self.wrong_event(position, path, format!("{what} in the event differs from the frame's"));
                };
                if envelope.position != position {
                    differs("the sequence");
                }
                if envelope.recorded_at != stored.recorded_at {
                    differs("the recorded time");
                }
                if envelope.id != stored.id {
                    differs("the id");
                }
                if envelope.plan != self.plan {
                    let what = format!("the event is of plan `{}`", envelope.plan);
                    self.wrong_event(position, path, what);
                }
            }
        }
        self.last = Some((position, stored.recorded_at));
        self.report.head = self.report.head.max(position);
    }
}
