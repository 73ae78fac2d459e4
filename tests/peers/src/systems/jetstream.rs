//! JetStream: a private nats-server of its own and one connection to it.

use super::Store;
use crate::payload::Payloads;
use crate::process;
use anyhow::{Context, anyhow, bail};
use async_nats::jetstream::consumer::pull::OrderedConfig;
use async_nats::jetstream::stream::{Config, StorageType};
use async_nats::jetstream::{self, consumer::DeliverPolicy};
use async_nats::{Client, HeaderMap};
use bus::server::{ServerBinary, find_server as find};
use futures::StreamExt;
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const STREAM: &str = "EVENTS";
const SUBJECT: &str = "event";
/// Under what name the server's process id lies in its directory, for whoever has to end it.
pub(crate) const SERVER_PID_NAME: &str = "server.pid";
const PORTS_ENDING: &str = ".ports";
const READY_PATIENCE: Duration = Duration::from_secs(30);
const STOP_PATIENCE: Duration = Duration::from_secs(20);
const LOOK_PAUSE: Duration = Duration::from_millis(2);
/// Long enough for a thousand synchronised messages on a slow disk.
const ANSWER_PATIENCE: Duration = Duration::from_secs(60);
/// The pin of the version that planwatch installs; it names the directory to look in.
const PIN: &str = include_str!("../../../../deploy/nats/pin");

/// When the server synchronises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Synchronisation {
    Default,
    Always,
}

/// Finds a nats-server as `planwatch up` does: named, on PATH, beside a build, or in the user's cache.
pub(crate) fn find_server() -> anyhow::Result<ServerBinary> {
    let version =
        PIN.lines().find_map(|line| line.strip_prefix("version=")).context("the pin names no version")?;
    let folder = format!("nats-server-{version}");
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let here = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target"));
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
    let tools = target.into_iter().chain([here]).map(|target| target.join("tools").join(&folder));
    let cached = cache.into_iter().map(|cache| cache.join("planwatch").join(&folder));
    Ok(find(&tools.chain(cached).collect::<Vec<_>>())?)
}

/// JetStream.
pub(crate) struct JetStream {
    server: Server,
    client: Client,
    context: jetstream::Context,
    payloads: Arc<Payloads>,
    next_batch: AtomicU64,
}

impl JetStream {
    pub(crate) async fn open(
        directory: &Path,
        payloads: Arc<Payloads>,
        synchronisation: Synchronisation,
    ) -> anyhow::Result<JetStream> {
        let server = Server::start(directory, synchronisation).await?;
        let client = async_nats::ConnectOptions::new()
            .request_timeout(Some(ANSWER_PATIENCE))
            .connect(format!("nats://127.0.0.1:{}", server.port))
            .await?;
        let context = jetstream::ContextBuilder::new().timeout(ANSWER_PATIENCE).build(client.clone());
        let config = Config {
            name: STREAM.to_owned(),
            subjects: vec![format!("{SUBJECT}.>")],
            storage: StorageType::File,
            allow_atomic_publish: true,
            ..Config::default()
        };
        context.get_or_create_stream(config).await?;
        Ok(JetStream { server, client, context, payloads, next_batch: AtomicU64::new(0) })
    }

    fn subject(&self, number: u64) -> String {
        format!("{SUBJECT}.{}", self.payloads.unit(number))
    }

    /// Publishes events as one atomic batch and waits for the answer to its last message.
    async fn publish_batch(&self, first: u64, count: u64) -> anyhow::Result<()> {
        let batch = self.next_batch.fetch_add(1, Ordering::Relaxed);
        let batch = format!("{}-{batch}", std::process::id());
        for sequence in 1..=count {
            let number = first + sequence - 1;
            let mut headers = HeaderMap::new();
            headers.insert("Nats-Batch-Id", batch.as_str());
            headers.insert("Nats-Batch-Sequence", sequence.to_string().as_str());
            let bytes = self.payloads.bytes(number)?;
            if sequence < count {
                self.client.publish_with_headers(self.subject(number), headers, bytes).await?;
                continue;
            }
            headers.insert("Nats-Batch-Commit", "1");
            let answer = self.client.request_with_headers(self.subject(number), headers, bytes).await?;
            let answer: BatchAnswer = serde_json::from_slice(&answer.payload)?;
            if let Some(error) = answer.error {
                bail!("JetStream refused a batch: {error}");
            }
            if answer.count != Some(count) {
                bail!("JetStream recorded {:?} of {count} events", answer.count);
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct BatchAnswer {
    error: Option<serde_json::Value>,
    count: Option<u64>,
}

impl Store for JetStream {
    async fn head(&self) -> anyhow::Result<u64> {
        Ok(self.context.get_stream(STREAM).await?.cached_info().state.last_sequence)
    }

    async fn append(&self, first: u64, count: u64) -> anyhow::Result<()> {
        if count > 1 {
            return self.publish_batch(first, count).await;
        }
        let bytes = self.payloads.bytes(first)?;
        self.context.publish(self.subject(first), bytes).await?.await?;
        Ok(())
    }

    async fn replay<V>(&self, mut visit: V) -> anyhow::Result<u64>
    where
        V: FnMut(&[u8]) -> anyhow::Result<()> + Send,
    {
        let mut stream = self.context.get_stream(STREAM).await?;
        let last = stream.info().await?.state.last_sequence;
        let config = OrderedConfig { deliver_policy: DeliverPolicy::All, ..OrderedConfig::default() };
        let mut messages = stream.create_consumer(config).await?.messages().await?;
        for read in 1..=last {
            let message =
                messages.next().await.with_context(|| format!("the stream ended before {read}"))??;
            visit(&message.payload)?;
        }
        Ok(last)
    }

    fn server(&self) -> Option<u32> {
        Some(self.server.child.id())
    }

    async fn close(self) -> anyhow::Result<()> {
        drop((self.context, self.client));
        self.server.stop()
    }
}

/// The server; dropping it kills it.
struct Server {
    child: Child,
    port: u16,
}

#[derive(Deserialize)]
struct Ports {
    nats: Vec<String>,
}

impl Server {
    async fn start(directory: &Path, synchronisation: Synchronisation) -> anyhow::Result<Server> {
        let binary = find_server()?;
        fs::create_dir_all(directory)?;
        let shown = directory.to_str().context("the directory is no text")?;
        let interval = match synchronisation {
            Synchronisation::Default => "",
            Synchronisation::Always => "\n  sync_interval: always",
        };
        let config = directory.join("nats.conf");
        let text = format!(
            "host: 127.0.0.1\nport: -1\nports_file_dir: \"{shown}\"\nlog_file: \"{shown}/server.log\"\n\
             jetstream {{\n  store_dir: \"{shown}/store\"{interval}\n}}\n"
        );
        fs::write(&config, text)?;
        let child = Command::new(binary.path())
            .args(binary.arguments(&config))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot run `{}`", binary.path().display()))?;
        let mut server = Server { child, port: 0 };
        fs::write(directory.join(SERVER_PID_NAME), server.child.id().to_string())?;
        let begun = Instant::now();
        while begun.elapsed() < READY_PATIENCE {
            if let Some(status) = server.child.try_wait()? {
                bail!("nats-server ended at once ({status}); see `{shown}/server.log`");
            }
            if let Some(port) = port(directory, server.child.id()) {
                server.port = port;
                return Ok(server);
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
        bail!("nats-server took no connection within {READY_PATIENCE:?}")
    }

    fn stop(mut self) -> anyhow::Result<()> {
        process::ask_to_end(self.child.id())?;
        let begun = Instant::now();
        while begun.elapsed() < STOP_PATIENCE {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(LOOK_PAUSE);
        }
        Err(anyhow!("nats-server did not end within {STOP_PATIENCE:?}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server writes the file of its ports when it listens, named after its process id.
fn port(directory: &Path, pid: u32) -> Option<u16> {
    let ending = format!("_{pid}{PORTS_ENDING}");
    let mut names = fs::read_dir(directory).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let path = names.find(|path| path.to_string_lossy().ends_with(&ending))?;
    let ports: Ports = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    ports.nats.first()?.rsplit(':').next()?.parse().ok()
}
