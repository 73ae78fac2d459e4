//! What stands where in a document, whatever it is written in: a heading, notes, and sections with one table each.

mod changes;
mod reporting;
mod targets;

use crate::language::Language;
use crate::model::{CellEntry, Review, TargetEntry};
use events::UnitId;
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
                targets::summary(review, language),
                targets::province_targets(review, language),
                targets::units_met(review, language, &names),
                targets::district_targets(review, language, &names),
                reporting::units(review, language),
                reporting::reporting(review, language),
                reporting::reports(review, language, &names),
                changes::target_changes(review, language, &names),
                changes::unit_changes(review, language, &names),
                changes::findings(review, language, &names),
                changes::events(review, language, &names),
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
