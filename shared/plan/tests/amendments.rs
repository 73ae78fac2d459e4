//! Amendments: every key that may be changed, the plan that comes of it, and what is refused.

#![expect(clippy::unwrap_used, reason = "what a test takes for granted may fail it")]

use events::{KeyChange, KeyTexts, KeyValue};
use plan::Plan;

fn plan() -> Plan {
    plan::file::read("binh-duong.toml", include_str!("../../../deploy/plans/binh-duong.toml")).unwrap()
}

fn change(key: &str, value: KeyValue) -> KeyChange {
    KeyChange { key: key.to_owned(), value }
}

fn text(text: &str) -> KeyValue {
    KeyValue::Text(text.to_owned())
}

#[test]
fn every_key_is_given_another_value_and_nothing_else_changes() {
    let texts =
        KeyValue::Texts(KeyTexts { vi: "Quyết định khác".to_owned(), en: "Another".to_owned() });
    let changes = [
        change("thresholds.on_track", text("0.90")),
        change("thresholds.at_risk", text("0.50")),
        change("alerts.behind.fires_below", text("0.55")),
        change("alerts.behind.clears_from", text("0.70")),
        change("alerts.at_risk.fires_below", text("0.93")),
        change("alerts.at_risk.clears_from", text("0.98")),
        change("reviews.2030.units_as_of", text("2025-06-30")),
        change("calendar.history_after_days", KeyValue::Whole(60)),
        change("measures.learning-district.months", KeyValue::Whole(24)),
        change("indicators.life-skills.binds_districts", KeyValue::Flag(false)),
        change("indicators.districts-primary-3.counts_from_level", KeyValue::Whole(2)),
        change("indicators.preschool-age-5.not_restated.2030.mark", text("attain")),
        change("decisions.2.text", texts),
    ];
    let adopted = plan();
    for change in &changes {
        let before = adopted.value_of(&change.key).unwrap_or_else(|| panic!("{}", change.key));
        assert_ne!(before, change.value, "{}", change.key);
        let amended =
            adopted.amended(std::slice::from_ref(change)).unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(amended.value_of(&change.key).unwrap(), change.value);
        assert_ne!(amended.canonical(), adopted.canonical());
        let back = self::change(&change.key, before);
        assert_eq!(amended.amended(&[back]).unwrap(), adopted, "{}", change.key);
    }
    let amended = adopted.amended(&changes).unwrap();
    assert_eq!(Plan::from_canonical(&amended.canonical()).unwrap(), amended);
}

#[test]
fn what_can_be_left_out_is_left_out_by_nothing() {
    let amended = plan().amended(&[
        change("reviews.2025.units_as_of", KeyValue::Nothing),
        change("measures.learning-district.months", KeyValue::Nothing),
    ]);
    let amended = amended.unwrap();
    assert_eq!(amended.reviews[0].units_as_of, None);
    assert_eq!(amended.value_of("measures.learning-district.months"), Some(KeyValue::Nothing));
}

#[test]
fn a_key_that_there_is_not_or_a_value_of_another_kind_is_named() {
    for key in [
        "id",
        "adopted",
        "thresholds",
        "thresholds.on_track.x",
        "alerts.overdue.fires_below",
        "reviews.2027.units_as_of",
        "measures.life-skills.months",
        "measures.nothing.months",
        "indicators.nothing.binds_districts",
        "indicators.life-skills.not_restated.2030.mark",
        "indicators.life-skills.targets",
        "decisions.99.text",
        "decisions.02.text",
        "",
    ] {
        let errors = plan().amended(&[change(key, text("0.9"))]).unwrap_err();
        assert_eq!(
            (errors[0].code, errors[0].change, errors[0].in_key),
            ("unknown-key", Some(0), true),
            "{key}"
        );
    }
    for (key, value) in [
        ("thresholds.on_track", KeyValue::Whole(1)),
        ("thresholds.on_track", text("0.901")),
        ("thresholds.on_track", KeyValue::Nothing),
        ("reviews.2025.units_as_of", text("2025-02-30")),
        ("calendar.history_after_days", KeyValue::Whole(65_536)),
        ("calendar.history_after_days", text("31")),
        ("indicators.life-skills.binds_districts", text("true")),
        ("indicators.preschool-age-5.not_restated.2030.mark", text("hold")),
        ("decisions.2.text", text("only one language")),
    ] {
        let errors =
            plan().amended(&[change("thresholds.at_risk", text("0.5")), change(key, value)]).unwrap_err();
        let expected = ("value-of-another-kind", Some(1), false);
        assert_eq!((errors[0].code, errors[0].change, errors[0].in_key), expected, "{key}");
    }
}

#[test]
fn an_amended_plan_is_held_against_the_rules_of_plan_files() {
    let wrong = |key: &str, value: KeyValue| plan().amended(&[change(key, value)]).unwrap_err().remove(0);
    let at_risk = wrong("thresholds.at_risk", text("0.95"));
    assert_eq!((at_risk.code, at_risk.change), ("plan-would-be-wrong", Some(0)));
    assert!(at_risk.what.contains("0.95"), "{}", at_risk.what);
    assert_eq!(wrong("reviews.2025.units_as_of", text("2026-01-01")).change, Some(0));
    assert_eq!(wrong("measures.learning-district.months", KeyValue::Whole(0)).change, Some(0));
    assert_eq!(wrong("indicators.districts-primary-3.counts_from_level", KeyValue::Whole(4)).change, Some(0));
    assert_eq!(wrong("indicators.learning-districts.binds_districts", KeyValue::Flag(true)).change, Some(0));
    // The rule speaks of another key than the one that was changed.
    let on_track = wrong("thresholds.on_track", text("0.60"));
    assert_eq!(on_track.change, None);
    assert!(on_track.what.starts_with("thresholds.at_risk: "), "{}", on_track.what);
}
