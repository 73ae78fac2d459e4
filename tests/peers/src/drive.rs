//! The load: writers that each wait for their answer.

use crate::systems::Store;
use crate::workload::Shape;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// When no further request is begun.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Until {
    pub(crate) time: Duration,
    pub(crate) events: u64,
}

/// What the writers got done.
#[derive(Debug, Default)]
pub(crate) struct Driven {
    pub(crate) events: u64,
    pub(crate) elapsed: Duration,
    /// How long each request took, in microseconds, sorted.
    pub(crate) request_us: Vec<u64>,
}

/// Lets the writers write until the time is over or everything is written, and waits for the last answers.
pub(crate) async fn append<S: Store>(
    store: &Arc<S>,
    shape: Shape,
    first: u64,
    until: Until,
) -> anyhow::Result<Driven> {
    let next = Arc::new(AtomicU64::new(first));
    let end = first + until.events;
    let begun = Instant::now();
    let mut writers = JoinSet::new();
    for _ in 0..shape.writers {
        let (store, next) = (Arc::clone(store), Arc::clone(&next));
        writers.spawn(async move {
            let mut driven = Driven::default();
            while begun.elapsed() < until.time {
                let number = next.fetch_add(shape.request, Ordering::Relaxed);
                let count = shape.request.min(end.saturating_sub(number));
                if count == 0 {
                    break;
                }
                let asked = Instant::now();
                store.append(number, count).await?;
                driven.request_us.push(u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX));
                driven.events += count;
            }
            anyhow::Ok(driven)
        });
    }
    let mut all = Driven::default();
    while let Some(writer) = writers.join_next().await {
        let driven = writer??;
        all.events += driven.events;
        all.request_us.extend(driven.request_us);
    }
    all.elapsed = begun.elapsed();
    all.request_us.sort_unstable();
    Ok(all)
}
