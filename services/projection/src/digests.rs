//! Digests of older cuts: they cost a walk over all facts and never change, so the last ones are kept.

use events::Position;
use indicators::Facts;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// How many digests are kept; the one not asked for the longest goes first.
pub(crate) const DIGESTS_LIMIT: usize = 64;

/// The digests of the cuts that were asked for last.
#[derive(Debug, Default)]
pub(crate) struct Digests {
    /// The one asked for last stands first.
    kept: Mutex<VecDeque<(Position, String)>>,
}

impl Digests {
    /// The digest of the facts recorded up to a cut, which is at most their head.
    pub(crate) fn at(&self, facts: &Facts, cut: Position) -> String {
        if cut >= facts.head() {
            return facts.digest();
        }
        if let Some(digest) = self.find(cut) {
            return digest;
        }
        let digest = facts.digest_at(cut);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_front((cut, digest.clone()));
        kept.truncate(DIGESTS_LIMIT);
        digest
    }

    fn find(&self, cut: Position) -> Option<String> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|(position, _)| *position == cut)?;
        let found = kept.remove(place)?;
        let digest = found.1.clone();
        kept.push_front(found);
        Some(digest)
    }
}
