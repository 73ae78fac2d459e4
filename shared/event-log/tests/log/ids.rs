//! Events looked for by their ids, over several runs of ids in the index.

use crate::support::{Home, alter, noon, read_all, report, wait_for, wait_until_indexed};
use event_log::{IndexState, Opened};
use events::Position;

/// How many events a run of ids in the index is about.
const RUN: u64 = 16_384;

/// A log of some more than two runs.
fn home_of_runs() -> Home {
    let home = Home::on_disk();
    let mut opened = home.open();
    let last = 2 * RUN + 100;
    for first in (1..=last).step_by(4_096) {
        let request = (first..=last.min(first + 4_095)).map(|number| report(number, 0)).collect();
        opened.writer.append(vec![request], noon(0)).unwrap();
    }
    home
}

/// Every so-many-th event is found by its id, and others are not.
fn check(opened: &Opened) {
    for number in [1, 2, RUN - 1, RUN, RUN + 1, RUN + 777, 2 * RUN, 2 * RUN + 1, 2 * RUN + 100] {
        let found = opened.log.event_by_id(&report(number, 0).id).unwrap();
        assert_eq!(found.map(|stored| stored.position), Some(Position(number)));
    }
    for number in 3 * RUN..3 * RUN + 500 {
        assert_eq!(opened.log.event_by_id(&report(number, 0).id).unwrap(), None);
    }
}

#[test]
fn every_id_is_found_in_its_run_and_behind_the_runs_also_after_a_restart() {
    let home = home_of_runs();
    for _ in 0..2 {
        let opened = home.open();
        assert_eq!(opened.report.index, IndexState::Ready);
        check(&opened);
        for stored in read_all(&opened.log).iter().step_by(997) {
            assert_eq!(opened.log.event_by_id(&stored.id).unwrap().as_ref(), Some(stored));
        }
    }
}

#[test]
fn an_index_of_an_earlier_version_gets_its_runs_when_it_is_opened() {
    let home = home_of_runs();
    // It had one entry for each id.
    alter(&home, |db| {
        let by_id = db.open_tree("by_id").unwrap();
        by_id.clear().unwrap();
        by_id.insert(report(1, 0).id.as_bytes(), &1u64.to_be_bytes()).unwrap();
        db.open_tree("meta").unwrap().remove("id_runs").unwrap();
    });
    let opened = home.open();
    assert_eq!(opened.report.index, IndexState::Ready);
    check(&opened);
    drop(opened);
    alter(&home, |db| {
        assert_eq!(db.open_tree("meta").unwrap().get("id_runs").unwrap().unwrap(), &2u64.to_be_bytes());
    });
}

#[test]
fn a_run_that_is_not_as_it_was_written_is_found_and_the_index_made_again() {
    for part in [3u8, 16] {
        let home = home_of_runs();
        alter(&home, |db| {
            let by_id = db.open_tree("by_id").unwrap();
            let key = [1u64.to_be_bytes().as_slice(), &[part]].concat();
            let mut value = by_id.get(&key).unwrap().unwrap().to_vec();
            value[77] ^= 4;
            by_id.insert(key, value).unwrap();
        });
        let opened = home.open();
        // Nothing is said to be absent because its place is damaged.
        check(&opened);
        for number in RUN + 1..RUN + 300 {
            let found = opened.log.event_by_id(&report(number, 0).id).unwrap();
            assert_eq!(found.map(|stored| stored.position), Some(Position(number)));
        }
        wait_until_indexed(&opened.log);
        wait_for("the damaged index to be moved aside", || home.directory.join("index.damaged-1").is_dir());
        check(&opened);
    }
}

#[test]
fn an_index_that_claims_more_ids_than_events_is_made_again() {
    let home = Home::on_disk();
    let mut opened = home.open();
    opened.writer.append(vec![vec![report(1, 0)]], noon(0)).unwrap();
    drop(opened);
    alter(&home, |db| {
        db.open_tree("meta").unwrap().insert("id_runs", &1u64.to_be_bytes()).unwrap();
    });
    let opened = home.open();
    let IndexState::Rebuilt { why, .. } = &opened.report.index else { panic!("{:?}", opened.report.index) };
    assert!(why.contains("more ids than events"), "{why}");
    let found = opened.log.event_by_id(&report(1, 0).id).unwrap();
    assert_eq!(found.map(|stored| stored.position), Some(Position(1)));
}
