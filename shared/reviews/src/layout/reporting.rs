//! The sections on the units and on what they reported when.

use super::{Field, Section, UnitNames};
use crate::language::Language;
use crate::model::Review;

pub(super) fn units(review: &Review, language: Language) -> Section {
    let pick = |vi: &'static str, en: &'static str| language.pick(vi, en);
    let rows = review.units.iter().map(|unit| {
        vec![
            Field::text(language.name(&unit.name)),
            Field::Code(unit.id.to_string()),
            Field::Code(unit.code.clone()),
            Field::text(language.unit_level(unit.level)),
            Field::text(language.unit_type(&unit.unit_type)),
            Field::text(language.yes_or_no(unit.in_force)),
        ]
    });
    Section {
        id: "units",
        heading: pick("Đơn vị", "Units"),
        note: None,
        columns: vec![
            pick("Đơn vị", "Unit"),
            pick("Mã định danh", "Id"),
            pick("Mã hành chính", "Code"),
            pick("Cấp", "Level"),
            pick("Loại", "Type"),
            pick("Còn hiệu lực", "In force"),
        ],
        rows: rows.collect(),
        empty: "",
    }
}

pub(super) fn reporting(review: &Review, language: Language) -> Section {
    let pick = |vi: &'static str, en: &'static str| language.pick(vi, en);
    let rows = review.reporting.iter().map(|period| {
        let counts =
            [period.owed, period.received, period.on_time, period.late, period.overdue, period.awaited];
        let year = Field::text(period.period.to_string());
        std::iter::once(year).chain(counts.map(Field::Count)).collect()
    });
    Section {
        id: "reporting",
        heading: pick("Tình hình báo cáo theo kỳ", "Reporting by period"),
        note: None,
        columns: vec![
            pick("Kỳ", "Period"),
            pick("Phải báo cáo", "Owed"),
            pick("Đã nhận", "Received"),
            pick("Đúng hạn", "In time"),
            pick("Trễ hạn", "Late"),
            pick("Quá hạn", "Overdue"),
            pick("Đang chờ", "Awaited"),
        ],
        rows: rows.collect(),
        empty: pick("Chưa có kỳ báo cáo nào.", "There is no period yet."),
    }
}

pub(super) fn reports(review: &Review, language: Language, names: &UnitNames<'_>) -> Section {
    let pick = |vi: &'static str, en: &'static str| language.pick(vi, en);
    let moment = |moment: &Option<String>| moment.clone().map_or(Field::Empty, Field::Moment);
    let rows = review.reports.iter().map(|report| {
        vec![
            Field::text(report.period.to_string()),
            names.field(&report.unit),
            Field::text(language.report(report.state, report.late, report.history)),
            moment(&report.due),
            moment(&report.received_at),
            Field::Count(report.revisions),
            Field::text(format!("{}/{}", report.measures, report.of)),
        ]
    });
    Section {
        id: "reports",
        heading: pick("Báo cáo của từng đơn vị", "The report of each unit"),
        note: Some(pick(
            "Đúng hạn theo lúc nhật ký ghi nhận; báo cáo nhập bổ sung theo ngày của văn bản.",
            "In time by when the log took it in; what was entered as history by its document's date.",
        )),
        columns: vec![
            pick("Kỳ", "Period"),
            pick("Đơn vị", "Unit"),
            pick("Tình trạng", "State"),
            pick("Hạn trước", "Due before"),
            pick("Ghi nhận lúc", "Recorded"),
            pick("Số lần", "Revisions"),
            pick("Số liệu có/phải có", "Measures"),
        ],
        rows: rows.collect(),
        empty: pick("Chưa có báo cáo nào.", "There is no report."),
    }
}
