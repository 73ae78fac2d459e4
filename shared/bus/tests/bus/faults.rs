//! Mirror, follower, tail and requests while the server, the stream and the consumer are taken away.

use crate::support::{MemoryCopy, MemoryLog, PATIENCE, World, followed, mirrored, plan, reached};
use bus::server::Role;
use bus::{Endpoint, Follower, FollowerState, Mirror, RequestError};
use events::Position;
use futures::StreamExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// How often the faults are repeated in one run.
fn rounds() -> u64 {
    std::env::var("PLANWATCH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(3)
}

/// Lets the log grow until it is told to stop.
fn load(log: &Arc<MemoryLog>) -> (Arc<AtomicBool>, std::thread::JoinHandle<()>) {
    let stop = Arc::new(AtomicBool::new(false));
    let (stopped, log) = (Arc::clone(&stop), Arc::clone(log));
    let thread = std::thread::spawn(move || {
        while !stopped.load(Ordering::Relaxed) {
            log.grow(20, "under load");
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    (stop, thread)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_and_doubles_nothing() {
    let Some(mut world) = World::start().await else { return };
    let log = MemoryLog::with(10);
    let (ingestion, projection) = (world.bus(Role::Ingestion).await, world.bus(Role::Projection).await);
    let reader = world.bus(Role::Reader).await;
    let mirror = Mirror::start(&ingestion, &plan(), log.clone(), 1);
    let copy = MemoryCopy::default();
    let follower = Follower::start(&projection, &plan(), "projection", copy.clone());
    let mut tail = reader.tail(&plan(), Position(1));
    for _ in 0..rounds() {
        let (stop, thread) = load(&log);
        // In the middle of it: the follower has taken some of this round, the log is ahead.
        followed(&follower, log.all().len() as u64 + 100).await;
        world.server.restart().await.unwrap();
        followed(&follower, log.all().len() as u64 + 100).await;
        stop.store(true, Ordering::Relaxed);
        thread.join().unwrap();
    }
    let all = log.all();
    mirrored(&mirror, all.len() as u64).await;
    followed(&follower, all.len() as u64).await;
    assert_eq!(copy.all(), all);
    for expected in &all {
        let event = timeout(PATIENCE, tail.next()).await.unwrap().unwrap();
        assert_eq!(&event, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_stream_is_refilled_under_running_followers() {
    let Some(world) = World::start().await else { return };
    let log = MemoryLog::with(1000);
    let (ingestion, projection) = (world.bus(Role::Ingestion).await, world.bus(Role::Projection).await);
    let reader = world.bus(Role::Reader).await;
    let _mirror = Mirror::start(&ingestion, &plan(), log.clone(), 1);
    let copy = MemoryCopy::default();
    let follower = Follower::start(&projection, &plan(), "projection", copy.clone());
    followed(&follower, 1000).await;
    let mut tail = reader.tail(&plan(), Position(991));
    for position in 991..=1000 {
        assert_eq!(timeout(PATIENCE, tail.next()).await.unwrap().unwrap().position.0, position);
    }

    // Nothing is being published: the mirror notices by itself.
    let admin = async_nats::jetstream::new(world.client(Role::Admin).await);
    world.delete_stream().await;
    let refilled = async {
        loop {
            match admin.get_stream(bus::names::stream(&plan())).await {
                Ok(stream) if stream.cached_info().state.last_sequence == 1000 => break,
                _ => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    timeout(PATIENCE, refilled).await.expect("the mirror refills the stream");

    // And while events keep coming.
    let (stop, thread) = load(&log);
    followed(&follower, 1100).await;
    world.delete_stream().await;
    followed(&follower, log.all().len() as u64 + 200).await;
    stop.store(true, Ordering::Relaxed);
    thread.join().unwrap();
    let all = log.all();
    followed(&follower, all.len() as u64).await;
    assert_eq!(copy.all(), all);
    for expected in &all[1000..] {
        assert_eq!(&timeout(PATIENCE, tail.next()).await.unwrap().unwrap(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_consumer_is_made_again() {
    let Some(world) = World::start().await else { return };
    let log = MemoryLog::with(10);
    let (ingestion, projection) = (world.bus(Role::Ingestion).await, world.bus(Role::Projection).await);
    let _mirror = Mirror::start(&ingestion, &plan(), log.clone(), 1);
    let copy = MemoryCopy::default();
    let follower = Follower::start(&projection, &plan(), "projection", copy.clone());
    followed(&follower, 10).await;
    let admin = async_nats::jetstream::new(world.client(Role::Admin).await);
    admin.delete_consumer_from_stream("projection", bus::names::stream(&plan())).await.unwrap();
    log.grow(10, "afterwards");
    followed(&follower, 20).await;
    assert_eq!(copy.all(), log.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_in_flight_when_the_server_dies_is_told_so_and_the_next_one_works() {
    let Some(mut world) = World::start().await else { return };
    let (projection, console) = (world.bus(Role::Projection).await, world.bus(Role::Console).await);
    let (taken, mut taken_in) = tokio::sync::mpsc::channel(4);
    let endpoint = Endpoint::new("wait", 4, move |context| {
        let taken = taken.clone();
        async move {
            taken.send(()).await.unwrap();
            if context.payload.as_ref() == b"for ever" {
                std::future::pending::<()>().await;
            }
            Ok(context.payload)
        }
    });
    let _service = projection.serve(&plan(), "projection", "1.0.0", vec![endpoint]).await.unwrap();
    let asked = tokio::spawn({
        let console = console.clone();
        async move { console.request(&plan(), "projection", "wait", "for ever".into(), PATIENCE).await }
    });
    timeout(PATIENCE, taken_in.recv()).await.unwrap().unwrap();
    world.server.kill().await.unwrap();
    assert_eq!(timeout(PATIENCE, asked).await.unwrap().unwrap(), Err(RequestError::Disconnected));

    world.server.restart().await.unwrap();
    // The service's own connection may come back a moment after the console's.
    reached(projection.link(), |link| link.connected).await;
    let answer = async {
        loop {
            let short = Duration::from_secs(5);
            match console.request(&plan(), "projection", "wait", "briefly".into(), short).await {
                Err(RequestError::NoResponders { .. }) => tokio::time::sleep(Duration::from_millis(20)).await,
                answer => break answer,
            }
        }
    };
    assert_eq!(timeout(PATIENCE, answer).await.unwrap(), Ok("briefly".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_without_a_server_says_that_it_is_connecting() {
    let Some(mut world) = World::start().await else { return };
    let (ingestion, projection) = (world.bus(Role::Ingestion).await, world.bus(Role::Projection).await);
    let _mirror = Mirror::start(&ingestion, &plan(), MemoryLog::with(3), 1);
    let follower = Follower::start(&projection, &plan(), "projection", MemoryCopy::default());
    followed(&follower, 3).await;
    world.server.kill().await.unwrap();
    reached(follower.state(), |state| *state == FollowerState::Connecting).await;
    world.server.restart().await.unwrap();
    followed(&follower, 3).await;
}
