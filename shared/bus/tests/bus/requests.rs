//! Request and reply: whole, in chunks, refused, late, crowded and unanswered.

use crate::support::{PATIENCE, World, plan};
use bus::server::Role;
use bus::{Bus, Endpoint, RequestError, RequestHeaders, ServiceError, ServiceHandle};
use bytes::Bytes;
use futures::StreamExt;
use std::time::Duration;
use tokio::time::timeout;

async fn projection_with(bus: &Bus, endpoints: Vec<Endpoint>) -> ServiceHandle {
    bus.serve(&plan(), "projection", env!("CARGO_PKG_VERSION"), endpoints).await.unwrap()
}

fn sized(size: usize) -> Bytes {
    (0..size).map(|index| (index % 251) as u8).collect::<Vec<u8>>().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn large_requests_and_replies_arrive_whole() {
    let Some(world) = World::start().await else { return };
    let (projection, console) = (world.bus(Role::Projection).await, world.bus(Role::Console).await);
    let echo = Endpoint::new("echo", 4, |context| async move { Ok(context.payload) });
    let twice = Endpoint::new("twice", 1, |context| async move {
        Ok([context.payload.as_ref(), context.payload.as_ref()].concat().into())
    });
    let endless = Endpoint::new("endless", 1, |_| async { Ok(sized(64 * 1024 * 1024 + 1)) });
    let _service = projection_with(&projection, vec![echo, twice, endless]).await;
    for size in [0, 1, 512 * 1024, 512 * 1024 + 1, 9 * 1024 * 1024] {
        let payload = sized(size);
        let reply = console.request(&plan(), "projection", "echo", payload.clone(), PATIENCE).await.unwrap();
        assert!(reply == payload, "{size} bytes come back as they went");
    }
    let reply = console.request(&plan(), "projection", "twice", sized(9_000_000), PATIENCE).await.unwrap();
    assert_eq!(reply.len(), 18_000_000);
    let too_large = console.request(&plan(), "projection", "endless", Bytes::new(), PATIENCE).await;
    assert!(matches!(too_large, Err(RequestError::Refused { code: 413, .. })), "{too_large:?}");
    let too_large = console.request(&plan(), "projection", "echo", sized(17 * 1024 * 1024), PATIENCE).await;
    assert!(matches!(too_large, Err(RequestError::TooLarge { .. })), "{too_large:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_at_once_each_get_their_own_reply() {
    let Some(world) = World::start().await else { return };
    let (projection, console) = (world.bus(Role::Projection).await, world.bus(Role::Console).await);
    let echo = Endpoint::new("echo", 16, |context| async move { Ok(context.payload) });
    let _service = projection_with(&projection, vec![echo]).await;
    let asked = futures::stream::iter(0..500_u32).map(|number| {
        let console = console.clone();
        async move {
            // Every tenth is large enough for chunks, so that chunks of several replies mix.
            let mut payload = number.to_be_bytes().to_vec();
            payload.resize(if number % 10 == 0 { 1_200_000 } else { 8 }, 7);
            let payload = Bytes::from(payload);
            let reply = console.request(&plan(), "projection", "echo", payload.clone(), PATIENCE).await;
            assert!(reply.unwrap() == payload);
        }
    });
    assert_eq!(asked.buffer_unordered(64).count().await, 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_panics_and_late_answers_are_told_apart() {
    let Some(world) = World::start().await else { return };
    let (projection, console) = (world.bus(Role::Projection).await, world.bus(Role::Console).await);
    let endpoint = Endpoint::new("ask", 4, |context| async move {
        match context.payload.as_ref() {
            b"wrong" => Err(ServiceError::new(422, "line one\nline two")),
            b"panic" => panic!("as asked"),
            b"slow" => std::future::pending().await,
            _ => Ok(context.headers.traceparent.unwrap_or_default().into()),
        }
    });
    let service = projection_with(&projection, vec![endpoint]).await;
    let ask = async |what: &'static str, time: Duration| {
        console.request(&plan(), "projection", "ask", what.into(), time).await
    };
    let refused = RequestError::Refused { code: 422, text: "line one line two".to_owned() };
    assert_eq!(ask("wrong", PATIENCE).await, Err(refused));
    assert!(matches!(ask("panic", PATIENCE).await, Err(RequestError::Refused { code: 500, .. })));
    let late = ask("slow", Duration::from_millis(50)).await;
    // Whoever is first to see the deadline pass says so.
    assert!(
        matches!(late, Err(RequestError::TimedOut { .. } | RequestError::Refused { code: 504, .. })),
        "{late:?}"
    );
    let headers = RequestHeaders { traceparent: Some("00-abc-def-01".to_owned()), correlation: None };
    let reply =
        console.request_with_headers(&plan(), "projection", "ask", "trace".into(), headers, PATIENCE).await;
    assert_eq!(reply, Ok("00-abc-def-01".into()));

    let unknown = console.request(&plan(), "alerting", "list", Bytes::new(), PATIENCE).await;
    assert!(matches!(unknown, Err(RequestError::NoResponders { .. })), "{unknown:?}");
    service.stop(PATIENCE).await;
    // The server learns of the end a moment later; until then the request has nobody who answers it.
    let gone = async {
        while !matches!(
            ask("wrong", Duration::from_millis(200)).await,
            Err(RequestError::NoResponders { .. })
        ) {}
    };
    timeout(PATIENCE, gone).await.expect("a stopped service has no responders");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_handlers_run_than_allowed_and_a_crowd_is_turned_away() {
    let Some(world) = World::start().await else { return };
    let (projection, console) = (world.bus(Role::Projection).await, world.bus(Role::Console).await);
    let (running, mut runs) = tokio::sync::mpsc::unbounded_channel();
    let gate = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let opened = std::sync::Arc::clone(&gate);
    let endpoint = Endpoint::new("gate", 2, move |context| {
        let (running, gate) = (running.clone(), std::sync::Arc::clone(&gate));
        async move {
            running.send(()).unwrap();
            gate.acquire().await.unwrap().forget();
            Ok(context.payload)
        }
    });
    let _service = projection_with(&projection, vec![endpoint]).await;
    // 2 run, 1024 wait, the others are turned away at once.
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..1036 {
        let console = console.clone();
        asked
            .spawn(async move { console.request(&plan(), "projection", "gate", "x".into(), PATIENCE).await });
    }
    for _ in 0..10 {
        let turned_away = timeout(PATIENCE, asked.join_next()).await.unwrap().unwrap().unwrap();
        assert!(matches!(turned_away, Err(RequestError::Refused { code: 503, .. })), "{turned_away:?}");
    }
    runs.recv().await.unwrap();
    runs.recv().await.unwrap();
    assert!(runs.try_recv().is_err(), "a third handler runs");
    opened.add_permits(2000);
    let mut answered = 0;
    while let Some(answer) = timeout(PATIENCE, asked.join_next()).await.unwrap() {
        assert_eq!(answer.unwrap(), Ok("x".into()));
        answered += 1;
    }
    assert_eq!(answered, 1026);
}

#[tokio::test(flavor = "multi_thread")]
async fn services_answer_the_service_protocol() {
    let Some(world) = World::start().await else { return };
    let projection = world.bus(Role::Projection).await;
    let echo = Endpoint::new("echo", 1, |context| async move { Ok(context.payload) });
    let _service = projection_with(&projection, vec![echo]).await;
    let console = world.client(Role::Console).await;
    let info = console.request("$SRV.INFO.projection", Bytes::new()).await.unwrap();
    let info: serde_json::Value = serde_json::from_slice(&info.payload).unwrap();
    assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(info["endpoints"][0]["subject"], "planwatch.binh-duong.projection.echo");
    for verb in ["PING", "STATS"] {
        let answer = console.request(format!("$SRV.{verb}.projection"), Bytes::new()).await.unwrap();
        assert!(!answer.payload.is_empty(), "{verb}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_with_something_in_the_way_says_so_until_it_is_gone() {
    let Some(world) = World::start().await else { return };
    let (projection, console) = (world.bus(Role::Projection).await, world.bus(Role::Console).await);
    let (sender, in_the_way) = tokio::sync::watch::channel(Some("the copy is another one".to_owned()));
    let echo = Endpoint::new("echo", 4, |context| async move { Ok(context.payload) });
    assert_eq!(echo.name(), "echo");
    let echo = echo.unless(move || in_the_way.borrow().clone());
    let _service = projection_with(&projection, vec![echo]).await;
    let plan = plan();
    let ask = || console.request(&plan, "projection", "echo", sized(3), PATIENCE);
    let refused = ask().await;
    let text = "the copy is another one".to_owned();
    assert_eq!(refused, Err(RequestError::Refused { code: 503, text }));
    sender.send_replace(None);
    assert_eq!(ask().await, Ok(sized(3)));
}
