//! The sections on what changed within the review's period, what looks wrong, and the events behind it all.

use super::{Field, Section, UnitNames};
use crate::language::Language;
use crate::model::Review;
use events::UnitId;

pub(super) fn target_changes(review: &Review, language: Language, names: &UnitNames<'_>) -> Section {
    let pick = |vi: &'static str, en: &'static str| language.pick(vi, en);
    let rows = review.target_changes.iter().map(|change| {
        let entry = review.targets.iter().find(|entry| entry.indicator == change.indicator);
        let indicator =
            entry.map_or_else(|| change.indicator.to_string(), |entry| language.name(&entry.name).to_owned());
        let owner = change
            .unit
            .as_ref()
            .map_or_else(|| Field::text(pick("Toàn tỉnh", "Province")), |unit| names.field(unit));
        vec![
            Field::Moment(change.effective.to_string()),
            Field::text(indicator),
            owner,
            Field::text(change.review.to_string()),
            change.before.map_or(Field::Empty, |before| Field::text(language.target_value(before))),
            Field::text(language.target_value(change.value)),
            Field::Vietnamese(change.instrument.clone()),
            Field::Code(change.position.to_string()),
        ]
    });
    Section {
        id: "target-changes",
        heading: pick("Thay đổi mục tiêu", "Changes of targets"),
        note: None,
        columns: vec![
            pick("Hiệu lực từ", "Effective"),
            pick("Chỉ tiêu", "Indicator"),
            pick("Áp dụng cho", "For"),
            pick("Mục tiêu năm", "Target of"),
            pick("Trước", "Before"),
            pick("Sau", "After"),
            pick("Văn bản", "Instrument"),
            pick("Vị trí", "Position"),
        ],
        rows: rows.collect(),
        empty: pick("Không có thay đổi mục tiêu.", "No target was changed."),
    }
}

pub(super) fn unit_changes(review: &Review, language: Language, names: &UnitNames<'_>) -> Section {
    let pick = |vi: &'static str, en: &'static str| language.pick(vi, en);
    let rows = review.unit_changes.iter().map(|entry| {
        let kind = entry.change.get("change").and_then(serde_json::Value::as_str).unwrap_or_default();
        let details = entry.change.iter().filter(|(name, _)| *name != "change");
        let details: Vec<String> =
            details.map(|(name, value)| detail(name, value, language, names)).collect();
        vec![
            Field::Moment(entry.effective.to_string()),
            names.field(&entry.unit),
            Field::text(language.change(kind)),
            Field::text(details.join("; ")),
            Field::Vietnamese(entry.instrument.clone()),
            Field::Code(entry.position.to_string()),
        ]
    });
    Section {
        id: "unit-changes",
        heading: pick("Thay đổi đơn vị", "Changes of units"),
        note: None,
        columns: vec![
            pick("Hiệu lực từ", "Effective"),
            pick("Đơn vị", "Unit"),
            pick("Thay đổi", "Change"),
            pick("Nội dung", "Details"),
            pick("Văn bản", "Instrument"),
            pick("Vị trí", "Position"),
        ],
        rows: rows.collect(),
        empty: pick("Không có thay đổi đơn vị.", "No unit was changed."),
    }
}

pub(super) fn findings(review: &Review, language: Language, names: &UnitNames<'_>) -> Section {
    let pick = |vi: &'static str, en: &'static str| language.pick(vi, en);
    let rows = review.findings.iter().map(|finding| {
        vec![
            Field::text(finding.period.to_string()),
            names.field(&finding.unit),
            Field::text(language.severity(finding.severity)),
            Field::text(language.name(&finding.sentence)),
            Field::Code(finding.rule.clone()),
        ]
    });
    Section {
        id: "findings",
        heading: pick("Điểm cần xem lại trong số liệu", "Findings on the quality of the data"),
        note: Some(pick("Không làm thay đổi kết quả đánh giá nào.", "None of them changes a verdict.")),
        columns: vec![
            pick("Kỳ", "Period"),
            pick("Đơn vị", "Unit"),
            pick("Mức độ", "Severity"),
            pick("Nội dung", "What was found"),
            pick("Quy tắc", "Rule"),
        ],
        rows: rows.collect(),
        empty: pick("Không có điểm nào.", "Nothing was found."),
    }
}

/// One detail of a unit's change, as people read it; one that has no words of its own as the event has it.
fn detail(name: &str, value: &serde_json::Value, language: Language, names: &UnitNames<'_>) -> String {
    let unit = |value: &serde_json::Value| {
        let id = value.as_str().and_then(|text| UnitId::parse(text).ok());
        id.map_or_else(|| value.to_string(), |id| names.name(&id))
    };
    match (name, value) {
        ("type", serde_json::Value::String(text)) => language.unit_type(text).to_owned(),
        ("into", serde_json::Value::Array(parts)) => {
            let units: Vec<String> =
                parts.iter().map(|part| unit(part.get("unit").unwrap_or(part))).collect();
            format!("→ {}", units.join(", "))
        }
        ("into", single) => format!("→ {}", unit(single)),
        ("name", serde_json::Value::Object(both)) => {
            both.get(language.tag()).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
        }
        ("share", serde_json::Value::Object(share)) => {
            let part = |name| share.get(name).map(ToString::to_string).unwrap_or_default();
            format!("{}/{}", part("numerator"), part("denominator"))
        }
        (_, serde_json::Value::String(text)) => text.clone(),
        (name, other) => format!("{name}: {other}"),
    }
}

pub(super) fn events(review: &Review, language: Language, names: &UnitNames<'_>) -> Section {
    let pick = |vi: &'static str, en: &'static str| language.pick(vi, en);
    let rows = review.events.iter().map(|event| {
        vec![
            Field::Code(event.position.to_string()),
            Field::text(language.event(&event.kind)),
            event.unit.as_ref().map_or(Field::Empty, |unit| names.field(unit)),
            Field::Code(event.id.to_string()),
            Field::Moment(event.recorded_at.clone()),
        ]
    });
    Section {
        id: "events",
        heading: pick("Các sự kiện làm căn cứ", "The events that it rests on"),
        note: None,
        columns: vec![
            pick("Vị trí", "Position"),
            pick("Loại", "Type"),
            pick("Đơn vị", "Unit"),
            pick("Mã sự kiện", "Id"),
            pick("Ghi nhận lúc", "Recorded"),
        ],
        rows: rows.collect(),
        empty: "",
    }
}
