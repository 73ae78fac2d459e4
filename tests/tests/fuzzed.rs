//! The fuzz targets on stable: over their corpora, over what fuzzing once found, and over changes of both.
//!
//! `PLANWATCH_ROUNDS` says how many changes of each file there are, 20 for each round, 3 rounds by default.
//! `PLANWATCH_SEED` repeats a run.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../fuzz/src/targets.rs"]
#[expect(unreachable_pub, reason = "it is public in the crate that fuzzes")]
mod targets;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use tests::support::{Chance, seed};

/// How many changes of each file a round makes.
const CHANGES_OF_A_ROUND: usize = 20;
/// The most bytes that a change makes of a file.
const SIZE_LIMIT_BYTES: usize = 64 * 1024;
/// What numbers and texts break on.
const AWKWARD: [&[u8]; 12] = [
    b"\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\n\n",
    b"\r\n",
    b"\"",
    b"}",
    b"\\u0000",
    b"18446744073709551616",
    b"-1",
    b"../",
    b"\xe2\x80\x94 ",
];

fn fuzz_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

fn rounds() -> usize {
    std::env::var("PLANWATCH_ROUNDS").map_or(3, |rounds| rounds.parse().expect("a number of rounds"))
}

/// The files of a target, by their names.
fn files(target: &str) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for kind in ["corpus", "findings"] {
        let Ok(entries) = std::fs::read_dir(fuzz_folder().join(kind).join(target)) else { continue };
        for entry in entries.map(Result::unwrap) {
            let name = format!("{kind}/{target}/{}", entry.file_name().to_string_lossy());
            found.insert(name, std::fs::read(entry.path()).unwrap());
        }
    }
    found
}

/// Calls a target; what breaks it is kept where the next person finds it.
#[track_caller]
fn call(target: &targets::Target, bytes: &[u8], what: &str) {
    if catch_unwind(AssertUnwindSafe(|| target.1(bytes))).is_err() {
        let kept = std::env::temp_dir().join(format!("planwatch-{}-{}", target.0, std::process::id()));
        std::fs::write(&kept, bytes).unwrap();
        panic!(
            "`{}` broke on {what}: the bytes are in {}; put them into tests/fuzz/findings/{}",
            target.0,
            kept.display(),
            target.0
        );
    }
}

/// Changes bytes a little, as fuzzers do.
fn changed(bytes: &[u8], others: &[&Vec<u8>], chance: &mut Chance) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    for _ in 0..chance.between(1, 4) {
        let at = chance.index(changed.len() + 1);
        let end = at + chance.index(changed.len() - at + 1).min(40);
        match chance.between(0, 7) {
            0 | 1 if at < changed.len() => changed[at] ^= 1 << chance.index(8),
            2 if at < changed.len() => changed[at] = chance.any().to_le_bytes()[0],
            3 => drop(changed.drain(at..end)),
            4 => changed.truncate(at),
            5 => {
                let again = changed[at..end].to_vec();
                changed.splice(at..at, again);
            }
            6 => drop(changed.splice(at..end, AWKWARD[chance.index(AWKWARD.len())].iter().copied())),
            _ => {
                let other = others[chance.index(others.len())];
                let from = chance.index(other.len() + 1);
                changed.truncate(at);
                changed.extend_from_slice(&other[from..]);
            }
        }
    }
    changed.truncate(SIZE_LIMIT_BYTES);
    changed
}

#[test]
fn corpora_and_findings_hold_as_they_are() {
    for target in &targets::TARGETS {
        let files = files(target.0);
        assert!(files.len() >= 3, "`{}` has a corpus", target.0);
        for (name, bytes) in files {
            call(target, &bytes, &name);
        }
    }
}

#[test]
fn the_seeds_reach_what_they_are_meant_for() {
    let seed = |name: &str| std::fs::read(fuzz_folder().join("corpus").join(name)).unwrap();
    let signed = evidence::SignedCheckpoint::parse(&seed("note/signed")).unwrap();
    assert_eq!(signed.verify(&targets::keys()).unwrap().checkpoint.size(), 7);
    assert_eq!(signed, *targets::genuine());
    let proof = evidence::ProofFile::parse(&seed("proof_file/last")).unwrap();
    assert_eq!(proof.index(), 6);
    assert!(evidence::AddCheckpoint::parse(&seed("note/request")).is_ok());
    assert!(events::wire::read(&seed("event/logged")).is_ok());
    assert!(targets::bundle_content().len() >= 5);
}

#[test]
fn changed_files_break_no_target() {
    let seed = seed();
    for (number, target) in (0..).zip(&targets::TARGETS) {
        let files = files(target.0);
        let all: Vec<&Vec<u8>> = files.values().collect();
        let mut chance = Chance::new(seed + number);
        for (name, bytes) in &files {
            for change in 0..CHANGES_OF_A_ROUND * rounds() {
                let changed = changed(bytes, &all, &mut chance);
                call(target, &changed, &format!("change {change} of {name} (PLANWATCH_SEED={seed})"));
            }
        }
    }
}
