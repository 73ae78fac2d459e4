//! Units over time: a change of type, name or code keeps the unit; a dissolved one leaves its history.

use crate::story::{Ask, DISTRICTS, PROVINCE, attained, given, rate, unit};
use events::UnitChange;
use indicators::{ReportProgress, Verdict};

fn retype(unit_type: &str) -> UnitChange {
    UnitChange::Retype { unit_type: unit_type.into() }
}

#[test]
fn a_town_that_becomes_a_city_stays_the_same_unit() {
    let mut story = given();
    story.yearly("tan-uyen", "life-skills", &[(2021, 2_000), (2022, 2_750)]);
    story.on("2023-03-01").change("tan-uyen", retype("city"), "2023-04-10");
    let of = story.plan.unit(&unit("tan-uyen")).unwrap();
    // The change was recorded on 1 March and holds from 10 April on.
    assert_eq!(story.as_of("2023-04-09").unit_now(of).unit_type, "town");
    assert_eq!(story.as_of("2023-04-10").unit_now(of).unit_type, "city");
    assert_eq!(story.as_of("2023-04-10T00:00:00+07:00").unit_now(of).unit_type, "city");
    assert_eq!(story.seen("2023-04-10", "2023-02-28").unit_now(of).unit_type, "town");
    // E(2022) = 20 + (50 − 20)·1/4 = 27.5; (27.5 − 20)/(27.5 − 20) = 1.
    for day in ["2023-04-09", "2023-04-10"] {
        assert_eq!(
            story.as_of(day).told("tan-uyen", "life-skills"),
            "2022 | 2750/10000=27.50 | 2025: 50% | 2021: 20.00 | 27.50 | 1.00 | on-track",
            "{day}"
        );
    }
}

#[test]
fn nine_reporting_areas_are_still_125_cells() {
    let mut story = given();
    story.on("2025-06-20");
    for of in DISTRICTS {
        story.change(of, retype("reporting area"), "2025-07-01");
    }
    let view = story.as_of("2025-07-01");
    assert_eq!(view.cells().len(), 125);
    let areas = view.units_now().into_iter().filter(|now| now.unit_type == "reporting area");
    assert_eq!(areas.count(), 9);
    assert!(!story.as_of("2025-06-30").units_now().iter().any(|now| now.unit_type == "reporting area"));
}

#[test]
fn names_and_codes_hold_over_intervals() {
    let mut story = given();
    story.on("2024-01-10").change("di-an", UnitChange::Rename { name: "Dĩ An Mới".into() }, "2024-03-01");
    story.change("di-an", UnitChange::Recode { code: "25840".into() }, "2024-02-01");
    // Recorded later, in force earlier: at the end the name of 1 March stands.
    story.change("di-an", UnitChange::Rename { name: "Dĩ An Cũ".into() }, "2024-02-01");
    let of = story.plan.unit(&unit("di-an")).unwrap();
    let at = |day| {
        let now = story.as_of(day).unit_now(of);
        (now.name.vi, now.code)
    };
    assert_eq!(at("2024-01-31"), ("Dĩ An".into(), "724".into()));
    assert_eq!(at("2024-02-01"), ("Dĩ An Cũ".into(), "25840".into()));
    assert_eq!(at("2024-03-01"), ("Dĩ An Mới".into(), "25840".into()));
}

#[test]
fn of_two_changes_on_one_day_the_later_position_counts() {
    let mut story = given();
    story.on("2024-01-10").change("di-an", retype("town"), "2024-03-01");
    story.change("di-an", retype("ward"), "2024-03-01");
    let of = story.plan.unit(&unit("di-an")).unwrap();
    assert_eq!(story.as_of("2024-03-01").unit_now(of).unit_type, "ward");
}

#[test]
fn a_dissolved_unit_leaves_cells_and_shares_but_keeps_its_history() {
    let mut story = given();
    story.on("2024-11-20").all_report("2024", |place| vec![attained("learning-district", place < 2)]);
    story.on("2025-06-20").change("bac-tan-uyen", UnitChange::Dissolve, "2025-07-01");
    let before = story.as_of("2025-06-30");
    let after = story.as_of("2025-07-01");
    // 8·12 + 17 = 113.
    assert_eq!((before.cells().len(), after.cells().len()), (125, 113));
    // 2/9 = 22.22 % and ⌈0.25·9⌉ = 3 are needed; of eight, 2/8 = 25 % is enough: 100·2 ≥ 25·8.
    assert_eq!(
        before.told(PROVINCE, "learning-districts"),
        "2024 | 2/9=22.22 needs 1 | 2025: 25% | - | - | - | pending"
    );
    assert_eq!(
        after.told(PROVINCE, "learning-districts"),
        "2024 | 2/8=25.00 needs 0 | 2025: 25% | - | - | - | achieved"
    );
    // The review counts the nine districts of 30 June 2025: 2 of 9 do not reach 25 %.
    let review = story.as_of("2026-01-01");
    assert_eq!(review.verdicts(PROVINCE, "learning-districts"), [Some(Verdict::NotMet), None]);
    // Asked for by name, its cells are still there.
    let gone = story.plan.unit(&unit("bac-tan-uyen")).unwrap();
    assert_eq!(after.cells_of(gone).len(), 12);
    assert_eq!(after.told("bac-tan-uyen", "learning-districts"), "2024 | no | - | - | - | - | no-target");
}

#[test]
fn a_sum_counts_the_units_in_force_on_31_december_of_its_period() {
    let mut story = given();
    story.on("2024-11-20").all_report("2024", |_| vec![rate("life-skills", 300, 1_000)]);
    story.on("2025-06-20").change("bac-tan-uyen", UnitChange::Dissolve, "2025-07-01");
    story.on("2025-11-20");
    for of in &DISTRICTS[..8] {
        story.report(of, "2025", [rate("life-skills", 600, 1_000)]);
    }
    // 2024 keeps its nine units: 2700/9000 = 30 %. 2025 is complete with eight: 4800/8000 = 60 % ≥ 50 %.
    // The baseline is 30 % in 2024, E(2025) = 50: pace = (60 − 30)/(50 − 30) = 1.5.
    assert_eq!(
        story.as_of("2025-12-31").told(PROVINCE, "life-skills"),
        "2025 | 4800/8000=60.00 | 2025: 50% | 2024: 30.00 | 50.00 | 1.50 | achieved"
    );
    let verdicts = story.as_of("2026-01-01").verdicts(PROVINCE, "life-skills");
    assert_eq!(verdicts, [Some(Verdict::Met), None]);
}

#[test]
fn a_dissolved_unit_owes_no_report_after_its_end() {
    let mut story = given();
    story.on("2022-11-20").report("bau-bang", "2022", [attained("learning-district", false)]);
    story.on("2023-11-20").report("bau-bang", "2023", [attained("learning-district", false)]);
    story.on("2025-06-20").change("bau-bang", UnitChange::Dissolve, "2025-07-01");
    let of = story.plan.unit(&unit("bau-bang")).unwrap();
    let view = story.as_of("2027-01-01");
    // 2024 was due while it was in force; 2025 and 2026 were not.
    let overdue: Vec<i16> = view.overdue_periods(of).iter().map(|period| period.year()).collect();
    assert_eq!(overdue, [2024]);
    let of_2025 = view.report_of(of, events::Period(2025));
    assert_eq!((of_2025.state, of_2025.due), (ReportProgress::Awaited, None));
}
