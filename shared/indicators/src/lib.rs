//! The fold: from events to facts, and from facts at two times to cells, series and statuses.
//!
//! [`Facts`] is the plain left fold of the log: apply the events from position 1 on and you have it. A
//! [`View`] looks at the facts at a [`Moment`]: what was known at a cut of the log (known at), and of that
//! what holds at an effective time (as of). Everything a page or a program shows is a function of the two;
//! nothing here reads a clock or a disk. Numbers are whole or exact ratios; nothing is decided in floating
//! point.

mod alerts;
mod cell;
mod diff;
mod evaluate;
mod exact;
mod explanation;
mod facts;
mod lists;
mod moment;
mod outlook;
mod path;
mod quality;
mod report_state;
mod series;
mod source;
mod standing;
mod successors;
mod targets;
mod units;

pub use alerts::{Acknowledgement, Alert, AlertState, AlertsQuery};
pub use cell::{
    Baseline, Cell, Coverage, Degraded, Provisional, ReportProgress, ReportState, Status, TargetInForce,
    Value, Verdict,
};
pub use diff::{CellChange, Difference, ReportChange, UnitDifference, difference};
pub use evaluate::{Assessment, Distance, NotJudged, RateProgress, View, differences};
pub use exact::{Exact, hundredths_of, percent_of, shown};
pub use explanation::{
    Corner, Explanation, Fraction, Part, PathExplained, Percentage, PeriodExplained, RuleExplained,
    StateExplained, TargetExplained, VerdictExplained,
};
pub use facts::{
    AMENDMENTS_LIMIT, AcknowledgedFact, Adopted, AlertFact, AmendmentFact, Applied, ApplyError, BaselineFact,
    Batch, DeadlineFact, Facts, FoldError, Parked, Preparer, ProposalError, ProposedPlans, ResolvedFact,
    Revision, Revisions, SEGMENT_VERSION, SegmentError, SegmentHead, TargetFact, UnitChangeFact,
};
pub use lists::{BaselineListed, ChangeListed, TargetListed, UnitListed};
pub use moment::{Moment, MomentError, read_instant, read_moment};
pub use outlook::{Outlook, Projection};
pub use quality::{Evidence, FINDING_RULES, Finding, FindingRule, RuleBounds};
pub use series::{Series, SeriesPoint};
pub use source::Source;
pub use successors::{Predecessor, shares_exceed_the_whole};
pub use units::UnitNow;
