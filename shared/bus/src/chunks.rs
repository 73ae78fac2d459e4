//! Replies larger than one message: cut into chunks, put together again by whoever asked.

use bytes::{Bytes, BytesMut};

/// The largest piece of a reply that travels as one message.
pub(crate) const CHUNK_BYTES_LIMIT: usize = 512 * 1024;
/// The largest reply; a service refuses to send a larger one, a requester refuses to take it.
pub(crate) const REPLY_BYTES_LIMIT: usize = 64 * 1024 * 1024;
/// The most chunks that make up one reply.
pub(crate) const CHUNKS_LIMIT: usize = REPLY_BYTES_LIMIT / CHUNK_BYTES_LIMIT;
/// Header: `i/n`, counted from 1; absent where the reply is whole.
pub(crate) const CHUNK_HEADER: &str = "Planwatch-Chunk";

/// Cuts a reply; the pieces share its memory. An empty reply is one empty piece.
pub(crate) fn cut(reply: &Bytes) -> Vec<Bytes> {
    if reply.is_empty() {
        return vec![Bytes::new()];
    }
    (0..reply.len())
        .step_by(CHUNK_BYTES_LIMIT)
        .map(|start| reply.slice(start..(start + CHUNK_BYTES_LIMIT).min(reply.len())))
        .collect()
}

/// Why chunks do not make a reply.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    TooLarge,
    Garbled(String),
}

/// Puts one reply together, chunk by chunk in their order.
#[derive(Debug, Default)]
pub(crate) struct Assembly {
    bytes: BytesMut,
    taken: usize,
    total: usize,
}

impl Assembly {
    /// Takes a message's payload and its chunk header; gives the reply with the last one.
    pub(crate) fn take(&mut self, header: Option<&str>, payload: Bytes) -> Result<Option<Bytes>, Wrong> {
        let Some(header) = header else {
            return if self.taken == 0 {
                Ok(Some(payload))
            } else {
                Err(garbled("a whole reply between chunks"))
            };
        };
        let (number, total) = header
            .split_once('/')
            .and_then(|(number, total)| Some((number.parse::<usize>().ok()?, total.parse::<usize>().ok()?)))
            .ok_or_else(|| garbled("a chunk header that is not `i/n`"))?;
        if total > CHUNKS_LIMIT {
            return Err(Wrong::TooLarge);
        }
        if number != self.taken + 1 || number > total || (self.taken > 0 && total != self.total) {
            return Err(garbled("chunks out of order"));
        }
        if self.bytes.len() + payload.len() > REPLY_BYTES_LIMIT {
            return Err(Wrong::TooLarge);
        }
        self.bytes.extend_from_slice(&payload);
        self.taken = number;
        self.total = total;
        Ok((number == total).then(|| std::mem::take(&mut self.bytes).freeze()))
    }
}

fn garbled(what: &str) -> Wrong {
    Wrong::Garbled(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_is_put_together_again() {
        for size in [0, 1, CHUNK_BYTES_LIMIT, CHUNK_BYTES_LIMIT + 1, 3 * CHUNK_BYTES_LIMIT] {
            let reply: Bytes = (0..size).map(|index| (index % 251) as u8).collect::<Vec<_>>().into();
            let chunks = cut(&reply);
            let mut assembly = Assembly::default();
            let mut whole = None;
            for (index, chunk) in chunks.iter().enumerate() {
                assert!(whole.is_none() && chunk.len() <= CHUNK_BYTES_LIMIT);
                let header = format!("{}/{}", index + 1, chunks.len());
                whole = assembly.take(Some(&header), chunk.clone()).unwrap();
            }
            assert_eq!(whole, Some(reply));
        }
    }

    #[test]
    fn lost_swapped_and_endless_chunks_are_refused() {
        let chunk = || Bytes::from_static(b"x");
        let after_first = || {
            let mut assembly = Assembly::default();
            assert_eq!(assembly.take(Some("1/3"), chunk()), Ok(None));
            assembly
        };
        for header in [Some("3/3"), Some("1/3"), Some("2/4"), Some("4/3"), Some("2"), Some("a/b"), None] {
            assert!(matches!(after_first().take(header, chunk()), Err(Wrong::Garbled(_))), "{header:?}");
        }
        let endless = format!("1/{}", CHUNKS_LIMIT + 1);
        assert_eq!(Assembly::default().take(Some(&endless), chunk()), Err(Wrong::TooLarge));
    }
}
