//! The index in sled.
//!
//! | tree | key | value |
//! |---|---|---|
//! | `commits` | first position (8, big-endian); further parts of a large frame: and part (2) | a frame, or a part of one, of at most 16 KiB |
//! | `by_id` | number of a run of 16,384 events (8), part (1) | its sorted ids, and a filter; see `id_run` |
//! | `by_time` | recorded time in ms (8, ordered), first position (8) | nothing; one entry for each frame |
//! | `tiles` | level of tiles (1), place (8) | a hash of the Merkle tree; see `tiles` |
//! | `meta` | `format`, `plan`, `head`, `tree`, `id_runs` | |
//!
//! sled's own flush does not synchronise the disk, and it loses whole databases if too much is unwritten at
//! once; so events go in by transactions of at most 256 KiB, and after each one the database file itself is
//! synchronised before the next, with the files that sled writes large pages to. sled panics on some damage, so
//! nothing calls it outside `guarded`.

mod ids;
mod tree;

use self::ids::Ids;
use super::blobs::Blobs;
use super::tiles::{self, Growing};
use super::{Index, IndexError};
use crate::frame::{self, Encoder, HEADER_BYTES, Header, ROW_BYTES};
use crate::stored::{Page, Stored};
use events::{EventId, PlanId, Position, Timestamp};
use evidence::{Edge, Frontier, TreeHash};
use sled::transaction::{TransactionError, Transactional};
use sled::{Batch, Db, IVec, Tree};
use std::fs::{self, File};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use thiserror::Error;

/// The largest value: larger ones may become files of their own, which sled never synchronises.
const VALUE_LIMIT_BYTES: usize = 16 * 1024;
/// How much of events a frame gathers before compression. Larger ones compress better and make sled write less
/// (182 bytes an event of 527 with 16 KiB, 156 with 48), until the sixteen frames of a page fill more than sled
/// keeps inline, 128 KiB; and the more is decompressed to read a single event.
const FRAME_LIMIT_BYTES: usize = 48 * 1024;
/// The most that one transaction holds, keys and values of all trees together.
const TRANSACTION_LIMIT_BYTES: usize = 256 * 1024;
/// What a frame adds to a transaction besides itself.
const FRAME_KEYS_BYTES: usize = 48;
/// sled's page cache.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// How long the lock of a database that was just closed in this process is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(5);
const LOCK_POLL: Duration = Duration::from_millis(20);
const FORMAT: &[u8] = b"1";

/// Why sled did not open.
#[derive(Debug, Error)]
pub(crate) enum IndexOpenError {
    /// What is there is of no use: it has to be moved aside.
    #[error("{0}")]
    Damaged(String),
    /// The disk refused, or someone else has it open: moving it aside would not help.
    #[error("cannot open the index")]
    Io(#[source] io::Error),
}

/// The index in sled.
pub(crate) struct SledIndex {
    db: Db,
    commits: Tree,
    by_id: Tree,
    by_time: Tree,
    tiles: Tree,
    meta: Tree,
    database: File,
    blobs: Blobs,
    head: AtomicU64,
    encoder: Mutex<Encoder>,
    /// The events of the newest frame, while there may be room for more in it.
    newest: Mutex<Vec<Stored>>,
    ids: Ids,
    edge: Mutex<Edge>,
    tiles_made: u64,
    tree_fault: Option<String>,
}

/// Whether there is a database, whatever its state.
pub(crate) fn directory_exists(path: &Path) -> bool {
    path.join("db").exists() || path.join("conf").exists()
}

impl SledIndex {
    /// Opens the database, making an empty one where there is none.
    pub(crate) fn open(path: &Path, plan: &PlanId) -> Result<SledIndex, IndexOpenError> {
        let existed = directory_exists(path);
        remove_unfinished_snapshots(path).map_err(IndexOpenError::Io)?;
        let db = open_database(path)?;
        guarded(|| {
            let meta = db.open_tree("meta")?;
            let commits = db.open_tree("commits")?;
            let by_id = db.open_tree("by_id")?;
            let by_time = db.open_tree("by_time")?;
            let tiles = db.open_tree("tiles")?;
            let database = File::open(path.join("db"))?;
            // sled made them, this process or one that was killed, and synchronises none.
            File::open(path.join("conf"))?.sync_all()?;
            for directory in [Some(path), path.parent()].into_iter().flatten() {
                File::open(directory)?.sync_all()?;
            }
            match meta.get("format")? {
                Some(format) if format == FORMAT => {}
                Some(_) => return Err(unsupported("it is of a format that this version does not know")),
                None if existed && (!commits.is_empty() || !meta.is_empty()) => {
                    return Err(unsupported("its format mark is gone"));
                }
                None if existed => return Err(unsupported("it is empty")),
                None => {
                    meta.insert("format", FORMAT)?;
                    meta.insert("plan", plan.as_str())?;
                    db.flush()?;
                    database.sync_data()?;
                }
            }
            if meta.get("plan")?.as_deref() != Some(plan.as_str().as_bytes()) {
                return Err(unsupported("it belongs to another plan"));
            }
            let head = match meta.get("head")? {
                None => 0,
                Some(head) => be_u64(&head).ok_or_else(|| unsupported("its head is no position"))?,
            };
            let (head, encoder) = (AtomicU64::new(head), Mutex::new(Encoder::new()));
            let (edge, tiles_made, tree_fault, db) = (Mutex::default(), 0, None, db.clone());
            let index = SledIndex {
                db,
                commits,
                by_id,
                by_time,
                tiles,
                meta,
                database,
                blobs: Blobs::of(path),
                head,
                encoder,
                newest: Mutex::default(),
                ids: Ids::default(),
                edge,
                tiles_made,
                tree_fault,
            };
            Ok(index)
        })
        .and_then(SledIndex::with_tree)
        .and_then(SledIndex::with_ids)
        .map_err(|error| match error {
            IndexError::Damaged(what) => IndexOpenError::Damaged(what),
            IndexError::Io(source) => IndexOpenError::Io(source),
        })
    }

    fn edge(&self) -> MutexGuard<'_, Edge> {
        self.edge.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn newest(&self) -> MutexGuard<'_, Vec<Stored>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings onto the disk what was written: sled's own flush hands it to the system only, and leaves out the
    /// files of large pages.
    fn make_durable(&self) -> sled::Result<()> {
        self.db.flush()?;
        self.blobs.sync()?;
        self.database.sync_data()?;
        Ok(())
    }

    /// Writes one transaction and makes it durable; the new events are in it, the last of them in the newest frame.
    fn commit(&self, transaction: Pending, new: &[Stored], newest: &[Stored]) -> Result<(), IndexError> {
        let Some(last) = new.last() else { return Ok(()) };
        let head = last.position;
        let Growing { batch: tile_batch, edge } = transaction.growing;
        let mark = tiles::mark(&edge);
        guarded(|| {
            let trees = (&self.commits, &self.by_time, &self.tiles, &self.meta);
            trees
                .transaction(|(commits, by_time, tiles, meta)| {
                    commits.apply_batch(&transaction.commits)?;
                    by_time.apply_batch(&transaction.by_time)?;
                    tiles.apply_batch(&tile_batch)?;
                    meta.insert("tree", mark.as_slice())?;
                    meta.insert("head", &head.0.to_be_bytes())?;
                    Ok(())
                })
                .map_err(storage_error)?;
            self.make_durable()
        })?;
        *self.edge() = edge;
        *self.newest() = newest.to_vec();
        self.head.store(head.0, Ordering::Release);
        self.remember_ids(new)
    }

    /// Reads the frame that starts with a key, with its further parts.
    fn assemble(&self, first: Position, value: &IVec) -> sled::Result<Option<Vec<Stored>>> {
        let Ok(header) = Header::read(value) else { return Ok(None) };
        if header.first != first {
            return Ok(None);
        }
        if header.frame_bytes() <= value.len() {
            return Ok(frame::decode(value).ok());
        }
        let mut bytes = value.to_vec();
        for part in 1u16.. {
            if bytes.len() >= header.frame_bytes() {
                break;
            }
            let Some(next) = self.commits.get(part_key(first, part))? else { return Ok(None) };
            bytes.extend_from_slice(&next);
        }
        Ok(frame::decode(&bytes).ok())
    }
}

impl Index for SledIndex {
    fn head(&self) -> Position {
        Position(self.head.load(Ordering::Acquire))
    }

    fn apply(&self, stored: &[Stored], mut leaves: &[TreeHash]) -> Result<(), IndexError> {
        let mut encoder = self.encoder.lock().unwrap_or_else(PoisonError::into_inner);
        // Small commits grow together: the newest frame is written again with what follows it.
        let mut events = self.newest().clone();
        let (mut from, mut until) = (events.len(), 0);
        events.extend_from_slice(stored);
        let mut pending = Pending::from(self.edge().clone());
        let mut newest = &events[..0];
        for run in runs(&events) {
            let new = until + run.len() - from.max(until);
            if new > 0 {
                let frame = encoder.encode(run);
                if pending.bytes > 0
                    && pending.bytes + frame.len() + FRAME_KEYS_BYTES > TRANSACTION_LIMIT_BYTES
                {
                    self.commit(pending, &events[from..until], newest)?;
                    pending = Pending::from(self.edge().clone());
                    from = until;
                }
                let (run_leaves, rest) = leaves.split_at(new);
                pending.add(run, run_leaves, &frame);
                leaves = rest;
            }
            until += run.len();
            newest = run;
        }
        self.commit(pending, &events[from..until], newest)
    }

    fn frontier(&self) -> Frontier {
        self.edge().frontier().clone()
    }

    fn tile(&self, level: u8, index: u64) -> Result<Vec<TreeHash>, IndexError> {
        let edge = self.edge().clone();
        self.kept().read(&edge, level, index)
    }

    fn tiles_made(&self) -> u64 {
        self.tiles_made
    }

    fn tree_fault(&self) -> Option<&str> {
        self.tree_fault.as_deref()
    }

    fn read(&self, from: Position, page: &mut Page) -> Result<(), IndexError> {
        let head = self.head();
        let mut next = from;
        let broken = guarded(|| {
            let Some(first) = self.commits.range(..=from.0.to_be_bytes()).next_back().transpose()? else {
                return Ok(Some(from));
            };
            let start = first.0.get(..8).map_or((&from.0.to_be_bytes()).into(), IVec::from);
            for entry in self.commits.range(start..) {
                if next > head {
                    break;
                }
                let (key, value) = entry?;
                let (8, Some(first)) = (key.len(), be_u64(&key)) else { continue };
                let Some(run) = self.assemble(Position(first), &value)? else { return Ok(Some(next)) };
                for event in run {
                    if event.position < next {
                        continue;
                    }
                    if event.position > next {
                        return Ok(Some(next));
                    }
                    if event.position > head || !page.take(&event) {
                        return Ok(None);
                    }
                    next = event.position.next();
                }
            }
            Ok((next <= head).then_some(next))
        })?;
        broken.map_or(Ok(()), |position| {
            Err(IndexError::Damaged(format!("position {position} is missing or altered")))
        })
    }

    fn position_of(&self, id: &EventId) -> Result<Option<Position>, IndexError> {
        self.find_id(id)
    }

    fn run_at(&self, instant: Timestamp) -> Result<Option<Position>, IndexError> {
        let mut end = ordered(instant).to_be_bytes().to_vec();
        end.extend_from_slice(&u64::MAX.to_be_bytes());
        let found = guarded(|| self.by_time.range(..=end).next_back().transpose())?;
        found
            .map(|(key, _)| {
                key.get(8..)
                    .and_then(be_u64)
                    .map(Position)
                    .ok_or_else(|| IndexError::Damaged("an entry by time is malformed".to_owned()))
            })
            .transpose()
    }
}

/// A transaction that is being gathered.
struct Pending {
    commits: Batch,
    by_time: Batch,
    growing: Growing,
    bytes: usize,
}

impl Pending {
    fn from(edge: Edge) -> Pending {
        let (commits, by_time) = (Batch::default(), Batch::default());
        let growing = Growing::from(edge);
        Pending { commits, by_time, growing, bytes: 0 }
    }

    /// Adds the frame of a run, with the leaves of those of its events that are new.
    fn add(&mut self, run: &[Stored], leaves: &[TreeHash], frame: &[u8]) {
        let Some(first) = run.first() else { return };
        self.growing.append(leaves);
        for (part, value) in (0u16..).zip(frame.chunks(VALUE_LIMIT_BYTES)) {
            self.commits.insert(part_key(first.position, part), value);
        }
        let mut time = ordered(first.recorded_at).to_be_bytes().to_vec();
        time.extend_from_slice(&first.position.0.to_be_bytes());
        self.by_time.insert(time, &[]);
        self.bytes += frame.len() + FRAME_KEYS_BYTES;
    }
}

/// Splits events into runs, a frame each; an event larger than that is a run by itself.
fn runs(stored: &[Stored]) -> impl Iterator<Item = &[Stored]> {
    let mut bytes = stored.first().map_or(0, |first| first.bytes.len() + ROW_BYTES);
    stored.chunk_by(move |_, next| {
        let next_bytes = next.bytes.len() + ROW_BYTES;
        bytes += next_bytes;
        if bytes > FRAME_LIMIT_BYTES - HEADER_BYTES {
            bytes = next_bytes;
            return false;
        }
        true
    })
}

/// The key of a frame, or of a further part of one: parts sort directly behind their frame.
fn part_key(first: Position, part: u16) -> Vec<u8> {
    let mut key = first.0.to_be_bytes().to_vec();
    if part > 0 {
        key.extend_from_slice(&part.to_be_bytes());
    }
    key
}

/// Milliseconds in an order that bytes have, too: instants before 1970 sort first.
fn ordered(instant: Timestamp) -> u64 {
    instant.as_millisecond().cast_unsigned() ^ (1 << 63)
}

fn be_u64(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}

fn storage_error(error: TransactionError<()>) -> sled::Error {
    match error {
        TransactionError::Abort(()) => unsupported("a transaction ended by itself"),
        TransactionError::Storage(error) => error,
    }
}

fn unsupported(what: &str) -> sled::Error {
    sled::Error::Unsupported(what.to_owned())
}

/// Removes snapshots that a killed process left unfinished: sled may fail to open beside one.
fn remove_unfinished_snapshots(path: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn open_database(path: &Path) -> Result<Db, IndexOpenError> {
    let started = Instant::now();
    loop {
        let opened = guarded(|| {
            sled::Config::new().path(path).cache_capacity(CACHE_BYTES).flush_every_ms(None).open()
        });
        match opened {
            Ok(db) => return Ok(db),
            // Threads of a database that was closed just now may still hold its lock.
            Err(IndexError::Io(error)) if error.to_string().contains("could not acquire lock") => {
                if started.elapsed() >= LOCK_WAIT {
                    return Err(IndexOpenError::Io(error));
                }
                std::thread::sleep(LOCK_POLL);
            }
            Err(IndexError::Io(source)) => return Err(IndexOpenError::Io(source)),
            Err(IndexError::Damaged(what)) => return Err(IndexOpenError::Damaged(what)),
        }
    }
}

/// Calls sled, and takes a panic, too, for the damage that it is.
pub(super) fn guarded<T>(call: impl FnOnce() -> sled::Result<T>) -> Result<T, IndexError> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(sled::Error::Io(error))) if is_refusal(&error) => Err(IndexError::Io(error)),
        Ok(Err(sled::Error::Unsupported(what))) => Err(IndexError::Damaged(what)),
        Ok(Err(error)) => Err(IndexError::Damaged(error.to_string())),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            Err(IndexError::Damaged(format!("sled gave up: {text}")))
        }
    }
}

/// Whether the disk or another process refused; every other error speaks of what the files hold.
fn is_refusal(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, QuotaExceeded, ReadOnlyFilesystem, StorageFull, WouldBlock};
    matches!(error.kind(), PermissionDenied | QuotaExceeded | ReadOnlyFilesystem | StorageFull | WouldBlock)
        || error.to_string().contains("could not acquire lock")
}

/// Moves a database aside, keeping a few of those moved before; gives the new path.
pub(crate) fn move_aside(path: &Path) -> io::Result<Option<PathBuf>> {
    /// How many are kept for a person to look at.
    const KEPT: usize = 3;
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(None) };
    if !path.exists() {
        return Ok(None);
    }
    let prefix = format!("{}.damaged-", name.to_string_lossy());
    let mut numbers = Vec::new();
    for entry in fs::read_dir(parent)? {
        let name = entry?.file_name();
        numbers.extend(name.to_string_lossy().strip_prefix(&prefix).and_then(|n| n.parse::<u64>().ok()));
    }
    numbers.sort_unstable();
    let next = numbers.last().map_or(1, |last| last + 1);
    while numbers.len() >= KEPT {
        fs::remove_dir_all(parent.join(format!("{prefix}{}", numbers.remove(0))))?;
    }
    let target = parent.join(format!("{prefix}{next}"));
    fs::rename(path, &target)?;
    File::open(parent)?.sync_all()?;
    Ok(Some(target))
}
