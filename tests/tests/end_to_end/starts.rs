//! Started again, and started in single services: the same log gives the same answers.

use super::{alerts, all_events, is_possible, rate};
use serde_json::Value;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use tests::support::{
    Http, Options, Program, SERVICES, System, nats_server, planwatch, today, until, until_some,
};

/// Everything that is known once what has been recorded is followed: the state's digest and every alert.
#[track_caller]
fn known(http: &Http) -> (Value, Vec<Value>) {
    until_some("the answers speak of the whole log", || {
        let head = all_events(http).len();
        let status = http.get(&format!("/api/v1/status?at_least={head}")).expect(200);
        let alerts = alerts(http, &format!("&at_least={head}"));
        (all_events(http).len() == head && status["position"] == head)
            .then(|| (status["digest"].clone(), alerts))
    })
}

/// Submits a report that an alert follows from, and waits for the alert.
#[track_caller]
fn fall_behind(system: &System, unit: &str) {
    let report = rate(unit, today().year() - 1, "information-literacy", 36, 100);
    let accepted = system.http().post("/api/v1/reports", &report).expect(201);
    let query = format!("&state=firing&unit={unit}&at_least={}", accepted["position"]);
    until("an alert follows from the report", || {
        alerts(system.http(), &query).iter().any(|alert| {
            alert["because"].as_array().is_some_and(|because| because.contains(&accepted["event"]))
        })
    });
}

#[test]
fn a_second_start_finds_its_data_again() {
    if !is_possible() {
        return;
    }
    let mut system = System::start(Options::sample());
    fall_behind(&system, "thuan-an");
    let before = known(system.http());
    assert_eq!(system.stop().code(), Some(0));
    system.start_again();
    assert_eq!(known(system.http()), before);
    fall_behind(&system, "di-an");
    let before = known(system.http());
    system.kill_supervisor();
    system.start_again();
    assert_eq!(known(system.http()), before);
}

#[test]
fn each_service_starts_singly_from_its_file_and_answers_the_same() {
    let Some(server) = nats_server() else { return };
    let mut system = System::start(Options::sample());
    fall_behind(&system, "thuan-an");
    let (before, token) =
        (known(system.http()), std::fs::read_to_string(&system.ready().token_file).unwrap());
    assert_eq!(system.stop().code(), Some(0));

    let folder = tempfile::tempdir().unwrap();
    let start = |name: &str, command: &mut Command| Program::start(folder.path(), name, command);
    let configuration = system.data().join("nats/nats.conf");
    let mut programs = vec![start("nats", Command::new(server.path()).arg("--config").arg(&configuration))];
    let address = system.ready().nats.trim_start_matches("nats://").to_owned();
    until("nats-server takes connections", || TcpStream::connect(&address).is_ok());
    for service in &SERVICES[1..] {
        let file = copied(&system.data().join(format!("config/{service}.toml")), folder.path());
        programs.push(start(service, Command::new(planwatch()).arg(service).arg("--config").arg(file)));
    }
    // Where no port was asked for, the one of the first start stands in the file.
    let http = Http::new(&system.ready().console, Some(token.trim().to_owned()));
    until("everything is ready", || http.try_get("/readyz").is_ok_and(|answer| answer.status == 200));
    assert_eq!(known(&http), before);
    let report = rate("ben-cat", today().year(), "life-skills", 70, 100);
    let accepted = http.post("/api/v1/reports", &report).expect(201);
    let after = known(&http);
    assert_ne!(after.0, before.0);
    while let Some(program) = programs.pop() {
        let said = program.said();
        assert!(program.end().success(), "{said}");
    }
    system.start_again();
    assert_eq!(known(system.http()), after);
    let id = accepted["event"].as_str().unwrap();
    system.http().get(&format!("/api/v1/events/{id}")).expect(200);
}

/// A copy of a configuration, as its first line advises.
fn copied(file: &Path, folder: &Path) -> std::path::PathBuf {
    let copy = folder.join(file.file_name().unwrap());
    std::fs::copy(file, &copy).unwrap();
    copy
}
