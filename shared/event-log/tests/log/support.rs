//! Logs to test on, and events to put into them.

use event_log::files::{FaultyFiles, Files, MemoryFiles, RealFiles};
use event_log::{
    Copied, IndexKind, Log, OpenError, Opened, Options, OtherCopy, ReadLimit, Stored, Writer, open,
};
use events::{
    ActorId, Document, Event, EventData, LineValue, MeasureId, Period, PlanId, Position, ReportLine,
    ReportSubmitted, Timestamp, UnitId,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a condition is waited for before a test fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// A place for a log, in which it can be opened again and again.
pub(crate) struct Home {
    pub(crate) files: FaultyFiles,
    pub(crate) memory: Option<MemoryFiles>,
    pub(crate) directory: PathBuf,
    pub(crate) journal_file_limit_bytes: u64,
    pub(crate) compacts_journal: bool,
    pub(crate) other_copy: Option<Arc<dyn OtherCopy>>,
    index: IndexKind,
    _temporary: Option<TempDir>,
}

impl Home {
    pub(crate) fn on_disk() -> Home {
        let temporary = TempDir::new().unwrap();
        Home {
            files: FaultyFiles::new(Arc::new(RealFiles)),
            memory: None,
            directory: temporary.path().join("log"),
            journal_file_limit_bytes: 64 * 1024 * 1024,
            compacts_journal: false,
            other_copy: None,
            index: IndexKind::Sled,
            _temporary: Some(temporary),
        }
    }

    pub(crate) fn in_memory() -> Home {
        let memory = MemoryFiles::new();
        Home {
            files: FaultyFiles::new(Arc::new(memory.clone())),
            memory: Some(memory),
            directory: PathBuf::from("/log"),
            journal_file_limit_bytes: 64 * 1024 * 1024,
            compacts_journal: false,
            other_copy: None,
            index: IndexKind::Memory,
            _temporary: None,
        }
    }

    pub(crate) fn with_journal_files_of(mut self, bytes: u64) -> Home {
        self.journal_file_limit_bytes = bytes;
        self
    }

    /// Full journal files are compacted: not by default, for tests that know where frames lie.
    pub(crate) fn compacting(mut self) -> Home {
        self.compacts_journal = true;
        self
    }

    pub(crate) fn try_open(&self) -> Result<Opened, OpenError> {
        let options = Options {
            files: Arc::new(self.files.clone()),
            journal_file_limit_bytes: self.journal_file_limit_bytes,
            compacts_journal: self.compacts_journal,
            index: self.index,
            other_copy: self.other_copy.clone(),
        };
        open(&self.directory, &plan(), options)
    }

    pub(crate) fn open(&self) -> Opened {
        self.try_open().unwrap_or_else(|error| panic!("the log must open: {error}"))
    }

    pub(crate) fn journal_files(&self) -> Vec<PathBuf> {
        let journal = self.directory.join("journal");
        self.files.list(&journal).unwrap().into_iter().map(|name| journal.join(name)).collect()
    }

    pub(crate) fn put(&self, path: &Path, bytes: Vec<u8>) {
        match &self.memory {
            Some(memory) => memory.put(path, bytes),
            None => {
                let _ = std::fs::remove_file(path);
                std::fs::write(path, bytes).unwrap();
            }
        }
    }
}

pub(crate) fn plan() -> PlanId {
    PlanId::parse("binh-duong").unwrap()
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Noon of 1 January 2026 and some milliseconds.
pub(crate) fn noon(milliseconds: i64) -> Timestamp {
    let noon = at("2026-01-01T12:00:00Z").as_millisecond();
    Timestamp::from_millisecond(noon + milliseconds).unwrap()
}

/// A report whose id and content come from a number, with `padding` bytes of sources.
pub(crate) fn report(number: u64, padding: usize) -> Event {
    let mut left = padding;
    let mut lines = Vec::new();
    loop {
        let taken = left.min(2_000);
        left -= taken;
        let text = (0..taken).map(|at| char::from(b'a' + ((at as u64 * 31 + number * 17) % 23) as u8));
        lines.push(ReportLine {
            measure: MeasureId::parse("information-literacy").unwrap(),
            value: LineValue::Rate { numerator: number, denominator: number + 10 },
            source: Some(text.collect()),
        });
        if left == 0 {
            break;
        }
    }
    Event {
        id: events::ids::derived_id(&["test", &number.to_string()]),
        plan: plan(),
        effective: at("2025-12-01T00:00:00Z"),
        actor: ActorId::parse("tester").unwrap(),
        traceparent: None,
        data: EventData::ReportSubmitted(ReportSubmitted {
            unit: UnitId::parse("di-an").unwrap(),
            period: Period(2025),
            revision: 1,
            document: Document { number: "1/BC-UBND".to_owned(), date: "2025-12-01".parse().unwrap() },
            lines,
            history: None,
            request_digest: None,
        }),
    }
}

/// Appends reports with these numbers, each a request and a commit of its own.
pub(crate) fn append_each(writer: &mut Writer, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        writer.append(vec![vec![report(number, 50)]], noon(number as i64)).unwrap();
    }
}

pub(crate) fn read_all(log: &Log) -> Vec<Stored> {
    let events: Vec<Stored> = log.scan(Position::START).collect::<Result<_, _>>().unwrap();
    for (index, stored) in events.iter().enumerate() {
        assert_eq!(stored.position, Position(index as u64 + 1), "positions are contiguous from 1");
    }
    assert_eq!(log.head().0, events.len() as u64, "everything up to the head is read");
    events
}

pub(crate) fn page(events: usize) -> ReadLimit {
    ReadLimit { events, bytes: usize::MAX }
}

/// Waits until the index holds everything.
pub(crate) fn wait_until_indexed(log: &Log) {
    wait_for("the index to catch up", || log.indexed() == log.head());
}

pub(crate) fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until all full journal files are compacted.
pub(crate) fn wait_until_compact(log: &Log) {
    wait_for("the journal to be compacted", || log.is_compact());
}

/// Another copy of a log, as it was when it was taken.
pub(crate) struct Copy(pub(crate) Vec<Stored>);

impl OtherCopy for Copy {
    fn head(&self) -> Position {
        self.0.last().map_or(Position::START, |stored| stored.position)
    }

    fn read(&self, from: Position, limit: ReadLimit) -> std::io::Result<Vec<Copied>> {
        let held = self.0.iter().filter(|stored| stored.position >= from);
        Ok(held.take(limit.events).cloned().map(Copied::from).collect())
    }
}

/// Changes a closed log's index behind its back.
pub(crate) fn alter(home: &Home, change: impl FnOnce(&sled::Db)) {
    // Threads of the database that was closed just now may still hold its lock.
    let mut opened = None;
    wait_for("the lock of the index", || {
        opened = sled::open(home.directory.join("index")).ok();
        opened.is_some()
    });
    let db = opened.unwrap();
    change(&db);
    db.flush().unwrap();
}

/// Makes each case a test in memory and one on disk.
macro_rules! contract {
    ($($name:ident),* $(,)?) => {
        mod in_memory {
            $(#[test] fn $name() { super::$name(super::Home::in_memory()); })*
        }
        mod on_disk {
            $(#[test] fn $name() { super::$name(super::Home::on_disk()); })*
        }
    };
}

pub(crate) use contract;
