//! The sample's reviews: their verdicts are those of the cells, and the same log gives the same bytes.

use super::*;
use ::reviews::{Draft, Format, Language, Review, render};
use indicators::Verdict;

fn review_on(year: &str, day: &str) -> Review {
    let view = on(day);
    let digest = view.facts().digest_at(view.moment().cut);
    let recorded = |position: Position| {
        let (instant, _) = cuts().iter().find(|(_, last)| *last >= position).unwrap();
        view.plan().calendar.shown(*instant)
    };
    Draft::of(&view, year, digest).unwrap().finish(recorded, None)
}

#[test]
fn every_verdict_is_that_of_its_cell() {
    for (year, day) in [("2025", "2025-06-01"), ("2025", "2026-01-31"), ("2030", "2026-01-31")] {
        let (view, review) = (on(day), review_on(year, day));
        let mut seen = 0;
        for entry in &review.targets {
            for judged in entry.province.iter().chain(&entry.districts) {
                let cell = cell(&view, judged.unit.as_str(), entry.indicator.as_str());
                assert_eq!(
                    cell.verdicts[&review.review.year], judged.verdict,
                    "{} {}",
                    judged.unit, entry.indicator
                );
                seen += 1;
            }
        }
        assert!(seen > 100, "{year} {day}: {seen}");
    }
}

#[test]
fn the_verdict_follows_from_the_distance() {
    let review = review_on("2025", "2026-01-31");
    let cells = || review.targets.iter().flat_map(|entry| entry.province.iter().chain(&entry.districts));
    for cell in cells() {
        let Some(distance) = &cell.distance else { continue };
        let nothing_lacks = distance.needed.unwrap_or(0) == 0 && distance.levels.unwrap_or(0) == 0;
        assert_eq!(nothing_lacks, cell.verdict == Some(Verdict::Met), "{cell:?}");
    }
    for verdict in [Verdict::Met, Verdict::NotMet, Verdict::NoData] {
        assert!(cells().any(|cell| cell.verdict == Some(verdict)), "the sample shows {verdict:?}");
    }
}

#[test]
fn a_target_that_the_plan_does_not_restate_is_shown_and_not_judged() {
    let review = review_on("2030", "2026-01-31");
    let silent: Vec<_> = review
        .targets
        .iter()
        .filter_map(|entry| entry.province.as_ref().filter(|cell| cell.target.restated == Some(false)))
        .collect();
    assert_eq!(silent.len(), 1);
    assert_eq!(silent[0].target.review, events::Review(2025));
    assert_eq!(silent[0].verdict, None);
}

#[test]
fn the_same_log_gives_the_same_bytes() {
    let (once, again) = (review_on("2025", "2026-01-31"), review_on("2025", "2026-01-31"));
    for format in Format::ALL {
        for language in Language::ALL {
            assert!(
                render(&once, format, language) == render(&again, format, language),
                "{format} {language}"
            );
        }
    }
    assert!(!once.target_changes.is_empty() && !once.unit_changes.is_empty() && once.sample);
}
