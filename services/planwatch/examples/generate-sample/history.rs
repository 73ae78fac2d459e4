//! The generator of the sample history: seeded, in whole numbers, so that it always writes the same file.
//!
//! Nothing here is a real figure. Populations are of a plausible size, rates are drawn around a course that
//! each district has, and a number of scenes are set by hand so that everything the product watches happens
//! at least once: late, corrected, missing, regressing and withdrawn reports, recognitions that lapse and
//! are renewed, targets that change, and the changes of units that the years brought.

use events::strict_json::canonical;
use serde_json::{Value, json};

mod course;
mod scenes;

/// One thing that comes on one day.
pub(super) struct Entry {
    /// RFC 3339 in the plan's time zone.
    pub(super) day: String,
    /// The name of the operation.
    pub(super) operation: &'static str,
    /// The body of the request.
    pub(super) body: Value,
}

/// The whole history, one JSON object a line, in the order of the days.
pub(crate) fn history() -> String {
    let mut entries = scenes::unit_changes();
    entries.extend(scenes::target_changes());
    entries.extend(course::reports());
    entries.extend(scenes::corrections());
    // Every day is written with the same offset, so the texts sort as the instants do. The sort is stable.
    entries.sort_by(|one, other| one.day.cmp(&other.day));
    entries
        .into_iter()
        .map(|entry| {
            let line = json!({"day": entry.day, "operation": entry.operation, "body": entry.body});
            // Sorted keys, whatever map the build's JSON crate has.
            let line = String::from_utf8(canonical(&line)).expect("JSON is UTF-8");
            line + "\n"
        })
        .collect()
}

/// SplitMix64, seeded with the plan's number: small, well known, and ours, so no release of a crate can change the file.
pub(super) struct Draws(u64);

impl Draws {
    /// A stream of its own for each name, so that a change in one place moves no other figure.
    pub(super) fn of(names: &[&str]) -> Draws {
        let seed = names.iter().flat_map(|name| name.bytes().chain([0])).fold(1144_u64, |seed, byte| {
            // FNV-1a, whose prime spreads each byte over the seed.
            (seed ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Draws(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A whole number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high - low + 1).expect("low is at most high");
        let drawn = self.next() % span;
        low + i64::try_from(drawn).expect("a draw is below its span")
    }
}

/// A day at an office hour, in the plan's time zone.
pub(super) fn office_hour(year: i16, month: i64, day: i64, draws: &mut Draws) -> String {
    let (hour, minute) = (draws.between(8, 16), draws.between(0, 59));
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:00+07:00")
}

/// A document number that nobody takes for a real one.
pub(super) fn document_number(number: i64) -> String {
    format!("MẪU-{number}/BC-UBND")
}
