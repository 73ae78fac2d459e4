//! Projection with a real nats-server: an ingestion's log is mirrored, projection follows and answers.

use super::*;
use crate::fixture;
use ::service::{HealthReport, JournalSource, Running as _};
use bus::server::{PrivateServer, Role, ServerConfig, ServerUser};
use bus::{Mirror, MirrorHandle, RequestError};
use event_log::{Opened, Options};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long a condition may take on a busy machine; reached only by a failing test.
const PATIENCE: Duration = Duration::from_secs(30);

struct World {
    server: PrivateServer,
    home: TempDir,
    source: Opened,
    mirror: MirrorHandle,
    asking: Bus,
}

fn password(role: Role) -> String {
    format!("password-of-{:0>20}", role.user())
}

impl World {
    /// A server, a log that holds the plan, and its mirror. None where no server is to be had.
    async fn start() -> Option<World> {
        let binary = bus::testing::nats_server()?;
        let home = tempfile::tempdir().unwrap();
        let users = Role::SERVICES.map(|role| ServerUser { role, password: password(role) }).into();
        let config = ServerConfig { store_dir: home.path().join("nats"), port: 0, users };
        let server = PrivateServer::start(binary, config).await.unwrap();
        let plan = fixture::plan();
        let mut source = event_log::open(&home.path().join("source"), &plan.id, Options::default()).unwrap();
        let adopted = fixture::instant("2022-03-16T02:00:00Z");
        source.writer.append(vec![fixture::adoption(&plan)], adopted).unwrap();
        let ingestion = Bus::connect(&config_of(&server, Role::Ingestion)).await.unwrap();
        let journal = Arc::new(JournalSource::new(source.log.clone()));
        let mirror = Mirror::start(&ingestion, &plan.id, journal, 1);
        let asking = Bus::connect(&config_of(&server, Role::Console)).await.unwrap();
        Some(World { server, home, source, mirror, asking })
    }

    async fn projection(&self) -> Running {
        let config = Config {
            plan: fixture::plan().id,
            data: self.home.path().join("projection"),
            snapshot_every: SNAPSHOT_EVERY,
            bus: config_of(&self.server, Role::Projection),
        };
        start(config, Metrics::detached()).await.unwrap()
    }

    async fn ask(&self, endpoint: &str, question: Value) -> Value {
        let plan = fixture::plan().id;
        let payload: bytes::Bytes = question.to_string().into_bytes().into();
        let asked = async {
            loop {
                match self.asking.request(&plan, NAME, endpoint, payload.clone(), PATIENCE).await {
                    // What a service has just offered reaches the server on a connection of its own.
                    Err(RequestError::NoResponders { .. }) => tokio::task::yield_now().await,
                    reply => return reply.unwrap(),
                }
            }
        };
        let reply = tokio::time::timeout(PATIENCE, asked).await.unwrap();
        serde_json::from_slice(&reply).unwrap()
    }

    /// Asks again while the position is not reached in the time that one question waits.
    async fn ask_at_least(&self, endpoint: &str, question: Value) -> Value {
        tokio::time::timeout(PATIENCE, async {
            loop {
                let reply = self.ask(endpoint, question.clone()).await;
                if reply.get("timeout").is_none() && reply["refused"]["kind"] != "unavailable" {
                    return reply;
                }
            }
        })
        .await
        .unwrap()
    }
}

fn config_of(server: &PrivateServer, role: Role) -> BusConfig {
    let user = role.user().to_owned();
    BusConfig { url: server.url(), name: format!("test-{user}"), user, password: password(role) }
}

#[tokio::test(flavor = "multi_thread")]
async fn projection_follows_answers_and_comes_back_with_the_same_digest() {
    let Some(mut world) = World::start().await else { return };
    let projection = world.projection().await;
    assert!(world.ask("position", json!({})).await["ok"]["position"].is_u64(), "with or without a plan");
    let adopted = world.ask_at_least("status", json!({"at_least": 32})).await;
    assert_eq!(adopted["ok"]["position"], 32);
    assert_eq!(adopted["ok"]["cells"].as_array().unwrap().len(), 125);

    let report = fixture::report(&fixture::plan(), "di-an", 2024, 55);
    world.source.writer.append(vec![vec![report]], fixture::instant("2024-11-20T02:00:00Z")).unwrap();
    let question = json!({"unit": "di-an", "indicator": "life-skills", "at_least": "33"});
    let status = world.ask_at_least("status", question.clone()).await;
    assert_eq!(status["ok"]["cells"][0]["value"]["percent"], "55.00");
    let digest = status["ok"]["digest"].clone();
    assert_eq!(world.ask("digest", json!({"position": 33})).await["ok"]["digest"], digest);
    assert_eq!(world.ask("position", json!({})).await, json!({"ok": {"position": 33}}));
    let asked_for_more = world.ask("position", json!({"unit": "di-an"})).await;
    assert_eq!(asked_for_more["refused"]["errors"][0]["code"], "unknown-parameter");
    assert_eq!(asked_for_more["refused"]["errors"][0]["remedy"], "ask without any");

    let earlier = world.ask("status", json!({"unit": "di-an", "known_at": "2024-11-19"})).await;
    assert_eq!(earlier["ok"]["position"], 32);
    assert_eq!(earlier["ok"]["digest"], adopted["ok"]["digest"]);

    assert_eq!(world.ask("alerts", json!({"state": "firing"})).await["ok"]["alerts"], json!([]));
    assert_eq!(world.ask("matrix", json!({})).await["ok"]["units"].as_array().unwrap().len(), 10);
    let series = world.ask("series", json!({"unit": "di-an"})).await;
    assert_eq!(series["refused"]["errors"][0]["pointer"], "?indicator");
    let explained = world.ask("explain", json!({"unit": "di-an", "indicator": "life-skills"})).await;
    assert_eq!(explained["ok"]["cell"]["value"]["percent"], "55.00");
    let paper = &explained["ok"]["sources"].as_array().unwrap().last().unwrap()["document"];
    assert_eq!(paper, &json!({"number": "215/BC-UBND", "date": "2024-11-20"}), "the log tells the number");
    let vietnamese = explained["ok"]["steps"][1]["vi"].as_str().unwrap();
    assert_eq!(
        vietnamese,
        "Kỳ 2024 (giá trị): 55/100 = 55,00 % (báo cáo 215/BC-UBND ngày 2024-11-20, lần 1, vị trí 33)."
    );
    let before_the_plan = json!({"unit": "di-an", "indicator": "life-skills", "known_at": "2022-01-01"});
    assert_eq!(world.ask("explain", before_the_plan).await["refused"]["kind"], "not-found");
    let changed = world.ask("diff", json!({"from_position": 32, "as_of": "2024-12-31"})).await;
    let cells = changed["ok"]["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 2, "the district's and the province's: {changed}");
    assert_eq!(cells[1]["after"]["value"]["percent"], "55.00");
    assert_eq!(changed["ok"]["sources"][0]["document"]["number"], "215/BC-UBND");
    assert_eq!(
        (&changed["ok"]["from"]["position"], &changed["ok"]["to"]["position"]),
        (&json!(32), &json!(33))
    );
    let reversed = world.ask("diff", json!({"from": "2024-12-01", "to": "2024-11-01"})).await;
    assert_eq!(reversed["refused"]["errors"][0]["pointer"], "?from");
    assert_eq!(reversed["refused"]["errors"][0]["code"], "reversed-interval");
    let reversed = world.ask("diff", json!({"from_position": 33, "to_position": 32})).await;
    assert_eq!(reversed["refused"]["errors"][0]["pointer"], "?from_position");
    for (list, question, count) in [
        ("findings", json!({"as_of": "2024-12-31"}), 0),
        ("units", json!({"as_of": "2024-12-31"}), 10),
        ("targets", json!({"as_of": "2024-12-31", "limit": 5}), 5),
        ("baselines", json!({"known_at": "2024-12-31"}), 1),
        ("baselines", json!({"known_at": "2024-11-19"}), 0),
    ] {
        let listed = world.ask(list, question.clone()).await;
        assert_eq!(listed["ok"]["items"].as_array().unwrap().len(), count, "{list} {question}");
        assert_eq!(listed["ok"]["next"].is_string(), list == "targets", "{list}");
    }
    let late = world.ask("status", json!({"at_least": 34})).await;
    assert_eq!(late["timeout"], json!({"position": 33, "asked": 34}));

    let health: HealthReport = serde_json::from_value(world.ask("health", json!({})).await).unwrap();
    assert!(health.ok, "{health:?}");
    let metrics = world.ask("metrics", json!({})).await;
    assert!(metrics["text"].is_string());

    projection.stop(PATIENCE).await;
    let restarted = world.projection().await;
    let again = world.ask_at_least("status", question).await;
    assert_eq!(again["ok"]["digest"], digest);
    restarted.stop(PATIENCE).await;

    // Without its copy and its snapshots it comes back from the stream.
    std::fs::remove_dir_all(world.home.path().join("projection")).unwrap();
    let anew = world.projection().await;
    let again = world.ask_at_least("digest", json!({"position": 33})).await;
    assert_eq!(again["ok"]["digest"], digest);
    anew.stop(PATIENCE).await;
    world.mirror.stop(PATIENCE).await;
}
