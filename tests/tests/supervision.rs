//! `up` as a supervisor: one at a time, what dies comes back, nothing outlives it, the next start finds its data.

use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use tests::support::{Options, SERVICES, System, is_alive, nats_server, planwatch, until};

fn is_possible() -> bool {
    nats_server().is_some()
}

#[test]
fn what_is_ready_says_so_in_one_line_keeps_others_out_and_stops_cleanly() {
    if !is_possible() {
        return;
    }
    let mut system = System::start(Options::empty());
    let ready = system.ready().clone();
    assert!(
        ready.ready && ready.console.starts_with("http://127.0.0.1:") && ready.nats.starts_with("nats://")
    );
    let mode = std::fs::metadata(&ready.token_file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the token is its owner's alone");
    system.http().get("/api/v1/status").expect(200);
    assert_eq!(system.http().anonymous().get("/api/v1/status").status, 401);

    let second = Command::new(planwatch())
        .args(["up", "--json", "--http", "127.0.0.1:0", "--data"])
        .arg(system.data())
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(3), "{}", String::from_utf8_lossy(&second.stderr));
    assert!(second.stdout.is_empty());
    assert!(String::from_utf8_lossy(&second.stderr).contains("another `planwatch up`"));

    let pids = system.pids();
    let token = std::fs::read_to_string(&ready.token_file).unwrap();
    let before: Value = system.http().get("/api/v1/events?from=1&limit=32").expect(200);
    assert_eq!(system.stop().code(), Some(0));
    assert!(pids.iter().all(|pid| !is_alive(*pid)), "everything has stopped");
    system.start_again();
    assert_eq!(std::fs::read_to_string(&ready.token_file).unwrap(), token);
    assert_eq!(system.http().get("/api/v1/events?from=1&limit=32").expect(200), before);
}

#[test]
fn each_child_that_is_killed_comes_back() {
    if !is_possible() {
        return;
    }
    let system = System::start(Options::empty());
    for service in SERVICES {
        let before = system.kill(service);
        system.wait_restarted(service, before);
        system.wait_ready();
        system.http().get("/api/v1/status").expect(200);
    }
}

#[test]
fn nothing_outlives_a_killed_supervisor_and_the_next_start_works() {
    if !is_possible() {
        return;
    }
    let mut system = System::start(Options::empty());
    let pids = system.pids();
    system.kill_supervisor();
    for (service, pid) in SERVICES.iter().zip(pids) {
        until(&format!("{service} is gone with its supervisor"), || !is_alive(pid));
    }
    system.start_again();
    system.http().get("/api/v1/status").expect(200);
}

#[test]
fn a_server_that_an_earlier_supervisor_left_behind_is_ended() {
    let Some(server) = nats_server() else { return };
    let mut system = System::start(Options::empty());
    system.stop();
    // As if it had been started by hand: with the very configuration, under nobody's supervision.
    let mut orphan = Command::new(server.path())
        .arg("--config")
        .arg(system.data().join("nats/nats.conf"))
        .spawn()
        .unwrap();
    std::fs::write(system.data().join("run/nats.pid"), orphan.id().to_string()).unwrap();
    system.start_again();
    let was_ended = orphan.try_wait().unwrap().is_some();
    // Whatever the test finds, it leaves no process behind.
    let _gone_already = orphan.kill();
    orphan.wait().unwrap();
    assert!(was_ended, "the orphan was ended");
    system.http().get("/api/v1/status").expect(200);
}

#[test]
fn another_text_of_the_plan_is_refused_with_the_difference() {
    if !is_possible() {
        return;
    }
    let mut system = System::start(Options::empty());
    system.stop();
    let kept = std::fs::read_to_string(system.data().join("config/plan.toml")).unwrap();
    let other = system.data().join("other.toml");
    std::fs::write(&other, kept.replacen("on_track = \"0.95\"", "on_track = \"0.96\"", 1)).unwrap();
    let refused = Command::new(planwatch())
        .args(["up", "--json", "--http", "127.0.0.1:0", "--data"])
        .arg(system.data())
        .arg("--plan")
        .arg(&other)
        .env("PLANWATCH_NATS_SERVER", nats_server().unwrap().path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("/thresholds/on_track") && said.contains("0.96"), "{said}");
    system.start_again();
}

#[test]
fn a_wrong_command_a_missing_system_and_a_refusal_have_their_exit_codes() {
    let code = |arguments: &[&str]| {
        let output = Command::new(planwatch())
            .args(arguments)
            .env("PLANWATCH_DATA", "/nonexistent")
            .env_remove("PLANWATCH_SERVER")
            .output()
            .unwrap();
        assert!(output.stdout.is_empty(), "only data goes to standard output");
        output.status.code()
    };
    assert_eq!(code(&["nonsense"]), Some(2));
    assert_eq!(code(&["status", "--server", "http://127.0.0.1:1"]), Some(3));
    assert_eq!(code(&["plan", "check", "/nonexistent.toml"]), Some(1));
}
