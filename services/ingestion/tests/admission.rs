//! Admission, given what is recorded, when something is asked, then what follows.

#![expect(clippy::unwrap_used, reason = "what a test takes for granted may fail it")]

#[path = "admission/plan_changes.rs"]
mod plan_changes;

use events::command::{Answer, Operation, Request};
use events::{ActorId, EventData, EventId, LineValue, Position, Recorded, Refusal, RefusalKind, Timestamp};
use indicators::Facts;
use ingestion::admission::{Decision, Known, ParsedRequest, Slot, admit};
use ingestion::adoption_events;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::BTreeMap;

const PLAN: &str = include_str!("../../../deploy/plans/binh-duong.toml");
const NOW: &str = "2024-11-25T09:00:00+07:00";

/// A log in memory with admission before it.
struct World {
    facts: Facts,
    recorded: BTreeMap<EventId, Recorded>,
    now: Timestamp,
    ids: Cell<u128>,
    may_enter_history: bool,
    key: Option<String>,
    /// When alerting decided, if it was another time than now.
    decided_at: Option<Timestamp>,
    dry_run: bool,
}

impl World {
    fn new() -> World {
        World::of(plan::file::read("binh-duong.toml", PLAN).expect("the plan file is right"))
    }

    fn of(plan: plan::Plan) -> World {
        let mut world = World {
            facts: Facts::new(),
            recorded: BTreeMap::new(),
            now: NOW.parse().unwrap(),
            ids: Cell::new(1),
            may_enter_history: true,
            key: None,
            decided_at: None,
            dry_run: false,
        };
        for event in adoption_events(&plan, false) {
            world.record(event);
        }
        world
    }

    fn record(&mut self, event: events::Event) -> Position {
        let position = self.facts.head().next();
        let recorded = Recorded { position, recorded_at: self.now, event };
        self.facts.apply(&recorded).unwrap();
        self.recorded.insert(recorded.event.id, recorded);
        position
    }

    fn decide(&self, operation: Operation, subject: Option<&str>, body: &str) -> Decision {
        let request = Request {
            operation,
            actor: ActorId::parse("operator-1").unwrap(),
            may_enter_history: self.may_enter_history,
            request_id: None,
            idempotency_key: self.key.clone(),
            traceparent: None,
            decided_at: Some(self.decided_at.unwrap_or(self.now)),
            dry_run: self.dry_run,
            subject: subject.map(str::to_owned),
            body: body.to_owned(),
        };
        let parsed = match ParsedRequest::read(request) {
            Ok(parsed) => parsed,
            Err(answer) => return Decision::Answer(answer),
        };
        let find = |id: &EventId| self.recorded.get(id).cloned();
        let fresh_id = || {
            self.ids.set(self.ids.get() + 1);
            EventId::from_u128(self.ids.get())
        };
        admit(&Known { facts: &self.facts, now: self.now, find: &find, fresh_id: &fresh_id }, &parsed)
    }

    /// Records what is asked, and gives the revisions it became.
    fn accept(&mut self, operation: Operation, body: &Value) -> Vec<u32> {
        match self.decide(operation, None, &body.to_string()) {
            Decision::Record(slots) => slots.into_iter().fold(Vec::new(), |mut revisions, slot| {
                revisions.push(match slot {
                    Slot::New { event, revision } => {
                        self.record(*event);
                        revision
                    }
                    Slot::Before(acceptance) => acceptance.revision,
                    Slot::Repeat(place) => revisions[place],
                });
                revisions
            }),
            Decision::Answer(Answer::Recorded(before)) => {
                before.iter().map(|acceptance| acceptance.revision).collect()
            }
            other => panic!("{body} was not accepted: {other:?}"),
        }
    }

    fn refuse(&self, operation: Operation, body: &str) -> Refusal {
        match self.decide(operation, None, body) {
            Decision::Answer(Answer::Refused(refusal)) => refusal,
            other => panic!("{body} was not refused: {other:?}"),
        }
    }
}

fn report(change: impl FnOnce(&mut Value)) -> Value {
    let mut report = json!({
        "unit": "di-an", "period": "2024", "document": {"number": "215/BC-UBND", "date": "2024-11-22"},
        "lines": [{"measure": "information-literacy", "numerator": 118_400, "denominator": 214_000},
                  {"measure": "lower-secondary-level", "level": 2},
                  {"measure": "learning-district", "attained": true}]
    });
    change(&mut report);
    report
}

fn codes(refusal: &Refusal) -> Vec<(&str, &str)> {
    refusal.errors.iter().map(|error| (error.pointer.as_str(), error.code.as_str())).collect()
}

#[test]
fn a_report_becomes_the_next_revision_of_its_unit_and_period() {
    let mut world = World::new();
    assert_eq!(world.accept(Operation::SubmitReport, &report(|_| {})), [1]);
    assert_eq!(world.accept(Operation::SubmitReport, &report(|report| report["revision"] = json!(2))), [2]);
    let other_unit = report(|report| report["unit"] = json!("ben-cat"));
    assert_eq!(world.accept(Operation::SubmitReport, &other_unit), [1]);
    let refusal =
        world.refuse(Operation::SubmitReport, &report(|report| report["revision"] = json!(2)).to_string());
    assert_eq!(refusal.kind, RefusalKind::Conflict);
    assert!(refusal.detail.contains("is at revision 2"), "{}", refusal.detail);
}

#[test]
fn every_rule_names_the_field_that_breaks_it() {
    let line = |line: Value| move |report: &mut Value| report["lines"] = json!([line]);
    let set = |pointer: &'static str, value: Value| {
        move |report: &mut Value| {
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            report.pointer_mut(parent).unwrap()[name] = value;
        }
    };
    type Change = Box<dyn FnOnce(&mut Value)>;
    let rate = |numerator: Value, denominator: Value| json!({"measure": "life-skills", "numerator": numerator, "denominator": denominator});
    let cases: Vec<(Change, &str, &str)> = vec![
        (Box::new(set("/unit", json!("ha-noi"))), "/unit", "unknown-unit"),
        (Box::new(set("/unit", json!("Dĩ An"))), "/unit", "unknown-unit"),
        (Box::new(set("/period", json!("2020"))), "/period", "period-outside-the-plan"),
        (Box::new(set("/period", json!("2031"))), "/period", "period-outside-the-plan"),
        (Box::new(set("/period", json!("2025"))), "/period", "period-in-the-future"),
        (Box::new(set("/period", json!(2024))), "/period", "wrong-type"),
        (Box::new(set("/document/date", json!("2024-11-26"))), "/document/date", "document-in-the-future"),
        (
            Box::new(set("/document/date", json!("2023-12-31"))),
            "/document/date",
            "document-before-its-period",
        ),
        (Box::new(set("/document/date", json!("2024-10-24"))), "/history", "history-required"),
        (Box::new(set("/document/date", json!("2024-02-30"))), "/document/date", "not-a-date"),
        (Box::new(line(json!({"measure": "gdp", "level": 1}))), "/lines/0/measure", "unknown-measure"),
        (
            Box::new(line(json!({"measure": "preschool-age-5", "attained": true}))),
            "/lines/0/measure",
            "measure-of-another-level",
        ),
        (Box::new(line(json!({"measure": "life-skills", "level": 1}))), "/lines/0", "value-of-another-kind"),
        (Box::new(line(json!({"measure": "primary-level", "level": 4}))), "/lines/0/level", "out-of-range"),
        (Box::new(line(json!({"measure": "primary-level", "level": -1}))), "/lines/0/level", "negative"),
        (Box::new(line(rate(json!(3), json!(2)))), "/lines/0/numerator", "numerator-above-denominator"),
        (Box::new(line(rate(json!(-3), json!(2)))), "/lines/0/numerator", "negative"),
        (Box::new(line(rate(json!(1.5), json!(2)))), "/lines/0/numerator", "not-a-whole-number"),
        (
            Box::new(line(rate(json!(1), json!(1_000_000_000_001_u64)))),
            "/lines/0/denominator",
            "out-of-range",
        ),
        (
            Box::new(line(json!({"measure": "life-skills", "withdrawn": true}))),
            "/lines/0/withdrawn",
            "nothing-to-withdraw",
        ),
        (
            Box::new(line(
                json!({"measure": "learning-district", "attained": true, "recognised_year": "2025"}),
            )),
            "/lines/0/recognised_year",
            "recognised-after-its-period",
        ),
        (
            Box::new(|report: &mut Value| {
                let first = report["lines"][0].clone();
                report["lines"].as_array_mut().unwrap().push(first);
            }),
            "/lines/3/measure",
            "duplicate-measure",
        ),
        (Box::new(set("/colour", json!("red"))), "/colour", "unknown-field"),
        (Box::new(set("/lines", json!([]))), "/lines", "empty"),
        (Box::new(set("/document/number", json!(" "))), "/document/number", "empty"),
    ];
    let world = World::new();
    for (change, pointer, code) in cases {
        let body = report(change).to_string();
        let refusal = world.refuse(Operation::SubmitReport, &body);
        assert_eq!(refusal.kind, RefusalKind::Rules, "{body}");
        assert_eq!(codes(&refusal), [(pointer, code)], "{body}");
        assert!(refusal.errors.iter().all(|error| !error.reason.is_empty() && !error.remedy.is_empty()));
    }
    let twice = r#"{"unit":"di-an","unit":"ben-cat"}"#;
    assert_eq!(codes(&world.refuse(Operation::SubmitReport, twice)), [("/unit", "duplicate-key")]);
    assert_eq!(world.refuse(Operation::SubmitReport, "{").kind, RefusalKind::Malformed);
}

#[test]
fn history_needs_a_reason_and_the_right() {
    let mut world = World::new();
    let old = report(|report| {
        report["document"]["date"] = json!("2024-01-22");
        report["history"] = json!("found in the archive");
    });
    world.may_enter_history = false;
    assert_eq!(world.refuse(Operation::SubmitReport, &old.to_string()).kind, RefusalKind::Forbidden);
    world.may_enter_history = true;
    assert_eq!(world.accept(Operation::SubmitReport, &old), [1]);
}

#[test]
fn what_is_withdrawn_is_what_stands_by_the_highest_revision() {
    let mut world = World::new();
    world.accept(Operation::SubmitReport, &report(|_| {}));
    let withdraw = report(|report| {
        report["lines"] = json!([{"measure": "information-literacy", "withdrawn": true}]);
    });
    assert_eq!(world.accept(Operation::SubmitReport, &withdraw), [2]);
    let again = world.refuse(Operation::SubmitReport, &withdraw.to_string());
    assert_eq!(codes(&again), [("/lines/0/withdrawn", "nothing-to-withdraw")]);
}

#[test]
fn the_same_key_gives_the_first_answer_and_refuses_another_body() {
    let mut world = World::new();
    world.key = Some("k-1".into());
    assert_eq!(world.accept(Operation::SubmitReport, &report(|_| {})), [1]);
    let head = world.facts.head();
    assert_eq!(world.accept(Operation::SubmitReport, &report(|_| {})), [1]);
    assert_eq!(world.facts.head(), head, "the same request records once");
    let other = report(|report| report["period"] = json!("2023"));
    let refusal = world.refuse(Operation::SubmitReport, &other.to_string());
    assert_eq!((refusal.kind, codes(&refusal)[0].1), (RefusalKind::Conflict, "idempotency-key-reused"));
}

#[test]
fn a_refusal_binds_no_key() {
    let mut world = World::new();
    world.key = Some("k-1".into());
    world.refuse(Operation::SubmitReport, &report(|report| report["unit"] = json!("ha-noi")).to_string());
    assert_eq!(world.accept(Operation::SubmitReport, &report(|_| {})), [1]);
}

#[test]
fn a_batch_is_recorded_whole_or_not_at_all_and_the_same_content_once() {
    let mut world = World::new();
    let second = report(|report| {
        report["document"]["number"] = json!("230/BC-UBND");
        report["lines"] = json!([{"measure": "learning-district", "withdrawn": true}]);
    });
    let batch = json!({"reports": [report(|_| {}), second]});
    assert_eq!(world.accept(Operation::SubmitReports, &batch), [1, 2]);
    let head = world.facts.head();
    assert_eq!(world.accept(Operation::SubmitReports, &batch), [1, 2]);
    assert_eq!(world.facts.head(), head);

    let wrong = json!([
        report(|report| report["unit"] = json!("ben-cat")),
        report(|report| report["unit"] = json!("ha-noi")),
        report(|report| report["lines"][1]["level"] = json!(9))
    ]);
    let refusal = world.refuse(Operation::SubmitReports, &wrong.to_string());
    assert_eq!(codes(&refusal), [("/1/unit", "unknown-unit"), ("/2/lines/1/level", "out-of-range")]);
}

#[test]
fn the_same_report_twice_in_a_batch_is_one_with_a_key_and_without_whatever_the_order_of_its_lines() {
    for key in [None, Some("k-1".to_owned())] {
        let mut world = World::new();
        world.key = key;
        let reversed = report(|report| report["lines"].as_array_mut().unwrap().reverse());
        let batch = json!([report(|_| {}), reversed, report(|report| report["unit"] = json!("ben-cat"))]);
        match world.decide(Operation::SubmitReports, None, &batch.to_string()) {
            Decision::Record(slots) => assert!(
                matches!(
                    slots.as_slice(),
                    [Slot::New { revision: 1, .. }, Slot::Repeat(0), Slot::New { revision: 1, .. }]
                ),
                "{:?}: {slots:?}",
                world.key
            ),
            other => panic!("{other:?}"),
        }
        let before = world.facts.head();
        assert_eq!(world.accept(Operation::SubmitReports, &batch), [1, 1, 1]);
        let head = world.facts.head();
        assert_eq!(head.0, before.0 + 2);
        // Asked again, everything was recorded before: the repeat is answered as its first is.
        match world.decide(Operation::SubmitReports, None, &batch.to_string()) {
            Decision::Answer(Answer::Recorded(before)) => {
                assert_eq!(before.len(), 3);
                assert_eq!(before[0], before[1]);
                assert_ne!(before[0].event, before[2].event);
            }
            other => panic!("{:?}: {other:?}", world.key),
        }
    }
}

#[test]
fn what_cannot_be_read_hides_nothing_that_breaks_the_rules() {
    let body = report(|report| {
        report["unit"] = json!("ha-noi");
        report["lines"] = json!([{"measure": "life-skills", "numerator": 90, "denominator": 80},
                                 {"measure": "primary-level", "level": 7},
                                 {"measure": "gdp", "level": 1}]);
    });
    let refusal = World::new().refuse(Operation::SubmitReport, &body.to_string());
    assert_eq!(
        codes(&refusal),
        [
            ("/lines/0/numerator", "numerator-above-denominator"),
            ("/unit", "unknown-unit"),
            ("/lines/1/level", "out-of-range"),
            ("/lines/2/measure", "unknown-measure"),
        ]
    );
}

#[test]
fn targets_follow_the_rules_of_the_plan() {
    let target = |change: &dyn Fn(&mut Value)| {
        let mut target = json!({"indicator": "life-skills", "review": "2025", "percent": "55",
                                "effective": "2024-03-01", "instrument": "12/QĐ-UBND"});
        change(&mut target);
        target
    };
    let mut world = World::new();
    assert_eq!(
        world.accept(Operation::ChangeTarget, &target(&|_| {})),
        [2],
        "the plan's own target is the first"
    );
    let own = target(&|target| target["unit"] = json!("di-an"));
    assert_eq!(world.accept(Operation::ChangeTarget, &own), [1]);

    type Change<'a> = &'a dyn Fn(&mut Value);
    let cases: Vec<(Change<'_>, &str, &str)> = vec![
        (&|target| target["indicator"] = json!("gdp"), "/indicator", "unknown-indicator"),
        (&|target| target["review"] = json!("2027"), "/review", "unknown-review"),
        (&|target| target["percent"] = json!("101"), "/percent", "not-a-percentage"),
        (&|target| target["percent"] = json!(55), "/percent", "wrong-type"),
        (&|target| target["effective"] = json!("2022-03-15"), "/effective", "before-the-plan"),
        (&|target| target["effective"] = json!("2026-01-01"), "/effective", "review-is-over"),
        (&|target| target["unit"] = json!("binh-duong"), "/unit", "province-named"),
        (&|target| target["unit"] = json!("ha-noi"), "/unit", "unknown-unit"),
        (
            &|target| {
                target["unit"] = json!("di-an");
                target["indicator"] = json!("districts-primary-3");
            },
            "/unit",
            "no-target-of-its-own",
        ),
        (
            &|target| {
                let target = target.as_object_mut().unwrap();
                target.remove("percent");
                target.insert("withdrawn".into(), json!(true));
            },
            "/withdrawn",
            "province-target-stays",
        ),
        (
            &|target| {
                target["unit"] = json!("ben-cat");
                let target = target.as_object_mut().unwrap();
                target.remove("percent");
                target.insert("withdrawn".into(), json!(true));
            },
            "/withdrawn",
            "nothing-to-withdraw",
        ),
        (
            &|target| {
                target.as_object_mut().unwrap().remove("instrument");
            },
            "/instrument",
            "missing",
        ),
        (
            &|target| {
                target.as_object_mut().unwrap().remove("effective");
            },
            "/effective",
            "missing",
        ),
    ];
    for (change, pointer, code) in cases {
        let body = target(change).to_string();
        assert_eq!(codes(&world.refuse(Operation::ChangeTarget, &body)), [(pointer, code)], "{body}");
    }
}

#[test]
fn a_changed_target_keeps_its_mark_and_an_unrestated_one_has_the_plans() {
    let world = World::new();
    let mark_of = |body: Value| match world.decide(Operation::ChangeTarget, None, &body.to_string()) {
        Decision::Record(slots) => match &slots[0] {
            Slot::New { event, .. } => match &event.data {
                EventData::TargetChanged(changed) => changed.mark,
                other => panic!("{other:?}"),
            },
            other => panic!("it is new: {other:?}"),
        },
        other => panic!("{other:?}"),
    };
    let target = |indicator: &str, review: &str, field: &str, value: Value| json!({"indicator": indicator, "review": review, field: value, "effective": "2024-03-01", "instrument": "1"});
    use events::Mark::{Attain, Maintain};
    assert_eq!(mark_of(target("districts-primary-3", "2025", "percent", json!("90"))), Maintain);
    assert_eq!(mark_of(target("life-skills", "2025", "percent", json!("55"))), Attain);
    assert_eq!(mark_of(target("preschool-age-5", "2030", "attained", json!(true))), Maintain);
    assert_eq!(mark_of(target("learning-province", "2025", "attained", json!(true))), Attain);
}

#[test]
fn nothing_is_recorded_for_a_unit_whose_events_are_set_aside() {
    let mut world = World::new();
    let position = world.facts.head().next();
    let unit = events::UnitId::parse("di-an").unwrap();
    world.facts.apply_unreadable(position, world.now, Some(unit), "of a later version").unwrap();
    let refusal = world.refuse(Operation::SubmitReport, &report(|_| {}).to_string());
    assert_eq!(refusal.kind, RefusalKind::Unavailable);
    assert_eq!(
        world.accept(Operation::SubmitReport, &report(|report| report["unit"] = json!("ben-cat"))),
        [1]
    );
}

#[test]
fn a_dissolved_unit_reports_no_more_and_changes_no_more() {
    let mut world = World::new();
    let dissolve =
        json!({"unit": "di-an", "change": "dissolve", "effective": "2024-11-01", "instrument": "9/NQ"});
    assert_eq!(world.accept(Operation::ChangeUnit, &dissolve), [1]);
    let late = world.refuse(Operation::SubmitReport, &report(|_| {}).to_string());
    assert_eq!(codes(&late), [("/unit", "unit-dissolved")]);
    let before = report(|report| report["document"]["date"] = json!("2024-10-31"));
    assert_eq!(world.accept(Operation::SubmitReport, &before), [1]);
    let rename = json!({"unit": "di-an", "change": "rename", "name": "X", "effective": "2024-12-01", "instrument": "9"});
    assert_eq!(
        codes(&world.refuse(Operation::ChangeUnit, &rename.to_string())),
        [("/unit", "unit-dissolved")]
    );
    let province =
        json!({"unit": "binh-duong", "change": "dissolve", "effective": "2024-12-01", "instrument": "9"});
    assert_eq!(
        codes(&world.refuse(Operation::ChangeUnit, &province.to_string())),
        [("/change", "province-stays")]
    );
}

fn change_of(unit: &str, change: &str, effective: &str, more: Value) -> Value {
    let mut body = json!({"unit": unit, "change": change, "effective": effective, "instrument": "1685/NQ"});
    let fields = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(fields);
    body
}

fn establish(unit: &str, effective: &str) -> Value {
    let name = json!({"vi": "Phường", "en": "Ward"});
    change_of(unit, "establish", effective, json!({"name": name, "type": "ward", "code": "25760"}))
}

fn merge(unit: &str, into: &str, effective: &str) -> Value {
    change_of(unit, "merge", effective, json!({"into": into, "share": {"numerator": 1, "denominator": 1}}))
}

fn split(unit: &str, into: Value, effective: &str) -> Value {
    change_of(unit, "split", effective, json!({"into": into}))
}

impl World {
    fn change(&mut self, body: &Value) -> Vec<u32> {
        self.accept(Operation::ChangeUnit, body)
    }

    fn refused_change(&self, body: &Value) -> Vec<(String, String)> {
        let refusal = self.refuse(Operation::ChangeUnit, &body.to_string());
        assert_eq!(refusal.kind, RefusalKind::Rules);
        refusal.errors.iter().map(|error| (error.pointer.clone(), error.code.clone())).collect()
    }

    #[track_caller]
    fn assert_refused(&self, body: &Value, pointer: &str, code: &str) {
        assert_eq!(self.refused_change(body), [(pointer.to_owned(), code.to_owned())], "{body}");
    }
}

#[test]
fn a_reform_is_recorded_step_by_step() {
    let mut world = World::new();
    assert_eq!(world.change(&establish("new", "2024-07-01")), [1]);
    assert_eq!(world.change(&establish("other", "2024-07-01")), [1]);
    assert_eq!(world.change(&merge("bau-bang", "new", "2024-07-01")), [1]);
    let into = json!([{"unit": "new", "share": {"numerator": 1, "denominator": 3}}, {"unit": "other"}]);
    assert_eq!(world.change(&split("di-an", into, "2024-07-01")), [1]);
    let renamed = change_of("new", "rename", "2024-08-01", json!({"name": "Phường Bình Dương"}));
    assert_eq!(world.change(&renamed), [2]);
    assert!(world.facts.parked().is_empty());
    // The new unit reports and has targets of its own; the old ones report no more.
    let of = |unit: &str| report(|report| report["unit"] = json!(unit));
    assert_eq!(world.accept(Operation::SubmitReport, &of("new")), [1]);
    let refused = |unit: &str| world.refuse(Operation::SubmitReport, &of(unit).to_string());
    assert_eq!(codes(&refused("bau-bang")), [("/unit", "unit-merged")]);
    assert_eq!(codes(&refused("di-an")), [("/unit", "unit-split")]);
    let early = report(|report| {
        report["unit"] = json!("new");
        report["document"]["date"] = json!("2024-06-30");
        report["history"] = json!("from before");
    });
    let early = world.refuse(Operation::SubmitReport, &early.to_string());
    assert!(codes(&early).contains(&("/unit", "unit-not-established")), "{early:?}");
    let target = |effective: &str| {
        json!({"indicator": "life-skills", "unit": "new", "review": "2025", "percent": "55",
               "effective": effective, "instrument": "5/QĐ"})
    };
    assert_eq!(
        codes(&world.refuse(Operation::ChangeTarget, &target("2024-06-30").to_string())),
        [("/unit", "unit-not-established")]
    );
    assert_eq!(world.accept(Operation::ChangeTarget, &target("2024-07-01")), [1]);
}

#[test]
fn what_cannot_be_a_reform_is_refused_at_its_field() {
    let mut world = World::new();
    let day = "2024-07-01";
    world.change(&establish("new", day));
    let known =
        |world: &World, body: &Value, pointer: &str, code: &str| world.assert_refused(body, pointer, code);
    for (body, pointer, code) in [
        (establish("di-an", day), "/unit", "unit-exists"),
        (establish("binh-duong", day), "/unit", "unit-exists"),
        (establish("new", "2025-07-01"), "/unit", "unit-exists"),
        (establish("older", "2022-03-15"), "/effective", "before-the-plan"),
        (establish("older", "2024-02-30"), "/effective", "not-a-date"),
        (merge("nowhere", "new", day), "/unit", "unknown-unit"),
        (merge("di-an", "nowhere", day), "/into", "unknown-unit"),
        (merge("di-an", "di-an", day), "/into", "into-itself"),
        (merge("di-an", "binh-duong", day), "/into", "not-a-district"),
        (merge("binh-duong", "di-an", day), "/change", "province-stays"),
        (merge("di-an", "thuan-an", "2022-01-01"), "/effective", "before-the-plan"),
        (merge("di-an", "new", "2024-06-30"), "/into", "unit-not-established"),
        (merge("new", "di-an", "2024-06-30"), "/unit", "unit-not-established"),
        (split("di-an", json!([{"unit": "new"}, {"unit": "later"}]), day), "/into/1/unit", "unknown-unit"),
        (split("di-an", json!([{"unit": "di-an"}, {"unit": "new"}]), day), "/into/0/unit", "into-itself"),
        (
            split("di-an", json!([{"unit": "thuan-an"}, {"unit": "new"}]), "2024-06-30"),
            "/into/1/unit",
            "unit-not-established",
        ),
    ] {
        known(&world, &body, pointer, code);
    }
    let share =
        |numerator: u64, denominator: u64| json!({"numerator": numerator, "denominator": denominator});
    for (one, other, over) in [
        (share(2, 3), share(1, 3), false),
        (share(2, 3), share(2, 5), true),
        (share(1, 1), share(1, 1_000_000_000_000), true),
        (share(1, 3), share(1, 3), false),
    ] {
        let into = json!([{"unit": "thuan-an", "share": one}, {"unit": "new", "share": other}]);
        let body = split("di-an", into, day);
        if over {
            world.assert_refused(&body, "/into", "shares-over-one");
        } else {
            let decided = world.decide(Operation::ChangeUnit, None, &body.to_string());
            assert!(matches!(decided, Decision::Record(_)), "{body}: {decided:?}");
        }
    }
    let parent = |unit: &str| {
        let mut body = establish("ward", day);
        body["parent"] = json!(unit);
        body
    };
    world.assert_refused(&parent("di-an"), "/parent", "not-a-province");
    world.assert_refused(&parent("nowhere"), "/parent", "unknown-unit");
    let moved = |to: &str| change_of("di-an", "move", day, json!({"parent": to}));
    world.assert_refused(&moved("binh-duong"), "/parent", "no-other-province");
    world.assert_refused(&moved("thuan-an"), "/parent", "not-a-province");
    assert_eq!(world.change(&parent("binh-duong")), [1]);
}

#[test]
fn a_district_moves_to_another_province_only() {
    let mut plan = plan::file::read("binh-duong.toml", PLAN).unwrap();
    let home = plan.province().clone();
    for unit in plan.units.iter_mut().filter(|unit| unit.level == plan::Level::District) {
        unit.parent = Some(home.id.clone());
    }
    plan.units.push(plan::Unit { id: events::UnitId::parse("second").unwrap(), ..home });
    let mut world = World::of(plan);
    let moved = |unit: &str, to: &str, day: &str| change_of(unit, "move", day, json!({"parent": to}));
    world.assert_refused(&moved("di-an", "binh-duong", "2024-07-01"), "/parent", "belongs-there-already");
    world.assert_refused(&moved("di-an", "thuan-an", "2024-07-01"), "/parent", "not-a-province");
    world.assert_refused(&moved("di-an", "nowhere", "2024-07-01"), "/parent", "unknown-unit");
    world.assert_refused(&moved("second", "binh-duong", "2024-07-01"), "/unit", "not-a-district");
    world.assert_refused(&moved("di-an", "second", "2022-01-01"), "/effective", "before-the-plan");
    assert_eq!(world.change(&moved("di-an", "second", "2024-07-01")), [1]);
    world.assert_refused(&moved("di-an", "second", "2024-08-01"), "/parent", "belongs-there-already");
    assert_eq!(world.change(&moved("di-an", "binh-duong", "2024-08-01")), [2]);
    world.assert_refused(&establish("new", "2024-07-01"), "/parent", "missing");
    let mut new = establish("new", "2024-07-01");
    new["parent"] = json!("second");
    assert_eq!(world.change(&new), [1]);
    world.change(&merge("thuan-an", "di-an", "2024-07-01"));
    world.assert_refused(&moved("thuan-an", "second", "2024-07-01"), "/unit", "unit-merged");
    assert!(world.facts.parked().is_empty());
}

#[test]
fn nothing_goes_over_into_a_unit_that_is_gone_in_whatever_order_it_is_recorded() {
    let mut world = World::new();
    world.change(&establish("new", "2024-07-01"));
    world.change(&merge("bau-bang", "ben-cat", "2024-07-01"));
    // Round in a circle, later or on the same day.
    world.assert_refused(&merge("ben-cat", "bau-bang", "2024-08-01"), "/into", "unit-merged");
    assert_eq!(
        world.refused_change(&merge("ben-cat", "bau-bang", "2024-07-01")),
        [
            ("/effective".to_owned(), "takes-over-later".to_owned()),
            ("/into".to_owned(), "unit-merged".to_owned())
        ]
    );
    // Bến Cát takes over on 1 July: it cannot have ended by then, neither merged, split nor dissolved.
    world.assert_refused(&merge("ben-cat", "di-an", "2024-07-01"), "/effective", "takes-over-later");
    world.assert_refused(&merge("ben-cat", "di-an", "2024-03-01"), "/effective", "takes-over-later");
    world.assert_refused(
        &change_of("ben-cat", "dissolve", "2024-03-01", json!({})),
        "/effective",
        "takes-over-later",
    );
    let into = json!([{"unit": "di-an"}, {"unit": "thuan-an"}]);
    world.assert_refused(&split("ben-cat", into, "2024-06-01"), "/effective", "takes-over-later");
    // A day later it may; then it takes over nothing any more.
    world.change(&merge("ben-cat", "new", "2024-07-02"));
    world.assert_refused(&merge("di-an", "ben-cat", "2024-07-02"), "/into", "unit-merged");
    assert_eq!(world.change(&merge("di-an", "ben-cat", "2024-07-01")), [1]);
    // What has ended ends once, and changes no more.
    world.assert_refused(&merge("bau-bang", "new", "2024-12-01"), "/unit", "unit-merged");
    world.assert_refused(&merge("bau-bang", "thuan-an", "2024-01-01"), "/unit", "unit-merged");
    let retyped = change_of("bau-bang", "retype", "2024-07-01", json!({"type": "city"}));
    world.assert_refused(&retyped, "/unit", "unit-merged");
    let before = change_of("bau-bang", "retype", "2024-06-30", json!({"type": "city"}));
    assert_eq!(world.change(&before), [2]);
    assert!(world.facts.parked().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever is asked in whatever order: what is admitted can be folded, revisions follow each other,
    /// rates hold, nothing is withdrawn that does not stand, and what is refused changes nothing.
    #[test]
    fn random_reports_never_break_what_admission_promises(
        asked in prop::collection::vec((0..3_usize, 0..4_i32, 0..4_u32, 0..6_u64, 0..6_u64, 0..4_u8), 1..60)
    ) {
        let mut world = World::new();
        let units = ["di-an", "ben-cat", "nowhere"];
        let mut revisions: BTreeMap<(String, String), u32> = BTreeMap::new();
        let mut standing: BTreeMap<(String, String), bool> = BTreeMap::new();
        for (unit, year, revision, numerator, denominator, kind) in asked {
            let (unit, period) = (units[unit].to_owned(), (2022 + year).to_string());
            let line = match kind {
                0 => json!({"measure": "life-skills", "withdrawn": true}),
                1 => json!({"measure": "life-skills", "level": denominator}),
                _ => json!({"measure": "life-skills", "numerator": numerator, "denominator": denominator}),
            };
            let mut body = json!({"unit": unit, "period": period, "lines": [line], "history": "random",
                                  "document": {"number": "1", "date": format!("{}-11-01", (2022 + year).min(2024))}});
            if revision > 0 {
                body["revision"] = json!(revision);
            }
            let key = (unit.clone(), period.clone());
            let before = world.facts.digest();
            match world.decide(Operation::SubmitReport, None, &body.to_string()) {
                Decision::Record(slots) => {
                    for slot in slots {
                        let Slot::New { event, revision: became } = slot else { panic!("no key was given") };
                        let EventData::ReportSubmitted(data) = &event.data else { panic!("it was a report") };
                        prop_assert_eq!(became, revisions.get(&key).copied().unwrap_or(0) + 1);
                        prop_assert!(revision == 0 || revision == became);
                        match data.lines[0].value {
                            LineValue::Rate { numerator, denominator } => {
                                prop_assert!(numerator <= denominator);
                                standing.insert(key.clone(), true);
                            }
                            LineValue::Withdrawn { .. } => {
                                prop_assert_eq!(standing.insert(key.clone(), false), Some(true));
                            }
                            other => prop_assert!(false, "a rate was admitted as {:?}", other),
                        }
                        revisions.insert(key.clone(), became);
                        world.record(*event);
                        prop_assert!(world.facts.parked().is_empty());
                    }
                }
                Decision::Answer(Answer::Refused(refusal)) => {
                    prop_assert!(!refusal.errors.is_empty());
                    prop_assert_eq!(world.facts.digest(), before);
                }
                Decision::Answer(other) => prop_assert!(false, "{:?}", other),
            }
        }
    }
}

fn raised(rule: &str, period: &str, indicator: Option<&str>) -> String {
    let mut alert = json!({
        "alert": events::ids::derived_id(&["alert", rule, period]), "rule": rule, "unit": "di-an", "period": period,
        "episode": 1, "severity": "warning", "because": [], "summary": {"vi": "một câu", "en": "a sentence"}
    });
    if let Some(indicator) = indicator {
        alert["indicator"] = json!(indicator);
    }
    alert.to_string()
}

#[test]
fn an_alert_that_time_raises_has_to_hold_by_this_clock_and_these_facts() {
    let mut world = World::new();
    // The deadline of 2024 lies six days ahead: an alerting service whose clock leapt says otherwise.
    let refusal = world.refuse(Operation::RaiseAlert, &raised("overdue", "2024", None));
    assert_eq!(codes(&refusal), [("/rule", "does-not-hold")]);
    assert!(refusal.detail.contains("no report is overdue of `di-an` for 2024"), "{}", refusal.detail);
    world.now = "2024-12-02T09:00:00+07:00".parse().unwrap();
    assert_eq!(
        world.accept(Operation::RaiseAlert, &serde_json::from_str(&raised("overdue", "2024", None)).unwrap()),
        [1]
    );

    // A report that alerting has not met yet stands.
    let mut world = World::new();
    world.accept(Operation::SubmitReport, &report(|_| {}));
    world.now = "2024-12-02T09:00:00+07:00".parse().unwrap();
    let refusal = world.refuse(Operation::RaiseAlert, &raised("overdue", "2024", None));
    assert_eq!(codes(&refusal), [("/rule", "does-not-hold")]);

    // The review of 2025 has no verdict yet; once it has, what met its target is not missed.
    let missed = raised("missed", "2025", Some("information-literacy"));
    assert_eq!(codes(&world.refuse(Operation::RaiseAlert, &missed)), [("/rule", "does-not-hold")]);
    let of_2025 = report(|report| {
        report["period"] = json!("2025");
        report["document"]["date"] = json!("2025-11-20");
        report["lines"] = json!([{"measure": "information-literacy", "numerator": 10, "denominator": 100}]);
    });
    world.now = "2025-11-25T09:00:00+07:00".parse().unwrap();
    world.accept(Operation::SubmitReport, &of_2025);
    assert_eq!(codes(&world.refuse(Operation::RaiseAlert, &missed)), [("/rule", "does-not-hold")]);
    world.now = "2026-01-02T09:00:00+07:00".parse().unwrap();
    assert_eq!(world.accept(Operation::RaiseAlert, &serde_json::from_str(&missed).unwrap()), [1]);
}
