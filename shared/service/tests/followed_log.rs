//! A followed log against a real nats-server: everything arrives as recorded, and a restart goes on from the copy.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use bus::server::{PrivateServer, Role, ServerConfig, ServerUser};
use bus::{Bus, BusConfig, Mirror};
use event_log::{Opened, Options, Writer};
use events::{
    ActorId, Event, EventData, Mark, Percent, PlanId, Position, Review, TargetChanged, TargetValue,
    Timestamp, ids,
};
use service::{FollowedLog, Health, HealthReport, JournalSource, Metrics, health_endpoint, metrics_endpoint};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);
const GRACE: Duration = Duration::from_secs(5);

fn plan() -> PlanId {
    PlanId::parse("binh-duong").unwrap()
}

fn event(number: u32) -> Event {
    let instant: Timestamp = "2024-03-01T00:00:00Z".parse().unwrap();
    Event {
        id: ids::derived_id(&["followed-log", &number.to_string()]),
        plan: plan(),
        effective: instant,
        actor: ActorId::parse("operator-test").unwrap(),
        traceparent: None,
        data: EventData::TargetChanged(TargetChanged {
            indicator: "life-skills".parse().unwrap(),
            unit: None,
            review: Review(2025),
            value: TargetValue::Percent(Percent::parse("55").unwrap()),
            mark: Mark::Attain,
            revision: number,
            effective: "2024-03-01".parse().unwrap(),
            instrument: "1144/KH-UBND".into(),
            reason: None,
            request_digest: None,
        }),
    }
}

fn append(writer: &mut Writer, numbers: std::ops::Range<u32>) {
    let now = Timestamp::now();
    for number in numbers {
        writer.append(vec![vec![event(number)]], now).unwrap();
    }
}

async fn server(folder: PathBuf) -> Option<(PrivateServer, impl Fn(Role) -> BusConfig)> {
    let binary = bus::testing::nats_server()?;
    let password = |role: Role| format!("{}-0123456789abcdef", role.user());
    let users = Role::SERVICES.map(|role| ServerUser { role, password: password(role) }).to_vec();
    let server =
        PrivateServer::start(binary, ServerConfig { store_dir: folder, port: 0, users }).await.unwrap();
    let url = server.url();
    let access = move |role: Role| BusConfig {
        url: url.clone(),
        user: role.user().into(),
        password: password(role),
        name: role.user().into(),
    };
    Some((server, access))
}

async fn until_head(followed: &FollowedLog, head: Position) {
    let mut watch = followed.log.watch();
    let reached = watch.wait_for(|position| *position >= head);
    tokio::time::timeout(PATIENCE, reached).await.expect("the copy reaches the head").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_follows_over_restarts_and_its_health_is_told_on_the_bus() {
    let folder = tempfile::tempdir().unwrap();
    let Some((_server, access)) = server(folder.path().join("nats")).await else { return };
    let Opened { log, mut writer, .. } =
        event_log::open(&folder.path().join("log"), &plan(), Options::default()).unwrap();
    let ingestion = Bus::connect(&access(Role::Ingestion)).await.unwrap();
    let mirror = Mirror::start(&ingestion, &plan(), Arc::new(JournalSource::new(log.clone())), 1);
    append(&mut writer, 1..41);

    let projection = Bus::connect(&access(Role::Projection)).await.unwrap();
    let health = Health::new("projection");
    let follow = async || {
        let copy = folder.path().join("copy");
        FollowedLog::start(&projection, &plan(), "projection", &copy, health.check("log-copy")).await.unwrap()
    };
    let followed = follow().await;
    until_head(&followed, Position(40)).await;
    followed.stop(GRACE).await;

    append(&mut writer, 41..61);
    let followed = follow().await;
    assert_eq!(followed.report.head, Position(40), "the copy goes on from where it was");
    until_head(&followed, Position(60)).await;
    for position in (1..=60).map(Position) {
        assert_eq!(followed.log.event_at(position).unwrap(), log.event_at(position).unwrap());
    }

    let metrics = Metrics::detached();
    let endpoints = vec![health_endpoint(&health), metrics_endpoint(&metrics)];
    let served = projection.serve(&plan(), "projection", "0.1.0", endpoints).await.unwrap();
    let console = Bus::connect(&access(Role::Console)).await.unwrap();
    let report = async || -> HealthReport {
        let answer = console.request(&plan(), "projection", "health", "".into(), GRACE).await.unwrap();
        serde_json::from_slice(&answer).unwrap()
    };
    let well = async { while !report().await.ok {} };
    tokio::time::timeout(PATIENCE, well).await.expect("a copy that follows is well");
    let counted = console.request(&plan(), "projection", "metrics", "".into(), GRACE).await.unwrap();
    assert!(serde_json::from_slice::<service::MetricsAnswer>(&counted).is_ok());
    served.stop(GRACE).await;
    followed.stop(GRACE).await;
    mirror.stop(GRACE).await;
}
