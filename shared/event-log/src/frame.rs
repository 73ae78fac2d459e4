//! The frame: a run of events with contiguous positions, checked as a whole. The journal's unit of
//! durability and the index's unit of storage.
//!
//! ```text
//! offset size
//!      0    4  magic "PWF" and the version of the format, 1
//!      4    4  length of the body
//!      8    4  CRC32C of everything but magic and this field
//!     12    8  first position
//!     20    4  number of events
//!     24    1  flags: bit 0, the body is compressed with zstd
//!     25    3  zero
//!     28    4  length of the body before compression
//!     32       body
//! ```
//!
//! The body is a table with one row for each event — recorded time in milliseconds since 1970 (8), id (16),
//! length of its bytes (4) — and then the events' bytes. All numbers are big-endian. The bytes of an event
//! do not depend on how events were grouped into frames.

use crate::stored::Stored;
use bytes::Bytes;
use events::{Position, Timestamp};
use std::cell::RefCell;
use std::fmt;
use thiserror::Error;
use uuid::Uuid;

/// The size of a frame's header.
pub(crate) const HEADER_BYTES: usize = 32;
/// The size of an event's row in the table.
pub(crate) const ROW_BYTES: usize = 28;
/// The most events in one frame.
pub(crate) const FRAME_LIMIT_EVENTS: usize = 16_384;
/// The largest body before compression: 8 MiB of events and their table.
pub(crate) const BODY_LIMIT_BYTES: usize = 8 * 1024 * 1024 + FRAME_LIMIT_EVENTS * ROW_BYTES;

const MAGIC: [u8; 4] = *b"PWF\x01";
const COUNT_AT: usize = 20;
const FLAG_ZSTD: u8 = 1;
/// The fastest level: the index compresses while it follows the writer.
const ZSTD_LEVEL: i32 = 1;
/// The memory of a frame that is kept for the next one, at most.
const REUSED_BYTES: usize = 1024 * 1024;
/// Bodies below this are not worth an attempt.
const COMPRESS_FROM_BYTES: usize = 400;

/// What the header of a frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) first: Position,
    pub(crate) count: u32,
    body_bytes: u32,
    raw_bytes: u32,
    crc: u32,
    compressed: bool,
}

/// Why bytes are no whole frame.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum FrameError {
    #[error("the frame ends too early")]
    Short,
    #[error("{0}")]
    Damaged(Damage),
}

/// What is wrong with a frame that is long enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    Magic,
    Header,
    Checksum,
    Compression,
    Table,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Damage::Magic => "no frame starts here",
            Damage::Header => "the frame's header is impossible",
            Damage::Checksum => "the frame's checksum does not match",
            Damage::Compression => "the frame's body cannot be decompressed",
            Damage::Table => "the frame's table does not match its body",
        })
    }
}

impl Header {
    /// Reads the header at the start of `bytes`; says nothing about the body.
    pub(crate) fn read(bytes: &[u8]) -> Result<Header, FrameError> {
        let damaged = |damage| Err(FrameError::Damaged(damage));
        let seen = bytes.len().min(MAGIC.len());
        if bytes[..seen] != MAGIC[..seen] {
            return damaged(Damage::Magic);
        }
        if bytes.len() < HEADER_BYTES {
            return Err(FrameError::Short);
        }
        let header = Header {
            body_bytes: u32_at(bytes, 4),
            crc: u32_at(bytes, 8),
            first: Position(u64_at(bytes, 12)),
            count: u32_at(bytes, COUNT_AT),
            compressed: bytes[24] & FLAG_ZSTD != 0,
            raw_bytes: u32_at(bytes, 28),
        };
        let possible = header.first > Position::START
            && header.first.0.checked_add(u64::from(header.count)).is_some()
            && (1..=FRAME_LIMIT_EVENTS).contains(&(header.count as usize))
            && header.body_bytes as usize <= BODY_LIMIT_BYTES
            && header.raw_bytes as usize <= BODY_LIMIT_BYTES
            && header.raw_bytes as usize >= header.count as usize * ROW_BYTES
            && (header.compressed || header.raw_bytes == header.body_bytes)
            && bytes[24] & !FLAG_ZSTD == 0
            && bytes[25..28] == [0; 3];
        if possible { Ok(header) } else { damaged(Damage::Header) }
    }

    /// Reads the header and checks the whole frame at the start of `bytes` against its checksum.
    pub(crate) fn check(bytes: &[u8]) -> Result<Header, FrameError> {
        let header = Header::read(bytes)?;
        let frame = bytes.get(..header.frame_bytes()).ok_or(FrameError::Short)?;
        if checksum(frame) == header.crc { Ok(header) } else { Err(FrameError::Damaged(Damage::Checksum)) }
    }

    /// Looks whether a frame is whole but for one bit of its number of events; flips it if so.
    pub(crate) fn mend_count(frame: &mut [u8]) -> Option<Header> {
        for bit in 0..u32::BITS as usize {
            let (at, flip) = (COUNT_AT + bit / 8, 1 << (bit % 8));
            *frame.get_mut(at)? ^= flip;
            if let Ok(header) = Header::check(frame) {
                return Some(header);
            }
            frame[at] ^= flip;
        }
        None
    }

    /// The size of the frame, header included.
    pub(crate) fn frame_bytes(&self) -> usize {
        HEADER_BYTES + self.body_bytes as usize
    }

    /// The size of the body before compression.
    pub(crate) fn raw_bytes(&self) -> usize {
        self.raw_bytes as usize
    }

    /// Whether the body is compressed.
    pub(crate) fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// The last position in the frame.
    pub(crate) fn last(&self) -> Position {
        Position(self.first.0 + u64::from(self.count) - 1)
    }
}

/// Reads the frame at the start of `bytes`.
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<Stored>, FrameError> {
    let header = Header::check(bytes)?;
    let body = &bytes[HEADER_BYTES..header.frame_bytes()];
    let body = if header.compressed {
        Bytes::from(
            decompress(body, header.raw_bytes as usize).ok_or(FrameError::Damaged(Damage::Compression))?,
        )
    } else {
        Bytes::copy_from_slice(body)
    };
    let table_damage = || FrameError::Damaged(Damage::Table);
    let count = header.count as usize;
    let mut start = count * ROW_BYTES;
    let mut stored = Vec::with_capacity(count);
    for index in 0..count {
        let row = body.get(index * ROW_BYTES..(index + 1) * ROW_BYTES).ok_or_else(table_damage)?;
        let recorded_ms = u64_at(row, 0).cast_signed();
        let recorded_at = Timestamp::from_millisecond(recorded_ms).map_err(|_| table_damage())?;
        let id = Uuid::from_bytes(row[8..24].try_into().expect("a row holds 16 bytes of id"));
        let end = start + u32_at(row, 24) as usize;
        if end > body.len() {
            return Err(table_damage());
        }
        let position = Position(header.first.0 + index as u64);
        stored.push(Stored { position, recorded_at, id, bytes: body.slice(start..end) });
        start = end;
    }
    if start == body.len() { Ok(stored) } else { Err(table_damage()) }
}

/// Writes frames; keeps the compressor's memory between them.
pub(crate) struct Encoder {
    compressor: Option<zstd::bulk::Compressor<'static>>,
    /// Bodies are compressed also where that gains nothing.
    compresses_all: bool,
    /// A frame without its header, before compression.
    plain: Vec<u8>,
}

impl Encoder {
    pub(crate) fn new() -> Encoder {
        Encoder { compresses_all: false, ..Encoder::compressing_all(ZSTD_LEVEL) }
    }

    /// Compresses nothing: for frames that callers wait for.
    pub(crate) fn plain() -> Encoder {
        Encoder { compressor: None, compresses_all: false, plain: Vec::new() }
    }

    /// Compresses whatever it is given: its frames are known by that from those of [`Encoder::plain`].
    pub(crate) fn compressing_all(level: i32) -> Encoder {
        // Without a compressor (no memory for one) frames are stored as they are.
        let compressor = zstd::bulk::Compressor::new(level).ok();
        Encoder { compressor, compresses_all: true, plain: Vec::new() }
    }

    /// Writes one frame. The events are not empty, contiguous, and within the frame's limits.
    pub(crate) fn encode(&mut self, stored: &[Stored]) -> Vec<u8> {
        let first = stored.first().expect("a frame holds at least one event").position;
        let bytes: usize = stored.iter().map(|event| event.bytes.len()).sum();
        self.plain.clear();
        self.plain.reserve(HEADER_BYTES + stored.len() * ROW_BYTES + bytes);
        self.plain.extend_from_slice(&[0; HEADER_BYTES]);
        for event in stored {
            let mut row = [0; ROW_BYTES];
            row[..8].copy_from_slice(&event.recorded_at.as_millisecond().to_be_bytes());
            row[8..24].copy_from_slice(event.id.as_bytes());
            row[24..].copy_from_slice(&as_u32(event.bytes.len()).to_be_bytes());
            self.plain.extend_from_slice(&row);
        }
        for event in stored {
            self.plain.extend_from_slice(&event.bytes);
        }
        let raw_bytes = self.plain.len() - HEADER_BYTES;
        let compressed = self.compress();
        let flags = if compressed.is_some() { FLAG_ZSTD } else { 0 };
        let mut frame = compressed.unwrap_or_else(|| std::mem::take(&mut self.plain));
        let body_bytes = frame.len() - HEADER_BYTES;
        frame[..4].copy_from_slice(&MAGIC);
        frame[4..8].copy_from_slice(&as_u32(body_bytes).to_be_bytes());
        frame[12..20].copy_from_slice(&first.0.to_be_bytes());
        frame[20..24].copy_from_slice(&as_u32(stored.len()).to_be_bytes());
        frame[24] = flags;
        frame[28..32].copy_from_slice(&as_u32(raw_bytes).to_be_bytes());
        let crc = checksum(&frame);
        frame[8..12].copy_from_slice(&crc.to_be_bytes());
        frame
    }

    /// Takes the memory of a frame that is not needed any more for the next one.
    pub(crate) fn reuse(&mut self, frame: Vec<u8>) {
        if frame.capacity() <= REUSED_BYTES {
            self.plain = frame;
        }
    }

    /// Compresses the body; the frame it gives has room for its header.
    fn compress(&mut self) -> Option<Vec<u8>> {
        let body = &self.plain[HEADER_BYTES..];
        if !self.compresses_all && body.len() < COMPRESS_FROM_BYTES {
            return None;
        }
        let compressed = self.compressor.as_mut()?.compress(body).ok()?;
        let gains = self.compresses_all || compressed.len() < body.len();
        gains.then(|| {
            let mut frame = Vec::with_capacity(HEADER_BYTES + compressed.len());
            frame.extend_from_slice(&[0; HEADER_BYTES]);
            frame.extend_from_slice(&compressed);
            frame
        })
    }
}

/// What stands at the end of a run of frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// The last frame is whole and nothing follows it.
    Clean,
    /// What follows the last whole frame is none.
    Torn {
        what: FrameError,
        /// Where the next whole frame starts, if one follows: then it is damage, not a torn write.
        resumes: Option<(usize, Header)>,
    },
}

/// Walks the whole frames from the start of `bytes`; hands each to `visit` with its offset, and says where
/// and how the run ends.
pub(crate) fn walk(bytes: &[u8], mut visit: impl FnMut(usize, &Header)) -> (usize, End) {
    let mut offset = 0;
    while offset < bytes.len() {
        match Header::check(&bytes[offset..]) {
            Ok(header) => {
                visit(offset, &header);
                offset += header.frame_bytes();
            }
            Err(what) => {
                let resumes = next_whole(bytes, offset + 1);
                return (offset, End::Torn { what, resumes });
            }
        }
    }
    (offset, End::Clean)
}

/// Finds the first whole frame that starts at or after `from`.
fn next_whole(bytes: &[u8], from: usize) -> Option<(usize, Header)> {
    let mut offset = from;
    while offset + HEADER_BYTES <= bytes.len() {
        let found = bytes[offset..].iter().position(|byte| *byte == MAGIC[0])?;
        offset += found;
        if let Ok(header) = Header::check(&bytes[offset..]) {
            return Some((offset, header));
        }
        offset += 1;
    }
    None
}

fn checksum(frame: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&frame[4..8]), &frame[12..])
}

fn decompress(body: &[u8], raw_bytes: usize) -> Option<Vec<u8>> {
    thread_local! {
        static DECOMPRESSOR: RefCell<Option<zstd::bulk::Decompressor<'static>>> =
            RefCell::new(zstd::bulk::Decompressor::new().ok());
    }
    DECOMPRESSOR.with_borrow_mut(|decompressor| {
        let raw = decompressor.as_mut()?.decompress(body, raw_bytes).ok()?;
        (raw.len() == raw_bytes).then_some(raw)
    })
}

fn as_u32(size: usize) -> u32 {
    u32::try_from(size).expect("frames are bounded far below 4 GiB")
}

fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_be_bytes(bytes[offset..offset + 4].try_into().expect("four bytes are four bytes"))
}

fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    u64::from_be_bytes(bytes[offset..offset + 8].try_into().expect("eight bytes are eight bytes"))
}

#[cfg(test)]
#[path = "frame_tests.rs"]
mod tests;
