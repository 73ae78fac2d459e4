//! What the system says of a process, and what is said to it.

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{self, Write};

/// The resident memory of a process, now and at its highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Memory {
    pub(crate) now_kib: u64,
    pub(crate) highest_kib: u64,
}

/// Reads the memory of a process; of this one where none is named.
pub(crate) fn memory(pid: Option<u32>) -> anyhow::Result<Memory> {
    let whose = pid.map_or_else(|| "self".to_owned(), |pid| pid.to_string());
    let path = format!("/proc/{whose}/status");
    let status = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    };
    let missing = || format!("{path} does not tell the resident memory");
    Ok(Memory {
        now_kib: field("VmRSS:").with_context(missing)?,
        highest_kib: field("VmHWM:").with_context(missing)?,
    })
}

/// How busy the machine is: the load of the last minute, in hundredths.
pub(crate) fn load_hundredths() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    let (whole, part) = text.split_whitespace().next()?.split_once('.')?;
    Some(whole.parse::<u64>().ok()? * 100 + part.parse::<u64>().ok()?)
}

/// Asks a process to end.
pub(crate) fn ask_to_end(pid: u32) -> anyhow::Result<()> {
    signal(pid, Signal::TERM)
}

/// Ends a process.
pub(crate) fn end(pid: u32) -> anyhow::Result<()> {
    signal(pid, Signal::KILL)
}

fn signal(pid: u32, signal: Signal) -> anyhow::Result<()> {
    let pid = Pid::from_raw(i32::try_from(pid)?).context("a process id is not 0")?;
    kill_process(pid, signal).with_context(|| format!("cannot end process {}", pid.as_raw_nonzero()))
}

/// Tells what is going on; figures go to standard output.
pub(crate) fn complain(text: &str) {
    // Nobody is there to be told that nobody listens.
    let _ = writeln!(io::stderr().lock(), "{text}");
}
