//! The clock, and the rule that stops writing when it leaps ahead.

use crate::write_state::ClockLeap;
use events::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How much further than time has passed a clock may go ahead.
pub const LEAP_LIMIT: Duration = Duration::from_secs(5 * 60);
/// How far after the last time that is known to be right the clock may be at a start.
const START_LIMIT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What time it is.
pub trait Clock: Send + Sync + 'static {
    /// The time of day.
    fn now(&self) -> Timestamp;

    /// How much time has passed since some fixed moment; never goes back, whatever the time of day does.
    fn elapsed(&self) -> Duration;

    /// Names the moment that [`Clock::elapsed`] counts from, where that is the same for every process; none where
    /// it is the process's own.
    fn epoch(&self) -> Option<String> {
        None
    }
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Counts the time that the machine sleeps as well: one that wakes in the morning has no leapt clock.
    #[cfg(target_os = "linux")]
    fn elapsed(&self) -> Duration {
        let since_boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::try_from(since_boot).expect("the time since the boot is not negative")
    }

    #[cfg(not(target_os = "linux"))]
    fn elapsed(&self) -> Duration {
        static START: std::sync::LazyLock<std::time::Instant> =
            std::sync::LazyLock::new(std::time::Instant::now);
        START.elapsed()
    }

    #[cfg(target_os = "linux")]
    fn epoch(&self) -> Option<String> {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        Some(boot.trim_end().to_owned())
    }
}

/// A time of day that was taken as right, by the log or by a person, and when that was: what a start goes by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeptClock {
    /// The time of day.
    pub(crate) clock: Timestamp,
    /// What `elapsed_ms` counts from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) epoch: Option<String>,
    /// How much had passed then.
    pub(crate) elapsed_ms: u64,
    /// A later time of day that was refused since and has not been accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) refused: Option<Timestamp>,
}

impl KeptClock {
    /// A time of day that a clock gave, taken as right.
    pub(crate) fn at(now: Timestamp, elapsed: Duration, epoch: Option<String>) -> KeptClock {
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        KeptClock { clock: now, epoch, elapsed_ms, refused: None }
    }

    /// Whether a clock is this one, a moment later.
    pub(crate) fn is_about(&self, clock: Timestamp) -> bool {
        self.refused.is_none() && clock.duration_since(self.clock).unsigned_abs() <= LEAP_LIMIT
    }
}

/// What became of a look at the clock that found it right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judged {
    /// It goes on as it did.
    GoesOn,
    /// It is back where it was before a person accepted another one: that was a mistake.
    BackFromAccepted,
}

/// What the clock said last, against which it is judged.
#[derive(Debug)]
pub(crate) struct ClockGuard {
    seen: Option<Seen>,
    /// What it was judged against before a person accepted a leap.
    before_accepted: Option<Seen>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    clock: Timestamp,
    elapsed: Duration,
    limit: Duration,
    /// A time that was refused: from there on a person has to say that it is right.
    refused: Option<Timestamp>,
}

impl Seen {
    fn at(clock: Timestamp, elapsed: Duration) -> Seen {
        Seen { clock, elapsed, limit: LEAP_LIMIT, refused: None }
    }

    /// The latest that the clock can say.
    fn latest(&self, elapsed: Duration) -> Timestamp {
        let ahead = elapsed.saturating_sub(self.elapsed).saturating_add(self.limit);
        let latest = self.clock.checked_add(ahead).unwrap_or(Timestamp::MAX);
        let before = self.refused.and_then(|refused| refused.checked_sub(LEAP_LIMIT).ok());
        before.map_or(latest, |before| latest.min(before))
    }
}

impl ClockGuard {
    /// Begins at a start. With the clock that was kept, and the time that has passed since, a restart changes
    /// nothing. After a reboot it is not known how much has passed: then the clock may be as far after the last
    /// time that is known to be right as a machine may rest. An empty log takes any clock.
    pub(crate) fn new(
        last_recorded_at: Option<Timestamp>,
        kept: Option<&KeptClock>,
        epoch: Option<&str>,
        elapsed: Duration,
    ) -> ClockGuard {
        let seen = last_recorded_at.map(|recorded| match kept {
            Some(kept) if epoch.is_some() && kept.epoch.as_deref() == epoch => {
                Seen::at(kept.clock, Duration::from_millis(kept.elapsed_ms))
            }
            Some(kept) => {
                Seen { clock: kept.clock.max(recorded), elapsed, limit: START_LIMIT, refused: kept.refused }
            }
            None => Seen { clock: recorded, elapsed, limit: START_LIMIT, refused: None },
        });
        ClockGuard { seen, before_accepted: None }
    }

    /// Judges the clock. A leap is not remembered: the clock may become right again.
    pub(crate) fn observe(&mut self, clock: Timestamp, elapsed: Duration) -> Result<Judged, ClockLeap> {
        let Some(seen) = self.seen else {
            self.seen = Some(Seen::at(clock, elapsed));
            return Ok(Judged::GoesOn);
        };
        let latest = seen.latest(elapsed);
        if clock > latest {
            return Err(ClockLeap { clock, latest });
        }
        if clock >= seen.clock {
            self.seen = Some(Seen::at(clock, elapsed));
            return Ok(Judged::GoesOn);
        }
        let went_back = seen.clock.duration_since(clock).unsigned_abs();
        match self.before_accepted {
            Some(before) if went_back > LEAP_LIMIT && clock <= before.latest(elapsed) => {
                self.seen = Some(Seen::at(clock, elapsed));
                self.before_accepted = None;
                Ok(Judged::BackFromAccepted)
            }
            // It is neither the clock that was accepted nor the one before.
            Some(before) if went_back > LEAP_LIMIT => {
                Err(ClockLeap { clock, latest: before.latest(elapsed) })
            }
            // What was seen stays the measure, so that a clock that went back may come back as well. What a
            // machine may rest at a start is used up.
            _ => {
                self.seen = Some(Seen { limit: LEAP_LIMIT, refused: None, ..seen });
                Ok(Judged::GoesOn)
            }
        }
    }

    /// Takes the clock as right, because a person says so.
    pub(crate) fn accept(&mut self, clock: Timestamp, elapsed: Duration) {
        self.before_accepted = self.before_accepted.or(self.seen);
        self.seen = Some(Seen::at(clock, elapsed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_clock_may_go_ahead_by_what_has_passed_and_five_minutes() {
        let mut guard = ClockGuard::new(None, None, None, seconds(0));
        guard.observe(at("2026-01-01T00:00:00Z"), seconds(0)).unwrap();
        guard.observe(at("2026-01-01T01:05:00Z"), seconds(3_600)).unwrap();
        let leap = guard.observe(at("2026-01-01T01:10:02Z"), seconds(3_601)).unwrap_err();
        assert_eq!(leap.latest, at("2026-01-01T01:10:01Z"));
        guard.observe(at("2026-01-01T01:10:01Z"), seconds(3_601)).unwrap();
    }

    #[test]
    fn a_clock_that_went_back_may_come_back() {
        let mut guard = ClockGuard::new(None, None, None, seconds(0));
        guard.observe(at("2026-01-01T12:00:00Z"), seconds(0)).unwrap();
        guard.observe(at("2026-01-01T02:00:00Z"), seconds(60)).unwrap();
        guard.observe(at("2026-01-01T12:02:00Z"), seconds(120)).unwrap();
    }

    fn kept(clock: &str, epoch: &str, passed: u64) -> KeptClock {
        KeptClock {
            clock: at(clock),
            epoch: Some(epoch.to_owned()),
            elapsed_ms: passed * 1_000,
            refused: None,
        }
    }

    #[test]
    fn at_a_start_the_clock_may_be_thirty_days_after_the_last_recorded_time() {
        let mut guard = ClockGuard::new(Some(at("2026-01-01T00:00:00Z")), None, None, seconds(7));
        assert!(guard.observe(at("2026-01-31T00:00:01Z"), seconds(7)).is_err());
        guard.accept(at("2026-01-31T00:00:01Z"), seconds(7));
        guard.observe(at("2026-01-31T00:00:02Z"), seconds(8)).unwrap();
        // From here on it is judged by what passes.
        assert!(guard.observe(at("2026-01-31T00:06:00Z"), seconds(9)).is_err());
    }

    #[test]
    fn after_a_reboot_a_clock_that_was_kept_counts_like_a_recorded_time() {
        let recorded = Some(at("2026-01-01T00:00:00Z"));
        let kept = kept("2026-06-01T00:00:00Z", "one boot", 0);
        for (clock, is_right) in [("2026-06-30T00:00:00Z", true), ("2026-07-02T00:00:00Z", false)] {
            let mut guard = ClockGuard::new(recorded, Some(&kept), Some("another"), seconds(7));
            assert_eq!(guard.observe(at(clock), seconds(7)).is_ok(), is_right, "{clock}");
        }
    }

    #[test]
    fn a_restart_without_a_reboot_takes_no_leap_that_would_not_have_been_taken_before() {
        let recorded = Some(at("2026-01-01T00:00:00Z"));
        let kept = kept("2026-06-01T00:00:00Z", "one boot", 1_000);
        for (clock, is_right) in [("2026-06-01T01:04:59Z", true), ("2026-06-01T01:05:01Z", false)] {
            let mut guard = ClockGuard::new(recorded, Some(&kept), Some("one boot"), seconds(4_600));
            assert_eq!(guard.observe(at(clock), seconds(4_600)).is_ok(), is_right, "{clock}");
        }
    }

    #[test]
    fn a_time_that_was_refused_is_not_taken_after_a_reboot_either() {
        let recorded = Some(at("2026-06-01T00:00:00Z"));
        let mut kept = kept("2026-06-01T00:00:00Z", "one boot", 0);
        kept.refused = Some(at("2026-06-21T00:00:00Z"));
        for (clock, is_right) in [("2026-06-02T00:00:00Z", true), ("2026-06-21T00:10:00Z", false)] {
            let mut guard = ClockGuard::new(recorded, Some(&kept), Some("another"), seconds(7));
            assert_eq!(guard.observe(at(clock), seconds(7)).is_ok(), is_right, "{clock}");
        }
    }

    #[test]
    fn a_clock_accepted_by_mistake_is_forgotten_once_it_is_right_again() {
        let mut guard = ClockGuard::new(None, None, None, seconds(0));
        guard.observe(at("2026-01-01T00:00:00Z"), seconds(0)).unwrap();
        assert!(guard.observe(at("2027-01-01T00:00:00Z"), seconds(1)).is_err());
        guard.accept(at("2027-01-01T00:00:00Z"), seconds(1));
        assert_eq!(guard.observe(at("2027-01-01T00:00:01Z"), seconds(2)), Ok(Judged::GoesOn));
        assert_eq!(guard.observe(at("2026-01-01T00:00:10Z"), seconds(10)), Ok(Judged::BackFromAccepted));
        assert!(guard.observe(at("2026-01-21T00:00:00Z"), seconds(11)).is_err());
        // Neither is taken that is neither the accepted one nor the one before.
        let mut guard = ClockGuard::new(None, None, None, seconds(0));
        guard.observe(at("2026-01-01T00:00:00Z"), seconds(0)).unwrap();
        guard.accept(at("2027-01-01T00:00:00Z"), seconds(1));
        assert!(guard.observe(at("2026-01-21T00:00:00Z"), seconds(2)).is_err());
        guard.observe(at("2026-01-01T00:00:03Z"), seconds(3)).unwrap();
    }
}
