//! Series: every period of one cell, with the expected path beside it.

use crate::story::{DISTRICTS, PROVINCE, Story, attained, given, indicator, level, rate, unit, value_told};
use indicators::{Series, SeriesPoint};

fn series(story: &Story, day: &str, of: &str, about: &str) -> Series {
    let view = story.as_of(day);
    view.series(story.plan.unit(&unit(of)).unwrap(), story.plan.indicator(&indicator(about)).unwrap())
}

/// `period value expected`, for the periods that have either.
fn told(series: &Series) -> Vec<String> {
    let with_content = series.points.iter().filter(|point| point.value.is_some() || point.expected.is_some());
    with_content
        .map(|point: &SeriesPoint| {
            let value = point.value.as_ref().map_or("-".into(), value_told);
            let provisional = if point.provisional { " provisional" } else { "" };
            format!("{} {value} {}{provisional}", point.period, point.expected.as_deref().unwrap_or("-"))
        })
        .collect()
}

#[test]
fn a_rate_shows_its_path_from_the_baseline_to_2030() {
    let mut story = given();
    story.yearly("di-an", "life-skills", &[(2022, 2_000), (2024, 3_000)]);
    let series = series(&story, "2024-12-31", "di-an", "life-skills");
    // 20 in 2022, 10 points a year to 50 in 2025, 4 a year to 70 in 2030.
    assert_eq!(
        told(&series),
        [
            "2022 2000/10000=20.00 20.00",
            "2023 - 30.00",
            "2024 3000/10000=30.00 40.00",
            "2025 - 50.00",
            "2026 - 54.00",
            "2027 - 58.00",
            "2028 - 62.00",
            "2029 - 66.00",
            "2030 - 70.00",
        ]
    );
    assert_eq!(series.points.len(), 10);
    assert_eq!(series.position, story.facts.head());
    assert_eq!(series.as_of, "2024-12-31T23:59:59.999+07:00");
}

#[test]
fn one_point_shows_no_path() {
    let mut story = given();
    story.yearly("di-an", "life-skills", &[(2022, 2_000)]);
    assert_eq!(told(&series(&story, "2024-12-31", "di-an", "life-skills")), ["2022 2000/10000=20.00 -"]);
}

#[test]
fn a_point_names_the_revision_that_said_it() {
    let mut story = given();
    story.on("2023-11-20").report("di-an", "2023", [rate("life-skills", 1, 4)]);
    story.on("2023-12-10").report("di-an", "2023", [rate("life-skills", 1, 5)]);
    let revision = |day| {
        let series = series(&story, day, "di-an", "life-skills");
        series.points.iter().find_map(|point| point.revision)
    };
    assert_eq!(revision("2023-12-09"), Some(1));
    assert_eq!(revision("2023-12-10"), Some(2));
}

#[test]
fn a_sum_shows_its_coverage() {
    let mut story = given();
    story.on("2023-11-20").all_report("2023", |_| vec![rate("life-skills", 1, 4)]);
    story.on("2024-11-20");
    for of in &DISTRICTS[..8] {
        story.report(of, "2024", [rate("life-skills", 1, 2)]);
    }
    let series = series(&story, "2024-12-31", PROVINCE, "life-skills");
    assert_eq!(told(&series), ["2023 9/36=25.00 -", "2024 8/16=50.00 - provisional"]);
    let coverage = series.points[3].coverage.unwrap();
    assert_eq!((coverage.reported, coverage.of), (8, 9));
}

#[test]
fn a_share_stands_as_at_each_periods_end() {
    let mut story = given();
    story.on("2022-11-20").report("di-an", "2022", [attained("learning-district", true)]);
    story.on("2023-11-20").report("bau-bang", "2023", [attained("learning-district", true)]);
    // Recognised for 2022 it lapses on 1 January 2026, for 2023 on 1 January 2027.
    assert_eq!(
        told(&series(&story, "2026-06-01", PROVINCE, "learning-districts")),
        [
            "2022 1/9=11.11 needs 4 -",
            "2023 2/9=22.22 needs 3 stale di-an -",
            "2024 2/9=22.22 needs 3 stale di-an -",
            "2025 2/9=22.22 needs 3 stale di-an -",
            "2026 1/9=11.11 needs 4 stale di-an lapsed di-an -",
        ]
    );
}

#[test]
fn a_level_stands_in_the_period_that_reported_it() {
    let mut story = given();
    story.on("2022-11-20").report("di-an", "2022", [level("literacy-level", 1)]);
    story.on("2024-11-20").report("di-an", "2024", [level("literacy-level", 2)]);
    assert_eq!(
        told(&series(&story, "2024-12-31", "di-an", "districts-literacy-2")),
        ["2022 level 1 -", "2024 level 2 -"]
    );
}
