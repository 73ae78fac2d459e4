//! tephra, as its README and its write benchmark use it.

use super::Store;
use crate::payload::{EVENT_TYPE, Payloads};
use anyhow::Context;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use tephra::{
    Event, EventType, Position, Query, SegmentConfig, SegmentSet, Tag, Tags, WriteCoordinator, WriteHandle,
    WriterConfig,
};

/// As in its README.
const SEGMENT_BYTES: usize = 256 * 1024 * 1024;

/// tephra.
pub(crate) struct Tephra {
    coordinator: WriteCoordinator,
    handle: WriteHandle,
    event_type: EventType,
    tags: HashMap<String, Tags>,
    payloads: Arc<Payloads>,
}

impl Tephra {
    pub(crate) fn open(directory: &Path, payloads: Arc<Payloads>) -> anyhow::Result<Tephra> {
        let set = SegmentSet::open(directory, SegmentConfig::new(SEGMENT_BYTES))?;
        let (coordinator, handle) = WriteCoordinator::start(set, WriterConfig::default())?;
        // Made once, so that only the encoding of the event is measured.
        let tags = payloads.units().map(|unit| {
            let tags = Tags::new([Tag::new(format!("unit:{unit}"))?])?;
            Ok((unit.to_owned(), tags))
        });
        let tags = tags.collect::<anyhow::Result<_>>()?;
        Ok(Tephra { coordinator, handle, event_type: EventType::new(EVENT_TYPE)?, tags, payloads })
    }

    fn event(&self, number: u64) -> anyhow::Result<Event> {
        let tags = self.tags.get(self.payloads.unit(number)).context("every unit has its tag")?;
        Ok(Event::new(&self.event_type, tags, &self.payloads.bytes(number)?)?)
    }
}

impl Store for Tephra {
    async fn head(&self) -> anyhow::Result<u64> {
        Ok(self.handle.head().get())
    }

    async fn append(&self, first: u64, count: u64) -> anyhow::Result<()> {
        let events =
            (first..first + count).map(|number| self.event(number)).collect::<anyhow::Result<_>>()?;
        self.handle.append_async(events, None).await?;
        Ok(())
    }

    async fn replay<V>(&self, mut visit: V) -> anyhow::Result<u64>
    where
        V: FnMut(&[u8]) -> anyhow::Result<()> + Send,
    {
        let mut events = 0;
        let mut reads = self.handle.read(&Query::All, Position::ZERO, None);
        while let Some(read) = reads.next() {
            visit(read?.event.data())?;
            events += 1;
        }
        Ok(events)
    }

    async fn close(self) -> anyhow::Result<()> {
        let Tephra { coordinator, handle, .. } = self;
        drop(handle);
        drop(coordinator.shutdown());
        Ok(())
    }
}
