//! Where a command reads the log: from a running system over HTTP, or from the directory of a stopped one.

use crate::client::{Client, ServerArguments};
use crate::data_directory::{self, DataDirectory, DataLock};
use crate::exit::Failure;
use crate::log_directory::{LogDirectory, holds_journal};
use crate::output;
use anyhow::Context;
use clap::Args;
use event_log::{Log, Opened, Options, ReadLimit, Stored, Writer};
use events::{PlanId, Position};
use evidence::TreeHash;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// The most events that are asked for at once.
const PAGE_EVENTS: usize = 1_000;
const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Which log is read: with --server, the running system's; else the one in the data directory, and where
/// `up` runs on that, through its console.
#[derive(Debug, Clone, Args)]
pub struct LogArguments {
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    /// The plan whose log is meant, where a data directory holds several
    #[arg(long = "plan-id", value_name = "ID")]
    plan: Option<String>,
}

/// A log that can be read page by page.
pub enum LogPlace {
    /// Over HTTP.
    Server(Client),
    /// In a directory, which nobody else can open meanwhile.
    Directory(Box<OpenedDirectory>),
}

/// A log opened in place.
pub struct OpenedDirectory {
    log: Log,
    folder: PathBuf,
    /// Kept so that the log stays whole and closed to others.
    _writer: Writer,
    _held: Option<DataLock>,
}

/// A page of events as recorded.
#[derive(Deserialize)]
struct Page {
    events: Vec<Box<RawValue>>,
}

impl LogArguments {
    /// Finds the log; opens it where it lies in a directory.
    pub fn open(&self) -> Result<LogPlace, Failure> {
        if self.server.server.is_some() {
            return Ok(LogPlace::Server(self.server.client()?));
        }
        let root = self.root();
        if holds_journal(&root) {
            return Ok(LogPlace::in_directory(&root)?);
        }
        let directory = DataDirectory::at(&root);
        if !directory.service_folder("ingestion").is_dir() {
            // Nothing was ever started here: the default server says whether it is there.
            return Ok(LogPlace::Server(self.server.client()?));
        }
        match directory.lock()? {
            None => Ok(LogPlace::Server(self.at_this_directory().client()?)),
            Some(held) => Ok(LogPlace::Directory(Box::new(open(&self.log_folder()?, Some(held))?))),
        }
    }

    /// The directory of the log, for what works on directories only.
    pub fn log_folder(&self) -> anyhow::Result<PathBuf> {
        Ok(self.log_directory(&self.root())?.folder)
    }

    /// The log in another place than the data directory that is named, or in that.
    pub(crate) fn log_directory(&self, place: &Path) -> anyhow::Result<LogDirectory> {
        LogDirectory::find(place, self.plan.as_deref())
    }

    /// The data directory that is meant.
    pub(crate) fn root(&self) -> PathBuf {
        self.server.data.clone().unwrap_or_else(data_directory::default_root)
    }

    /// As if the data directory had been named: its own console is asked.
    fn at_this_directory(&self) -> ServerArguments {
        ServerArguments { server: None, data: Some(self.root()) }
    }
}

fn open(folder: &Path, held: Option<DataLock>) -> anyhow::Result<OpenedDirectory> {
    let plan = plan_of(folder)?;
    let Opened { log, writer, report } = event_log::open(folder, &plan, Options::default())
        .with_context(|| format!("cannot open the log in `{}`", folder.display()))?;
    if report.journal_bytes_cut > 0 || report.journal_events_restored > 0 {
        // What is read from here on is whole; that it was not so before is for a person to know.
        output::say(format_args!("{}: the end of the journal was torn: {report}", folder.display()));
    }
    Ok(OpenedDirectory { log, folder: folder.to_owned(), _writer: writer, _held: held })
}

/// A log's directory is named after its plan, wherever `up` made it; its mark says it as well.
fn plan_of(folder: &Path) -> anyhow::Result<PlanId> {
    #[derive(Deserialize)]
    struct Mark {
        plan: PlanId,
    }
    let file = folder.join("format.json");
    let bytes = std::fs::read(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
    let mark: Mark = serde_json::from_slice(&bytes)
        .with_context(|| format!("`{}` does not say which plan the log is of", file.display()))?;
    Ok(mark.plan)
}

impl LogPlace {
    /// Reads a page of events from a position on, byte for byte as recorded; empty at the head.
    pub fn read(&self, from: Position) -> Result<Vec<Vec<u8>>, Failure> {
        self.read_at_most(from, PAGE_EVENTS)
    }

    /// Reads at most so many events from a position on.
    pub fn read_at_most(&self, from: Position, limit: usize) -> Result<Vec<Vec<u8>>, Failure> {
        let limit = limit.clamp(1, PAGE_EVENTS);
        match self {
            LogPlace::Directory(opened) => {
                let page = opened
                    .log
                    .read(from, ReadLimit { events: limit, bytes: PAGE_BYTES })
                    .context("cannot read the log")?;
                Ok(page.into_iter().map(|stored| stored.bytes.to_vec()).collect())
            }
            LogPlace::Server(client) => {
                let query = [("from", Some(from.to_string())), ("limit", Some(limit.to_string()))];
                let page: Page = client.get("/api/v1/events", &query)?.json()?;
                Ok(page.events.into_iter().map(|event| event.get().as_bytes().to_vec()).collect())
            }
        }
    }

    /// The log of a directory.
    pub fn in_directory(folder: &Path) -> anyhow::Result<LogPlace> {
        Ok(LogPlace::Directory(Box::new(open(folder, None)?)))
    }

    /// The log itself, where it is in a directory.
    pub fn log(&self) -> Option<&Log> {
        match self {
            LogPlace::Directory(opened) => Some(&opened.log),
            LogPlace::Server(_) => None,
        }
    }

    /// Reads every event from the first to a position or to the end of the log, works on runs of them, and hands
    /// what came of it to `take`, in order, until that breaks. In a directory the work is done ahead, on several
    /// threads.
    pub fn read_through<T: Send>(
        &self,
        to: Position,
        work: impl Fn(&[&[u8]]) -> T + Sync,
        mut take: impl FnMut(T) -> ControlFlow<()>,
    ) -> Result<(), Failure> {
        let mut next = Position(1);
        match self {
            LogPlace::Directory(opened) => {
                let work = |run: Vec<Stored>| {
                    let bytes: Vec<&[u8]> = run.iter().map(|stored| &*stored.bytes).collect();
                    work(&bytes)
                };
                Ok(opened.log.read_ahead(next, to, work, take).context("cannot read the log")?)
            }
            LogPlace::Server(_) => {
                while next <= to {
                    let wanted = usize::try_from(to.0 - next.0).unwrap_or(usize::MAX).saturating_add(1);
                    let page = self.read_at_most(next, wanted)?;
                    let bytes: Vec<&[u8]> = page.iter().map(Vec::as_slice).collect();
                    if bytes.is_empty() || take(work(&bytes)).is_break() {
                        break;
                    }
                    next = Position(next.0 + page.len() as u64);
                }
                Ok(())
            }
        }
    }

    /// The root of the log's own Merkle tree at a position; none where the log is read from a running system,
    /// whose tree is its own affair.
    pub fn root_at(&self, position: Position) -> Result<Option<TreeHash>, Failure> {
        match self {
            LogPlace::Directory(opened) => {
                let root = opened.log.root_at(position).context("cannot read the log's tree")?;
                Ok(Some(root))
            }
            LogPlace::Server(_) => Ok(None),
        }
    }

    /// The last position of the log; of a running system, the one that its projection has reached.
    pub fn head(&self) -> Result<Position, Failure> {
        #[derive(Deserialize)]
        struct At {
            position: Position,
        }
        match self {
            LogPlace::Directory(opened) => Ok(opened.log.head()),
            LogPlace::Server(client) => {
                // Few alerts are pending: the smallest answer that names the position.
                let query = [("state", Some("pending".to_owned()))];
                let at: At = client.get("/api/v1/alerts", &query)?.json()?;
                Ok(at.position)
            }
        }
    }

    /// Finds one event by its id.
    pub fn event_by_id(&self, id: &events::EventId) -> Result<Option<Vec<u8>>, Failure> {
        match self {
            LogPlace::Directory(opened) => {
                let found = opened.log.event_by_id(id).context("cannot read the log")?;
                Ok(found.map(|stored| stored.bytes.to_vec()))
            }
            LogPlace::Server(client) => {
                let answer = client.get(&format!("/api/v1/events/{id}"), &[])?;
                if answer.status == 404 {
                    return Ok(None);
                }
                answer.json::<Box<RawValue>>().map(|event| Some(event.get().as_bytes().to_vec()))
            }
        }
    }

    /// The log and its directory, where it was opened in place.
    pub fn directory(&self) -> Option<(&Log, &Path)> {
        match self {
            LogPlace::Directory(opened) => Some((&opened.log, &opened.folder)),
            LogPlace::Server(_) => None,
        }
    }

    /// The running system behind it, for what only that can do.
    pub fn client(&self) -> Option<&Client> {
        match self {
            LogPlace::Server(client) => Some(client),
            LogPlace::Directory(_) => None,
        }
    }
}
