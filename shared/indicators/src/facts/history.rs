//! Histories that are asked for a date: what stands where in a long list, without walking it.

/// How many entries one minimum speaks for.
const FAN_OUT: usize = 64;

/// Over a growing list of times: the last entry of a beginning of it that is no later than an instant.
///
/// Minima of 64 entries, of 64 of those, and so on: a question looks at a few hundred of them at most,
/// however long the list is. The entries themselves are kept by the caller; this adds an eighth of a byte each.
#[derive(Debug, Clone, Default)]
pub(super) struct Minima {
    count: usize,
    levels: Vec<Vec<i64>>,
}

impl Minima {
    pub(super) fn push(&mut self, value: i64) {
        let mut block = self.count / FAN_OUT;
        self.count += 1;
        for level in 0.. {
            if level == self.levels.len() {
                // One block needs no minimum above it.
                if block == 0 && level > 0 {
                    break;
                }
                let below = level.checked_sub(1).map(|below| &self.levels[below]);
                let first = below.and_then(|below| below.iter().take(FAN_OUT).min().copied());
                self.levels.push(first.into_iter().collect());
            }
            let minima = &mut self.levels[level];
            match minima.get_mut(block) {
                Some(least) => *least = (*least).min(value),
                None => minima.push(value),
            }
            if block == 0 && level + 1 >= self.levels.len() {
                break;
            }
            block /= FAN_OUT;
        }
    }

    /// How much memory it holds, in bytes.
    pub(super) fn held_bytes(&self) -> usize {
        self.levels.iter().map(|level| level.capacity() * size_of::<i64>()).sum()
    }

    /// The highest index below `end` whose value is at most `limit`; `value` gives the entries.
    pub(super) fn last_at_most(&self, end: usize, limit: i64, value: impl Fn(usize) -> i64) -> Option<usize> {
        let at = |level: usize, index: usize| match level {
            0 => value(index),
            above => self.levels[above - 1][index],
        };
        let (mut level, mut end) = (0, end.min(self.count));
        let mut found = loop {
            let start = if level == self.levels.len() { 0 } else { end / FAN_OUT * FAN_OUT };
            if let Some(found) = (start..end).rev().find(|index| at(level, *index) <= limit) {
                break found;
            }
            if start == 0 {
                return None;
            }
            end /= FAN_OUT;
            level += 1;
        };
        while level > 0 {
            level -= 1;
            let children = found * FAN_OUT..(found + 1) * FAN_OUT;
            found = children.rev().find(|index| at(level, *index) <= limit)?;
        }
        Some(found)
    }
}

/// The entries of a growing list that are lower than all before them.
#[derive(Debug, Clone, Default)]
pub(super) struct Lows {
    /// Value and index; values fall, indexes rise.
    steps: Vec<(i64, u32)>,
}

impl Lows {
    pub(super) fn push(&mut self, value: i64, index: u32) {
        if self.steps.last().is_none_or(|(low, _)| value < *low) {
            self.steps.push((value, index));
        }
    }

    /// The first index whose value is at most `limit`.
    pub(super) fn first_at_most(&self, limit: i64) -> Option<u32> {
        let place = self.steps.partition_point(|(value, _)| *value > limit);
        self.steps.get(place).map(|(_, index)| *index)
    }

    /// The first index of the lowest value among those below `end`, and that value.
    pub(super) fn lowest_below(&self, end: u32) -> Option<(i64, u32)> {
        let place = self.steps.partition_point(|(_, index)| *index < end);
        self.steps[..place].last().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_last_entry_is_found_as_by_walking(
            values in proptest::collection::vec(-50_i64..50, 0..9_000), from in -60_i64..60, spread in 1_i64..4_000,
            questions in proptest::collection::vec((any::<proptest::sample::Index>(), -60_i64..4_100), 1..20)
        ) {
            let mut minima = Minima::default();
            // Values that rise with chance in them, as dates of documents do.
            let values: Vec<i64> =
                values.iter().enumerate().map(|(index, value)| from + value + index as i64 * spread / 9_000).collect();
            for value in &values {
                minima.push(*value);
            }
            for (end, limit) in questions {
                let end = end.index(values.len() + 1);
                let walked = (0..end).rev().find(|index| values[*index] <= limit);
                prop_assert_eq!(minima.last_at_most(end, limit, |index| values[index]), walked);
            }
        }

        #[test]
        fn lows_are_found_as_by_walking(
            values in proptest::collection::vec(-50_i64..50, 0..300), limit in -60_i64..60,
            end in any::<proptest::sample::Index>()
        ) {
            let mut lows = Lows::default();
            values.iter().zip(0..).for_each(|(value, index)| lows.push(*value, index));
            let first = values.iter().position(|value| *value <= limit).map(|index| index as u32);
            prop_assert_eq!(lows.first_at_most(limit), first);
            let end = end.index(values.len() + 1);
            let lowest = values[..end].iter().copied().zip(0..).min();
            prop_assert_eq!(lows.lowest_below(end as u32), lowest);
        }
    }
}
