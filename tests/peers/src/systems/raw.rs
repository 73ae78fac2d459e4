//! A plain file: length and bytes, everything that waits in one write and one fdatasync.

use super::Store;
use crate::payload::Payloads;
use anyhow::{Context, anyhow};
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

const NAME: &str = "events";
/// No request is added to a write that has so many bytes.
const WRITE_BYTES: usize = 8 * 1024 * 1024;
const READ_BYTES: usize = 1024 * 1024;

/// The file.
pub(crate) struct Raw {
    path: PathBuf,
    door: Door,
    payloads: Arc<Payloads>,
}

enum Door {
    /// One writer: it writes itself.
    Direct(Mutex<File>),
    /// A thread writes what many hand to it.
    Queue(Sender<Request>, JoinHandle<()>),
}

struct Request {
    bytes: Vec<u8>,
    answer: oneshot::Sender<io::Result<()>>,
}

impl Raw {
    pub(crate) fn open(directory: &Path, payloads: Arc<Payloads>, queued: bool) -> anyhow::Result<Raw> {
        std::fs::create_dir_all(directory)?;
        let path = directory.join(NAME);
        let file = File::options().create(true).append(true).open(&path)?;
        let door = if queued {
            let (requests, received) = channel();
            Door::Queue(requests, std::thread::spawn(move || write_requests(file, &received)))
        } else {
            Door::Direct(Mutex::new(file))
        };
        Ok(Raw { path, door, payloads })
    }

    fn read_file(&self, mut visit: impl FnMut(&[u8]) -> anyhow::Result<()>) -> anyhow::Result<u64> {
        let mut reader = BufReader::with_capacity(READ_BYTES, File::open(&self.path)?);
        let mut event = Vec::new();
        let mut events = 0;
        loop {
            let mut length = [0; 4];
            match reader.read_exact(&mut length) {
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(events),
                read => read?,
            }
            event.resize(u32::from_be_bytes(length) as usize, 0);
            reader.read_exact(&mut event)?;
            visit(&event)?;
            events += 1;
        }
    }
}

impl Store for Raw {
    async fn head(&self) -> anyhow::Result<u64> {
        self.read_file(|_| Ok(()))
    }

    async fn append(&self, first: u64, count: u64) -> anyhow::Result<()> {
        let mut bytes = Vec::new();
        for number in first..first + count {
            let event = self.payloads.bytes(number)?;
            bytes.extend_from_slice(&u32::try_from(event.len())?.to_be_bytes());
            bytes.extend_from_slice(&event);
        }
        match &self.door {
            Door::Direct(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                file.write_all(&bytes)?;
                file.sync_data()?;
            }
            Door::Queue(requests, _) => {
                let (answer, answered) = oneshot::channel();
                requests
                    .send(Request { bytes, answer })
                    .map_err(|_| anyhow!("the writing thread is gone"))?;
                answered.await.context("the writing thread is gone")??;
            }
        }
        Ok(())
    }

    async fn replay<V>(&self, visit: V) -> anyhow::Result<u64>
    where
        V: FnMut(&[u8]) -> anyhow::Result<()> + Send,
    {
        self.read_file(visit)
    }

    async fn close(self) -> anyhow::Result<()> {
        if let Door::Queue(requests, thread) = self.door {
            drop(requests);
            thread.join().map_err(|_| anyhow!("the writing thread panicked"))?;
        }
        Ok(())
    }
}

fn write_requests(mut file: File, received: &Receiver<Request>) {
    let mut gathered = Vec::new();
    while let Ok(first) = received.recv() {
        gathered.clear();
        let mut answers = vec![first.answer];
        gathered.extend_from_slice(&first.bytes);
        while gathered.len() < WRITE_BYTES
            && let Ok(next) = received.try_recv()
        {
            gathered.extend_from_slice(&next.bytes);
            answers.push(next.answer);
        }
        let written = file.write_all(&gathered).and_then(|()| file.sync_data());
        for answer in answers {
            let told = written.as_ref().copied().map_err(|error| io::Error::from(error.kind()));
            // Whoever stopped waiting is told nothing.
            let _ = answer.send(told);
        }
    }
}
