//! One measurement, in a process of its own.

use crate::arguments::Measure;
use crate::bounds::APPEND_LIMIT_BYTES;
use crate::disk;
use crate::drive::{self, Until};
use crate::figures::{Figures, percentile};
use crate::payload::{Payloads, look};
use crate::process;
use crate::system::System;
use crate::systems::{JetStream, Ours, Raw, Store, Synchronisation, Tephra, Umadb};
use crate::workload::Workload;
use anyhow::{Context, bail};
use event_log::IndexKind;
use indicators::Facts;
use std::future::Future;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Measures and writes the figures where they were asked for.
pub(crate) fn run(arguments: &Measure) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let figures = runtime.block_on(measure(arguments))?;
    std::fs::write(&arguments.result, serde_json::to_vec(&figures)?)
        .with_context(|| format!("cannot write `{}`", arguments.result.display()))
}

async fn measure(arguments: &Measure) -> anyhow::Result<Figures> {
    let ready = arguments.workload != Workload::Fill;
    let payloads = Arc::new(Payloads::new(arguments.size, ready)?);
    let directory = arguments.directory.as_path();
    match arguments.system {
        System::Ours => {
            on(arguments, async || Ours::open(directory, payloads.clone(), IndexKind::Sled)).await
        }
        System::OursMemory => {
            on(arguments, async || Ours::open(directory, payloads.clone(), IndexKind::Memory)).await
        }
        System::Tephra => on(arguments, async || Tephra::open(directory, payloads.clone())).await,
        System::Umadb => on(arguments, async || Umadb::open(directory, payloads.clone())).await,
        System::Raw | System::RawQueued => {
            let many = arguments.workload.shape().is_some_and(|shape| shape.writers > 1);
            let queued = many || arguments.system == System::RawQueued;
            on(arguments, async || Raw::open(directory, payloads.clone(), queued)).await
        }
        System::Jetstream | System::JetstreamAlways => {
            let synchronisation = match arguments.system {
                System::JetstreamAlways => Synchronisation::Always,
                _ => Synchronisation::Default,
            };
            on(arguments, async || JetStream::open(directory, payloads.clone(), synchronisation).await).await
        }
    }
}

async fn on<S, O>(arguments: &Measure, open: impl FnOnce() -> O) -> anyhow::Result<Figures>
where
    S: Store,
    O: Future<Output = anyhow::Result<S>>,
{
    let opening = Instant::now();
    let store = Arc::new(open().await?);
    let head = store.head().await?;
    let opened = opening.elapsed();
    let mut figures = Figures::default();
    // What was folded is held until the memory is looked at.
    let mut facts = Facts::new();
    match (arguments.workload, arguments.workload.shape()) {
        (workload, Some(shape)) => {
            let until = match workload {
                Workload::Fill => Until { time: Duration::MAX, events: arguments.events - head },
                _ => Until {
                    time: Duration::from_secs(u64::from(arguments.seconds)),
                    events: APPEND_LIMIT_BYTES / arguments.size.bytes_bound(),
                },
            };
            let first = if workload == Workload::Fill { head } else { head.max(1) };
            let driven = drive::append(&store, shape, first, until).await?;
            figures.events = driven.events;
            figures.elapsed_us = micros(driven.elapsed);
            figures.request_p50_us = percentile(&driven.request_us, 50);
            figures.request_p99_us = percentile(&driven.request_us, 99);
            figures.stored_events = head + driven.events;
        }
        (Workload::Start, None) => {
            figures.events = head;
            figures.elapsed_us = micros(opened);
        }
        (workload, None) => {
            let begun = Instant::now();
            figures.events = if workload == Workload::ReplayFold {
                let fold = |bytes: &[u8]| {
                    facts.apply_bytes(bytes)?;
                    Ok(())
                };
                store.replay(fold).await?
            } else {
                let mut seen = 0u64;
                let look_at = |bytes: &[u8]| {
                    seen = seen.wrapping_add(look(bytes));
                    Ok(())
                };
                let events = store.replay(look_at).await?;
                black_box(seen);
                events
            };
            figures.elapsed_us = micros(begun.elapsed());
        }
    }
    if arguments.workload.shape().is_none() {
        figures.stored_events = head;
        if figures.events != arguments.events || head != arguments.events {
            bail!("{} events were written, {} read, the head is {head}", arguments.events, figures.events);
        }
    }
    let memory = process::memory(None)?;
    (figures.resident_kib, figures.highest_kib) = (memory.now_kib, memory.highest_kib);
    if let Some(server) = store.server() {
        let memory = process::memory(Some(server))?;
        figures.server_resident_kib = Some(memory.now_kib);
        figures.server_highest_kib = Some(memory.highest_kib);
    }
    drop(facts);
    store.settle().await?;
    let closing = Instant::now();
    Arc::into_inner(store).context("a writer still holds the system")?.close().await?;
    figures.close_us = micros(closing.elapsed());
    let taken = disk::taken(&arguments.directory)?;
    (figures.disk_bytes, figures.allocated_bytes) = (taken.written_bytes, taken.allocated_bytes);
    Ok(figures)
}

fn micros(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX)
}
