//! What each user of the private server may not do, tried with a plain client.

use crate::support::{MemoryLog, PATIENCE, World, event, mirrored, plan};
use async_nats::jetstream;
use bus::server::Role;
use bus::{Bus, ConnectError, Mirror};
use bytes::Bytes;
use futures::StreamExt;
use std::time::Duration;
use tokio::time::timeout;

/// A refused publish has no answer of its own: the refusal arrives as an error of the connection.
async fn refused(world: &World, role: Role, subject: &str) -> bool {
    let (sender, mut errors) = tokio::sync::mpsc::unbounded_channel();
    let password = world.config(role).password;
    let client = async_nats::ConnectOptions::with_user_and_password(role.user().to_owned(), password)
        .custom_inbox_prefix(format!("_INBOX_{}", role.user()))
        .event_callback(move |event| {
            if let async_nats::Event::ServerError(error) = event {
                let _ = sender.send(error.to_string());
            }
            std::future::ready(())
        })
        .connect(world.server.url())
        .await
        .unwrap();
    client.publish(subject.to_owned(), Bytes::from_static(b"{}")).await.unwrap();
    // The server answers the ping of a flush after everything sent before it.
    client.flush().await.unwrap();
    match timeout(Duration::from_millis(500), errors.recv()).await {
        Ok(error) => error.unwrap().to_lowercase().contains("permissions violation"),
        Err(_) => false,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_ingestion_publishes_and_nobody_removes() {
    let Some(world) = World::start().await else { return };
    let ingestion = world.bus(Role::Ingestion).await;
    let log = MemoryLog::with(5);
    let mirror = Mirror::start(&ingestion, &plan(), log.clone(), 1);
    mirrored(&mirror, 5).await;

    let name = bus::names::stream(&plan());
    let envelope = events::wire::read_envelope(&event(6, "forged").bytes).unwrap();
    let event_subject = bus::names::event_subject(&envelope);
    let removals = [
        format!("$JS.API.STREAM.DELETE.{name}"),
        format!("$JS.API.STREAM.PURGE.{name}"),
        format!("$JS.API.STREAM.MSG.DELETE.{name}"),
        format!("$JS.API.STREAM.UPDATE.{name}"),
    ];
    for role in Role::SERVICES {
        for removal in &removals {
            assert!(refused(&world, role, removal).await, "{role:?} {removal}");
        }
        if role != Role::Ingestion {
            for subject in
                [&event_subject, &bus::names::checkpoint(&plan()), &format!("$JS.API.STREAM.CREATE.{name}")]
            {
                assert!(refused(&world, role, subject).await, "{role:?} {subject}");
            }
        }
    }
    // Readers neither ask the services nor take a follower's messages nor answer for anyone.
    for subject in [
        "planwatch.binh-duong.ingestion.submit".to_owned(),
        format!("$JS.API.CONSUMER.MSG.NEXT.{name}.projection"),
        format!("$JS.API.CONSUMER.CREATE.{name}.projection"),
        format!("$JS.API.CONSUMER.DELETE.{name}.projection"),
        "_INBOX_console.forged".to_owned(),
    ] {
        assert!(refused(&world, Role::Reader, &subject).await, "{subject}");
    }
    assert!(refused(&world, Role::Projection, &format!("$JS.API.CONSUMER.DELETE.{name}.alerting")).await);
    // The test itself can tell: what is allowed is not refused.
    assert!(!refused(&world, Role::Console, "planwatch.binh-duong.ingestion.submit").await);

    let admin = jetstream::new(world.client(Role::Admin).await);
    let state = admin.get_stream(&name).await.unwrap().cached_info().state.clone();
    assert_eq!((state.messages, state.last_sequence), (5, 5));
    // Not even an admin purges or deletes one message: the stream itself is protected.
    let stream = admin.get_stream(&name).await.unwrap();
    assert!(stream.purge().await.is_err());
    assert!(stream.delete_message(3).await.is_err());
}

/// An outsider's client knows nothing of our inbox prefixes and names its consumers as it likes.
#[tokio::test(flavor = "multi_thread")]
async fn the_reader_reads_with_an_ordinary_client() {
    let Some(world) = World::start().await else { return };
    let ingestion = world.bus(Role::Ingestion).await;
    let mirror = Mirror::start(&ingestion, &plan(), MemoryLog::with(5), 1);
    mirrored(&mirror, 5).await;
    let _service = ingestion.serve(&plan(), "ingestion", "1.0.0", Vec::new()).await.unwrap();

    let password = world.config(Role::Reader).password;
    let client = async_nats::ConnectOptions::with_user_and_password("reader".to_owned(), password)
        .connect(world.server.url())
        .await
        .unwrap();
    let stream = jetstream::new(client.clone()).get_stream(bus::names::stream(&plan())).await.unwrap();
    let consumer = stream
        .create_consumer(jetstream::consumer::pull::Config {
            durable_name: Some("outsider".to_owned()),
            filter_subject: "planwatch.*.event.>".to_owned(),
            ..Default::default()
        })
        .await
        .unwrap();
    let messages = consumer.fetch().max_messages(5).messages().await.unwrap();
    let mut messages = Box::pin(messages);
    for sequence in 1..=5 {
        let message = timeout(PATIENCE, messages.next()).await.unwrap().unwrap().unwrap();
        assert_eq!(message.info().unwrap().stream_sequence, sequence);
        message.double_ack().await.unwrap();
    }
    assert_eq!(stream.get_raw_message(3).await.unwrap().sequence, 3);
    let pong = timeout(PATIENCE, client.request("$SRV.PING.ingestion", Bytes::new())).await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&pong.payload).contains("ingestion"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_hears_the_answers_of_another() {
    let Some(world) = World::start().await else { return };
    let reader = world.client(Role::Reader).await;
    let mut overheard = reader.subscribe("_INBOX_console.>").await.unwrap();
    let mut everything = reader.subscribe(">").await.unwrap();
    reader.flush().await.unwrap();
    let admin = world.client(Role::Admin).await;
    admin.publish("_INBOX_console.answer", Bytes::from_static(b"secret")).await.unwrap();
    admin.flush().await.unwrap();
    for subscription in [&mut overheard, &mut everything] {
        let heard = timeout(Duration::from_millis(200), subscription.next()).await;
        assert!(!matches!(heard, Ok(Some(_))), "{heard:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_is_heard_by_followers() {
    let Some(world) = World::start().await else { return };
    let (ingestion, projection) = (world.bus(Role::Ingestion).await, world.bus(Role::Projection).await);
    let mut checkpoints = projection.checkpoints(&plan()).await.unwrap();
    let heard = async {
        loop {
            ingestion.publish_checkpoint(&plan(), Bytes::from_static(b"signed note")).await.unwrap();
            if let Ok(heard) = timeout(Duration::from_millis(50), checkpoints.next()).await {
                break heard;
            }
        }
    };
    assert_eq!(timeout(PATIENCE, heard).await.unwrap(), Some(Bytes::from_static(b"signed note")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_a_missing_server_are_told_apart() {
    let Some(mut world) = World::start().await else { return };
    let mut config = world.config(Role::Projection);
    config.password = "wrong-password-wrong".to_owned();
    let error = Bus::connect(&config).await.unwrap_err();
    assert!(matches!(error, ConnectError::Refused { .. }), "{error}");
    world.server.kill().await.unwrap();
    let error = Bus::connect(&world.config(Role::Projection)).await.unwrap_err();
    assert!(matches!(error, ConnectError::Unreachable { .. }), "{error}");
    let mut config = world.config(Role::Projection);
    config.url = "http://[".to_owned();
    let error = Bus::connect(&config).await.unwrap_err();
    assert!(matches!(error, ConnectError::Url { .. }), "{error}");
}
