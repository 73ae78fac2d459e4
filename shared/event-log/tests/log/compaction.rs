//! Full journal files are written anew with merged frames: smaller, with the same events, whatever happens.

use super::support::*;
use event_log::files::Files;
use event_log::{Opened, Stored, VerifyReport, verify_files};
use events::Position;
use std::fs;
use std::path::{Path, PathBuf};

const FILE_BYTES: u64 = 20_000;

/// A log with commits of one event in several full files, none of which is compacted.
fn written(home: &Home) -> Vec<Stored> {
    let mut opened = home.open();
    append_each(&mut opened.writer, 1..=200);
    wait_until_indexed(&opened.log);
    read_all(&opened.log)
}

/// The same, compacted.
fn compacted(home: &mut Home) -> Vec<Stored> {
    let before = written(home);
    home.compacts_journal = true;
    wait_until_compact(&home.open().log);
    before
}

fn small_files(home: Home) -> Home {
    home.with_journal_files_of(FILE_BYTES)
}

fn verified(home: &Home) -> VerifyReport {
    let report = verify_files(&home.files, &home.directory, None).unwrap();
    assert!(report.is_ok(), "{report:?}");
    report
}

fn content(home: &Home) -> Vec<(PathBuf, Vec<u8>)> {
    home.journal_files().into_iter().map(|path| (path.clone(), home.files.read(&path).unwrap())).collect()
}

fn sealed(home: &Home) -> Vec<PathBuf> {
    let mut files = home.journal_files();
    files.pop();
    files
}

fn compaction_keeps_the_events_and_the_tree_and_takes_less_room(home: Home) {
    let mut home = small_files(home);
    let before = written(&home);
    let committed = verified(&home);
    assert!(home.journal_files().len() > 4);
    let last = content(&home).pop();
    home.compacts_journal = true;
    let Opened { log, mut writer, .. } = home.open();
    wait_until_compact(&log);
    assert_eq!(read_all(&log), before);
    let merged = verified(&home);
    assert_eq!((merged.head, merged.events, merged.root), (committed.head, committed.events, committed.root));
    assert!(merged.frames < committed.frames && merged.bytes < committed.bytes * 2 / 3, "{merged:?}");
    assert_eq!(content(&home).pop(), last, "the file being written is left alone");
    // It goes on, and what becomes full while it runs is compacted, too.
    append_each(&mut writer, 201..=260);
    wait_until_compact(&log);
    let after = read_all(&log);
    assert_eq!(&after[..200], before);
    drop((log, writer));
    assert_eq!(read_all(&home.open().log), after);
    assert_eq!(verified(&home).events, 260);
}

fn a_compacted_file_is_known_after_a_restart_and_not_written_again(home: Home) {
    let mut home = small_files(home);
    let before = compacted(&mut home);
    let files = content(&home);
    let syncs = home.files.syncs();
    let opened = home.open();
    assert!(opened.log.is_compact(), "known from the headers");
    assert_eq!(read_all(&opened.log), before);
    // The next one is compacted after all that came before it was looked at.
    let Opened { log, mut writer, .. } = opened;
    append_each(&mut writer, 201..=260);
    wait_until_compact(&log);
    assert_eq!(content(&home)[..files.len() - 1], files[..files.len() - 1]);
    assert!(home.files.syncs() > syncs);
}

fn what_a_killed_process_left_over_is_removed(home: Home) {
    let mut home = small_files(home);
    let before = written(&home);
    let left_over = home.directory.join("journal/compacted.tmp");
    home.put(&left_over, b"half of it".to_vec());
    assert_eq!(read_all(&home.open().log), before);
    assert!(!home.journal_files().contains(&left_over));
    home.put(&left_over, b"half of it".to_vec());
    home.compacts_journal = true;
    wait_until_compact(&home.open().log);
    verified(&home);
    assert!(!home.journal_files().contains(&left_over));
}

fn a_log_that_closes_does_not_wait_for_compaction(home: Home) {
    let mut home = small_files(home);
    let before = written(&home);
    home.compacts_journal = true;
    for _ in 0..5 {
        drop(home.open());
        verified(&home);
        let unfinished = home.journal_files().iter().any(|path| path.extension().unwrap() != "journal");
        assert!(!unfinished, "nothing is left over");
    }
    assert_eq!(read_all(&home.open().log), before);
}

fn without_space_and_without_synchronisation_everything_stays_as_it_is(home: Home) {
    let mut home = small_files(home);
    let before = written(&home);
    let files = content(&home);
    home.compacts_journal = true;
    home.files.set_space_left(Some(1_000_000));
    assert_eq!(read_all(&home.open().log), before);
    home.files.set_space_left(None);
    let opened = home.open();
    drop(opened);
    verified(&home);
    // A disk that confirms nothing more: the start itself asks it once, compaction asks again.
    let opened = home.open();
    home.files.set_sync_fails(true);
    assert_eq!(read_all(&opened.log), before);
    drop(opened);
    home.files.set_sync_fails(false);
    verified(&home);
    let opened = home.open();
    wait_until_compact(&opened.log);
    assert_eq!(read_all(&opened.log), before);
    assert_eq!(content(&home).pop(), files.last().cloned());
}

contract! {
    compaction_keeps_the_events_and_the_tree_and_takes_less_room,
    a_compacted_file_is_known_after_a_restart_and_not_written_again,
    what_a_killed_process_left_over_is_removed,
    a_log_that_closes_does_not_wait_for_compaction,
    without_space_and_without_synchronisation_everything_stays_as_it_is,
}

fn without_the_index(home: &Home) {
    fs::remove_dir_all(home.directory.join("index")).unwrap();
}

#[test]
fn compacted_files_are_read_only_and_the_index_is_made_again_from_them() {
    let mut home = small_files(Home::on_disk());
    let before = compacted(&mut home);
    for path in sealed(&home) {
        assert!(fs::metadata(&path).unwrap().permissions().readonly(), "{}", path.display());
    }
    without_the_index(&home);
    let opened = home.open();
    assert_eq!(read_all(&opened.log), before);
    for stored in &before {
        assert_eq!(opened.log.event_by_id(&stored.id).unwrap().as_ref(), Some(stored));
    }
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 4;
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_bit_flipped_in_a_compacted_file_is_put_right_from_the_index() {
    let mut home = small_files(Home::on_disk());
    let before = compacted(&mut home);
    let path = sealed(&home).remove(1);
    let size = fs::metadata(&path).unwrap().len() as usize;
    for at in (0..32).step_by(3).chain((32..size).step_by(size / 8)) {
        flip(&path, at);
        assert!(!verify_files(&home.files, &home.directory, None).unwrap().is_ok(), "byte {at}");
        let opened = home.open();
        assert_eq!(read_all(&opened.log), before, "byte {at}");
        wait_for("the damage to be repaired", || {
            verify_files(&home.files, &home.directory, None).unwrap().is_ok()
        });
        wait_until_compact(&opened.log);
    }
    verified(&home);
    without_the_index(&home);
    assert_eq!(read_all(&home.open().log), before);
}

#[test]
fn a_damaged_file_is_repaired_before_it_is_compacted() {
    let mut home = small_files(Home::on_disk());
    let before = written(&home);
    let damaged = sealed(&home).remove(1);
    flip(&damaged, 700);
    home.compacts_journal = true;
    let opened = home.open();
    wait_until_compact(&opened.log);
    drop(opened);
    verified(&home);
    without_the_index(&home);
    assert_eq!(read_all(&home.open().log), before);
}

#[test]
fn compacted_files_that_are_gone_or_cut_short_are_restored() {
    for (what, from_end) in
        [("the file being written", 0), ("the last full one", 1), ("the first one", usize::MAX)]
    {
        for cut in [None, Some(10), Some(100)] {
            let mut home = small_files(Home::on_disk());
            let before = compacted(&mut home);
            let files = home.journal_files();
            let path = &files[files.len().saturating_sub(1).saturating_sub(from_end)];
            let bytes = fs::read(path).unwrap();
            fs::remove_file(path).unwrap();
            if let Some(cut) = cut {
                fs::write(path, &bytes[..bytes.len() - cut]).unwrap();
            }
            let mut opened = home.open();
            assert_eq!(read_all(&opened.log), before, "{what}, {cut:?}");
            append_each(&mut opened.writer, 201..=205);
            drop(opened);
            assert_eq!(verified(&home).events, 205);
            without_the_index(&home);
            assert_eq!(read_all(&home.open().log)[..200], before, "{what}, {cut:?}");
        }
    }
}

#[test]
fn a_compacted_log_copies_and_is_copied_as_any_other() {
    let mut home = small_files(Home::on_disk());
    let before = compacted(&mut home);
    let copy = Home::in_memory().with_journal_files_of(FILE_BYTES).compacting();
    let mut copied = copy.open();
    let events = before.iter().cloned().map(event_log::Copied::from).collect();
    assert_eq!(copied.writer.append_copy(events).unwrap(), Position(200));
    wait_until_compact(&copied.log);
    let opened = home.open();
    assert_eq!(read_all(&copied.log), read_all(&opened.log));
    assert_eq!(copied.log.tree_head(), opened.log.tree_head());
}
