//! Projection: follows the stream, folds it and answers questions about any date.
//!
//! A copy of the log follows the stream ([`service::FollowedLog`]). Two threads fold it: one reads pages and
//! decodes them, one applies them to the [`indicators::Facts`] and says how far it has got. A snapshot spares
//! a restart the fold from nothing; one that is not right is set aside, and the log is folded again.
//! Questions come as JSON over the bus and are answered from the facts at a moment: every answer names both
//! its times and its position, so that it can be repeated.
//!
//! The endpoints are `status`, `series`, `explain`, `diff`, `findings`, `units`, `targets`, `baselines`, `alerts`, `plan`
//! and `matrix` for people's questions, `digest` of the facts at
//! a position, `position` for how far they reach, and `health` and `metrics` as every service has them.
//!
//! A reply is `{"ok": …}`, `{"refused": Refusal}` or `{"timeout": {"position", "asked"}}`.

mod answers;
mod clock_check;
mod digests;
mod endpoints;
#[cfg(test)]
mod fixture;
mod fold;
mod interval;
mod page;
mod plan_answer;
mod question;
mod review;
mod running;
mod state;
mod times;

pub use answers::{
    AlertsAnswer, DiffAnswer, DiffEnd, DigestAnswer, ExplainAnswer, FindingsAnswer, ListAnswer, MatrixAnswer,
    PositionAnswer, SeriesAnswer, StatusAnswer,
};
pub use plan_answer::{AdoptedPlan, Amendment, Deadline, PlanAnswer};
pub use running::{Config, Running, StartError, start};
