//! A console on a free port, services in memory behind it, and a client that writes HTTP by hand, so that
//! requests can be wrong in every way.

use bytes::Bytes;
use console::backend::{Backend, BackendError, LogEvent, Peer, Tail};
use console::{Config, Running, start_with};
use events::command::{Answer, Request};
use events::wire;
use events::{ActorId, Event, EventData, PlanAdopted, PlanId, Position, UnitChange, UnitChanged, UnitId};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

pub const TOKEN: &str = "3f0c1b8e5d2a49768e0b1c2d3e4f5a6b";
pub const CODE: &str = "one-time-code-of-enough-length";

type Reply = Result<String, BackendError>;
type Answering = Box<dyn Fn(&Request) -> Result<Answer, BackendError> + Send>;

/// Services that answer what a test tells them to, and remember what they were asked.
#[derive(Default)]
pub struct Memory {
    pub submitted: Mutex<Vec<Request>>,
    pub asked: Mutex<Vec<(&'static str, String, Value)>>,
    answering: Mutex<Option<Answering>>,
    replies: Mutex<HashMap<(&'static str, String), Reply>>,
    log: Mutex<Vec<LogEvent>>,
    head: watch::Sender<usize>,
}

impl Memory {
    pub fn answers(&self, answering: impl Fn(&Request) -> Result<Answer, BackendError> + Send + 'static) {
        *self.answering.lock().unwrap() = Some(Box::new(answering));
    }

    pub fn replies(&self, peer: Peer, endpoint: &str, reply: Result<&str, BackendError>) {
        let reply = reply.map(str::to_owned);
        self.replies.lock().unwrap().insert((peer.name(), endpoint.to_owned()), reply);
    }

    pub fn last_question(&self, endpoint: &str) -> Value {
        let asked = self.asked.lock().unwrap();
        asked.iter().rev().find(|(_, asked, _)| asked == endpoint).expect("it was asked").2.clone()
    }

    /// Begins the log with the adoption of a plan.
    pub fn adopt(&self, sample: bool) {
        let data = PlanAdopted { plan: json!({}), digest: "0".repeat(64), sample };
        let mut log = self.log.lock().unwrap();
        assert!(log.is_empty(), "a plan is adopted at position 1");
        log.push(event_with(1, EventData::PlanAdopted(data)));
        self.head.send_replace(log.len());
    }

    /// Records an event at the next position and wakes whoever follows.
    pub fn record(&self) -> LogEvent {
        let mut log = self.log.lock().unwrap();
        let event = event_at(log.len() as u64 + 1);
        log.push(event.clone());
        self.head.send_replace(log.len());
        event
    }
}

/// The event at a position.
pub fn event_at(position: u64) -> LogEvent {
    let data = UnitChanged {
        unit: UnitId::parse("ben-cat").unwrap(),
        change: UnitChange::Retype { unit_type: "city".into() },
        revision: 1,
        effective: "2024-05-01".parse().unwrap(),
        instrument: "Nghị quyết".into(),
        reason: None,
        request_digest: None,
    };
    event_with(position, EventData::UnitChanged(data))
}

fn event_with(position: u64, data: EventData) -> LogEvent {
    let mut written = wire::Written::new(&Event {
        id: events::ids::derived_id(&["test", &position.to_string()]),
        plan: PlanId::parse("binh-duong").unwrap(),
        effective: "2024-05-01T00:00:00Z".parse().unwrap(),
        actor: ActorId::parse("operator-0").unwrap(),
        traceparent: None,
        data,
    })
    .unwrap();
    written.stamp(Position(position), "2024-05-02T00:00:00Z".parse().unwrap());
    LogEvent { position: Position(position), bytes: written.into_bytes().into() }
}

/// The services of one console.
pub struct Services(pub Arc<Memory>);

impl Backend for Services {
    fn submit(&self, request: Request) -> BoxFuture<'_, Result<Answer, BackendError>> {
        let answer = match self.0.answering.lock().unwrap().as_ref() {
            Some(answering) => answering(&request),
            None => Err(BackendError::Unreachable { peer: Peer::Ingestion, why: "not there".into() }),
        };
        self.0.submitted.lock().unwrap().push(request);
        async move { answer }.boxed()
    }

    fn ask(
        &self,
        peer: Peer,
        endpoint: &'static str,
        question: Value,
        _within: Duration,
    ) -> BoxFuture<'_, Result<Bytes, BackendError>> {
        self.0.asked.lock().unwrap().push((peer.name(), endpoint.to_owned(), question));
        let reply = self.0.replies.lock().unwrap().get(&(peer.name(), endpoint.to_owned())).cloned();
        let absent = move || Err(BackendError::Unreachable { peer, why: "not there".into() });
        async move { reply.unwrap_or_else(absent).map(Bytes::from) }.boxed()
    }

    fn read(&self, from: Position, limit: usize) -> BoxFuture<'_, Result<Vec<LogEvent>, BackendError>> {
        let log = self.0.log.lock().unwrap();
        let page = log.iter().filter(|event| event.position >= from).take(limit).cloned().collect();
        async move { Ok(page) }.boxed()
    }

    fn tail(&self, after: Option<Position>) -> BoxFuture<'_, Result<Tail, BackendError>> {
        let memory = self.0.clone();
        let after = after.unwrap_or(Position(memory.log.lock().unwrap().len() as u64));
        let head = memory.head.subscribe();
        let events = stream::unfold((memory, head, after), |(memory, mut head, after)| async move {
            let next = usize::try_from(after.0).unwrap();
            head.wait_for(|head| *head > next).await.ok()?;
            let event = memory.log.lock().unwrap()[next].clone();
            Some((event, (memory, head, after.next())))
        });
        async move { Ok(Tail { after, events: events.boxed() }) }.boxed()
    }
}

/// A console that listens.
pub struct Console {
    pub memory: Arc<Memory>,
    pub address: SocketAddr,
    pub folder: TempDir,
    pub running: Option<Running>,
}

impl Console {
    /// With services in memory behind it.
    pub async fn start() -> Console {
        let bus =
            json!({"url": "nats://127.0.0.1:1", "user": "console", "password": "none", "name": "console"});
        let memory = Arc::new(Memory::default());
        let services = Arc::new(Services(memory.clone()));
        let (folder, config) = prepared(&bus);
        let running = start_with(config, services).await.unwrap();
        Console::of(memory, folder, running)
    }

    /// With the services behind it that a bus reaches.
    pub async fn over(bus: &Value) -> Console {
        let (folder, config) = prepared(bus);
        let running = console::start(config).await.unwrap();
        Console::of(Arc::new(Memory::default()), folder, running)
    }

    fn of(memory: Arc<Memory>, folder: TempDir, running: Running) -> Console {
        let address = running.address();
        let told = std::fs::read_to_string(folder.path().join("console.addr")).unwrap();
        assert_eq!(told, address.to_string());
        Console { memory, address, folder, running: Some(running) }
    }

    /// A request with the token.
    pub async fn get(&self, path: &str) -> Answered {
        self.send(Ask::new("GET", path).token()).await
    }

    /// A JSON body with the token.
    pub async fn post(&self, path: &str, body: impl Into<Vec<u8>>) -> Answered {
        self.send(Ask::new("POST", path).token().json(body)).await
    }

    pub async fn send(&self, ask: Ask) -> Answered {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(&ask.written(self.address)).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        Answered::read(&bytes)
    }

    /// A session cookie, from the one-time code.
    pub async fn signed_in(&self) -> String {
        let answered = self.send(Ask::new("POST", "/sign-in").form(&format!("code={CODE}"))).await;
        assert_eq!(answered.status, 303, "{}", answered.text());
        let cookie = answered.header("set-cookie").unwrap();
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && cookie.contains("Path=/")
        );
        cookie.split(';').next().unwrap().to_owned()
    }
}

fn prepared(bus: &Value) -> (TempDir, Config) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    std::fs::write(path("operator.token"), format!("{TOKEN}\n")).unwrap();
    std::fs::write(path("sign-in.code"), CODE).unwrap();
    let config: Config = serde_json::from_value(json!({
        "plan": "binh-duong",
        "listen": "127.0.0.1:0",
        "bus": bus,
        "token_file": path("operator.token"),
        "sign_in_code_file": path("sign-in.code"),
        "ready_file": path("console.addr"),
    }))
    .unwrap();
    (folder, config)
}

/// A request.
pub struct Ask {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
}

impl Ask {
    pub fn new(method: &str, path: &str) -> Ask {
        Ask { method: method.into(), path: path.into(), headers: Vec::new(), body: None }
    }

    pub fn header(mut self, name: &str, value: &str) -> Ask {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn token(self) -> Ask {
        self.header("Authorization", &format!("Bearer {TOKEN}"))
    }

    pub fn body(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Ask {
        self.body = Some(body.into());
        self.header("Content-Type", media_type)
    }

    pub fn json(self, body: impl Into<Vec<u8>>) -> Ask {
        self.body("application/json", body)
    }

    pub fn form(self, body: &str) -> Ask {
        self.body("application/x-www-form-urlencoded", body)
    }

    pub fn written(&self, address: SocketAddr) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\nConnection: close\r\n", self.method, self.path);
        if !self.headers.iter().any(|(name, _)| name == "Host") {
            text.push_str(&format!("Host: {address}\r\n"));
        }
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = &self.body {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        bytes
    }
}

/// A response.
#[derive(Debug)]
pub struct Answered {
    pub status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answered {
    fn read(bytes: &[u8]) -> Answered {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head and a body");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let mut body = bytes[end + 4..].to_vec();
        if headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked") {
            body = unchunked(&body);
        }
        Answered { status, headers, body }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The problem document, checked for what every one of them holds.
    pub fn problem(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert!(problem["type"].as_str().unwrap().starts_with("/problems/"), "{problem}");
        assert!(
            !problem["title"].as_str().unwrap().is_empty() && !problem["detail"].as_str().unwrap().is_empty()
        );
        for error in problem["errors"].as_array().unwrap() {
            for field in ["pointer", "code", "reason", "remedy"] {
                assert!(error[field].is_string(), "{error}");
            }
        }
        problem
    }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            break;
        }
        whole.extend_from_slice(&bytes[end + 2..end + 2 + size]);
        bytes = &bytes[end + 4 + size..];
    }
    whole
}
