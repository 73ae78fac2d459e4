//! A segment: what was folded between two positions, as bytes, so that nobody has to decode and fold it again.
//!
//! Segments that follow each other, from the first position on, give the facts as the fold gave them. A segment
//! can always be made again from the log and is never evidence: it says which log it was made from by 32 bytes
//! of that log's content at its end and before its beginning, which whoever loads it compares with the log.
//! What is not exactly what was written is refused, and the log is folded instead.
//!
//! ```text
//! "PWFACTS" and the version   8
//! SHA-256 of what follows    32
//! content at the end         32
//! content before the start   32
//! state digest at the end    32
//! then numbers and texts as in the source of `bytes`: the last position before it, the last one in it and its
//! recorded time; the adoption, if it is in it; targets, unit changes, alerts and the like in the order of the log;
//! reports by unit and period; the digests of the other groups; what is set aside
//! ```
//!
//! The digest of each group is gone on with from the state at the segment's end. The tests hold those states
//! against the facts themselves.

use super::bytes::{Reader, Writer, date_number, date_of_number};
use super::digest::{AlertStep, Group, GroupDigest, StepKind};
use super::hash::RunningHash;
use super::reports::{Line, PeriodReports, Row};
use super::{AmendmentFact, BaselineFact, DeadlineFact, Facts, Parked, TargetFact, UnitChangeFact};
use events::{IndicatorId, Period, Position, Timestamp, UnitId};
use groups::{read_group, write_group};
use sha2::{Digest, Sha256};
use single::{
    read_acknowledged, read_adoption, read_amendment, read_baseline, read_deadline, read_raised,
    read_resolved, read_target, read_unit_change, write_acknowledged, write_adoption, write_amendment,
    write_baseline, write_deadline, write_raised, write_resolved, write_target, write_unit_change,
};
use thiserror::Error;

mod groups;
mod single;

/// The version in which segments are written; others are refused, and the log is folded instead.
pub const SEGMENT_VERSION: u8 = 3;

const TITLE: &[u8; 7] = b"PWFACTS";
/// Title, version and checksum.
const CHECKED_FROM: usize = 8 + 32;
/// Everything before the numbers and texts.
const HEAD_BYTES: usize = CHECKED_FROM + 3 * 32;

/// Why a segment is not used. The log holds all of it: fold it from where the segments before this one end.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SegmentError {
    /// The first bytes are not those of a segment.
    #[error("this is no segment of facts; fold the log instead")]
    NoSegment,
    /// Another version of planwatch wrote it.
    #[error(
        "the segment is of version {found}, this planwatch reads {SEGMENT_VERSION}; fold the log instead"
    )]
    Version {
        /// The version it says.
        found: u8,
    },
    /// The bytes are not those that were written.
    #[error("the segment was changed since it was written; fold the log instead")]
    Changed,
    /// The content cannot be read.
    #[error("the segment cannot be read: its {part} are not what this version writes; fold the log instead")]
    Unreadable {
        /// Which part.
        part: &'static str,
    },
    /// It does not go on where the facts are.
    #[error(
        "the segment goes on after position {after} of its log, the facts are at {head}; fold the log instead"
    )]
    Elsewhere {
        /// After which position it begins.
        after: Position,
        /// Where the facts are.
        head: Position,
    },
    /// The facts do not give the digest that was written with them.
    #[error(
        "with the segment the facts have the digest {found}, {written} was written; fold the log instead"
    )]
    Digest {
        /// What the segment says.
        written: String,
        /// What the facts give.
        found: String,
    },
}

/// What a segment says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentHead {
    /// The last position before it.
    pub after: Position,
    /// The last position in it.
    pub head: Position,
    /// What binds it to the content of the log up to its last position.
    pub content: [u8; 32],
    /// What binds it to the content of the log before it.
    pub content_before: [u8; 32],
}

impl SegmentHead {
    /// Reads the head of a segment; says nothing about the rest.
    pub fn read(bytes: &[u8]) -> Result<SegmentHead, SegmentError> {
        if bytes.get(..7) != Some(TITLE) {
            return Err(SegmentError::NoSegment);
        }
        match bytes.get(7) {
            Some(&SEGMENT_VERSION) => {}
            Some(&found) => return Err(SegmentError::Version { found }),
            None => return Err(SegmentError::NoSegment),
        }
        let mut reader = Reader { bytes: bytes.get(CHECKED_FROM..).ok_or(SegmentError::Changed)? };
        let mut read = || {
            let content = reader.array()?;
            let content_before = reader.array()?;
            reader.raw(32)?;
            let after = Position(reader.number()?);
            Some(SegmentHead { after, head: Position(reader.number()?), content, content_before })
        };
        read().filter(|head| head.after < head.head).ok_or(SegmentError::Changed)
    }
}

/// Everything of a segment that is no report.
enum Other<'a> {
    Target(&'a IndicatorId, Option<&'a UnitId>, &'a TargetFact),
    UnitChange(&'a UnitId, &'a UnitChangeFact),
    Baseline(&'a UnitId, &'a IndicatorId, &'a BaselineFact),
    Amendment(&'a AmendmentFact),
    Deadline(Period, Option<&'a UnitId>, &'a DeadlineFact),
    Step(&'a AlertStep),
}

impl Facts {
    /// Writes what was folded after a position, which is below the head. `content` and `content_before` bind it
    /// to the log: 32 bytes that follow from everything that the log holds up to the head, and to `after`.
    pub fn segment(&self, after: Position, content: [u8; 32], content_before: [u8; 32]) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.raw(TITLE);
        writer.byte(SEGMENT_VERSION);
        writer.raw(&[0; 32]);
        writer.raw(&content);
        writer.raw(&content_before);
        writer.raw(&raw_digest(&self.digest()));
        writer.number(after.0);
        writer.number(self.head.0);
        writer.option(self.head_recorded_at, Writer::instant);
        let adopted = self.adopted_as_it_was().filter(|adopted| adopted.position > after);
        writer.option(adopted.as_ref(), write_adoption);
        self.write_others(&mut writer, after);
        self.write_reports(&mut writer, after);
        writer.count(self.digests.len());
        for (group, digest) in &self.digests {
            write_group(&mut writer, group);
            write_digest(&mut writer, digest, 0);
        }
        writer.count(self.parked.len());
        for (unit, parked) in &self.parked {
            writer.option(unit.as_ref(), |writer, unit| writer.text(unit.as_str()));
            writer.number(parked.since.0);
            writer.number(parked.events);
            writer.text(&parked.why);
        }
        let checksum: [u8; 32] = Sha256::digest(&writer.bytes[CHECKED_FROM..]).into();
        writer.bytes[8..CHECKED_FROM].copy_from_slice(&checksum);
        writer.bytes
    }

    fn write_others(&self, writer: &mut Writer, after: Position) {
        let mut others: Vec<(Position, Other<'_>)> = Vec::new();
        for (indicator, of_indicator) in &self.targets {
            for (unit, facts) in of_indicator {
                let from = facts.partition_point(|fact| fact.position <= after);
                let facts = facts[from..].iter();
                others
                    .extend(facts.map(|fact| (fact.position, Other::Target(indicator, unit.as_ref(), fact))));
            }
        }
        for (unit, facts) in &self.unit_changes {
            let from = facts.partition_point(|fact| fact.position <= after);
            others.extend(facts[from..].iter().map(|fact| (fact.position, Other::UnitChange(unit, fact))));
        }
        for ((unit, indicator), facts) in &self.baselines {
            let from = facts.partition_point(|fact| fact.position <= after);
            let facts = facts[from..].iter();
            others.extend(facts.map(|fact| (fact.position, Other::Baseline(unit, indicator, fact))));
        }
        let from = self.amendments().partition_point(|fact| fact.position <= after);
        let amendments = self.amendments()[from..].iter();
        others.extend(amendments.map(|fact| (fact.position, Other::Amendment(fact))));
        let deadlines = self.all_deadlines().filter(|(.., fact)| fact.position > after);
        others.extend(
            deadlines.map(|(period, unit, fact)| (fact.position, Other::Deadline(period, unit, fact))),
        );
        for steps in self.alert_steps.values() {
            let from = steps.partition_point(|step| step.position <= after);
            others.extend(steps[from..].iter().map(|step| (step.position, Other::Step(step))));
        }
        others.sort_unstable_by_key(|(position, _)| *position);
        writer.count(others.len());
        for (position, other) in others {
            writer.number(position.0);
            match other {
                Other::Target(indicator, unit, fact) => {
                    writer.byte(b't');
                    writer.text(indicator.as_str());
                    writer.option(unit, |writer, unit| writer.text(unit.as_str()));
                    write_target(writer, fact);
                }
                Other::UnitChange(unit, fact) => {
                    writer.byte(b'u');
                    writer.text(unit.as_str());
                    write_unit_change(writer, fact);
                }
                Other::Baseline(unit, indicator, fact) => {
                    writer.byte(b'b');
                    writer.text(unit.as_str());
                    writer.text(indicator.as_str());
                    write_baseline(writer, fact);
                }
                Other::Amendment(fact) => {
                    writer.byte(b'm');
                    write_amendment(writer, fact);
                }
                Other::Deadline(period, unit, fact) => {
                    writer.byte(b'd');
                    writer.signed(i64::from(period.0));
                    writer.option(unit, |writer, unit| writer.text(unit.as_str()));
                    write_deadline(writer, fact);
                }
                Other::Step(step) => {
                    let alert = self.alerts.get(&step.alert).expect("a step is of an alert among the facts");
                    match step.what {
                        StepKind::Raised => {
                            writer.byte(b'a');
                            write_raised(writer, alert);
                        }
                        StepKind::Resolved => {
                            writer.byte(b'r');
                            let fact =
                                alert.resolved.as_ref().expect("what ended an alert is among its facts");
                            writer.id(alert.id);
                            write_resolved(writer, fact);
                        }
                        StepKind::Acknowledged(index) => {
                            writer.byte(b'n');
                            writer.id(alert.id);
                            write_acknowledged(writer, &alert.acknowledgements[index as usize]);
                        }
                    }
                }
            }
        }
    }

    fn write_reports(&self, writer: &mut Writer, after: Position) {
        let groups = (0_u16..).zip(&self.reports).flat_map(|(unit, periods)| {
            periods.iter().map(move |(period, reports)| (unit, *period, reports, reports.known_at(after)))
        });
        let groups: Vec<_> = groups.filter(|(_, _, reports, from)| *from < reports.len()).collect();
        writer.count(groups.len());
        for (unit, period, reports, from) in groups {
            writer.number(u64::from(unit));
            writer.signed(i64::from(period.0));
            write_rows(writer, reports, from);
            write_digest(writer, &reports.digest, from);
        }
    }

    /// Goes on with a segment; facts that it was refused for are not to be used any more.
    pub fn load(&mut self, segment: &[u8]) -> Result<SegmentHead, SegmentError> {
        let head = SegmentHead::read(segment)?;
        let checksum: [u8; 32] = Sha256::digest(&segment[CHECKED_FROM..]).into();
        if segment[8..CHECKED_FROM] != checksum {
            return Err(SegmentError::Changed);
        }
        if head.after != self.head {
            return Err(SegmentError::Elsewhere { after: head.after, head: self.head });
        }
        let written = &segment[HEAD_BYTES - 32..HEAD_BYTES];
        let mut reader = Reader { bytes: &segment[HEAD_BYTES..] };
        self.load_parts(&mut reader).map_err(|part| SegmentError::Unreadable { part })?;
        let found = self.digest();
        if raw_digest(&found)[..] != *written {
            let written = written.iter().map(|byte| format!("{byte:02x}")).collect();
            return Err(SegmentError::Digest { written, found });
        }
        Ok(head)
    }

    /// Says which part cannot be read.
    fn load_parts(&mut self, reader: &mut Reader<'_>) -> Result<(), &'static str> {
        let positions = (reader.number(), reader.number(), reader.option(Reader::instant));
        let (Some(_), Some(head), Some(recorded_at)) = positions else { return Err("positions") };
        self.head = Position(head);
        self.head_recorded_at = recorded_at;
        if let Some(adopted) = reader.option(read_adoption).ok_or("plan's facts")? {
            if self.adopted.is_some() {
                return Err("plan's facts");
            }
            self.place_adoption(adopted).map_err(|_| "plan's facts")?;
        }
        self.load_others(reader).ok_or("targets, unit changes, alerts and the like")?;
        self.load_reports(reader).ok_or("reports")?;
        self.load_digests(reader).ok_or("digests")?;
        self.load_parked(reader).ok_or("parked units")?;
        if reader.bytes.is_empty() { Ok(()) } else { Err("last bytes") }
    }

    fn load_others(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        for _ in 0..reader.count()? {
            let position = Position(reader.number()?);
            match reader.byte()? {
                b't' => {
                    let indicator = IndicatorId::parse(reader.text()?).ok()?;
                    let unit = reader.option(|reader| UnitId::parse(reader.text()?).ok())?;
                    let fact = read_target(reader, position)?;
                    self.place_target(indicator, unit, fact);
                }
                b'u' => {
                    let unit = UnitId::parse(reader.text()?).ok()?;
                    let fact = read_unit_change(reader, position)?;
                    self.place_unit_change(unit, fact).ok()?;
                }
                b'b' => {
                    let unit = UnitId::parse(reader.text()?).ok()?;
                    let indicator = IndicatorId::parse(reader.text()?).ok()?;
                    let fact = read_baseline(reader, position)?;
                    self.place_baseline(unit, indicator, fact);
                }
                b'm' => self.place_amendment(read_amendment(reader, position)?).ok()?,
                b'd' => {
                    let period = Period(i16::try_from(reader.signed()?).ok()?);
                    let unit = reader.option(|reader| UnitId::parse(reader.text()?).ok())?;
                    let fact = read_deadline(reader, position)?;
                    self.place_deadline(period, unit, fact);
                }
                b'a' => self.place_raised(read_raised(reader, position)?).ok()?,
                b'r' => {
                    let alert = reader.id()?;
                    let fact = read_resolved(reader, position)?;
                    self.place_resolved(alert, fact).ok()?;
                }
                b'n' => {
                    let alert = reader.id()?;
                    let fact = read_acknowledged(reader, position)?;
                    self.place_acknowledged(alert, fact).ok()?;
                }
                _ => return None,
            }
        }
        Some(())
    }

    fn load_reports(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        for _ in 0..reader.count()? {
            let unit: u16 = reader.small()?;
            let period = Period(i16::try_from(reader.signed()?).ok()?);
            let measures = self.vocabulary.as_ref()?.measure_count();
            let reports = self.reports.get_mut(usize::from(unit))?.entry(period).or_default();
            read_rows(reader, reports, measures)?;
            let count = reports.len();
            read_digest(reader, &mut reports.digest, count)?;
        }
        Some(())
    }

    fn load_digests(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        self.digests.clear();
        for _ in 0..reader.count()? {
            let group = read_group(reader)?;
            let count = match &group {
                Group::Plan => usize::from(self.adopted.is_some()),
                Group::Targets(indicator, unit) => self.targets(indicator, unit.as_ref()).len(),
                Group::Unit(unit) => self.unit_changes(unit).len(),
                Group::Alerts(unit) => self.alert_steps.get(unit).map_or(0, Vec::len),
                Group::Baselines(unit, indicator) => self.baselines(unit, indicator).len(),
                Group::Amendments => self.amendments().len(),
                Group::Deadlines(period, unit) => self.deadlines(*period, unit.as_ref()).len(),
            };
            let mut digest = GroupDigest::default();
            read_digest(reader, &mut digest, count)?;
            self.digests.insert(group, digest);
        }
        Some(())
    }

    fn load_parked(&mut self, reader: &mut Reader<'_>) -> Option<()> {
        self.parked.clear();
        for _ in 0..reader.count()? {
            let unit = reader.option(|reader| UnitId::parse(reader.text()?).ok())?;
            let parked = Parked {
                since: Position(reader.number()?),
                events: reader.number()?,
                why: reader.text()?.to_owned(),
            };
            self.parked.insert(unit, parked);
        }
        Some(())
    }
}

/// The bytes of a digest in lower-case hexadecimal.
fn raw_digest(hexadecimal: &str) -> [u8; 32] {
    let digit = |character: u8| char::from(character).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut raw = [0; 32];
    for (byte, pair) in raw.iter_mut().zip(hexadecimal.as_bytes().as_chunks::<2>().0) {
        *byte = digit(pair[0]).unwrap_or(0) << 4 | digit(pair[1]).unwrap_or(0);
    }
    raw
}

fn write_rows(writer: &mut Writer, reports: &PeriodReports, from: usize) {
    let all = from..reports.len();
    writer.count(from);
    writer.count(all.len());
    writer.count(all.clone().map(|index| reports.lines(index).len()).sum());
    let (mut position, mut recorded_ms, mut effective_ms, mut date) = (0, 0, 0, 0);
    for index in all {
        let row = reports.row(index);
        let lines = reports.lines(index);
        writer.number(row.position.0 - position);
        writer.signed(row.recorded_ms - recorded_ms);
        writer.signed(row.effective_ms - effective_ms);
        let row_date = date_number(row.document_date);
        writer.signed(row_date - date);
        (position, recorded_ms, effective_ms, date) =
            (row.position.0, row.recorded_ms, row.effective_ms, row_date);
        writer.id(row.event);
        writer.number((lines.len() as u64) << 1 | u64::from(row.history));
        for line in lines {
            writer.number(u64::from(line.measure));
            writer.byte(line.kind);
            writer.number(line.first);
            writer.number(line.second);
        }
    }
}

fn read_rows(reader: &mut Reader<'_>, reports: &mut PeriodReports, measures: usize) -> Option<()> {
    let from: usize = reader.small()?;
    let (rows, lines) = (reader.count()?, reader.count()?);
    if from != reports.len() {
        return None;
    }
    reports.reserve(rows, lines);
    let (mut position, mut recorded_ms, mut effective_ms, mut date) = (0_u64, 0_i64, 0_i64, 0_i64);
    let mut kept: Vec<Line> = Vec::new();
    for _ in 0..rows {
        position = position.checked_add(reader.number()?)?;
        recorded_ms = recorded_ms.checked_add(reader.signed()?)?;
        effective_ms = effective_ms.checked_add(reader.signed()?)?;
        date = date.checked_add(reader.signed()?)?;
        let event = reader.id()?;
        let lines_and_history = reader.number()?;
        kept.clear();
        for _ in 0..lines_and_history >> 1 {
            let measure: u16 = reader.small()?;
            let kind = reader.byte()?;
            let line = Line { first: reader.number()?, second: reader.number()?, measure, kind };
            kept.push(line.checked().filter(|line| usize::from(line.measure) < measures)?);
        }
        // Only milliseconds of instants are kept.
        let possible = [recorded_ms, effective_ms].map(|ms| Timestamp::from_millisecond(ms).is_ok());
        let row = Row {
            position: Position(position),
            recorded_ms,
            effective_ms,
            event,
            document_date: date_of_number(date).filter(|_| possible == [true; 2])?,
            history: lines_and_history & 1 == 1,
        };
        reports.push(row, kept.iter().copied());
    }
    Some(())
}

/// Writes the state at the end, and the marks of the facts from `from` on.
fn write_digest(writer: &mut Writer, digest: &GroupDigest, from: usize) {
    let marks = digest.marks_from(from);
    writer.count(marks.len());
    marks.iter().for_each(|mark| mark.write(&mut writer.bytes));
    digest.hash().write(&mut writer.bytes);
}

fn read_digest(reader: &mut Reader<'_>, digest: &mut GroupDigest, count: usize) -> Option<()> {
    let marks = reader.count()?;
    let mut state = || RunningHash::read(reader.raw(RunningHash::WRITTEN_BYTES)?);
    let marks = (0..marks).map(|_| state()).collect::<Option<Vec<_>>>()?;
    let hash = state()?;
    digest.go_on(count, marks, hash).then_some(())
}
