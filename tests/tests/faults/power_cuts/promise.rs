//! What a log promised before a power cut, and whether it keeps it afterwards.

use event_log::{IndexState, Log, Opened, Options, Stored, VerifyReport, Writer, verify};
use events::{Position, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tests::support::{Record, Remains, What, digest, numbered_event, numbered_plan, open_stopped, until};

/// Of longer logs so many events are looked up by their ids; of shorter ones all are.
const LOOKED_UP: usize = 400;
/// The time of what is appended after a cut: later than everything before.
const AFTERWARDS_MS: i64 = 1_790_000_000_000;

/// What was promised.
#[derive(Debug, Clone)]
pub(crate) struct Promise {
    /// A digest of each acknowledged event's bytes, by position.
    acknowledged: BTreeMap<u64, String>,
    /// Everything up to here was acknowledged, or shown to readers.
    least: u64,
    /// Where the log may end: a request is there whole or not at all.
    heads: BTreeSet<u64>,
}

impl Promise {
    /// Nothing was promised: the log may be empty.
    pub(crate) fn nothing() -> Promise {
        Promise { acknowledged: BTreeMap::new(), least: 0, heads: BTreeSet::from([0]) }
    }

    /// Learns from the marks that a process made what it promised.
    pub(crate) fn learn(&mut self, records: &[Record]) {
        for record in records {
            let What::Mark(text) = &record.what else { continue };
            let mut words = text.split(' ');
            let word = words.next().unwrap();
            let mut number = || words.next().unwrap().parse::<u64>().unwrap();
            match word {
                "open" => {
                    let head = number();
                    assert!(self.heads.contains(&head), "it opened at {head}: {self:?}");
                    self.at_least(head);
                    self.heads = BTreeSet::from([head]);
                }
                "begin" => {
                    let mut head = number() - 1;
                    for length in words {
                        head += length.parse::<u64>().unwrap();
                        self.heads.insert(head);
                    }
                }
                "done" => {
                    let first = number();
                    self.acknowledged.extend((first..).zip(words.map(str::to_owned)));
                    let last = *self.acknowledged.last_key_value().unwrap().0;
                    self.at_least(last);
                }
                "end" => {}
                other => panic!("`{other}` is no mark"),
            }
        }
    }

    fn at_least(&mut self, head: u64) {
        self.least = self.least.max(head);
        self.heads = self.heads.split_off(&self.least);
        // What stood behind is another history now.
        self.acknowledged.split_off(&(self.least + 1));
    }

    /// Holds what is left of a log to what it promised; says what was broken.
    pub(crate) fn check(&self, directory: &Path, options: &Options) -> Result<(), String> {
        let Opened { log, mut writer, report } = opened(directory, options)?;
        let before = self.check_events(&log)?;
        drop(log);
        // On some media the first start cuts what nobody was told of; the second one has nothing to do.
        append(&mut writer, 0)?;
        drop(writer);
        let journal = journal_of(directory);
        let Opened { log, mut writer, report: second } = opened(directory, options)?;
        if second.journal_bytes_cut + second.journal_events_restored > 0 || second.index != IndexState::Ready
        {
            return Err(format!("the second start had something to do: {second}; the first: {report}"));
        }
        if journal_of(directory) != journal {
            return Err("the second start changed the journal".to_owned());
        }
        if read(&log)? != before {
            return Err("the second start reads something else".to_owned());
        }
        append(&mut writer, 3)?;
        let after = read(&log)?;
        if after.len() != before.len() + 3 || !after.starts_with(&before) {
            return Err(format!("3 events were appended to {}, now there are {}", before.len(), after.len()));
        }
        drop((log, writer));
        let verified = verify(directory, Some(&numbered_plan())).map_err(|error| error.to_string())?;
        if !verified.is_ok() || verified.head.0 as usize != after.len() {
            return Err(format!("it is not sound: {verified:?}"));
        }
        check_compacted(directory, options, &after, &verified)
    }

    fn check_events(&self, log: &Log) -> Result<Vec<Stored>, String> {
        let events = read(log)?;
        let head = events.len() as u64;
        if !self.heads.contains(&head) {
            return Err(format!("it ends at {head}; it may at {:?}", self.heads));
        }
        for (position, known) in &self.acknowledged {
            let found = &events[usize::try_from(*position).unwrap() - 1].bytes;
            if digest(found) != *known {
                return Err(format!("position {position} was acknowledged with other bytes"));
            }
        }
        for pair in events.windows(2) {
            if pair[1].recorded_at < pair[0].recorded_at {
                return Err(format!("the recorded time decreases at position {}", pair[1].position));
            }
        }
        for stored in events.iter().rev().step_by(events.len().div_ceil(LOOKED_UP).max(1)) {
            if stored.id != numbered_event(stored.position.0, 0).id {
                return Err(format!("position {} holds another event", stored.position));
            }
            match log.event_by_id(&stored.id) {
                Ok(Some(found)) if found == *stored => {}
                found => return Err(format!("the id of position {} leads to {found:?}", stored.position)),
            }
        }
        if let Some(last) = events.last() {
            let at_last = log.position_at(last.recorded_at).map_err(|error| error.to_string())?;
            let before = last.recorded_at.as_millisecond() - 1;
            let before = log.position_at(Timestamp::from_millisecond(before).unwrap());
            let expected = events.partition_point(|stored| stored.recorded_at < last.recorded_at) as u64;
            if at_last != last.position || !matches!(before, Ok(found) if found.0 == expected) {
                return Err(format!("at the last recorded time it is at {at_last}, before at {before:?}"));
            }
        }
        Ok(events)
    }
}

/// Compacted, it holds the same.
fn check_compacted(
    directory: &Path,
    options: &Options,
    events: &[Stored],
    verified: &VerifyReport,
) -> Result<(), String> {
    let options = Options { compacts_journal: true, ..options.clone() };
    let Opened { log, writer, .. } = opened(directory, &options)?;
    until("full files are compacted", || log.is_compact());
    let compacted = read(&log)?;
    drop((log, writer));
    let again = verify(directory, Some(&numbered_plan())).map_err(|error| error.to_string())?;
    if compacted != events || !again.is_ok() || again.root != verified.root {
        return Err(format!("it is not sound after its files were compacted: {again:?}"));
    }
    Ok(())
}

fn opened(directory: &Path, options: &Options) -> Result<Opened, String> {
    open_stopped(directory, options).map_err(|error| format!("it does not open: {error}"))
}

fn read(log: &Log) -> Result<Vec<Stored>, String> {
    let events: Vec<Stored> =
        log.scan(Position::START).collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    let contiguous = events.iter().zip(1..).all(|(stored, position)| stored.position.0 == position);
    if !contiguous || log.head().0 != events.len() as u64 {
        return Err(format!("{} events are not those of positions 1 to {}", events.len(), log.head()));
    }
    Ok(events)
}

fn append(writer: &mut Writer, count: u64) -> Result<(), String> {
    let now = Timestamp::from_millisecond(AFTERWARDS_MS).unwrap();
    for _ in 0..count {
        let next = writer.log().head().next();
        writer.append(vec![vec![numbered_event(next.0, 100)]], now).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The journal. The index beside it is not at rest: sled removes files after it was closed.
fn journal_of(directory: &Path) -> Remains {
    Remains::read(&directory.join("journal"))
}
