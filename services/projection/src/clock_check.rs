//! Whether the clock can be gone by: an answer that names no day is about today, and today comes from a clock.
//!
//! Ingestion alone judges the clock against what it has recorded. Its verdict is asked for again and again, and
//! between two verdicts this clock may go ahead by what passes and no more.

use bus::Bus;
use bytes::Bytes;
use event_log::LEAP_LIMIT;
use events::{PlanId, Timestamp};
use serde::Deserialize;
use service::Check;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often ingestion is asked.
const ASK_EVERY: Duration = Duration::from_secs(2);
/// How long it may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// What ingestion says of its clock.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TheirClock {
    /// What it says.
    pub(crate) clock: Timestamp,
    /// Why the log does not go by it, if so.
    pub(crate) refused: Option<String>,
}

#[derive(Deserialize)]
struct Told {
    ok: TheirClock,
}

/// The verdict on the clock; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClockCheck {
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    doubt: Option<String>,
    /// What the clock said when it was last found right.
    right: Option<(Timestamp, Instant)>,
}

impl ClockCheck {
    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the clock cannot be gone by, if so.
    pub(crate) fn doubt(&self, clock: Timestamp, now: Instant) -> Option<String> {
        let held = self.lock();
        if held.doubt.is_some() {
            return held.doubt.clone();
        }
        let (right, since) = held.right?;
        let latest = right.checked_add(now.duration_since(since) + LEAP_LIMIT).unwrap_or(Timestamp::MAX);
        (clock > latest).then(|| format!("the clock says {clock}, which should be {latest} at the latest"))
    }

    /// Takes in what ingestion says.
    pub(crate) fn hear(&self, theirs: &TheirClock, clock: Timestamp, now: Instant) {
        let apart = clock.duration_since(theirs.clock).unsigned_abs();
        let doubt = match &theirs.refused {
            Some(refused) => Some(refused.clone()),
            None if apart > LEAP_LIMIT => {
                Some(format!("the clock says {clock}, that of ingestion says {}", theirs.clock))
            }
            None => None,
        };
        let mut held = self.lock();
        if doubt.is_none() {
            held.right = Some((clock, now));
        }
        held.doubt = doubt;
    }

    /// Asks ingestion again and again; while it does not answer, its last verdict stands.
    pub(crate) async fn run(self, bus: Bus, plan: PlanId, check: Check) {
        let mut every = tokio::time::interval(ASK_EVERY);
        loop {
            every.tick().await;
            let told = bus.request(&plan, "ingestion", "clock", Bytes::new(), ANSWER_WITHIN).await;
            if let Ok(Ok(Told { ok })) = told.map(|told| serde_json::from_slice(&told)) {
                self.hear(&ok, Timestamp::now(), Instant::now());
            }
            match self.doubt(Timestamp::now(), Instant::now()) {
                None => check.ok(),
                Some(why) => check.down(why),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn theirs(clock: &str, refused: Option<&str>) -> TheirClock {
        TheirClock { clock: at(clock), refused: refused.map(str::to_owned) }
    }

    #[test]
    fn a_clock_that_ingestion_goes_by_too_is_gone_by_until_it_leaps() {
        let (check, now) = (ClockCheck::default(), Instant::now());
        let clock = at("2026-11-24T09:00:00Z");
        assert_eq!(check.doubt(clock, now), None, "nothing speaks against it yet");
        check.hear(&theirs("2026-11-24T09:00:01Z", None), clock, now);
        let later = now + Duration::from_secs(60);
        assert_eq!(check.doubt(at("2026-11-24T09:05:59Z"), later), None);
        assert!(check.doubt(at("2026-11-24T09:06:01Z"), later).unwrap().contains("should be"));
    }

    #[test]
    fn a_clock_that_ingestion_refuses_or_does_not_share_is_in_doubt_until_it_does() {
        let (check, now) = (ClockCheck::default(), Instant::now());
        let clock = at("2026-11-24T09:00:00Z");
        check.hear(&theirs("2026-11-24T09:00:00Z", Some("it leapt")), clock, now);
        assert_eq!(check.doubt(clock, now).as_deref(), Some("it leapt"));
        check.hear(&theirs("2026-11-24T08:54:00Z", None), clock, now);
        assert!(check.doubt(clock, now).unwrap().contains("that of ingestion says"));
        check.hear(&theirs("2026-11-24T09:00:00Z", None), clock, now);
        assert_eq!(check.doubt(clock, now), None);
    }
}
