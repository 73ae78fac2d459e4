//! What the tests tell: the plan of the repository, adopted, and reports of its districts.

use events::{
    ActorId, Date, DeadlineExtended, Document, Event, EventData, KeyChange, KeyValue, LineValue, MeasureId,
    Period, PlanAdopted, PlanAmended, Position, Recorded, ReportLine, ReportSubmitted, TargetChanged,
    Timestamp, UnitChange, UnitChanged, UnitId, UnitName,
};
use indicators::Facts;
use plan::Plan;

pub(crate) fn plan() -> Plan {
    let text = include_str!("../../../deploy/plans/binh-duong.toml");
    plan::file::read("binh-duong.toml", text).expect("the plan file of the repository is right")
}

pub(crate) fn instant(text: &str) -> Timestamp {
    text.parse().expect("the tests write instants as RFC 3339")
}

fn event(plan: &Plan, name: &str, effective: &str, data: EventData) -> Event {
    let date = effective.parse().expect("the tests write dates as YYYY-MM-DD");
    Event {
        id: events::ids::derived_id(&["projection-test", name]),
        plan: plan.id.clone(),
        effective: plan.calendar.start_of_day(date),
        actor: ActorId::parse("tester").expect("a slug"),
        traceparent: None,
        data,
    }
}

/// The adoption and its targets.
pub(crate) fn adoption(plan: &Plan) -> Vec<Event> {
    let data = PlanAdopted { plan: plan.canonical(), digest: plan.digest(), sample: true };
    let mut events = vec![event(plan, "plan", "2022-03-16", EventData::PlanAdopted(data))];
    for of in &plan.indicators {
        for target in &of.targets {
            let data = TargetChanged {
                indicator: of.id.clone(),
                unit: None,
                review: target.review,
                value: target.value,
                mark: target.mark,
                revision: 1,
                effective: plan.adopted,
                instrument: plan.instrument.clone(),
                reason: None,
                request_digest: None,
            };
            let name = format!("{} {}", of.id, target.review);
            events.push(event(plan, &name, "2022-03-16", EventData::TargetChanged(data)));
        }
    }
    events
}

/// A first report of life skills in hundredths.
pub(crate) fn report(plan: &Plan, unit: &str, period: i16, numerator: u64) -> Event {
    revision(plan, unit, period, numerator, 1)
}

/// A report or a correction of life skills in hundredths.
pub(crate) fn revision(plan: &Plan, unit: &str, period: i16, numerator: u64, revision: u32) -> Event {
    let date = format!("{period}-11-20");
    let data = ReportSubmitted {
        unit: UnitId::parse(unit).expect("a slug"),
        period: Period(period),
        revision,
        document: Document { number: "215/BC-UBND".into(), date: date.parse().expect("a date") },
        lines: vec![ReportLine {
            measure: MeasureId::parse("life-skills").expect("a slug"),
            value: LineValue::Rate { numerator, denominator: 100 },
            source: None,
        }],
        history: None,
        request_digest: None,
    };
    event(plan, &format!("report {unit} {period} {revision}"), &date, EventData::ReportSubmitted(data))
}

pub(crate) fn dissolve(plan: &Plan, unit: &str, effective: &str) -> Event {
    change(plan, unit, UnitChange::Dissolve, effective)
}

pub(crate) fn establish(plan: &Plan, unit: &str, effective: &str) -> Event {
    let change = UnitChange::Establish {
        name: UnitName { vi: "Phường".into(), en: "Ward".into() },
        unit_type: "ward".into(),
        code: "25760".into(),
        parent: None,
    };
    self::change(plan, unit, change, effective)
}

fn change(plan: &Plan, unit: &str, change: UnitChange, effective: &str) -> Event {
    let data = UnitChanged {
        unit: UnitId::parse(unit).expect("a slug"),
        change,
        revision: 1,
        effective: effective.parse().expect("a date"),
        instrument: "202/2025/QH15".into(),
        reason: None,
        request_digest: None,
    };
    event(plan, &format!("change {unit}"), effective, EventData::UnitChanged(data))
}

/// On track from 0.90 on, and the reports of 2025 due before 16 December, both from 1 August 2025 on.
pub(crate) fn plan_changes(plan: &Plan) -> Vec<Event> {
    let effective: Date = "2025-08-01".parse().expect("a date");
    let amended = PlanAmended {
        changes: vec![KeyChange { key: "thresholds.on_track".into(), value: KeyValue::Text("0.90".into()) }],
        revision: 1,
        effective,
        instrument: "5012/QĐ-UBND".into(),
        reason: None,
        request_digest: None,
    };
    let extended = DeadlineExtended {
        period: Period(2025),
        unit: None,
        due_before: "2025-12-16".parse().expect("a date"),
        revision: 1,
        effective,
        instrument: "4711/UBND-VX".into(),
        reason: None,
        request_digest: None,
    };
    vec![
        event(plan, "amended", "2025-08-01", EventData::PlanAmended(amended)),
        event(plan, "extended", "2025-08-01", EventData::DeadlineExtended(extended)),
    ]
}

/// Folds events that were recorded together.
pub(crate) fn fold(facts: &mut Facts, events: Vec<Event>, recorded_at: &str) {
    for event in events {
        let position: Position = facts.head().next();
        let recorded = Recorded { position, recorded_at: instant(recorded_at), event };
        facts.apply(&recorded).expect("the positions follow each other");
    }
}

/// The plan adopted in March 2022, Dĩ An's life skills at 20 % for 2022 and 45 % for 2024, Bàu Bàng dissolved
/// from July 2025.
pub(crate) fn facts() -> Facts {
    let plan = plan();
    let mut facts = Facts::new();
    fold(&mut facts, adoption(&plan), "2022-03-16T02:00:00Z");
    fold(&mut facts, vec![report(&plan, "di-an", 2022, 20)], "2022-11-20T02:00:00Z");
    fold(&mut facts, vec![report(&plan, "di-an", 2024, 45)], "2024-11-20T02:00:00Z");
    fold(&mut facts, vec![dissolve(&plan, "bau-bang", "2025-07-01")], "2025-06-20T02:00:00Z");
    facts
}
