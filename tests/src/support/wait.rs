//! Waiting for conditions, never for times.

use std::time::{Duration, Instant};

/// How long a condition is waited for: far longer than it takes, so that only a failure reaches it.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How long a condition that does not hold is left alone.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Waits until a condition holds; panics with its name where it does not within [`PATIENCE`].
#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    until_some(what, || holds().then_some(()));
}

/// Waits until there is something; panics with its name where there is not within [`PATIENCE`].
#[track_caller]
pub fn until_some<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain until {what}");
        std::thread::sleep(LOOK_AGAIN);
    }
}
