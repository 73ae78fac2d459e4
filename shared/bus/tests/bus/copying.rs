//! Mirror, follower and tail while all goes well, and where log, stream and copy disagree.

use crate::support::{MemoryCopy, MemoryLog, PATIENCE, World, event, followed, mirrored, plan, reached};
use bus::server::Role;
use bus::{
    CopySink, Follower, FollowerState, FollowerStop, ForkReason, Mirror, MirrorState, log_read_endpoint,
};
use events::Position;
use futures::StreamExt;
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test(flavor = "multi_thread")]
async fn every_follower_gets_the_very_bytes_of_the_log() {
    let Some(world) = World::start().await else { return };
    let log = MemoryLog::with(3000);
    let (ingestion, projection) = (world.bus(Role::Ingestion).await, world.bus(Role::Projection).await);
    let alerting = world.bus(Role::Alerting).await;
    // The follower comes first, and waits for the stream.
    let early = MemoryCopy::default();
    let early_follower = Follower::start(&projection, &plan(), "projection", early.clone());
    let mirror = Mirror::start(&ingestion, &plan(), log.clone(), 1);
    mirrored(&mirror, 3000).await;
    let late = MemoryCopy::default();
    let late_follower = Follower::start(&alerting, &plan(), "alerting", late.clone());
    log.grow(500, "second");
    followed(&early_follower, 3500).await;
    followed(&late_follower, 3500).await;
    assert_eq!(early.all(), log.all());
    assert_eq!(late.all(), log.all());

    let state = early_follower.state();
    early_follower.stop(PATIENCE).await;
    assert_eq!(*state.borrow(), FollowerState::Stopped { why: FollowerStop::Asked });
    mirror.stop(PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_goes_on_where_its_copy_ends_whatever_its_consumer_had_seen() {
    let Some(world) = World::start().await else { return };
    let log = MemoryLog::with(200);
    let (ingestion, projection) = (world.bus(Role::Ingestion).await, world.bus(Role::Projection).await);
    let mirror = Mirror::start(&ingestion, &plan(), log.clone(), 1);
    let copy = MemoryCopy::default();
    let follower = Follower::start(&projection, &plan(), "projection", copy.clone());
    followed(&follower, 200).await;
    follower.stop(PATIENCE).await;

    // The copy came back from an older backup: the consumer had been further.
    copy.0.lock().unwrap().truncate(50);
    log.grow(10, "later");
    let follower = Follower::start(&projection, &plan(), "projection", copy.clone());
    followed(&follower, 210).await;
    assert_eq!(copy.all(), log.all());
    mirrored(&mirror, 210).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_whose_copy_is_of_another_log_stops() {
    let Some(world) = World::start().await else { return };
    let log = MemoryLog::with(20);
    let (ingestion, projection) = (world.bus(Role::Ingestion).await, world.bus(Role::Projection).await);
    let mirror = Mirror::start(&ingestion, &plan(), log.clone(), 1);
    mirrored(&mirror, 20).await;
    let mut copy = MemoryCopy::default();
    copy.append((1..=10).map(|position| event(position, "elsewhere")).collect()).unwrap();
    let follower = Follower::start(&projection, &plan(), "projection", copy.clone());
    let stopped = reached(follower.state(), |state| matches!(state, FollowerState::Stopped { .. })).await;
    assert_eq!(stopped, FollowerState::Stopped { why: FollowerStop::Fork { position: Position(10) } });
    assert_eq!(copy.all().len(), 10, "nothing is appended to a copy of another log");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mirror_tells_a_fork_and_publishes_nothing_on_it() {
    let Some(mut world) = World::start().await else { return };
    let ingestion = world.bus(Role::Ingestion).await;
    let log = MemoryLog::with(30);
    let mirror = Mirror::start(&ingestion, &plan(), log.clone(), 1);
    mirrored(&mirror, 30).await;
    mirror.stop(PATIENCE).await;

    // A log that lost its last events.
    let shorter = MemoryLog::with(20);
    let mirror = Mirror::start(&ingestion, &plan(), shorter, 1);
    let fork = reached(mirror.state(), |state| matches!(state, MirrorState::Fork { .. })).await;
    let why = ForkReason::BeyondHead { head: Position(20) };
    assert_eq!(fork, MirrorState::Fork { position: Position(30), why });
    drop(mirror);

    // A log that went on differently.
    let other = MemoryLog::with(20);
    other.grow(20, "differently");
    let mirror = Mirror::start(&ingestion, &plan(), other.clone(), 1);
    let fork = reached(mirror.state(), |state| matches!(state, MirrorState::Fork { .. })).await;
    assert_eq!(fork, MirrorState::Fork { position: Position(30), why: ForkReason::Different });
    other.grow(5, "on the fork");
    let jetstream = async_nats::jetstream::new(world.client(Role::Admin).await);
    let stream = jetstream.get_stream(bus::names::stream(&plan())).await.unwrap();
    assert_eq!(stream.cached_info().state.last_sequence, 30);

    // Losing the server does not heal it.
    world.server.kill().await.unwrap();
    reached(ingestion.link(), |link| !link.connected).await;
    world.server.restart().await.unwrap();
    reached(ingestion.link(), |link| link.connected).await;
    assert!(matches!(*mirror.state().borrow(), MirrorState::Fork { .. }));

    // A person decides that the log is right, and removes the stream.
    world.delete_stream().await;
    mirrored(&mirror, 45).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_writers_of_one_stream_do_not_mix() {
    let Some(world) = World::start().await else { return };
    let ingestion = world.bus(Role::Ingestion).await;
    let log = MemoryLog::with(30);
    let mirror = Mirror::start(&ingestion, &plan(), log.clone(), 1);
    mirrored(&mirror, 30).await;
    // Another ingestion, started by mistake on a log of its own, was first with position 31.
    let foreign = event(31, "of another log").bytes;
    let subject = bus::names::event_subject(&events::wire::read_envelope(&foreign).unwrap());
    let admin = async_nats::jetstream::new(world.client(Role::Admin).await);
    admin.publish(subject, foreign).await.unwrap().await.unwrap();
    log.grow(5, "of this log");
    let different = MirrorState::Fork { position: Position(31), why: ForkReason::Different };
    reached(mirror.state(), |state| *state == different).await;
    let stream = admin.get_stream(bus::names::stream(&plan())).await.unwrap();
    assert_eq!(stream.cached_info().state.last_sequence, 31, "nothing of this log is put behind it");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_the_stream_lost_are_read_from_the_log() {
    let Some(world) = World::start().await else { return };
    let log = MemoryLog::with(100);
    let (ingestion, projection) = (world.bus(Role::Ingestion).await, world.bus(Role::Projection).await);
    let _service = ingestion
        .serve(&plan(), "ingestion", env!("CARGO_PKG_VERSION"), vec![log_read_endpoint(log.clone())])
        .await
        .unwrap();
    // A stream without protection, out of which some events are then deleted.
    let admin = async_nats::jetstream::new(world.client(Role::Admin).await);
    let stream = admin
        .create_stream(async_nats::jetstream::stream::Config {
            name: bus::names::stream(&plan()),
            subjects: vec![bus::names::event_subjects(&plan())],
            ..Default::default()
        })
        .await
        .unwrap();
    for event in log.all() {
        let envelope = events::wire::read_envelope(&event.bytes).unwrap();
        let published = admin.publish(bus::names::event_subject(&envelope), event.bytes).await.unwrap();
        published.await.unwrap();
    }
    for sequence in (1..=3).chain(40..=60) {
        stream.delete_message(sequence).await.unwrap();
    }
    let copy = MemoryCopy::default();
    let follower = Follower::start(&projection, &plan(), "projection", copy.clone());
    followed(&follower, 100).await;
    assert_eq!(copy.all(), log.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_emptied_is_gone_on_with_and_the_log_gives_the_rest() {
    let Some(world) = World::start().await else { return };
    let log = MemoryLog::with(60);
    let (ingestion, projection) = (world.bus(Role::Ingestion).await, world.bus(Role::Projection).await);
    let _service = ingestion
        .serve(&plan(), "ingestion", env!("CARGO_PKG_VERSION"), vec![log_read_endpoint(log.clone())])
        .await
        .unwrap();
    ingestion.ensure_stream(&plan(), 1).await.unwrap();
    // The same settings, but counting from 41 as after a purge.
    let admin = async_nats::jetstream::new(world.client(Role::Admin).await);
    let stream = admin.get_stream(bus::names::stream(&plan())).await.unwrap();
    let mut config = stream.cached_info().config.clone();
    world.delete_stream().await;
    config.first_sequence = Some(41);
    admin.create_stream(config).await.unwrap();
    let mirror = Mirror::start(&ingestion, &plan(), log.clone(), 1);
    mirrored(&mirror, 60).await;
    let copy = MemoryCopy::default();
    let follower = Follower::start(&projection, &plan(), "projection", copy.clone());
    followed(&follower, 60).await;
    assert_eq!(copy.all(), log.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_with_other_settings_is_named_and_not_used() {
    let Some(world) = World::start().await else { return };
    let admin = async_nats::jetstream::new(world.client(Role::Admin).await);
    admin
        .create_stream(async_nats::jetstream::stream::Config {
            name: bus::names::stream(&plan()),
            subjects: vec![bus::names::event_subjects(&plan())],
            max_messages: 10,
            ..Default::default()
        })
        .await
        .unwrap();
    let ingestion = world.bus(Role::Ingestion).await;
    let refused = ingestion.ensure_stream(&plan(), 1).await.unwrap_err().to_string();
    assert!(refused.contains("max_msgs is 10") && refused.contains("deny_purge is false"), "{refused}");
    let mirror = Mirror::start(&ingestion, &plan(), MemoryLog::with(5), 1);
    reached(mirror.state(), |state| matches!(state, MirrorState::Waiting { .. })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_begins_where_it_is_told_and_goes_on_live() {
    let Some(world) = World::start().await else { return };
    let log = MemoryLog::with(40);
    let (ingestion, reader) = (world.bus(Role::Ingestion).await, world.bus(Role::Reader).await);
    let mirror = Mirror::start(&ingestion, &plan(), log.clone(), 1);
    mirrored(&mirror, 40).await;
    let mut tail = reader.tail(&plan(), Position(31));
    for position in 31..=40 {
        let event = timeout(PATIENCE, tail.next()).await.unwrap().unwrap();
        assert_eq!(event.position.0, position);
    }
    log.grow(1, "live");
    let event = timeout(PATIENCE, tail.next()).await.unwrap().unwrap();
    assert_eq!(event, log.all()[40]);
    let nothing = timeout(Duration::from_millis(100), tail.next()).await;
    assert!(nothing.is_err(), "a tail waits at the end: {nothing:?}");
}
