//! Alerting against a real nats-server and a log, with a stand-in for ingestion that records what it is asked.
#![expect(clippy::unwrap_used, reason = "the helpers of these tests are tests as well")]

use alerting::Config;
use bus::server::{PrivateServer, Role, ServerConfig, ServerUser};
use bus::{Bus, BusConfig, Endpoint, Mirror, MirrorHandle, ServiceHandle};
use event_log::{Log, Opened, Options, Writer};
use events::command::{Acceptance, Answer, Operation, Request};
use events::ids::derived_id;
use events::{
    ActorId, AlertId, Document, Event, EventData, EventId, LineValue, Period, PlanAdopted, PlanId, Position,
    ReportLine, ReportSubmitted, Resolution, Rule, TargetChanged, Timestamp,
};
use indicators::{AlertFact, Facts};
use plan::Plan;
use service::{HealthReport, JournalSource, Metrics, Running as _};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

/// How long a condition may take on a busy machine; reached only by a failing test.
const PATIENCE: Duration = Duration::from_secs(60);
const GRACE: Duration = Duration::from_secs(5);

fn plan() -> Plan {
    plan::file::read("binh-duong.toml", include_str!("../../../deploy/plans/binh-duong.toml")).unwrap()
}

/// The one writer, as far as alerting sees it.
struct Recorder {
    plan: Plan,
    log: Log,
    inside: Mutex<Inside>,
}

struct Inside {
    writer: Writer,
    facts: Facts,
    /// How often each transition was asked for.
    asked: BTreeMap<(AlertId, &'static str), u32>,
}

impl Recorder {
    fn append(&self, inside: &mut Inside, events: Vec<Event>) -> Position {
        let recorded = inside.writer.append(vec![events], Timestamp::now()).unwrap();
        for recorded in recorded.into_iter().flatten() {
            inside.facts.apply(&recorded).unwrap();
        }
        inside.facts.head()
    }

    fn record(&self, effective: Timestamp, data: Vec<EventData>) -> Position {
        let mut inside = self.inside.lock().unwrap();
        let head = inside.facts.head();
        let events = (0..).zip(data).map(|(offset, data): (u64, _)| {
            self.event(derived_id(&["test", &(head.0 + offset).to_string()]), effective, data)
        });
        let events = events.collect();
        self.append(&mut inside, events)
    }

    fn event(&self, id: EventId, effective: Timestamp, data: EventData) -> Event {
        let actor = ActorId::parse("tester").unwrap();
        Event { id, plan: self.plan.id.clone(), effective, actor, traceparent: None, data }
    }

    fn adopt(&self) {
        let mut data = vec![EventData::PlanAdopted(PlanAdopted {
            plan: self.plan.canonical(),
            digest: self.plan.digest(),
            sample: false,
        })];
        for indicator in &self.plan.indicators {
            data.extend(indicator.targets.iter().map(|target| {
                EventData::TargetChanged(TargetChanged {
                    indicator: indicator.id.clone(),
                    unit: None,
                    review: target.review,
                    value: target.value,
                    mark: target.mark,
                    revision: 1,
                    effective: self.plan.adopted,
                    instrument: self.plan.instrument.clone(),
                    reason: None,
                    request_digest: None,
                })
            }));
        }
        self.record(self.plan.calendar.start_of_day(self.plan.adopted), data);
    }

    fn report(&self, unit: &str, period: i16, percent: u64) {
        let date = events::Date::new(period, 11, 20).unwrap();
        let report = ReportSubmitted {
            unit: unit.parse().unwrap(),
            period: Period(period),
            revision: 1,
            document: Document { number: "1/BC".into(), date },
            lines: vec![ReportLine {
                measure: "life-skills".parse().unwrap(),
                value: LineValue::Rate { numerator: percent, denominator: 100 },
                source: None,
            }],
            history: Some("it is a test".into()),
            request_digest: None,
        };
        self.record(self.plan.calendar.start_of_day(date), vec![EventData::ReportSubmitted(report)]);
    }

    /// Records a transition, or answers as the first time.
    fn answer(&self, request: &Request) -> Answer {
        assert_eq!(request.actor.as_str(), alerting::ACTOR);
        let (alert, transition, data) = match request.operation {
            Operation::RaiseAlert => {
                let data: events::AlertRaised = serde_json::from_str(&request.body).unwrap();
                (data.alert, "raised", EventData::AlertRaised(data))
            }
            Operation::ResolveAlert => {
                let data: events::AlertResolved = serde_json::from_str(&request.body).unwrap();
                (data.alert, "resolved", EventData::AlertResolved(data))
            }
            other => panic!("alerting asked for `{other}`"),
        };
        let mut inside = self.inside.lock().unwrap();
        *inside.asked.entry((alert, transition)).or_default() += 1;
        let id = derived_id(&["transition", &alert.to_string(), transition]);
        let before = inside.facts.alert(&alert).and_then(|fact| match transition {
            "raised" => Some(fact.position),
            _ => fact.resolved.as_ref().map(|resolved| resolved.position),
        });
        let position = before.unwrap_or_else(|| {
            let event = self.event(id, Timestamp::now(), data);
            self.append(&mut inside, vec![event])
        });
        let recorded_at = self.plan.calendar.shown(Timestamp::now());
        Answer::Recorded(vec![Acceptance { event: id, position, revision: 1, recorded_at, receipt: None }])
    }

    /// Waits until the alert of a rule is as wanted, and gives it.
    async fn until(&self, what: &str, wanted: impl Fn(&AlertFact) -> bool) -> AlertFact {
        let mut head = self.log.watch();
        let found = async {
            loop {
                head.borrow_and_update();
                if let Some(alert) = self.inside.lock().unwrap().facts.alerts().find(|alert| wanted(alert)) {
                    return alert.clone();
                }
                head.changed().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("{what} within {PATIENCE:?}"))
    }
}

struct World {
    recorder: Arc<Recorder>,
    server: PrivateServer,
    home: TempDir,
    _served: ServiceHandle,
    _mirror: MirrorHandle,
}

impl World {
    async fn start() -> Option<World> {
        let binary = bus::testing::nats_server()?;
        let home = tempfile::tempdir().unwrap();
        let users = Role::SERVICES.into_iter().map(|role| ServerUser { role, password: password(role) });
        let users = users.collect();
        let config = ServerConfig { store_dir: home.path().join("nats"), port: 0, users };
        let server = PrivateServer::start(binary, config).await.unwrap();
        let plan = plan();
        let Opened { log, writer, .. } =
            event_log::open(&home.path().join("ingestion"), &plan.id, Options::default()).unwrap();
        let inside = Mutex::new(Inside { writer, facts: Facts::new(), asked: BTreeMap::new() });
        let recorder = Arc::new(Recorder { plan: plan.clone(), log: log.clone(), inside });
        recorder.adopt();

        let bus = Bus::connect(&bus_config(&server, Role::Ingestion)).await.unwrap();
        let source = Arc::new(JournalSource::new(log));
        let mirror = Mirror::start(&bus, &plan.id, source.clone(), 1);
        let answering = Arc::clone(&recorder);
        let submit = Endpoint::new("submit", 8, move |context| {
            let recorder = Arc::clone(&answering);
            async move {
                let request = serde_json::from_slice(&context.payload).unwrap();
                let answer = tokio::task::spawn_blocking(move || recorder.answer(&request)).await.unwrap();
                Ok(serde_json::to_vec(&answer).unwrap().into())
            }
        });
        let endpoints = vec![submit, bus::log_read_endpoint(source)];
        let served = bus.serve(&plan.id, "ingestion", "0.1.0", endpoints).await.unwrap();
        Some(World { recorder, server, home, _served: served, _mirror: mirror })
    }

    async fn alerting(&self) -> alerting::Running {
        let config = Config {
            plan: self.plan_id(),
            data: self.home.path().join("alerting"),
            bus: bus_config(&self.server, Role::Alerting),
        };
        alerting::start(config, Metrics::detached()).await.unwrap()
    }

    fn plan_id(&self) -> PlanId {
        self.recorder.plan.id.clone()
    }

    async fn health(&self) -> HealthReport {
        let bus = Bus::connect(&bus_config(&self.server, Role::Console)).await.unwrap();
        let answer = bus.request(&self.plan_id(), "alerting", "health", "".into(), GRACE).await.unwrap();
        serde_json::from_slice(&answer).unwrap()
    }
}

fn password(role: Role) -> String {
    format!("password-of-{:0>20}", role.user())
}

fn bus_config(server: &PrivateServer, role: Role) -> BusConfig {
    BusConfig {
        url: server.url(),
        user: role.user().to_owned(),
        password: password(role),
        name: format!("test-{}", role.user()),
    }
}

fn is_overdue_of(unit: &str) -> impl Fn(&AlertFact) -> bool + '_ {
    move |alert| {
        alert.rule == Rule::Overdue && alert.unit.as_str() == unit && alert.period == Some(Period(2022))
    }
}

fn is_resolved(alert: &AlertFact, resolution: Resolution) -> bool {
    alert.resolved.as_ref().is_some_and(|resolved| resolved.resolution == resolution)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_decided_is_recorded_once_through_restarts_and_a_lost_copy() {
    let Some(world) = World::start().await else { return };
    let recorder = &world.recorder;

    // Nobody has reported for 2022, whose deadline is long past.
    let running = world.alerting().await;
    recorder.until("di-an is overdue", is_overdue_of("di-an")).await;
    recorder.report("di-an", 2022, 34);
    recorder
        .until("the late report ends it", |alert| {
            is_overdue_of("di-an")(alert) && is_resolved(alert, Resolution::Recovered)
        })
        .await;
    // 33 % in 2021 and 34 % in 2022: 1 of the 4.25 points that the path expects.
    recorder.report("di-an", 2021, 33);
    recorder
        .until("di-an is behind", |alert| alert.rule == Rule::Behind && alert.unit.as_str() == "di-an")
        .await;
    assert!(world.health().await.ok);
    running.stop(GRACE).await;

    // Once with the copy that is there, once with none.
    for (unit, keep_copy) in [("tan-uyen", true), ("phu-giao", false)] {
        if !keep_copy {
            std::fs::remove_dir_all(world.home.path().join("alerting")).unwrap();
        }
        recorder.report(unit, 2022, 30);
        let running = world.alerting().await;
        recorder
            .until("a report that came meanwhile is met", |alert| {
                is_overdue_of(unit)(alert) && is_resolved(alert, Resolution::Recovered)
            })
            .await;
        running.stop(GRACE).await;
    }

    let inside = recorder.inside.lock().unwrap();
    let twice: Vec<_> = inside.asked.iter().filter(|(_, times)| **times > 1).collect();
    assert!(twice.is_empty(), "asked for more than once: {twice:?}");
    assert!(inside.facts.parked().is_empty());
    let overdue = inside.facts.alerts().filter(|alert| is_overdue_of("di-an")(alert)).count();
    assert_eq!(overdue, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_costs_no_alert_and_doubles_none() {
    let Some(mut world) = World::start().await else { return };
    let recorder = Arc::clone(&world.recorder);
    let running = world.alerting().await;
    recorder.until("ben-cat is overdue", is_overdue_of("ben-cat")).await;
    world.server.kill().await.unwrap();
    recorder.report("ben-cat", 2022, 30);
    world.server.restart().await.unwrap();
    recorder
        .until("the report that came meanwhile is met", |alert| {
            is_overdue_of("ben-cat")(alert) && is_resolved(alert, Resolution::Recovered)
        })
        .await;
    running.stop(GRACE).await;
    let inside = recorder.inside.lock().unwrap();
    assert!(inside.facts.parked().is_empty(), "no alert was raised twice");
    assert_eq!(inside.facts.alerts().filter(|alert| is_overdue_of("ben-cat")(alert)).count(), 1);
}
