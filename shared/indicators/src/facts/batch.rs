//! Events decoded ahead of the fold: what does not depend on the order is done here, on any thread.
//!
//! A report in the form in which this version writes it becomes a dense row with its digest line; everything
//! else is read as always. Folding a batch gives what folding its events one by one gives.

use super::lines::{ReportHead, ReportTail, add_line, begin_report, end_report};
use super::reports::{Line, Row};
use super::vocabulary::Vocabulary;
use super::{Applied, ApplyError, Facts, FoldError};
use events::wire::{self, ReadError};
use events::{EventData, Period, Position, Recorded, Timestamp, UnitId};
use plan::Plan;
use std::sync::{Arc, OnceLock};

/// Decodes events for the fold; learns the plan's words from the first event of the log, when it sees it.
#[derive(Debug, Default)]
pub struct Preparer {
    vocabulary: OnceLock<Arc<Vocabulary>>,
}

/// Events in order, decoded.
#[derive(Debug, Default)]
pub struct Batch {
    /// The words by which units and measures are numbered in it.
    vocabulary: Option<Arc<Vocabulary>>,
    items: Vec<Item>,
    rows: Vec<PreparedReport>,
    lines: Vec<Line>,
    /// The digest lines of the rows, one behind the other.
    text: Vec<u8>,
    /// Why nothing after the last item can be folded.
    stop: Option<ReadError>,
}

#[derive(Debug)]
enum Item {
    /// The next row.
    Report,
    Event(Box<Recorded>),
    Unreadable(Box<Unreadable>),
}

#[derive(Debug)]
struct Unreadable {
    position: Position,
    recorded_at: Timestamp,
    unit: Option<UnitId>,
    why: String,
}

#[derive(Debug)]
struct PreparedReport {
    row: Row,
    unit: u16,
    period: Period,
    revision: u32,
    lines_end: usize,
    text_end: usize,
}

impl Preparer {
    /// Knows no plan yet: until it does everything is decoded in the general way.
    pub fn new() -> Preparer {
        Preparer::default()
    }

    /// Knows the plan of facts, if they have one.
    pub fn of(facts: &Facts) -> Preparer {
        let preparer = Preparer::new();
        if let Some(vocabulary) = &facts.vocabulary {
            let _ = preparer.vocabulary.set(Arc::clone(vocabulary));
        }
        preparer
    }

    /// Decodes stored events that follow each other.
    pub fn prepare<'a>(&self, stored: impl IntoIterator<Item = &'a [u8]>) -> Batch {
        let vocabulary = self.vocabulary.get();
        let mut batch = Batch { vocabulary: vocabulary.cloned(), ..Batch::default() };
        for bytes in stored {
            if let Some(stop) = batch.push(bytes, vocabulary.map(|words| &**words)) {
                batch.stop = Some(stop);
                break;
            }
        }
        // A log is of the plan that its first event adopts; another adoption further on is set aside by the fold.
        for item in &batch.items {
            if let Item::Event(recorded) = item
                && recorded.position == Position(1)
                && let EventData::PlanAdopted(adopted) = &recorded.event.data
                && let Ok(plan) = Plan::from_canonical(&adopted.plan)
                && let Some(vocabulary) = Vocabulary::of(&plan)
            {
                let _ = self.vocabulary.set(Arc::new(vocabulary));
            }
        }
        batch
    }
}

impl Batch {
    /// How many events it holds.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Why nothing after its last event can be folded, if that is so.
    pub fn stop(&self) -> Option<&ReadError> {
        self.stop.as_ref()
    }

    /// The events in it that are no reports in the usual form.
    pub fn others(&self) -> impl Iterator<Item = &Recorded> {
        self.items.iter().filter_map(|item| match item {
            Item::Event(recorded) => Some(&**recorded),
            Item::Report | Item::Unreadable(_) => None,
        })
    }

    fn push(&mut self, bytes: &[u8], vocabulary: Option<&Vocabulary>) -> Option<ReadError> {
        let (lines, text) = (self.lines.len(), self.text.len());
        if let Some(row) = vocabulary.and_then(|vocabulary| self.report(bytes, vocabulary)) {
            self.rows.push(row);
            self.items.push(Item::Report);
            return None;
        }
        self.lines.truncate(lines);
        self.text.truncate(text);
        match wire::read(bytes) {
            Ok(recorded) => self.items.push(Item::Event(Box::new(recorded))),
            Err(ReadError::Data { envelope, reason }) => {
                self.items.push(Item::Unreadable(Box::new(Unreadable {
                    position: envelope.position,
                    recorded_at: envelope.recorded_at,
                    unit: UnitId::parse(&envelope.subject).ok(),
                    why: reason,
                })))
            }
            Err(error @ (ReadError::Envelope { .. } | ReadError::UnknownType { .. })) => return Some(error),
        }
        None
    }

    fn report(&mut self, bytes: &[u8], vocabulary: &Vocabulary) -> Option<PreparedReport> {
        let lines_from = self.lines.len();
        let report = wire::read_report(bytes, |line| {
            self.lines.push(Line::new(vocabulary.measure(line.measure)?, line.value));
            Some(())
        })?;
        let unit = vocabulary.unit(report.unit)?;
        let head = ReportHead {
            document: report.document_date_text.as_bytes(),
            effective: report.effective.as_bytes(),
            event: report.id_text.as_bytes(),
            history: report.history.is_some(),
        };
        begin_report(&mut self.text, &head);
        for (index, line) in self.lines[lines_from..].iter().enumerate() {
            let measure = vocabulary.measure_id(line.measure);
            add_line(&mut self.text, index == 0, measure.as_str().as_bytes(), line.value());
        }
        let tail = ReportTail {
            position: report.position.0,
            recorded: report.recorded.as_bytes(),
            revision: report.revision,
        };
        end_report(&mut self.text, &tail);
        let row = Row {
            position: report.position,
            recorded_ms: report.recorded_ms,
            effective_ms: report.effective_ms,
            event: report.id,
            document_date: report.document_date,
            history: report.history.is_some(),
        };
        Some(PreparedReport {
            row,
            unit,
            period: report.period,
            revision: report.revision,
            lines_end: self.lines.len(),
            text_end: self.text.len(),
        })
    }
}

impl Facts {
    /// Folds a batch; stops at the first event that cannot be folded at all.
    pub fn apply_batch(&mut self, batch: Batch) -> Result<(), ApplyError> {
        self.apply_batch_until(batch, |_, _| false)
    }

    /// Folds a batch up to the first event before which `beyond` says so of its position and recorded time.
    pub fn apply_batch_until(
        &mut self,
        batch: Batch,
        mut beyond: impl FnMut(Position, Timestamp) -> bool,
    ) -> Result<(), ApplyError> {
        let mut rows = batch.rows.iter();
        let (mut lines_from, mut text_from) = (0, 0);
        let mut same_words = false;
        for item in &batch.items {
            match item {
                Item::Report => {
                    let report = rows.next().expect("a report among the items has its row");
                    let recorded_at = instant(report.row.recorded_ms);
                    if beyond(report.row.position, recorded_at) {
                        return Ok(());
                    }
                    let lines = &batch.lines[lines_from..report.lines_end];
                    let text = &batch.text[text_from..report.text_end];
                    (lines_from, text_from) = (report.lines_end, report.text_end);
                    if !same_words {
                        same_words = self.has_words(batch.vocabulary.as_ref());
                    }
                    if !same_words {
                        let why = "what follows was decoded for another plan".to_owned();
                        return Err(FoldError::NoPlan { position: report.row.position, why }.into());
                    }
                    self.apply_report(report, recorded_at, lines, text)?;
                }
                Item::Event(recorded) => {
                    if beyond(recorded.position, recorded.recorded_at) {
                        return Ok(());
                    }
                    self.apply(recorded)?;
                }
                Item::Unreadable(unreadable) => {
                    let Unreadable { position, recorded_at, unit, why } = &**unreadable;
                    if beyond(*position, *recorded_at) {
                        return Ok(());
                    }
                    self.apply_unreadable(*position, *recorded_at, unit.clone(), why)?;
                }
            }
        }
        batch.stop.map_or(Ok(()), |stop| Err(ApplyError::Read(stop)))
    }

    /// Whether units and measures are numbered here as they were where a batch was decoded; units that were
    /// established since come after them, and what is theirs was decoded in the general way.
    fn has_words(&self, words: Option<&Arc<Vocabulary>>) -> bool {
        let both = words.zip(self.vocabulary.as_ref());
        both.is_some_and(|(one, other)| Arc::ptr_eq(one, other) || one.goes_on_in(other))
    }

    /// Does what [`Facts::apply`] does with an event that is a report, numbered by the words of this plan.
    fn apply_report(
        &mut self,
        report: &PreparedReport,
        recorded_at: Timestamp,
        lines: &[Line],
        text: &[u8],
    ) -> Result<Applied, FoldError> {
        let position = report.row.position;
        self.advance(position)?;
        self.head_recorded_at = Some(recorded_at);
        if !self.parked.is_empty() {
            let unit = Some(self.vocabulary().unit_id(report.unit).clone());
            if self.parked.contains_key(&unit) || self.parked.contains_key(&None) {
                self.park(unit, position, super::EARLIER);
                return Ok(Applied::Parked);
            }
        }
        let lines = lines.iter().copied();
        match self.push_report(report.unit, report.period, report.revision, report.row, lines, text) {
            Ok(()) => Ok(Applied::Folded),
            Err(why) => {
                let unit = self.vocabulary().unit_id(report.unit).clone();
                self.park(Some(unit), position, &why);
                Ok(Applied::Parked)
            }
        }
    }
}

fn instant(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).expect("the reader takes instants only")
}
