//! A log that is not the one that was signed: nothing is recorded, published or signed until a person decides.

use super::{copy, covering, data, doctor, is_possible, refused_start, submit, vkey, wait_unready};
use evidence::ProofFile;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use tests::support::{Options, System, log_folder, report, stopped_log, until};

/// What a backup of everything but the keys would hold.
const SAVED: [&str; 4] = ["ingestion", "projection", "alerting", "nats"];

fn save(data: &Path, to: &Path) {
    SAVED.iter().for_each(|part| copy(&data.join(part), &to.join(part)));
}

fn put_back(from: &Path, data: &Path) {
    for part in SAVED {
        std::fs::remove_dir_all(data.join(part)).unwrap();
        copy(&from.join(part), &data.join(part));
    }
}

fn journal_files(log: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(log.join("journal")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn an_older_copy_of_the_log_is_not_written_on_under_keys_that_signed_more() {
    if !is_possible() {
        return;
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let (older, newer) = (elsewhere.path().join("older"), elsewhere.path().join("newer"));
    let mut system = System::start(Options::empty());
    submit(system.http(), 500);
    assert_eq!(system.stop().code(), Some(0));
    save(&system.data(), &older);
    let head = stopped_log(&log_folder(&system.data(), "ingestion")).len() as u64;
    system.start_again();
    let last = submit(system.http(), 501)["position"].as_u64().unwrap();
    covering(system.http(), last, &[vkey(&system)]);
    assert_eq!(system.stop().code(), Some(0));
    save(&system.data(), &newer);

    put_back(&older, &system.data());
    system.start_again_unready();
    let why = wait_unready(system.http(), "the log is not the one that was signed");
    assert!(why.contains(&format!("the log ends at position {head}")), "{why}");
    assert!(why.contains("keys/checkpoint") && why.contains("are missing"), "{why}");
    let refused = system.http().post("/api/v1/reports", &report("di-an", 2024, 502)).expect(503);
    assert!(refused["detail"].as_str().unwrap().contains("Nothing is recorded"), "{refused}");
    let unsigned = system.http().get("/api/v1/log/checkpoint").expect(503);
    assert!(unsigned["detail"].as_str().unwrap().contains("was signed"), "{unsigned}");
    assert_eq!(system.http().get("/api/v1/events?from=1&limit=5").status, 200, "it is there to be read");
    until("`up` says what is missing", || {
        let said = system.said();
        said.lines().any(|line| {
            line.starts_with("[up] not ready yet") && line.contains("not the one that was signed")
        })
    });
    assert_eq!(system.stop().code(), Some(0));
    assert_eq!(stopped_log(&log_folder(&system.data(), "ingestion")).len() as u64, head);

    put_back(&newer, &system.data());
    system.start_again();
    submit(system.http(), 503);
}

#[test]
fn a_log_that_was_rewritten_is_found_at_the_start() {
    if !is_possible() {
        return;
    }
    let mut system = System::start(Options::empty());
    submit(system.http(), 611);
    submit(system.http(), 612);
    assert_eq!(system.stop().code(), Some(0));
    let log = log_folder(&system.data(), "ingestion");
    let signed = std::fs::read(log.join("checkpoint")).unwrap();
    doctor(&log, "\"numerator\":611", "\"numerator\":911");
    // The forger has no key; the old checkpoint may be gone from the log, it lies beside the keys as well.
    system.start_again_unready();
    let why = wait_unready(system.http(), "the log is not the one that was signed");
    assert!(why.contains("is another one"), "{why}");
    assert_eq!(system.stop().code(), Some(0));
    std::fs::write(log.join("checkpoint"), &signed).unwrap();
    system.start_again_unready();
    wait_unready(system.http(), "is another one");
}

#[test]
fn an_insider_with_the_key_is_caught_by_what_others_kept() {
    if !is_possible() {
        return;
    }
    let mut system = System::start(Options::empty());
    let accepted = submit(system.http(), 611);
    let saved = system.data().join("saved.checkpoint");
    let position = accepted["position"].as_u64().unwrap();
    covering(system.http(), position, &[vkey(&system)]);
    std::fs::write(&saved, system.http().get("/api/v1/log/checkpoint").text).unwrap();
    assert_eq!(system.stop().code(), Some(0));
    // Everything that would tell on this machine is removed, and the keys sign the new history.
    let log = log_folder(&system.data(), "ingestion");
    doctor(&log, "\"numerator\":611", "\"numerator\":911");
    for copy in ["nats", "projection", "alerting", "keys/checkpoint"] {
        let path = system.data().join(copy);
        if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) }.unwrap();
    }
    system.start_again();
    let key = system.ready().vkey.clone();
    let by_itself = system.command(&["log", "verify", "--vkey", &key, "--json"]);
    assert_eq!(data(&by_itself, 0)["ok"], true, "by itself the new history is sound");
    let kept = saved.display().to_string();
    let found = data(&system.command(&["log", "verify", "--vkey", &key, "--checkpoint", &kept, "--json"]), 1);
    assert!(found["problems"][0]["what"].as_str().unwrap().contains("was rewritten"), "{found}");
    // So does whoever kept the receipt: the event that is shown is not the one that was recorded.
    let shown = system.http().get(&format!("/api/v1/events/{}", accepted["event"].as_str().unwrap())).text;
    let receipt = ProofFile::parse(accepted["receipt"].as_str().unwrap().as_bytes()).unwrap();
    receipt.verify(shown.as_bytes(), &[vkey(&system)]).unwrap_err();
}

#[test]
fn nothing_that_was_signed_is_cut_from_the_end_or_begun_anew() {
    if !is_possible() {
        return;
    }
    let mut system = System::start(Options::empty());
    submit(system.http(), 500);
    assert_eq!(system.stop().code(), Some(0));
    let (data, log) = (system.data(), log_folder(&system.data(), "ingestion"));
    // The end is torn, and every copy of it is gone: only the checkpoint tells that it was acknowledged.
    for copy in ["nats", "projection", "alerting"] {
        std::fs::remove_dir_all(data.join(copy)).unwrap();
    }
    std::fs::remove_dir_all(log.join("index")).unwrap();
    let file = journal_files(&log).pop().unwrap();
    let torn = std::fs::metadata(&file).unwrap().len() - 10;
    OpenOptions::new().write(true).open(&file).unwrap().set_len(torn).unwrap();
    let said = refused_start(&data);
    assert!(said.contains("is damaged at byte") && said.contains("nothing was cut"), "{said}");
    assert_eq!(std::fs::metadata(&file).unwrap().len(), torn);

    std::fs::remove_dir_all(data.join("ingestion")).unwrap();
    let said = refused_start(&data);
    assert!(said.contains("its keys have signed"), "{said}");

    std::fs::write(data.join("keys/checkpoint"), "torn").unwrap();
    let said = refused_start(&data);
    assert!(said.contains("cannot be read, so nobody can tell"), "{said}");
}
