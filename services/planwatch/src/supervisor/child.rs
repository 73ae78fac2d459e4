//! One child process: started, watched, restarted when it ends, stopped when asked.

use super::CHILD_GRACE;
use super::backoff::Backoff;
use crate::output;
use crate::private_file;
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Instant;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::Command;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The longest line of a child that is passed on whole; the rest of it follows as a line of its own.
const LINE_LIMIT_BYTES: u64 = 64 * 1024;

/// What a child is started as, each time.
#[derive(Debug, Clone)]
pub struct Program {
    /// The service's name: prefix of its lines.
    pub name: &'static str,
    /// The executable.
    pub executable: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Where its process id stands while it runs.
    pub pid_file: PathBuf,
}

/// How a child is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChildState {
    /// It has not been started yet.
    Starting,
    /// It runs.
    Running {
        /// Its process id.
        pid: u32,
    },
    /// It ended by itself and will be started again.
    Ended {
        /// How often in a row, without a healthy while in between.
        failures: u32,
        /// How it ended the last time, for people.
        how: String,
        /// Its exit code, if it had one.
        code: Option<i32>,
    },
    /// It was stopped.
    Stopped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    Run,
    Stop,
}

/// A supervised child.
#[derive(Debug)]
pub struct Child {
    name: &'static str,
    wish: watch::Sender<Wish>,
    state: watch::Receiver<ChildState>,
    watching: JoinHandle<()>,
}

impl Child {
    /// Starts and watches a child. The runtime must be the one of a single thread that lives as long as
    /// the supervisor: the kernel ends a child with the *thread* that started it.
    pub fn start(program: Program) -> Child {
        let name = program.name;
        let (wish, wished) = watch::channel(Wish::Run);
        let (state_sender, state) = watch::channel(ChildState::Starting);
        let watching = tokio::spawn(supervise(program, wished, state_sender));
        Child { name, wish, state, watching }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How it is now.
    pub fn state(&self) -> ChildState {
        self.state.borrow().clone()
    }

    /// Asks it to stop, waits, and kills it when its grace is over.
    pub async fn stop(self) {
        self.wish.send_replace(Wish::Stop);
        // The task ends after the child; if it panicked, the child is ended by the kernel with us.
        let _joined = self.watching.await;
    }
}

async fn supervise(program: Program, mut wish: watch::Receiver<Wish>, state: watch::Sender<ChildState>) {
    let mut backoff = Backoff::new();
    loop {
        let started = Instant::now();
        let (how, code) = match spawn(&program) {
            Err(error) => (format!("it could not be started: {error}"), None),
            Ok(mut child) => {
                let pid = child.id().expect("a child that was not waited for has an id");
                if let Err(error) = private_file::write(&program.pid_file, &format!("{pid}\n")) {
                    output::say(format_args!("[{}] cannot write its pid file: {error:#}", program.name));
                }
                let lines = child.stderr.take().map(|stderr| tokio::spawn(pass_lines(program.name, stderr)));
                state.send_replace(ChildState::Running { pid });
                let ended = tokio::select! {
                    status = child.wait() => Some(status),
                    () = is_wished(&mut wish, Wish::Stop) => None,
                };
                let Some(status) = ended else {
                    end(&mut child, program.name).await;
                    drain(lines).await;
                    forget(&program.pid_file);
                    state.send_replace(ChildState::Stopped);
                    return;
                };
                drain(lines).await;
                forget(&program.pid_file);
                match status {
                    Ok(status) => (describe(status), status.code()),
                    Err(error) => (format!("it was lost: {error}"), None),
                }
            }
        };
        let pause = backoff.pause_after(started.elapsed());
        output::say(format_args!("[{}] {how}; starting it again in {} ms", program.name, pause.as_millis()));
        state.send_replace(ChildState::Ended { failures: backoff.failures, how, code });
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = is_wished(&mut wish, Wish::Stop) => {
                state.send_replace(ChildState::Stopped);
                return;
            }
        }
    }
}

fn spawn(program: &Program) -> std::io::Result<tokio::process::Child> {
    Command::new(&program.executable)
        .args(&program.arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        // A group of its own: Ctrl-C reaches the supervisor alone, which stops the children in order.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
}

async fn is_wished(wish: &mut watch::Receiver<Wish>, wanted: Wish) {
    // A sender that is gone means that the supervisor is going: stop.
    let _gone = wish.wait_for(|wish| *wish == wanted).await;
}

async fn end(child: &mut tokio::process::Child, name: &str) {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // The child is not reaped before `wait`, so the id still means this child.
        let _already_gone = kill_process(pid, Signal::TERM);
    }
    if tokio::time::timeout(CHILD_GRACE, child.wait()).await.is_err() {
        output::say(format_args!("[{name}] did not stop within {} s; killing it", CHILD_GRACE.as_secs()));
        let _already_gone = child.kill().await;
    }
}

/// Waits for what the child said last; a grandchild that keeps the pipe open is not waited for.
async fn drain(lines: Option<JoinHandle<()>>) {
    const DRAIN_LIMIT: std::time::Duration = std::time::Duration::from_millis(500);
    if let Some(lines) = lines {
        let _all_or_cut = tokio::time::timeout(DRAIN_LIMIT, lines).await;
    }
}

fn forget(pid_file: &std::path::Path) {
    // A pid file that stays is checked against the process's command line before anything is done with it.
    let _may_stay = std::fs::remove_file(pid_file);
}

async fn pass_lines(name: &'static str, stderr: impl AsyncRead + Unpin) {
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut reader).take(LINE_LIMIT_BYTES).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => output::say(format_args!("[{name}] {}", String::from_utf8_lossy(&line).trim_end())),
        }
    }
}

fn describe(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with exit code {code}"),
        (None, Some(signal)) => format!("it was ended by signal {signal}"),
        (None, None) => "it ended".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, folder: &tempfile::TempDir) -> Program {
        Program {
            name: "test",
            executable: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            pid_file: folder.path().join("test.pid"),
        }
    }

    #[tokio::test]
    async fn a_child_that_ends_is_started_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Child::start(shell("exit 3", &folder));
        let twice = |state: &ChildState| matches!(state, ChildState::Ended { failures: 2, .. });
        let state = child.state.wait_for(twice).await.unwrap().clone();
        assert_eq!(
            state,
            ChildState::Ended { failures: 2, how: "it ended with exit code 3".into(), code: Some(3) }
        );
        child.stop().await;
    }

    #[tokio::test]
    async fn a_child_that_is_asked_to_stop_is_gone_afterwards_with_its_pid_file() {
        let folder = tempfile::tempdir().unwrap();
        let program = shell("exec sleep 600", &folder);
        let pid_file = program.pid_file.clone();
        let mut child = Child::start(program);
        let runs = |state: &ChildState| matches!(state, ChildState::Running { .. });
        let ChildState::Running { pid } = child.state.wait_for(runs).await.unwrap().clone() else {
            panic!("the child runs")
        };
        assert_eq!(std::fs::read_to_string(&pid_file).unwrap().trim(), pid.to_string());
        child.stop().await;
        assert!(!pid_file.exists());
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    }
}
