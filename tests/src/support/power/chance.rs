//! Chance that can be repeated: the same seed leads to the same choices (SplitMix64).

use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

/// The environment variable that names the seed to repeat.
const SEED_VARIABLE: &str = "PLANWATCH_SEED";

/// A source of choices.
#[derive(Debug, Clone)]
pub struct Chance {
    state: u64,
}

/// The seed of this run: `PLANWATCH_SEED`, or another one each time.
pub fn seed() -> u64 {
    static SEED: LazyLock<u64> = LazyLock::new(|| match std::env::var(SEED_VARIABLE) {
        Ok(seed) => seed.parse().expect("PLANWATCH_SEED is a number"),
        Err(_) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970");
            // Rounds count on from it.
            now.as_secs() * 1_000
        }
    });
    *SEED
}

/// Whether one seed is to be repeated.
pub fn is_repeating() -> bool {
    std::env::var_os(SEED_VARIABLE).is_some()
}

impl Chance {
    /// Begins with a seed.
    pub fn new(seed: u64) -> Chance {
        Chance { state: seed }
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        assert!(low <= high, "there is something to choose from: {low} to {high}");
        let wide = u128::from(self.any()) * (u128::from(high - low) + 1);
        low + u64::try_from(wide >> 64).expect("it is below the span")
    }

    /// An index of something that has so many parts.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.between(0, length as u64 - 1)).expect("it is below a usize")
    }

    /// Yes in so many of a hundred cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.between(1, 100) <= percent
    }
}
