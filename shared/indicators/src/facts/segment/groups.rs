//! The names of the groups that are digested by themselves, as bytes.

use crate::facts::bytes::{Reader, Writer};
use crate::facts::digest::Group;
use events::{IndicatorId, Period, UnitId};

pub(super) fn write_group(writer: &mut Writer, group: &Group) {
    match group {
        Group::Plan => writer.byte(b'p'),
        Group::Targets(indicator, unit) => {
            writer.byte(b't');
            writer.text(indicator.as_str());
            writer.option(unit.as_ref(), |writer, unit| writer.text(unit.as_str()));
        }
        Group::Unit(unit) => {
            writer.byte(b'u');
            writer.text(unit.as_str());
        }
        Group::Alerts(unit) => {
            writer.byte(b'a');
            writer.text(unit.as_str());
        }
        Group::Baselines(unit, indicator) => {
            writer.byte(b'b');
            writer.text(unit.as_str());
            writer.text(indicator.as_str());
        }
        Group::Amendments => writer.byte(b'm'),
        Group::Deadlines(period, unit) => {
            writer.byte(b'd');
            writer.signed(i64::from(period.0));
            writer.option(unit.as_ref(), |writer, unit| writer.text(unit.as_str()));
        }
    }
}

pub(super) fn read_group(reader: &mut Reader<'_>) -> Option<Group> {
    let unit = |reader: &mut Reader<'_>| UnitId::parse(reader.text()?).ok();
    Some(match reader.byte()? {
        b'p' => Group::Plan,
        b't' => {
            let indicator = IndicatorId::parse(reader.text()?).ok()?;
            Group::Targets(indicator, reader.option(unit)?)
        }
        b'u' => Group::Unit(unit(reader)?),
        b'a' => Group::Alerts(unit(reader)?),
        b'b' => Group::Baselines(unit(reader)?, IndicatorId::parse(reader.text()?).ok()?),
        b'm' => Group::Amendments,
        b'd' => {
            let period = Period(i16::try_from(reader.signed()?).ok()?);
            Group::Deadlines(period, reader.option(unit)?)
        }
        _ => return None,
    })
}
