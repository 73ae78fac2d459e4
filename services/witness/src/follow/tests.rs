use super::*;
use crate::clock::Clock;
use crate::config::LogConfig;
use crate::findings;
use crate::made_log::{MadeLog, ORIGIN, log_key, log_vkey};
use crate::store::Store;
use evidence::{KeyName, SigningKey, TilePath};
use std::cell::Cell;

/// A log as its address shows it.
struct Shown<'a> {
    log: &'a MadeLog,
    size: u64,
    /// What it gives as a consistency proof.
    proof: Proof,
    /// Whether it keeps only tiles that are full.
    only_full: bool,
    tiles_read: Cell<u32>,
}

enum Proof {
    None,
    Right,
    Wrong,
}

impl<'a> Shown<'a> {
    fn of(log: &'a MadeLog, size: u64) -> Shown<'a> {
        Shown { log, size, proof: Proof::None, only_full: false, tiles_read: Cell::new(0) }
    }
}

fn not_found() -> FetchError {
    FetchError::Status { url: "memory".to_owned(), status: 404 }
}

impl Source for Shown<'_> {
    fn checkpoint(&self) -> Result<Vec<u8>, FetchError> {
        Ok(self.log.checkpoint(self.size).to_string().into_bytes())
    }

    fn consistency(&self, from: u64, to: u64) -> Result<Vec<u8>, FetchError> {
        match self.proof {
            Proof::None => Err(not_found()),
            Proof::Right => Ok(self.log.request(from, to).to_string().into_bytes()),
            Proof::Wrong => Ok(self.log.request(from - 1, to).to_string().into_bytes()),
        }
    }

    fn tile(&self, path: TilePath) -> Result<Vec<u8>, FetchError> {
        self.tiles_read.set(self.tiles_read.get() + 1);
        let bytes = self.log.tile_bytes(path).filter(|_| path.is_full() || !self.only_full);
        bytes.ok_or_else(not_found)
    }
}

struct Watching {
    _folder: tempfile::TempDir,
    witness: Witness,
}

impl Watching {
    fn new() -> Watching {
        let folder = tempfile::tempdir().unwrap();
        let key = SigningKey::from_seed(KeyName::parse("witness.example/w1").unwrap(), &[2; 32]);
        let store = Store::open(folder.path()).unwrap();
        let logs = [LogConfig::new(log_key().name(), vec![log_vkey()])];
        Watching { _folder: folder, witness: Witness::new(key, store, &logs, Clock::new(|| 1_000, || 0)) }
    }

    fn log(&self) -> &WatchedLog {
        self.witness.log(ORIGIN).unwrap()
    }

    fn look(&self, source: &dyn Source) -> Result<Looked, NotFollowed> {
        look(&self.witness, self.log(), source)
    }

    fn size(&self) -> u64 {
        self.log().last().map_or(0, |last| last.checkpoint.claimed().size())
    }

    fn findings(&self, kind: Kind) -> Vec<std::path::PathBuf> {
        findings::of_kind(&self.log().findings(), kind).unwrap()
    }
}

#[test]
fn a_log_that_grows_is_followed_by_its_tiles_alone() {
    let (watching, log) = (Watching::new(), MadeLog::of(66_000, None));
    for size in [0, 1, 5, 5, 255, 256, 257, 300, 65_536, 65_537, 66_000] {
        let shown = Shown::of(&log, size);
        assert_eq!(watching.look(&shown).unwrap(), Looked::Cosigned(size));
        assert!(shown.tiles_read.get() <= 24, "{} tiles for {size}", shown.tiles_read.get());
    }
}

#[test]
fn a_proof_that_the_log_gives_saves_the_tiles_and_a_wrong_one_does_not_matter() {
    let (watching, log) = (Watching::new(), MadeLog::of(1_000, None));
    watching.look(&Shown::of(&log, 300)).unwrap();
    let given = Shown { proof: Proof::Right, ..Shown::of(&log, 700) };
    assert_eq!(watching.look(&given).unwrap(), Looked::Cosigned(700));
    assert_eq!(given.tiles_read.get(), 0);
    let wrong = Shown { proof: Proof::Wrong, ..Shown::of(&log, 900) };
    assert_eq!(watching.look(&wrong).unwrap(), Looked::Cosigned(900));
    assert!(wrong.tiles_read.get() > 0);
}

#[test]
fn a_partial_tile_that_is_gone_is_taken_from_the_full_one() {
    let (watching, log) = (Watching::new(), MadeLog::of(512, None));
    watching.look(&Shown::of(&log, 100)).unwrap();
    // The log has 512 entries by now, and shows its checkpoint of 256 a moment longer.
    let shown = Shown { only_full: true, ..Shown::of(&log, 256) };
    watching.look(&shown).unwrap_err();
    // Level 1 has no full tile yet, so nothing can be told; level 0 has.
    let log = MadeLog::of(66_000, None);
    let shown = Shown { only_full: true, ..Shown::of(&log, 300) };
    assert_eq!(watching.look(&shown).unwrap(), Looked::Cosigned(300));
}

#[test]
fn a_log_that_shrank_alarms_while_it_does_and_is_not_cosigned() {
    let (watching, log, cut) = (Watching::new(), MadeLog::of(1_000, None), MadeLog::of(600, None));
    watching.look(&Shown::of(&log, 700)).unwrap();
    let shown = Shown::of(&cut, 600);
    assert_eq!(watching.look(&shown).unwrap(), Looked::Shrank);
    assert!(note(watching.log(), watching.look(&shown)));
    assert_eq!(watching.size(), 700);
    let why = watching.log().shrank().unwrap();
    assert!(why.contains("no longer has the rest"), "{why}");
    // The same again is one finding, and no answer does not end the alarm.
    let gone = Shown { only_full: true, ..Shown::of(&log, 800) };
    assert!(!note(watching.log(), watching.look(&gone)));
    assert!(watching.log().shrank().is_some() && watching.log().not_followed().is_some());
    assert_eq!(watching.findings(Kind::Shrank).len(), 1);
    // It was an old copy: the alarm ends, the finding stays.
    assert!(note(watching.log(), watching.look(&Shown::of(&log, 800))));
    assert_eq!((watching.log().shrank(), watching.log().not_followed()), (None, None));
    assert_eq!((watching.size(), watching.findings(Kind::Shrank).len()), (800, 1));
}

#[test]
fn an_old_checkpoint_of_a_log_that_has_the_rest_is_no_alarm() {
    let (watching, log) = (Watching::new(), MadeLog::of(1_000, None));
    watching.look(&Shown::of(&log, 700)).unwrap();
    for old in [0, 1, 256, 699] {
        assert_eq!(watching.look(&Shown::of(&log, old)).unwrap(), Looked::Old, "{old}");
    }
    assert!(note(watching.log(), watching.look(&Shown::of(&log, 600))));
    let check = watching.witness.checks().remove(0);
    assert!(matches!(check.state, service::State::Degraded { .. }), "{check:?}");
    assert_eq!((watching.size(), watching.findings(Kind::Shrank).len()), (700, 0));
    // Where the tiles cannot be had now, it is not known which of the two it is.
    struct NoTiles<'a>(Shown<'a>);
    impl Source for NoTiles<'_> {
        fn checkpoint(&self) -> Result<Vec<u8>, FetchError> {
            self.0.checkpoint()
        }
        fn consistency(&self, from: u64, to: u64) -> Result<Vec<u8>, FetchError> {
            self.0.consistency(from, to)
        }
        fn tile(&self, _: TilePath) -> Result<Vec<u8>, FetchError> {
            Err(FetchError::Status { url: "memory".to_owned(), status: 503 })
        }
    }
    let error = watching.look(&NoTiles(Shown::of(&log, 600))).unwrap_err();
    assert!(matches!(error, NotFollowed::Fetch(_)), "{error}");
    assert!(watching.findings(Kind::Shrank).is_empty());
}

#[test]
fn a_fork_of_any_size_is_proven_to_anyone_and_never_cosigned() {
    for (seen, shown) in [(500, 500), (500, 900), (500, 400), (300, 66_000), (66_000, 300)] {
        let (log, forked) = (MadeLog::of(66_000, None), MadeLog::of(66_000, Some(250)));
        let watching = Watching::new();
        watching.look(&Shown::of(&log, seen)).unwrap();
        // What is shown is smaller: its history is in the tiles that the witness cosigned, which the log keeps.
        let source = if shown < seen { MadeLog::of(66_000, None) } else { forked.clone() };
        let source = Forked { tiles: &source, checkpoint: forked.checkpoint(shown) };
        for _ in 0..2 {
            let looked = watching.look(&source);
            assert_eq!(looked.unwrap(), Looked::Forked, "{seen} and {shown}");
        }
        assert_eq!(watching.size(), seen);
        let findings = watching.findings(Kind::Fork);
        assert_eq!(findings.len(), 1);
        holds(&findings[0], seen != shown);
        let check = watching.witness.checks().remove(0);
        assert!(matches!(check.state, service::State::Down { .. }), "{check:?}");
    }
}

/// A log that shows the checkpoint of another history.
struct Forked<'a> {
    tiles: &'a MadeLog,
    checkpoint: SignedCheckpoint,
}

impl Source for Forked<'_> {
    fn checkpoint(&self) -> Result<Vec<u8>, FetchError> {
        Ok(self.checkpoint.to_string().into_bytes())
    }

    fn consistency(&self, _: u64, _: u64) -> Result<Vec<u8>, FetchError> {
        Err(not_found())
    }

    fn tile(&self, path: TilePath) -> Result<Vec<u8>, FetchError> {
        self.tiles.tile_bytes(path).ok_or_else(not_found)
    }
}

/// Checks a finding as somebody would who has nothing but its files and the log's public key.
fn holds(finding: &std::path::Path, has_proof: bool) {
    let read = |name: &str| std::fs::read(finding.join(name)).unwrap();
    let verified =
        |bytes: &[u8]| SignedCheckpoint::parse(bytes).unwrap().verify(&[log_vkey()]).unwrap().checkpoint;
    let (seen, shown) = (verified(&read("seen")), verified(&read("shown")));
    if !has_proof {
        assert_eq!(seen.size(), shown.size());
        assert_ne!(seen.root(), shown.root());
        return;
    }
    let (small, large) = if seen.size() < shown.size() { (&seen, &shown) } else { (&shown, &seen) };
    let proof = AddCheckpoint::parse(&read("proof")).unwrap();
    assert_eq!(proof.checkpoint.claimed(), large);
    let root: TreeHash = String::from_utf8(read("root")).unwrap().trim_end().parse().unwrap();
    let proof = ConsistencyProof { from: small.size(), to: large.size(), hashes: proof.hashes };
    proof.verify(root, large.root()).unwrap();
    assert_ne!(root, small.root());
}

#[test]
fn tiles_of_another_tree_prove_nothing() {
    let (watching, log) = (Watching::new(), MadeLog::of(1_000, None));
    watching.look(&Shown::of(&log, 300)).unwrap();
    let other = MadeLog::of(1_000, Some(10));
    let source = Forked { tiles: &other, checkpoint: log.checkpoint(900) };
    let error = watching.look(&source).unwrap_err();
    assert!(matches!(error, NotFollowed::NotCompared(NotCompared::OtherTree { size: 900 })), "{error}");
    assert!(watching.findings(Kind::Fork).is_empty());
    assert_eq!(watching.size(), 300);
}

#[test]
fn what_is_not_the_logs_is_not_looked_into() {
    let (watching, log) = (Watching::new(), MadeLog::of(10, None));
    let signed_by = |name: &str, seed: u8| {
        let key = SigningKey::from_seed(KeyName::parse(name).unwrap(), &[seed; 32]);
        Checkpoint::new(key.name(), 10, log.root(10)).sign(&[&key]).unwrap()
    };
    let other = Forked { tiles: &log, checkpoint: signed_by("log.example/other", 1) };
    assert!(matches!(watching.look(&other), Err(NotFollowed::OtherLog { .. })));
    let unsigned = Forked { tiles: &log, checkpoint: signed_by(ORIGIN, 9) };
    assert!(matches!(watching.look(&unsigned), Err(NotFollowed::Checkpoint(_))));
    let huge = Checkpoint::new(log_key().name(), u64::MAX, log.root(10)).sign(&[&log_key()]).unwrap();
    watching.look(&Shown::of(&log, 10)).unwrap();
    let error = watching.look(&Forked { tiles: &log, checkpoint: huge }).unwrap_err();
    assert!(matches!(error, NotFollowed::NotCompared(NotCompared::TooLarge { .. })), "{error}");
}

#[test]
fn rests_grow_with_each_failure_up_to_a_bound() {
    let seconds = |interval, failures| rest(Duration::from_secs(interval), failures).as_secs();
    assert_eq!([0, 1, 2, 3].map(|failures| seconds(60, failures)), [60, 120, 240, 480]);
    assert_eq!(seconds(60, 4), 900);
    assert_eq!(seconds(1, u32::MAX), 900);
    assert_eq!(seconds(7_200, 3), 7_200);
}
