//! The evidence of a running system, as an outsider meets it: checkpoints, proofs, receipts, keys, and what
//! happens where a log or a copy of it is not the one that was signed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod contradictions;
mod followers;
mod keys;
mod restored;
mod shown;
mod witnessed;

use event_log::{Copied, Opened};
use events::Position;
use evidence::{SignedCheckpoint, Verified, VerifierKey};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tests::support::{
    Http, System, nats_server, open_stopped, planwatch, report, stopped_log, until, until_some,
};

/// Whether systems can be started here; says on standard error what is missing.
fn is_possible() -> bool {
    nats_server().is_some()
}

/// The key that a system says it signs with.
fn vkey(system: &System) -> VerifierKey {
    system.ready().vkey.parse().unwrap()
}

/// The last checkpoint, as it is served to anyone.
#[track_caller]
fn checkpoint(http: &Http) -> SignedCheckpoint {
    let answer = http.anonymous().get("/api/v1/log/checkpoint");
    assert_eq!(
        (answer.status, answer.content_type.as_str()),
        (200, "text/plain; charset=utf-8"),
        "{}",
        answer.text
    );
    SignedCheckpoint::parse(answer.text.as_bytes()).unwrap()
}

/// Waits for a checkpoint that covers a position.
#[track_caller]
fn covering(http: &Http, position: u64, keys: &[VerifierKey]) -> Verified {
    until_some("a checkpoint covers the position", || {
        let verified = checkpoint(http).verify(keys).unwrap();
        (verified.checkpoint.size() >= position).then_some(verified)
    })
}

/// Records a report; gives its acceptance.
#[track_caller]
fn submit(http: &Http, numerator: u64) -> Value {
    http.post("/api/v1/reports", &report("di-an", 2024, numerator)).expect(201)
}

/// Records several reports together; gives the answer.
#[track_caller]
fn submit_batch(http: &Http, numerators: impl IntoIterator<Item = u64>) -> Value {
    let reports: Vec<Value> =
        numerators.into_iter().map(|numerator| report("di-an", 2024, numerator)).collect();
    http.post("/api/v1/reports/batch", &json!(reports)).expect(201)
}

/// The JSON that a command has to print, with its exit code.
#[track_caller]
fn data(output: &Output, exit: i32) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{said}{}", String::from_utf8_lossy(&output.stdout));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// Starts `up` on a directory where it must refuse to start; gives what it said.
#[track_caller]
fn refused_start(data: &Path) -> String {
    let mut command = Command::new(planwatch());
    command.args(["up", "--json", "--http", "127.0.0.1:0", "--data"]).arg(data);
    if let Some(server) = nats_server() {
        command.env("PLANWATCH_NATS_SERVER", server.path());
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    said
}

/// Why a system that answers is not ready.
#[track_caller]
fn wait_unready(http: &Http, because: &str) -> String {
    until_some(&format!("it is not ready because {because:?}"), || {
        let answer = http.try_get("/readyz").ok()?;
        (answer.status == 503 && answer.text.contains(because)).then_some(answer.text)
    })
}

/// Writes a log anew with one event altered: contiguous, readable, with all checksums right.
#[track_caller]
fn doctor(directory: &Path, from: &str, to: &str) -> u64 {
    assert_eq!(from.len(), to.len());
    let events = stopped_log(directory);
    let beside = directory.with_extension("doctored");
    let mut altered = None;
    let copied: Vec<Copied> = (1..)
        .zip(&events)
        .map(|(position, logged)| {
            let text = String::from_utf8(logged.bytes.clone()).unwrap();
            let doctored = if altered.is_none() { text.replace(from, to) } else { text.clone() };
            if doctored != text {
                altered = Some(position);
            }
            Copied { position: Position(position), bytes: doctored.into_bytes().into() }
        })
        .collect();
    let Opened { mut writer, log, .. } = open_stopped(&beside, &event_log::Options::default()).unwrap();
    writer.append_copy(copied).unwrap();
    until("the index holds everything", || log.indexed() == log.head());
    drop((writer, log));
    std::fs::remove_dir_all(directory).unwrap();
    std::fs::rename(&beside, directory).unwrap();
    altered.expect("an event has that text")
}

/// Copies a directory with everything in it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target: PathBuf = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
