//! The system itself: `planwatch up` on a directory of its own.

use super::http::Http;
use super::process::{is_alive, kill, signal};
use super::require::planwatch;
use super::wait::{PATIENCE, until, until_some};
use rustix::process::Signal;
use serde::Deserialize;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use tempfile::TempDir;

/// The children of `up`, by the names of their pid files.
pub const SERVICES: [&str; 5] = ["nats", "ingestion", "projection", "alerting", "console"];

/// How much of what the system said is shown when a test fails, in bytes.
const SAID_LIMIT_BYTES: usize = 16 * 1024;

/// How a system is started.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Adopt the plan but load no sample history.
    pub empty: bool,
    /// Another plan than the embedded one.
    pub plan: Option<PathBuf>,
    /// Where to listen instead of a free port on loopback.
    pub http: Option<String>,
    /// Further arguments of `up`.
    pub arguments: Vec<String>,
    /// Further environment variables of `up` and so of its children.
    pub environment: Vec<(String, String)>,
}

impl Options {
    /// A log with the plan and nothing else.
    pub fn empty() -> Options {
        Options { empty: true, ..Options::default() }
    }

    /// The sample history, as a newcomer gets it.
    pub fn sample() -> Options {
        Options::default()
    }
}

/// The line that `up --json` prints when everything is ready.
#[derive(Debug, Clone, Deserialize)]
pub struct Ready {
    /// Always true.
    pub ready: bool,
    /// The console's address.
    pub console: String,
    /// The bus's address.
    pub nats: String,
    /// The file that holds the operator's token.
    pub token_file: PathBuf,
    /// Who may read the stream and nothing else.
    pub nats_reader: Option<NatsReader>,
    /// The one-time link.
    pub sign_in: String,
    /// The public half of the newest key that signs the log's checkpoints.
    pub vkey: String,
    /// The directory of the keys.
    pub keys: PathBuf,
}

/// Credentials for reading the stream.
#[derive(Debug, Clone, Deserialize)]
pub struct NatsReader {
    /// The user.
    pub user: String,
    /// The password.
    pub password: String,
}

/// A running system; dropping it stops it and removes its directory.
#[derive(Debug)]
pub struct System {
    folder: TempDir,
    options: Options,
    supervisor: Child,
    ready: Ready,
    http: Http,
}

impl System {
    /// Starts a system on a fresh directory and waits until it is ready.
    #[track_caller]
    pub fn start(options: Options) -> System {
        System::start_in(tempfile::tempdir().expect("a temporary directory"), options)
    }

    /// Starts a system whose data directory is `data` in a folder that the test has prepared.
    #[track_caller]
    pub fn start_in(folder: TempDir, options: Options) -> System {
        let (supervisor, ready, http) = launch(folder.path(), &options);
        System { folder, options, supervisor, ready, http }
    }

    /// Starts the system again on its directory, after it was stopped or killed.
    #[track_caller]
    pub fn start_again(&mut self) {
        until("the earlier supervisor is gone", || !is_alive(self.supervisor.id()));
        let _reaped = self.supervisor.wait();
        let (supervisor, ready, http) = launch(self.folder.path(), &self.options);
        self.supervisor = supervisor;
        self.ready = ready;
        self.http = http;
    }

    /// Starts the system again where it is not expected to become ready: waits until the console answers.
    #[track_caller]
    pub fn start_again_unready(&mut self) {
        until("the earlier supervisor is gone", || !is_alive(self.supervisor.id()));
        let _reaped = self.supervisor.wait();
        let address_file = self.data().join("run/console.addr");
        let _not_there = std::fs::remove_file(&address_file);
        (self.supervisor, _) = spawn(self.folder.path(), &self.options);
        let token = token(&self.ready.token_file);
        self.http = until_some("the console answers", || {
            let address = std::fs::read_to_string(&address_file).ok()?;
            let http = Http::new(&format!("http://{}", address.trim()), Some(token.clone()));
            http.try_get("/healthz").is_ok_and(|answer| answer.status == 200).then_some(http)
        });
    }

    /// What it said when it was ready.
    pub fn ready(&self) -> &Ready {
        &self.ready
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        data(self.folder.path())
    }

    /// A client with the operator's token.
    pub fn http(&self) -> &Http {
        &self.http
    }

    /// The supervisor's process id.
    pub fn supervisor(&self) -> u32 {
        self.supervisor.id()
    }

    /// The process id of a child that runs now; none while it is being started again.
    pub fn pid(&self, service: &str) -> Option<u32> {
        let file = self.data().join("run").join(format!("{service}.pid"));
        let pid = std::fs::read_to_string(file).ok()?.trim().parse().ok()?;
        is_alive(pid).then_some(pid)
    }

    /// The process ids of all children; waits until each runs.
    #[track_caller]
    pub fn pids(&self) -> Vec<u32> {
        SERVICES.iter().map(|service| until_some(&format!("{service} runs"), || self.pid(service))).collect()
    }

    /// Kills a child as a power cut would; the supervisor starts it again. Gives the id that it had.
    #[track_caller]
    pub fn kill(&self, service: &str) -> u32 {
        let pid = until_some(&format!("{service} runs"), || self.pid(service));
        kill(pid);
        pid
    }

    /// Waits until a child runs under another process id than the one it had.
    #[track_caller]
    pub fn wait_restarted(&self, service: &str, before: u32) -> u32 {
        until_some(&format!("{service} is started again"), || self.pid(service).filter(|pid| *pid != before))
    }

    /// Waits until the console says that everything is ready.
    #[track_caller]
    pub fn wait_ready(&self) {
        until("everything is ready", || {
            self.http.try_get("/readyz").is_ok_and(|answer| answer.status == 200)
        });
    }

    /// Asks the system to stop and waits until it has; gives how it ended.
    #[track_caller]
    pub fn stop(&mut self) -> ExitStatus {
        signal(self.supervisor.id(), Signal::TERM);
        self.wait_ended()
    }

    /// Kills the supervisor as a power cut would.
    #[track_caller]
    pub fn kill_supervisor(&mut self) -> ExitStatus {
        signal(self.supervisor.id(), Signal::KILL);
        self.wait_ended()
    }

    #[track_caller]
    fn wait_ended(&mut self) -> ExitStatus {
        until_some("the supervisor has ended", || self.supervisor.try_wait().expect("it is our child"))
    }

    /// Runs a command of the executable against this system and waits for it.
    #[track_caller]
    pub fn command(&self, arguments: &[&str]) -> Output {
        Command::new(planwatch())
            .args(arguments)
            .env("PLANWATCH_DATA", self.data())
            .env("PLANWATCH_SERVER", &self.ready.console)
            .env_remove("PLANWATCH_TOKEN")
            .stdin(Stdio::null())
            .output()
            .expect("the executable runs")
    }

    /// Runs a command of the executable on the data directory of this system, which is stopped.
    #[track_caller]
    pub fn stopped_command(&self, arguments: &[&str]) -> Output {
        Command::new(planwatch())
            .args(arguments)
            .arg("--data")
            .arg(self.data())
            .env_remove("PLANWATCH_SERVER")
            .env_remove("PLANWATCH_TOKEN")
            .stdin(Stdio::null())
            .output()
            .expect("the executable runs")
    }

    /// What the system has said on standard error so far, over all its starts.
    pub fn said(&self) -> String {
        std::fs::read_to_string(said_file(self.folder.path())).unwrap_or_default()
    }
}

impl Drop for System {
    fn drop(&mut self) {
        if self.supervisor.try_wait().is_ok_and(|ended| ended.is_none()) {
            signal(self.supervisor.id(), Signal::TERM);
            let begun = std::time::Instant::now();
            while self.supervisor.try_wait().is_ok_and(|ended| ended.is_none()) && begun.elapsed() < PATIENCE
            {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            // Whatever hangs ends with its supervisor.
            let _ended_already = self.supervisor.kill();
            let _reaped = self.supervisor.wait();
        }
        if std::thread::panicking() {
            let said = self.said();
            let from = said.len().saturating_sub(SAID_LIMIT_BYTES);
            let from = (from..said.len()).find(|at| said.is_char_boundary(*at)).unwrap_or(0);
            eprintln!("--- the system said last:\n{}", &said[from..]);
        }
    }
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn said_file(folder: &Path) -> PathBuf {
    folder.join("said.log")
}

fn token(file: &Path) -> String {
    std::fs::read_to_string(file).expect("the token file is there").trim().to_owned()
}

/// Starts `up`; gives the lines of its standard output.
fn spawn(folder: &Path, options: &Options) -> (Child, mpsc::Receiver<String>) {
    let said =
        File::options().create(true).append(true).open(said_file(folder)).expect("a file for what it says");
    let mut command = Command::new(planwatch());
    let http = options.http.as_deref().unwrap_or("127.0.0.1:0");
    command.args(["up", "--json", "--http", http, "--data"]).arg(data(folder));
    if options.empty {
        command.arg("--empty");
    }
    if let Some(plan) = &options.plan {
        command.arg("--plan").arg(plan);
    }
    command.args(&options.arguments);
    command.envs(options.environment.iter().map(|(name, value)| (name, value)));
    if let Some(server) = super::nats_server() {
        command.env("PLANWATCH_NATS_SERVER", server.path());
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(said);
    let mut supervisor = command.spawn().expect("the executable runs");
    let stdout = supervisor.stdout.take().expect("standard output is a pipe");
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    (supervisor, lines)
}

/// Starts `up` and reads its one line.
#[track_caller]
fn launch(folder: &Path, options: &Options) -> (Child, Ready, Http) {
    let (mut supervisor, lines) = spawn(folder, options);
    let Ok(line) = lines.recv_timeout(PATIENCE) else {
        let _ended_already = supervisor.kill();
        let _reaped = supervisor.wait();
        let said = std::fs::read_to_string(said_file(folder)).unwrap_or_default();
        panic!("`up` did not become ready; it said:\n{said}");
    };
    let ready: Ready = serde_json::from_str(&line).unwrap_or_else(|error| {
        let said = std::fs::read_to_string(said_file(folder)).unwrap_or_default();
        panic!("`up` printed {line:?}: {error}; it said:\n{said}")
    });
    let http = Http::new(&ready.console, Some(token(&ready.token_file)));
    (supervisor, ready, http)
}
