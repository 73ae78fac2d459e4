use super::*;
use crate::fixture;
use crate::times::Times;
use events::{RefusalKind, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;

const ALL: [&str; 7] = ["unit", "indicator", "as_of", "known_at", "state", "position", "at_least"];

struct Asking {
    facts: Facts,
    adopted: Arc<Adopted>,
    digests: Digests,
    now: Timestamp,
}

fn asking() -> Asking {
    let facts = fixture::facts();
    let adopted = Arc::clone(facts.adopted().unwrap());
    Asking { facts, adopted, digests: Digests::default(), now: fixture::instant("2025-12-15T00:00:00Z") }
}

impl Asking {
    /// The question and its moment; `cut` is what the log would answer.
    fn ask(&self, question: Value, cut: Option<u64>) -> (Question, Moment) {
        let question = Question::read(question.to_string().as_bytes(), &ALL).unwrap();
        let times = Times::read(&self.adopted.plan.calendar, &question, self.now).unwrap();
        assert_eq!(times.looked_up().is_some(), cut.is_some());
        let moment = times.moment(&self.facts, cut.map(Position));
        (question, moment)
    }

    fn status(&self, question: Value, cut: Option<u64>) -> Result<StatusAnswer, Refusal> {
        let (question, moment) = self.ask(question, cut);
        status(&self.facts, &self.adopted, &self.digests, &question, moment)
    }

    fn series(&self, question: Value) -> Result<SeriesAnswer, Refusal> {
        let (question, moment) = self.ask(question, None);
        series(&self.facts, &self.adopted, &question, moment)
    }
}

fn codes(refusal: &Refusal) -> Vec<(&str, &str)> {
    refusal.errors.iter().map(|error| (error.pointer.as_str(), error.code.as_str())).collect()
}

#[test]
fn status_gives_every_cell_of_the_units_in_force() {
    let answer = asking().status(json!({}), None).unwrap();
    // 8 districts × 12 + 17 after Bàu Bàng is dissolved.
    assert_eq!(answer.cells.len(), 113);
    assert_eq!((answer.position, answer.sample), (Position(35), true));
    assert_eq!(answer.as_of, "2025-12-15T07:00:00+07:00");
    assert_eq!(answer.known_at, answer.as_of);
    assert_eq!(answer.digest, fixture::facts().digest());
}

#[test]
fn a_dissolved_unit_is_answered_when_it_is_named() {
    let asking = asking();
    assert_eq!(asking.status(json!({"unit": "bau-bang"}), None).unwrap().cells.len(), 12);
    let cells = asking.status(json!({"unit": "bau-bang", "indicator": "life-skills"}), None).unwrap().cells;
    assert_eq!(cells.len(), 1);
}

#[test]
fn an_established_unit_is_answered_from_when_it_was_recorded_on() {
    let mut asking = asking();
    let plan = fixture::plan();
    fixture::fold(
        &mut asking.facts,
        vec![fixture::establish(&plan, "new", "2025-12-01")],
        "2025-11-20T02:00:00Z",
    );
    asking.adopted = Arc::clone(asking.facts.adopted().unwrap());
    assert_eq!(asking.status(json!({}), None).unwrap().cells.len(), 113 + 12);
    assert_eq!(asking.status(json!({"unit": "new"}), None).unwrap().cells.len(), 12);
    let earlier = asking.status(json!({"unit": "new", "as_of": "2025-11-30"}), None).unwrap();
    assert_eq!(earlier.cells[0].in_force, Some(false));
    let unknown = asking.status(json!({"unit": "new", "known_at": "2025-11-19"}), Some(35)).unwrap_err();
    assert_eq!(codes(&unknown), [("?unit", "unknown-unit")]);
}

#[test]
fn an_indicator_is_answered_for_every_unit_that_has_a_cell() {
    let asking = asking();
    assert_eq!(asking.status(json!({"indicator": "life-skills"}), None).unwrap().cells.len(), 9);
    assert_eq!(asking.status(json!({"indicator": "learning-province"}), None).unwrap().cells.len(), 1);
    let none = asking.status(json!({"unit": "di-an", "indicator": "learning-province"}), None).unwrap();
    assert!(none.cells.is_empty());
}

#[test]
fn an_older_cut_has_the_digest_of_the_shorter_log() {
    let asking = asking();
    let answer = asking.status(json!({"known_at": "2023-01-01"}), Some(33)).unwrap();
    let plan = fixture::plan();
    let mut shorter = Facts::new();
    fixture::fold(&mut shorter, fixture::adoption(&plan), "2022-03-16T02:00:00Z");
    fixture::fold(&mut shorter, vec![fixture::report(&plan, "di-an", 2022, 20)], "2022-11-20T02:00:00Z");
    assert_eq!(answer.position, Position(33));
    assert_eq!(answer.digest, shorter.digest());
    assert_eq!(answer.known_at, "2023-01-01T23:59:59.999+07:00");
    // Asked again, it comes from the digests that are kept.
    assert_eq!(asking.status(json!({"known_at": "2023-01-01"}), Some(33)).unwrap(), answer);
}

#[test]
fn a_cut_beyond_what_is_folded_is_the_folded_head() {
    let answer = asking().status(json!({"known_at": "2025-12-01"}), Some(99)).unwrap();
    assert_eq!(answer.position, Position(35));
}

#[test]
fn before_the_plan_was_known_there_are_no_cells() {
    let asking = asking();
    let answer = asking.status(json!({"known_at": "2022-01-01"}), Some(0)).unwrap();
    assert_eq!((answer.position, answer.cells), (Position(0), vec![]));
    assert_eq!(answer.digest, Facts::new().digest());
    let (question, moment) = asking.ask(json!({"known_at": "2022-01-01"}), Some(0));
    let matrix = matrix(&asking.facts, &asking.adopted, moment);
    assert!(matrix.cells.is_empty() && matrix.units.is_empty());
    assert!(alerts(&asking.facts, &asking.adopted, &question, moment).unwrap().alerts.is_empty());
}

#[test]
fn known_at_is_never_before_what_is_known_by_default() {
    let mut asking = asking();
    // The clock stands before the last recorded time.
    asking.now = fixture::instant("2025-06-19T00:00:00Z");
    let answer = asking.status(json!({}), None).unwrap();
    assert_eq!(answer.known_at, "2025-06-20T09:00:00+07:00");
    assert_eq!(answer.as_of, answer.known_at);
    let as_of = asking.status(json!({"as_of": "2024-12-31"}), None).unwrap();
    assert_eq!(as_of.known_at, "2025-06-20T09:00:00+07:00");
    assert_eq!(as_of.as_of, "2024-12-31T23:59:59.999+07:00");
}

#[test]
fn unknown_units_and_indicators_are_refused_together() {
    let refusal = asking().status(json!({"unit": "Huế", "indicator": "happiness"}), None).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::Rules);
    assert_eq!(codes(&refusal), [("?unit", "unknown-unit"), ("?indicator", "unknown-indicator")]);
}

#[test]
fn wrong_moments_are_refused_by_name() {
    let asking = asking();
    for (question, expected) in [
        (json!({"as_of": "2026-01-01"}), ("?as_of", "in-the-future")),
        (json!({"known_at": "soon"}), ("?known_at", "not-a-date")),
    ] {
        let question = Question::read(question.to_string().as_bytes(), &ALL).unwrap();
        let refusal = Times::read(&asking.adopted.plan.calendar, &question, asking.now).unwrap_err();
        assert_eq!(codes(&refusal), [expected]);
    }
}

#[test]
fn a_series_is_of_one_cell() {
    let asking = asking();
    let series = asking.series(json!({"unit": "di-an", "indicator": "life-skills"})).unwrap().series;
    assert_eq!(series.points.len(), 10);
    // From 20 % in 2022 to 50 % in 2025: E(2024) = 20 + 30·2/3 = 40.
    assert_eq!(series.points[3].expected.as_deref(), Some("40.00"));
    let refusal = asking.series(json!({})).unwrap_err();
    assert_eq!(codes(&refusal), [("?unit", "missing"), ("?indicator", "missing")]);
    let refusal = asking.series(json!({"unit": "nowhere"})).unwrap_err();
    assert_eq!(codes(&refusal), [("?unit", "unknown-unit"), ("?indicator", "missing")]);
    let refusal = asking.series(json!({"unit": "di-an", "indicator": "learning-province"})).unwrap_err();
    assert_eq!((refusal.kind, codes(&refusal)), (RefusalKind::Rules, vec![("?indicator", "no-such-cell")]));
}

#[test]
fn the_matrix_has_a_row_for_each_unit_in_force() {
    let asking = asking();
    let (_, moment) = asking.ask(json!({}), None);
    let answer = serde_json::to_value(matrix(&asking.facts, &asking.adopted, moment)).unwrap();
    assert_eq!(answer["plan"]["id"], "binh-duong");
    assert_eq!(answer["sample"], true);
    assert_eq!(answer["units"].as_array().unwrap().len(), 9);
    assert_eq!(answer["indicators"].as_array().unwrap().len(), 17);
    assert_eq!(answer["cells"].as_array().unwrap().len(), 113);
    let di_an = answer["units"].as_array().unwrap().iter().find(|unit| unit["id"] == "di-an").unwrap();
    assert_eq!(
        (&di_an["name"], &di_an["type"], &di_an["level"]),
        (&json!("Dĩ An"), &json!("city"), &json!("district"))
    );
    // 2023 was never reported.
    assert_eq!((&di_an["report"]["state"], &di_an["report"]["period"]), (&json!("overdue"), &json!("2023")));
}

#[test]
fn a_digest_is_of_the_position_asked_for() {
    let asking = asking();
    let of = |question: Value| {
        let question = Question::read(question.to_string().as_bytes(), &ALL).unwrap();
        digest(&asking.facts, &asking.digests, &question)
    };
    assert_eq!(of(json!({})), DigestAnswer { position: Position(35), digest: asking.facts.digest() });
    assert_eq!(of(json!({"position": 35})), of(json!({})));
    assert_eq!(of(json!({"position": 0})).digest, Facts::new().digest());
    assert_eq!(of(json!({"position": 33})).digest, asking.facts.digest_at(Position(33)));
}
