//! The single facts of a segment, each as bytes.

use crate::facts::bytes::{Reader, Writer, date_number, date_of_number};
use crate::facts::{
    AcknowledgedFact, Adopted, AlertFact, AmendmentFact, BaselineFact, DeadlineFact, ResolvedFact,
    TargetFact, UnitChangeFact,
};
use events::{
    ActorId, BaselineValue, Document, IndicatorId, Mark, Percent, Period, Position, Resolution, Review, Rule,
    Severity, Summary, TargetValue, UnitChange, UnitId,
};
use plan::Plan;
use std::borrow::Cow;

pub(super) fn write_adoption(writer: &mut Writer, adopted: &Adopted) {
    let plan = serde_json::to_string(&adopted.plan.canonical()).expect("a plan is plain data");
    writer.text(&plan);
    writer.text(&adopted.digest);
    writer.byte(u8::from(adopted.sample));
    writer.id(adopted.event);
    writer.number(adopted.position.0);
}

pub(super) fn read_adoption(reader: &mut Reader<'_>) -> Option<Adopted> {
    let plan = serde_json::from_str(reader.text()?).ok()?;
    let plan = Plan::from_canonical(&plan).ok()?;
    let digest = reader.text()?.to_owned();
    let sample = match reader.byte()? {
        0 => false,
        1 => true,
        _ => return None,
    };
    Some(Adopted { plan, digest, sample, event: reader.id()?, position: Position(reader.number()?) })
}

/// A value by its place in a list, which is part of the form: lists only grow at their end.
fn write_of<T: PartialEq>(writer: &mut Writer, list: &[T], value: &T) {
    writer.count(list.iter().position(|listed| listed == value).expect("the list names every value"));
}

fn read_of<T: Copy>(reader: &mut Reader<'_>, list: &[T]) -> Option<T> {
    list.get(reader.small::<usize>()?).copied()
}

const MARKS: [Mark; 2] = [Mark::Attain, Mark::Maintain];
const RULES: [Rule; 6] =
    [Rule::Behind, Rule::AtRisk, Rule::Regressing, Rule::Missed, Rule::Overdue, Rule::DataQuality];
const SEVERITIES: [Severity; 3] = [Severity::Notice, Severity::Warning, Severity::Critical];
const RESOLUTIONS: [Resolution; 5] = [
    Resolution::Recovered,
    Resolution::TargetChanged,
    Resolution::Corrected,
    Resolution::Superseded,
    Resolution::UnitDissolved,
];

pub(super) fn write_target(writer: &mut Writer, fact: &TargetFact) {
    writer.signed(i64::from(fact.review.0));
    let (kind, number) = match fact.value {
        TargetValue::Percent(percent) => (b'p', u64::from(percent.hundredths())),
        TargetValue::Level(level) => (b'l', u64::from(level)),
        TargetValue::Attained(attained) => (b'a', u64::from(attained)),
        TargetValue::Withdrawn(withdrawn) => (b'w', u64::from(withdrawn)),
    };
    writer.byte(kind);
    writer.number(number);
    write_of(writer, &MARKS, &fact.mark);
    writer.instant(fact.effective);
    writer.text(&fact.instrument);
    writer.id(fact.event);
}

pub(super) fn read_target(reader: &mut Reader<'_>, position: Position) -> Option<TargetFact> {
    let review = Review(i16::try_from(reader.signed()?).ok()?);
    let (kind, number) = (reader.byte()?, reader.number()?);
    let flag = || (number <= 1).then_some(number == 1);
    let value = match kind {
        b'p' => TargetValue::Percent(Percent::parse(&format!("{}.{:02}", number / 100, number % 100)).ok()?),
        b'l' => TargetValue::Level(u8::try_from(number).ok()?),
        b'a' => TargetValue::Attained(flag()?),
        b'w' => TargetValue::Withdrawn(flag()?),
        _ => return None,
    };
    Some(TargetFact {
        review,
        value,
        mark: read_of(reader, &MARKS)?,
        effective: reader.instant()?,
        instrument: reader.text()?.to_owned(),
        event: reader.id()?,
        position,
    })
}

pub(super) fn write_unit_change(writer: &mut Writer, fact: &UnitChangeFact) {
    let (kind, text) = match &fact.change {
        UnitChange::Rename { name } => (b'n', Cow::from(name)),
        UnitChange::Retype { unit_type } => (b't', Cow::from(unit_type)),
        UnitChange::Recode { code } => (b'c', Cow::from(code)),
        UnitChange::Dissolve => (b'd', Cow::from("")),
        UnitChange::Establish { .. }
        | UnitChange::Merge { .. }
        | UnitChange::Split { .. }
        | UnitChange::Move { .. } => {
            (b'j', Cow::from(serde_json::to_string(&fact.change).expect("a change is plain data")))
        }
    };
    writer.byte(kind);
    writer.text(&text);
    writer.instant(fact.effective);
    writer.text(&fact.instrument);
    writer.id(fact.event);
}

pub(super) fn read_unit_change(reader: &mut Reader<'_>, position: Position) -> Option<UnitChangeFact> {
    let kind = reader.byte()?;
    let text = reader.text()?.to_owned();
    let change = match kind {
        b'n' => UnitChange::Rename { name: text },
        b't' => UnitChange::Retype { unit_type: text },
        b'c' => UnitChange::Recode { code: text },
        b'd' => UnitChange::Dissolve,
        b'j' => serde_json::from_str(&text).ok()?,
        _ => return None,
    };
    Some(UnitChangeFact {
        change,
        effective: reader.instant()?,
        instrument: reader.text()?.to_owned(),
        event: reader.id()?,
        position,
    })
}

pub(super) fn write_baseline(writer: &mut Writer, fact: &BaselineFact) {
    writer.signed(i64::from(fact.period.0));
    let figures = match fact.value {
        BaselineValue::Rate { numerator, denominator } => Some((numerator, denominator)),
        BaselineValue::Withdrawn { .. } => None,
    };
    writer.option(figures, |writer, (numerator, denominator)| {
        writer.number(numerator);
        writer.number(denominator);
    });
    writer.text(&fact.document.number);
    writer.signed(date_number(fact.document.date));
    writer.instant(fact.effective);
    writer.id(fact.event);
}

pub(super) fn read_baseline(reader: &mut Reader<'_>, position: Position) -> Option<BaselineFact> {
    Some(BaselineFact {
        period: Period(i16::try_from(reader.signed()?).ok()?),
        value: reader
            .option(|reader| {
                Some(BaselineValue::Rate { numerator: reader.number()?, denominator: reader.number()? })
            })?
            .unwrap_or(BaselineValue::WITHDRAWN),
        document: Document { number: reader.text()?.to_owned(), date: date_of_number(reader.signed()?)? },
        effective: reader.instant()?,
        event: reader.id()?,
        position,
    })
}

pub(super) fn write_amendment(writer: &mut Writer, fact: &AmendmentFact) {
    writer.text(&serde_json::to_string(&fact.changes).expect("changes are plain data"));
    writer.instant(fact.effective);
    writer.text(&fact.instrument);
    writer.id(fact.event);
}

pub(super) fn read_amendment(reader: &mut Reader<'_>, position: Position) -> Option<AmendmentFact> {
    Some(AmendmentFact {
        changes: serde_json::from_str(reader.text()?).ok()?,
        effective: reader.instant()?,
        instrument: reader.text()?.to_owned(),
        event: reader.id()?,
        position,
    })
}

pub(super) fn write_deadline(writer: &mut Writer, fact: &DeadlineFact) {
    writer.signed(date_number(fact.due_before));
    writer.instant(fact.effective);
    writer.text(&fact.instrument);
    writer.id(fact.event);
}

pub(super) fn read_deadline(reader: &mut Reader<'_>, position: Position) -> Option<DeadlineFact> {
    Some(DeadlineFact {
        due_before: date_of_number(reader.signed()?)?,
        effective: reader.instant()?,
        instrument: reader.text()?.to_owned(),
        event: reader.id()?,
        position,
    })
}

pub(super) fn write_raised(writer: &mut Writer, alert: &AlertFact) {
    writer.id(alert.id);
    write_of(writer, &RULES, &alert.rule);
    writer.text(alert.unit.as_str());
    writer.option(alert.indicator.as_ref(), |writer, indicator| writer.text(indicator.as_str()));
    writer.option(alert.period, |writer, period| writer.signed(i64::from(period.0)));
    writer.number(u64::from(alert.episode));
    write_of(writer, &SEVERITIES, &alert.severity);
    writer.ids(&alert.because);
    writer.text(&alert.summary.vi);
    writer.text(&alert.summary.en);
    writer.instant(alert.raised_at);
    writer.id(alert.event);
}

pub(super) fn read_raised(reader: &mut Reader<'_>, position: Position) -> Option<AlertFact> {
    Some(AlertFact {
        id: reader.id()?,
        rule: read_of(reader, &RULES)?,
        unit: UnitId::parse(reader.text()?).ok()?,
        indicator: reader.option(|reader| IndicatorId::parse(reader.text()?).ok())?,
        period: reader.option(|reader| i16::try_from(reader.signed()?).ok().map(Period))?,
        episode: reader.small()?,
        severity: read_of(reader, &SEVERITIES)?,
        because: reader.ids()?,
        summary: Summary { vi: reader.text()?.to_owned(), en: reader.text()?.to_owned() },
        raised_at: reader.instant()?,
        event: reader.id()?,
        position,
        acknowledgements: Vec::new(),
        resolved: None,
    })
}

pub(super) fn write_resolved(writer: &mut Writer, fact: &ResolvedFact) {
    write_of(writer, &RESOLUTIONS, &fact.resolution);
    writer.ids(&fact.because);
    writer.instant(fact.at);
    writer.id(fact.event);
}

pub(super) fn read_resolved(reader: &mut Reader<'_>, position: Position) -> Option<ResolvedFact> {
    Some(ResolvedFact {
        resolution: read_of(reader, &RESOLUTIONS)?,
        because: reader.ids()?,
        at: reader.instant()?,
        event: reader.id()?,
        position,
    })
}

pub(super) fn write_acknowledged(writer: &mut Writer, fact: &AcknowledgedFact) {
    writer.text(fact.by.as_str());
    writer.text(&fact.note);
    writer.option(fact.review_by, |writer, date| writer.signed(date_number(date)));
    writer.instant(fact.at);
    writer.id(fact.event);
}

pub(super) fn read_acknowledged(reader: &mut Reader<'_>, position: Position) -> Option<AcknowledgedFact> {
    Some(AcknowledgedFact {
        by: ActorId::parse(reader.text()?).ok()?,
        note: reader.text()?.to_owned(),
        review_by: reader.option(|reader| date_of_number(reader.signed()?))?,
        at: reader.instant()?,
        event: reader.id()?,
        position,
    })
}
