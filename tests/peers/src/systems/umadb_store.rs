//! umadb-core in this process: its storage and its writer thread, wired as its server wires them.

use super::Store;
use crate::payload::{EVENT_TYPE, Payloads};
use anyhow::{Context, anyhow};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot, watch};
use umadb_core::db::UmaDb;
use umadb_core::mvcc::{Mvcc, StorageOptions};
use umadb_core::writer_thread_blocking::writer_thread_blocking;
use umadb_core::writer_thread_request::WriterThreadRequest;
use umadb_dcb::{DcbError, DcbEvent, DcbEventStoreSync};

/// How many requests may wait, and how many events are one batch: as in its server.
const QUEUED_REQUESTS: usize = 1_024;
const BATCH_EVENTS: usize = 2_000;
/// The largest page that its server hands out.
const PAGE_EVENTS: u32 = 5_000;

/// UmaDB.
pub(crate) struct Umadb {
    database: UmaDb,
    requests: mpsc::Sender<WriterThreadRequest>,
    writer: JoinHandle<()>,
    payloads: Arc<Payloads>,
}

impl Umadb {
    pub(crate) fn open(directory: &Path, payloads: Arc<Payloads>) -> anyhow::Result<Umadb> {
        std::fs::create_dir_all(directory)?;
        let mvcc = Mvcc::new(false, StorageOptions::default().db_path(directory)).map_err(failed)?;
        let mvcc = Arc::new(mvcc);
        let (requests, received) = mpsc::channel(QUEUED_REQUESTS);
        let writer = {
            let mvcc = Arc::clone(&mvcc);
            let (head, _) = watch::channel(None);
            std::thread::spawn(move || writer_thread_blocking(mvcc, received, head, BATCH_EVENTS))
        };
        Ok(Umadb { database: UmaDb::from_arc(mvcc), requests, writer, payloads })
    }

    fn event(&self, number: u64) -> anyhow::Result<DcbEvent> {
        Ok(DcbEvent {
            event_type: EVENT_TYPE.to_owned(),
            tags: vec![format!("unit:{}", self.payloads.unit(number))],
            data: self.payloads.bytes(number)?.to_vec(),
            uuid: None,
            metadata: Vec::new(),
        })
    }
}

impl Store for Umadb {
    async fn head(&self) -> anyhow::Result<u64> {
        Ok(self.database.head().map_err(failed)?.unwrap_or(0))
    }

    async fn append(&self, first: u64, count: u64) -> anyhow::Result<()> {
        let events =
            (first..first + count).map(|number| self.event(number)).collect::<anyhow::Result<_>>()?;
        let (response_tx, response) = oneshot::channel();
        let request = WriterThreadRequest::Append {
            events,
            condition: None,
            tracking_info: None,
            response_tx,
            cancel: None,
        };
        self.requests.send(request).await.map_err(|_| anyhow!("the writer of UmaDB is gone"))?;
        response.await.context("the writer of UmaDB is gone")?.map_err(failed)?;
        Ok(())
    }

    async fn replay<V>(&self, mut visit: V) -> anyhow::Result<u64>
    where
        V: FnMut(&[u8]) -> anyhow::Result<()> + Send,
    {
        let mut events = 0;
        let mut start = 1;
        loop {
            let mut page = self.database.read(None, Some(start), false, Some(PAGE_EVENTS)).map_err(failed)?;
            let page = page.next_batch().map_err(failed)?;
            let Some(last) = page.last() else { return Ok(events) };
            start = last.position + 1;
            for event in &page {
                visit(&event.event.data)?;
                events += 1;
            }
        }
    }

    async fn close(self) -> anyhow::Result<()> {
        let Umadb { database, requests, writer, .. } = self;
        // It may be gone already; joining it tells.
        let _ = requests.send(WriterThreadRequest::Shutdown).await;
        writer.join().map_err(|_| anyhow!("the writer of UmaDB panicked"))?;
        drop(database);
        Ok(())
    }
}

fn failed(error: DcbError) -> anyhow::Error {
    anyhow!("UmaDB: {error}")
}
