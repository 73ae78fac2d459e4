//! The sample on a disk and in memory: the same everywhere, whole, and full of what it is meant to show.

use super::driver::Driver;
use super::*;
use event_log::ReadLimit;
use events::{Resolution, Rule, Severity};
use indicators::{Cell, Facts, Moment, ReportProgress, Status, Value, View};
use std::collections::BTreeSet;
use std::sync::OnceLock;

mod figures;
#[path = "../../examples/generate-sample/history.rs"]
mod generated;
mod reviews;

/// The state at the sample's last position, on every machine. It changes with the plan file, the generator
/// and the rules; the test that fails prints the new one.
const DIGEST: &str = "dee7eb9c38ee3508562d8fcdc3ae7216cd360320fa2b5742a19a87dbc58445cd";
/// The sample's last position.
const HEAD: Position = Position(219);

fn plan() -> Plan {
    let text = include_str!("../../../../deploy/plans/binh-duong.toml");
    plan::file::read("binh-duong.toml", text).expect("the embedded plan is right")
}

/// The sample, lived through once for all tests.
fn lived() -> &'static (Plan, Facts) {
    static LIVED: OnceLock<(Plan, Facts)> = OnceLock::new();
    LIVED.get_or_init(|| {
        let plan = plan();
        let facts = Driver::live_through(&plan, &history::embedded().unwrap()).unwrap().facts;
        (plan, facts)
    })
}

/// The state as it looked on a day, at noon: both times are that day.
fn on(day: &str) -> View<'static> {
    let (plan, facts) = lived();
    let noon = plan.calendar.start_of_day(day.parse().unwrap()) + jiff::SignedDuration::from_hours(12);
    // The facts' alerts and revisions carry the recorded time; the cut is the last position by then.
    let cut = cuts().iter().rev().find(|(instant, _)| *instant <= noon).expect("the plan was adopted").1;
    View::new(facts, Moment { cut, known_at: noon, as_of: noon }).unwrap()
}

fn cuts() -> &'static Vec<(events::Timestamp, Position)> {
    static CUTS: OnceLock<Vec<(events::Timestamp, Position)>> = OnceLock::new();
    CUTS.get_or_init(|| {
        let loaded = Driver::live_through(&plan(), &history::embedded().unwrap()).unwrap();
        let mut position = 0;
        let commits = loaded.commits.into_iter();
        commits
            .map(|(instant, events)| {
                position += events.len() as u64;
                (instant, Position(position))
            })
            .collect()
    })
}

fn cell(view: &View<'_>, unit: &str, indicator: &str) -> Cell {
    let plan = view.plan();
    let unit = plan.unit(&unit.parse().unwrap()).unwrap();
    let indicator = plan.indicator(&indicator.parse().unwrap()).unwrap();
    view.cell(unit, indicator)
}

#[test]
fn the_committed_file_is_what_the_generator_writes() {
    assert!(
        history::FILE == generated::history(),
        "run `cargo run -p planwatch --example generate-sample > deploy/sample/history.jsonl`"
    );
}

#[test]
fn the_state_is_the_same_on_every_machine() {
    let (_, facts) = lived();
    assert_eq!((facts.head(), facts.digest().as_str()), (HEAD, DIGEST));
}

#[test]
fn loading_twice_gives_the_same_bytes() {
    let plan = plan();
    let load_once = || {
        let folder = tempfile::tempdir().unwrap();
        let report = load(folder.path(), &plan).unwrap();
        let Opened { log, .. } = event_log::open(folder.path(), &plan.id, Options::default()).unwrap();
        let mut stored = Vec::new();
        while Position(stored.len() as u64) < log.head() {
            stored.extend(log.read(Position(stored.len() as u64 + 1), ReadLimit::default()).unwrap());
        }
        (report, stored)
    };
    let (report, stored) = load_once();
    assert_eq!(report, SampleReport { head: HEAD, digest: DIGEST.into() });
    let mut facts = Facts::new();
    for stored in &stored {
        facts.apply_bytes(&stored.bytes).unwrap();
    }
    assert_eq!(facts.digest(), DIGEST, "what was appended folds to what was decided in memory");
    let (_, again) = load_once();
    assert!(stored == again, "ids, times and bytes are derived");
}

#[test]
fn a_log_that_holds_anything_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan();
    {
        let Opened { mut writer, .. } = event_log::open(folder.path(), &plan.id, Options::default()).unwrap();
        ingestion::adopt(&mut writer, &plan, false, "2026-01-01T00:00:00Z".parse().unwrap()).unwrap();
    }
    let refused = load(folder.path(), &plan).unwrap_err().to_string();
    assert!(refused.contains("into an empty log only"), "{refused}");
}

#[test]
fn it_says_that_it_is_a_sample() {
    let (_, facts) = lived();
    assert!(facts.adopted().unwrap().sample);
    for line in history::FILE.lines().filter(|line| line.contains("\"submit-report\"")) {
        assert!(line.contains("\"number\":\"MẪU-"), "{line}");
    }
}

#[test]
fn every_status_and_rule_happens_in_it() {
    let (plan, facts) = lived();
    let mut statuses = BTreeSet::new();
    for day in ["2022-11-30", "2023-12-31", "2024-12-31", "2025-06-30", "2025-12-31", "2026-02-12"] {
        statuses.extend(on(day).cells().into_iter().filter_map(|cell| cell.status));
    }
    // `missed` is left to the final review; it speaks of the last target only.
    let expected = [
        Status::NoData,
        Status::NoTarget,
        Status::Achieved,
        Status::Regressing,
        Status::Pending,
        Status::NoBaseline,
        Status::OnTrack,
        Status::AtRisk,
        Status::Behind,
    ];
    assert_eq!(statuses, expected.into_iter().collect());
    let rules: BTreeSet<Rule> = facts.alerts().map(|alert| alert.rule).collect();
    assert_eq!(
        rules,
        [Rule::Behind, Rule::AtRisk, Rule::Regressing, Rule::Missed, Rule::Overdue].into_iter().collect()
    );
    let ends: BTreeSet<Resolution> =
        facts.alerts().filter_map(|alert| alert.resolved.as_ref()).map(|end| end.resolution).collect();
    for end in
        [Resolution::Recovered, Resolution::TargetChanged, Resolution::Corrected, Resolution::Superseded]
    {
        assert!(ends.contains(&end), "no alert ends as {end:?}");
    }
    assert_eq!(on("2026-02-12").cells().len(), 125);
    assert_eq!(plan.districts().count(), 9);
}

#[test]
fn a_report_that_never_came_stays_overdue_and_a_late_one_ends_it() {
    let (plan, facts) = lived();
    let overdue: Vec<(&str, String, bool)> = facts
        .alerts()
        .filter(|alert| alert.rule == Rule::Overdue)
        .map(|alert| (alert.unit.as_str(), alert.period.unwrap().to_string(), alert.resolved.is_some()))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    assert_eq!(
        overdue,
        [
            ("bau-bang", "2022".into(), true),
            ("binh-duong", "2023".into(), true),
            ("dau-tieng", "2023".into(), false),
            ("phu-giao", "2024".into(), true),
            ("tan-uyen", "2025".into(), true),
        ]
    );
    let late =
        on("2025-01-10").report_of(plan.unit(&"phu-giao".parse().unwrap()).unwrap(), events::Period(2024));
    assert_eq!((late.state, late.late), (ReportProgress::Received, true));
}

#[test]
fn a_recognition_lapses_and_the_provinces_share_with_it() {
    let share = |day: &str| match cell(&on(day), "binh-duong", "learning-districts").value {
        Some(Value::Share { count, of, .. }) => (count, of),
        other => panic!("a share, not {other:?}"),
    };
    assert_eq!(share("2024-12-31"), (3, 9), "Thủ Dầu Một, Dĩ An, Thuận An");
    assert_eq!(share("2025-01-02"), (2, 9), "Thủ Dầu Một's of 2021 has lapsed");
    assert_eq!(share("2025-12-31"), (3, 9), "Bến Cát is recognised in 2025");
    let lapsed = cell(&on("2025-01-02"), "thu-dau-mot", "learning-districts").value;
    assert_eq!(lapsed, Some(Value::Attained { attained: false, lapsed: true }));
}

#[test]
fn losing_a_maintained_level_was_critical() {
    let (_, facts) = lived();
    let lost = facts
        .alerts()
        .find(|alert| alert.rule == Rule::Regressing && alert.unit.as_str() == "thuan-an")
        .expect("Thuận An lost primary level 3 in 2023");
    assert_eq!(lost.severity, Severity::Critical);
    assert_eq!(lost.resolved.as_ref().unwrap().resolution, Resolution::Recovered);
}

#[test]
fn a_withdrawn_line_leaves_the_province_provisional() {
    let before = cell(&on("2026-01-13"), "binh-duong", "community-centres-it");
    let after = cell(&on("2026-01-15"), "binh-duong", "community-centres-it");
    assert_eq!(before.provisional, None);
    let provisional = after.provisional.expect("one district's line is withdrawn");
    assert_eq!((provisional.coverage.reported, provisional.coverage.of), (8, 9));
}

#[test]
fn a_unit_keeps_its_history_through_its_changes() {
    let (plan, _) = lived();
    let tan_uyen = plan.unit(&"tan-uyen".parse().unwrap()).unwrap();
    let type_on = |day: &str| on(day).unit_now(tan_uyen).unit_type;
    assert_eq!(type_on("2023-04-09"), "town");
    assert_eq!(type_on("2023-04-12"), "city");
    assert_eq!(type_on("2025-06-30"), "city");
    assert_eq!(type_on("2025-07-01"), "reporting area");
    assert!(cell(&on("2025-12-31"), "tan-uyen", "life-skills").baseline.is_some());
}

#[test]
fn a_corrected_verdict_is_no_recovery() {
    let (_, facts) = lived();
    let missed = facts
        .alerts()
        .find(|alert| {
            alert.rule == Rule::Missed
                && alert.unit.as_str() == "ben-cat"
                && alert.indicator.as_ref().is_some_and(|indicator| indicator.as_str() == "life-skills")
        })
        .expect("Bến Cát missed life skills in 2025 at first");
    assert_eq!(missed.resolved.as_ref().unwrap().resolution, Resolution::Corrected);
}
