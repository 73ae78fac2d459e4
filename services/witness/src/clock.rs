//! The time of a cosignature, and how far it is to be believed.

use crate::decision::Refused;
use rustix::time::{ClockId, clock_gettime};
use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// How far the clock may run ahead of what has passed since the witness began. One that leaps further stops
/// cosigning: a cosignature of a far day would bar all others until that day.
const LEAP_LIMIT_SECONDS: u64 = 5 * 60;

type Seconds = Arc<dyn Fn() -> u64 + Send + Sync>;

/// What says the time.
#[derive(Clone)]
pub struct Clock {
    now: Seconds,
    passed: Seconds,
    /// What both said when the witness began.
    begun: (u64, u64),
}

impl Clock {
    /// A clock that gives the seconds since 1970, and one that nobody sets, which gives those that have passed
    /// since some moment.
    pub fn new(
        now: impl Fn() -> u64 + Send + Sync + 'static,
        passed: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Clock {
        let begun = (now(), passed());
        Clock { now: Arc::new(now), passed: Arc::new(passed), begun }
    }

    /// The system's clocks. Where the first is before 1970, it gives 0.
    pub fn system() -> Clock {
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        // It counts the time that the machine was suspended, too.
        Clock::new(now, || u64::try_from(clock_gettime(ClockId::Boottime).tv_sec).unwrap_or(0))
    }

    /// What the clock says, right or wrong.
    pub(crate) fn says(&self) -> u64 {
        (self.now)()
    }

    /// The time, unless the clock leapt ahead since the witness began.
    pub(crate) fn now_seconds(&self) -> Result<u64, Refused> {
        let (now_seconds, passed) = (self.says(), (self.passed)());
        let expected = self.begun.0 + passed.saturating_sub(self.begun.1);
        let ahead_seconds = now_seconds.saturating_sub(expected);
        if ahead_seconds > LEAP_LIMIT_SECONDS {
            return Err(Refused::ClockAhead { now_seconds, ahead_seconds });
        }
        Ok(now_seconds)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("begun", &self.begun).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn a_clock_that_leaps_ahead_is_not_believed_until_it_is_back() {
        let (now, passed) = (Arc::new(AtomicU64::new(1_000)), Arc::new(AtomicU64::new(50)));
        let (reads_now, reads_passed) = (now.clone(), passed.clone());
        let clock = Clock::new(
            move || reads_now.load(Ordering::Relaxed),
            move || reads_passed.load(Ordering::Relaxed),
        );
        let at = |now_seconds, passed_seconds| {
            now.store(now_seconds, Ordering::Relaxed);
            passed.store(passed_seconds, Ordering::Relaxed);
            clock.now_seconds()
        };
        assert_eq!(at(1_010, 60).unwrap(), 1_010);
        assert_eq!(at(1_310, 60).unwrap(), 1_310);
        let refused = at(1_311, 60).unwrap_err();
        assert!(
            matches!(refused, Refused::ClockAhead { now_seconds: 1_311, ahead_seconds: 301 }),
            "{refused}"
        );
        assert!(refused.to_string().contains("start the witness again"), "{refused}");
        assert_eq!(at(1_311, 61).unwrap(), 1_311);
        // Behind is another matter: that depends on what was cosigned last.
        assert_eq!(at(900, 62).unwrap(), 900);
    }

    #[test]
    fn the_systems_clock_is_believed() {
        assert!(Clock::system().now_seconds().unwrap() > 1_700_000_000);
    }
}
