//! SIGKILL under load: each process alone, all together, and the supervisor with all of them.

use crate::{is_possible, rounds, stop_and_audit};
use tests::support::{
    Acknowledged, Load, Options, SERVICES, System, audit, is_alive, kill, signal, until, until_some,
};

const DEFAULT_ROUNDS: u32 = 3;
/// After so many rounds everything is stopped and started again, which also makes the supervisor forget how
/// often its children ended, so that its pauses between restarts stay short.
const ROUNDS_OF_ONE_SUPERVISOR: u32 = 5;

/// Kills the services in every round while reports come, and audits the whole log after each.
#[track_caller]
fn survives_the_loss_of(services: &[&str]) {
    if !is_possible() {
        return;
    }
    let mut system = System::start(Options::empty());
    let mut acknowledged: Vec<Acknowledged> = Vec::new();
    for round in 1..=rounds(DEFAULT_ROUNDS) {
        if round > 1 && round % ROUNDS_OF_ONE_SUPERVISOR == 1 {
            assert_eq!(system.stop().code(), Some(0));
            system.start_again();
        }
        let load = Load::start(system.http(), &format!("round-{round}"));
        // Another moment of what is going on in each round.
        load.wait_for_more(3 + usize::try_from(round).unwrap() % 7);
        let pids: Vec<u32> = services
            .iter()
            .map(|service| until_some(&format!("{service} runs"), || system.pid(service)))
            .collect();
        for pid in &pids {
            signal(*pid, rustix::process::Signal::KILL);
        }
        for (service, pid) in services.iter().zip(pids) {
            until(&format!("{service} is gone"), || !is_alive(pid));
            system.wait_restarted(service, pid);
        }
        load.wait_for_more(8);
        acknowledged.extend(load.finish());
        system.wait_ready();
        audit(&system, &acknowledged);
    }
    stop_and_audit(&mut system, &acknowledged);
}

#[test]
fn a_killed_ingestion_loses_nothing() {
    survives_the_loss_of(&["ingestion"]);
}

#[test]
fn a_killed_projection_comes_to_the_same_state() {
    survives_the_loss_of(&["projection"]);
}

#[test]
fn a_killed_alerting_raises_nothing_twice() {
    survives_the_loss_of(&["alerting"]);
}

#[test]
fn a_killed_nats_server_loses_nothing() {
    survives_the_loss_of(&["nats"]);
}

#[test]
fn a_killed_console_loses_nothing() {
    survives_the_loss_of(&["console"]);
}

#[test]
fn all_killed_together_lose_nothing() {
    survives_the_loss_of(&SERVICES);
}

#[test]
fn a_supervisor_killed_under_load_loses_nothing() {
    if !is_possible() {
        return;
    }
    let mut system = System::start(Options::empty());
    let mut acknowledged: Vec<Acknowledged> = Vec::new();
    for round in 1..=rounds(DEFAULT_ROUNDS) {
        let load = Load::start(system.http(), &format!("round-{round}"));
        load.wait_for_more(5);
        let pids = system.pids();
        system.kill_supervisor();
        for (service, pid) in SERVICES.iter().zip(pids) {
            until(&format!("{service} is gone with its supervisor"), || !is_alive(pid));
        }
        system.start_again();
        load.redirect(system.http());
        load.wait_for_more(5);
        acknowledged.extend(load.finish());
        audit(&system, &acknowledged);
    }
    // What is killed while it is being started, too.
    let ingestion = until_some("ingestion runs", || system.pid("ingestion"));
    kill(ingestion);
    let starting = system.wait_restarted("ingestion", ingestion);
    kill(starting);
    system.wait_restarted("ingestion", starting);
    system.wait_ready();
    audit(&system, &acknowledged);
    stop_and_audit(&mut system, &acknowledged);
}
