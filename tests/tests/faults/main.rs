//! Faults, with the real processes: killed, starved of space, robbed of files. Nothing acknowledged is lost.
//!
//! Every round of the killing tests ends with an audit of the whole log. `PLANWATCH_ROUNDS` says how many
//! rounds there are, 3 by default; 20 are a thorough run.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod clock;
mod flipped_bits;
mod index;
mod journal;
mod kills;
mod power_cuts;
mod space;
mod stream;

use std::path::{Path, PathBuf};
use tests::support::{Acknowledged, System, audit_stopped, nats_server, report, send, until_some};

/// How many rounds there are: as many as are asked for, or else a few.
fn rounds(few: u32) -> u32 {
    let asked = std::env::var("PLANWATCH_ROUNDS").ok();
    asked.map_or(few, |rounds| rounds.parse().expect("PLANWATCH_ROUNDS is a number of rounds"))
}

/// Whether systems can be started here; says on standard error what is missing.
fn is_possible() -> bool {
    nats_server().is_some()
}

/// Where a service keeps its log, or its copy of the log.
fn log_folder(system: &System, service: &str) -> PathBuf {
    tests::support::log_folder(&system.data(), service)
}

/// Where the private nats-server keeps its streams.
fn stream_folder(system: &System) -> PathBuf {
    system.data().join("nats/jetstream")
}

fn remove(folder: &Path) {
    std::fs::remove_dir_all(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
}

/// Sends some reports one after the other, under keys that begin with a name.
#[track_caller]
fn submit(system: &System, name: &str, count: u64) -> Vec<Acknowledged> {
    let year = tests::support::today().year();
    let one = |number: u64| {
        let body = report("tan-uyen", year, number * 100 + 1).to_string();
        until_some("the report is acknowledged", || {
            send(system.http(), &format!("{name}-{number}"), &body).ok()
        })
    };
    (0..count).map(one).collect()
}

/// Stops the system as a person does, then holds the log that it left to what was acknowledged.
#[track_caller]
fn stop_and_audit(system: &mut System, acknowledged: &[Acknowledged]) {
    assert_eq!(system.stop().code(), Some(0));
    audit_stopped(system, acknowledged);
}

/// Starts a stopped system; gives what it said while it did.
#[track_caller]
fn start_again(system: &mut System) -> String {
    let said_before = system.said().len();
    system.start_again();
    said_since(system, said_before)
}

/// What the system has said since it had said so much.
fn said_since(system: &System, length: usize) -> String {
    system.said().split_off(length)
}

/// The value of a counter of one service, as `/metrics` gives it; zero where it was never counted.
#[track_caller]
fn counted(system: &System, service: &str, name: &str) -> f64 {
    let metrics = system.http().get("/metrics").text;
    let labelled = format!("service=\"{service}\"");
    let of = |line: &&str| line.starts_with(name) && line.contains(&labelled);
    let values = metrics.lines().filter(of).filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
    values.sum()
}
