//! Faults between signing and keeping: what was put back agrees with what was signed, and nothing is signed twice
//! in two ways.

use super::{checkpoint, covering, is_possible, submit, vkey};
use evidence::{AddCheckpoint, Checkpoint, ProofFile};
use std::fs::OpenOptions;
use tests::support::{Load, Options, System, events, log_folder, until};

#[test]
fn what_is_put_back_from_index_or_stream_agrees_with_what_was_signed() {
    if !is_possible() {
        return;
    }
    let mut system = System::start(Options::empty());
    for (round, from_stream) in [false, true].into_iter().enumerate() {
        for number in 0..5 {
            submit(system.http(), 500 + 10 * round as u64 + number);
        }
        assert_eq!(system.stop().code(), Some(0));
        let log = log_folder(&system.data(), "ingestion");
        let before = std::fs::read(log.join("checkpoint")).unwrap();
        let mut files: Vec<_> =
            std::fs::read_dir(log.join("journal")).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let last = files.last().unwrap();
        let torn = std::fs::metadata(last).unwrap().len() - 300;
        OpenOptions::new().write(true).open(last).unwrap().set_len(torn).unwrap();
        if from_stream {
            std::fs::remove_dir_all(log.join("index")).unwrap();
        }
        system.start_again();
        let after = checkpoint(system.http()).verify(&[vkey(&system)]).unwrap().checkpoint;
        let before = evidence::SignedCheckpoint::parse(&before).unwrap();
        assert!(after.size() >= before.claimed().size());
        let path = format!("/api/v1/log/consistency?from={}&to={}", before.claimed().size(), after.size());
        let asked = AddCheckpoint::parse(system.http().get(&path).text.as_bytes()).unwrap();
        asked.judge(&[vkey(&system)], Some(before.claimed())).unwrap();
    }
}

#[test]
fn a_killed_ingestion_never_signs_two_histories() {
    if !is_possible() {
        return;
    }
    let system = System::start(Options::empty());
    let keys = [vkey(&system)];
    let load = Load::start(system.http(), "load");
    let mut seen: Vec<Checkpoint> = Vec::new();
    for _ in 0..4 {
        load.wait_for_more(10);
        seen.push(checkpoint(system.http()).verify(&keys).unwrap().checkpoint);
        let before = system.kill("ingestion");
        system.wait_restarted("ingestion", before);
    }
    load.wait_for_more(10);
    let acknowledged = load.finish();
    system.wait_ready();
    let last = acknowledged.iter().map(|one| one.position).max().unwrap();
    let end = covering(system.http(), last, &keys).checkpoint;
    for early in &seen {
        let path = format!("/api/v1/log/consistency?from={}&to={}", early.size(), end.size());
        let asked = AddCheckpoint::parse(system.http().get(&path).text.as_bytes()).unwrap();
        asked.judge(&keys, Some(early)).unwrap();
    }
    // Every acknowledged report has its receipt, whichever start gave it.
    let log = events(system.http());
    for one in acknowledged.iter().rev().take(20) {
        let headers = [("idempotency-key", one.key.as_str())];
        let again = system.http().try_post("/api/v1/reports", &one.body, &headers).unwrap().expect(201);
        let proof = ProofFile::parse(again["receipt"].as_str().unwrap().as_bytes()).unwrap();
        let entry = &log[usize::try_from(one.position).unwrap() - 1].bytes;
        assert_eq!(proof.verify(entry, &keys).unwrap().checkpoint.size(), one.position);
    }
    until("the followers agree", || {
        system.http().get("/readyz").text.matches("\"name\":\"root\",\"state\":\"ok\"").count() == 2
    });
}
