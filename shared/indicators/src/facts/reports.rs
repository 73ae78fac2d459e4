//! The reports of one unit and period: dense rows, and for each measure which of them name it.

use super::digest::GroupDigest;
use super::history::{Lows, Minima};
use events::{Date, EventId, LineValue, Period, Position, Timestamp};
use std::collections::BTreeMap;

/// One report or correction of a unit and period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision {
    /// Its number, from 1.
    pub revision: u32,
    /// The event.
    pub event: EventId,
    /// Its position.
    pub position: Position,
    /// When the log took it in.
    pub recorded_at: Timestamp,
    /// The start of its document's date.
    pub effective: Timestamp,
    /// The date on its document.
    pub document_date: Date,
    /// Whether it was entered as history.
    pub history: bool,
}

/// A revision as it is kept; its number is its place. Times are milliseconds since 1970: the log has no finer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) position: Position,
    pub(super) recorded_ms: i64,
    pub(super) effective_ms: i64,
    pub(super) event: EventId,
    pub(super) document_date: Date,
    pub(super) history: bool,
}

/// A line as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) first: u64,
    pub(super) second: u64,
    pub(super) measure: u16,
    pub(super) kind: u8,
}

const RATE: u8 = 0;
const LEVEL: u8 = 1;
const NOT_ATTAINED: u8 = 2;
const ATTAINED: u8 = 3;
const WITHDRAWN: u8 = 4;
/// In place of a year where none is named.
const NO_YEAR: u64 = u64::MAX;

impl Line {
    pub(super) fn new(measure: u16, value: LineValue) -> Line {
        let (kind, first, second) = match value {
            LineValue::Rate { numerator, denominator } => (RATE, numerator, denominator),
            LineValue::Level { level } => (LEVEL, u64::from(level), 0),
            LineValue::Attained { attained, recognised_year } => {
                let year = recognised_year.map_or(NO_YEAR, |year| u64::from(year.0.cast_unsigned()));
                (if attained { ATTAINED } else { NOT_ATTAINED }, year, 0)
            }
            LineValue::Withdrawn { .. } => (WITHDRAWN, 0, 0),
        };
        Line { first, second, measure, kind }
    }

    /// None where the bytes of a snapshot are no line.
    pub(super) fn checked(self) -> Option<Line> {
        let whole = match self.kind {
            RATE => true,
            LEVEL => u8::try_from(self.first).is_ok(),
            ATTAINED | NOT_ATTAINED => self.first == NO_YEAR || u16::try_from(self.first).is_ok(),
            WITHDRAWN => true,
            _ => false,
        };
        whole.then_some(self)
    }

    pub(super) fn value(self) -> LineValue {
        match self.kind {
            RATE => LineValue::Rate { numerator: self.first, denominator: self.second },
            LEVEL => LineValue::Level { level: u8::try_from(self.first).unwrap_or(u8::MAX) },
            ATTAINED | NOT_ATTAINED => LineValue::Attained {
                attained: self.kind == ATTAINED,
                recognised_year: u16::try_from(self.first).ok().map(|year| Period(year.cast_signed())),
            },
            _ => LineValue::WITHDRAWN,
        }
    }
}

/// A row without what is kept beside it.
#[derive(Debug, Clone, Copy)]
struct Kept {
    position: Position,
    recorded_ms: i64,
    effective_ms: i64,
    event: EventId,
    document_date: Date,
    /// Where its lines end among all lines.
    lines_end: u32,
}

/// Which revisions name a measure, in order: a correction of one line must not make reading the others slower.
#[derive(Debug, Clone, Default)]
struct Naming {
    /// The index of the revision and of its line.
    places: Vec<(u32, u32)>,
    effective: Minima,
}

/// Every revision of one unit and period, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct PeriodReports {
    rows: Vec<Kept>,
    lines: Vec<Line>,
    /// The indexes of what was entered as history; few are.
    historic: Vec<u32>,
    naming: BTreeMap<u16, Naming>,
    /// The effective times of what was not entered as history, and of what was.
    current_lows: Lows,
    historic_lows: Lows,
    /// Whether one was recorded before the one before it. The log lets no time go back; the answers do not
    /// rest on that.
    recorded_falls: bool,
    pub(super) digest: GroupDigest,
}

fn instant(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).expect("only milliseconds of instants are kept")
}

impl PeriodReports {
    /// Takes the next revision in.
    pub(super) fn push(&mut self, row: Row, lines: impl IntoIterator<Item = Line>) {
        let index = u32::try_from(self.rows.len()).expect("revisions are counted in 32 bits");
        for line in lines {
            let place =
                u32::try_from(self.lines.len()).expect("the lines of a unit and period are below 4 billion");
            self.lines.push(line);
            let naming = self.naming.entry(line.measure).or_default();
            // Of two lines of one measure the first counts.
            if naming.places.last().is_none_or(|(last, _)| *last != index) {
                naming.places.push((index, place));
                naming.effective.push(row.effective_ms);
            }
        }
        if row.history {
            self.historic.push(index);
            self.historic_lows.push(row.effective_ms, index);
        } else {
            self.current_lows.push(row.effective_ms, index);
        }
        self.recorded_falls |= self.rows.last().is_some_and(|before| row.recorded_ms < before.recorded_ms);
        self.rows.push(Kept {
            position: row.position,
            recorded_ms: row.recorded_ms,
            effective_ms: row.effective_ms,
            event: row.event,
            document_date: row.document_date,
            lines_end: u32::try_from(self.lines.len())
                .expect("the lines of a unit and period are below 4 billion"),
        });
    }

    /// Makes room for what is about to come.
    pub(super) fn reserve(&mut self, rows: usize, lines: usize) {
        self.rows.reserve(rows);
        self.lines.reserve(lines);
    }

    /// How much memory it holds, in bytes.
    pub(super) fn held_bytes(&self) -> usize {
        let naming = self.naming.values();
        let naming = naming
            .map(|naming| naming.places.capacity() * size_of::<(u32, u32)>() + naming.effective.held_bytes());
        self.rows.capacity() * size_of::<Kept>()
            + self.lines.capacity() * size_of::<Line>()
            + self.historic.capacity() * size_of::<u32>()
            + naming.sum::<usize>()
            + self.digest.held_bytes()
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// How many revisions were recorded up to a cut.
    pub(super) fn known_at(&self, cut: Position) -> usize {
        self.rows.partition_point(|row| row.position <= cut)
    }

    pub(super) fn row(&self, index: usize) -> Row {
        let kept = &self.rows[index];
        Row {
            position: kept.position,
            recorded_ms: kept.recorded_ms,
            effective_ms: kept.effective_ms,
            event: kept.event,
            document_date: kept.document_date,
            history: u32::try_from(index).is_ok_and(|index| self.historic.binary_search(&index).is_ok()),
        }
    }

    pub(super) fn lines(&self, index: usize) -> &[Line] {
        let from = index.checked_sub(1).map_or(0, |before| self.rows[before].lines_end as usize);
        &self.lines[from..self.rows[index].lines_end as usize]
    }

    pub(super) fn revision(&self, index: usize) -> Revision {
        let row = self.row(index);
        Revision {
            revision: u32::try_from(index).expect("revisions are counted in 32 bits") + 1,
            event: row.event,
            position: row.position,
            recorded_at: instant(row.recorded_ms),
            effective: instant(row.effective_ms),
            document_date: row.document_date,
            history: row.history,
        }
    }

    /// The highest revision that names a measure, and what it says of it.
    pub(super) fn last_naming(&self, measure: u16) -> Option<(Revision, LineValue)> {
        let (revision, line) = *self.naming.get(&measure)?.places.last()?;
        Some((self.revision(revision as usize), self.lines[line as usize].value()))
    }

    /// Every revision that names a measure, in order.
    pub(super) fn naming(&self, measure: u16) -> impl Iterator<Item = Revision> {
        let places = self.naming.get(&measure).map_or(&[][..], |naming| &naming.places);
        places.iter().map(|(revision, _)| self.revision(*revision as usize))
    }

    /// The highest revision that names a measure of those recorded up to a cut and effective by an instant.
    pub(super) fn last_naming_at(
        &self,
        measure: u16,
        cut: Position,
        as_of: Timestamp,
    ) -> Option<(Revision, LineValue)> {
        let naming = self.naming.get(&measure)?;
        let row = |place: usize| &self.rows[naming.places[place].0 as usize];
        let known =
            naming.places.partition_point(|(revision, _)| self.rows[*revision as usize].position <= cut);
        let found = naming.effective.last_at_most(known, floor(as_of), |place| row(place).effective_ms)?;
        let (revision, line) = naming.places[found];
        Some((self.revision(revision as usize), self.lines[line as usize].value()))
    }

    /// Of the revisions recorded up to a cut and effective by an instant the one that was there first: judged by
    /// when it was recorded, as history by when it took effect.
    pub(super) fn first_at(&self, cut: Position, as_of: Timestamp) -> Option<Revision> {
        let as_of = floor(as_of);
        let known = u32::try_from(self.known_at(cut)).expect("revisions are counted in 32 bits");
        if self.recorded_falls {
            return self.walked_first(known, as_of).map(|first| self.revision(first));
        }
        let current = self.current_lows.first_at_most(as_of).filter(|index| *index < known);
        let historic = self.historic_lows.lowest_below(known).filter(|(effective, _)| *effective <= as_of);
        let current = current.map(|index| (self.rows[index as usize].recorded_ms, index));
        let first = current.into_iter().chain(historic).min()?;
        Some(self.revision(first.1 as usize))
    }

    /// The same among the first `known` revisions by looking at each of them.
    fn walked_first(&self, known: u32, as_of: i64) -> Option<usize> {
        let held = (0..known as usize).map(|index| (index, self.row(index)));
        let held = held.filter(|(_, row)| row.effective_ms <= as_of);
        let judged_by = |row: &Row| if row.history { row.effective_ms } else { row.recorded_ms };
        held.min_by_key(|(index, row)| (judged_by(row), *index)).map(|(index, _)| index)
    }
}

/// The last millisecond that is not after an instant.
fn floor(instant: Timestamp) -> i64 {
    events::instant::to_millisecond(instant).as_millisecond()
}

/// The revisions of a unit and period, in order.
#[derive(Debug, Clone, Copy)]
pub struct Revisions<'a> {
    pub(super) reports: Option<&'a PeriodReports>,
}

impl<'a> Revisions<'a> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.reports.map_or(0, PeriodReports::len)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first one.
    pub fn first(&self) -> Option<Revision> {
        self.iter().next()
    }

    /// Every one, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Revision> + use<'a> {
        let reports = self.reports;
        let indexes = 0..self.len();
        indexes.filter_map(move |index| reports.map(|reports| reports.revision(index)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A revision by chance: when it was recorded and took effect, whether as history, and which measures it names.
    type Made = (i64, i64, bool, Vec<u16>);

    fn made(recorded: impl Strategy<Value = i64>) -> impl Strategy<Value = Vec<Made>> {
        let measures = proptest::collection::vec(0_u16..3, 0..4);
        proptest::collection::vec((recorded, 0_i64..40, any::<bool>(), measures), 0..40)
    }

    fn assert_found_as_by_walking(made: &[Made], known: usize, as_of: i64) {
        let mut reports = PeriodReports::default();
        for ((recorded_ms, effective_ms, history, measures), index) in made.iter().zip(0_u64..) {
            let row = Row {
                position: Position(10 + 3 * index),
                recorded_ms: *recorded_ms,
                effective_ms: *effective_ms,
                event: EventId::from_u128(u128::from(index)),
                document_date: Date::constant(2024, 1, 1),
                history: *history,
            };
            let value = |place| LineValue::Rate { numerator: index, denominator: place };
            let lines = measures.iter().zip(0..).map(|(measure, place)| Line::new(*measure, value(place)));
            reports.push(row, lines);
        }
        // A position between the last one that is known and the next.
        let cut = Position(10 + 3 * known as u64 - 2);
        let as_of_instant = instant(as_of);
        let held =
            || made.iter().enumerate().take(known).filter(|(_, (_, effective, ..))| *effective <= as_of);
        let judged_by =
            |(recorded, effective, history, _): &Made| if *history { *effective } else { *recorded };
        let first = held().min_by_key(|(index, made)| (judged_by(made), *index));
        let found = reports.first_at(cut, as_of_instant).map(|revision| revision.revision as usize - 1);
        assert_eq!(found, first.map(|(index, _)| index));
        for measure in 0..3 {
            let mut walked = held().filter_map(|(index, (.., measures))| {
                let place = measures.iter().position(|named| *named == measure)?;
                Some((index as u64, place as u64))
            });
            let found = reports.last_naming_at(measure, cut, as_of_instant).map(|(_, value)| match value {
                LineValue::Rate { numerator, denominator } => (numerator, denominator),
                _ => panic!("only rates were pushed"),
            });
            assert_eq!(found, walked.next_back());
        }
    }

    proptest! {
        #[test]
        fn what_holds_is_found_as_by_walking(
            mut made in made(0_i64..40), known in any::<proptest::sample::Index>(), as_of in -1_i64..42,
            times_go_back in any::<bool>()
        ) {
            if !times_go_back {
                let mut recorded: Vec<i64> = made.iter().map(|made| made.0).collect();
                recorded.sort_unstable();
                made.iter_mut().zip(recorded).for_each(|(made, recorded)| made.0 = recorded);
            }
            assert_found_as_by_walking(&made, known.index(made.len() + 1), as_of);
        }
    }
}
