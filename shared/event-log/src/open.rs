//! Opening a log: the lock, the format, the journal made whole, the index brought up to it.

use crate::applier::{self, CatchUpError, IndexHome, catch_up, retire};
use crate::check;
use crate::directory;
use crate::files::Files;
use crate::index::{Index, IndexError, IndexOpenError, directory_exists};
use crate::journal::{self, Journal, JournalFault, JournalMap, JournalReadError, Scanned};
use crate::log::{Log, NEVER, Shared};
use crate::options::{IndexKind, Options};
use crate::other_copy::{self, OtherCopy};
use crate::report::{IndexState, OpenReport};
use crate::stored::{Page, ReadLimit, Stored};
use crate::tail::Tail;
use crate::tree::LogTree;
use crate::write_state::WriteState;
use crate::writer::Writer;
use events::{PlanId, Position};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64};
use std::sync::{Arc, Mutex, RwLock};
use thiserror::Error;
use tokio::sync::watch;

/// How many faults of one journal are repaired at a start before a person has to look.
const REPAIRS_LIMIT: usize = 64;
/// The most that one repair puts back, in events and bytes.
const REPAIR_LIMIT: ReadLimit = ReadLimit { events: 4_000_000, bytes: 1024 * 1024 * 1024 };

/// An open log.
pub struct Opened {
    /// For reading.
    pub log: Log,
    /// For writing: there is one.
    pub writer: Writer,
    /// What was found and done at the start.
    pub report: OpenReport,
}

/// Why a log did not open. Nothing was changed but what the variant says.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process, or another part of this one, has it open.
    #[error("the log in `{}` is in use; stop the other service first", directory.display())]
    InUse {
        /// The log's directory.
        directory: PathBuf,
    },
    /// A newer version wrote it.
    #[error(
        "the log in `{}` has format {found}, this version knows up to {known}; install the newer version",
        directory.display()
    )]
    Newer {
        /// The log's directory.
        directory: PathBuf,
        /// The format found.
        found: u32,
        /// The newest format known.
        known: u32,
    },
    /// It belongs to another plan.
    #[error(
        "the log in `{}` belongs to plan `{found}`, not `{asked}`; give every plan a directory of its own",
        directory.display()
    )]
    OtherPlan {
        /// The log's directory.
        directory: PathBuf,
        /// Its plan.
        found: PlanId,
        /// The plan that was asked for.
        asked: PlanId,
    },
    /// The mark that names format and plan cannot be read.
    #[error("cannot read the format mark `{}`; put it back from a backup", path.display())]
    FormatMark {
        /// The mark.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// There is a journal without a format mark.
    #[error(
        "`{}` holds a journal but no format mark; put `format.json` back from a backup, or name the right directory",
        directory.display()
    )]
    NoFormatMark {
        /// The log's directory.
        directory: PathBuf,
    },
    /// The disk refused.
    #[error("cannot use `{}`", path.display())]
    Files {
        /// What was used.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The journal is damaged and no other copy here holds what is missing.
    #[error(
        "the journal file `{}` is damaged at byte {offset}, position {position}: {what}; nothing was cut; put the \
         journal back from a backup",
        file.display()
    )]
    JournalDamaged {
        /// The file.
        file: PathBuf,
        /// Where in the file.
        offset: u64,
        /// The position that should be there.
        position: Position,
        /// What is wrong.
        what: String,
    },
    /// The journal cannot be read while the index is made.
    #[error("cannot bring the index up to the journal")]
    CatchUp(#[source] JournalReadError),
    /// The index cannot be opened or written, and moving it aside would not help.
    #[error("cannot use the index `{}`; check the disk and its permissions", path.display())]
    Index {
        /// The index.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The thread that keeps the index did not start.
    #[error("cannot start a thread for the log")]
    Thread(#[source] io::Error),
}

/// Opens the log in a directory, making an empty one where there is none.
///
/// Blocks until the journal is checked and the index is up to it. What was cut, restored or rebuilt is in the
/// report and in the trace.
pub fn open(directory: &Path, plan: &PlanId, options: Options) -> Result<Opened, OpenError> {
    let files = &*options.files;
    let journal_directory = directory::journal(directory);
    let refused = |path: &Path| {
        let path = path.to_owned();
        move |source| OpenError::Files { path, source }
    };
    files.create_directory(&journal_directory).map_err(refused(&journal_directory))?;
    let lock = directory::lock(files, directory)?;
    prepare_format(files, directory, &journal_directory, plan)?;
    journal::remove_unfinished(files, &journal_directory).map_err(refused(&journal_directory))?;
    // A process that was killed may have left names that it had not made durable yet.
    for synchronised in [directory, &journal_directory] {
        files.sync_directory(synchronised).map_err(refused(synchronised))?;
    }
    let home = match options.index {
        IndexKind::Sled => IndexHome::Sled(directory::index(directory)),
        IndexKind::Memory => IndexHome::Memory,
    };
    let scanned = journal::scan(files, &journal_directory).map_err(refused(&journal_directory))?;
    let mut report = OpenReport::default();
    let existing = open_existing(&home, plan)?;
    let other_copy = options.other_copy.as_deref();
    let mut opening = Opening { files, directory: &journal_directory, plan, other_copy, report: &mut report };
    let (scanned, existing) = opening.make_whole(scanned, existing)?;
    let head = scanned.head;
    let map =
        Arc::new(JournalMap::new(Arc::clone(&options.files), journal_directory.clone(), scanned.segments));
    // Before the index: what is in that counts as durable in the journal.
    let journal = Journal::open(Arc::clone(&map), options.journal_file_limit_bytes)
        .map_err(refused(&journal_directory))?;
    let index = ready_index(&home, plan, existing, scanned.last.as_ref(), &map, &mut report)?;
    report.head = head;
    report.tiles_made = index.tiles_made();
    report.trace(plan);
    let last_recorded_ms = scanned.last.map_or(NEVER, |last| last.recorded_at.as_millisecond());
    let shared = Arc::new(Shared {
        plan: plan.clone(),
        head: watch::Sender::new(head),
        last_recorded_ms: AtomicI64::new(last_recorded_ms),
        tail: Tail::default(),
        tree: LogTree::at(index.frontier()),
        index: RwLock::new(Some(index)),
        index_suspect: AtomicBool::new(false),
        journal: map,
        write_state: Mutex::new(WriteState::Writing),
        _lock: lock,
    });
    let applier = {
        let shared = Arc::clone(&shared);
        let compacts = options.compacts_journal;
        let name = format!("index-{plan}");
        std::thread::Builder::new().name(name).spawn(move || {
            std::thread::scope(|scope| {
                let name = format!("check-{}", shared.plan);
                let checking = std::thread::Builder::new()
                    .name(name)
                    .spawn_scoped(scope, || check::run(&shared, compacts));
                if let Err(error) = checking {
                    tracing::warn!(%error, "Could not start a thread: sealed journal files are not checked");
                }
                applier::run(&shared, &home);
            });
        })
    };
    let applier = applier.map_err(OpenError::Thread)?;
    let writer = Writer::new(Arc::clone(&shared), journal, applier, directory.to_owned());
    Ok(Opened { log: Log { shared }, writer, report })
}

fn prepare_format(
    files: &dyn Files,
    directory: &Path,
    journal_directory: &Path,
    plan: &PlanId,
) -> Result<(), OpenError> {
    match directory::read_format(files, directory)? {
        Some(found) if found == *plan => Ok(()),
        Some(found) => {
            Err(OpenError::OtherPlan { directory: directory.to_owned(), found, asked: plan.clone() })
        }
        None => {
            let journal = journal::list(files, journal_directory);
            let path = journal_directory.to_owned();
            if !journal.map_err(|source| OpenError::Files { path, source })?.is_empty() {
                return Err(OpenError::NoFormatMark { directory: directory.to_owned() });
            }
            // Whoever finds the mark may rely on the directory itself.
            directory::sync_above(files, directory)?;
            directory::write_format(files, directory, plan)
        }
    }
}

/// The index as it was found.
enum Existing {
    Missing,
    Usable(Box<dyn Index>),
    Useless(String),
}

fn open_existing(home: &IndexHome, plan: &PlanId) -> Result<Existing, OpenError> {
    if let IndexHome::Sled(path) = home
        && !directory_exists(path)
    {
        return Ok(Existing::Missing);
    }
    match home.open(plan) {
        Ok(index) => Ok(Existing::Usable(index)),
        Err(IndexOpenError::Damaged(why)) => Ok(Existing::Useless(why)),
        Err(IndexOpenError::Io(source)) => Err(index_refused(home, source)),
    }
}

fn index_refused(home: &IndexHome, source: io::Error) -> OpenError {
    let path = match home {
        IndexHome::Memory => PathBuf::new(),
        IndexHome::Sled(path) => path.clone(),
    };
    OpenError::Index { path, source }
}

/// Making the journal whole, with the index as the other copy.
struct Opening<'a> {
    files: &'a dyn Files,
    directory: &'a Path,
    plan: &'a PlanId,
    other_copy: Option<&'a dyn OtherCopy>,
    report: &'a mut OpenReport,
}

impl Opening<'_> {
    fn make_whole(
        &mut self,
        mut scanned: Scanned,
        mut existing: Existing,
    ) -> Result<(Scanned, Existing), OpenError> {
        let refused = |path: &Path, source| OpenError::Files { path: path.to_owned(), source };
        for _ in 0..REPAIRS_LIMIT {
            let mut held = match &existing {
                Existing::Usable(index) => index.head(),
                _ => Position::START,
            };
            if let (Existing::Usable(index), true) = (&existing, held > scanned.head)
                && !agrees(&**index, scanned.last.as_ref())
            {
                existing = useless(existing, "it holds another history than the journal");
                held = Position::START;
            }
            let goes_on = self.other_copy.filter(|copy| other_copy::goes_on(*copy, scanned.last.as_ref()));
            let fault = match &scanned.fault {
                Some(fault) => fault.clone(),
                None if held > scanned.head || goes_on.is_some() => lost_end(&scanned, self.directory),
                None => return Ok((scanned, existing)),
            };
            let damaged = || OpenError::JournalDamaged {
                file: fault.path.clone(),
                offset: fault.offset,
                position: fault.position,
                what: fault.what.clone(),
            };
            // The last position that is missing, as far as it is known.
            let until = match &fault.follows {
                Some(follows) => Position(follows.position.0 - 1),
                // The index first: what it holds is this log's own, and the other copy is held against it next.
                None if held >= fault.position => held,
                None => goes_on.map_or(Position::START, OtherCopy::head),
            };
            if until < fault.position {
                // Nothing follows and no copy holds anything more: a commit that was never acknowledged.
                let other_holds = self.other_copy.is_some_and(|copy| copy.head() >= fault.position);
                if fault.follows.is_some() || other_holds {
                    return Err(damaged());
                }
                journal::cut(self.files, &fault).map_err(|source| refused(&fault.path, source))?;
                self.report.journal_bytes_cut += fault.rest_bytes;
            } else {
                // A copy that has a part of the last commit would make half a request of it.
                let claimed = journal::claimed_last(self.files, &fault);
                let from_index = || match &existing {
                    Existing::Usable(index) if held >= until && claimed <= Some(held) => {
                        missing_events(&**index, fault.position, until)
                    }
                    _ => None,
                };
                let from_other_copy = || {
                    let found = other_copy::behind(goes_on?, self.plan, scanned.last.as_ref()?, until)?;
                    // Before what follows, half of what is missing would only move the fault.
                    let last = found.last()?.position;
                    let enough = if fault.follows.is_none() { claimed <= Some(last) } else { last == until };
                    enough.then_some(found)
                };
                match from_index().or_else(from_other_copy) {
                    Some(missing) => {
                        let repair = journal::restore(self.files, self.directory, &fault, &missing)
                            .map_err(|source| refused(&fault.path, source))?;
                        self.report.journal_events_restored += repair.last.0 - repair.first.0 + 1;
                        self.report.journal_files_repaired.push(repair.file);
                    }
                    // The journal ends whole; only the copies claim more, and cannot show it.
                    None if scanned.fault.is_none() && held > scanned.head => {
                        existing = useless(existing, "it claims positions that it cannot show");
                        continue;
                    }
                    None if scanned.fault.is_none() => return Ok((scanned, existing)),
                    None => return Err(damaged()),
                }
            }
            let again = journal::scan(self.files, self.directory);
            scanned = again.map_err(|source| refused(self.directory, source))?;
        }
        Err(OpenError::JournalDamaged {
            file: self.directory.to_owned(),
            offset: 0,
            position: scanned.head.next(),
            what: format!("there are more than {REPAIRS_LIMIT} damaged places"),
        })
    }
}

fn useless(existing: Existing, why: &str) -> Existing {
    if let Existing::Usable(index) = existing {
        retire(index);
    }
    Existing::Useless(why.to_owned())
}

/// The journal ends whole, but earlier than the index: its end is missing.
fn lost_end(scanned: &Scanned, directory: &Path) -> JournalFault {
    let position = scanned.head.next();
    let path = match scanned.segments.last() {
        Some(segment) => segment.path.clone(),
        None => directory.join(journal::file_name(position)),
    };
    let what = "the end of the journal is missing".to_owned();
    JournalFault { offset: scanned.size_bytes, path, rest_bytes: 0, position, what, follows: None }
}

/// Whether the index holds the same event as the journal where the journal ends.
fn agrees(index: &dyn Index, last: Option<&Stored>) -> bool {
    let Some(last) = last else { return true };
    let mut page = Page::new(ReadLimit { events: 1, bytes: 0 });
    index.read(last.position, &mut page).is_ok() && page.into_stored().first() == Some(last)
}

/// Reads a range of events from the index, if it can show every one of them.
pub(crate) fn missing_events(index: &dyn Index, first: Position, last: Position) -> Option<Vec<Stored>> {
    let events = usize::try_from(last.0 - first.0 + 1).ok()?;
    if events > REPAIR_LIMIT.events {
        return None;
    }
    let mut page = Page::new(ReadLimit { events, bytes: REPAIR_LIMIT.bytes });
    index.read(first, &mut page).ok()?;
    let found = page.into_stored();
    (found.len() == events && found.last().is_some_and(|event| event.position == last)).then_some(found)
}

/// Brings the index up to the journal, or makes it again.
fn ready_index(
    home: &IndexHome,
    plan: &PlanId,
    existing: Existing,
    last: Option<&Stored>,
    journal: &Arc<JournalMap>,
    report: &mut OpenReport,
) -> Result<Box<dyn Index>, OpenError> {
    let head = last.map_or(Position::START, |last| last.position);
    let why = match existing {
        Existing::Missing if head == Position::START => {
            return match home.open(plan) {
                Ok(index) => Ok(index),
                Err(IndexOpenError::Io(source)) => Err(index_refused(home, source)),
                Err(IndexOpenError::Damaged(why)) => Err(index_refused(home, io::Error::other(why))),
            };
        }
        Existing::Missing => "it was not there".to_owned(),
        Existing::Useless(why) => why,
        Existing::Usable(index) => match bring_up(&*index, last, journal)? {
            Ok(from) => {
                if let (Some(from), IndexHome::Sled(_)) = (from, home) {
                    report.index = IndexState::CaughtUp { from };
                }
                return Ok(index);
            }
            Err(why) => {
                retire(index);
                why
            }
        },
    };
    let (index, moved_to) = home.open_anew(plan).map_err(|error| match error {
        IndexOpenError::Io(source) => index_refused(home, source),
        IndexOpenError::Damaged(why) => index_refused(home, io::Error::other(why)),
    })?;
    report.index = IndexState::Rebuilt { why, moved_to };
    bring_up(&*index, last, journal)?.map_err(|why| index_refused(home, io::Error::other(why)))?;
    Ok(index)
}

/// Catches up; the inner error says that the index is of no use.
fn bring_up(
    index: &dyn Index,
    last: Option<&Stored>,
    journal: &Arc<JournalMap>,
) -> Result<Result<Option<Position>, String>, OpenError> {
    let head = last.map_or(Position::START, |last| last.position);
    let held = index.head();
    if let Some(why) = index.tree_fault() {
        return Ok(Err(why.to_owned()));
    }
    if held < head {
        if let Some(event) = event_in_journal(journal, held)?
            && !agrees(index, Some(&event))
        {
            return Ok(Err("it holds another history than the journal".to_owned()));
        }
        match catch_up(index, journal, head, || false) {
            Ok(()) => {}
            Err(CatchUpError::Index(IndexError::Damaged(why))) => return Ok(Err(why)),
            Err(CatchUpError::Index(IndexError::Io(source))) => {
                return Err(OpenError::Index { path: PathBuf::new(), source });
            }
            Err(CatchUpError::Journal(source)) => return Err(OpenError::CatchUp(source)),
            Err(CatchUpError::Closing) => unreachable!("nothing closes a log that is being opened"),
        }
    }
    if !agrees(index, last) {
        return Ok(Err("it does not hold what the journal holds at the head".to_owned()));
    }
    if index.frontier().size() != head.0 {
        return Ok(Err("its tree does not end at the head".to_owned()));
    }
    Ok(Ok((held < head).then(|| held.next())))
}

fn event_in_journal(journal: &Arc<JournalMap>, position: Position) -> Result<Option<Stored>, OpenError> {
    if position == Position::START {
        return Ok(None);
    }
    let frame = journal.frames(position, position).read_next().map_err(OpenError::CatchUp)?;
    Ok(frame.into_iter().flatten().find(|stored| stored.position == position))
}
