//! A private server as a child process, and how to know that it is ready.

use super::config::{ServerConfig, ServerConfigError};
use super::find::ServerBinary;
use serde::Deserialize;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use thiserror::Error;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

/// How long a server may take until it takes connections, reading its streams included.
pub const READY_PATIENCE: Duration = Duration::from_secs(30);
const LOOK_PAUSE: Duration = Duration::from_millis(10);
const GREETING_PATIENCE: Duration = Duration::from_secs(2);
const LOG_TAIL_BYTES: usize = 2048;

/// Why a private server did not start.
#[derive(Debug, Error)]
pub enum StartServerError {
    /// Its configuration could not be written.
    #[error("the configuration of nats-server was not written")]
    Config(#[from] ServerConfigError),
    /// It could not be run.
    #[error("cannot run {path}")]
    Spawn {
        /// What.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It ended at once.
    #[error("nats-server ended at once ({status}); its log {log} ends: {tail}")]
    Ended {
        /// How.
        status: ExitStatus,
        /// Where it wrote why.
        log: PathBuf,
        /// The end of that.
        tail: String,
    },
    /// It runs but takes no connections.
    #[error("nats-server took no connection within {READY_PATIENCE:?}; its log is {log}")]
    NotReady {
        /// Where it writes what it is doing.
        log: PathBuf,
    },
}

/// Waits until the server of this configuration and process id takes connections, and gives its port. The
/// greeting is read, so a port that someone else holds is not mistaken for it where the port was free.
pub async fn await_ready(config: &ServerConfig, pid: u32) -> Result<u16, StartServerError> {
    let deadline = Instant::now() + READY_PATIENCE;
    while Instant::now() < deadline {
        if let Some(port) = written_port(config, pid)
            && greets(port).await
        {
            return Ok(port);
        }
        sleep(LOOK_PAUSE).await;
    }
    Err(StartServerError::NotReady { log: config.log_path() })
}

#[derive(Deserialize)]
struct Ports {
    nats: Vec<String>,
}

/// The server writes the file of its ports when it listens, named after its binary and its process id.
fn written_port(config: &ServerConfig, pid: u32) -> Option<u16> {
    let ending = format!("_{pid}.ports");
    let path = config.port_files().into_iter().find(|path| path.to_string_lossy().ends_with(&ending))?;
    let ports: Ports = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    ports.nats.first()?.rsplit(':').next()?.parse().ok()
}

async fn greets(port: u16) -> bool {
    let greeting = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        let mut start = [0; 5];
        stream.read_exact(&mut start).await.ok()?;
        (&start == b"INFO ").then_some(())
    };
    matches!(timeout(GREETING_PATIENCE, greeting).await, Ok(Some(())))
}

/// A running private server; dropping it kills it. For tests and tools: nothing restarts it.
#[derive(Debug)]
pub struct PrivateServer {
    binary: ServerBinary,
    config: ServerConfig,
    child: Child,
    pid: u32,
}

impl PrivateServer {
    /// Writes the configuration, starts the server and waits until it takes connections.
    pub async fn start(
        binary: ServerBinary,
        config: ServerConfig,
    ) -> Result<PrivateServer, StartServerError> {
        let (child, pid, port) = spawn(&binary, &config).await?;
        // Clients come back to the address they know, so a restart keeps the port.
        let config = ServerConfig { port, ..config };
        Ok(PrivateServer { binary, config, child, pid })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.config.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.config.port
    }

    /// Its process id; of the last run where it has been killed.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Its configuration, with the port it has.
    pub fn config(&self) -> &ServerConfig {
        &self.config
    }

    /// Kills it as a power cut would (SIGKILL) and waits until it is gone.
    pub async fn kill(&mut self) -> io::Result<()> {
        self.child.kill().await
    }

    /// Starts it again on its port and its store, killing it first if it runs.
    pub async fn restart(&mut self) -> Result<(), StartServerError> {
        self.kill().await.map_err(|source| self.spawn_error(source))?;
        let (child, pid, _) = spawn(&self.binary, &self.config).await?;
        self.child = child;
        self.pid = pid;
        Ok(())
    }

    fn spawn_error(&self, source: io::Error) -> StartServerError {
        StartServerError::Spawn { path: self.binary.path().to_owned(), source }
    }
}

async fn spawn(binary: &ServerBinary, config: &ServerConfig) -> Result<(Child, u32, u16), StartServerError> {
    let path = config.write()?;
    let failed = |source| StartServerError::Spawn { path: binary.path().to_owned(), source };
    // What it says before it opens its log, such as a mistake in the configuration, goes to the same file.
    let log = File::options().create(true).append(true).open(config.log_path()).map_err(failed)?;
    let mut child = Command::new(binary.path())
        .args(binary.arguments(&path))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let pid = child.id().expect("a child that was not waited for has an id");
    let ended = tokio::select! {
        ready = await_ready(config, pid) => return ready.map(|port| (child, pid, port)),
        ended = child.wait() => ended.map_err(failed)?,
    };
    Err(StartServerError::Ended { status: ended, log: config.log_path(), tail: log_tail(config) })
}

fn log_tail(config: &ServerConfig) -> String {
    let log = std::fs::read(config.log_path()).unwrap_or_default();
    let start = log.len().saturating_sub(LOG_TAIL_BYTES);
    String::from_utf8_lossy(&log[start..]).trim().to_owned()
}
