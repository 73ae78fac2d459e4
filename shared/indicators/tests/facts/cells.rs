//! Which cells there are, and what counts as a value (the plan, II.2).

use crate::story::{Ask, DISTRICTS, PROVINCE, attained, given, level, percent, rate};
use events::Review;
use indicators::ReportProgress;
use std::collections::BTreeMap;

#[test]
fn the_plan_has_17_indicators_and_31_targets() {
    let plan = given().plan;
    assert_eq!(plan.indicators.len(), 17);
    let mut of_review = BTreeMap::new();
    for target in plan.indicators.iter().flat_map(|indicator| &indicator.targets) {
        *of_review.entry(target.review).or_insert(0) += 1;
    }
    assert_eq!(of_review, BTreeMap::from([(Review(2025), 15), (Review(2030), 16)]));
}

#[test]
fn there_are_125_cells() {
    // 9 districts × 12 indicators that their measures feed + 17 of the province = 108 + 17.
    let story = given();
    let view = story.as_of("2024-06-01");
    let cells = view.cells();
    assert_eq!(cells.len(), 125);
    for district in DISTRICTS {
        assert_eq!(cells.iter().filter(|cell| cell.unit.as_str() == district).count(), 12, "{district}");
    }
    assert_eq!(cells.iter().filter(|cell| cell.unit.as_str() == PROVINCE).count(), 17);
}

#[test]
fn a_district_has_a_cell_for_what_its_measures_feed() {
    let story = given();
    let cells = story.as_of("2024-06-01").cells();
    let of_di_an: Vec<&str> = cells
        .iter()
        .filter(|cell| cell.unit.as_str() == "di-an")
        .map(|cell| cell.indicator.as_str())
        .collect();
    assert_eq!(
        of_di_an,
        [
            "districts-literacy-2",
            "districts-primary-3",
            "districts-lower-secondary-2",
            "districts-lower-secondary-3",
            "information-literacy",
            "life-skills",
            "trained-workforce",
            "university-degree",
            "digital-institutions",
            "community-centres-it",
            "learning-citizens",
            "learning-districts",
        ]
    );
}

#[test]
fn nothing_reported_is_no_data_in_every_cell() {
    let story = given();
    let view = story.as_of("2022-06-01");
    for cell in view.cells() {
        assert_eq!(cell.status.unwrap().name(), "no-data", "{} {}", cell.unit, cell.indicator);
        assert_eq!(cell.value, None);
    }
}

#[test]
fn one_measure_feeds_two_indicators() {
    let mut story = given();
    story.on("2023-11-20").report("di-an", "2023", [level("lower-secondary-level", 2)]);
    let view = story.as_of("2023-12-31");
    // Level 2 is what 100 % of the districts have to reach; level 3 is asked of 40 % only and binds nobody.
    assert_eq!(
        view.told("di-an", "districts-lower-secondary-2"),
        "2023 | level 2 | 2025: level 2 | - | - | - | achieved"
    );
    assert_eq!(
        view.told("di-an", "districts-lower-secondary-3"),
        "2023 | level 2 | - | - | - | - | no-target"
    );
    // One of nine at level 2: 1/9 = 11.11 %, 9 − 1 = 8 more. None of nine at level 3: ⌈0.40·9⌉ = 4 more.
    assert_eq!(
        view.told(PROVINCE, "districts-lower-secondary-2"),
        "2023 | 1/9=11.11 needs 8 | 2025: 100% | - | - | - | pending"
    );
    assert_eq!(
        view.told(PROVINCE, "districts-lower-secondary-3"),
        "2023 | 0/9=0.00 needs 4 | 2025: 40% | - | - | - | pending"
    );
}

#[test]
fn a_share_binds_a_district_only_while_the_target_spoken_of_is_the_whole() {
    let mut story = given();
    story.on("2023-11-20").report("di-an", "2023", [level("lower-secondary-level", 2)]);
    // The share of level 3: 40 % for 2025, raised to 100 % for 2030.
    story.target("districts-lower-secondary-3", None, 2030, percent("100"), "2024-01-01");
    // Learning districts: 100 % for 2025, still 50 % for 2030.
    story.target("learning-districts", None, 2025, percent("100"), "2024-01-01");
    story.on("2024-11-20").report("di-an", "2024", [attained("learning-district", false)]);
    let in_2024 = story.as_of("2024-12-31");
    assert_eq!(in_2024.status("di-an", "districts-lower-secondary-3"), "no-target");
    assert_eq!(in_2024.told("di-an", "learning-districts"), "2024 | no | 2025: yes | - | - | - | pending");
    // From 2026 on the status speaks of 2030, whatever 2025 said.
    let in_2026 = story.as_of("2026-01-01");
    assert_eq!(
        in_2026.told("di-an", "districts-lower-secondary-3"),
        "2023 | level 2 | 2030: level 3 | - | - | - | pending"
    );
    assert_eq!(in_2026.told("di-an", "learning-districts"), "2024 | no | - | - | - | - | no-target");
}

#[test]
fn nothing_of_nothing_is_reported_but_no_point() {
    let mut story = given();
    story.on("2022-11-20").report("di-an", "2022", [rate("community-centres-it", 3, 7)]);
    story.on("2023-11-20").report("di-an", "2023", [rate("community-centres-it", 0, 0)]);
    story.report("bau-bang", "2023", [rate("community-centres-it", 0, 0)]);
    let view = story.as_of("2023-12-31");
    // The cell speaks of 2022, its latest period with a denominator: 3/7 = 42.857…, one point, below 70 %.
    assert_eq!(
        view.told("di-an", "community-centres-it"),
        "2022 | 3/7=42.86 | 2025: 70% | - | - | - | no-baseline"
    );
    assert_eq!(view.ask("di-an", "community-centres-it").report.state, ReportProgress::Received);
    assert_eq!(view.told("bau-bang", "community-centres-it"), "- | - | 2025: 70% | - | - | - | no-data");
    let report = view.ask("bau-bang", "community-centres-it").report;
    assert_eq!(report.state, ReportProgress::Overdue, "the report for 2022 is missing");
    assert_eq!(report.period.year(), 2022);
}

#[test]
fn the_province_alone_reports_some() {
    let mut story = given();
    story.on("2023-11-20").report(
        PROVINCE,
        "2023",
        [
            level("province-literacy-level", 2),
            attained("preschool-age-5", true),
            attained("preschool-age-4", false),
            attained("learning-province", false),
            rate("digital-universities", 5, 8),
        ],
    );
    let view = story.as_of("2023-12-31");
    let of_province = |about| view.told(PROVINCE, about);
    assert_eq!(
        of_province("province-literacy-level"),
        "2023 | level 2 | 2025: level 2 | - | - | - | achieved"
    );
    assert_eq!(of_province("preschool-age-5"), "2023 | yes | 2025: yes | - | - | - | achieved");
    // No target for 2025: the next one whose year has not ended is that of 2030.
    assert_eq!(of_province("preschool-age-4"), "2023 | no | 2030: yes | - | - | - | pending");
    assert_eq!(of_province("learning-province"), "2023 | no | 2030: yes | - | - | - | pending");
    // 5/8 = 62.5 %, one point, below 70 %.
    assert_eq!(of_province("digital-universities"), "2023 | 5/8=62.50 | 2025: 70% | - | - | - | no-baseline");
}
