//! Damage to what is on disk: torn commits, a broken journal, a broken index.

use super::support::*;
use event_log::files::Files;
use event_log::{IndexState, JournalReadError, OpenError, Opened, Stored};
use events::Position;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

/// A log on disk with 30 commits of one event, closed.
fn written(home: &Home) -> Vec<Stored> {
    let mut opened = home.open();
    append_each(&mut opened.writer, 1..=30);
    read_all(&opened.log)
}

fn index_of(home: &Home) -> PathBuf {
    home.directory.join("index")
}

fn last_journal_file(home: &Home) -> PathBuf {
    home.journal_files().pop().unwrap()
}

/// Where the last frame starts: the file is written once more without the last commit.
fn last_frame_start(home: &Home, commits: u64) -> usize {
    let other = Home::in_memory();
    append_each(&mut other.open().writer, 1..commits);
    let shorter = other.files.read(&last_journal_file(&other)).unwrap();
    assert!(home.files.read(&last_journal_file(home)).unwrap().starts_with(&shorter));
    shorter.len()
}

#[test]
fn a_commit_torn_at_any_byte_is_cut_and_the_log_goes_on() {
    let home = Home::in_memory();
    append_each(&mut home.open().writer, 1..=3);
    let path = last_journal_file(&home);
    let whole = home.files.read(&path).unwrap();
    for length in last_frame_start(&home, 3)..whole.len() {
        home.put(&path, whole[..length].to_vec());
        let mut opened = home.open();
        assert_eq!(opened.log.head(), Position(2), "torn at byte {length}");
        let cut = length - last_frame_start(&home, 3).min(length);
        assert_eq!(opened.report.journal_bytes_cut, cut as u64);
        append_each(&mut opened.writer, [3]);
        drop(opened);
        assert_eq!(home.files.read(&path).unwrap(), whole, "the same commit makes the same bytes");
    }
}

#[test]
fn a_torn_commit_that_the_index_holds_is_restored_from_it() {
    let home = Home::on_disk();
    let before = written(&home);
    let path = last_journal_file(&home);
    let whole = fs::read(&path).unwrap();
    let start = last_frame_start(&home, 30);
    let step = (whole.len() - start) / 20;
    for length in (start..whole.len()).step_by(step.max(1)) {
        home.put(&path, whole[..length].to_vec());
        let opened = home.open();
        assert_eq!(opened.report.journal_events_restored, 1, "torn at byte {length}");
        assert_eq!(opened.report.journal_bytes_cut, 0);
        assert_eq!(read_all(&opened.log), before, "torn at byte {length}");
        drop(opened);
        assert!(event_log::verify_files(&home.files, &home.directory, None).unwrap().is_ok());
    }
}

#[test]
fn a_damaged_commit_of_which_the_index_holds_a_part_is_not_halved() {
    let (home, other) = (Home::on_disk(), Home::on_disk());
    let numbers = |numbers: std::ops::RangeInclusive<u64>| numbers.map(|number| report(number, 50)).collect();
    for (home, last) in [(&home, 34), (&other, 32)] {
        written(home);
        home.open().writer.append(vec![numbers(31..=last)], noon(31)).unwrap();
    }
    fs::remove_dir_all(index_of(&home)).unwrap();
    copy_directory(&index_of(&other), &index_of(&home));
    let path = last_journal_file(&home);
    let whole = fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    *damaged.last_mut().unwrap() ^= 1;
    home.put(&path, damaged.clone());
    let Err(OpenError::JournalDamaged { file, position: Position(31), .. }) = home.try_open() else {
        panic!("the log must not open");
    };
    assert_eq!((file, fs::read(&path).unwrap()), (path.clone(), damaged), "nothing was cut");
    home.put(&path, whole);
    assert_eq!(read_all(&home.open().log).len(), 34);
}

#[test]
fn a_damaged_last_commit_is_restored_whichever_of_its_bits_is_flipped() {
    let home = Home::on_disk();
    let before = written(&home);
    let path = last_journal_file(&home);
    let whole = fs::read(&path).unwrap();
    let start = last_frame_start(&home, 30);
    // All of the header, and some of the body.
    let bits = (start * 8..(start + 32) * 8).chain(((start + 32) * 8..whole.len() * 8).step_by(97));
    for bit in bits {
        let mut flipped = whole.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        home.put(&path, flipped);
        let opened = home.open();
        assert_eq!(opened.report.journal_events_restored, 1, "bit {}", bit - start * 8);
        assert_eq!(read_all(&opened.log), before);
    }
}

#[test]
fn a_torn_commit_that_the_index_does_not_hold_is_cut_on_disk_too() {
    let home = Home::on_disk();
    let before = written(&home);
    let path = last_journal_file(&home);
    let torn = [fs::read(&path).unwrap(), b"PWF\x01torn".to_vec()].concat();
    home.put(&path, torn);
    let opened = home.open();
    assert_eq!(opened.report.journal_bytes_cut, 8);
    assert_eq!(opened.report.index, IndexState::Ready);
    assert_eq!(read_all(&opened.log), before);
}

/// A log whose last commit is torn, and its whole history before that.
fn given_a_torn_end(home: &Home) -> (PathBuf, Vec<Stored>) {
    let opened = home.open();
    let Opened { log, mut writer, .. } = opened;
    append_each(&mut writer, 1..=5);
    let before = read_all(&log);
    drop((log, writer));
    let path = last_journal_file(home);
    let mut bytes = home.files.read(&path).unwrap();
    bytes.truncate(last_frame_start(home, 4) + 30);
    home.put(&path, bytes);
    (path, before)
}

#[test]
fn a_lost_end_is_put_back_from_another_copy() {
    // With a torn rest behind it, and without.
    for torn in [true, false] {
        let mut home = Home::in_memory();
        let (path, before) = given_a_torn_end(&home);
        if !torn {
            let mut bytes = home.files.read(&path).unwrap();
            bytes.truncate(last_frame_start(&home, 4));
            home.put(&path, bytes);
        }
        home.other_copy = Some(Arc::new(Copy(before.clone())));
        let opened = home.open();
        assert_eq!(read_all(&opened.log), before);
        assert_eq!((opened.report.journal_events_restored, opened.report.journal_bytes_cut), (2, 0));
        drop(opened);
        home.other_copy = None;
        assert_eq!(read_all(&home.open().log), before, "it is in the journal again");
    }
}

#[test]
fn what_another_copy_adds_to_a_history_is_put_back_only_if_the_history_is_the_same() {
    let mut home = Home::in_memory();
    let (path, before) = given_a_torn_end(&home);
    let torn = home.files.read(&path).unwrap();
    let mut other = before.clone();
    other[2].bytes = other[1].bytes.clone();
    home.other_copy = Some(Arc::new(Copy(other)));
    let Err(OpenError::JournalDamaged { file, position, .. }) = home.try_open() else {
        panic!("the log must not open");
    };
    assert_eq!((&file, position), (&path, Position(4)));
    assert_eq!(home.files.read(&path).unwrap(), torn, "nothing was cut");
    // A copy that ends where the log does holds nothing against cutting.
    home.other_copy = Some(Arc::new(Copy(before[..3].to_vec())));
    assert_eq!(home.open().log.head(), Position(3));
}

#[test]
fn an_event_in_the_middle_that_cannot_be_read_comes_back_from_another_copy() {
    let mut home = Home::in_memory();
    let Opened { log, mut writer, .. } = home.open();
    append_each(&mut writer, 1..=5);
    let before = read_all(&log);
    drop((log, writer));
    let path = last_journal_file(&home);
    let mut bytes = home.files.read(&path).unwrap();
    let inside = last_frame_start(&home, 4) + 40;
    bytes[inside] ^= 1;
    home.put(&path, bytes);
    home.other_copy = Some(Arc::new(Copy(before.clone())));
    assert_eq!(read_all(&home.open().log), before);
}

#[test]
fn an_empty_log_is_not_filled_from_another_copy() {
    let mut home = Home::in_memory();
    append_each(&mut home.open().writer, 1..=3);
    let held = read_all(&home.open().log);
    let mut fresh = Home::in_memory();
    fresh.other_copy = Some(Arc::new(Copy(held)));
    assert_eq!(fresh.open().log.head(), Position::START);
    home.other_copy = None;
}

#[test]
fn damage_inside_the_journal_is_refused_without_another_copy() {
    let home = Home::in_memory();
    append_each(&mut home.open().writer, 1..=5);
    let path = last_journal_file(&home);
    let whole = home.files.read(&path).unwrap();
    let mut altered = whole.clone();
    altered[50] ^= 1;
    home.put(&path, altered);
    let Err(OpenError::JournalDamaged { offset: 0, position: Position(1), .. }) = home.try_open() else {
        panic!("the log must not open");
    };
    home.put(&path, whole);
    assert_eq!(home.open().log.head(), Position(5));
}

#[test]
fn a_commit_that_stands_twice_is_refused_and_nothing_is_cut() {
    let home = Home::in_memory();
    append_each(&mut home.open().writer, 1..=2);
    let path = last_journal_file(&home);
    let whole = home.files.read(&path).unwrap();
    let first = &whole[..last_frame_start(&home, 2)];
    let doubled = [&whole[..], first].concat();
    home.put(&path, doubled.clone());
    let Err(OpenError::JournalDamaged { position: Position(3), .. }) = home.try_open() else {
        panic!("the log must not open");
    };
    assert_eq!(home.files.read(&path).unwrap(), doubled);
}

#[test]
fn damage_inside_the_journal_is_repaired_from_the_index() {
    let home = Home::on_disk().with_journal_files_of(2_500);
    let before = written(&home);
    let names = home.journal_files();
    assert!(names.len() >= 4);
    // A sealed file is cut short at a frame's header, the last one altered at its start.
    let second = fs::read(&names[1]).unwrap();
    home.put(&names[1], second[..second.len() - 20].to_vec());
    let last = names.last().unwrap();
    let mut altered = fs::read(last).unwrap();
    altered[40] ^= 1;
    home.put(last, altered);
    let opened = home.open();
    assert!(opened.report.journal_events_restored >= 2, "{:?}", opened.report);
    assert_eq!(read_all(&opened.log), before);
    drop(opened);
    assert!(event_log::verify_files(&home.files, &home.directory, None).unwrap().is_ok());
}

#[test]
fn a_damaged_body_in_a_sealed_file_is_put_right_behind_the_readers() {
    let home = Home::on_disk().with_journal_files_of(2_500);
    let before = written(&home);
    let names = home.journal_files();
    // Two places of one file, and one of another.
    for (file, at) in [(0, 60), (0, 1_200), (1, 700)] {
        let mut altered = fs::read(&names[file]).unwrap();
        altered[at] ^= 1;
        home.put(&names[file], altered);
    }
    assert!(!event_log::verify_files(&home.files, &home.directory, None).unwrap().is_ok());
    let mut opened = home.open();
    assert_eq!(opened.report.journal_events_restored, 0, "a start reads the headers alone");
    assert_eq!(read_all(&opened.log), before);
    wait_for("the damage to be repaired", || {
        event_log::verify_files(&home.files, &home.directory, None).unwrap().is_ok()
    });
    append_each(&mut opened.writer, [31]);
    drop(opened);
    // Without the index everything comes from the journal.
    fs::remove_dir_all(index_of(&home)).unwrap();
    assert_eq!(read_all(&home.open().log)[..30], before);
}

#[test]
fn a_damaged_body_in_a_sealed_file_is_named_where_nothing_else_holds_it() {
    let home = Home::on_disk().with_journal_files_of(2_500);
    written(&home);
    let path = home.journal_files().remove(1);
    let mut altered = fs::read(&path).unwrap();
    altered[60] ^= 1;
    home.put(&path, altered.clone());
    fs::remove_dir_all(index_of(&home)).unwrap();
    let Err(OpenError::CatchUp(JournalReadError::Damaged { path: named, offset: 0, position, .. })) =
        home.try_open()
    else {
        panic!("the log must not open");
    };
    assert_eq!(
        (&named, format!("{:020}.journal", position.0)),
        (&path, path.file_name().unwrap().to_string_lossy().into_owned())
    );
    assert_eq!(fs::read(&path).unwrap(), altered, "nothing was changed");
}

#[test]
fn a_format_mark_that_no_version_wrote_is_refused() {
    let home = Home::on_disk();
    written(&home);
    home.put(&home.directory.join("format.json"), br#"{"format":0,"plan":"binh-duong"}"#.to_vec());
    assert!(matches!(home.try_open(), Err(OpenError::FormatMark { .. })));
}

#[test]
fn a_journal_file_that_is_gone_is_restored_from_the_index() {
    for gone in ["first", "middle", "last", "all"] {
        let home = Home::on_disk().with_journal_files_of(2_500);
        let before = written(&home);
        let names = home.journal_files();
        let removed = match gone {
            "first" => &names[..1],
            "middle" => &names[2..3],
            "last" => &names[names.len() - 1..],
            _ => &names[..],
        };
        removed.iter().for_each(|name| fs::remove_file(name).unwrap());
        let opened = home.open();
        assert_eq!(read_all(&opened.log), before, "{gone} gone");
        drop(opened);
        fs::remove_dir_all(index_of(&home)).unwrap();
        assert_eq!(read_all(&home.open().log), before, "{gone} gone: the journal alone has everything");
    }
}

/// Damages the index, opens the log again and expects it to read as before.
fn rebuilt_after(damage: impl FnOnce(&Home)) -> IndexState {
    let home = Home::on_disk();
    let before = written(&home);
    damage(&home);
    let mut opened = home.open();
    assert_eq!(read_all(&opened.log), before);
    for stored in &before {
        assert_eq!(opened.log.event_by_id(&stored.id).unwrap().as_ref(), Some(stored));
    }
    append_each(&mut opened.writer, [31]);
    let state = opened.report.index.clone();
    drop(opened);
    let opened = home.open();
    assert_eq!(opened.report.index, IndexState::Ready, "the rebuilt index is whole");
    assert_eq!(read_all(&opened.log).len(), 31);
    state
}

fn is_rebuilt(state: &IndexState) -> bool {
    matches!(state, IndexState::Rebuilt { .. })
}

#[test]
fn an_index_that_is_gone_is_rebuilt() {
    let state = rebuilt_after(|home| fs::remove_dir_all(index_of(home)).unwrap());
    assert!(matches!(state, IndexState::Rebuilt { moved_to: None, .. }), "{state}");
}

#[test]
fn an_index_that_is_truncated_is_rebuilt() {
    for percent in [0, 10, 50, 90] {
        let state = rebuilt_after(|home| {
            let path = index_of(home).join("db");
            let size = fs::metadata(&path).unwrap().len();
            let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
            file.set_len(size * percent / 100).unwrap();
        });
        // Behind the truncation nothing may have been written; then there is nothing to rebuild.
        assert!(
            percent > 10 || is_rebuilt(&state) || matches!(state, IndexState::CaughtUp { .. }),
            "{state}"
        );
    }
}

#[test]
fn an_index_overwritten_with_noise_is_rebuilt() {
    let noise = |bytes: &mut [u8], seed: u64| {
        let mut state = seed;
        for byte in bytes {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (state >> 56) as u8;
        }
    };
    for (seed, share) in [(1, 1), (2, 2), (3, 64)] {
        let state = rebuilt_after(|home| {
            for entry in fs::read_dir(index_of(home)).unwrap() {
                let path = entry.unwrap().path();
                if path.is_file() {
                    let mut bytes = fs::read(&path).unwrap();
                    let length = bytes.len() / share;
                    noise(&mut bytes[..length], seed);
                    fs::write(&path, bytes).unwrap();
                }
            }
        });
        assert!(is_rebuilt(&state), "{state}");
    }
}

#[test]
fn an_index_of_another_history_is_moved_aside() {
    let state = rebuilt_after(|home| {
        let other = Home::on_disk();
        append_each(&mut other.open().writer, 101..=150);
        fs::remove_dir_all(index_of(home)).unwrap();
        copy_directory(&index_of(&other), &index_of(home));
    });
    assert!(is_rebuilt(&state), "{state}");
}

#[test]
fn an_index_that_is_behind_catches_up() {
    let home = Home::on_disk();
    append_each(&mut home.open().writer, 1..=10);
    let old = tempfile::TempDir::new().unwrap();
    let old = old.path().join("index");
    copy_directory(&index_of(&home), &old);
    append_each(&mut home.open().writer, 11..=20);
    fs::remove_dir_all(index_of(&home)).unwrap();
    copy_directory(&old, &index_of(&home));
    let opened = home.open();
    assert_eq!(opened.report.index, IndexState::CaughtUp { from: Position(11) });
    assert_eq!(read_all(&opened.log).len(), 20);
}

#[test]
fn at_most_three_damaged_indexes_are_kept() {
    let home = Home::on_disk();
    let before = written(&home);
    for _ in 0..5 {
        fs::write(index_of(&home).join("db"), vec![7; 100_000]).unwrap();
        assert_eq!(read_all(&home.open().log), before);
    }
    let kept = fs::read_dir(&home.directory).unwrap();
    let kept = kept
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("index.damaged-"));
    assert_eq!(kept.count(), 3);
}

#[test]
fn an_unfinished_snapshot_of_the_index_does_no_harm() {
    let home = Home::on_disk();
    let before = written(&home);
    let snapshot = index_of(&home).join("snap.0000000000001234.generating");
    fs::write(&snapshot, b"half").unwrap();
    let opened = home.open();
    assert_eq!(opened.report.index, IndexState::Ready);
    assert_eq!(read_all(&opened.log), before);
    assert!(!snapshot.exists());
}

#[test]
fn a_journal_without_its_format_mark_is_refused() {
    let home = Home::on_disk();
    written(&home);
    fs::remove_file(home.directory.join("format.json")).unwrap();
    assert!(matches!(home.try_open(), Err(OpenError::NoFormatMark { .. })));
}

fn copy_directory(from: &std::path::Path, to: &std::path::Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_directory(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}
