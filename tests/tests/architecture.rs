//! The arrows between crates, held in every run: one way only, and each outside library behind its door.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Which crates of the workspace a crate may name, besides those that its neighbours bring along.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("events", &[]),
    ("plan", &["events"]),
    ("indicators", &["events", "plan"]),
    ("reviews", &["events", "plan", "indicators"]),
    ("evidence", &[]),
    ("event-log", &["events", "evidence"]),
    ("snapshots", &["events", "indicators", "event-log"]),
    ("bus", &["events"]),
    ("service", &["events", "evidence", "event-log", "bus"]),
    ("ingestion", SHARED),
    ("projection", SHARED),
    ("alerting", SHARED),
    ("console", &["events", "evidence", "reviews", "bus", "service"]),
    ("witness", &["evidence", "service"]),
    ("planwatch", EVERYTHING),
    ("tests", EVERYTHING),
];
const SHARED: &[&str] =
    &["events", "plan", "indicators", "reviews", "evidence", "event-log", "snapshots", "bus", "service"];
const EVERYTHING: &[&str] = &[
    "events",
    "plan",
    "indicators",
    "reviews",
    "evidence",
    "event-log",
    "snapshots",
    "bus",
    "service",
    "ingestion",
    "projection",
    "alerting",
    "console",
    "witness",
];

/// Libraries that only these crates may name: each has one door; HTTP has one on each side of the bounded socket.
const DOORS: &[(&str, &[&str])] = &[
    ("sled", &["event-log"]),
    ("async-nats", &["bus"]),
    ("axum", &["console", "service", "witness"]),
    ("askama", &["console"]),
    ("ed25519-dalek", &["evidence"]),
    ("rust_xlsxwriter", &["reviews"]),
    ("signed_note", &["evidence"]),
    ("tlog_tiles", &["evidence"]),
];

/// What a pure crate may not even link: each of these is a clock, a disk, a network or a thread.
const IMPURE: &[&str] =
    &["tokio", "async-nats", "sled", "getrandom", "rand", "rustix", "ureq", "tracing", "metrics"];
const PURE: &[&str] = &["events", "plan", "indicators", "reviews", "evidence"];

/// Normal dependencies of every workspace crate, by name.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo metadata runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let packages = metadata["packages"].as_array().expect("a list of packages");
    packages
        .iter()
        .map(|package| {
            let normal = package["dependencies"].as_array().expect("a list of dependencies");
            let normal = normal.iter().filter(|dependency| dependency["kind"].is_null());
            let names = normal.map(|dependency| dependency["name"].as_str().expect("a name").to_owned());
            (package["name"].as_str().expect("a name").to_owned(), names.collect())
        })
        .collect()
}

#[test]
fn arrows_point_one_way() {
    let dependencies = dependencies();
    let known: BTreeSet<&str> = MAY_NAME.iter().map(|(name, _)| *name).collect();
    let found: BTreeSet<&str> = dependencies.keys().map(String::as_str).collect();
    assert_eq!(found, known, "a crate that comes or goes is drawn in README.md and named here");
    for (name, allowed) in MAY_NAME {
        let named = dependencies[*name].iter().filter(|dependency| known.contains(dependency.as_str()));
        let wrong: Vec<&String> =
            named.filter(|dependency| !allowed.contains(&dependency.as_str())).collect();
        assert!(wrong.is_empty(), "`{name}` may not name {wrong:?}");
    }
}

#[test]
fn each_outside_library_has_its_doors() {
    let dependencies = dependencies();
    for (library, doors) in DOORS {
        let by: Vec<&String> =
            dependencies.iter().filter(|(_, named)| named.contains(*library)).map(|(name, _)| name).collect();
        assert_eq!(by, *doors, "`{library}` is named by {by:?}");
    }
}

#[test]
fn pure_crates_depend_on_nothing_that_acts() {
    let dependencies = dependencies();
    for name in PURE {
        let wrong: Vec<&String> =
            dependencies[*name].iter().filter(|dependency| IMPURE.contains(&dependency.as_str())).collect();
        assert!(wrong.is_empty(), "`{name}` is pure and may not name {wrong:?}");
    }
}
