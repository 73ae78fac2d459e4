//! What the tests of power cuts record: a process that opens a log and writes to it.
//!
//! `log-workload KIND DIRECTORY SEED JOURNAL_FILE_BYTES COMPACTS`; the seed decides what is written. It marks in its trace
//! what it has been told: `open HEAD`, then for each append `begin FIRST LENGTH…` with the lengths of its
//! requests and `done FIRST DIGEST…` with a digest of each event's bytes when it was acknowledged, and `end`.

use event_log::files::MemoryFiles;
use event_log::{Copied, IndexKind, Opened, Options, ReadLimit, Writer, open};
use events::{Event, Position, Timestamp};
use std::path::Path;
use std::sync::Arc;
use tests::support::{Chance, digest, mark, numbered_event, numbered_plan, until};

/// The most events and bytes of one request, as the log allows them.
const REQUEST_EVENTS: u64 = 4_096;
const REQUEST_BYTES: u64 = 6 * 1024 * 1024;
/// When the first event is recorded.
const BEGINNING_MS: i64 = 1_767_225_600_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, directory, seed, journal_file_bytes, compacts] = arguments.as_slice() else {
        panic!("KIND DIRECTORY SEED JOURNAL_FILE_BYTES COMPACTS");
    };
    let seed = seed.parse().expect("a seed is a number");
    let options = Options {
        journal_file_limit_bytes: journal_file_bytes.parse().expect("a number of bytes"),
        compacts_journal: compacts.parse().expect("true or false"),
        ..Options::default()
    };
    let opened = open(Path::new(directory), &numbered_plan(), options);
    let Opened { log, writer, .. } = opened.unwrap_or_else(|error| panic!("the log must open: {error}"));
    mark(&format!("open {}", log.head()));
    let mut workload = Workload { writer, chance: Chance::new(seed) };
    match kind.as_str() {
        "single" => workload.single(),
        "many" => workload.many(),
        "frames" => workload.several_frames(),
        "copy" => workload.copy(),
        "compacted" => workload.compacted(),
        "open" => {}
        other => panic!("`{other}` is no workload"),
    }
    drop(workload);
    mark("end");
}

struct Workload {
    writer: Writer,
    chance: Chance,
}

impl Workload {
    /// Commits of one event.
    fn single(&mut self) {
        for _ in 0..self.chance.between(5, 40) {
            let padding = self.padding(3_000);
            self.append(&[1], padding);
        }
    }

    /// Commits of up to 4,096 events for each request, and of several requests that make several frames.
    fn many(&mut self) {
        for _ in 0..self.chance.between(1, 4) {
            let mut requests = Vec::new();
            let padding = self.padding(1_500);
            for _ in 0..self.chance.between(1, 4) {
                // As likely few as many.
                let most = (REQUEST_EVENTS >> self.chance.between(0, 12)).max(1);
                let fits = REQUEST_BYTES / (padding as u64 + 600);
                requests.push(self.chance.between(1, most.min(fits)));
            }
            self.append(&requests, padding);
        }
    }

    /// Requests of a few megabytes each, of which no two fit into one frame.
    fn several_frames(&mut self) {
        let padding = 30_000 + self.padding(10_000);
        let fits = REQUEST_BYTES / (padding as u64 + 4_000);
        let requests: Vec<u64> =
            (0..self.chance.between(2, 3)).map(|_| self.chance.between(fits * 3 / 4, fits)).collect();
        self.append(&requests, padding);
    }

    /// A few commits of one event while full files are compacted, and the wait for that.
    fn compacted(&mut self) {
        for _ in 0..self.chance.between(0, 6) {
            let padding = self.padding(3_000);
            self.append(&[1], padding);
        }
        let log = self.writer.log();
        until("full files are compacted", || log.is_compact());
    }

    /// What a follower does: copies of another log's events, page by page.
    fn copy(&mut self) {
        let held = self.writer.log().head().0;
        let source = Source::with(held + self.chance.between(5, 120), &mut self.chance);
        loop {
            let from = self.writer.log().head().next();
            let limit = ReadLimit { events: self.chance.between(1, 40) as usize, bytes: usize::MAX };
            let page: Vec<Copied> = source
                .opened
                .log
                .read(from, limit)
                .expect("memory can be read")
                .into_iter()
                .map(Copied::from)
                .collect();
            if page.is_empty() {
                return;
            }
            let digests: Vec<String> = page.iter().map(|copied| digest(&copied.bytes)).collect();
            mark(&format!("begin {from}{}", " 1".repeat(page.len())));
            self.writer.append_copy(page).expect("the copy is taken");
            mark(&format!("done {from} {}", digests.join(" ")));
        }
    }

    fn padding(&mut self, most: u64) -> usize {
        usize::try_from(self.chance.between(0, most)).expect("it is small")
    }

    /// Appends requests of so many events each, in one call.
    fn append(&mut self, requests: &[u64], padding: usize) {
        let log = self.writer.log();
        let first = log.head().next();
        let lengths: String = requests.iter().map(|length| format!(" {length}")).collect();
        mark(&format!("begin {first}{lengths}"));
        let recorded = self.writer.append(events_of(first.0, requests, padding), time_of(first));
        let count: usize = recorded.expect("the events are taken").iter().map(Vec::len).sum();
        let mut digests = Vec::new();
        while digests.len() < count {
            let from = Position(first.0 + digests.len() as u64);
            let page = log.read(from, ReadLimit::default()).expect("what was recorded can be read");
            digests.extend(page.iter().map(|stored| digest(&stored.bytes)));
        }
        mark(&format!("done {first} {}", digests.join(" ")));
    }
}

/// The log that is copied.
struct Source {
    opened: Opened,
}

impl Source {
    /// A log of so many events. What stands at a position is the same in every one.
    fn with(events: u64, chance: &mut Chance) -> Source {
        let options =
            Options { files: Arc::new(MemoryFiles::new()), index: IndexKind::Memory, ..Options::default() };
        let mut opened = open(Path::new("/source"), &numbered_plan(), options).expect("memory opens");
        let padding = |number: u64| usize::try_from(Chance::new(number).between(0, 2_000)).expect("small");
        let mut next = 1;
        while next <= events {
            let count = chance.between(1, 8).min(events + 1 - next);
            for number in next..next + count {
                let request = vec![vec![numbered_event(number, padding(number))]];
                opened.writer.append(request, time_of(Position(number))).expect("memory takes it");
            }
            next += count;
        }
        Source { opened }
    }
}

fn events_of(first: u64, requests: &[u64], padding: usize) -> Vec<Vec<Event>> {
    let mut next = first;
    let request = |length: &u64| {
        let numbers = next..next + length;
        next += length;
        numbers.map(|number| numbered_event(number, padding)).collect()
    };
    requests.iter().map(request).collect()
}

/// A second for each position.
fn time_of(position: Position) -> Timestamp {
    let seconds = i64::try_from(position.0).expect("there are few positions");
    Timestamp::from_millisecond(BEGINNING_MS + seconds * 1_000).expect("it is in this century")
}
