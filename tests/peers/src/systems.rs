//! A system behind one interface: opened, appended to, read back, closed.

mod jetstream;
mod ours;
mod raw;
mod tephra_store;
mod umadb_store;

pub(crate) use jetstream::{JetStream, SERVER_PID_NAME, Synchronisation, find_server};
pub(crate) use ours::Ours;
pub(crate) use raw::Raw;
pub(crate) use tephra_store::Tephra;
pub(crate) use umadb_store::Umadb;

use std::future::Future;

/// What is done to every system.
pub(crate) trait Store: Send + Sync + Sized + 'static {
    /// The last position; 0 where there is none.
    fn head(&self) -> impl Future<Output = anyhow::Result<u64>> + Send;

    /// Records so many events from that number on as one request, and waits until they are durable.
    fn append(&self, first: u64, count: u64) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Reads everything back in order and shows each event's bytes; gives how many there were.
    fn replay<V>(&self, visit: V) -> impl Future<Output = anyhow::Result<u64>> + Send
    where
        V: FnMut(&[u8]) -> anyhow::Result<()> + Send;

    /// The process that serves it, where that is another one.
    fn server(&self) -> Option<u32> {
        None
    }

    /// Waits until nothing is left to be done in the background.
    fn settle(&self) -> impl Future<Output = anyhow::Result<()>> + Send {
        async { Ok(()) }
    }

    /// Closes it as it should be closed.
    fn close(self) -> impl Future<Output = anyhow::Result<()>> + Send;
}
