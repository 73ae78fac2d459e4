//! Lists at a moment: units, targets and baselines at both times.

use crate::story::{given, percent, rate, unit};
use events::{Period, Review, TargetValue, UnitChange};

#[test]
fn units_are_listed_with_the_changes_in_effect() {
    let mut story = given();
    story.on("2024-04-01").change("ben-cat", UnitChange::Retype { unit_type: "city".into() }, "2024-05-01");
    let of = |as_of: &str, known_at: &str| {
        let view = story.seen(as_of, known_at);
        view.units_listed(view.plan().unit(&unit("ben-cat"))).remove(0)
    };
    assert_eq!(of("2024-04-30", "2024-12-31").unit.unit_type, "town");
    assert_eq!(of("2024-05-01", "2024-03-31").changes, [], "not known yet");
    let later = of("2024-05-01", "2024-12-31");
    assert_eq!((later.unit.unit_type.as_str(), later.changes.len()), ("city", 1));
    assert_eq!(later.changes[0].instrument, "202/2025/QH15");
    assert_eq!(story.as_of("2024-05-01").units_listed(None).len(), 10);
}

#[test]
fn targets_are_listed_as_in_force_and_of_a_unit_those_that_bind_it() {
    let mut story = given();
    story.on("2024-01-10").target("life-skills", Some("di-an"), 2025, percent("40"), "2024-06-01");
    let view = story.as_of("2024-05-31");
    assert_eq!(view.targets_listed(None, None).len(), 31);
    let view = story.as_of("2024-06-01");
    assert_eq!(view.targets_listed(None, None).len(), 32);
    let plan = view.plan();
    let about = plan.indicators.iter().find(|about| about.id.as_str() == "life-skills");
    let of = |id: &str| {
        let listed = view.targets_listed(plan.unit(&unit(id)), about);
        listed.into_iter().map(|target| (target.unit, target.review, target.value)).collect::<Vec<_>>()
    };
    let province = |review: i16, value: &str| (None, Review(review), percent(value));
    assert_eq!(of("thuan-an"), [province(2025, "50"), province(2030, "70")]);
    assert_eq!(of("di-an"), [(Some(unit("di-an")), Review(2025), percent("40")), province(2030, "70")]);
    let mut story = story.clone();
    story.target("life-skills", Some("di-an"), 2025, TargetValue::Withdrawn(true), "2024-07-01");
    assert_eq!(story.as_of("2024-07-01").targets_listed(None, None).len(), 31);
}

#[test]
fn baselines_are_the_first_points_known() {
    let mut story = given();
    story.on("2024-11-20").report("di-an", "2024", [rate("life-skills", 30, 100)]);
    story.on("2024-12-10").document("2023-11-20").history();
    story.report("di-an", "2023", [rate("life-skills", 20, 100)]);
    let of = |known_at: &str| {
        let listed = story.seen("2024-12-31", known_at).baselines_listed(None, None);
        assert_eq!(listed.len(), 1);
        (listed[0].period, listed[0].in_use)
    };
    assert_eq!(of("2024-12-09"), (Period(2024), false));
    assert_eq!(of("2024-12-10"), (Period(2023), true));
}
