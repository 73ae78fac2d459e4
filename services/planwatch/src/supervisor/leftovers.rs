//! Processes that an earlier supervisor left behind: recognised by what they were started with, and ended.

use crate::output;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a leftover may take to end after SIGTERM, and again after SIGKILL.
const END_LIMIT: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Ends every process whose pid file lies in `run` and whose command line names a file below `data`.
///
/// The pid alone proves nothing, it may have been given to someone else: only the command line does.
pub fn end_all(run: &Path, data: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(run)? {
        let file = entry?.path();
        if file.extension().is_none_or(|extension| extension != "pid") {
            continue;
        }
        if let Some(pid) = recorded_pid(&file)
            && is_ours(pid, data)
        {
            end(pid, &file)?;
        }
        std::fs::remove_file(&file)?;
    }
    Ok(())
}

fn recorded_pid(file: &Path) -> Option<Pid> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok().and_then(Pid::from_raw)
}

fn is_ours(pid: Pid, data: &Path) -> bool {
    let own = i32::try_from(std::process::id()).ok() == Some(pid.as_raw_pid());
    let Ok(command_line) = std::fs::read(format!("/proc/{}/cmdline", pid.as_raw_pid())) else {
        return false;
    };
    let below = data.as_os_str().as_encoded_bytes();
    !own && command_line
        .split(|byte| *byte == 0)
        .any(|argument| argument.strip_prefix(below).is_some_and(|rest| rest.first() == Some(&b'/')))
}

fn end(pid: Pid, file: &Path) -> std::io::Result<()> {
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    output::say(format_args!(
        "[up] ending {name}, process {}, which an earlier supervisor left behind",
        pid.as_raw_pid()
    ));
    for signal in [Signal::TERM, Signal::KILL] {
        // It may end by itself between two looks.
        let _already_gone = kill_process(pid, signal);
        let since = Instant::now();
        while since.elapsed() < END_LIMIT {
            if is_gone(pid) {
                return Ok(());
            }
            std::thread::sleep(LOOK_AGAIN);
        }
    }
    Err(std::io::Error::other(format!("process {} does not end; end it by hand", pid.as_raw_pid())))
}

/// A process that has ended but was not reaped holds nothing any more, so it counts as gone.
fn is_gone(pid: Pid) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_pid()));
    let is_zombie =
        status.is_ok_and(|status| status.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z')));
    is_zombie || test_kill_process(pid).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Child, Command};

    fn sleeper(data: &Path) -> Child {
        // The second argument only marks the command line, as a configuration file would.
        Command::new("/bin/sh")
            .args(["-c", "while :; do sleep 0.05; done", "sleeper"])
            .arg(data.join("nats/nats.conf"))
            .spawn()
            .unwrap()
    }

    #[test]
    fn a_process_started_with_a_file_of_this_directory_is_ended_and_others_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let (data, other) = (folder.path().join("data"), folder.path().join("data2"));
        let run = folder.path().join("run");
        std::fs::create_dir(&run).unwrap();
        let (mut ours, mut theirs) = (sleeper(&data), sleeper(&other));
        for (name, id) in [("ours", ours.id()), ("theirs", theirs.id()), ("gone", 4_000_000)] {
            std::fs::write(run.join(format!("{name}.pid")), id.to_string()).unwrap();
        }
        end_all(&run, &data).unwrap();
        assert!(!ours.wait().unwrap().success());
        assert!(theirs.try_wait().unwrap().is_none(), "another directory's process goes on");
        assert_eq!(std::fs::read_dir(&run).unwrap().count(), 0);
        theirs.kill().unwrap();
        theirs.wait().unwrap();
    }
}
