//! Whether log and stream have been compared since the start, and agreed.

use bus::MirrorState;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether log and stream have been compared since the start, and agreed.
///
/// Until then nothing is admitted, and nothing is signed that was not signed before: a log that has lost its
/// end, and the index with it, learns only from the stream that its next positions are taken. From then on
/// the stream may come and go; the log is the truth.
#[derive(Debug, Clone, Default)]
pub(crate) struct Compared(Arc<AtomicBool>);

impl Compared {
    /// Takes note of what the mirror does; gives whether they have agreed at any time.
    pub(crate) fn saw(&self, mirror: &MirrorState) -> bool {
        if matches!(mirror, MirrorState::Following { .. }) {
            self.0.store(true, Ordering::Relaxed);
        }
        self.has_agreed()
    }

    /// Whether they have agreed at any time.
    pub(crate) fn has_agreed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
