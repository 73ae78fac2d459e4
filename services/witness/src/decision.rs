//! Whether a checkpoint is cosigned: a function of what is remembered, the request and the time.

use crate::folder::SaveError;
use crate::record::Record;
use evidence::{AddCheckpoint, KeyName, SignedCheckpoint, VerifierKey, WitnessRefusal};
use thiserror::Error;

/// Why a checkpoint is not cosigned.
#[derive(Debug, Error)]
pub enum Refused {
    /// The protocol says no.
    #[error(transparent)]
    Protocol(#[from] WitnessRefusal),
    /// The clock is behind the last cosignature: a later one would seem to be the earlier.
    #[error(
        "this witness's clock says {now_seconds}, but its last cosignature is of {last_seconds} (seconds since \
         1970): nothing is cosigned until the clock is right and past that time"
    )]
    ClockBehind {
        /// What the clock says.
        now_seconds: u64,
        /// When the last cosignature was made.
        last_seconds: u64,
    },
    /// The clock leapt ahead.
    #[error(
        "this witness's clock says {now_seconds} (seconds since 1970), which is {ahead_seconds} s more than has \
         passed since it began: nothing is cosigned until the clock is right; if it is, start the witness again"
    )]
    ClockAhead {
        /// What the clock says.
        now_seconds: u64,
        /// How far that is ahead.
        ahead_seconds: u64,
    },
    /// What is remembered of the log cannot be used.
    #[error("nothing of the log `{origin}` is cosigned: {why}")]
    Unusable {
        /// Which log.
        origin: String,
        /// Why, and what to do.
        why: String,
    },
    /// What is to be remembered is not on the disk.
    #[error("nothing of the log `{origin}` is cosigned now")]
    NotSaved {
        /// Which log.
        origin: String,
        /// Why.
        source: SaveError,
    },
}

/// What contradicts what is remembered. The log signed both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contradiction {
    /// Two roots for one size: each of the two checkpoints proves the other wrong.
    TwoRoots,
    /// The request does not prove that the log continues; whether it does is not known.
    Unproven,
}

impl Refused {
    /// The HTTP status to answer with.
    pub fn status(&self) -> u16 {
        match self {
            Refused::Protocol(refusal) => refusal.status(),
            Refused::ClockBehind { .. }
            | Refused::ClockAhead { .. }
            | Refused::Unusable { .. }
            | Refused::NotSaved { .. } => 503,
        }
    }

    /// Whether somebody else had a checkpoint of the log cosigned meanwhile.
    pub(crate) fn was_overtaken(&self) -> bool {
        matches!(self, Refused::Protocol(WitnessRefusal::Stale { .. }))
    }

    /// The word by which it is counted.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Refused::Protocol(WitnessRefusal::UnknownLog { .. }) => "unknown-log",
            Refused::Protocol(WitnessRefusal::NotSigned(_)) => "not-signed",
            Refused::Protocol(WitnessRefusal::Smaller { .. }) => "smaller",
            Refused::Protocol(WitnessRefusal::Stale { .. }) => "stale",
            Refused::Protocol(WitnessRefusal::TwoRoots { .. }) => "two-roots",
            Refused::Protocol(WitnessRefusal::NotConsistent(_)) => "not-consistent",
            Refused::ClockBehind { .. } => "clock-behind",
            Refused::ClockAhead { .. } => "clock-ahead",
            Refused::Unusable { .. } => "unusable",
            Refused::NotSaved { .. } => "not-saved",
        }
    }
}

/// Decides on a request: what is to be remembered before anything is signed, or why not.
pub(crate) fn decide(
    keys: &[VerifierKey],
    last: Option<&Record>,
    request: &AddCheckpoint,
    now_seconds: u64,
) -> Result<Record, Refused> {
    let known = last.map(|record| record.checkpoint.claimed());
    request.judge(keys, known)?;
    // A cosignature with the time 0 would say nothing of when.
    let last_seconds = last.map_or(1, |record| record.cosigned_at_seconds);
    if now_seconds < last_seconds {
        return Err(Refused::ClockBehind { now_seconds, last_seconds });
    }
    Ok(Record { cosigned_at_seconds: now_seconds, checkpoint: signed_by(keys, &request.checkpoint) })
}

/// What a request that was refused shows about the log.
///
/// Only of a checkpoint that the log signed; anybody may send one of those again with a proof of rubbish, so a
/// proof that does not hold is no proof of the contrary.
pub(crate) fn contradiction(
    last: Option<&Record>,
    request: &AddCheckpoint,
    refused: &Refused,
) -> Option<Contradiction> {
    let last = last?.checkpoint.claimed();
    let shown = request.checkpoint.claimed();
    match refused {
        Refused::Protocol(WitnessRefusal::UnknownLog { .. } | WitnessRefusal::NotSigned(_)) => None,
        _ if shown.size() == last.size() && shown.root() != last.root() => Some(Contradiction::TwoRoots),
        Refused::Protocol(WitnessRefusal::NotConsistent(_)) => Some(Contradiction::Unproven),
        Refused::Protocol(
            WitnessRefusal::Smaller { .. } | WitnessRefusal::Stale { .. } | WitnessRefusal::TwoRoots { .. },
        )
        | Refused::ClockBehind { .. }
        | Refused::ClockAhead { .. }
        | Refused::Unusable { .. }
        | Refused::NotSaved { .. } => None,
    }
}

/// The checkpoint with the signatures by the log's keys and no others: what anybody else put under it is not
/// passed on.
fn signed_by(keys: &[VerifierKey], checkpoint: &SignedCheckpoint) -> SignedCheckpoint {
    let text = checkpoint.claimed().to_string();
    let origin =
        KeyName::parse(checkpoint.claimed().origin()).expect("it was verified by a key of that name");
    let mut kept = String::new();
    for line in checkpoint.lines_of(&origin).split_inclusive('\n') {
        let alone = SignedCheckpoint::parse(format!("{text}\n{line}").as_bytes());
        if alone.is_ok_and(|alone| alone.verify(keys).is_ok()) && !kept.contains(line) {
            kept.push_str(line);
        }
    }
    SignedCheckpoint::parse(format!("{text}\n{kept}").as_bytes()).expect("it was verified just now")
}

#[cfg(test)]
mod tests {
    use super::*;
    use evidence::{Checkpoint, KeyUse, SigningKey, leaf_hash};

    fn key(name: &str, seed: u8) -> SigningKey {
        SigningKey::from_seed(KeyName::parse(name).unwrap(), &[seed; 32])
    }

    fn request(root: &[u8], old_size: u64) -> AddCheckpoint {
        let log = key("log.example/a", 1);
        let checkpoint = Checkpoint::new(log.name(), 3, leaf_hash(root)).sign(&[&log]).unwrap();
        AddCheckpoint { old_size, hashes: Vec::new(), checkpoint }
    }

    fn keys() -> Vec<VerifierKey> {
        vec![key("log.example/a", 1).verifier(KeyUse::Log), key("log.example/a", 2).verifier(KeyUse::Log)]
    }

    #[test]
    fn only_the_signatures_of_the_log_are_remembered() {
        let mut request = request(b"root", 0);
        let plain = request.checkpoint.clone();
        request.checkpoint.cosign(&key("witness.example/other", 3), 1).unwrap();
        // A line with the log's name, by a key that is not the log's.
        let stranger = key("log.example/a", 9);
        let strange = plain.claimed().sign(&[&stranger]).unwrap();
        request.checkpoint.add_lines(&strange.lines_of(stranger.name())).unwrap();
        // Both keys of a rotation.
        let second = plain.claimed().sign(&[&key("log.example/a", 2)]).unwrap();
        request.checkpoint.add_lines(&second.lines_of(stranger.name())).unwrap();
        let decided = decide(&keys(), None, &request, 5).unwrap();
        let both = plain.claimed().sign(&[&key("log.example/a", 1), &key("log.example/a", 2)]).unwrap();
        assert_eq!(decided, Record { cosigned_at_seconds: 5, checkpoint: both });
    }

    #[test]
    fn a_clock_behind_the_last_cosignature_is_refused() {
        let last = decide(&keys(), None, &request(b"root", 0), 1_000).unwrap();
        let again = request(b"root", 3);
        let refused = decide(&keys(), Some(&last), &again, 999).unwrap_err();
        assert!(matches!(refused, Refused::ClockBehind { now_seconds: 999, last_seconds: 1_000 }));
        assert_eq!(refused.status(), 503);
        assert_eq!(decide(&keys(), Some(&last), &again, 1_000).unwrap(), last);
        assert!(matches!(
            decide(&keys(), None, &request(b"root", 0), 0),
            Err(Refused::ClockBehind { now_seconds: 0, .. })
        ));
    }

    #[test]
    fn two_roots_of_one_size_are_a_contradiction_whatever_the_request_starts_from() {
        let last = decide(&keys(), None, &request(b"root", 0), 1_000).unwrap();
        for old_size in [0, 2, 3] {
            let request = request(b"another", old_size);
            let refused = decide(&keys(), Some(&last), &request, 1_001).unwrap_err();
            let found = contradiction(Some(&last), &request, &refused);
            assert_eq!(found, Some(Contradiction::TwoRoots), "from {old_size}: {refused}");
        }
        let mut forged = request(b"another", 3);
        forged.checkpoint = SignedCheckpoint::parse(
            forged.checkpoint.to_string().replace("log.example/a\n3\n", "log.example/a\n4\n").as_bytes(),
        )
        .unwrap();
        let refused = decide(&keys(), Some(&last), &forged, 1_001).unwrap_err();
        assert_eq!(refused.status(), 403);
        assert_eq!(contradiction(Some(&last), &forged, &refused), None, "the log signed nothing of it");
    }
}
