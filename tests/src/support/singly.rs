//! Programs that a test starts by itself, without a supervisor.

use super::process::signal;
use super::wait::{PATIENCE, until_some};
use rustix::process::Signal;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// A program of a test; dropping it ends it.
#[derive(Debug)]
pub struct Program {
    child: Child,
    said: PathBuf,
}

impl Program {
    /// Starts a program; what it says on standard error goes into a file of that folder.
    #[track_caller]
    pub fn start(folder: &Path, name: &str, command: &mut Command) -> Program {
        let said = folder.join(format!("{name}.said"));
        let file = File::create(&said).expect("a file for what it says");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        Program { child: command.spawn().unwrap_or_else(|error| panic!("{name}: {error}")), said }
    }

    /// What it has said.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.said).unwrap_or_default()
    }

    /// Kills it as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().expect("it is our child");
        let _reaped = self.child.wait();
    }

    /// Asks it to end and waits until it has; gives how it ended.
    #[track_caller]
    pub fn end(mut self) -> ExitStatus {
        signal(self.child.id(), Signal::TERM);
        until_some("the program has ended", || self.child.try_wait().expect("it is our child"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            signal(self.child.id(), Signal::TERM);
            let begun = std::time::Instant::now();
            while self.child.try_wait().is_ok_and(|ended| ended.is_none()) && begun.elapsed() < PATIENCE {
                std::thread::sleep(super::wait::LOOK_AGAIN);
            }
            let _ended_already = self.child.kill();
            let _reaped = self.child.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- {} said:\n{}", self.said.display(), self.said());
        }
    }
}
