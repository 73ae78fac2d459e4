//! Pauses between restarts: doubling from a short one to a bound, short again after a healthy while.

use std::time::Duration;

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A child that ran this long was healthy: its next end is treated as its first.
const HEALTHY_AFTER: Duration = Duration::from_secs(30);

/// The pause before the next restart of one child.
#[derive(Debug)]
pub(super) struct Backoff {
    next_pause: Duration,
    /// How often in a row the child ended before it was healthy.
    pub(super) failures: u32,
}

impl Backoff {
    pub(super) fn new() -> Backoff {
        Backoff { next_pause: FIRST_PAUSE, failures: 0 }
    }

    /// The pause after a child that ran for `lived` has ended.
    pub(super) fn pause_after(&mut self, lived: Duration) -> Duration {
        if lived >= HEALTHY_AFTER {
            *self = Backoff::new();
        }
        self.failures += 1;
        let pause = self.next_pause;
        self.next_pause = (pause * 2).min(LONGEST_PAUSE);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_start_over_after_a_healthy_while() {
        let mut backoff = Backoff::new();
        let pauses: Vec<u64> =
            (0..9).map(|_| backoff.pause_after(Duration::ZERO).as_millis().try_into().unwrap()).collect();
        assert_eq!(pauses, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
        assert_eq!(backoff.failures, 9);
        assert_eq!(backoff.pause_after(HEALTHY_AFTER), FIRST_PAUSE);
        assert_eq!(backoff.failures, 1);
    }
}
