//! What the frame promises: it reads back, and no torn or altered one is taken for whole.

use super::*;

fn stored(first: u64, sizes: &[usize]) -> Vec<Stored> {
    sizes
        .iter()
        .enumerate()
        .map(|(index, size)| Stored {
            position: Position(first + index as u64),
            recorded_at: Timestamp::from_millisecond(1_700_000_000_000 + index as i64).unwrap(),
            id: Uuid::from_u128(u128::from(first) << 64 | index as u128),
            bytes: (0..*size).map(|byte| b"{\"unit\":\"di-an\"}"[(byte * 7 + index) % 16]).collect(),
        })
        .collect()
}

#[test]
fn a_frame_reads_back() {
    for sizes in [&[0][..], &[1], &[300, 2_000], &[60 * 1024], &[10; 200]] {
        let events = stored(7, sizes);
        let frame = Encoder::new().encode(&events);
        assert_eq!(decode(&frame).unwrap(), events);
    }
}

#[test]
fn the_format_of_a_frame_stands() {
    let event = Stored {
        position: Position(42),
        recorded_at: Timestamp::from_millisecond(1_732_241_400_123).unwrap(),
        id: Uuid::from_u128(0x0193_5188_0000_7000_8000_0000_0000_002a),
        bytes: Bytes::from_static(b"{}"),
    };
    let frame = Encoder::new().encode(&[event]);
    let hexadecimal: String = frame.iter().map(|byte| format!("{byte:02x}")).collect();
    let expected = [
        "50574601",                         // magic
        "0000001e",                         // length of the body
        "8577aed8",                         // CRC32C
        "000000000000002a",                 // first position
        "00000001",                         // number of events
        "00000000",                         // flags
        "0000001e",                         // length before compression
        "0000019351a2213b",                 // recorded time
        "0193518800007000800000000000002a", // id
        "00000002",                         // length
        "7b7d",                             // the event
    ];
    assert_eq!(hexadecimal, expected.concat());
}

#[test]
fn a_frame_torn_at_any_byte_ends_the_walk_at_the_last_whole_one() {
    let mut encoder = Encoder::new();
    let first = encoder.encode(&stored(1, &[300, 300]));
    let second = encoder.encode(&stored(3, &[500, 20]));
    let whole = [first.clone(), second].concat();
    for length in first.len()..whole.len() {
        let mut positions = Vec::new();
        let (offset, end) = walk(&whole[..length], |_, header| positions.push(header.last()));
        assert_eq!((offset, positions), (first.len(), vec![Position(2)]), "cut at byte {length}");
        if length == first.len() {
            assert_eq!(end, End::Clean);
        } else {
            assert!(matches!(end, End::Torn { resumes: None, .. }), "cut at byte {length}: {end:?}");
        }
    }
}

#[test]
fn a_frame_with_any_byte_altered_is_found_and_the_frame_behind_it_seen() {
    let mut encoder = Encoder::new();
    let first = encoder.encode(&stored(1, &[300, 300]));
    let whole = [first.clone(), encoder.encode(&stored(3, &[20]))].concat();
    for at in 0..first.len() {
        let mut altered = whole.clone();
        altered[at] ^= 0x41;
        let (offset, end) = walk(&altered, |_, _| {});
        assert_eq!(offset, 0, "altered at byte {at}");
        let End::Torn { resumes: Some((resumes, header)), .. } = end else {
            panic!("altered at byte {at}: {end:?}");
        };
        assert_eq!((resumes, header.first), (first.len(), Position(3)));
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        let mut with_magic = MAGIC.to_vec();
        with_magic.extend_from_slice(&bytes);
        proptest::prop_assert!(decode(&bytes).is_err());
        proptest::prop_assert!(decode(&with_magic).is_err());
        let (offset, _) = walk(&with_magic, |_, _| {});
        proptest::prop_assert_eq!(offset, 0);
    }
}
