//! Faults of the disk while writing.

use super::support::*;
use event_log::files::Files;
use event_log::{AppendError, WriteState};
use events::Position;

#[test]
fn without_space_nothing_is_corrupted_and_it_goes_on_when_there_is_room() {
    for (home, journal_files) in
        [(Home::in_memory(), 1_000), (Home::in_memory(), 1_000_000), (Home::on_disk(), 1_000_000)]
    {
        let home = home.with_journal_files_of(journal_files);
        let mut opened = home.open();
        append_each(&mut opened.writer, 1..=5);
        // Every amount of room that a commit may meet, down to none.
        for room in [400, 200, 33, 32, 5, 1, 0] {
            home.files.set_space_left(Some(room));
            let error = opened.writer.append(vec![vec![report(6, 3_000)]], noon(6)).unwrap_err();
            assert!(matches!(error, AppendError::NoSpace(_)), "{error}");
            assert_eq!(opened.log.faults(), WriteState::NoSpace);
            assert!(!opened.writer.look_for_space());
            assert_eq!(read_all(&opened.log).len(), 5);
            let verified = event_log::verify_files(&home.files, &home.directory, None).unwrap();
            assert_eq!((verified.head, verified.in_flight_bytes), (Position(5), 0), "cut back");
        }
        home.files.set_space_left(None);
        assert!(opened.writer.look_for_space());
        assert_eq!(opened.log.faults(), WriteState::Writing);
        append_each(&mut opened.writer, 6..=8);
        drop(opened);
        assert_eq!(read_all(&home.open().log).len(), 8);
    }
}

#[test]
fn a_failed_write_is_cut_back_and_can_be_tried_again() {
    let home = Home::in_memory();
    let mut opened = home.open();
    append_each(&mut opened.writer, 1..=2);
    home.files.set_write_fails(true);
    let error = opened.writer.append(vec![vec![report(3, 500)]], noon(3)).unwrap_err();
    assert!(matches!(error, AppendError::Write(_)), "{error}");
    home.files.set_write_fails(false);
    append_each(&mut opened.writer, 3..=4);
    drop(opened);
    assert_eq!(read_all(&home.open().log).len(), 4);
}

#[test]
fn a_failed_sync_stops_writing_until_a_restart() {
    let home = Home::in_memory();
    let mut opened = home.open();
    append_each(&mut opened.writer, 1..=2);
    home.files.set_sync_fails(true);
    let error = opened.writer.append(vec![vec![report(3, 0)]], noon(3)).unwrap_err();
    assert!(matches!(error, AppendError::Stopped { .. }), "{error}");
    assert!(matches!(opened.log.faults(), WriteState::Stopped { .. }));
    assert_eq!(opened.log.head(), Position(2));
    // It would work again, but what it would confirm cannot be believed.
    home.files.set_sync_fails(false);
    let syncs = home.files.syncs();
    let error = opened.writer.append(vec![vec![report(3, 0)]], noon(3)).unwrap_err();
    assert!(matches!(error, AppendError::Stopped { .. }), "{error}");
    assert_eq!(home.files.syncs(), syncs, "no synchronisation was tried");
    assert_eq!(read_all(&opened.log).len(), 2, "reading goes on");
    drop(opened);
    home.memory.as_ref().unwrap().lose_power();
    let mut opened = home.open();
    assert_eq!(opened.log.head(), Position(2));
    append_each(&mut opened.writer, 3..=4);
}

#[test]
fn a_journal_that_cannot_be_cut_back_stops_writing() {
    let home = Home::in_memory();
    let mut opened = home.open();
    append_each(&mut opened.writer, 1..=2);
    home.files.set_write_fails(true);
    home.files.set_truncate_fails(true);
    let error = opened.writer.append(vec![vec![report(3, 500)]], noon(3)).unwrap_err();
    assert!(matches!(error, AppendError::Stopped { .. }), "{error}");
    home.files.set_write_fails(false);
    home.files.set_truncate_fails(false);
    let error = opened.writer.append(vec![vec![report(3, 500)]], noon(3)).unwrap_err();
    assert!(matches!(error, AppendError::Stopped { .. }), "{error}");
    drop(opened);
    let opened = home.open();
    assert!(opened.report.journal_bytes_cut > 0);
    assert_eq!(read_all(&opened.log).len(), 2);
}

#[test]
fn a_power_cut_loses_nothing_that_was_acknowledged() {
    let home = Home::in_memory().with_journal_files_of(2_000);
    for round in 0..10 {
        let mut opened = home.open();
        append_each(&mut opened.writer, round * 3 + 1..=round * 3 + 3);
        let before = read_all(&opened.log);
        home.memory.as_ref().unwrap().lose_power();
        drop(opened);
        assert_eq!(read_all(&home.open().log), before);
    }
}

#[test]
fn a_commit_that_a_killed_process_left_unsynchronised_is_durable_once_it_is_shown() {
    let home = Home::in_memory();
    append_each(&mut home.open().writer, 1..=3);
    let path = home.journal_files().remove(0);
    let whole = home.files.read(&path).unwrap();
    home.put(&path, Vec::new());
    // Written, and the process is gone before it synchronises.
    home.files.open_append(&path).unwrap().write_all(&whole).unwrap();
    let shown = read_all(&home.open().log);
    assert_eq!(shown.len(), 3);
    home.memory.as_ref().unwrap().lose_power();
    assert_eq!(read_all(&home.open().log), shown);
}

#[test]
fn a_damaged_index_is_noticed_on_reading_and_rebuilt_behind_the_readers() {
    use std::os::unix::fs::FileExt;
    let home = Home::on_disk();
    // More than sled keeps in its cache, so that reading has to go to the file.
    let mut opened = home.open();
    let commits = 400;
    for commit in 0..commits {
        let request = (0..64).map(|at| noise_report(commit * 64 + at)).collect();
        opened.writer.append(vec![request], noon(commit as i64)).unwrap();
    }
    wait_until_indexed(&opened.log);
    let database = home.directory.join("index/db");
    let file = std::fs::OpenOptions::new().write(true).open(&database).unwrap();
    let size = file.metadata().unwrap().len();
    for offset in (0..size).step_by(512) {
        file.write_all_at(&[0x5a; 64], offset).unwrap();
    }
    let before = read_all(&opened.log);
    assert_eq!(before.len() as u64, commits * 64);
    wait_for("the damaged index to be moved aside", || home.directory.join("index.damaged-1").exists());
    wait_until_indexed(&opened.log);
    append_each(&mut opened.writer, [1_000_000]);
    drop(opened);
    let opened = home.open();
    assert_eq!(read_all(&opened.log)[..before.len()], before);
}

/// A report of some 4 KB that does not compress.
fn noise_report(number: u64) -> events::Event {
    let mut event = report(number, 0);
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1;
    let text: String = (0..2_000)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b'#' + (state >> 58) as u8 % 57)
        })
        .collect();
    if let events::EventData::ReportSubmitted(report) = &mut event.data {
        report.lines[0].source = Some(text.replace('\\', "/"));
        let line = report.lines[0].clone();
        report.lines.push(line);
    }
    event
}
