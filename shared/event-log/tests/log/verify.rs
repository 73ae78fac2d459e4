//! Checking a log's files.

use super::support::*;
use event_log::files::Files;
use event_log::{VerifyError, verify_files};
use events::{PlanId, Position};

fn written(home: &Home) {
    let mut opened = home.open();
    append_each(&mut opened.writer, 1..=10);
}

#[test]
fn a_whole_log_has_no_problems_live_or_stopped() {
    let home = Home::on_disk().with_journal_files_of(1_500);
    let mut opened = home.open();
    append_each(&mut opened.writer, 1..=10);
    let live = verify_files(&home.files, &home.directory, Some(&plan())).unwrap();
    drop(opened);
    let stopped = verify_files(&home.files, &home.directory, None).unwrap();
    assert_eq!(live, stopped);
    assert!(stopped.is_ok(), "{:?}", stopped.problems);
    assert_eq!((stopped.head, stopped.frames, stopped.events), (Position(10), 10, 10));
    assert_eq!(stopped.plan, Some(plan()));
}

#[test]
fn an_altered_byte_is_found_with_its_position_and_file() {
    let home = Home::in_memory();
    written(&home);
    let path = home.journal_files().remove(0);
    let whole = home.files.read(&path).unwrap();
    for at in (0..whole.len()).step_by(97) {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        home.put(&path, altered);
        let report = verify_files(&home.files, &home.directory, None).unwrap();
        assert!(!report.is_ok(), "byte {at} altered");
        assert_eq!(report.problems[0].file, path);
        assert!(report.events >= 9, "one frame is lost, not those behind it");
    }
}

#[test]
fn a_torn_end_is_a_problem_only_of_a_stopped_log() {
    let home = Home::in_memory();
    let opened = {
        let mut opened = home.open();
        append_each(&mut opened.writer, 1..=10);
        opened
    };
    let path = home.journal_files().remove(0);
    let mut bytes = home.files.read(&path).unwrap();
    bytes.truncate(bytes.len() - 5);
    home.put(&path, bytes);
    let live = verify_files(&home.files, &home.directory, None).unwrap();
    assert!(live.is_ok() && live.in_flight_bytes > 0, "{live:?}");
    assert_eq!(live.head, Position(9));
    drop(opened);
    let stopped = verify_files(&home.files, &home.directory, None).unwrap();
    assert_eq!(stopped.problems.len(), 1);
    assert_eq!(stopped.problems[0].position, Position(10));
}

#[test]
fn a_missing_or_repeated_file_is_found() {
    let home = Home::in_memory().with_journal_files_of(1_500);
    written(&home);
    let names = home.journal_files();
    let second = home.files.read(&names[1]).unwrap();
    home.files.remove(&names[1]).unwrap();
    assert!(!verify_files(&home.files, &home.directory, None).unwrap().is_ok());
    home.put(&names[1], second.clone());
    assert!(verify_files(&home.files, &home.directory, None).unwrap().is_ok());
    let repeated = home.directory.join("journal/00000000000000000011.journal");
    home.put(&repeated, second);
    let report = verify_files(&home.files, &home.directory, None).unwrap();
    assert!(report.problems.iter().any(|problem| problem.what.contains("is that of position")), "{report:?}");
}

#[test]
fn what_is_no_log_or_another_plans_is_said() {
    let home = Home::in_memory();
    let error = verify_files(&home.files, &home.directory, None).unwrap_err();
    assert!(matches!(error, VerifyError::NoLog(_)));
    written(&home);
    let other = PlanId::parse("other").unwrap();
    let error = verify_files(&home.files, &home.directory, Some(&other)).unwrap_err();
    assert!(matches!(error, VerifyError::OtherPlan { .. }));
}
