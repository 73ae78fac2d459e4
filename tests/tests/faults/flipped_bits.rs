//! One bit flipped anywhere in a log's files: found, named by file and position, and put right from the other
//! copy; where both copies are damaged the log refuses to open and says where. A wrong event is never read.
//!
//! `PLANWATCH_ROUNDS` says how many bits are flipped, ten for each, 3 by default; 20 are 200 bits of each kind.

use crate::rounds;
use event_log::{
    IndexState, JournalReadError, Log, OpenError, Opened, Options, Stored, SystemClock, accept_clock, verify,
};
use events::{Position, Timestamp};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tests::support::{Chance, Remains, numbered_event, open_stopped, quick_folder, seed, until};

/// How many rounds there are unless more are asked for.
const FEW_ROUNDS: u32 = 3;
const BITS_OF_A_ROUND: u64 = 10;
const COMMITS: u64 = 60;
const HEADER_BYTES: usize = 32;
const CHECKSUM: std::ops::Range<usize> = 8..12;
const RECORDED_MS: i64 = 1_767_225_600_000;

/// A log without a fault, and what it holds.
struct Whole {
    remains: Remains,
    events: Vec<Stored>,
    frames: Vec<Frame>,
}

#[derive(Debug, Clone)]
struct Frame {
    file: PathBuf,
    offset: usize,
    size_bytes: usize,
    first: u64,
    is_sealed: bool,
}

/// A part of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Header,
    Checksum,
    Body,
}

/// Frames stay where the tests know them to be.
fn options() -> Options {
    Options { journal_file_limit_bytes: 8_000, compacts_journal: false, ..Options::default() }
}

fn opened(folder: &TempDir) -> Result<Opened, OpenError> {
    open_stopped(folder.path(), &options())
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

impl Whole {
    fn new() -> Whole {
        let folder = quick_folder();
        let mut chance = Chance::new(1);
        let mut opened_log = opened(&folder).unwrap();
        for commit in 1..=COMMITS {
            let first = opened_log.log.head().0 + 1;
            let count = chance.between(1, 5);
            let events = (first..first + count)
                .map(|number| numbered_event(number, usize::try_from(chance.between(0, 700)).unwrap()));
            let events = events.collect();
            let now =
                Timestamp::from_millisecond(RECORDED_MS + i64::try_from(commit).unwrap() * 1_000).unwrap();
            opened_log.writer.append(vec![events], now).unwrap();
        }
        let events = read(&opened_log.log);
        drop(opened_log);
        // sled writes a snapshot of where its pages lie when it opens.
        drop(opened(&folder).unwrap());
        accept_clock(folder.path(), &SystemClock).unwrap();
        let whole = Whole::in_a(&folder, events);
        assert!(whole.frames.iter().filter(|frame| frame.is_sealed).count() > 20);
        whole
    }

    fn in_a(folder: &TempDir, events: Vec<Stored>) -> Whole {
        let remains = Remains::read(folder.path());
        let frames = frames(&remains);
        Whole { remains, events, frames }
    }

    /// The same log with its full files compacted.
    fn compacted() -> Whole {
        let committed = Whole::new();
        let folder = quick_folder();
        committed.remains.write_to(folder.path());
        let compacts = Options { compacts_journal: true, ..options() };
        let opened_log = open_stopped(folder.path(), &compacts).unwrap();
        until("full files are compacted", || opened_log.log.is_compact());
        drop(opened_log);
        let whole = Whole::in_a(&folder, committed.events);
        assert!(whole.frames.len() < committed.frames.len() / 2);
        whole
    }

    /// The log in a folder of its own, with one bit flipped; gives where.
    fn with_a_flipped_bit(&self, file: &Path, bytes: std::ops::Range<usize>, chance: &mut Chance) -> Flipped {
        let mut remains = self.remains.clone();
        let content = remains.entries.get_mut(file).unwrap().as_mut().unwrap();
        let at = bytes.start + chance.index(bytes.len());
        let bit = chance.index(8);
        content[at] ^= 1 << bit;
        let folder = quick_folder();
        remains.write_to(folder.path());
        let what = format!("bit {bit} of byte {at} of {} (seed {})", file.display(), seed());
        Flipped { folder, what, file: file.to_owned() }
    }

    /// Flips a bit of a frame.
    fn with_a_damaged_frame(&self, frame: &Frame, part: Part, chance: &mut Chance) -> Flipped {
        let start = frame.offset;
        let bytes = match part {
            Part::Header if chance.percent(30) => start..start + CHECKSUM.start,
            Part::Header => start + CHECKSUM.end..start + HEADER_BYTES,
            Part::Checksum => start + CHECKSUM.start..start + CHECKSUM.end,
            Part::Body => start + HEADER_BYTES..start + frame.size_bytes,
        };
        self.with_a_flipped_bit(&frame.file, bytes, chance)
    }

    #[track_caller]
    fn is_held_by(&self, log: &Log, what: &str) {
        assert!(read(log) == self.events, "{what}: it reads something else");
        for stored in &self.events {
            let found = log.event_by_id(&stored.id).unwrap();
            assert_eq!(found.as_ref(), Some(stored), "{what}: the id of position {}", stored.position);
        }
        for pair in self.events.windows(2).filter(|pair| pair[0].recorded_at < pair[1].recorded_at) {
            let found = log.position_at(pair[0].recorded_at).unwrap();
            assert_eq!(found, pair[0].position, "{what}: the position at an instant");
        }
    }

    /// The journal alone holds everything.
    #[track_caller]
    fn is_held_by_the_journal_of(&self, flipped: &Flipped) {
        let verified = verify(flipped.folder.path(), None).unwrap();
        assert!(verified.is_ok(), "{}: {verified:?}", flipped.what);
        std::fs::remove_dir_all(flipped.folder.path().join("index")).unwrap();
        self.is_held_by(&opened(&flipped.folder).unwrap().log, &flipped.what);
    }

    fn some_frame(&self, chance: &mut Chance, is_right: impl Fn(&Frame) -> bool) -> Frame {
        let frames: Vec<&Frame> = self.frames.iter().filter(|frame| is_right(frame)).collect();
        frames[chance.index(frames.len())].clone()
    }
}

/// A log with a flipped bit.
struct Flipped {
    folder: TempDir,
    what: String,
    file: PathBuf,
}

impl Flipped {
    fn path(&self) -> PathBuf {
        self.folder.path().join(&self.file)
    }

    /// Checking the log finds the bit where it is.
    #[track_caller]
    fn is_named_at(&self, position: u64) {
        let verified = verify(self.folder.path(), None).unwrap();
        let is_named = |problem: &event_log::Problem| {
            problem.file == self.path() && problem.position == Position(position)
        };
        assert!(verified.problems.iter().any(is_named), "{}: {verified:?}", self.what);
    }
}

fn read(log: &Log) -> Vec<Stored> {
    log.scan(Position::START).collect::<Result<_, _>>().unwrap()
}

/// Where the frames lie, as the format is described in the log's own documents.
fn frames(remains: &Remains) -> Vec<Frame> {
    let files: BTreeMap<&PathBuf, &Vec<u8>> = remains
        .entries
        .iter()
        .filter(|(path, _)| path.starts_with("journal"))
        .filter_map(|(path, bytes)| Some((path, bytes.as_ref()?)))
        .collect();
    let last = *files.last_key_value().unwrap().0;
    let mut frames = Vec::new();
    for (file, bytes) in &files {
        let mut offset = 0;
        while offset < bytes.len() {
            let header = &bytes[offset..offset + HEADER_BYTES];
            let size_bytes = HEADER_BYTES + number(&header[4..8]);
            let first = number(&header[12..20]) as u64;
            frames.push(Frame { file: (*file).clone(), offset, size_bytes, first, is_sealed: *file != last });
            offset += size_bytes;
        }
    }
    frames
}

/// Flips the bits of one kind.
fn each_bit(body: impl FnMut(&Whole, &mut Chance)) {
    each_bit_of(&Whole::new(), body);
}

fn each_bit_of(whole: &Whole, mut body: impl FnMut(&Whole, &mut Chance)) {
    let mut chance = Chance::new(seed());
    for _ in 0..u64::from(rounds(FEW_ROUNDS)) * BITS_OF_A_ROUND {
        body(whole, &mut chance);
    }
}

/// In the file that is written every frame is checked at a start.
fn in_the_last_file(part: Part) {
    each_bit(|whole, chance| {
        let frame = whole.some_frame(chance, |frame| !frame.is_sealed);
        let flipped = whole.with_a_damaged_frame(&frame, part, chance);
        flipped.is_named_at(frame.first);
        let opened = opened(&flipped.folder).unwrap();
        assert_eq!(opened.report.journal_files_repaired, [flipped.path()], "{}", flipped.what);
        whole.is_held_by(&opened.log, &flipped.what);
        drop(opened);
        whole.is_held_by_the_journal_of(&flipped);
    });
}

/// In a sealed file it is found by the start or by the check behind it, and by whoever checks the log.
fn in_a_sealed_file(part: Part) {
    in_a_sealed_file_of(&Whole::new(), |_| part);
}

fn in_a_sealed_file_of(whole: &Whole, part: impl Fn(&mut Chance) -> Part) {
    each_bit_of(whole, |whole, chance| {
        let part = part(chance);
        let frame = whole.some_frame(chance, |frame| frame.is_sealed);
        let flipped = whole.with_a_damaged_frame(&frame, part, chance);
        flipped.is_named_at(frame.first);
        let opened = opened(&flipped.folder).unwrap();
        whole.is_held_by(&opened.log, &flipped.what);
        until(&format!("{} is put right", flipped.what), || {
            verify(flipped.folder.path(), None).unwrap().is_ok()
        });
        whole.is_held_by(&opened.log, &flipped.what);
        drop(opened);
        whole.is_held_by_the_journal_of(&flipped);
    });
}

#[test]
fn in_a_header_of_the_last_journal_file() {
    in_the_last_file(Part::Header);
}

#[test]
fn in_a_checksum_of_the_last_journal_file() {
    in_the_last_file(Part::Checksum);
}

#[test]
fn in_a_body_of_the_last_journal_file() {
    in_the_last_file(Part::Body);
}

#[test]
fn in_a_header_of_a_sealed_journal_file() {
    in_a_sealed_file(Part::Header);
}

#[test]
fn in_a_checksum_of_a_sealed_journal_file() {
    in_a_sealed_file(Part::Checksum);
}

#[test]
fn in_a_body_of_a_sealed_journal_file() {
    in_a_sealed_file(Part::Body);
}

#[test]
fn in_a_compacted_journal_file() {
    let parts = [Part::Header, Part::Checksum, Part::Body];
    in_a_sealed_file_of(&Whole::compacted(), |chance| parts[chance.index(parts.len())]);
}

/// Without an index the journal is the only copy: the log refuses to open, and names the place.
#[test]
fn in_the_journal_where_no_index_is() {
    each_bit(|whole, chance| {
        let last = whole.frames.last().unwrap().first;
        // The last commit of all is an exception: damaged, it cannot be told from one that was torn.
        let frame = whole.some_frame(chance, |frame| frame.first != last);
        let part = [Part::Header, Part::Checksum, Part::Body][chance.index(3)];
        let flipped = whole.with_a_damaged_frame(&frame, part, chance);
        let index = flipped.folder.path().join("index");
        if chance.percent(50) {
            std::fs::remove_dir_all(&index).unwrap();
        } else {
            let mut bytes = std::fs::read(index.join("db")).unwrap();
            bytes.fill_with(|| chance.any().to_le_bytes()[0]);
            std::fs::write(index.join("db"), bytes).unwrap();
        }
        let journal = Remains::read(&flipped.folder.path().join("journal"));
        let (file, offset, position) = match opened(&flipped.folder).map(|_| ()) {
            Err(OpenError::JournalDamaged { file, offset, position, .. }) => (file, offset, position),
            Err(OpenError::CatchUp(JournalReadError::Damaged { path, offset, position, .. })) => {
                (path, offset, position)
            }
            other => panic!("{}: {other:?}", flipped.what),
        };
        let named = (file, usize::try_from(offset).unwrap(), position.0);
        assert_eq!(named, (flipped.path(), frame.offset, frame.first), "{}", flipped.what);
        let after = Remains::read(&flipped.folder.path().join("journal"));
        assert_eq!(after, journal, "{}: nothing was changed", flipped.what);
    });
}

/// What sled does not notice it does not need; what it notices is made again from the journal.
#[test]
fn in_the_index() {
    let mut found = 0;
    each_bit(|whole, chance| {
        let files: Vec<(&PathBuf, usize)> = whole
            .remains
            .entries
            .iter()
            .filter(|(path, _)| path.starts_with("index"))
            .filter_map(|(path, bytes)| Some((path, bytes.as_ref()?.len())).filter(|(_, length)| *length > 0))
            .collect();
        let database = files.iter().position(|(path, _)| path.ends_with("db")).unwrap();
        let chosen = if chance.percent(70) { database } else { chance.index(files.len()) };
        let (file, length) = files[chosen];
        let flipped = whole.with_a_flipped_bit(file, 0..length, chance);
        let mut opened_log = opened(&flipped.folder).unwrap();
        whole.is_held_by(&opened_log.log, &flipped.what);
        found += u64::from(opened_log.report.index != IndexState::Ready);
        let next = numbered_event(whole.events.len() as u64 + 1, 10);
        let now = whole.events.last().unwrap().recorded_at;
        opened_log.writer.append(vec![vec![next]], now).unwrap();
        assert_eq!(opened_log.report.journal_events_restored, 0, "{}", flipped.what);
        drop(opened_log);
        let again = opened(&flipped.folder).unwrap();
        let events = read(&again.log);
        assert!(events[..whole.events.len()] == whole.events, "{}: at the second start", flipped.what);
        assert_eq!(events.len(), whole.events.len() + 1, "{}", flipped.what);
    });
    assert!(found > 0, "no flipped bit was found by a start");
}

/// The mark of format and plan has no other copy: the log refuses to open under another one.
#[test]
fn in_the_format_mark() {
    each_bit(|whole, chance| {
        let file = Path::new("format.json");
        let length = whole.remains.entries[file].as_ref().unwrap().len();
        let flipped = whole.with_a_flipped_bit(file, 0..length, chance);
        let before = Remains::read(flipped.folder.path());
        match opened(&flipped.folder).map(|_| ()) {
            Err(OpenError::FormatMark { path, .. }) => assert_eq!(path, flipped.path()),
            Err(OpenError::OtherPlan { directory, .. } | OpenError::Newer { directory, .. }) => {
                assert_eq!(directory, flipped.folder.path());
            }
            other => panic!("{}: {other:?}", flipped.what),
        }
        assert_eq!(Remains::read(flipped.folder.path()), before, "{}: nothing was changed", flipped.what);
    });
}
