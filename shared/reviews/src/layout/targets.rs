//! The sections on what came of each target.

use super::{Field, Section, UnitNames};
use crate::language::Language;
use crate::model::{CellEntry, Review, Totals};
use events::UnitId;
use indicators::{Value, Verdict};

pub(super) fn summary(review: &Review, language: Language) -> Section {
    let pick = |vi: &'static str, en: &'static str| language.pick(vi, en);
    let row = |name: &'static str, totals: &Totals| {
        let counts =
            [totals.targets, totals.met, totals.not_met, totals.no_data, totals.not_judged].map(Field::Count);
        std::iter::once(Field::text(name)).chain(counts).collect()
    };
    Section {
        id: "summary",
        heading: pick("Tổng hợp", "Summary"),
        note: None,
        columns: vec![
            pick("Cấp", "Level"),
            pick("Số mục tiêu", "Targets"),
            pick("Đạt", "Met"),
            pick("Không đạt", "Not met"),
            pick("Không có số liệu", "No data"),
            pick("Chưa hoặc không đánh giá", "Not judged"),
        ],
        rows: vec![
            row(pick("Toàn tỉnh", "Province"), &review.totals),
            row(pick("Các đơn vị cấp huyện", "Districts"), &review.district_totals),
        ],
        empty: "",
    }
}

/// The columns that a cell fills, whichever table it stands in.
fn cell_columns(language: Language) -> Vec<&'static str> {
    let pick = |vi: &'static str, en: &'static str| language.pick(vi, en);
    vec![
        pick("Mục tiêu", "Target"),
        pick("Kỳ", "Period"),
        pick("Kết quả", "Value"),
        pick("Số đạt", "Count"),
        pick("Tổng số", "Of"),
        pick("Đánh giá", "Verdict"),
        pick("Còn thiếu (điểm %)", "Short by (points)"),
        pick("Cần thêm", "Needed"),
    ]
}

fn cell_fields(cell: &CellEntry, language: Language) -> Vec<Field> {
    let (value, count, of) = match &cell.value {
        None => (Field::text("–"), Field::Empty, Field::Empty),
        Some(Value::Rate { numerator, denominator, percent }) => {
            (Field::Percent(percent.clone()), Field::Count(*numerator), Field::Count(*denominator))
        }
        Some(Value::Share { count, of, percent, .. }) => {
            (Field::Percent(percent.clone()), Field::Count((*count).into()), Field::Count((*of).into()))
        }
        Some(Value::Level { level }) => (Field::text(language.level(*level)), Field::Empty, Field::Empty),
        Some(Value::Attained { lapsed: true, .. }) => {
            let text = language.pick("Không (công nhận đã hết hạn)", "No (recognition lapsed)");
            (Field::text(text), Field::Empty, Field::Empty)
        }
        Some(Value::Attained { attained, .. }) => {
            (Field::text(language.yes_or_no(*attained)), Field::Empty, Field::Empty)
        }
    };
    let (short, needed) = match &cell.distance {
        None => (Field::Empty, Field::Empty),
        Some(distance) => {
            let levels = distance.levels.map(|levels| match levels {
                0 => Field::Count(0),
                levels => Field::text(format!("{levels} {}", language.pick("mức độ", "levels"))),
            });
            (
                distance.points.clone().map_or(Field::Empty, Field::Decimal),
                distance.needed.map(Field::Count).or(levels).unwrap_or(Field::Empty),
            )
        }
    };
    let class = match cell.verdict {
        Some(Verdict::Met) => "met",
        Some(Verdict::NotMet) => "not-met",
        Some(Verdict::NoData) => "no-data",
        None => "not-judged",
    };
    vec![
        Field::text(language.target(&cell.target)),
        cell.period.map_or(Field::Empty, |period| Field::text(period.to_string())),
        value,
        count,
        of,
        Field::Verdict(language.verdict(cell.verdict, cell.not_judged), class),
        short,
        needed,
    ]
}

pub(super) fn province_targets(review: &Review, language: Language) -> Section {
    let pick = |vi: &'static str, en: &'static str| language.pick(vi, en);
    let mut columns = vec![pick("Chỉ tiêu", "Indicator"), pick("Căn cứ", "Paragraph")];
    columns.extend(cell_columns(language));
    columns.push(pick("Văn bản", "Instrument"));
    let rows = review.targets.iter().filter_map(|entry| {
        let cell = entry.province.as_ref()?;
        let mut row = vec![Field::text(language.name(&entry.name)), Field::text(entry.paragraph.clone())];
        row.extend(cell_fields(cell, language));
        row.push(Field::Vietnamese(cell.target.instrument.clone()));
        Some(row)
    });
    Section {
        id: "province-targets",
        heading: pick("Mục tiêu của tỉnh", "The province's targets"),
        note: None,
        columns,
        rows: rows.collect(),
        empty: pick("Không có mục tiêu nào.", "There is no target."),
    }
}

pub(super) fn units_met(review: &Review, language: Language, names: &UnitNames<'_>) -> Section {
    let pick = |vi: &'static str, en: &'static str| language.pick(vi, en);
    let rows = review.targets.iter().filter(|entry| !entry.districts.is_empty()).map(|entry| {
        let not_judged: Vec<UnitId> = entry
            .districts
            .iter()
            .filter(|cell| cell.verdict.is_none())
            .map(|cell| cell.unit.clone())
            .collect();
        vec![
            Field::text(language.name(&entry.name)),
            Field::text(format!("{}/{}", entry.met.len(), entry.districts.len())),
            names.list(&entry.met),
            names.list(&entry.not_met),
            names.list(&entry.no_data),
            names.list(&not_judged),
        ]
    });
    Section {
        id: "units-met",
        heading: pick("Đơn vị đạt và không đạt", "Units that met it and units that did not"),
        note: Some(pick(
            "Chỉ gồm những chỉ tiêu mà mục tiêu áp dụng cho từng đơn vị.",
            "Only indicators whose target binds each unit.",
        )),
        columns: vec![
            pick("Chỉ tiêu", "Indicator"),
            pick("Đạt/tổng số", "Met/all"),
            pick("Đạt", "Met"),
            pick("Không đạt", "Not met"),
            pick("Không có số liệu", "No data"),
            pick("Chưa hoặc không đánh giá", "Not judged"),
        ],
        rows: rows.collect(),
        empty: pick("Không có mục tiêu nào áp dụng cho từng đơn vị.", "No target binds single units."),
    }
}

pub(super) fn district_targets(review: &Review, language: Language, names: &UnitNames<'_>) -> Section {
    let pick = |vi: &'static str, en: &'static str| language.pick(vi, en);
    let mut columns = vec![pick("Chỉ tiêu", "Indicator"), pick("Đơn vị", "Unit")];
    columns.extend(cell_columns(language));
    columns.push(pick("Văn bản", "Instrument"));
    let rows = review.targets.iter().flat_map(|entry| {
        entry.districts.iter().map(|cell| {
            let mut row = vec![Field::text(language.name(&entry.name)), names.field(&cell.unit)];
            row.extend(cell_fields(cell, language));
            row.push(Field::Vietnamese(cell.target.instrument.clone()));
            row
        })
    });
    Section {
        id: "district-targets",
        heading: pick("Mục tiêu của từng đơn vị", "The targets of each unit"),
        note: None,
        columns,
        rows: rows.collect(),
        empty: pick("Không có mục tiêu nào áp dụng cho từng đơn vị.", "No target binds single units."),
    }
}
