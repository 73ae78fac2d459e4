//! Compaction alone: what it writes, what it leaves alone, and what becomes of readers.

use super::super::{Journal, NewFrame};
use super::*;
use crate::files::{FaultyFiles, MemoryFiles};
use events::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;
use uuid::Uuid;

const FILE: &str = "/journal/00000000000000000001.journal";

struct Given {
    memory: MemoryFiles,
    files: FaultyFiles,
    map: Arc<JournalMap>,
    events: Vec<Stored>,
}

fn event(position: u64, size: usize) -> Stored {
    let text = format!("{{\"sequence\":{position},\"unit\":\"di-an\",\"numerator\":{}}}", position * 7919);
    Stored {
        position: Position(position),
        recorded_at: Timestamp::from_millisecond(1_700_000_000_000 + position.cast_signed()).unwrap(),
        id: Uuid::from_u128(u128::from(position) << 80 | 7),
        bytes: text.repeat(size / text.len() + 1).into_bytes()[..size].to_vec().into(),
    }
}

/// A full file with commits of these sizes, and the next one with another commit.
fn given(commits: &[Vec<usize>]) -> Given {
    given_from(commits, Encoder::new(), event)
}

fn given_from(commits: &[Vec<usize>], mut encoder: Encoder, event: fn(u64, usize) -> Stored) -> Given {
    let memory = MemoryFiles::new();
    let files = FaultyFiles::new(Arc::new(memory.clone()));
    let map = Arc::new(JournalMap::new(Arc::new(files.clone()), PathBuf::from("/journal"), Vec::new()));
    let mut journal = Journal::open(Arc::clone(&map), u64::MAX).unwrap();
    let mut events = Vec::new();
    let mut append = |journal: &mut Journal, sizes: &[usize]| {
        let first = events.len() as u64 + 1;
        let commit: Vec<_> = (first..).zip(sizes).map(|(position, size)| event(position, *size)).collect();
        journal.append(&[NewFrame { first: Position(first), bytes: encoder.encode(&commit) }]).unwrap();
        events.extend(commit);
    };
    for sizes in commits {
        append(&mut journal, sizes);
    }
    let mut journal = Journal::open(Arc::clone(&map), 0).unwrap();
    append(&mut journal, &[100]);
    Given { memory, files, map, events }
}

impl Given {
    fn sealed(&self) -> (Segment, Position) {
        self.map.sealed_from(Position(1)).unwrap()
    }

    fn compact(&self) -> io::Result<Option<Compacted>> {
        let (segment, after) = self.sealed();
        self.map.compact(&segment, after, || true)
    }

    fn file(&self) -> Vec<u8> {
        self.memory.read(Path::new(FILE)).unwrap()
    }

    #[track_caller]
    fn reads_the_same(&self) {
        for from in [1, 2, self.events.len() as u64 / 2, self.events.len() as u64] {
            let mut frames = self.map.frames(Position(from), self.events.last().unwrap().position);
            let mut found = Vec::new();
            while let Some(frame) = frames.read_next().unwrap() {
                found.extend(frame.into_iter().filter(|stored| stored.position.0 >= from));
            }
            assert!(found == self.events[from as usize - 1..], "from position {from}");
        }
        assert_eq!(self.memory.list(Path::new("/journal")).unwrap().len(), 2, "nothing is left over");
    }
}

#[test]
fn small_commits_become_large_frames_that_are_known_by_their_sizes() {
    for commits in [
        vec![vec![500]; 3_000],
        vec![vec![60 * 1024]; 10],
        vec![vec![40; 300]; 100],
        [
            vec![vec![60 * 1024; 10]],
            vec![vec![500, 700]; 1_000],
            vec![vec![2_000; 300]],
            vec![vec![3_000]; 20],
        ]
        .concat(),
    ] {
        let given = given(&commits);
        let (segment, after) = given.sealed();
        assert!(!segment.is_compact() && !given.map.is_compact());
        let before = given.file().len() as u64;
        let compacted = given.compact().unwrap().unwrap();
        assert_eq!((compacted.bytes_before, compacted.bytes_after), (before, given.file().len() as u64));
        assert!(compacted.bytes_after < before, "{compacted:?}");
        assert!(given.sealed().0.is_compact() && given.map.is_compact());
        given.reads_the_same();
        // After a restart, too.
        let mut again = Segment::new(segment.first, segment.path);
        assert!(scan::mark(&*given.files.open_read(Path::new(FILE)).unwrap(), &mut again, after));
        assert!(again.is_compact());
        // Done once more it would give the very same file.
        let once = given.file();
        given.compact().unwrap().unwrap();
        assert_eq!(given.file(), once);
    }
}

#[test]
fn a_file_in_which_little_is_in_small_frames_is_left_alone() {
    for commits in [
        vec![vec![500, 500]],
        vec![vec![1_000; 400]; 3],
        [vec![vec![500]], vec![vec![1_000; 400]; 3], vec![vec![2_000]; 20]].concat(),
        vec![vec![500; 400]; 3],
    ] {
        assert!(given(&commits).map.is_compact());
    }
}

fn noise(position: u64, size: usize) -> Stored {
    let mut state = position;
    let bytes = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    });
    Stored { bytes: bytes.take(size).collect(), ..event(position, 0) }
}

#[test]
fn what_the_writer_left_is_compressed_once_however_little_that_gains() {
    for event in [event, noise] {
        for commits in
            [vec![vec![500; 1_000]; 2], vec![vec![100]], vec![vec![300]; 900], vec![vec![60 * 1024]; 5]]
        {
            let given = given_from(&commits, Encoder::plain(), event);
            assert!(!given.map.is_compact());
            given.compact().unwrap().unwrap();
            assert!(given.map.is_compact());
            given.reads_the_same();
        }
    }
}

#[test]
fn large_frames_are_kept_byte_by_byte() {
    let large = vec![vec![1_000; 300], vec![60 * 1024; 6]];
    let given = given(&[vec![vec![700]; 500], large.clone(), vec![vec![900]; 500]].concat());
    let before = given.file();
    given.compact().unwrap().unwrap();
    given.reads_the_same();
    let kept: Vec<u8> = frames(&before)
        .filter(|(header, _)| header.raw_bytes() > MERGED_FRAME_BYTES)
        .flat_map(|(_, bytes)| bytes)
        .collect();
    let after = given.file();
    assert!(after.windows(kept.len()).any(|window| window == kept));
}

fn frames(mut bytes: &[u8]) -> impl Iterator<Item = (Header, Vec<u8>)> {
    std::iter::from_fn(move || {
        let header = Header::read(bytes).ok()?;
        let (frame, rest) = bytes.split_at(header.frame_bytes());
        bytes = rest;
        Some((header, frame.to_vec()))
    })
}

#[test]
fn a_reader_that_is_in_the_old_file_reads_on() {
    let given = given(&vec![vec![300]; 2_000]);
    let mut frames = given.map.frames(Position(5), given.events.last().unwrap().position);
    let mut found = frames.read_next().unwrap().unwrap();
    given.compact().unwrap().unwrap();
    while let Some(frame) = frames.read_next().unwrap() {
        found.extend(frame);
    }
    assert!(found == given.events[4..]);
}

#[test]
fn where_the_disk_refuses_the_old_file_stays() {
    let given = given(&vec![vec![300]; 500]);
    let whole = given.file();
    let refused: [(&str, &dyn Fn(bool)); 3] = [
        ("write", &|fails| given.files.set_write_fails(fails)),
        ("sync", &|fails| given.files.set_sync_fails(fails)),
        ("space", &|fails| given.files.set_space_left(fails.then_some(1024 * 1024))),
    ];
    for (what, set) in refused {
        set(true);
        let error = given.compact().unwrap_err();
        assert_eq!(error.kind() == io::ErrorKind::StorageFull, what == "space", "{error}");
        set(false);
        assert_eq!(given.file(), whole, "{what}");
        given.reads_the_same();
    }
    given.compact().unwrap().unwrap();
    given.reads_the_same();
}

#[test]
fn it_can_be_told_to_end_at_any_piece() {
    let given = given(&vec![vec![300]; 500]);
    let whole = given.file();
    let (segment, after) = given.sealed();
    let mut pieces = 0;
    loop {
        let mut left = pieces;
        let compacted = given.map.compact(&segment, after, || {
            left -= 1;
            left >= 0
        });
        if compacted.unwrap().is_some() {
            break;
        }
        assert_eq!(given.file(), whole, "told to end at piece {pieces}");
        given.reads_the_same();
        pieces += 97;
    }
    assert!(pieces > 500, "it was asked while it wrote and while it compared");
    given.reads_the_same();
}

#[test]
fn a_file_that_is_damaged_is_left_alone() {
    let given = given(&vec![vec![300]; 500]);
    let whole = given.file();
    for at in [50, whole.len() / 2, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        given.memory.put(Path::new(FILE), damaged.clone());
        given.compact().unwrap_err();
        assert_eq!(given.file(), damaged);
    }
    // A file that was cut off where a frame ends, too.
    given.memory.put(Path::new(FILE), whole[..Header::read(&whole).unwrap().frame_bytes()].to_vec());
    given.compact().unwrap_err();
}

#[test]
fn a_new_file_that_reads_otherwise_does_not_take_the_place() {
    let given = given(&vec![vec![300]; 3_000]);
    let (segment, after) = given.sealed();
    let whole = given.file();
    let temporary = Path::new("/journal").join(COMPACTED_NAME);
    let mut pieces = 0;
    let error = given.map.compact(&segment, after, || {
        pieces += 1;
        if pieces == 3_001 {
            // It is written, and the first of its frames is read back.
            let bytes = given.memory.read(&temporary).unwrap();
            let mut file = given.memory.open_append(&temporary).unwrap();
            file.truncate(bytes.len() as u64 - 1).unwrap();
            file.write_all(&[bytes[bytes.len() - 1] ^ 1]).unwrap();
        }
        true
    });
    assert!(error.is_err(), "{error:?} after {pieces} pieces");
    assert_eq!(given.file(), whole);
    given.reads_the_same();
}
