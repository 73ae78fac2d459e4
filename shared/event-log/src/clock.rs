//! The clock, and the rule that stops writing when it leaps ahead.

use crate::write_state::ClockLeap;
use events::Timestamp;
use std::time::Duration;

/// How much further than time has passed the clock may go ahead.
const LEAP_LIMIT: Duration = Duration::from_secs(5 * 60);
/// How far after the last time that is known to be right the clock may be at a start.
const START_LIMIT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What time it is.
pub trait Clock: Send + Sync + 'static {
    /// The time of day.
    fn now(&self) -> Timestamp;

    /// How much time has passed since some fixed moment; never goes back, whatever the time of day does.
    fn elapsed(&self) -> Duration;
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
}

/// Whether a clock is the one that a person took as right, a moment later.
pub(crate) fn is_about(accepted: Timestamp, clock: Timestamp) -> bool {
    clock.duration_since(accepted).unsigned_abs() <= LEAP_LIMIT
}

/// What the clock said last, against which it is judged.
#[derive(Debug)]
pub(crate) struct ClockGuard {
    seen: Option<Seen>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    clock: Timestamp,
    elapsed: Duration,
    limit: Duration,
}

impl ClockGuard {
    /// Begins at a start: all that is known is the last recorded time and the clock that was kept as right
    /// after it. An empty log takes any clock.
    pub(crate) fn new(
        last_recorded_at: Option<Timestamp>,
        kept: Option<Timestamp>,
        elapsed: Duration,
    ) -> ClockGuard {
        let known = last_recorded_at.map(|recorded| kept.map_or(recorded, |kept| kept.max(recorded)));
        ClockGuard { seen: known.map(|clock| Seen { clock, elapsed, limit: START_LIMIT }) }
    }

    /// Judges the clock. A leap is not remembered: the clock may become right again.
    pub(crate) fn observe(&mut self, clock: Timestamp, elapsed: Duration) -> Result<(), ClockLeap> {
        if let Some(seen) = self.seen {
            let ahead = elapsed.saturating_sub(seen.elapsed).saturating_add(seen.limit);
            let latest = seen.clock.checked_add(ahead).unwrap_or(Timestamp::MAX);
            if clock > latest {
                return Err(ClockLeap { clock, latest });
            }
            if clock < seen.clock {
                // It went back. What was seen stays the measure, so that it may come back as well.
                return Ok(());
            }
        }
        self.accept(clock, elapsed);
        Ok(())
    }

    /// Takes the clock as right, whatever it says.
    pub(crate) fn accept(&mut self, clock: Timestamp, elapsed: Duration) {
        self.seen = Some(Seen { clock, elapsed, limit: LEAP_LIMIT });
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
        let mut guard = ClockGuard::new(None, None, seconds(0));
        guard.observe(at("2026-01-01T00:00:00Z"), seconds(0)).unwrap();
        guard.observe(at("2026-01-01T01:05:00Z"), seconds(3_600)).unwrap();
        let leap = guard.observe(at("2026-01-01T01:10:02Z"), seconds(3_601)).unwrap_err();
        assert_eq!(leap.latest, at("2026-01-01T01:10:01Z"));
        guard.observe(at("2026-01-01T01:10:01Z"), seconds(3_601)).unwrap();
    }

    #[test]
    fn a_clock_that_went_back_may_come_back() {
        let mut guard = ClockGuard::new(None, None, seconds(0));
        guard.observe(at("2026-01-01T12:00:00Z"), seconds(0)).unwrap();
        guard.observe(at("2026-01-01T02:00:00Z"), seconds(60)).unwrap();
        guard.observe(at("2026-01-01T12:02:00Z"), seconds(120)).unwrap();
    }

    #[test]
    fn at_a_start_the_clock_may_be_thirty_days_after_the_last_recorded_time() {
        let mut guard = ClockGuard::new(Some(at("2026-01-01T00:00:00Z")), None, seconds(7));
        assert!(guard.observe(at("2026-01-31T00:00:01Z"), seconds(7)).is_err());
        guard.accept(at("2026-01-31T00:00:01Z"), seconds(7));
        guard.observe(at("2026-01-31T00:00:02Z"), seconds(8)).unwrap();
        // From here on it is judged by what passes.
        assert!(guard.observe(at("2026-01-31T00:06:00Z"), seconds(9)).is_err());
    }

    #[test]
    fn at_a_start_a_clock_that_was_kept_counts_like_a_recorded_time() {
        let (recorded, kept) = (at("2026-01-01T00:00:00Z"), at("2026-06-01T00:00:00Z"));
        let mut guard = ClockGuard::new(Some(recorded), Some(kept), seconds(7));
        guard.observe(at("2026-06-30T00:00:00Z"), seconds(7)).unwrap();
        let mut guard = ClockGuard::new(Some(kept), Some(recorded), seconds(7));
        guard.observe(at("2026-06-30T00:00:00Z"), seconds(7)).unwrap();
        let mut guard = ClockGuard::new(Some(recorded), Some(kept), seconds(7));
        assert!(guard.observe(at("2026-07-02T00:00:00Z"), seconds(7)).is_err());
    }
}
