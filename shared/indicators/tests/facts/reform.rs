//! A reform: units that are established, merged and split, and what follows from it for cells, sums and shares.

use crate::segments::{dump, loaded};
use crate::story::{Ask, DISTRICTS, PROVINCE, Story, attained, given, percent, rate, unit};
use events::{Period, Share, Successor, UnitChange, UnitName};
use indicators::{ReportProgress, Verdict};

pub(crate) fn establish(name: &str) -> UnitChange {
    UnitChange::Establish {
        name: UnitName { vi: format!("Phường {name}"), en: format!("{name} ward") },
        unit_type: "ward".into(),
        code: "25760".into(),
        parent: None,
    }
}

pub(crate) fn merge(into: &str, share: Option<(u64, u64)>) -> UnitChange {
    UnitChange::Merge { into: unit(into), share: share.map(of) }
}

pub(crate) fn split<const N: usize>(into: [(&str, Option<(u64, u64)>); N]) -> UnitChange {
    let successor =
        |(name, share): (&str, Option<(u64, u64)>)| Successor { unit: unit(name), share: share.map(of) };
    UnitChange::Split { into: into.into_iter().map(successor).collect() }
}

fn of((numerator, denominator): (u64, u64)) -> Share {
    Share { numerator, denominator }
}

const WHOLE: Option<(u64, u64)> = Some((1, 1));

/// Bàu Bàng and Bến Cát report 2022 to 2024; on 1 July 2025 a new ward comes into force.
fn given_two_and_a_ward() -> Story {
    let mut story = given();
    story.on("2022-11-20").report("ben-cat", "2022", [rate("life-skills", 1, 10)]);
    story.on("2023-11-20").report("bau-bang", "2023", [rate("life-skills", 300, 1_000)]);
    story.report("ben-cat", "2023", [rate("life-skills", 500, 3_000)]);
    story.on("2024-11-20").report("bau-bang", "2024", [rate("life-skills", 400, 1_000)]);
    story.report("ben-cat", "2024", [rate("life-skills", 600, 3_000)]);
    story.on("2025-06-20").change("new", establish("New"), "2025-07-01");
    story
}

#[test]
fn an_established_unit_is_known_when_recorded_and_in_force_from_its_day_on() {
    let mut story = given();
    story.on("2025-06-20").change("new", establish("New"), "2025-07-01");
    let names = |view: indicators::View<'_>| -> Vec<String> {
        view.units_now().into_iter().map(|now| now.id.to_string()).collect()
    };
    let known = |day: &str| names(story.known_at(day)).contains(&"new".to_owned());
    assert_eq!((known("2025-06-19"), known("2025-06-20")), (false, true));
    let in_force = |day: &str| {
        let view = story.as_of(day);
        view.in_force(&unit("new"), view.moment().as_of)
    };
    assert_eq!((in_force("2025-06-30"), in_force("2025-07-01")), (false, true));
    // 9·12 + 17 = 125, and twelve more.
    assert_eq!(story.as_of("2025-06-30").cells().len(), 125);
    assert_eq!(story.as_of("2025-07-01").cells().len(), 137);
    let view = story.as_of("2025-07-01");
    let now = view.unit_now(view.plan().unit(&unit("new")).unwrap());
    assert_eq!(
        (now.name.vi.as_str(), now.unit_type.as_str(), now.code.as_str()),
        ("Phường New", "ward", "25760")
    );
    assert_eq!((now.level, now.in_force), (plan::Level::District, true));
    // A later renaming and retyping hold as for any unit.
    story.change("new", UnitChange::Retype { unit_type: "city".into() }, "2026-01-01");
    let view = story.as_of("2026-01-01");
    assert_eq!(view.unit_now(view.plan().unit(&unit("new")).unwrap()).unit_type, "city");
}

#[test]
fn an_established_unit_owes_reports_from_the_period_of_its_establishment_on() {
    let mut story = given();
    story.on("2025-06-20").change("new", establish("New"), "2025-07-01");
    story.change("late", establish("Late"), "2025-12-01");
    story.change("later", establish("Later"), "2025-12-02");
    let view = story.as_of("2027-01-01");
    let overdue = |of: &str| -> Vec<i16> {
        let unit = view.plan().unit(&unit(of)).unwrap();
        view.overdue_periods(unit).iter().map(|period| period.year()).collect()
    };
    assert_eq!((overdue("new"), overdue("late")), (vec![2025, 2026], vec![2025, 2026]));
    // Established after the deadline of 2025 it could not have met it.
    assert_eq!(overdue("later"), [2026]);
    let of_2024 = view.report_of(view.plan().unit(&unit("new")).unwrap(), Period(2024));
    assert_eq!((of_2024.state, of_2024.due), (ReportProgress::Awaited, None));
}

#[test]
fn a_merged_unit_leaves_but_its_cells_and_history_stay() {
    let mut story = given_two_and_a_ward();
    story.change("bau-bang", merge("new", WHOLE), "2025-07-01");
    story.change("ben-cat", merge("new", WHOLE), "2025-07-01");
    let (before, after) = (story.as_of("2025-06-30"), story.as_of("2025-07-01"));
    // Nine districts, then eight: two are gone, one has come.
    assert_eq!((before.cells().len(), after.cells().len()), (125, 113));
    assert_eq!(
        (before.ask("bau-bang", "life-skills").in_force, after.ask("di-an", "life-skills").in_force),
        (None, None)
    );
    assert_eq!(before.ask("new", "life-skills").in_force, Some(false));
    let gone = after.ask("bau-bang", "life-skills");
    assert_eq!(gone.in_force, Some(false));
    assert_eq!(gone.value, before.ask("bau-bang", "life-skills").value);
    // The successor has nothing of its own yet: no figure is carried over.
    assert_eq!(after.told("new", "life-skills"), "- | - | 2025: 50% | - | - | - | no-data");
    let view = story.as_of("2026-01-01");
    let overdue = view.overdue_periods(view.plan().unit(&unit("bau-bang")).unwrap());
    assert_eq!(overdue, [Period(2022)], "2025 was due when it was gone");
}

#[test]
fn a_successors_baseline_is_that_of_its_predecessors_by_their_shares() {
    let mut story = given_two_and_a_ward();
    story.change("bau-bang", merge("new", WHOLE), "2025-07-01");
    story.change("ben-cat", merge("new", WHOLE), "2025-07-01");
    story.on("2025-11-20").report("new", "2025", [rate("life-skills", 1_400, 4_000)]);
    // 2023 is the earliest period of both: (300 + 500)/(1000 + 3000) = 20 %. E(2025) = 50 %, the pace
    // (35 − 20)/(50 − 20) = 0.5 < 0.6.
    let view = story.as_of("2025-12-31");
    assert_eq!(
        view.told("new", "life-skills"),
        "2025 | 1400/4000=35.00 | 2025: 50% | 2023: 20.00 | 50.00 | 0.50 | behind"
    );
    let cell = view.ask("new", "life-skills");
    assert_eq!(cell.baseline.unwrap().derived_from, [unit("bau-bang"), unit("ben-cat")]);
    // Its report, the two reports of 2023, the two mergers and the target.
    assert_eq!(cell.because.len(), 6);
    // The path begins there: 20 % in 2023, 35 % in 2024, 50 % in 2025.
    let series = view.series(
        view.plan().unit(&unit("new")).unwrap(),
        view.plan().indicator(&crate::story::indicator("life-skills")).unwrap(),
    );
    let expected: Vec<_> = series.points.iter().map(|point| point.expected.as_deref()).collect();
    assert_eq!(expected[..5], [None, None, Some("20.00"), Some("35.00"), Some("50.00")]);
    // It stays the baseline when more is reported.
    story.on("2026-11-20").report("new", "2026", [rate("life-skills", 2_000, 4_000)]);
    let baseline = story.as_of("2026-12-31").ask("new", "life-skills").baseline.unwrap();
    assert_eq!((baseline.period, baseline.percent.as_str()), (Period(2023), "20.00"));
    // A correction of a predecessor's figures corrects it: (700 + 500)/4000 = 30 %.
    story.on("2027-01-10").document("2025-06-01").report(
        "bau-bang",
        "2023",
        [rate("life-skills", 700, 1_000)],
    );
    let baseline = story.as_of("2027-01-31").ask("new", "life-skills").baseline.unwrap();
    assert_eq!((baseline.period, baseline.percent.as_str()), (Period(2023), "30.00"));
}

#[test]
fn a_share_weighs_what_a_split_unit_gives() {
    let mut story = given_two_and_a_ward();
    story.change("other", establish("Other"), "2025-07-01");
    story.change("bau-bang", split([("new", Some((1, 3))), ("other", Some((2, 3)))]), "2025-07-01");
    story.change("ben-cat", merge("new", Some((1, 2))), "2025-07-01");
    story.on("2025-11-20").report("new", "2025", [rate("life-skills", 600, 1_800)]);
    story.report("other", "2025", [rate("life-skills", 300, 700)]);
    let view = story.as_of("2025-12-31");
    // (300/3 + 500/2)/(1000/3 + 3000/2) = 350/(5500/3) = 1050/5500 = 19.09 %.
    let baseline = view.ask("new", "life-skills").baseline.unwrap();
    assert_eq!((baseline.period, baseline.percent.as_str()), (Period(2023), "19.09"));
    // The other has Bàu Bàng alone: 30 % whatever its share.
    let baseline = view.ask("other", "life-skills").baseline.unwrap();
    assert_eq!((baseline.percent.as_str(), baseline.derived_from), ("30.00", vec![unit("bau-bang")]));
}

#[test]
fn nothing_is_derived_where_a_share_is_unknown_or_no_period_is_common() {
    let mut story = given_two_and_a_ward();
    story.change("other", establish("Other"), "2025-07-01");
    story.change("bau-bang", merge("new", WHOLE), "2025-07-01");
    story.change("ben-cat", split([("new", None), ("other", Some((1, 2)))]), "2025-07-01");
    // Dầu Tiếng never reported: with it nothing is common.
    story.change("dau-tieng", merge("other", WHOLE), "2025-07-01");
    story.on("2025-11-20").report("new", "2025", [rate("life-skills", 1_400, 4_000)]);
    story.report("other", "2025", [rate("life-skills", 1_400, 4_000)]);
    let view = story.as_of("2025-12-31");
    for of in ["new", "other"] {
        assert_eq!(
            view.told(of, "life-skills"),
            "2025 | 1400/4000=35.00 | 2025: 50% | - | - | - | no-baseline",
            "{of}"
        );
    }
    // With a second report of its own the rule of every unit holds.
    story.on("2026-11-20").report("new", "2026", [rate("life-skills", 2_000, 4_000)]);
    let baseline = story.as_of("2026-12-31").ask("new", "life-skills").baseline.unwrap();
    assert_eq!((baseline.period, baseline.percent.as_str()), (Period(2025), "35.00"));
    assert!(baseline.derived_from.is_empty());
}

#[test]
fn a_successor_that_reported_before_keeps_its_own_baseline() {
    let mut story = given_two_and_a_ward();
    story.change("bau-bang", merge("ben-cat", WHOLE), "2025-07-01");
    story.on("2025-11-20").report("ben-cat", "2025", [rate("life-skills", 2_000, 4_000)]);
    let baseline = story.as_of("2025-12-31").ask("ben-cat", "life-skills").baseline.unwrap();
    assert_eq!((baseline.period, baseline.percent.as_str()), (Period(2022), "10.00"));
    assert!(baseline.derived_from.is_empty());
}

#[test]
fn before_a_merger_holds_or_is_known_nothing_follows_from_it() {
    let mut story = given_two_and_a_ward();
    story.change("bau-bang", merge("new", WHOLE), "2025-07-01");
    story.change("ben-cat", merge("new", WHOLE), "2026-07-01");
    story.on("2025-11-20").report("new", "2025", [rate("life-skills", 1_400, 4_000)]);
    let baseline = |day: &str| story.as_of(day).ask("new", "life-skills").baseline.unwrap();
    assert_eq!(baseline("2026-06-30").percent, "30.00");
    assert_eq!(baseline("2026-07-01").percent, "20.00");
    let known = story.seen("2025-07-15", "2025-07-15");
    assert_eq!(known.predecessors(&unit("new")).len(), 1);
}

#[test]
fn shares_and_reviews_count_the_units_of_their_day_across_a_reform() {
    let mut story = given();
    story.on("2024-11-20").all_report("2024", |place| vec![attained("learning-district", place < 3)]);
    story.on("2025-06-20").change("new", establish("New"), "2025-07-01");
    // The first two, both recognised, go over into the new one, which has not reported.
    story.change(DISTRICTS[0], merge("new", WHOLE), "2025-07-01");
    story.change(DISTRICTS[1], merge("new", WHOLE), "2025-07-01");
    assert_eq!(
        story.as_of("2025-06-30").told(PROVINCE, "learning-districts"),
        "2024 | 3/9=33.33 needs 0 | 2025: 25% | - | - | - | achieved"
    );
    // Of eight, one: ⌈0.25·8⌉ = 2. It was met before: regressing.
    assert_eq!(
        story.as_of("2025-07-01").told(PROVINCE, "learning-districts"),
        "2024 | 1/8=12.50 needs 1 | 2025: 25% | - | - | - | regressing"
    );
    // The review of 2025 counts the nine of 30 June 2025, as the plan decides: 3 of 9.
    let review = story.as_of("2026-01-01");
    assert_eq!(review.verdicts(PROVINCE, "learning-districts"), [Some(Verdict::Met), None]);
    // That of 2030 counts those in force at its end: the new one and the other seven, 1 of 8 reported as such.
    story.on("2030-11-20").target("learning-districts", None, 2030, percent("20"), "2030-01-01");
    for of in DISTRICTS[2..].iter().chain(&["new"]) {
        story.report(of, "2030", [attained("learning-district", *of == "new" || *of == DISTRICTS[2])]);
    }
    let end = story.as_of("2031-01-01");
    // 2 of 8 are 25 % ≥ 20 %.
    assert_eq!(end.verdicts(PROVINCE, "learning-districts"), [Some(Verdict::Met), Some(Verdict::Met)]);
    // A unit that came into force after a review's end has no verdict of it.
    assert_eq!(end.verdicts("new", "life-skills"), [Some(Verdict::NoData), Some(Verdict::NoData)]);
    story.on("2031-01-02").change("latest", establish("Latest"), "2031-01-01");
    assert_eq!(story.as_of("2031-01-02").verdicts("latest", "life-skills"), [None, None]);
}

#[test]
fn a_sum_counts_successors_from_the_year_of_the_reform_on() {
    let mut story = given();
    story.on("2024-11-20").all_report("2024", |_| vec![rate("life-skills", 300, 1_000)]);
    story.on("2025-06-20").change("new", establish("New"), "2025-07-01");
    story.change(DISTRICTS[0], merge("new", WHOLE), "2025-07-01");
    story.change(DISTRICTS[1], merge("new", WHOLE), "2025-07-01");
    story.on("2025-11-20");
    for of in &DISTRICTS[2..] {
        story.report(of, "2025", [rate("life-skills", 600, 1_000)]);
    }
    // Seven of eight: provisional.
    let open = story.as_of("2025-11-20").ask(PROVINCE, "life-skills");
    let coverage = open.provisional.unwrap().coverage;
    assert_eq!((coverage.reported, coverage.of), (7, 8));
    story.report("new", "2025", [rate("life-skills", 800, 2_000)]);
    // 2024: 2700/9000 = 30 %; 2025: (7·600 + 800)/(7000 + 2000) = 5000/9000 = 55.56 %; pace 25.56/20 = 1.28.
    assert_eq!(
        story.as_of("2025-12-31").told(PROVINCE, "life-skills"),
        "2025 | 5000/9000=55.56 | 2025: 50% | 2024: 30.00 | 50.00 | 1.28 | achieved"
    );
}

/// The plan with a second province, to which the last two districts belong.
fn two_provinces() -> plan::Plan {
    let mut plan = crate::story::binh_duong();
    for unit in &mut plan.units {
        let second = DISTRICTS[7..].contains(&unit.id.as_str());
        let parent = crate::story::unit(if second { "second" } else { PROVINCE });
        unit.parent = (unit.level == plan::Level::District).then_some(parent);
    }
    let second = plan::Unit { id: unit("second"), ..plan.province().clone() };
    plan.units.push(second);
    plan
}

#[test]
fn a_district_that_moves_is_counted_where_it_belongs_on_the_day() {
    let mut story = crate::story::given_plan(two_provinces(), |_, _| true);
    story.on("2024-11-20").all_report("2024", |place| {
        vec![rate("life-skills", 100 * place as u64, 1_000), attained("learning-district", place == 7)]
    });
    story.on("2025-06-20").change("thuan-an", UnitChange::Move { parent: unit(PROVINCE) }, "2025-07-01");
    let (before, after) = (story.as_of("2025-06-30"), story.as_of("2025-07-01"));
    // Seven districts and two: 0 + … + 600 of 7000, 700 + 800 of 2000.
    for (view, of, value) in [
        (before, PROVINCE, "2024 | 2100/7000=30.00 | 2025: 50% | - | - | - | no-baseline"),
        (before, "second", "2024 | 1500/2000=75.00 | 2025: 50% | - | - | - | achieved"),
        // The year keeps who belonged there on its last day.
        (after, PROVINCE, "2024 | 2100/7000=30.00 | 2025: 50% | - | - | - | no-baseline"),
        (after, "second", "2024 | 1500/2000=75.00 | 2025: 50% | - | - | - | achieved"),
    ] {
        assert_eq!(view.told(of, "life-skills"), value, "{of}");
    }
    // Shares count those of the moment: 0/7 and 1/2, then 1/8 and 0/1.
    for (view, of, value) in [
        (before, PROVINCE, "2024 | 0/7=0.00 needs 2 | 2025: 25% | - | - | - | pending"),
        (before, "second", "2024 | 1/2=50.00 needs 0 | 2025: 25% | - | - | - | achieved"),
        (after, PROVINCE, "2024 | 1/8=12.50 needs 1 | 2025: 25% | - | - | - | pending"),
        (after, "second", "2024 | 0/1=0.00 needs 1 | 2025: 25% | - | - | - | regressing"),
    ] {
        assert_eq!(view.told(of, "learning-districts"), value, "{of}");
    }
    let parent = |view: indicators::View<'_>| {
        view.unit_now(view.plan().unit(&unit("thuan-an")).unwrap()).parent.map(|parent| parent.to_string())
    };
    assert_eq!((parent(before).as_deref(), parent(after).as_deref()), (Some("second"), Some(PROVINCE)));
    assert_eq!(parent(story.seen("2025-06-19", "2025-06-19")).as_deref(), Some("second"));
    // 2025 is summed over eight and one.
    story.on("2025-11-20").report("bac-tan-uyen", "2025", [rate("life-skills", 900, 1_000)]);
    let told = story.as_of("2025-12-31").told("second", "life-skills");
    assert!(told.starts_with("2025 | 900/1000=90.00 |"), "{told}");
    let coverage =
        story.as_of("2025-12-31").ask(PROVINCE, "life-skills").provisional.map(|newer| newer.coverage.of);
    assert_eq!(coverage, None, "none of the eight has reported 2025");
    story.report("thuan-an", "2025", [rate("life-skills", 900, 1_000)]);
    let newer = story.as_of("2025-12-31").ask(PROVINCE, "life-skills").provisional.unwrap();
    assert_eq!((newer.coverage.reported, newer.coverage.of), (1, 8));
}

#[test]
fn what_is_set_aside_degrades_the_provinces_that_it_belonged_to() {
    let mut story = crate::story::given_plan(two_provinces(), |_, _| true);
    story.on("2025-06-20").change("di-an", merge("nowhere", WHOLE), "2025-07-01");
    let view = story.as_of("2025-07-01");
    assert!(view.ask(PROVINCE, "life-skills").degraded.is_some());
    assert!(view.ask("second", "life-skills").degraded.is_none());
}

#[test]
fn what_the_fold_cannot_place_is_set_aside() {
    for (of, change) in [
        ("di-an", establish("Dĩ An")),
        ("nowhere", UnitChange::Dissolve),
        ("di-an", merge("nowhere", WHOLE)),
        ("di-an", split([("ben-cat", None), ("nowhere", None)])),
        ("di-an", UnitChange::Move { parent: unit("nowhere") }),
        ("di-an", UnitChange::Move { parent: unit("ben-cat") }),
    ] {
        let mut story = given();
        let before = story.facts.digest();
        story.on("2025-06-20").change(of, change.clone(), "2025-07-01");
        assert!(story.facts.parked().contains_key(&Some(unit(of))), "{change:?}");
        assert_eq!(story.facts.digest(), before, "{change:?}");
        // The province's sums cannot be told any more.
        let cell = story.as_of("2025-07-01").ask(PROVINCE, "life-skills");
        assert_eq!(cell.degraded.map(|degraded| degraded.since), Some(story.facts.head()), "{change:?}");
    }
}

#[test]
fn a_reform_comes_back_from_segments() {
    let mut story = given_two_and_a_ward();
    let first = dump(&story.facts);
    let between = story.facts.head();
    story.change("other", establish("Other"), "2025-07-01");
    story.change("bau-bang", split([("new", Some((1, 3))), ("other", None)]), "2025-07-01");
    story.change("ben-cat", merge("new", WHOLE), "2025-07-01");
    story.change("di-an", UnitChange::Move { parent: unit(PROVINCE) }, "2025-07-01");
    story.on("2025-11-20").report("other", "2025", [rate("life-skills", 1, 2)]);
    let second = story.facts.segment(between, [7; 32], [7; 32]);
    for segments in [vec![dump(&story.facts)], vec![first, second]] {
        let restored = loaded(&segments).unwrap();
        assert_eq!(restored.digest(), story.facts.digest());
        assert_eq!(restored.walked_digest_at(restored.head()), story.facts.digest());
        assert_eq!(dump(&restored), dump(&story.facts));
        assert_eq!(restored.adopted(), story.facts.adopted());
        let moment = story.moment(Some("2026-01-01"), None);
        let cells = |facts| indicators::View::new(facts, moment).unwrap().cells();
        assert_eq!(cells(&restored), cells(&story.facts));
    }
    assert_eq!(story.facts.adopted().unwrap().digest, story.plan.digest(), "the adoption stays as it was");
}
