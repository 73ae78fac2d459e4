//! Reviews: the model at a moment, completed with what only the log knows.

use crate::digests::Digests;
use crate::question::Question;
use event_log::{Log, ReadError};
use events::{FieldError, Position, Refusal, RefusalKind};
use indicators::{Facts, Moment, View};
use plan::Plan;
use reviews::{Draft, DraftError, Review};
use std::collections::BTreeMap;

/// Drafts the review of the year asked for; a position cuts it there, should the moment reach further.
pub(crate) fn draft(
    facts: &Facts,
    digests: &Digests,
    question: &Question,
    moment: Moment,
) -> Result<Draft, Refusal> {
    let cut = question.position.map_or(moment.cut, |position| position.min(moment.cut));
    let view = View::new(facts, Moment { cut, ..moment }).ok_or_else(before_the_plan)?;
    let year = question.review.as_deref().unwrap_or_default();
    Draft::of(&view, year, digests.at(facts, cut)).map_err(refused)
}

/// Looks up when the events were recorded.
pub(crate) fn complete(draft: Draft, log: &Log, plan: &Plan) -> Result<Review, ReadError> {
    let calendar = &plan.calendar;
    let mut recorded: BTreeMap<Position, String> = BTreeMap::new();
    for position in draft.positions() {
        if let Some(stored) = log.event_at(position)? {
            recorded.insert(position, calendar.shown(stored.recorded_at));
        }
    }
    let recorded_at = |position| recorded.get(&position).cloned().expect("what is folded is in the log");
    Ok(draft.finish(recorded_at, None))
}

fn before_the_plan() -> Refusal {
    Refusal::of_field(
        RefusalKind::Rules,
        FieldError::new(
            "?known_at",
            "before-the-plan",
            "at that moment the plan was not known yet",
            "ask for a moment after the plan was adopted into the log",
        ),
    )
}

fn refused(error: DraftError) -> Refusal {
    let reason = error.to_string();
    match error {
        DraftError::NoSuchReview { known, .. } => Refusal::of_field(
            RefusalKind::NotFound,
            FieldError::new("", "unknown-review", reason, format!("ask for {known}")),
        ),
        DraftError::Degraded { .. } => Refusal::new(RefusalKind::Unavailable, reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn ask(review: &str, position: Option<u64>, known_at: &str) -> Result<Draft, Refusal> {
        let facts = fixture::facts();
        let question =
            Question { review: Some(review.into()), position: position.map(Position), ..Question::default() };
        let moment = Moment::at(facts.head(), fixture::instant(known_at));
        draft(&facts, &Digests::default(), &question, moment)
    }

    #[test]
    fn a_year_that_the_plan_has_no_review_of_is_not_found() {
        let refusal = ask("2027", None, "2026-02-01T00:00:00Z").unwrap_err();
        assert_eq!(refusal.kind, RefusalKind::NotFound);
        assert_eq!(refusal.errors[0].code, "unknown-review");
        assert!(refusal.detail.contains("2025 and 2030"), "{}", refusal.detail);
    }

    #[test]
    fn a_position_cuts_the_review_there() {
        let whole = ask("2025", None, "2026-02-01T00:00:00Z").unwrap();
        let cut = ask("2025", Some(33), "2026-02-01T00:00:00Z").unwrap();
        let shown = |draft: Draft| draft.finish(|position| position.to_string(), None);
        let (whole, cut) = (shown(whole), shown(cut));
        assert_eq!(cut.position, Position(33));
        assert!(whole.events.iter().any(|event| event.kind == "unit-changed"));
        assert!(cut.events.iter().all(|event| event.position <= Position(33)));
        assert_ne!(whole.digest, cut.digest);
        assert_eq!(shown(ask("2025", Some(9_999), "2026-02-01T00:00:00Z").unwrap()), whole);
        assert!(ask("2025", Some(0), "2026-02-01T00:00:00Z").unwrap_err().detail.contains("plan"));
    }
}
