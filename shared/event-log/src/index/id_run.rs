//! A run of ids: those of 16,384 events that follow each other, sorted, with a filter that tells of most other
//! ids that they are not in it.
//!
//! One entry for each id in a tree took sled six tenths of everything that an append costs, because ids are in
//! no order. A run is written once. An entry is 48 bits of the id's hash and the event's place in the run; what
//! is found is held against the event itself, so hashes may be equal.

use events::EventId;

/// How many events a run is about.
pub(super) const RUN_EVENTS: usize = 16_384;
/// How many entries lie in one value.
const BLOCK_ENTRIES: usize = 1_024;
/// How many values a run's entries take.
pub(super) const BLOCKS: usize = RUN_EVENTS / BLOCK_ENTRIES;
const HASH_BYTES: usize = 6;
const ENTRY_BYTES: usize = HASH_BYTES + 2;
const CHECKSUM_BYTES: usize = 4;
/// The filter's lines, each of which an id sets some bits in; 12 bits for each id.
const LINES: usize = RUN_EVENTS * 12 / LINE_BITS;
const LINE_BITS: usize = 512;
const LINE_BYTES: usize = LINE_BITS / 8;
/// How many bits an id sets: 9 bits of a hash each.
const BITS_OF_AN_ID: u32 = 7;
/// How many values a filter takes.
pub(super) const FILTER_PARTS: usize = 2;

/// What is looked for in a run instead of the id itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct IdHash {
    entry: u64,
    line: usize,
    /// The bits that the id sets in its line.
    mask: [u8; LINE_BYTES],
}

impl IdHash {
    pub(super) fn of(id: &EventId) -> IdHash {
        let (high, low) = id.as_u64_pair();
        let mixed = mix(low ^ mix(high));
        let line = mix(mixed);
        let line_of = (u128::from(line) * LINES as u128) >> 64;
        let line_of = usize::try_from(line_of).expect("a line's number is small");
        let bits = mix(line);
        let mut mask = [0; LINE_BYTES];
        for bit in 0..BITS_OF_AN_ID {
            let bit = (bits >> (bit * 9)) as usize % LINE_BITS;
            mask[bit / 8] |= 1 << (bit % 8);
        }
        IdHash { entry: mixed >> (64 - HASH_BYTES * 8), line: line_of, mask }
    }

    /// Where the bytes of its line are.
    fn line(&self) -> std::ops::Range<usize> {
        self.line * LINE_BYTES..(self.line + 1) * LINE_BYTES
    }
}

/// Spreads the bits of a number (the last step of SplitMix64): ids made from the time of day begin alike.
fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// A run as it is written.
pub(super) struct Written {
    /// The entries, in blocks.
    pub(super) blocks: Vec<Vec<u8>>,
    /// The filter and where each block begins.
    pub(super) filter: Vec<Vec<u8>>,
}

/// Writes the run of these ids, which are those of a run's events in their order.
pub(super) fn write(ids: &[EventId]) -> Written {
    debug_assert_eq!(ids.len(), RUN_EVENTS);
    let hashes: Vec<IdHash> = ids.iter().map(IdHash::of).collect();
    let mut bits = vec![0; LINES * LINE_BYTES];
    for hash in &hashes {
        for (byte, mask) in bits[hash.line()].iter_mut().zip(&hash.mask) {
            *byte |= mask;
        }
    }
    let mut entries: Vec<u64> =
        (0..).zip(&hashes).map(|(place, hash): (u64, _)| hash.entry << 16 | place).collect();
    entries.sort_unstable();
    let blocks: Vec<Vec<u8>> = entries
        .chunks(BLOCK_ENTRIES)
        .map(|block| sealed(block.iter().flat_map(|entry| entry.to_be_bytes()).collect()))
        .collect();
    let begins = entries.iter().step_by(BLOCK_ENTRIES).flat_map(|entry| entry.to_be_bytes());
    bits.extend(begins);
    let filter = bits.chunks(bits.len().div_ceil(FILTER_PARTS)).map(|part| sealed(part.to_vec())).collect();
    Written { blocks, filter }
}

/// A run's filter, in memory.
pub(super) struct Filter {
    bits: Box<[u8]>,
    begins: [u64; BLOCKS],
}

impl Filter {
    /// Reads a filter from its parts; none if they are not what was written.
    pub(super) fn read(parts: &[impl AsRef<[u8]>]) -> Option<Filter> {
        let mut bytes = Vec::with_capacity(LINES * LINE_BYTES + BLOCKS * ENTRY_BYTES);
        for part in parts {
            bytes.extend_from_slice(unsealed(part.as_ref())?);
        }
        let (bits, begins) = bytes.split_at_checked(LINES * LINE_BYTES)?;
        let (begins, rest) = begins.as_chunks::<ENTRY_BYTES>();
        let begins: Vec<u64> = begins.iter().map(|begin| u64::from_be_bytes(*begin)).collect();
        rest.is_empty().then_some(Filter { bits: bits.into(), begins: begins.try_into().ok()? })
    }

    /// Whether an id may be in the run; most that are not are told.
    pub(super) fn may_hold(&self, hash: &IdHash) -> bool {
        // The whole line at once: which bits are set cannot be foreseen, and a wrong guess costs more than looking.
        let line = &self.bits[hash.line()];
        line.iter().zip(&hash.mask).fold(0, |missing, (byte, mask)| missing | (mask & !byte)) == 0
    }

    /// The blocks in which an id may be: more than one where equal hashes lie on both sides of a border.
    pub(super) fn blocks_of(&self, hash: &IdHash) -> std::ops::RangeInclusive<usize> {
        let before = self.begins.partition_point(|begin| *begin < hash.entry << 16);
        let until = self.begins.partition_point(|begin| begin >> 16 <= hash.entry);
        before.saturating_sub(1)..=until.saturating_sub(1)
    }
}

/// The places in a run at which an id may be, by one of its blocks; none if the block is not what was written.
pub(super) fn places(block: &[u8], hash: &IdHash) -> Option<Vec<u64>> {
    let (entries, rest) = unsealed(block)?.as_chunks::<ENTRY_BYTES>();
    if entries.len() != BLOCK_ENTRIES || !rest.is_empty() {
        return None;
    }
    let start = entries.partition_point(|entry| u64::from_be_bytes(*entry) >> 16 < hash.entry);
    let found = entries[start..].iter().map(|entry| u64::from_be_bytes(*entry));
    Some(found.take_while(|entry| entry >> 16 == hash.entry).map(|entry| entry & 0xffff).collect())
}

/// Adds a checksum.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&checksum.to_be_bytes());
    bytes
}

/// Takes the checksum off, if it is that of the bytes.
fn unsealed(bytes: &[u8]) -> Option<&[u8]> {
    let (bytes, checksum) = bytes.split_at_checked(bytes.len().checked_sub(CHECKSUM_BYTES)?)?;
    (crc32c::crc32c(bytes).to_be_bytes() == *checksum).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn ids(seed: u128) -> Vec<EventId> {
        let id = |number: u128| {
            let (high, low) = (mix(number as u64), mix(!number as u64));
            Uuid::from_u64_pair(high, low)
        };
        (0..RUN_EVENTS as u128).map(|number| id(seed << 32 | number)).collect()
    }

    fn found(written: &Written, id: &EventId) -> Vec<u64> {
        let filter = Filter::read(&written.filter).unwrap();
        let hash = IdHash::of(id);
        if !filter.may_hold(&hash) {
            return Vec::new();
        }
        filter.blocks_of(&hash).flat_map(|block| places(&written.blocks[block], &hash).unwrap()).collect()
    }

    #[test]
    fn every_id_is_found_at_its_place_and_hardly_any_other_asked_for() {
        let ids_of_run = ids(1);
        let written = write(&ids_of_run);
        assert_eq!((written.blocks.len(), written.filter.len()), (BLOCKS, FILTER_PARTS));
        for (place, id) in (0..).zip(&ids_of_run) {
            assert_eq!(found(&written, id), [place]);
        }
        let filter = Filter::read(&written.filter).unwrap();
        let others = ids(2);
        let mistaken = others.iter().filter(|id| filter.may_hold(&IdHash::of(id))).count();
        assert!(mistaken < RUN_EVENTS / 50, "{mistaken} of {RUN_EVENTS}");
        assert!(others.iter().all(|id| found(&written, id).is_empty()));
    }

    #[test]
    fn ids_of_the_same_moment_are_spread() {
        // The first half of a version 7 id is the time; the second may be a counter.
        let same: Vec<EventId> = (0..RUN_EVENTS as u64)
            .map(|number| Uuid::from_u64_pair(0x0199_0000_0000_7000, 0x8000_0000_0000_0000 | number << 32))
            .collect();
        let written = write(&same);
        assert!((0..).zip(&same).all(|(place, id)| found(&written, id) == [place]));
    }

    #[test]
    fn equal_hashes_are_all_found_over_the_border_of_a_block() {
        // Each id many times: hashes fill whole blocks and more.
        let few = ids(3);
        let same: Vec<EventId> = (0..RUN_EVENTS).map(|place| few[place / 3_000]).collect();
        let written = write(&same);
        for number in 0..5_u64 {
            let places: Vec<u64> = (number * 3_000..number * 3_000 + 3_000).collect();
            assert_eq!(found(&written, &few[usize::try_from(number).unwrap()]), places);
        }
    }

    #[test]
    fn any_flipped_bit_is_seen() {
        let written = write(&ids(4));
        let hash = IdHash::of(&ids(4)[0]);
        for bit in (0..written.blocks[0].len() * 8).step_by(97) {
            let mut block = written.blocks[0].clone();
            block[bit / 8] ^= 1 << (bit % 8);
            assert!(places(&block, &hash).is_none(), "bit {bit}");
        }
        for bit in (0..written.filter[1].len() * 8).step_by(97) {
            let mut filter = written.filter.clone();
            filter[1][bit / 8] ^= 1 << (bit % 8);
            assert!(Filter::read(&filter).is_none(), "bit {bit}");
        }
    }
}
