//! The stream taken away: refilled from the log, byte for byte, while reports go on.

use crate::{counted, is_possible, remove, stop_and_audit, stream_folder, submit};
use bus::{Bus, BusConfig};
use events::{PlanId, Position};
use futures::StreamExt;
use tests::support::{Load, Options, PATIENCE, System, audit, events, kill, signal, until, until_some};

/// Everything that the stream holds up to a position, read as an outsider may read it.
#[track_caller]
fn stream_up_to(system: &System, head: usize) -> Vec<Vec<u8>> {
    let reader = system.ready().nats_reader.clone().expect("a private server has a reader");
    let config = BusConfig {
        url: system.ready().nats.clone(),
        user: reader.user,
        password: reader.password,
        name: "the test".to_owned(),
    };
    let plan = PlanId::parse("binh-duong").unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let bus = Bus::connect(&config).await.unwrap();
        let tail = bus.tail(&plan, Position(1)).take(head).map(|event| event.bytes.to_vec());
        let all = tokio::time::timeout(PATIENCE, tail.collect::<Vec<_>>()).await;
        all.expect("the stream holds everything that the log holds")
    })
}

#[track_caller]
fn the_stream_holds_the_log(system: &System) {
    let log: Vec<Vec<u8>> = events(system.http()).into_iter().map(|logged| logged.bytes).collect();
    let stream = stream_up_to(system, log.len());
    assert!(log == stream, "the stream holds the log, byte for byte");
}

#[test]
fn a_stream_removed_under_a_running_system_is_refilled() {
    if !is_possible() {
        return;
    }
    let mut system = System::start(Options::empty());
    let load = Load::start(system.http(), "load");
    load.wait_for_more(20);
    let nats = until_some("nats runs", || system.pid("nats"));
    // Stopped, it cannot write while its store is removed, nor when it is killed afterwards.
    signal(nats, rustix::process::Signal::STOP);
    remove(&stream_folder(&system));
    kill(nats);
    system.wait_restarted("nats", nats);
    load.wait_for_more(20);
    let acknowledged = load.finish();
    system.wait_ready();
    audit(&system, &acknowledged);
    the_stream_holds_the_log(&system);
    until("ingestion has counted the refill", || {
        counted(&system, "ingestion", "planwatch_mirror_refills_total") >= 1.0
    });
    stop_and_audit(&mut system, &acknowledged);
}

#[test]
fn a_stream_removed_while_everything_stands_is_refilled() {
    if !is_possible() {
        return;
    }
    let mut system = System::start(Options::empty());
    let mut acknowledged = submit(&system, "before", 5);
    assert_eq!(system.stop().code(), Some(0));
    remove(&stream_folder(&system));
    system.start_again();
    acknowledged.extend(submit(&system, "after", 5));
    audit(&system, &acknowledged);
    the_stream_holds_the_log(&system);
}
