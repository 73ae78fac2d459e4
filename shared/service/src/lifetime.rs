//! Dying with the supervisor: a service that `up` started does not outlive it, however it ends.

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};
use thiserror::Error;

/// Why a process did not bind its life to its supervisor's.
#[derive(Debug, Error)]
pub enum LifetimeError {
    /// The kernel refused.
    #[error("cannot bind the life of this process to its supervisor's")]
    Refused(#[source] std::io::Error),
    /// The supervisor was gone before this process could ask.
    #[error("the supervisor, process {expected}, is gone; start it again instead of this process alone")]
    SupervisorGone {
        /// The process that should be the parent.
        expected: u32,
    },
}

/// Asks the kernel to kill this process when its parent, the supervisor, ends.
///
/// The signal is SIGKILL: what is acknowledged is durable, and nothing that hangs may outlive the
/// supervisor. It survives `exec`. The kernel watches the parent's *thread*, so a supervisor spawns from
/// a thread that lives as long as it does. Asking comes first and comparing the parent second, so that a
/// supervisor that dies in between is noticed.
pub fn die_with_supervisor(supervisor: u32) -> Result<(), LifetimeError> {
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| LifetimeError::Refused(error.into()))?;
    let parent = getppid().map(Pid::as_raw_pid);
    if parent.and_then(|pid| u32::try_from(pid).ok()) == Some(supervisor) {
        Ok(())
    } else {
        Err(LifetimeError::SupervisorGone { expected: supervisor })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_supervisor_that_is_not_the_parent_is_noticed() {
        // Process 1 is not the parent of a test unless everything between has died.
        let stranger = std::process::id();
        let result = die_with_supervisor(stranger);
        set_parent_process_death_signal(None).unwrap();
        assert!(matches!(result, Err(LifetimeError::SupervisorGone { expected }) if expected == stranger));
    }
}
