//! Cosignatures: a witness's statement that, at a time, a checkpoint was the latest consistent one it had seen.

use crate::key::KeyName;

/// The latest time that a cosignature may carry, in seconds since 1970.
pub const LATEST_COSIGNATURE_SECONDS: u64 = u64::MAX >> 1;

/// A cosignature that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// Whose it is.
    pub by: KeyName,
    /// When it was made, in seconds since 1970, as the witness says.
    pub at_seconds: u64,
}

/// What is signed: two lines and the checkpoint's whole text.
pub(crate) fn message(seconds: u64, note_text: &[u8]) -> Vec<u8> {
    [format!("cosignature/v1\ntime {seconds}\n").as_bytes(), note_text].concat()
}

/// Puts time and signature together.
pub(crate) fn join(seconds: u64, signature: &[u8]) -> Vec<u8> {
    [&seconds.to_be_bytes(), signature].concat()
}

/// Takes time and signature apart; none if the time is not possible.
pub(crate) fn split(signature: &[u8]) -> Option<(u64, &[u8])> {
    let (seconds, signature) = signature.split_first_chunk::<8>()?;
    let seconds = u64::from_be_bytes(*seconds);
    (seconds <= LATEST_COSIGNATURE_SECONDS).then_some((seconds, signature))
}
