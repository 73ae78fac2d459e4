//! A request to change a unit, read field by field.

use super::fields::Fields;
use super::{COUNT_LIMIT, SUCCESSORS_LIMIT, TEXT_LIMIT_CHARS, TITLE_LIMIT_CHARS};
use crate::event::{Share, Successor, UnitChange, UnitName};
use crate::ids::UnitId;
use crate::refusal::FieldError;
use jiff::civil::Date;
use serde_json::Value;

/// A request to change a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeUnit {
    /// Which unit.
    pub unit: UnitId,
    /// What changes.
    pub change: UnitChange,
    /// From when it holds.
    pub effective: Date,
    /// The legal instrument.
    pub instrument: String,
    /// Why.
    pub reason: Option<String>,
    /// The revision this must become.
    pub revision: Option<u32>,
}

impl ChangeUnit {
    /// Reads a unit change; every wrong field is named.
    pub fn read(value: &Value) -> Result<ChangeUnit, Vec<FieldError>> {
        let mut fields = Fields::of(value, "")?;
        let unit = fields.id("unit", "unknown-unit", UnitId::parse);
        let kind = fields.text("change", TITLE_LIMIT_CHARS);
        let change = kind.as_deref().and_then(|kind| read_change(&mut fields, kind));
        let effective = fields.date("effective");
        let instrument = fields.text("instrument", TITLE_LIMIT_CHARS);
        let reason = fields.optional_text("reason", TEXT_LIMIT_CHARS);
        let revision = fields.optional_revision("revision");
        fields.finish(|| {
            Some(ChangeUnit {
                unit: unit?,
                change: change?,
                effective: effective?,
                instrument: instrument?,
                reason,
                revision,
            })
        })
    }
}

fn read_change(fields: &mut Fields<'_>, kind: &str) -> Option<UnitChange> {
    match kind {
        "establish" => {
            let name = read_part(fields, "name", "write {\"vi\": …, \"en\": …}", read_name);
            let unit_type = fields.text("type", TITLE_LIMIT_CHARS);
            let code = fields.text("code", TITLE_LIMIT_CHARS);
            let parent = fields.optional_id("parent", "unknown-unit", UnitId::parse);
            Some(UnitChange::Establish { name: name?, unit_type: unit_type?, code: code?, parent })
        }
        "rename" => fields.text("name", TITLE_LIMIT_CHARS).map(|name| UnitChange::Rename { name }),
        "retype" => fields.text("type", TITLE_LIMIT_CHARS).map(|unit_type| UnitChange::Retype { unit_type }),
        "recode" => fields.text("code", TITLE_LIMIT_CHARS).map(|code| UnitChange::Recode { code }),
        "merge" => {
            let into = fields.id("into", "unknown-unit", UnitId::parse);
            let share = read_optional_share(fields);
            Some(UnitChange::Merge { into: into?, share: share? })
        }
        "split" => {
            let remedy = "list the successors: [{\"unit\": …, \"share\": …}, …]";
            read_part(fields, "into", remedy, read_successors).map(|into| UnitChange::Split { into })
        }
        "move" => {
            fields.id("parent", "unknown-unit", UnitId::parse).map(|parent| UnitChange::Move { parent })
        }
        "dissolve" => Some(UnitChange::Dissolve),
        other => {
            fields.refuse(
                "change",
                "unknown-change",
                format!("`{other}` is no change of a unit"),
                "use `establish`, `rename`, `retype`, `recode`, `merge`, `split`, `move` or `dissolve`",
            );
            None
        }
    }
}

/// Reads a field that is an object or a list itself and must be there.
fn read_part<T>(
    fields: &mut Fields<'_>,
    field: &'static str,
    remedy: &str,
    read: impl Fn(&Value, &str) -> Result<T, Vec<FieldError>>,
) -> Option<T> {
    let Some(value) = fields.raw(field) else {
        fields.refuse(field, "missing", format!("`{field}` is missing"), remedy);
        return None;
    };
    let pointer = fields.pointer_of(field);
    match read(value, &pointer) {
        Ok(part) => Some(part),
        Err(errors) => {
            fields.refuse_all(errors);
            None
        }
    }
}

fn read_name(value: &Value, pointer: &str) -> Result<UnitName, Vec<FieldError>> {
    let mut fields = Fields::of(value, pointer)?;
    let vi = fields.text("vi", TITLE_LIMIT_CHARS);
    let en = fields.text("en", TITLE_LIMIT_CHARS);
    fields.finish(|| Some(UnitName { vi: vi?, en: en? }))
}

/// The share of a merger or of one successor: `Some(None)` where it is left out, none where it is wrong.
#[expect(clippy::option_option, reason = "left out and wrong are two things")]
fn read_optional_share(fields: &mut Fields<'_>) -> Option<Option<Share>> {
    if !fields.has("share") {
        return Some(None);
    }
    read_part(fields, "share", "write {\"numerator\": …, \"denominator\": …}", read_share).map(Some)
}

fn read_share(value: &Value, pointer: &str) -> Result<Share, Vec<FieldError>> {
    let mut fields = Fields::of(value, pointer)?;
    let mut part = |name: &'static str| {
        let there = fields.has(name);
        let whole = fields.optional_whole(name, COUNT_LIMIT);
        if !there {
            fields.refuse(name, "missing", format!("`{name}` is missing"), "give a whole number from 1 up");
        }
        if whole == Some(0) {
            let reason = format!("`{name}` is 0");
            fields.refuse(
                name,
                "zero-share",
                reason,
                "give a whole number from 1 up, or leave the share out",
            );
        }
        whole
    };
    let (numerator, denominator) = (part("numerator"), part("denominator"));
    if let (Some(numerator), Some(denominator)) = (numerator, denominator)
        && numerator > denominator
        && denominator > 0
    {
        fields.refuse(
            "",
            "share-over-one",
            format!("{numerator} of {denominator} is more than the whole"),
            "give the part of the unit's figures that goes there, at most all of them",
        );
    }
    fields.finish(|| Some(Share { numerator: numerator?, denominator: denominator? }))
}

fn read_successors(value: &Value, pointer: &str) -> Result<Vec<Successor>, Vec<FieldError>> {
    let refused = |code: &str, reason: String, remedy: &str| {
        Err(vec![FieldError::new(pointer, code, reason, remedy.to_owned())])
    };
    let Value::Array(listed) = value else {
        return refused(
            "wrong-type",
            "the successors of a split are a list".to_owned(),
            "list them: [{\"unit\": …, \"share\": …}, …]",
        );
    };
    if listed.len() < 2 {
        let reason = format!("a split needs two successors at least, {} is given", listed.len());
        return refused("too-few", reason, "list every successor; what goes into one unit is a `merge`");
    }
    if listed.len() > SUCCESSORS_LIMIT {
        let reason = format!("{} successors are given; the limit is {SUCCESSORS_LIMIT}", listed.len());
        return refused("too-many", reason, "check the list");
    }
    let mut errors = Vec::new();
    let mut successors: Vec<Successor> = Vec::new();
    for (index, value) in listed.iter().enumerate() {
        let pointer = format!("{pointer}/{index}");
        match read_successor(value, &pointer) {
            Ok(successor) if successors.iter().any(|other| other.unit == successor.unit) => {
                errors.push(FieldError::new(
                    format!("{pointer}/unit"),
                    "named-twice",
                    format!("`{}` is among the successors already", successor.unit),
                    "name each successor once, with its whole share",
                ));
            }
            Ok(successor) => successors.push(successor),
            Err(of_successor) => errors.extend(of_successor),
        }
    }
    if errors.is_empty() { Ok(successors) } else { Err(errors) }
}

fn read_successor(value: &Value, pointer: &str) -> Result<Successor, Vec<FieldError>> {
    let mut fields = Fields::of(value, pointer)?;
    let unit = fields.id("unit", "unknown-unit", UnitId::parse);
    let share = read_optional_share(&mut fields);
    fields.finish(|| Some(Successor { unit: unit?, share: share? }))
}
