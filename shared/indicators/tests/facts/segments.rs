//! Snapshots: everything comes back, and one that was changed is refused.

use crate::parked::poison;
use crate::story::{Story, given, indicator, level, percent, rate, unit};
use events::{Position, Resolution, Rule, UnitChange};
use indicators::{Facts, SNAPSHOT_VERSION, SnapshotError};

/// A bit of everything that the fold holds.
fn story() -> Story {
    let mut story = given();
    story.on("2023-11-20").report("di-an", "2023", [rate("life-skills", 1, 4), level("literacy-level", 2)]);
    story.report("di-an", "2023", [crate::story::withdrawn("life-skills")]);
    story.report("bau-bang", "2023", [crate::story::recognised("learning-district", 2021)]);
    story.target("life-skills", Some("di-an"), 2025, percent("55.5"), "2024-03-01");
    story.change("ben-cat", UnitChange::Retype { unit_type: "city".into() }, "2024-05-01");
    story.change("bac-tan-uyen", UnitChange::Dissolve, "2025-07-01");
    story.raise("first", Rule::Behind, "di-an", Some("life-skills"), 2023);
    story.acknowledge("first", "seen");
    story.resolve("first", Resolution::Recovered);
    story.raise("second", Rule::Behind, "di-an", Some("life-skills"), 2023);
    story.raise("overdue", Rule::Overdue, "bau-bang", None, 2022);
    let bytes = poison(&mut story, "phu-giao");
    story.facts.apply_bytes(&bytes).unwrap();
    story
}

fn assert_same(one: &Facts, other: &Facts) {
    assert_eq!(one.head(), other.head());
    assert_eq!(one.head_recorded_at(), other.head_recorded_at());
    assert_eq!(one.digest(), other.digest());
    assert_eq!(one.parked(), other.parked());
    assert_eq!(one.snapshot(), other.snapshot());
    let open = |facts: &Facts| facts.open_alerts().map(|alert| alert.id).collect::<Vec<_>>();
    assert_eq!(open(one), open(other));
}

#[test]
fn everything_that_was_folded_comes_back() {
    let story = story();
    let restored = Facts::restore(&story.facts.snapshot()).unwrap();
    assert_same(&story.facts, &restored);
    assert_eq!(restored.adopted().unwrap().plan, story.plan);
    let about = indicator("life-skills");
    assert_eq!(restored.episodes(Rule::Behind, &unit("di-an"), Some(&about)), 2);
    let open = restored.open_alert(Rule::Behind, &unit("di-an"), Some(&about), None).unwrap();
    assert_eq!(open.id, crate::alerts::alert_id("second"));
    assert_eq!(restored.parked().len(), 1);
    for cut in 0..=restored.head().0 {
        assert_eq!(restored.digest_at(Position(cut)), story.facts.digest_at(Position(cut)), "{cut}");
    }
}

#[test]
fn a_restored_fold_goes_on_as_the_one_that_was_written() {
    let mut story = story();
    let mut restored = Facts::restore(&story.facts.snapshot()).unwrap();
    let from = story.log.len();
    story.report("di-an", "2023", [rate("life-skills", 2, 4)]);
    story.report("phu-giao", "2023", [rate("life-skills", 2, 4)]);
    story.target("life-skills", None, 2025, percent("60"), "2024-06-01");
    story.change("ben-cat", UnitChange::Recode { code: "25840".into() }, "2024-06-01");
    story.acknowledge("second", "again");
    story.resolve("second", Resolution::TargetChanged);
    story.raise("third", Rule::Behind, "di-an", Some("life-skills"), 2024);
    for recorded in &story.log[from..] {
        restored.apply(recorded).unwrap();
    }
    assert_same(&story.facts, &restored);
    assert_eq!(restored.digest(), restored.digest_at(restored.head()));
}

#[test]
fn an_empty_fold_comes_back_empty() {
    let restored = Facts::restore(&Facts::new().snapshot()).unwrap();
    assert_same(&Facts::new(), &restored);
}

#[test]
fn a_changed_snapshot_is_refused_wherever_it_was_changed() {
    let bytes = story().facts.snapshot();
    // A prime step meets the first line, the plan, the reports and the alerts.
    for place in (0..bytes.len()).step_by(197).chain(0..100) {
        let mut changed = bytes.clone();
        changed[place] ^= 0x01;
        assert!(Facts::restore(&changed).is_err(), "byte {place}");
        assert!(Facts::restore(&bytes[..place]).is_err(), "cut at {place}");
    }
    let mut longer = bytes.clone();
    longer.push(b' ');
    assert_eq!(Facts::restore(&longer).unwrap_err(), SnapshotError::Changed);
    assert_eq!(Facts::restore(b"").unwrap_err(), SnapshotError::NoSnapshot);
    assert_eq!(Facts::restore(b"{}\n").unwrap_err(), SnapshotError::NoSnapshot);
}

#[test]
fn another_version_is_refused() {
    let bytes = String::from_utf8(story().facts.snapshot()).unwrap();
    let newer = bytes.replacen(
        &format!("planwatch-facts {SNAPSHOT_VERSION} "),
        &format!("planwatch-facts {} ", SNAPSHOT_VERSION + 1),
        1,
    );
    let error = Facts::restore(newer.as_bytes()).unwrap_err();
    assert_eq!(error, SnapshotError::Version { found: SNAPSHOT_VERSION + 1 });
}

#[test]
fn facts_that_do_not_give_the_written_digest_are_refused() {
    let text = String::from_utf8(story().facts.snapshot()).unwrap();
    let (_, json) = text.split_once('\n').unwrap();
    // As if a version with another fold had written it: whole, but with other facts.
    let json = json.replacen("\"numerator\":1,", "\"numerator\":2,", 1);
    let sum = events::strict_json::sha256_hex(json.as_bytes());
    let forged = format!("planwatch-facts {SNAPSHOT_VERSION} {sum}\n{json}");
    let error = Facts::restore(forged.as_bytes()).unwrap_err();
    assert!(matches!(error, SnapshotError::Digest { .. }), "{error}");
}
