//! Laws of the log, on random commits.

use super::support::*;
use ::evidence::{Frontier, leaf_hash};
use event_log::TreeHead;
use events::{Event, Position};
use proptest::prelude::*;

/// Commits of requests of events, by size; the numbers make the ids.
fn commits() -> impl Strategy<Value = Vec<Vec<Vec<usize>>>> {
    let size = prop_oneof![8 => 0..400usize, 1 => 400..20_000usize, 1 => 20_000..57_000usize];
    let request = prop::collection::vec(size, 0..5);
    prop::collection::vec(prop::collection::vec(request, 1..4), 1..8)
}

fn check(home: &Home, commits: &[Vec<Vec<usize>>], reopen_after: usize) -> Result<(), TestCaseError> {
    let mut opened = home.open();
    let compacts = home.compacts_journal;
    let mut number = 0;
    let mut expected = Vec::new();
    for (index, commit) in commits.iter().enumerate() {
        if index == reopen_after {
            drop(opened);
            opened = home.open();
        }
        let mut next = |size: &usize| -> Event {
            number += 1;
            report(number, *size)
        };
        let requests = commit.iter().map(|request| request.iter().map(&mut next).collect()).collect();
        let recorded = opened.writer.append(requests, noon(index as i64)).unwrap();
        expected.extend(recorded.into_iter().flatten());
    }
    for opened_again in [false, true] {
        if compacts && opened_again {
            wait_until_compact(&opened.log);
        }
        let stored = read_all(&opened.log);
        prop_assert_eq!(stored.len(), expected.len());
        for (stored, recorded) in stored.iter().zip(&expected) {
            prop_assert_eq!(&stored.bytes[..], &events::wire::write(recorded).unwrap()[..]);
            prop_assert_eq!(stored.recorded_at, recorded.recorded_at);
            prop_assert_eq!(opened.log.event_by_id(&stored.id).unwrap(), Some(stored.clone()));
            let last_then = expected.iter().rposition(|other| other.recorded_at <= recorded.recorded_at);
            let position = Position(last_then.unwrap() as u64 + 1);
            prop_assert_eq!(opened.log.position_at(recorded.recorded_at).unwrap(), position);
        }
        // The tree is that of the bytes, however they were grouped and wherever they are now.
        let mut tree = Frontier::new();
        for stored in &stored {
            tree.append(leaf_hash(&stored.bytes));
            prop_assert_eq!(opened.log.root_at(stored.position).unwrap(), tree.root());
        }
        let size = stored.len() as u64;
        prop_assert_eq!(opened.log.tree_head(), TreeHead { size, root: tree.root() });
        for stored in &stored {
            let proof = opened.log.inclusion_proof(stored.position, size).unwrap();
            prop_assert!(proof.verify(leaf_hash(&stored.bytes), tree.root()).is_ok());
        }
        drop(opened);
        opened = home.open();
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn what_is_appended_reads_back_after_reopening_in_memory(commits in commits(), reopen_after in 0..8usize) {
        check(&Home::in_memory().with_journal_files_of(20_000), &commits, reopen_after)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn what_is_appended_reads_back_after_compaction_in_memory(
        commits in commits(), reopen_after in 0..8usize, file_bytes in prop_oneof![1_000..20_000u64, 20_000..400_000u64]
    ) {
        check(&Home::in_memory().with_journal_files_of(file_bytes).compacting(), &commits, reopen_after)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, max_shrink_iters: 20, ..ProptestConfig::default() })]
    #[test]
    fn what_is_appended_reads_back_after_compaction_on_disk(commits in commits(), reopen_after in 0..8usize) {
        check(&Home::on_disk().with_journal_files_of(20_000).compacting(), &commits, reopen_after)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 20, ..ProptestConfig::default() })]
    #[test]
    fn what_is_appended_reads_back_after_reopening_on_disk(commits in commits(), reopen_after in 0..8usize) {
        check(&Home::on_disk().with_journal_files_of(20_000), &commits, reopen_after)?;
    }
}
