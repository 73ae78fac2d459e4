//! The events that every system gets: made-up reports, as events and as our log writes them.

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use clap::ValueEnum;
use events::wire::Written;
use events::{
    ActorId, Date, Document, Event, EventData, LineValue, MeasureId, Period, PlanAdopted, PlanId, Position,
    ReportLine, ReportSubmitted, Timestamp, UnitId,
};
use plan::{Level, MeasureKind, Plan};
use uuid::Uuid;

/// The plan whose units and measures the reports have.
const PLAN: &str = include_str!("../../../deploy/plans/binh-duong.toml");
const PLAN_NAME: &str = "binh-duong.toml";
/// When everything is recorded: the bytes are then the same in every process.
const RECORDED_MS: i64 = 1_732_000_000_000;
const DENOMINATOR: u64 = 200_000;
/// Long enough that a report of every rate is about 2 KB as an event.
const SOURCE: &str = "Báo cáo tổng hợp của Ủy ban nhân dân huyện, sổ theo dõi số liệu học tập suốt đời, phụ lục 2 kèm theo (made up)";
const RAW_BYTES: usize = 300;
/// How many events are kept ready made for appending.
const READY_EVENTS: u64 = 1_024;
/// Under what event type peers keep them.
pub(crate) const EVENT_TYPE: &str = "report-submitted";

/// How large each event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Size {
    /// The smallest valid report: one line, 524 bytes
    Small,
    /// 300 bytes for the peers; ours takes its smallest report, an event of 300 bytes does not exist
    #[value(name = "300")]
    Raw300,
    /// All rates of a district with their sources: about 2 KB
    Real,
}

impl Size {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Size::Small => "small",
            Size::Raw300 => "300",
            Size::Real => "real",
        }
    }

    /// A bound on the bytes of one event.
    pub(crate) fn bytes_bound(self) -> u64 {
        match self {
            Size::Small | Size::Raw300 => 640,
            Size::Real => 2_560,
        }
    }
}

/// Makes event number so-and-so; number 0 is the adoption of the plan.
pub(crate) struct Payloads {
    size: Size,
    plan: Plan,
    actor: ActorId,
    date: Date,
    period: Period,
    units: Vec<UnitId>,
    rates: Vec<MeasureId>,
    ready: Vec<Ready>,
}

struct Ready {
    event: Event,
    bytes: Bytes,
}

impl Payloads {
    /// Reads the plan. With `ready`, appended events repeat some that are made now; else each is made anew.
    pub(crate) fn new(size: Size, ready: bool) -> anyhow::Result<Payloads> {
        let plan = plan::file::read(PLAN_NAME, PLAN).map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            anyhow!("{}", lines.join("\n"))
        })?;
        let units: Vec<UnitId> = plan.districts().map(|unit| unit.id.clone()).collect();
        let rates: Vec<MeasureId> = plan
            .measures
            .iter()
            .filter(|measure| measure.level == Level::District && measure.kind == MeasureKind::Rate)
            .map(|measure| measure.id.clone())
            .collect();
        if units.is_empty() || rates.is_empty() {
            bail!("the plan `{}` has no rate that districts report", plan.id);
        }
        let actor = ActorId::parse("operator-bench").context("the actor is no slug")?;
        let date = "2024-11-19".parse().context("the date is none")?;
        let mut payloads =
            Payloads { size, plan, actor, date, period: Period(2024), units, rates, ready: Vec::new() };
        if ready {
            let made = (1..=READY_EVENTS).map(|number| {
                Ok(Ready { event: payloads.make_event(number), bytes: payloads.make_bytes(number)? })
            });
            payloads.ready = made.collect::<anyhow::Result<_>>()?;
        }
        Ok(payloads)
    }

    /// The plan that the events are of.
    pub(crate) fn plan(&self) -> &PlanId {
        &self.plan.id
    }

    /// When they are recorded.
    fn recorded_at() -> Timestamp {
        Timestamp::from_millisecond(RECORDED_MS).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// An event of ours, with an id of its own.
    pub(crate) fn event(&self, number: u64) -> Event {
        match self.ready(number) {
            Some(ready) => Event { id: id(number), ..ready.event.clone() },
            None => self.make_event(number),
        }
    }

    /// What peers get.
    pub(crate) fn bytes(&self, number: u64) -> anyhow::Result<Bytes> {
        match self.ready(number) {
            Some(ready) => Ok(ready.bytes.clone()),
            None => self.make_bytes(number),
        }
    }

    /// The unit of an event: the one tag that it needs.
    pub(crate) fn unit(&self, number: u64) -> &str {
        self.units[index(number, self.units.len())].as_str()
    }

    /// All units.
    pub(crate) fn units(&self) -> impl Iterator<Item = &str> {
        self.units.iter().map(UnitId::as_str)
    }

    fn ready(&self, number: u64) -> Option<&Ready> {
        if self.ready.is_empty() || number == 0 {
            return None;
        }
        Some(&self.ready[index(number, self.ready.len())])
    }

    fn make_bytes(&self, number: u64) -> anyhow::Result<Bytes> {
        if self.size == Size::Raw300 {
            return Ok(raw(number));
        }
        let mut written = Written::new(&self.make_event(number))?;
        written.stamp(Position(number + 1), Payloads::recorded_at());
        Ok(written.into_bytes().into())
    }

    fn make_event(&self, number: u64) -> Event {
        let data = if number == 0 { self.adoption() } else { self.report(number) };
        Event {
            id: id(number),
            plan: self.plan.id.clone(),
            effective: self.plan.calendar.start_of_day(self.date),
            actor: self.actor.clone(),
            traceparent: None,
            data,
        }
    }

    fn adoption(&self) -> EventData {
        let adopted = PlanAdopted { plan: self.plan.canonical(), digest: self.plan.digest(), sample: true };
        EventData::PlanAdopted(adopted)
    }

    fn report(&self, number: u64) -> EventData {
        let units = self.units.len() as u64;
        let numerator = 20_000 + number % 1_000;
        let line = |measure: &MeasureId| ReportLine {
            measure: measure.clone(),
            value: LineValue::Rate { numerator, denominator: DENOMINATOR },
            source: (self.size == Size::Real).then(|| SOURCE.to_owned()),
        };
        let lines = match self.size {
            Size::Small | Size::Raw300 => {
                vec![line(&self.rates[index(number / units, self.rates.len())])]
            }
            Size::Real => self.rates.iter().map(line).collect(),
        };
        EventData::ReportSubmitted(ReportSubmitted {
            unit: self.units[index(number, self.units.len())].clone(),
            period: self.period,
            revision: u32::try_from((number - 1) / units + 1).unwrap_or(u32::MAX),
            document: Document { number: format!("BENCH/{number}"), date: self.date },
            lines,
            history: None,
            request_digest: None,
        })
    }
}

/// Ids as clients draw them: ordered by time, then at random.
fn id(number: u64) -> Uuid {
    let milliseconds = RECORDED_MS.unsigned_abs() + number / 64;
    let random = u128::from(mixed(number)) << 16 | u128::from(number % (1 << 16));
    let bytes = random.to_be_bytes();
    let mut tail = [0; 10];
    tail.copy_from_slice(&bytes[6..]);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &tail).into_uuid()
}

/// 300 bytes of text that do not compress well and are the same in every process.
fn raw(number: u64) -> Bytes {
    let mut state = number;
    let mut text = Vec::with_capacity(RAW_BYTES);
    while text.len() < RAW_BYTES {
        state = mixed(state.wrapping_add(0x9E37_79B9_7F4A_7C15));
        text.extend(state.to_be_bytes().map(|byte| b' ' + byte % 64));
    }
    text.truncate(RAW_BYTES);
    text.into()
}

/// The finisher of SplitMix64: spreads numbers over all bits.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

fn index(number: u64, length: usize) -> usize {
    usize::try_from(number % length as u64).unwrap_or(0)
}

/// A word that keeps the compiler from leaving out what nobody looks at.
pub(crate) fn look(bytes: &[u8]) -> u64 {
    let ends = u64::from(bytes.first().copied().unwrap_or(0)) + u64::from(bytes.last().copied().unwrap_or(0));
    bytes.len() as u64 + ends
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicators::Facts;
    use std::collections::HashSet;

    #[test]
    fn what_is_made_can_be_folded() {
        for size in [Size::Small, Size::Real] {
            let payloads = Payloads::new(size, false).unwrap();
            let mut facts = Facts::new();
            for number in 0..100 {
                facts.apply_bytes(&payloads.bytes(number).unwrap()).unwrap();
            }
            assert_eq!(facts.head(), Position(100));
        }
    }

    #[test]
    fn sizes_are_what_they_are_called() {
        let bytes = |size| Payloads::new(size, true).unwrap().bytes(7).unwrap().len();
        assert_eq!(bytes(Size::Raw300), RAW_BYTES);
        assert!((480..=560).contains(&bytes(Size::Small)), "{}", bytes(Size::Small));
        assert!((1_900..=2_300).contains(&bytes(Size::Real)), "{}", bytes(Size::Real));
    }

    #[test]
    fn ids_are_their_own_also_where_events_are_ready_made() {
        let payloads = Payloads::new(Size::Small, true).unwrap();
        let ids: HashSet<Uuid> = (1..10_000).map(|number| payloads.event(number).id).collect();
        assert_eq!(ids.len(), 9_999);
    }
}
