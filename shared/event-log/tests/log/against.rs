//! Holding a stopped log against signed checkpoints.

use super::support::*;
use ::evidence::{Checkpoint, KeyName, KeyUse, SignedCheckpoint, SigningKey, TreeHash, VerifierKey};
use event_log::files::{Files, MemoryFiles};
use event_log::{Against, Agreement, BundleLeaves, IndexLeaves, VerifyReport, export, verify_against};
use events::Position;
use std::path::{Path, PathBuf};

fn key() -> SigningKey {
    SigningKey::from_seed(KeyName::parse("log.example/binh-duong").unwrap(), &[7; 32])
}

fn public() -> VerifierKey {
    key().verifier(KeyUse::Log)
}

fn signed(size: u64, root: TreeHash) -> Vec<u8> {
    Checkpoint::new(key().name(), size, root).sign(&[&key()]).unwrap().to_string().into_bytes()
}

/// Writes reports 1 to `last`, of which `other` says something else; gives checkpoints at some sizes.
fn written(home: &Home, last: u64, other: Option<u64>, sizes: &[u64]) -> Vec<(PathBuf, Vec<u8>)> {
    let mut opened = home.open();
    for number in 1..=last {
        let mut event = report(number, 10);
        if Some(number) == other {
            event.actor = events::ActorId::parse("someone-else").unwrap();
        }
        opened.writer.append(vec![vec![event]], noon(1)).unwrap();
    }
    let checkpoint = |size: &u64| {
        let root = opened.log.root_at(Position(*size)).unwrap();
        (PathBuf::from(format!("checkpoint-{size}")), signed(*size, root))
    };
    sizes.iter().map(checkpoint).collect()
}

fn verified(home: &Home, against: &Against<'_>) -> VerifyReport {
    verify_against(&home.files, &home.directory, None, against).unwrap()
}

#[test]
fn a_log_agrees_with_each_of_its_checkpoints() {
    for home in [Home::in_memory(), Home::on_disk().with_journal_files_of(20_000)] {
        let checkpoints = written(&home, 300, None, &[0, 1, 256, 299, 300]);
        let against = Against { checkpoints, keys: vec![public()], leaves: None };
        let report = verified(&home, &against);
        assert!(report.is_ok(), "{:?}", report.problems);
        assert!(report.checkpoints.iter().all(|verdict| verdict.agreement == Agreement::Agrees));
        assert_eq!(report.root, Some(home.open().log.root()));
    }
}

#[test]
fn a_rewritten_history_is_named_with_the_first_position_that_differs() {
    let home = Home::on_disk();
    let checkpoints = written(&home, 300, None, &[100, 200, 300]);
    let forged = Home::in_memory();
    written(&forged, 300, Some(150), &[]);
    let journal = home.journal_files().remove(0);
    home.put(&journal, forged.files.read(&forged.journal_files()[0]).unwrap());
    let alone = Against { checkpoints: checkpoints.clone(), keys: vec![public()], leaves: None };
    let report = verified(&home, &alone);
    let agreements: Vec<_> = report.checkpoints.iter().map(|verdict| verdict.agreement.clone()).collect();
    let differs = Agreement::Differs { from: None };
    assert_eq!(agreements, [Agreement::Agrees, differs.clone(), differs]);

    let leaves = IndexLeaves::open(&home.directory, &plan()).unwrap();
    let report = verified(&home, &Against { leaves: Some(&leaves), ..alone });
    let differs = Agreement::Differs { from: Some(Position(150)) };
    assert_eq!(report.checkpoints[1].agreement, differs);
    assert_eq!(report.checkpoints[2].agreement, differs);
    assert_eq!(report.problems.len(), 2);
    assert_eq!(report.problems[0].position, Position(150));
    assert_eq!(report.problems[0].file, Path::new("checkpoint-200"));
    assert!(report.problems[0].what.contains("history was rewritten"), "{}", report.problems[0].what);

    // The leaves of a bundle exported before tell the same.
    let genuine = Home::in_memory();
    written(&genuine, 300, None, &[]);
    let signed_note = SignedCheckpoint::parse(&checkpoints[2].1).unwrap();
    let (bundle, files) = (Path::new("/bundle"), MemoryFiles::new());
    export(&genuine.open().log, Position(1)..=Position(300), &signed_note, &[], &files, bundle).unwrap();
    let exported = BundleLeaves::new(&files, bundle, 300);
    let against = Against { checkpoints, keys: vec![public()], leaves: Some(&exported) };
    assert_eq!(verified(&home, &against).checkpoints[2].agreement, differs);

    // A checkpoint of yet another history: the kept leaves do not help, and that is said.
    let stranger = (PathBuf::from("stranger"), signed(200, TreeHash([9; 32])));
    let against = Against { checkpoints: vec![stranger], keys: vec![public()], leaves: Some(&leaves) };
    let report = verified(&home, &against);
    assert_eq!(report.checkpoints[0].agreement, Agreement::Differs { from: None });
    assert!(report.problems[0].what.contains("do not agree with it either"), "{}", report.problems[0].what);
}

#[test]
fn a_log_that_was_cut_back_lacks_what_a_checkpoint_covers() {
    let home = Home::in_memory();
    let checkpoints = written(&home, 20, None, &[10, 20]);
    let shorter = Home::in_memory();
    written(&shorter, 12, None, &[]);
    home.put(&home.journal_files()[0], shorter.files.read(&shorter.journal_files()[0]).unwrap());
    let report = verified(&home, &Against { checkpoints, keys: vec![public()], leaves: None });
    assert_eq!(report.checkpoints[0].agreement, Agreement::Agrees);
    assert_eq!(report.checkpoints[1].agreement, Agreement::Lacks { from: Position(13) });
    assert_eq!((report.problems[0].position, report.problems.len()), (Position(13), 1));
}

#[test]
fn a_damaged_frame_takes_the_root_with_it_but_not_the_checkpoints_before() {
    let home = Home::in_memory();
    let checkpoints = written(&home, 20, None, &[5, 20]);
    let path = home.journal_files().remove(0);
    let mut bytes = home.files.read(&path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    home.put(&path, bytes);
    let report = verified(&home, &Against { checkpoints, keys: vec![public()], leaves: None });
    assert_eq!(report.root, None);
    assert_eq!(report.checkpoints[0].agreement, Agreement::Agrees);
    assert!(matches!(report.checkpoints[1].agreement, Agreement::Lacks { .. }));
}

#[test]
fn a_checkpoint_that_nobody_known_signed_is_refused() {
    let home = Home::in_memory();
    let mut checkpoints = written(&home, 5, None, &[5, 5]);
    checkpoints[1].1.push(b'x');
    let stranger = SigningKey::from_seed(key().name().clone(), &[8; 32]).verifier(KeyUse::Log);
    let report = verified(&home, &Against { checkpoints, keys: vec![stranger], leaves: None });
    assert!(report.checkpoints.iter().all(|verdict| matches!(verdict.agreement, Agreement::Refused(_))));
    assert!(report.problems[0].what.contains("none of the given keys signed"), "{}", report.problems[0].what);
    assert!(report.problems[1].what.contains("cut short"), "{}", report.problems[1].what);
}
