//! Where the event with an id is: ids in runs of events, the newest ones in memory.
//!
//! | key in `by_id` | value |
//! |---|---|
//! | number of the run (8), part (1) | a block of its sorted ids, or a part of its filter |
//!
//! `id_runs` in `meta` says how many runs there are; the ids behind them are read from the events at an opening.

use super::{SledIndex, guarded, storage_error};
use crate::index::id_run::{self, BLOCKS, FILTER_PARTS, Filter, IdHash, RUN_EVENTS};
use crate::index::{Index, IndexError};
use crate::stored::{Page, ReadLimit, Stored};
use events::{EventId, Position};
use sled::Batch;
use sled::transaction::Transactional;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// How many bytes of events are read at once for their ids.
const IDS_PAGE_BYTES: usize = 4 * 1024 * 1024;

/// What is held of the ids in memory.
#[derive(Default)]
pub(super) struct Ids {
    held: RwLock<Held>,
}

#[derive(Default)]
struct Held {
    /// The filter of each run, read when it is first needed.
    filters: Vec<OnceLock<Arc<Filter>>>,
    /// The ids behind the runs, in their order, and where they are.
    recent: Vec<EventId>,
    places: HashMap<EventId, usize>,
}

impl Held {
    /// How many events the runs are about.
    fn covered(&self) -> u64 {
        (self.filters.len() * RUN_EVENTS) as u64
    }

    fn remember(&mut self, id: EventId) {
        self.places.insert(id, self.recent.len());
        self.recent.push(id);
    }

    /// Takes the oldest ids for a run that has been written.
    fn forget_a_run(&mut self) {
        self.recent.drain(..RUN_EVENTS);
        self.places = self.recent.iter().enumerate().map(|(place, id)| (*id, place)).collect();
        self.filters.push(OnceLock::new());
    }
}

impl Ids {
    fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(run: u64, part: usize) -> [u8; 9] {
    let mut key = [0; 9];
    key[..8].copy_from_slice(&run.to_be_bytes());
    key[8] = u8::try_from(part).expect("a run has few parts");
    key
}

impl SledIndex {
    /// Takes up the ids; makes the runs that an earlier version did not write.
    ///
    /// Like [`with_tree`](Self::with_tree) it lets an index open that is of little use.
    pub(super) fn with_ids(mut self) -> Result<SledIndex, IndexError> {
        match self.take_up_ids() {
            Err(IndexError::Damaged(what)) => self.tree_fault = Some(what),
            taken => taken?,
        }
        Ok(self)
    }

    fn take_up_ids(&self) -> Result<(), IndexError> {
        let damaged = |what: &str| IndexError::Damaged(what.to_owned());
        let runs = match guarded(|| self.meta.get("id_runs"))? {
            Some(runs) => {
                super::be_u64(&runs).ok_or_else(|| damaged("the number of its runs of ids is none"))?
            }
            None => {
                // An earlier version had one entry for each id.
                guarded(|| self.by_id.clear())?;
                0
            }
        };
        let covered = runs.checked_mul(RUN_EVENTS as u64).filter(|covered| *covered <= self.head().0);
        let mut next = Position(covered.ok_or_else(|| damaged("it has more ids than events"))?).next();
        let runs = usize::try_from(runs).map_err(|_| damaged("it has more ids than events"))?;
        self.ids.write().filters = std::iter::repeat_with(OnceLock::new).take(runs).collect();
        while next <= self.head() {
            let mut page = Page::new(ReadLimit { events: RUN_EVENTS, bytes: IDS_PAGE_BYTES });
            self.read(next, &mut page)?;
            let stored = page.into_stored();
            let Some(last) = stored.last() else { break };
            next = last.position.next();
            self.remember_ids(&stored)?;
        }
        Ok(())
    }

    /// Takes in the ids of events that are durable here, and writes a run where one is full.
    pub(super) fn remember_ids(&self, stored: &[Stored]) -> Result<(), IndexError> {
        for some in stored.chunks(RUN_EVENTS) {
            {
                let mut held = self.ids.write();
                some.iter().for_each(|stored| held.remember(stored.id));
            }
            self.write_a_run()?;
        }
        Ok(())
    }

    fn write_a_run(&self) -> Result<(), IndexError> {
        let (run, written) = {
            let held = self.ids.read();
            let Some(ids) = held.recent.get(..RUN_EVENTS) else { return Ok(()) };
            (held.filters.len() as u64, id_run::write(ids))
        };
        let mut batch = Batch::default();
        for (part, value) in written.blocks.iter().chain(&written.filter).enumerate() {
            batch.insert(&key(run, part), value.as_slice());
        }
        guarded(|| {
            (&self.by_id, &self.meta)
                .transaction(|(by_id, meta)| {
                    by_id.apply_batch(&batch)?;
                    meta.insert("id_runs", &(run + 1).to_be_bytes())?;
                    Ok(())
                })
                .map_err(storage_error)?;
            self.make_durable()
        })?;
        self.ids.write().forget_a_run();
        Ok(())
    }

    /// Where the event with an id is.
    pub(super) fn find_id(&self, id: &EventId) -> Result<Option<Position>, IndexError> {
        let hash = IdHash::of(id);
        let (runs, covered) = {
            let held = self.ids.read();
            if let Some(place) = held.places.get(id) {
                return Ok(Some(Position(held.covered() + *place as u64 + 1)));
            }
            let mut runs = Vec::new();
            for (run, filter) in (0u64..).zip(&held.filters) {
                let filter = match filter.get() {
                    Some(filter) => filter,
                    None => {
                        let read = self.read_filter(run)?;
                        filter.get_or_init(|| Arc::new(read))
                    }
                };
                if filter.may_hold(&hash) {
                    runs.push((run, Arc::clone(filter)));
                }
            }
            (runs, held.covered())
        };
        for (run, filter) in runs.iter().rev() {
            for block in filter.blocks_of(&hash) {
                for place in self.places(*run, block, &hash)? {
                    let position = Position(run * RUN_EVENTS as u64 + place + 1);
                    if position.0 <= covered && self.id_at(position)? == Some(*id) {
                        return Ok(Some(position));
                    }
                }
            }
        }
        Ok(None)
    }

    fn read_filter(&self, run: u64) -> Result<Filter, IndexError> {
        let parts: Vec<_> = (BLOCKS..BLOCKS + FILTER_PARTS)
            .map(|part| guarded(|| self.by_id.get(key(run, part))))
            .collect::<Result<Option<Vec<_>>, _>>()?
            .unwrap_or_default();
        Filter::read(&parts).ok_or_else(|| not_as_written(run))
    }

    fn places(&self, run: u64, block: usize, hash: &IdHash) -> Result<Vec<u64>, IndexError> {
        let value = guarded(|| self.by_id.get(key(run, block)))?;
        value.and_then(|value| id_run::places(&value, hash)).ok_or_else(|| not_as_written(run))
    }

    fn id_at(&self, position: Position) -> Result<Option<EventId>, IndexError> {
        let mut page = Page::new(ReadLimit { events: 1, bytes: 0 });
        self.read(position, &mut page)?;
        Ok(page.into_stored().pop().filter(|stored| stored.position == position).map(|stored| stored.id))
    }
}

fn not_as_written(run: u64) -> IndexError {
    let first = run * RUN_EVENTS as u64 + 1;
    IndexError::Damaged(format!("the ids from position {first} on are missing or altered"))
}
