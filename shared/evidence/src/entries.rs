//! Entry bundles: up to 256 entries in a row, each behind its length.

use thiserror::Error;

/// The largest entry: its length has two bytes.
pub const ENTRY_LIMIT_BYTES: usize = u16::MAX as usize;

/// Why bytes are no entry bundle.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EntriesError {
    /// An entry does not end within the bundle.
    #[error("the bundle ends within entry {entry} (of {expected}): it is cut short, get it again")]
    Short {
        /// Which entry, counted from 0 within the bundle.
        entry: usize,
        /// How many there should be.
        expected: usize,
    },
    /// Bytes follow the last entry.
    #[error(
        "{bytes} bytes follow the last of {expected} entries: it is no bundle of this width, get it again"
    )]
    Long {
        /// How many bytes.
        bytes: usize,
        /// How many entries there should be.
        expected: usize,
    },
}

/// Appends an entry to a bundle; false, and nothing appended, if it is longer than 65,535 bytes.
#[must_use]
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> bool {
    let Ok(length) = u16::try_from(entry.len()) else { return false };
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    true
}

/// Splits a bundle into exactly `width` entries.
pub fn split_entries(bundle: &[u8], width: usize) -> Result<Vec<&[u8]>, EntriesError> {
    let mut entries = Vec::with_capacity(width.min(crate::FULL_TILE_HASHES));
    let mut rest = bundle;
    for entry in 0..width {
        let short = || EntriesError::Short { entry, expected: width };
        let (length, after) = rest.split_first_chunk::<2>().ok_or_else(short)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (bytes, after) = after.split_at_checked(length).ok_or_else(short)?;
        entries.push(bytes);
        rest = after;
    }
    if rest.is_empty() { Ok(entries) } else { Err(EntriesError::Long { bytes: rest.len(), expected: width }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_read_back_and_every_cut_is_named() {
        let mut bundle = Vec::new();
        for entry in [b"".as_slice(), b"a", &[7; 300]] {
            assert!(push_entry(&mut bundle, entry));
        }
        assert!(!push_entry(&mut bundle, &[0; ENTRY_LIMIT_BYTES + 1]));
        assert_eq!(split_entries(&bundle, 3).unwrap(), [b"".as_slice(), b"a", &[7; 300]]);
        assert_eq!(split_entries(&bundle, 2), Err(EntriesError::Long { bytes: 302, expected: 2 }));
        assert_eq!(split_entries(&bundle, 4), Err(EntriesError::Short { entry: 3, expected: 4 }));
        for cut in 0..bundle.len() {
            assert!(matches!(split_entries(&bundle[..cut], 3), Err(EntriesError::Short { .. })));
        }
    }
}
