//! What the tests share: a real nats-server, a log and a copy in memory, events to put in them.

use bus::server::{PrivateServer, Role, ServerConfig, ServerUser};
use bus::{
    Bus, BusConfig, CopySink, FollowerHandle, FollowerState, LogSource, LogSourceError, MirrorHandle,
    MirrorState, SinkError, StoredEvent,
};
use events::event::{Event, EventData, Recorded};
use events::ids::derived_id;
use events::{ActorId, EventId, PlanId, Position, Timestamp, wire};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::timeout;

/// How long a condition may take on a busy machine; reached only by a failing test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn plan() -> PlanId {
    PlanId::parse("binh-duong").unwrap()
}

/// A server of its own for one test.
pub(crate) struct World {
    pub(crate) server: PrivateServer,
    _home: TempDir,
}

impl World {
    pub(crate) async fn start() -> Option<World> {
        let binary = bus::testing::nats_server()?;
        let home = tempfile::tempdir().unwrap();
        let roles = Role::SERVICES.into_iter().chain([Role::Admin]);
        let users = roles.map(|role| ServerUser { role, password: password(role) }).collect();
        let config = ServerConfig { store_dir: home.path().join("nats"), port: 0, users };
        let server = PrivateServer::start(binary, config).await.unwrap();
        Some(World { server, _home: home })
    }

    pub(crate) async fn bus(&self, role: Role) -> Bus {
        Bus::connect(&self.config(role)).await.unwrap()
    }

    pub(crate) fn config(&self, role: Role) -> BusConfig {
        BusConfig {
            url: self.server.url(),
            user: role.user().to_owned(),
            password: password(role),
            name: format!("test-{}", role.user()),
        }
    }

    /// A plain client, to do what this crate does not let anyone do.
    pub(crate) async fn client(&self, role: Role) -> async_nats::Client {
        async_nats::ConnectOptions::with_user_and_password(role.user().to_owned(), password(role))
            .custom_inbox_prefix(format!("_INBOX_{}", role.user()))
            .connect(self.server.url())
            .await
            .unwrap()
    }

    pub(crate) async fn delete_stream(&self) {
        let jetstream = async_nats::jetstream::new(self.client(Role::Admin).await);
        jetstream.delete_stream(bus::names::stream(&plan())).await.unwrap();
    }
}

fn password(role: Role) -> String {
    format!("password-of-{:0>20}", role.user())
}

/// The event at a position; another note makes another event.
pub(crate) fn event(position: u64, note: &str) -> StoredEvent {
    let id: EventId = derived_id(&["bus-test", &position.to_string(), note]);
    let data = serde_json::json!({"alert": id, "unit": "di-an", "note": note});
    let event = Event {
        id,
        plan: plan(),
        effective: Timestamp::UNIX_EPOCH,
        actor: ActorId::parse("tester").unwrap(),
        traceparent: None,
        data: EventData::AlertAcknowledged(serde_json::from_value(data).unwrap()),
    };
    let recorded = Recorded { position: Position(position), recorded_at: Timestamp::UNIX_EPOCH, event };
    StoredEvent { position: Position(position), id, bytes: wire::write(&recorded).unwrap().into() }
}

/// A log in memory.
pub(crate) struct MemoryLog {
    events: Mutex<Vec<StoredEvent>>,
    head: watch::Sender<Position>,
}

impl MemoryLog {
    pub(crate) fn new() -> Arc<MemoryLog> {
        Arc::new(MemoryLog { events: Mutex::default(), head: watch::channel(Position::START).0 })
    }

    pub(crate) fn with(count: u64) -> Arc<MemoryLog> {
        let log = MemoryLog::new();
        log.grow(count, "first");
        log
    }

    pub(crate) fn grow(&self, count: u64, note: &str) {
        let mut events = self.events.lock().unwrap();
        for _ in 0..count {
            let position = events.len() as u64 + 1;
            events.push(event(position, note));
        }
        self.head.send_replace(Position(events.len() as u64));
    }

    pub(crate) fn all(&self) -> Vec<StoredEvent> {
        self.events.lock().unwrap().clone()
    }
}

impl LogSource for MemoryLog {
    fn head(&self) -> Position {
        *self.head.borrow()
    }

    fn watch(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    fn read(&self, from: Position, events: usize, _: usize) -> Result<Vec<StoredEvent>, LogSourceError> {
        let start = usize::try_from(from.0 - 1).unwrap();
        Ok(self.events.lock().unwrap().iter().skip(start).take(events).cloned().collect())
    }
}

/// A copy in memory that outlives its follower.
#[derive(Clone, Default)]
pub(crate) struct MemoryCopy(pub(crate) Arc<Mutex<Vec<StoredEvent>>>);

impl MemoryCopy {
    pub(crate) fn all(&self) -> Vec<StoredEvent> {
        self.0.lock().unwrap().clone()
    }
}

impl CopySink for MemoryCopy {
    fn head(&self) -> Position {
        Position(self.0.lock().unwrap().len() as u64)
    }

    fn append(&mut self, events: Vec<StoredEvent>) -> Result<Position, SinkError> {
        let mut copy = self.0.lock().unwrap();
        for event in events {
            assert_eq!(event.position.0, copy.len() as u64 + 1, "appends are contiguous");
            copy.push(event);
        }
        Ok(Position(copy.len() as u64))
    }

    fn holds(&self, event: &StoredEvent) -> Result<bool, SinkError> {
        let copy = self.0.lock().unwrap();
        Ok(copy.get(usize::try_from(event.position.0 - 1).unwrap()) == Some(event))
    }
}

pub(crate) async fn mirrored(mirror: &MirrorHandle, position: u64) {
    let state = mirror.state();
    reached(state, |state| matches!(state, MirrorState::Following { mirrored } if mirrored.0 >= position))
        .await;
}

pub(crate) async fn followed(follower: &FollowerHandle, position: u64) {
    let state = follower.state();
    reached(state, |state| {
        assert!(!matches!(state, FollowerState::Stopped { .. }), "{state:?}");
        matches!(state, FollowerState::Following { position: head } if head.0 >= position)
    })
    .await;
}

/// Waits until a state is reached; tells the last one when it is not.
pub(crate) async fn reached<T: Clone + std::fmt::Debug>(
    mut state: watch::Receiver<T>,
    condition: impl FnMut(&T) -> bool,
) -> T {
    let outcome = timeout(PATIENCE, state.wait_for(condition)).await.map(|reached| reached.unwrap().clone());
    match outcome {
        Ok(reached) => reached,
        Err(_) => panic!("not reached; the last state was {:?}", *state.borrow()),
    }
}
