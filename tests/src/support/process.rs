//! Processes by their id: only ever those that a test's own system told of.

use super::wait::until;
use rustix::process::{Pid, Signal, kill_process};

fn id(pid: u32) -> Pid {
    i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process id is a positive number")
}

/// Whether a process runs; one that has ended and was not reaped does not.
pub fn is_alive(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    status.is_ok_and(|status| status.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X'])))
}

/// Sends a signal; a process that is gone already is no failure.
pub fn signal(pid: u32, signal: Signal) {
    let _gone_already = kill_process(id(pid), signal);
}

/// Ends a process as a power cut would (SIGKILL) and waits until it is gone.
#[track_caller]
pub fn kill(pid: u32) {
    signal(pid, Signal::KILL);
    until("the killed process is gone", || !is_alive(pid));
}

/// Asks a process to end (SIGTERM) and waits until it is gone.
#[track_caller]
pub fn end(pid: u32) {
    signal(pid, Signal::TERM);
    until("the process that was asked to end is gone", || !is_alive(pid));
}
