//! Data quality: what is found, and what is right at the bound of each rule.

use crate::story::{DISTRICTS, PROVINCE, Story, attained, given, level, rate, recognised, unit, withdrawn};
use indicators::{FINDING_RULES, Finding, FindingRule};

fn found(story: &Story) -> Vec<Finding> {
    story.as_of("2031-06-01").findings(None, None)
}

fn told(story: &Story) -> Vec<String> {
    let told = |finding: &Finding| {
        format!("{} {} {} {}", finding.rule.name(), finding.unit, finding.measure, finding.period)
    };
    found(story).iter().map(told).collect()
}

/// Life skills of Dĩ An, reported each November.
fn yearly(points: &[(i16, u64, u64)]) -> Story {
    let mut story = given();
    for (year, numerator, denominator) in points {
        story.on(&format!("{year}-11-20"));
        story.report("di-an", &year.to_string(), [rate("life-skills", *numerator, *denominator)]);
    }
    story
}

#[test]
fn a_denominator_may_change_by_a_fifth_and_no_more() {
    assert!(told(&yearly(&[(2022, 250, 1_000), (2023, 300, 1_200)])).is_empty(), "a fifth");
    assert!(told(&yearly(&[(2022, 250, 1_000), (2023, 200, 800)])).is_empty(), "a fifth down");
    let story = yearly(&[(2022, 250, 1_000), (2023, 300, 1_201)]);
    assert_eq!(told(&story), ["denominator-jump di-an life-skills 2023"]);
    let finding = &found(&story)[0];
    assert_eq!(
        finding.sentence.en,
        "Di An – Working-age people equipped with life skills: the denominator grew by 20.10 % in a year, from 1000 (period 2022) to 1201 (period 2023)."
    );
    assert!(finding.sentence.vi.contains("mẫu số tăng 20,10 % trong một năm"), "{}", finding.sentence.vi);
    let events: Vec<_> = finding.evidence.iter().map(|evidence| evidence.part.event).collect();
    let reports: Vec<_> = story.log[story.log.len() - 2..].iter().map(|recorded| recorded.event.id).collect();
    assert_eq!(events, reports);
    assert_eq!(
        told(&yearly(&[(2022, 250, 1_000), (2023, 200, 799)])),
        ["denominator-jump di-an life-skills 2023"]
    );
    assert!(told(&yearly(&[(2022, 25, 50), (2023, 30, 99)])).is_empty(), "few institutions change by much");
    assert_eq!(
        told(&yearly(&[(2022, 25, 50), (2023, 50, 100)])),
        ["denominator-jump di-an life-skills 2023"]
    );
    assert!(told(&yearly(&[(2022, 250, 1_000), (2024, 1_000, 4_000)])).is_empty(), "a year between");
}

#[test]
fn a_rate_may_move_by_twenty_points_and_no_more() {
    assert!(told(&yearly(&[(2022, 200, 1_000), (2023, 400, 1_000)])).is_empty());
    assert_eq!(
        told(&yearly(&[(2022, 200, 1_000), (2023, 401, 1_000)])),
        ["numerator-outlier di-an life-skills 2023"]
    );
    assert_eq!(
        told(&yearly(&[(2022, 401, 1_000), (2023, 200, 1_000)])),
        ["numerator-outlier di-an life-skills 2023"]
    );
    assert!(told(&yearly(&[(2022, 2, 10), (2023, 8, 10)])).is_empty(), "of ten, one is ten points");
}

#[test]
fn the_same_figures_two_years_running_are_found_where_they_are_large() {
    let story = yearly(&[(2022, 200, 1_000), (2023, 200, 1_000), (2024, 200, 1_000)]);
    assert_eq!(
        told(&story),
        ["identical-figures di-an life-skills 2023", "identical-figures di-an life-skills 2024"]
    );
    assert!(
        told(&yearly(&[(2022, 4, 10), (2023, 4, 10)])).is_empty(),
        "four of ten institutions stay four of ten"
    );
    assert!(told(&yearly(&[(2022, 200, 1_000), (2023, 201, 1_000)])).is_empty());
}

#[test]
fn what_was_corrected_or_taken_back_is_found_no_more() {
    let mut story = yearly(&[(2022, 200, 1_000), (2023, 200, 1_000)]);
    story.on("2024-03-01").report("di-an", "2023", [withdrawn("life-skills")]);
    assert!(told(&story).is_empty());
    let before = story.known_at("2024-02-01").findings(None, None);
    assert_eq!(before.len(), 1, "what was known before the correction is still found there");
}

#[test]
fn a_level_that_falls_is_found_however_long_after() {
    let mut story = given();
    story.on("2022-11-20").report("di-an", "2022", [level("primary-level", 3)]);
    story.on("2024-11-20").report("di-an", "2024", [level("primary-level", 2)]);
    story.on("2025-11-20").report("di-an", "2025", [level("primary-level", 2)]);
    assert_eq!(told(&story), ["regressing-level di-an primary-level 2024"]);
}

#[test]
fn recognitions_that_exclude_each_other_are_found() {
    let mut story = given();
    story.on("2022-11-20").report("di-an", "2022", [attained("learning-district", true)]);
    story.on("2024-11-20").report("di-an", "2024", [attained("learning-district", false)]);
    // Recognised for 2022, it holds until the end of 2025.
    story.on("2026-11-20").report("di-an", "2026", [attained("learning-district", false)]);
    assert_eq!(told(&story), ["recognition-contradiction di-an learning-district 2024"]);
    let mut story = given();
    story.on("2023-11-20").report("di-an", "2023", [attained("learning-district", true)]);
    story.on("2024-11-20").report("di-an", "2024", [recognised("learning-district", 2022)]);
    assert_eq!(told(&story), ["recognition-contradiction di-an learning-district 2024"]);
    let mut story = given();
    story.on("2023-11-20").report("di-an", "2023", [attained("learning-district", true)]);
    story.on("2024-11-20").report("di-an", "2024", [recognised("learning-district", 2023)]);
    assert!(told(&story).is_empty(), "the same recognition told again");
}

#[test]
fn a_province_at_literacy_2_needs_every_district_that_is_known_at_it() {
    let mut story = given();
    story.on("2023-11-20").report(PROVINCE, "2023", [level("province-literacy-level", 2)]);
    assert!(told(&story).is_empty(), "what nobody reported contradicts nothing");
    for of in &DISTRICTS[..8] {
        story.report(of, "2023", [level("literacy-level", 2)]);
    }
    assert!(told(&story).is_empty());
    story.report(DISTRICTS[8], "2023", [level("literacy-level", 1)]);
    assert_eq!(told(&story), ["level-contradiction binh-duong province-literacy-level 2023"]);
    let finding = &found(&story)[0];
    assert!(
        finding.sentence.en.ends_with("below level 2 are: Bac Tan Uyen (Decree 20/2014/NĐ-CP, article 21).")
    );
    assert_eq!(finding.evidence.len(), 2);
    let view = story.as_of("2031-06-01");
    let of = |id: &str| view.findings(view.plan().unit(&unit(id)), None).len();
    assert_eq!((of(PROVINCE), of(DISTRICTS[8]), of(DISTRICTS[0])), (1, 1, 0), "whom it speaks of");
    // The district gets there later: the year 2023 contradicts still, 2024 does not.
    story.on("2024-11-20").report(DISTRICTS[8], "2024", [level("literacy-level", 2)]);
    story.report(PROVINCE, "2024", [level("province-literacy-level", 2)]);
    assert_eq!(told(&story), ["level-contradiction binh-duong province-literacy-level 2023"]);
}

#[test]
fn a_learning_province_without_a_learning_district_is_found() {
    let mut story = given();
    story.on("2024-11-20").report(PROVINCE, "2024", [attained("learning-province", true)]);
    assert_eq!(told(&story), ["province-contradiction binh-duong learning-province 2024"]);
    story.report("di-an", "2024", [attained("learning-district", true)]);
    assert!(told(&story).is_empty());
}

#[test]
fn every_rule_stands_once_in_the_table_with_its_reasons() {
    let rules: std::collections::BTreeSet<FindingRule> =
        FINDING_RULES.iter().map(|bounds| bounds.rule).collect();
    assert_eq!(rules.len(), FINDING_RULES.len());
    for bounds in &FINDING_RULES {
        assert_eq!(bounds.rule.bounds(), bounds);
        assert_eq!(serde_json::to_value(bounds.rule).unwrap(), bounds.rule.name());
        assert!(bounds.reason.len() > 20 && bounds.reason_vi.len() > 20);
    }
}
