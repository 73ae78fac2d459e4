//! Events made from a number, so that two processes know the same ones.

use super::power::Chance;
use events::{
    ActorId, Document, Event, EventData, LineValue, MeasureId, Period, PlanId, ReportLine, ReportSubmitted,
    UnitId, ids,
};
use std::hash::{DefaultHasher, Hasher};

/// The most bytes of one source; longer padding is spread over several lines.
const SOURCE_BYTES: usize = 2_000;

/// The plan whose log is tested.
pub fn numbered_plan() -> PlanId {
    PlanId::parse("binh-duong").expect("it is an id")
}

/// A report whose id comes from a number, with so many bytes of noise that does not compress.
pub fn numbered_event(number: u64, padding: usize) -> Event {
    let mut chance = Chance::new(number);
    let mut line = |bytes: usize| ReportLine {
        measure: MeasureId::parse("information-literacy").expect("it is an id"),
        value: LineValue::Rate { numerator: number, denominator: number + 10 },
        source: Some(noise(bytes, &mut chance)),
    };
    let mut lines = vec![line(padding % SOURCE_BYTES)];
    lines.extend((0..padding / SOURCE_BYTES).map(|_| line(SOURCE_BYTES)));
    Event {
        id: ids::derived_id(&["numbered", &number.to_string()]),
        plan: numbered_plan(),
        effective: "2025-12-01T00:00:00Z".parse().expect("it is an instant"),
        actor: ActorId::parse("tester").expect("it is an id"),
        traceparent: None,
        data: EventData::ReportSubmitted(ReportSubmitted {
            unit: UnitId::parse("di-an").expect("it is an id"),
            period: Period(2025),
            revision: 1,
            document: Document {
                number: "1/BC-UBND".to_owned(),
                date: "2025-12-01".parse().expect("it is a date"),
            },
            lines,
            history: None,
            request_digest: None,
        }),
    }
}

fn noise(bytes: usize, chance: &mut Chance) -> String {
    const LETTERS: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -";
    let letter = |six_bits: u64| char::from(LETTERS[(six_bits & 63) as usize]);
    let mut text = String::with_capacity(bytes);
    while text.len() < bytes {
        let mut bits = chance.any();
        for _ in 0..(bytes - text.len()).min(10) {
            text.push(letter(bits));
            bits >>= 6;
        }
    }
    text
}

/// A short digest of bytes, the same in every process of one build.
pub fn digest(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    format!("{:016x}", hasher.finish())
}
