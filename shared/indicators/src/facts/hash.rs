//! A SHA-256 that can be stopped, written down and gone on with: what the digest of a growing group needs.

use sha2::block_api::compress256;

const BLOCK_BYTES: usize = 64;
/// The state before the first byte (FIPS 180-4, 5.3.3).
const START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// SHA-256 of everything taken in so far; the compression is the library's, with the processor's own
/// instructions where it has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RunningHash {
    state: [u32; 8],
    size_bytes: u64,
    /// The bytes of the block that is not full yet; zeros behind them.
    open: [u8; BLOCK_BYTES],
}

impl Default for RunningHash {
    fn default() -> RunningHash {
        RunningHash { state: START, size_bytes: 0, open: [0; BLOCK_BYTES] }
    }
}

impl RunningHash {
    /// How many bytes a written state takes.
    pub(super) const WRITTEN_BYTES: usize = 32 + 8 + BLOCK_BYTES;

    fn filled(&self) -> usize {
        (self.size_bytes % BLOCK_BYTES as u64) as usize
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        let filled = self.filled();
        self.size_bytes += bytes.len() as u64;
        let room = BLOCK_BYTES - filled;
        if bytes.len() < room {
            self.open[filled..filled + bytes.len()].copy_from_slice(bytes);
            return;
        }
        let (head, rest) = bytes.split_at(room);
        self.open[filled..].copy_from_slice(head);
        compress256(&mut self.state, std::slice::from_ref(&self.open));
        let (blocks, tail) = rest.as_chunks::<BLOCK_BYTES>();
        compress256(&mut self.state, blocks);
        self.open = [0; BLOCK_BYTES];
        self.open[..tail.len()].copy_from_slice(tail);
    }

    /// The digest of what was taken in; more may be taken in afterwards.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut state = self.state;
        let mut last = self.open;
        let filled = self.filled();
        last[filled] = 0x80;
        if filled + 9 > BLOCK_BYTES {
            compress256(&mut state, &[last]);
            last = [0; BLOCK_BYTES];
        }
        last[BLOCK_BYTES - 8..].copy_from_slice(&(self.size_bytes * 8).to_be_bytes());
        compress256(&mut state, &[last]);
        let mut digest = [0; 32];
        for (bytes, word) in digest.as_chunks_mut::<4>().0.iter_mut().zip(state) {
            *bytes = word.to_be_bytes();
        }
        digest
    }

    /// Appends the state to `bytes`, so that it can be gone on with later.
    pub(super) fn write(&self, bytes: &mut Vec<u8>) {
        self.state.iter().for_each(|word| bytes.extend_from_slice(&word.to_be_bytes()));
        bytes.extend_from_slice(&self.size_bytes.to_be_bytes());
        bytes.extend_from_slice(&self.open);
    }

    /// Reads a written state; none if the bytes are none.
    pub(super) fn read(bytes: &[u8]) -> Option<RunningHash> {
        let (state, rest) = bytes.split_at_checked(32)?;
        let (size_bytes, open) = rest.split_at_checked(8)?;
        let mut hash = RunningHash {
            size_bytes: u64::from_be_bytes(size_bytes.try_into().ok()?),
            open: open.try_into().ok()?,
            ..RunningHash::default()
        };
        for (word, bytes) in hash.state.iter_mut().zip(state.as_chunks::<4>().0) {
            *word = u32::from_be_bytes(*bytes);
        }
        hash.open[hash.filled()..].iter().all(|byte| *byte == 0).then_some(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    proptest! {
        #[test]
        fn it_is_sha_256_wherever_it_was_stopped(
            parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..12)
        ) {
            let mut running = RunningHash::default();
            let mut whole = Sha256::new();
            for part in parts {
                let mut written = Vec::new();
                running.write(&mut written);
                prop_assert_eq!(written.len(), RunningHash::WRITTEN_BYTES);
                running = RunningHash::read(&written).unwrap();
                running.update(&part);
                whole.update(&part);
                prop_assert_eq!(&running.digest()[..], &whole.clone().finalize()[..]);
            }
        }
    }

    #[test]
    fn what_is_no_state_is_refused() {
        let mut written = Vec::new();
        RunningHash::default().write(&mut written);
        assert!(RunningHash::read(&written[1..]).is_none());
        written.push(0);
        assert!(RunningHash::read(&written).is_none());
        written.pop();
        *written.last_mut().unwrap() = 1;
        assert!(RunningHash::read(&written).is_none());
    }
}
