//! Progress of work that takes more than a second, on a terminal only: one line on standard error.
//!
//! The usual library would bring along a crate of the same name as our console, which then could not be named
//! to cargo without its version; a line that counts is all that is needed here.

use std::io::{IsTerminal, Write};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Work that is shorter shows nothing.
const SHOWN_AFTER: Duration = Duration::from_secs(1);
/// How often the line is written anew.
const EVERY: Duration = Duration::from_millis(200);

/// Counts what was done; gone from the screen when dropped.
#[derive(Debug)]
pub struct Progress {
    what: &'static str,
    begun: Instant,
    written: Option<Instant>,
    terminal: bool,
}

impl Progress {
    /// Begins to count; `what` follows the number, as in "events replayed".
    pub fn new(what: &'static str) -> Progress {
        Progress { what, begun: Instant::now(), written: None, terminal: std::io::stderr().is_terminal() }
    }

    /// Says how many are done.
    pub fn done(&mut self, count: u64) {
        // The clock is not asked for every event.
        if !self.terminal || !count.is_multiple_of(1_024) || self.begun.elapsed() < SHOWN_AFTER {
            return;
        }
        if self.written.is_none_or(|written| written.elapsed() >= EVERY) {
            let per_second = u128::from(count) * 1_000 / self.begun.elapsed().as_millis().max(1);
            write(&format!("{count} {}, {per_second}/s", self.what));
            self.written = Some(Instant::now());
        }
    }
}

/// Does work that cannot count: says on a terminal how long it has been at it.
pub fn while_working<T>(what: &str, work: impl FnOnce() -> T) -> T {
    if !std::io::stderr().is_terminal() {
        return work();
    }
    let begun = Instant::now();
    let (done, is_done) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut is_shown = false;
            while is_done.recv_timeout(SHOWN_AFTER) == Err(mpsc::RecvTimeoutError::Timeout) {
                write(&format!("{what}: {} s", begun.elapsed().as_secs()));
                is_shown = true;
            }
            if is_shown {
                write("");
            }
        });
        let outcome = work();
        drop(done);
        outcome
    })
}

fn write(line: &str) {
    let mut screen = std::io::stderr().lock();
    // A terminal that is gone is no reason to stop the work.
    let _ = write!(screen, "\r\x1b[K{line}").and_then(|()| screen.flush());
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.written.is_some() {
            write("");
        }
    }
}
