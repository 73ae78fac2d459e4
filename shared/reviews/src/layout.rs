//! What stands where in a document, whatever it is written in: a heading, notes, and sections with one table each.

use crate::language::Language;
use crate::model::{CellEntry, Review, TargetEntry, Totals};
use events::UnitId;
use indicators::{Value, Verdict};
use std::collections::BTreeMap;

/// A document before it is written.
pub(crate) struct Layout {
    pub(crate) title: String,
    pub(crate) subtitle: String,
    /// What stands above everything where no figure is real.
    pub(crate) sample: Option<&'static str>,
    pub(crate) head: Vec<(&'static str, Field)>,
    pub(crate) notes: Vec<String>,
    pub(crate) sections: Vec<Section>,
    pub(crate) checkpoint_heading: &'static str,
    pub(crate) checkpoint_note: &'static str,
    pub(crate) checkpoint: Option<String>,
}

/// One table with its heading.
pub(crate) struct Section {
    /// A word for programs.
    pub(crate) id: &'static str,
    pub(crate) heading: &'static str,
    pub(crate) note: Option<&'static str>,
    pub(crate) columns: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<Field>>,
    pub(crate) empty: &'static str,
}

/// What stands in one place of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Field {
    Empty,
    Text(String),
    /// In Vietnamese, whatever the language of the document: numbers of instruments.
    Vietnamese(String),
    Count(u64),
    /// A decimal number with a point.
    Decimal(String),
    /// A percentage without its sign.
    Percent(String),
    /// A day or an instant, as programs write it.
    Moment(String),
    /// An id, a digest.
    Code(String),
    /// A verdict: the word, and which it is.
    Verdict(&'static str, &'static str),
}

impl Field {
    fn text(text: impl Into<String>) -> Field {
        Field::Text(text.into())
    }

    /// As people read it.
    pub(crate) fn shown(&self, language: Language) -> String {
        match self {
            Field::Empty => String::new(),
            Field::Text(text) | Field::Vietnamese(text) | Field::Code(text) => text.clone(),
            Field::Count(count) => language.count(*count),
            Field::Decimal(number) => language.decimal(number),
            Field::Percent(percent) => language.percent(percent),
            Field::Moment(moment) => language.moment(moment),
            Field::Verdict(word, _) => (*word).to_owned(),
        }
    }

    /// As programs read it.
    pub(crate) fn plain(&self) -> String {
        match self {
            Field::Empty => String::new(),
            Field::Count(count) => count.to_string(),
            Field::Text(text)
            | Field::Vietnamese(text)
            | Field::Code(text)
            | Field::Decimal(text)
            | Field::Percent(text)
            | Field::Moment(text) => text.clone(),
            Field::Verdict(word, _) => (*word).to_owned(),
        }
    }

    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Field::Count(_) | Field::Decimal(_) | Field::Percent(_))
    }
}

/// The names of units in one language.
struct UnitNames<'a> {
    by_id: BTreeMap<&'a UnitId, &'a str>,
}

impl<'a> UnitNames<'a> {
    fn of(review: &'a Review, language: Language) -> UnitNames<'a> {
        let names = review.units.iter().map(|unit| (&unit.id, language.name(&unit.name)));
        UnitNames { by_id: names.collect() }
    }

    fn name(&self, id: &UnitId) -> String {
        self.by_id.get(id).map_or_else(|| id.to_string(), |name| (*name).to_owned())
    }

    fn field(&self, id: &UnitId) -> Field {
        Field::text(self.name(id))
    }

    fn list(&self, ids: &[UnitId]) -> Field {
        let names: Vec<String> = ids.iter().map(|id| self.name(id)).collect();
        Field::text(names.join(", "))
    }
}

impl Layout {
    /// Lays a review out in a language.
    pub(crate) fn of(review: &Review, language: Language) -> Layout {
        let pick = |vi: &'static str, en: &'static str| language.pick(vi, en);
        let year = review.review.year;
        let names = UnitNames::of(review, language);
        Layout {
            title: format!("{} {year}", language.name(&review.review.name)),
            subtitle: language.name(&review.plan.name).to_owned(),
            sample: review.sample.then_some(pick(
                "DỮ LIỆU MẪU: các con số trong tài liệu này do chương trình tạo ra, không phải số liệu thật.",
                "SAMPLE DATA: the figures of this document are made up by a program; none of them is real.",
            )),
            head: head(review, language),
            notes: notes(review, language),
            sections: vec![
                summary(review, language),
                province_targets(review, language),
                units_met(review, language, &names),
                district_targets(review, language, &names),
                units(review, language),
                reporting(review, language),
                reports(review, language, &names),
                target_changes(review, language, &names),
                unit_changes(review, language, &names),
                findings(review, language, &names),
                events(review, language, &names),
            ],
            checkpoint_heading: pick("Điểm kiểm tra có chữ ký", "Signed checkpoint"),
            checkpoint_note: pick(
                "Chữ ký của nhật ký trên mọi sự kiện đến vị trí trên (C2SP tlog-checkpoint).",
                "The log's signature over every event up to the position above (C2SP tlog-checkpoint).",
            ),
            checkpoint: review.checkpoint.clone(),
        }
    }
}

fn head(review: &Review, language: Language) -> Vec<(&'static str, Field)> {
    let pick = |vi: &'static str, en: &'static str| language.pick(vi, en);
    let mut head = vec![
        (pick("Kế hoạch", "Plan"), Field::Vietnamese(review.plan.instrument.clone())),
        (pick("Cơ quan ban hành", "Issued by"), Field::text(language.name(&review.plan.issuer))),
        (pick("Căn cứ", "Paragraph"), Field::text(review.review.paragraph.clone())),
        (pick("Từ ngày", "Period from"), Field::Moment(review.review.from.to_string())),
        (pick("Đến ngày", "Period to"), Field::Moment(review.review.to.to_string())),
        (pick("Tính đến", "As of"), Field::Moment(review.as_of.clone())),
        (pick("Theo những gì đã ghi nhận đến", "Known at"), Field::Moment(review.known_at.clone())),
        (pick("Vị trí trong nhật ký", "Log position"), Field::Code(review.position.to_string())),
        (pick("Mã băm trạng thái (SHA-256)", "State digest (SHA-256)"), Field::Code(review.digest.clone())),
    ];
    if let Some(day) = review.review.units_as_of {
        let label = pick("Tỷ lệ đơn vị tính trên các đơn vị ngày", "Shares count the units of");
        head.insert(5, (label, Field::Moment(day.to_string())));
    }
    head
}

fn notes(review: &Review, language: Language) -> Vec<String> {
    let year = review.review.year;
    let mut notes = Vec::new();
    if !review.review.ended {
        notes.push(language.pick(
            format!(
                "Chưa đánh giá trước khi kết thúc năm {year}: số liệu dưới đây là số liệu đến thời điểm trên."
            ),
            format!("Not judged before the end of {year}: the values below are those that stand so far."),
        ));
    }
    notes.push(
        language
            .pick(
                "Tỷ lệ được làm tròn đến hai chữ số thập phân chỉ để hiển thị; việc so sánh dùng số nguyên. Báo cáo còn thiếu không bao giờ được tính là số không.",
                "Percentages are rounded to two places for showing only; whole numbers are compared. A missing report never counts as zero.",
            )
            .to_owned(),
    );
    if review.targets.iter().flat_map(cells).any(|cell| cell.target.restated == Some(false)) {
        notes.push(
            language
                .pick(
                    "Mục tiêu mà kế hoạch không nêu lại cho kỳ này được ghi kèm năm của nó và không được đánh giá.",
                    "A target that the plan does not restate for this review is shown with its own year and is not judged.",
                )
                .to_owned(),
        );
    }
    notes
}

fn cells(entry: &TargetEntry) -> impl Iterator<Item = &CellEntry> {
    entry.province.iter().chain(&entry.districts)
}

fn summary(review: &Review, language: Language) -> Section {
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

fn province_targets(review: &Review, language: Language) -> Section {
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

fn units_met(review: &Review, language: Language, names: &UnitNames<'_>) -> Section {
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

fn district_targets(review: &Review, language: Language, names: &UnitNames<'_>) -> Section {
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

fn units(review: &Review, language: Language) -> Section {
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

fn reporting(review: &Review, language: Language) -> Section {
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

fn reports(review: &Review, language: Language, names: &UnitNames<'_>) -> Section {
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

fn target_changes(review: &Review, language: Language, names: &UnitNames<'_>) -> Section {
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

fn unit_changes(review: &Review, language: Language, names: &UnitNames<'_>) -> Section {
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

fn findings(review: &Review, language: Language, names: &UnitNames<'_>) -> Section {
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

fn events(review: &Review, language: Language, names: &UnitNames<'_>) -> Section {
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
