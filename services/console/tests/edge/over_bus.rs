//! The edge over a real nats-server, as its own user, with small services behind it.

use crate::stream::Open;
use crate::support::{Ask, Console, event_at};
use bus::server::{PrivateServer, Role, ServerConfig, ServerUser};
use bus::{Bus, BusConfig, Endpoint, LogSource, LogSourceError, Mirror, StoredEvent, log_read_endpoint};
use bytes::Bytes;
use events::command::{Acceptance, Answer, Request};
use events::{PlanId, Position};
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::watch;

fn password(role: Role) -> String {
    format!("password-of-{:0>20}", role.user())
}

/// A private server, or none where there is none and none is required.
async fn server(folder: PathBuf) -> Option<PrivateServer> {
    let binary = bus::testing::nats_server()?;
    let users = Role::SERVICES.map(|role| ServerUser { role, password: password(role) }).into();
    Some(PrivateServer::start(binary, ServerConfig { store_dir: folder, port: 0, users }).await.unwrap())
}

/// A log that has as many events as its head says.
struct Log(watch::Receiver<Position>);

impl LogSource for Log {
    fn head(&self) -> Position {
        *self.0.borrow()
    }

    fn watch(&self) -> watch::Receiver<Position> {
        self.0.clone()
    }

    fn read(&self, from: Position, events: usize, _bytes: usize) -> Result<Vec<StoredEvent>, LogSourceError> {
        let page = (from.0..=self.head().0).take(events);
        Ok(page.map(|position| StoredEvent::read(event_at(position).bytes).unwrap()).collect())
    }
}

fn answers(endpoint: &str, answer: impl Fn(&[u8]) -> String + Send + Sync + 'static) -> Endpoint {
    Endpoint::new(endpoint, 8, move |context| {
        let answer = answer(&context.payload);
        async move { Ok(Bytes::from(answer)) }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_questions_pages_of_the_log_and_streams_travel_over_the_bus() {
    let folder = tempfile::tempdir().unwrap();
    let Some(server) = server(folder.path().join("nats")).await else { return };
    let config = |role: Role| BusConfig {
        url: server.url(),
        user: role.user().into(),
        password: password(role),
        name: format!("test-{}", role.user()),
    };
    let plan = PlanId::parse("binh-duong").unwrap();
    let ingestion = Bus::connect(&config(Role::Ingestion)).await.unwrap();
    let (head, watched) = watch::channel(Position(3));
    let log = Arc::new(Log(watched));
    let _mirror = Mirror::start(&ingestion, &plan, log.clone(), 1);

    let bus = json!({"url": server.url(), "user": "console", "password": password(Role::Console), "name": "console"});
    let console = Console::over(&bus).await;
    // Nobody serves anything yet.
    console.post("/api/v1/reports", "{}").await.problem(503);
    console.get("/api/v1/status").await.problem(503);
    console.send(Ask::new("GET", "/readyz")).await.problem(503);

    let submit = answers("submit", |payload| {
        let request: Request = serde_json::from_slice(payload).unwrap();
        let acceptance = Acceptance {
            event: events::ids::derived_id(&[&request.body]),
            position: Position(4),
            revision: 1,
            recorded_at: "2024-11-22T09:10:00+07:00".into(),
            receipt: None,
        };
        serde_json::to_string(&Answer::Recorded(vec![acceptance])).unwrap()
    });
    let version = env!("CARGO_PKG_VERSION");
    let _taking = ingestion
        .serve(&plan, "ingestion", version, vec![submit, log_read_endpoint(log.clone())])
        .await
        .unwrap();
    let projection = Bus::connect(&config(Role::Projection)).await.unwrap();
    let large = "x".repeat(2 * 1024 * 1024);
    let status = format!(r#"{{"ok":{{"position":3,"cells":["{large}"]}}}}"#);
    let questions = vec![
        answers("status", move |_| status.clone()),
        answers("position", |question| match question {
            b"{}" => r#"{"ok":{"position":3}}"#.into(),
            other => panic!("{}", String::from_utf8_lossy(other)),
        }),
    ];
    let _answering = projection.serve(&plan, "projection", version, questions).await.unwrap();

    let recorded = console.post("/api/v1/reports", r#"{"a":1}"#).await;
    assert_eq!(recorded.status, 201, "{}", recorded.text());
    assert_eq!(recorded.json()["event"], json!(events::ids::derived_id(&[r#"{"a":1}"#])));
    let batch = console.post("/api/v1/reports/batch", vec![b' '; 8 * 1024 * 1024]).await;
    assert_eq!(batch.status, 201, "the largest batch gets through: {}", batch.text());
    assert_eq!(console.get("/api/v1/status").await.json()["cells"][0], json!(large));
    let page = console.get("/api/v1/events?from=2&limit=1").await;
    let rest = b"],\"next\":3,\"sample\":false}";
    assert_eq!(page.text().as_bytes(), [b"{\"events\":[", &event_at(2).bytes[..], rest].concat());

    let mut resumed =
        Open::new(&console, Ask::new("GET", "/api/v1/stream").header("Last-Event-ID", "1")).await;
    resumed.until("id: 3").await;
    let mut live = Open::new(&console, Ask::new("GET", "/api/v1/stream")).await;
    live.until("id: 3").await;
    head.send_replace(Position(4));
    live.until(std::str::from_utf8(&event_at(4).bytes).unwrap()).await;
    resumed.until("id: 4").await;
    assert_eq!((resumed.ids(), live.ids()), (vec![1, 2, 3, 4], vec![3, 4]));
}
