//! A witness: what it cosigns, and everything that it does not.

#![expect(clippy::unwrap_used, reason = "a test that unwraps nothing has failed, which is the point")]

use evidence::*;
use std::convert::Infallible;

fn log_key(seed: u8) -> SigningKey {
    SigningKey::from_seed(KeyName::parse("log.example/binh-duong").unwrap(), &[seed; SEED_BYTES])
}

/// A log whose entry at `other`, if any, is not that of the other logs.
struct Log {
    leaves: Vec<TreeHash>,
}

impl TileReader for &Log {
    type Error = Infallible;

    fn tile(&self, level: u8, _: u64, _: usize) -> Result<Vec<TreeHash>, Infallible> {
        assert_eq!(level, 0, "the logs here are small");
        Ok(self.leaves.clone())
    }
}

impl Log {
    fn of(size: u64, other: Option<u64>) -> Log {
        let entry =
            |index| if Some(index) == other { "another".to_owned() } else { format!("entry {index}") };
        Log { leaves: (0..size).map(|index| leaf_hash(entry(index).as_bytes())).collect() }
    }

    fn checkpoint(&self, size: u64) -> Checkpoint {
        let root = root_at(size, &TiledNodes::new(self)).unwrap();
        Checkpoint::new(log_key(1).name(), size, root)
    }

    fn ask(&self, old_size: u64, size: u64) -> AddCheckpoint {
        let proof = ConsistencyProof::compute(old_size, size, &TiledNodes::new(self)).unwrap().unwrap();
        let checkpoint = self.checkpoint(size).sign(&[&log_key(1)]).unwrap();
        AddCheckpoint { old_size, hashes: proof.hashes, checkpoint }
    }
}

fn keys() -> Vec<VerifierKey> {
    vec![log_key(1).verifier(KeyUse::Log)]
}

#[test]
fn a_witness_cosigns_what_continues_the_last_checkpoint() {
    let log = Log::of(100, None);
    let mut last = None;
    for (old_size, size) in [(0, 3), (3, 3), (3, 64), (64, 100)] {
        let request = AddCheckpoint::parse(log.ask(old_size, size).to_string().as_bytes()).unwrap();
        assert_eq!(request, log.ask(old_size, size));
        let verified = request.judge(&keys(), last.as_ref()).unwrap();
        assert_eq!(verified.checkpoint, log.checkpoint(size));
        last = Some(verified.checkpoint);
    }
}

#[test]
fn a_witness_refuses_with_the_status_of_the_protocol() {
    let (log, forged) = (Log::of(100, None), Log::of(100, Some(5)));
    let last = log.checkpoint(64);
    let refused = |request: &AddCheckpoint| request.judge(&keys(), Some(&last)).unwrap_err();
    let stale = refused(&log.ask(3, 100));
    assert_eq!((stale.status(), &stale), (409, &WitnessRefusal::Stale { old_size: 3, latest: 64 }));
    let two = refused(&forged.ask(64, 64));
    assert_eq!((two.status(), &two), (409, &WitnessRefusal::TwoRoots { size: 64 }));
    let rewritten = refused(&forged.ask(64, 100));
    assert_eq!(rewritten.status(), 422, "{rewritten}");
    let smaller = refused(&AddCheckpoint { old_size: 64, ..log.ask(3, 20) });
    assert_eq!((smaller.status(), &smaller), (400, &WitnessRefusal::Smaller { old_size: 64, size: 20 }));
    let padded = AddCheckpoint { hashes: vec![EMPTY_ROOT], ..log.ask(64, 64) };
    assert_eq!(refused(&padded).status(), 422);
    let request = log.ask(64, 100);
    let stranger = [log_key(2).verifier(KeyUse::Log)];
    assert_eq!(request.judge(&stranger, Some(&last)).unwrap_err().status(), 403);
    let other = SigningKey::from_seed(KeyName::parse("log.example/other").unwrap(), &[1; SEED_BYTES]);
    let refusal = request.judge(&[other.verifier(KeyUse::Log)], Some(&last)).unwrap_err();
    assert_eq!(refusal.status(), 404, "{refusal}");
    // The first checkpoint needs no proof, and takes none.
    assert_eq!(
        AddCheckpoint { hashes: vec![EMPTY_ROOT], ..log.ask(0, 9) }
            .judge(&keys(), None)
            .unwrap_err()
            .status(),
        422
    );
}

#[test]
fn what_is_no_request_says_why() {
    let text = Log::of(100, None).ask(64, 100).to_string();
    let parse = |text: &str| AddCheckpoint::parse(text.as_bytes()).unwrap_err();
    assert_eq!(parse(""), RequestError::Old);
    assert_eq!(parse(&text.replace("old 64", "old 064")), RequestError::Old);
    assert!(matches!(parse(&text.replace("old 64\n", "old 64\nabc\n")), RequestError::Hash { line: 2, .. }));
    assert_eq!(parse("old 64\n"), RequestError::NoCheckpoint);
    let long = format!("old 64\n{}\n", format!("{EMPTY_ROOT}\n").repeat(64));
    assert_eq!(parse(&long), RequestError::TooLong);
    assert_eq!(parse(&"x".repeat(300_000)), RequestError::TooLarge { bytes: 300_000 });
    for cut in 0..text.len() {
        let whole = AddCheckpoint::parse(&text.as_bytes()[..cut]);
        assert!(whole.is_err(), "cut at {cut}");
    }
}
