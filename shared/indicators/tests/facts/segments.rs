//! Segments: everything comes back, and one that was changed is refused.

use crate::parked::poison;
use crate::story::{Story, given, indicator, level, percent, rate, unit};
use events::{Position, Resolution, Rule, UnitChange};
use indicators::{Facts, Moment, SEGMENT_VERSION, SegmentError, SegmentHead, View};

const CONTENT: [u8; 32] = [7; 32];
const BEFORE: [u8; 32] = [0; 32];

/// Everything that was folded, as bytes.
pub(crate) fn dump(facts: &Facts) -> Vec<u8> {
    facts.segment(Position::START, CONTENT, BEFORE)
}

pub(crate) fn loaded(segments: &[Vec<u8>]) -> Result<Facts, SegmentError> {
    let mut facts = Facts::new();
    segments.iter().try_for_each(|segment| facts.load(segment).map(|_| ()))?;
    Ok(facts)
}

/// A bit of everything that the fold holds.
fn story() -> Story {
    let mut story = given();
    story.on("2023-11-20").report("di-an", "2023", [rate("life-skills", 1, 4), level("literacy-level", 2)]);
    story.report("di-an", "2023", [crate::story::withdrawn("life-skills")]);
    story.report("bau-bang", "2023", [crate::story::recognised("learning-district", 2021)]);
    story.target("life-skills", Some("di-an"), 2025, percent("55.5"), "2024-03-01");
    story.change("ben-cat", UnitChange::Retype { unit_type: "city".into() }, "2024-05-01");
    story.change("bac-tan-uyen", UnitChange::Dissolve, "2025-07-01");
    story.baseline("di-an", "life-skills", 2020, Some((1, 8)), "2022-05-20");
    story.baseline("di-an", "life-skills", 2020, None, "2022-06-20");
    story.amend(&[("thresholds.on_track", events::KeyValue::Text("0.90".into()))], "2024-01-01");
    story.amend(&[("reviews.2025.units_as_of", events::KeyValue::Nothing)], "2024-02-01");
    story.extend(2023, None, "2023-12-16", "2023-11-25").extend(
        2023,
        Some("di-an"),
        "2023-12-20",
        "2023-11-26",
    );
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
    assert_eq!(dump(one), dump(other));
    assert_eq!(other.walked_digest_at(other.head()), other.digest());
    let open = |facts: &Facts| facts.open_alerts().map(|alert| alert.id).collect::<Vec<_>>();
    assert_eq!(open(one), open(other));
}

#[test]
fn everything_that_was_folded_comes_back() {
    let story = story();
    let restored = loaded(&[dump(&story.facts)]).unwrap();
    assert_same(&story.facts, &restored);
    assert_eq!(restored.adopted().unwrap().plan, story.plan);
    let about = indicator("life-skills");
    assert_eq!(restored.episodes(Rule::Behind, &unit("di-an"), Some(&about)), 2);
    let open = restored.open_alert(Rule::Behind, &unit("di-an"), Some(&about), None).unwrap();
    assert_eq!(open.id, crate::alerts::alert_id("second"));
    assert_eq!(restored.parked().len(), 1);
    for cut in 0..=restored.head().0 {
        let cut = Position(cut);
        assert_eq!(restored.digest_at(cut), story.facts.digest_at(cut), "{cut}");
        assert_eq!(restored.walked_digest_at(cut), story.facts.digest_at(cut), "{cut}");
    }
}

#[test]
fn a_restored_fold_goes_on_as_the_one_that_was_written() {
    let mut story = story();
    let mut restored = loaded(&[dump(&story.facts)]).unwrap();
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
    assert_eq!(restored.digest(), restored.walked_digest_at(restored.head()));
}

#[test]
fn a_segment_says_what_it_is_of() {
    let facts = story().facts;
    let head = SegmentHead::read(&dump(&facts)).unwrap();
    let expected =
        SegmentHead { after: Position::START, head: facts.head(), content: CONTENT, content_before: BEFORE };
    assert_eq!(head, expected);
}

#[test]
fn segments_follow_each_other_without_a_gap_and_without_coming_twice() {
    let mut story = story();
    let first = dump(&story.facts);
    let between = story.facts.head();
    story.report("di-an", "2024", [rate("life-skills", 2, 4)]);
    let second = story.facts.segment(between, CONTENT, CONTENT);
    assert_same(&story.facts, &loaded(&[first.clone(), second.clone()]).unwrap());
    let elsewhere = |after, head| Err(SegmentError::Elsewhere { after, head });
    assert_eq!(loaded(&[second]).map(|_| ()), elsewhere(between, Position::START));
    assert_eq!(loaded(&[first.clone(), first]).map(|_| ()), elsewhere(Position::START, between));
}

#[test]
fn a_changed_segment_is_refused_wherever_it_was_changed() {
    let bytes = dump(&story().facts);
    // A prime step meets the head, the plan, the reports and the alerts.
    for place in (0..bytes.len()).step_by(197).chain(0..160) {
        let mut changed = bytes.clone();
        changed[place] ^= 0x01;
        assert!(loaded(&[changed]).is_err(), "byte {place}");
        assert!(loaded(&[bytes[..place].to_vec()]).is_err(), "cut at {place}");
    }
    let mut longer = bytes;
    longer.push(0);
    assert_eq!(loaded(&[longer]).unwrap_err(), SegmentError::Changed);
}

#[test]
fn another_version_is_refused() {
    let mut bytes = dump(&story().facts);
    bytes[7] += 1;
    assert_eq!(loaded(&[bytes]).unwrap_err(), SegmentError::Version { found: SEGMENT_VERSION + 1 });
    assert_eq!(loaded(&[b"planwatch-facts 1 ".to_vec()]).unwrap_err(), SegmentError::NoSegment);
}

/// Facts, and a small segment that goes on from them with something of everything.
fn small() -> (Facts, Facts, Vec<u8>) {
    let mut story = story();
    let (before, after) = (story.facts.clone(), story.facts.head());
    story.report("di-an", "2023", [rate("life-skills", 2, 4), level("literacy-level", 1)]);
    story.report("bau-bang", "2024", [crate::story::recognised("learning-district", 2021)]);
    story.target("life-skills", None, 2025, percent("60"), "2024-06-01");
    story.change("ben-cat", UnitChange::Recode { code: "25840".into() }, "2024-06-01");
    story.acknowledge("second", "again");
    story.resolve("second", Resolution::TargetChanged);
    let segment = story.facts.segment(after, CONTENT, BEFORE);
    (before, story.facts, segment)
}

fn load(before: &Facts, segment: &[u8]) -> Result<Facts, SegmentError> {
    let mut facts = before.clone();
    facts.load(segment).map(|_| facts)
}

#[test]
fn every_flipped_bit_of_a_segment_is_refused() {
    let (before, whole, segment) = small();
    assert_same(&whole, &load(&before, &segment).unwrap());
    for bit in 0..segment.len() * 8 {
        let mut flipped = segment.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(load(&before, &flipped).is_err(), "bit {bit}");
    }
    for end in 0..segment.len() {
        assert!(load(&before, &segment[..end]).is_err(), "cut at {end}");
    }
}

/// As if a version with another fold had written it: whole, but with something else in it.
fn forged(bytes: &[u8], place: usize) -> Vec<u8> {
    use sha2::Digest;
    let mut bytes = bytes.to_vec();
    bytes[place] ^= 0x01;
    let checksum = sha2::Sha256::digest(&bytes[40..]);
    bytes[8..40].copy_from_slice(&checksum);
    bytes
}

#[test]
fn what_nobody_wrote_is_refused_or_gives_the_digest_that_was_written() {
    let whole = story().facts;
    let bytes = dump(&whole);
    for place in (104..bytes.len()).step_by(31) {
        // What the digest does not cover, such as a summary or what a position was, may differ; nothing panics.
        if let Ok(facts) = loaded(&[forged(&bytes, place)]) {
            assert_eq!(facts.digest(), whole.digest(), "byte {place}");
        }
    }
    let (before, whole, segment) = small();
    let now = "2033-01-01T00:00:00Z".parse().unwrap();
    for place in 104..segment.len() {
        let Ok(facts) = load(&before, &forged(&segment, place)) else { continue };
        assert_eq!(facts.digest(), whole.digest(), "byte {place}");
        if place % 11 > 0 {
            continue;
        }
        // Whatever is in it can be asked and written again.
        let view = View::new(&facts, Moment::at(facts.head(), now)).unwrap();
        assert!(!view.cells().is_empty());
        facts.walked_digest_at(facts.head());
        dump(&facts);
    }
    let error = loaded(&[forged(&bytes, 104)]).unwrap_err();
    assert!(matches!(error, SegmentError::Digest { .. }), "{error}");
}
