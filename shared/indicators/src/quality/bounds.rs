//! The bounds of the rules, in one table, each with its reason.

use events::Severity;
use serde::Serialize;

/// A rule that finds what looks wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingRule {
    /// A denominator that changes too much from one year to the next.
    DenominatorJump,
    /// A rate that moves too far in a year.
    NumeratorOutlier,
    /// The same numerator and denominator two years running.
    IdenticalFigures,
    /// A level below the one reported before.
    RegressingLevel,
    /// Recognitions that exclude each other.
    RecognitionContradiction,
    /// A province's level that the districts' levels exclude by law.
    LevelContradiction,
    /// A province's recognition without one district recognised.
    ProvinceContradiction,
}

/// What a rule holds figures to, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RuleBounds {
    /// The rule.
    pub rule: FindingRule,
    /// How grave its findings are.
    pub severity: Severity,
    /// What is still right: percent of the earlier denominator, or percentage points a year; null where the rule has no measure.
    pub most: Option<u64>,
    /// Denominators below this are left alone; null where the rule has none.
    pub least_denominator: Option<u64>,
    /// Why, in English.
    pub reason: &'static str,
    /// Why, in Vietnamese.
    pub reason_vi: &'static str,
}

/// Under this a few persons or institutions more or less are large in percent and repeat by chance.
const SMALL: u64 = 100;

/// Every rule with its bounds.
pub const FINDING_RULES: [RuleBounds; 7] = [
    RuleBounds {
        rule: FindingRule::DenominatorJump,
        severity: Severity::Warning,
        most: Some(20),
        least_denominator: Some(SMALL),
        reason: "a population does not grow or shrink by more than a fifth in a year unless a border or the way of counting changed",
        reason_vi: "dân số một địa bàn không tăng giảm quá một phần năm trong một năm, trừ khi địa giới hoặc cách tính thay đổi",
    },
    RuleBounds {
        rule: FindingRule::NumeratorOutlier,
        severity: Severity::Warning,
        most: Some(20),
        least_denominator: Some(SMALL),
        reason: "the plan expects some 20 to 40 points in five to ten years; more than 20 in one year is rather a slip of the pen or another way of counting",
        reason_vi: "kế hoạch đặt ra khoảng 20 đến 40 điểm trong năm đến mười năm; quá 20 điểm trong một năm thường là nhầm lẫn hoặc cách tính khác",
    },
    RuleBounds {
        rule: FindingRule::IdenticalFigures,
        severity: Severity::Notice,
        most: None,
        least_denominator: Some(SMALL),
        reason: "two counts of a large group hardly ever agree to the last person: the old figures were probably copied",
        reason_vi: "hai lần đếm một nhóm lớn hầu như không bao giờ trùng nhau đến từng người: có thể số cũ đã được chép lại",
    },
    RuleBounds {
        rule: FindingRule::RegressingLevel,
        severity: Severity::Notice,
        most: None,
        least_denominator: None,
        reason: "a recognised level is rarely lost: the line or the loss deserves a look",
        reason_vi: "một mức độ đã được công nhận hiếm khi bị mất: cần xem lại số liệu hoặc nguyên nhân",
    },
    RuleBounds {
        rule: FindingRule::RecognitionContradiction,
        severity: Severity::Warning,
        most: None,
        least_denominator: None,
        reason: "a recognition holds for its months and is not undone by a report; and a later report does not name an earlier recognition than one already named",
        reason_vi: "một lần công nhận có giá trị trong thời hạn của nó và không mất đi vì một báo cáo; báo cáo sau không nêu lần công nhận cũ hơn lần đã nêu",
    },
    RuleBounds {
        rule: FindingRule::LevelContradiction,
        severity: Severity::Critical,
        most: None,
        least_denominator: None,
        reason: "Decree 20/2014/NĐ-CP, article 21: a province is at literacy level 2 only where every district is; one of the two statements is wrong",
        reason_vi: "Nghị định 20/2014/NĐ-CP, Điều 21: tỉnh đạt chuẩn xóa mù chữ mức độ 2 khi mọi huyện đều đạt mức độ 2; một trong hai số liệu sai",
    },
    RuleBounds {
        rule: FindingRule::ProvinceContradiction,
        severity: Severity::Warning,
        most: None,
        least_denominator: None,
        reason: "a province recognised as a learning province while not one of its districts is known as recognised: lines are missing or one is wrong",
        reason_vi: "tỉnh được công nhận tỉnh học tập trong khi chưa huyện nào được công nhận: thiếu số liệu hoặc có số liệu sai",
    },
];

impl FindingRule {
    /// The rule's row of the table.
    pub fn bounds(self) -> &'static RuleBounds {
        FINDING_RULES.iter().find(|bounds| bounds.rule == self).expect("every rule stands in the table")
    }

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            FindingRule::DenominatorJump => "denominator-jump",
            FindingRule::NumeratorOutlier => "numerator-outlier",
            FindingRule::IdenticalFigures => "identical-figures",
            FindingRule::RegressingLevel => "regressing-level",
            FindingRule::RecognitionContradiction => "recognition-contradiction",
            FindingRule::LevelContradiction => "level-contradiction",
            FindingRule::ProvinceContradiction => "province-contradiction",
        }
    }
}
