//! Journals read without opening the log, and bundles made of them: whole, in use, torn, damaged, unsigned.

use super::support::*;
use ::evidence::{Checkpoint, KeyName, KeyUse, SignedCheckpoint, SigningKey, VerifierKey};
use event_log::files::{Files, MemoryFiles};
use event_log::{
    BundleError, BundleHead, BundleReport, ExportError, JournalEnd, JournalReadError, JournalReader,
    JournalWalkError, Log, Opened, export, export_journal, verify_bundle,
};
use events::Position;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

const PLACE: &str = "/bundle";

fn key() -> SigningKey {
    SigningKey::from_seed(KeyName::parse("log.example/binh-duong").unwrap(), &[7; 32])
}

fn keys() -> Vec<VerifierKey> {
    vec![key().verifier(KeyUse::Log)]
}

fn checkpoint(log: &Log, size: u64) -> SignedCheckpoint {
    let root = log.root_at(Position(size)).unwrap();
    Checkpoint::new(key().name(), size, root).sign(&[&key()]).unwrap()
}

/// A log in memory of several journal files, with reports 1 to `last`, three to a commit.
fn log_of(last: u64) -> (Home, Opened) {
    let home = Home::in_memory().with_journal_files_of(4_000);
    let mut opened = home.open();
    for numbers in (1..=last).collect::<Vec<_>>().chunks(3) {
        let request = numbers.iter().map(|number| report(*number, 10)).collect();
        opened.writer.append(vec![request], noon(numbers[0] as i64)).unwrap();
    }
    (home, opened)
}

/// Everything in a bundle, by its path.
fn content(files: &MemoryFiles) -> BTreeMap<PathBuf, Vec<u8>> {
    let found = files.list_below(Path::new(PLACE)).unwrap();
    found
        .into_iter()
        .map(|(path, _)| (path.clone(), files.read(&Path::new(PLACE).join(path)).unwrap()))
        .collect()
}

fn exported(
    home: &Home,
    from: u64,
    to: u64,
    head: BundleHead<'_>,
) -> Result<(MemoryFiles, u64), ExportError> {
    let files = MemoryFiles::new();
    let journal = JournalReader::new(&home.files, &home.directory)?;
    let (selection, mut done) = (Position(from)..=Position(to), 0);
    export_journal(&journal, selection, head, &keys(), &files, Path::new(PLACE), &mut |count| done = count)?;
    Ok((files, done))
}

fn verified(files: &MemoryFiles, keys: &[VerifierKey]) -> BundleReport {
    verify_bundle(files, Path::new(PLACE), keys).unwrap()
}

/// The positions that are handed out, and where it ends.
fn walked(home: &Home) -> Result<(Vec<u64>, JournalEnd), JournalWalkError> {
    let mut positions = Vec::new();
    let end = JournalReader::new(&home.files, &home.directory)?.walk(&mut |stored| {
        positions.push(stored.position.0);
        ControlFlow::Continue(())
    })?;
    Ok((positions, end))
}

#[test]
fn a_bundle_of_the_journal_is_that_of_the_open_log() {
    for (last, from, to, size) in [
        (1, 1, 1, 1),
        (256, 1, 256, 256),
        (257, 1, 257, 257),
        (600, 1, 600, 600),
        (600, 300, 400, 520),
        (600, 513, 513, 600),
        (600, 1, 100, 512),
    ] {
        let (home, opened) = log_of(last);
        let signed = checkpoint(&opened.log, size);
        let of_the_log = MemoryFiles::new();
        let selection = Position(from)..=Position(to);
        export(&opened.log, selection, &signed, &keys(), &of_the_log, Path::new(PLACE)).unwrap();
        let (files, done) = exported(&home, from, to, BundleHead::Signed(&signed)).unwrap();
        assert_eq!(content(&files), content(&of_the_log), "{from} to {to} of {size}");
        assert_eq!(done, size);
    }
}

#[test]
fn seventy_thousand_events_make_tiles_of_three_levels() {
    let home = Home::in_memory();
    let mut opened = home.open();
    for numbers in (1..=66_000).collect::<Vec<u64>>().chunks(4_000) {
        let requests = numbers.iter().map(|number| vec![report(*number, 0)]).collect();
        opened.writer.append(requests, noon(numbers[0] as i64)).unwrap();
    }
    let signed = checkpoint(&opened.log, 66_000);
    let (files, _) = exported(&home, 65_000, 65_999, BundleHead::Signed(&signed)).unwrap();
    let report = verified(&files, &keys());
    assert!(report.is_ok(), "{:?}", report.problems);
    assert!(content(&files).contains_key(Path::new("tile/2/000.p/1")));
    assert!(content(&files).contains_key(Path::new("tile/1/000")), "it stands above what was selected");
    assert!(!content(&files).contains_key(Path::new("tile/0/000")));
}

#[test]
fn an_unsigned_bundle_says_so_and_is_refused_where_keys_are_given() {
    let (home, opened) = log_of(300);
    let (files, _) = exported(&home, 1, 300, BundleHead::Unsigned { size: 300, older: None }).unwrap();
    let report = verified(&files, &[]);
    assert!(report.is_ok(), "{:?}", report.problems);
    assert_eq!((report.size, report.signed(), report.checkpoint.clone()), (300, 0, None));
    assert_eq!(report.root, Some(opened.log.root()));
    let refused = verify_bundle(&files, Path::new(PLACE), &keys()).unwrap_err();
    assert!(matches!(refused, BundleError::Unsigned(_)), "{refused}");
    // A root that is not that of the events.
    let mark = Path::new(PLACE).join("planwatch-bundle.json");
    let text = String::from_utf8(files.read(&mark).unwrap()).unwrap();
    let other = opened.log.root_at(Position(299)).unwrap().to_string();
    files.put(&mark, text.replace(&opened.log.root().to_string(), &other).into_bytes());
    let problems = verified(&files, &[]).problems;
    assert!(problems[0].what.contains("the mark's root") && problems[0].file == mark, "{problems:?}");
}

#[test]
fn an_older_checkpoint_in_an_unsigned_bundle_is_held_against_its_events() {
    let (home, opened) = log_of(300);
    for size in [1, 255, 256, 300] {
        let older = checkpoint(&opened.log, size);
        let head = BundleHead::Unsigned { size: 300, older: Some(&older) };
        let (files, _) = exported(&home, 1, 300, head).unwrap();
        let report = verified(&files, &keys());
        assert!(report.is_ok(), "{:?}", report.problems);
        assert_eq!((report.signed(), report.size), (size, 300));
        // Of another log, with the same key.
        let mut other = Home::in_memory().open();
        append_each(&mut other.writer, 1..=300);
        let foreign = checkpoint(&other.log, size);
        let file = Path::new(PLACE).join("checkpoint");
        files.put(&file, foreign.to_string().into_bytes());
        let problems = verified(&files, &keys()).problems;
        assert_eq!((problems.len(), &problems[0].file), (1, &file), "{problems:?}");
        assert!(problems[0].what.contains("does not agree with the events"), "{problems:?}");
        let refused = exported(&home, 1, 300, BundleHead::Unsigned { size: 300, older: Some(&foreign) });
        assert!(matches!(refused, Err(ExportError::OtherLog { .. })));
    }
    let newer = checkpoint(&opened.log, 300);
    let head = BundleHead::Unsigned { size: 299, older: Some(&newer) };
    assert!(matches!(exported(&home, 1, 299, head), Err(ExportError::OtherLog { .. })));
}

#[test]
fn files_that_do_not_belong_to_a_bundle_are_named() {
    let (home, opened) = log_of(300);
    let signed = checkpoint(&opened.log, 300);
    let (files, _) = exported(&home, 257, 300, BundleHead::Signed(&signed)).unwrap();
    assert!(verified(&files, &keys()).is_ok());
    for stray in [
        "notes.txt",
        "tile/0/002",
        "tile/0/001",
        "tile/0/001.p/43",
        "tile/entries/000",
        "tile/entries/001.p/300",
        "tile/3/000.p/1",
        "tile/entries/../../escape",
        "checkpoint.old",
    ] {
        let file = Path::new(PLACE).join(stray);
        files.put(&file, b"x".to_vec());
        let problems = verified(&files, &keys()).problems;
        assert!(problems.iter().any(|problem| problem.file == file), "{stray}: {problems:?}");
        files.remove(&file).unwrap();
    }
    files.remove(&Path::new(PLACE).join("vkeys")).unwrap();
    assert!(verified(&files, &keys()).problems[0].what.contains("list of public keys"));
}

#[test]
fn a_journal_is_read_while_it_is_written_up_to_its_last_whole_frame() {
    let (home, mut opened) = log_of(100);
    assert!(home.journal_files().len() > 3);
    let (positions, end) = walked(&home).unwrap();
    assert_eq!(positions, (1..=100).collect::<Vec<_>>());
    assert_eq!(end, JournalEnd { head: Position(100), torn: None });
    append_each(&mut opened.writer, 101..=101);
    assert_eq!(walked(&home).unwrap().1.head, Position(101));
    // Half a commit, as one that is on its way.
    let last = home.journal_files().pop().unwrap();
    let whole = home.files.read(&last).unwrap();
    home.put(&last, [&whole[..], &whole[..50]].concat());
    let (positions, end) = walked(&home).unwrap();
    let torn = end.torn.unwrap();
    assert_eq!((positions.len(), end.head), (101, Position(101)));
    assert_eq!((torn.file, torn.offset, torn.bytes), (last, whole.len() as u64, 50));
    assert!(JournalReader::new(&home.files, &home.directory).unwrap().is_in_use().unwrap());
    drop(opened);
    assert!(!JournalReader::new(&home.files, &home.directory).unwrap().is_in_use().unwrap());
}

#[test]
fn files_that_are_merged_meanwhile_are_read_once() {
    let (home, _opened) = log_of(100);
    let files = home.journal_files();
    let (second, third) = (files[1].clone(), files[2].clone());
    let mut positions = Vec::new();
    JournalReader::new(&home.files, &home.directory)
        .unwrap()
        .walk(&mut |stored| {
            positions.push(stored.position.0);
            if stored.position.0 == 1 {
                let both = [home.files.read(&second).unwrap(), home.files.read(&third).unwrap()].concat();
                home.put(&second, both);
                home.files.remove(&third).unwrap();
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(positions, (1..=100).collect::<Vec<_>>());
}

#[test]
fn a_damaged_or_missing_file_ends_the_reading_with_its_place() {
    let (home, opened) = log_of(100);
    drop(opened);
    let files = home.journal_files();
    let whole = home.files.read(&files[1]).unwrap();
    let mut altered = whole.clone();
    altered[40] ^= 1;
    home.put(&files[1], altered);
    let error = walked(&home).unwrap_err();
    let JournalWalkError::Journal(JournalReadError::Damaged { path, offset, position, .. }) = &error else {
        panic!("{error}")
    };
    assert_eq!((path, *offset), (&files[1], 0));
    home.put(&files[1], whole);
    home.files.remove(&files[1]).unwrap();
    let error = walked(&home).unwrap_err();
    let JournalWalkError::Journal(JournalReadError::Damaged { path, position: missing, .. }) = &error else {
        panic!("{error}")
    };
    assert_eq!((path, missing), (&files[2], position));
    assert!(matches!(
        exported(&home, 1, 50, BundleHead::Unsigned { size: 50, older: None }),
        Err(ExportError::Journal(_))
    ));
    let nothing = Home::in_memory();
    assert!(matches!(walked(&nothing), Err(JournalWalkError::NoLog(_))));
}

#[test]
fn what_the_journal_does_not_hold_is_not_exported() {
    let (home, _opened) = log_of(100);
    let short = exported(&home, 1, 101, BundleHead::Unsigned { size: 101, older: None });
    assert!(matches!(short, Err(ExportError::Short { head: Position(100), size: 101 })));
    for (from, to) in [(0, 10), (5, 4), (1, 51)] {
        let refused = exported(&home, from, to, BundleHead::Unsigned { size: 50, older: None });
        assert!(matches!(refused, Err(ExportError::Selection { .. })));
    }
}

#[test]
fn a_link_in_a_bundle_is_refused_before_anything_is_read_through_it() {
    let (home, opened) = log_of(10);
    let signed = checkpoint(&opened.log, 10);
    let temporary = tempfile::TempDir::new().unwrap();
    let place = temporary.path().join("bundle");
    let journal = JournalReader::new(&home.files, &home.directory).unwrap();
    let all = Position(1)..=Position(10);
    let head = BundleHead::Signed(&signed);
    let real = event_log::files::RealFiles;
    export_journal(&journal, all, head, &keys(), &real, &place, &mut |_| {}).unwrap();
    assert!(verify_bundle(&real, &place, &keys()).unwrap().is_ok());
    let outside = temporary.path().join("outside");
    for name in ["tile/entries/000.p/10", "tile", "planwatch-bundle.json", "more"] {
        let (file, moved) = (place.join(name), outside.join("kept"));
        std::fs::create_dir_all(&outside).unwrap();
        let was_there = file.exists();
        if was_there {
            std::fs::rename(&file, &moved).unwrap();
        }
        std::os::unix::fs::symlink(&moved, &file).unwrap();
        let error = verify_bundle(&real, &place, &keys()).unwrap_err();
        assert!(matches!(&error, BundleError::NotPlain(path) if *path == file), "{name}: {error}");
        std::fs::remove_file(&file).unwrap();
        if was_there {
            std::fs::rename(&moved, &file).unwrap();
        }
    }
    assert!(verify_bundle(&real, &place, &keys()).unwrap().is_ok());
}
