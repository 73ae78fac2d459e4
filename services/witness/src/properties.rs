//! What holds whatever is asked, in whatever order, whatever happens in between.

use crate::clock::Clock;
use crate::comparison::{Compared, compare};
use crate::config::LogConfig;
use crate::decision::Refused;
use crate::made_log::{MadeLog, ORIGIN, log_key, log_vkey};
use crate::record::hex_sha256;
use crate::source::{FetchError, Source};
use crate::store::Store;
use crate::witness::Witness;
use evidence::{KeyName, KeyUse, SigningKey, TilePath};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

const SIZE: u64 = 600;
const FORK_AT: u64 = 200;

static LOGS: LazyLock<[MadeLog; 2]> =
    LazyLock::new(|| [MadeLog::of(SIZE, None), MadeLog::of(SIZE, Some(FORK_AT))]);

fn witness_key() -> SigningKey {
    SigningKey::from_seed(KeyName::parse("witness.example/w1").unwrap(), &[2; 32])
}

fn witness(folder: &Path) -> Witness {
    let store = Store::open(folder).unwrap();
    let logs = [LogConfig::new(log_key().name(), vec![log_vkey()])];
    Witness::new(witness_key(), store, &logs, Clock::new(|| 1_000, || 0))
}

fn record_file(folder: &Path) -> PathBuf {
    folder.join("logs").join(hex_sha256(ORIGIN.as_bytes())).join("record")
}

#[derive(Debug, Clone)]
enum Step {
    /// A history, the size it starts from (none: the size that is remembered), its size.
    Ask(usize, Option<u64>, u64),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let ask = (0..2usize, prop::option::of(0..=SIZE), 0..=SIZE);
    prop_oneof![9 => ask.prop_map(|(log, old, size)| Step::Ask(log, old, size)), 1 => Just(Step::Restart)]
}

impl Source for MadeLog {
    fn checkpoint(&self) -> Result<Vec<u8>, FetchError> {
        unreachable!("a comparison has its checkpoints already")
    }

    fn consistency(&self, _: u64, _: u64) -> Result<Vec<u8>, FetchError> {
        unreachable!("a comparison computes its proof")
    }

    fn tile(&self, path: TilePath) -> Result<Vec<u8>, FetchError> {
        let missing = || FetchError::Status { url: "memory".to_owned(), status: 404 };
        self.tile_bytes(path).ok_or_else(missing)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn each_cosigned_checkpoint_continues_all_before_it(steps in prop::collection::vec(step(), 1..40)) {
        let folder = tempfile::tempdir().unwrap();
        let mut running = Some(witness(folder.path()));
        let mut cosigned: Vec<(usize, u64)> = Vec::new();
        for step in steps {
            let Step::Ask(history, old_size, size) = step else {
                // What is remembered is what was answered with last.
                drop(running.take());
                running = Some(witness(folder.path()));
                continue;
            };
            let witness = running.as_ref().unwrap();
            let latest = cosigned.last().map_or(0, |(_, size)| *size);
            let old_size = old_size.unwrap_or(latest);
            let request = LOGS[history].request(old_size, size);
            match witness.add_checkpoint(&request) {
                Ok(answer) => {
                    prop_assert_eq!(old_size, latest);
                    let keys = [log_vkey(), witness_key().verifier(KeyUse::Cosigner)];
                    let verified = answer.verify(&keys).unwrap();
                    prop_assert_eq!(verified.cosigned.len(), 1);
                    prop_assert_eq!(&verified.checkpoint, request.checkpoint.claimed());
                    for (_, before) in &cosigned {
                        prop_assert!(*before <= size);
                    }
                    for (earlier, before) in &cosigned {
                        prop_assert_eq!(LOGS[*earlier].root(*before), LOGS[history].root(*before));
                    }
                    cosigned.push((history, size));
                }
                Err(Refused::Protocol(refusal)) => {
                    // Nothing that is right is refused.
                    let before = cosigned.last().map_or(LOGS[history].root(0), |(log, size)| LOGS[*log].root(*size));
                    let continues = old_size == latest && latest <= size && LOGS[history].root(latest) == before;
                    prop_assert!(!continues, "{}", refusal);
                }
                Err(other) => prop_assert!(false, "{}", other),
            }
        }
    }

    #[test]
    fn tiles_tell_a_continuation_from_a_fork(
        small in 0..=SIZE, more in 0..=SIZE, histories in (0..2usize, 0..2usize)
    ) {
        let large = (small + more).min(SIZE);
        let (first, second) = (&LOGS[histories.0], &LOGS[histories.1]);
        let (small_checkpoint, large_checkpoint) = (first.checkpoint(small), second.checkpoint(large));
        let compared = compare(small_checkpoint.claimed(), large_checkpoint.claimed(), second).unwrap();
        let is_continued = histories.0 == histories.1 || small <= FORK_AT;
        match compared {
            Compared::Continues(hashes) => {
                prop_assert!(is_continued);
                prop_assert_eq!(hashes, second.request(small, large).hashes);
            }
            Compared::Contradicts { root, .. } => {
                prop_assert!(!is_continued);
                prop_assert_eq!(root, second.root(small));
            }
        }
    }
}

#[test]
fn of_two_forks_that_race_exactly_one_is_cosigned() {
    for round in 0..40 {
        let folder = tempfile::tempdir().unwrap();
        let witness = witness(folder.path());
        witness.add_checkpoint(&LOGS[0].request(0, 150)).unwrap();
        let sizes = [300 + round, 300 + (round * 7) % 11];
        let won: Vec<u64> = std::thread::scope(|scope| {
            let racing: Vec<_> = (0..8)
                .map(|racer| {
                    let (witness, log, size) = (&witness, &LOGS[racer % 2], sizes[racer % 2]);
                    let request = log.request(150, size);
                    scope.spawn(move || witness.add_checkpoint(&request).ok().map(|_| racer as u64))
                })
                .collect();
            racing.into_iter().filter_map(|racer| racer.join().unwrap()).collect()
        });
        assert_eq!(won.len(), 1, "round {round}: {won:?}");
        let winner = usize::try_from(won[0]).unwrap() % 2;
        let last = witness.log(ORIGIN).unwrap().last().unwrap();
        assert_eq!(last.checkpoint.claimed().root(), LOGS[winner].root(sizes[winner]));
    }
}

#[test]
fn damage_to_any_byte_of_what_is_remembered_stops_cosigning_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    witness(folder.path()).add_checkpoint(&LOGS[0].request(0, 150)).unwrap();
    let file = record_file(folder.path());
    let whole = std::fs::read(&file).unwrap();
    let refuses = |bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        let witness = witness(folder.path());
        for request in [LOGS[0].request(150, 300), LOGS[1].request(0, 300)] {
            let refused = witness.add_checkpoint(&request).unwrap_err();
            assert_eq!(refused.status(), 503);
            assert!(refused.to_string().contains("begin with a new key"), "{refused}");
        }
        assert!(matches!(witness.checks()[0].state, service::State::Down { .. }));
        assert_eq!(std::fs::read(&file).unwrap(), bytes, "a person may still want to look at it");
    };
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << (at % 8);
        refuses(&bytes);
    }
    for cut in (0..whole.len()).step_by(7) {
        refuses(&whole[..cut]);
    }
    std::fs::remove_file(&file).unwrap();
    let refused = witness(folder.path()).add_checkpoint(&LOGS[0].request(0, 150)).unwrap_err();
    assert!(refused.to_string().contains("holds no record"), "{refused}");
    std::fs::write(&file, &whole).unwrap();
    witness(folder.path()).add_checkpoint(&LOGS[0].request(150, 300)).unwrap();
}

#[test]
fn a_clock_that_went_back_stops_cosigning_until_it_is_past_the_last_time() {
    let folder = tempfile::tempdir().unwrap();
    let at = |now_seconds: u64, request: &evidence::AddCheckpoint| {
        let store = Store::open(folder.path()).unwrap();
        let logs = [LogConfig::new(log_key().name(), vec![log_vkey()])];
        let witness = Witness::new(witness_key(), store, &logs, Clock::new(move || now_seconds, || 0));
        witness.add_checkpoint(request)
    };
    at(1_000, &LOGS[0].request(0, 150)).unwrap();
    let refused = at(999, &LOGS[0].request(150, 160)).unwrap_err();
    assert!(matches!(refused, Refused::ClockBehind { now_seconds: 999, last_seconds: 1_000 }), "{refused}");
    assert!(refused.to_string().contains("until the clock is right"), "{refused}");
    let cosigned = at(1_001, &LOGS[0].request(150, 160)).unwrap();
    let verified = cosigned.verify(&[log_vkey(), witness_key().verifier(KeyUse::Cosigner)]).unwrap();
    assert_eq!(verified.cosigned[0].at_seconds, 1_001);
}

#[test]
fn what_cannot_be_written_down_is_not_cosigned() {
    let folder = tempfile::tempdir().unwrap();
    let witness = witness(folder.path());
    witness.add_checkpoint(&LOGS[0].request(0, 150)).unwrap();
    let file = record_file(folder.path());
    // Before the record's name changes: the old one stands, and trying again helps.
    let next = file.with_file_name("record.new");
    std::fs::create_dir(&next).unwrap();
    let refused = witness.add_checkpoint(&LOGS[0].request(150, 300)).unwrap_err();
    assert!(matches!(refused, Refused::NotSaved { .. }), "{refused}");
    assert_eq!(witness.log(ORIGIN).unwrap().last().unwrap().checkpoint.claimed().size(), 150);
    std::fs::remove_dir(&next).unwrap();
    witness.add_checkpoint(&LOGS[0].request(150, 300)).unwrap();
    // While it changes: which one stands is not known, and nothing is cosigned any more.
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir_all(file.join("in the way")).unwrap();
    let refused = witness.add_checkpoint(&LOGS[0].request(300, 400)).unwrap_err();
    assert!(matches!(refused, Refused::NotSaved { .. }), "{refused}");
    std::fs::remove_dir_all(&file).unwrap();
    let refused = witness.add_checkpoint(&LOGS[0].request(300, 400)).unwrap_err();
    assert!(matches!(refused, Refused::Unusable { .. }), "{refused}");
    assert!(matches!(witness.checks()[0].state, service::State::Down { .. }));
}

#[test]
fn a_pushed_fork_is_kept_and_alarms_also_after_a_restart_and_rubbish_does_not_alarm() {
    let folder = tempfile::tempdir().unwrap();
    let running = witness(folder.path());
    running.add_checkpoint(&LOGS[0].request(0, 300)).unwrap();
    let rubbish = evidence::AddCheckpoint { hashes: vec![LOGS[0].root(3)], ..LOGS[0].request(300, 400) };
    assert_eq!(running.add_checkpoint(&rubbish).unwrap_err().status(), 422);
    assert_eq!(running.checks()[0].state, service::State::Ok);
    assert_eq!(running.add_checkpoint(&LOGS[1].request(300, 300)).unwrap_err().status(), 409);
    assert!(matches!(running.checks()[0].state, service::State::Down { .. }));
    drop(running);
    let running = witness(folder.path());
    assert!(matches!(running.checks()[0].state, service::State::Down { .. }));
    // The history that it saw goes on.
    running.add_checkpoint(&LOGS[0].request(300, 400)).unwrap();
}
