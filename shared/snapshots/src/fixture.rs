//! What the tests tell: the plan of the repository, adopted, and reports of Dĩ An.

use event_log::{Log, Opened, Options};
use events::{
    ActorId, Document, Event, EventData, LineValue, MeasureId, Period, PlanAdopted, Position, ReportLine,
    ReportSubmitted, UnitId,
};
use indicators::Facts;
use plan::Plan;
use std::path::Path;

fn plan() -> Plan {
    let text = include_str!("../../../deploy/plans/binh-duong.toml");
    plan::file::read("binh-duong.toml", text).unwrap()
}

fn event(plan: &Plan, name: &str, data: EventData) -> Event {
    Event {
        id: events::ids::derived_id(&["snapshots-test", name]),
        plan: plan.id.clone(),
        effective: plan.calendar.start_of_day("2024-11-20".parse().unwrap()),
        actor: ActorId::parse("tester").unwrap(),
        traceparent: None,
        data,
    }
}

/// A report of life skills in hundredths; its id and its size do not depend on the figure.
fn report(plan: &Plan, revision: u32, numerator: u64) -> Event {
    let data = ReportSubmitted {
        unit: UnitId::parse("di-an").unwrap(),
        period: Period(2024),
        revision,
        document: Document { number: "215/BC-UBND".into(), date: "2024-11-20".parse().unwrap() },
        lines: vec![ReportLine {
            measure: MeasureId::parse("life-skills").unwrap(),
            value: LineValue::Rate { numerator, denominator: 100 },
            source: None,
        }],
        history: None,
        request_digest: None,
    };
    event(plan, &format!("report {revision}"), EventData::ReportSubmitted(data))
}

/// A log of the plan at position 1 and a report for each figure, all recorded at `now`.
pub(crate) fn log_of(directory: &Path, figures: &[u64], now: &str) -> Opened {
    let plan = plan();
    let mut opened = event_log::open(&directory.join("log"), &plan.id, Options::default()).unwrap();
    let data = PlanAdopted { plan: plan.canonical(), digest: plan.digest(), sample: true };
    let mut events = vec![event(&plan, "plan", EventData::PlanAdopted(data))];
    events.extend(figures.iter().zip(1..).map(|(figure, revision)| report(&plan, revision, *figure)));
    for commit in events.chunks(512) {
        opened.writer.append(vec![commit.to_vec()], now.parse().unwrap()).unwrap();
    }
    opened
}

/// When nothing else is meant.
pub(crate) const NOW: &str = "2024-11-20T02:00:00Z";

/// The facts that a log's events fold to, one after the other, handed out after each: the oracle.
pub(crate) fn plain_fold(log: &Log, mut after_each: impl FnMut(&Facts)) -> Facts {
    let mut facts = Facts::new();
    for stored in log.scan(Position(1)) {
        facts.apply_bytes(&stored.unwrap().bytes).unwrap();
        after_each(&facts);
    }
    facts
}
