//! The endpoints: read the question, wait for the position, take the facts, answer.

use crate::answers::{self, PositionAnswer};
use crate::clock_check::ClockCheck;
use crate::interval::Interval;
use crate::question::Question;
use crate::review;
use crate::state::State;
use crate::times::Times;
use bus::{Endpoint, RequestContext, ServiceError};
use bytes::Bytes;
use event_log::{Log, ReadError};
use events::{Position, Refusal, RefusalKind, Timestamp};
use indicators::{Adopted, Facts, Moment};
use plan::Plan;
use serde::Serialize;
use service::{Health, Metrics, health_endpoint, metrics_endpoint};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// How long a question waits for the position that it asks for.
pub(crate) const AT_LEAST_PATIENCE: Duration = Duration::from_secs(2);
/// How many questions of one endpoint may be open at once; the bus lets the rest wait.
const QUESTIONS_AT_ONCE: usize = 256;
/// How many answers are worked out at once; the others wait for their turn.
const ANSWERS_AT_ONCE: usize = 4;

const NO_PLAN_YET: &str = "the plan has not arrived yet; try again";

/// What a list of figures at a moment may be asked with.
const LIST_PARAMETERS: [&str; 7] = ["unit", "indicator", "as_of", "known_at", "at_least", "limit", "cursor"];
/// What a list of units at a moment may be asked with.
const UNIT_LIST_PARAMETERS: [&str; 6] = ["unit", "as_of", "known_at", "at_least", "limit", "cursor"];
/// What a question about an interval may be asked with.
const DIFF_PARAMETERS: [&str; 8] =
    ["from", "to", "from_position", "to_position", "as_of", "unit", "indicator", "at_least"];

/// What came of a question.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Reply<T> {
    Ok(T),
    Refused(Refusal),
    Timeout(Late),
}

/// The position that was asked for is not folded yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Late {
    position: Position,
    asked: Position,
}

/// Answers questions.
#[derive(Clone)]
pub(crate) struct Answering {
    state: Arc<State>,
    log: Log,
    clock: ClockCheck,
    turns: Arc<Semaphore>,
}

/// Everything that an answer is worked out from.
struct Ground<'a> {
    facts: &'a Facts,
    adopted: &'a Adopted,
    state: &'a State,
    moment: Moment,
}

type Work<T> = fn(&Ground<'_>, &Question) -> Result<T, Refusal>;
/// What an answer still takes from the log once the facts are let go: the fold does not wait for the disk.
type Finish<T, U> = fn(T, &Log, &Plan) -> Result<U, ReadError>;

impl Answering {
    pub(crate) fn new(state: Arc<State>, log: Log, clock: ClockCheck) -> Answering {
        Answering { state, log, clock, turns: Arc::new(Semaphore::new(ANSWERS_AT_ONCE)) }
    }

    /// Every endpoint of the service.
    pub(crate) fn endpoints(&self, health: &Health, metrics: &Metrics) -> Vec<Endpoint> {
        vec![
            self.endpoint(
                "status",
                &["unit", "indicator", "as_of", "known_at", "at_least", "limit", "cursor"],
                |ground, question| {
                    answers::status(
                        ground.facts,
                        ground.adopted,
                        &ground.state.digests,
                        question,
                        ground.moment,
                    )
                },
            ),
            self.endpoint(
                "series",
                &["unit", "indicator", "as_of", "known_at", "at_least"],
                |ground, question| answers::series(ground.facts, ground.adopted, question, ground.moment),
            ),
            self.endpoint_with_log(
                "explain",
                &["unit", "indicator", "as_of", "known_at", "at_least"],
                |ground, question| answers::explain(ground.facts, ground.adopted, question, ground.moment),
                answers::with_sources,
            ),
            self.diff_endpoint(),
            self.endpoint("findings", &LIST_PARAMETERS, |ground, question| {
                answers::findings(ground.facts, ground.adopted, question, ground.moment)
            }),
            self.endpoint("units", &UNIT_LIST_PARAMETERS, |ground, question| {
                let Ground { facts, adopted, moment, .. } = ground;
                answers::list(facts, adopted, question, *moment, |view, unit, _| view.units_listed(unit))
            }),
            self.endpoint("targets", &LIST_PARAMETERS, |ground, question| {
                let Ground { facts, adopted, moment, .. } = ground;
                answers::list(facts, adopted, question, *moment, |view, unit, about| {
                    view.targets_listed(unit, about)
                })
            }),
            self.endpoint("baselines", &LIST_PARAMETERS, |ground, question| {
                let Ground { facts, adopted, moment, .. } = ground;
                answers::list(facts, adopted, question, *moment, |view, unit, about| {
                    view.baselines_listed(unit, about)
                })
            }),
            self.endpoint(
                "alerts",
                &["state", "unit", "known_at", "at_least", "limit", "cursor"],
                |ground, question| answers::alerts(ground.facts, ground.adopted, question, ground.moment),
            ),
            self.endpoint("matrix", &["as_of", "known_at", "at_least"], |ground, _| {
                Ok(answers::matrix(ground.facts, ground.adopted, ground.moment))
            }),
            self.endpoint("plan", &["as_of", "known_at", "at_least"], |ground, _| {
                Ok(crate::plan_answer::plan(ground.facts, ground.adopted, ground.moment))
            }),
            self.endpoint_with_log(
                "review",
                &["review", "as_of", "known_at", "position", "at_least"],
                |ground, question| {
                    review::draft(ground.facts, &ground.state.digests, question, ground.moment)
                },
                review::complete,
            ),
            self.endpoint("digest", &["position"], |ground, question| {
                Ok(answers::digest(ground.facts, &ground.state.digests, question))
            }),
            self.position_endpoint(),
            health_endpoint(health),
            metrics_endpoint(metrics),
        ]
    }

    fn endpoint<T: Serialize + Send + 'static>(
        &self,
        name: &'static str,
        parameters: &'static [&'static str],
        work: Work<T>,
    ) -> Endpoint {
        self.endpoint_with_log(name, parameters, work, |answer, _, _| Ok(answer))
    }

    fn endpoint_with_log<T: Send + 'static, U: Serialize + Send + 'static>(
        &self,
        name: &'static str,
        parameters: &'static [&'static str],
        work: Work<T>,
        finish: Finish<T, U>,
    ) -> Endpoint {
        self.endpoint_by(name, parameters, move |answering, question| {
            answering.work_out(question, work, finish)
        })
    }

    /// What changed between two moments.
    fn diff_endpoint(&self) -> Endpoint {
        self.endpoint_by("diff", &DIFF_PARAMETERS, Answering::work_out_diff)
    }

    fn endpoint_by(
        &self,
        name: &'static str,
        parameters: &'static [&'static str],
        answer: impl Fn(&Answering, &Question) -> Result<Bytes, ReadError> + Copy + Send + Sync + 'static,
    ) -> Endpoint {
        let answering = self.clone();
        Endpoint::new(name, QUESTIONS_AT_ONCE, move |context: RequestContext| {
            let answering = answering.clone();
            async move {
                let begun = Instant::now();
                let reply = answering.reply(&context.payload, parameters, answer).await?;
                metrics::histogram!("planwatch_question_seconds", "endpoint" => name)
                    .record(begun.elapsed().as_secs_f64());
                Ok(reply)
            }
        })
    }

    /// Tells how far the answers reach. It takes no parameters, waits for no turn and needs no plan.
    fn position_endpoint(&self) -> Endpoint {
        let state = Arc::clone(&self.state);
        Endpoint::new("position", QUESTIONS_AT_ONCE, move |context: RequestContext| {
            let reply = match Question::read(&context.payload, &[]) {
                Ok(_) => Reply::Ok(PositionAnswer { position: *state.visible().borrow() }),
                Err(refusal) => Reply::Refused(refusal),
            };
            async move { Ok(written(&reply)) }
        })
    }

    async fn reply(
        &self,
        payload: &Bytes,
        parameters: &[&str],
        answer: impl Fn(&Answering, &Question) -> Result<Bytes, ReadError> + Send + 'static,
    ) -> Result<Bytes, ServiceError> {
        let question = match Question::read(payload, parameters) {
            Ok(question) => question,
            Err(refusal) => return Ok(written(&Reply::<()>::Refused(refusal))),
        };
        // What is said of today is wrong by a clock that is; a day that is named, or a page of a list begun, is not.
        let is_of_today =
            parameters.contains(&"as_of") && question.as_of.is_none() && question.cursor.is_none();
        let is_of_today = is_of_today && question.to.is_none() && question.to_position.is_none();
        if let Some(doubt) = self.clock.doubt(Timestamp::now(), Instant::now()).filter(|_| is_of_today) {
            let why = format!(
                "it is not sure what day it is: {doubt}; ask again with `as_of`, or set the clock right"
            );
            return Ok(written(&Reply::<()>::Refused(Refusal::new(RefusalKind::Unavailable, why))));
        }
        let pinned = question.cursor.map_or(Position::START, |cursor| cursor.moment.cut);
        let positions = [question.position, question.from_position, question.to_position];
        let named = positions.into_iter().flatten().max().unwrap_or_default();
        let asked = question.at_least.max(named).max(pinned);
        if let Err(late) = self.wait_for(asked).await {
            return Ok(written(&Reply::<()>::Timeout(late)));
        }
        let turn = Arc::clone(&self.turns).acquire_owned().await.expect("the semaphore is never closed");
        let answering = self.clone();
        let worked = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            answer(&answering, &question)
        });
        match worked.await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(error)) => Err(ServiceError::new(503, error.to_string())),
            Err(error) => {
                tracing::error!("A question was not answered: {error}");
                Err(ServiceError::new(500, "the question was not answered; the service's log says why"))
            }
        }
    }

    async fn wait_for(&self, asked: Position) -> Result<(), Late> {
        let mut visible = self.state.visible();
        let reached = visible.wait_for(|position| *position >= asked);
        match tokio::time::timeout(AT_LEAST_PATIENCE, reached).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Late { position: *self.state.visible().borrow(), asked }),
        }
    }

    fn work_out<T, U: Serialize>(
        &self,
        question: &Question,
        work: Work<T>,
        finish: Finish<T, U>,
    ) -> Result<Bytes, ReadError> {
        let (adopted, recorded_at) = {
            let facts = self.state.facts();
            (facts.adopted().cloned(), facts.head_recorded_at())
        };
        let Some(adopted) = adopted else {
            let refusal = Refusal::new(RefusalKind::Unavailable, NO_PLAN_YET);
            return Ok(written(&Reply::<U>::Refused(refusal)));
        };
        let now = recorded_at.map_or(Timestamp::now(), |recorded_at| recorded_at.max(Timestamp::now()));
        let times = match Times::read(&adopted.plan.calendar, question, now) {
            Ok(times) => times,
            Err(refusal) => return Ok(written(&Reply::<U>::Refused(refusal))),
        };
        // The log is asked before the facts are taken: the fold does not wait for the disk.
        let cut = times.looked_up().map(|known_at| self.log.position_at(known_at)).transpose()?;
        let reply = {
            let facts = self.state.facts();
            let moment = question.cursor.map_or_else(|| times.moment(&facts, cut), |cursor| cursor.moment);
            let ground = Ground { facts: &facts, adopted: &adopted, state: &self.state, moment };
            work(&ground, question)
        };
        Ok(match reply {
            Ok(answer) => written(&Reply::Ok(finish(answer, &self.log, &adopted.plan)?)),
            Err(refusal) => written(&Reply::<U>::Refused(refusal)),
        })
    }

    fn work_out_diff(&self, question: &Question) -> Result<Bytes, ReadError> {
        let refused = |refusal| Ok(written(&Reply::<()>::Refused(refusal)));
        let (adopted, recorded_at, head) = {
            let facts = self.state.facts();
            (facts.adopted().cloned(), facts.head_recorded_at(), facts.head())
        };
        let Some(adopted) = adopted else {
            return refused(Refusal::new(RefusalKind::Unavailable, NO_PLAN_YET));
        };
        let now = recorded_at.map_or(Timestamp::now(), |recorded_at| recorded_at.max(Timestamp::now()));
        let interval = match Interval::read(&adopted.plan.calendar, question, now) {
            Ok(interval) => interval,
            Err(refusal) => return refused(refusal),
        };
        let moments = match interval.moments(&self.log, head)? {
            Ok(moments) => moments,
            Err(refusal) => return refused(refusal),
        };
        let answer = {
            let facts = self.state.facts();
            answers::diff(&facts, &adopted, question, moments)
        };
        match answer {
            Ok(answer) => {
                Ok(written(&Reply::Ok(answers::diff_with_sources(answer, &self.log, &adopted.plan)?)))
            }
            Err(refusal) => refused(refusal),
        }
    }
}

fn written(reply: &impl Serialize) -> Bytes {
    serde_json::to_vec(reply).expect("replies are plain data").into()
}
