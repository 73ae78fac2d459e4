//! Whether the log takes events, for health and for answers.

use events::Timestamp;
use std::fmt;

/// Whether the log takes events, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteState {
    /// It takes events.
    Writing,
    /// The disk is full; it is looked at again every second.
    NoSpace,
    /// A failure after which nothing may be written until a restart.
    Stopped {
        /// What happened.
        why: String,
    },
    /// The clock leapt ahead; nothing is written until a person accepts it or it is right again.
    ClockStopped(ClockLeap),
}

/// A clock that is further ahead than time has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockLeap {
    /// What the clock says.
    pub clock: Timestamp,
    /// The latest that it could say.
    pub latest: Timestamp,
}

impl fmt::Display for WriteState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteState::Writing => f.write_str("the log takes events"),
            WriteState::NoSpace => {
                f.write_str("there is no space left for the log; make room, it goes on by itself")
            }
            WriteState::Stopped { why } => write!(f, "the log stopped writing: {why}; restart the service"),
            WriteState::ClockStopped(leap) => leap.fmt(f),
        }
    }
}

impl fmt::Display for ClockLeap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the clock says {}, which should be {} at the latest; set it right, or run `planwatch clock accept` \
             if it is right",
            self.clock, self.latest
        )
    }
}
