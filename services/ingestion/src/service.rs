//! The service: the log open for writing, the mirror to the stream, and the endpoints on the bus.

use crate::admission::{ParsedRequest, acceptance};
use crate::adoption::{AdoptError, adopt_or_compare};
use crate::compared::Compared;
use crate::evidence_endpoints::{self, Signing};
use crate::kept::{Contradiction, Kept, KeptError};
use crate::keys::{Keys, KeysError};
use crate::notary::Notary;
use crate::stream_copy::StreamCopy;
use crate::writer::{Submission, Writing, arrange};
use bus::{
    Bus, BusConfig, ConnectError, Endpoint, ForkReason, Mirror, MirrorHandle, MirrorState, ServeError,
    ServiceError, ServiceHandle, StreamError,
};
use bytes::Bytes;
use event_log::{
    CommitLimits, Committer, CommitterThread, EvidenceError, Log, OpenError, Opened, Options, Outcome,
    SystemClock, WriteState,
};
use events::command::{Answer, Operation, Request};
use events::{EventId, FieldError, PlanId, Position, Refusal, RefusalKind, Timestamp};
use plan::{Calendar, Plan};
use serde::{Deserialize, Serialize};
use serde_json::json;
use service::{Check, Health, JournalSource, Metrics, health_endpoint, metrics_endpoint};
use snapshots::Snapshots;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use thiserror::Error;
use tokio::task::JoinHandle;

/// How many requests are worked on at once; the bus lets the rest wait.
const REQUESTS_AT_ONCE: usize = 512;
/// How many look-ups of single events are worked on at once.
const LOOKUPS_AT_ONCE: usize = 16;
/// Up to so many receipts of one request are made on the thread that answers it.
const RECEIPTS_AT_HAND: usize = 4;
/// Why nothing is admitted at first.
const NOT_COMPARED: &str = "the log has not been compared with the stream since the start";

/// What ingestion needs to start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The plan whose log this is.
    pub plan: PlanId,
    /// The plan file that is adopted into an empty log, and compared with the log otherwise. May be left out
    /// once the plan is adopted.
    #[serde(default)]
    pub plan_file: Option<PathBuf>,
    /// The directory of the log.
    pub data: PathBuf,
    /// The directory of the log's signing keys, outside of `data` so that copies of the log do not hold them.
    /// Without it nothing is signed and no answer has a receipt.
    #[serde(default)]
    pub keys: Option<PathBuf>,
    /// How many copies of the stream the servers keep; 1 unless there are three servers.
    #[serde(default = "one")]
    pub replicas: usize,
    /// How the bus is reached.
    pub bus: BusConfig,
}

fn one() -> usize {
    1
}

/// Why ingestion did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The log did not open.
    #[error("cannot open the log")]
    Open(#[from] OpenError),
    /// The plan file is wrong, or another plan than the log's.
    #[error(transparent)]
    Adopt(#[from] AdoptError),
    /// The log cannot be folded.
    #[error("cannot fold the log")]
    Fold(#[from] snapshots::FoldError),
    /// The keys cannot be used.
    #[error("cannot sign for the log")]
    Keys(#[from] KeysError),
    /// The last signed checkpoint cannot be read.
    #[error(transparent)]
    Kept(#[from] KeptError),
    /// The tree of the log cannot be read.
    #[error("cannot compare the log with its last signed checkpoint")]
    Evidence(#[from] EvidenceError),
    /// Nothing is left of the log that was signed.
    #[error(transparent)]
    Contradiction(Contradiction),
    /// The writer's thread did not start.
    #[error("cannot start the writer's thread")]
    Thread(#[source] std::io::Error),
    /// The bus is not reachable.
    #[error("cannot reach the bus")]
    Connect(#[from] ConnectError),
    /// The stream does not say what it holds, and the log's end may be there alone.
    #[error("cannot ask the stream what it holds")]
    Stream(#[from] StreamError),
    /// The endpoints cannot be offered.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// Opening was cut short.
    #[error("opening the log was cut short")]
    Cut(#[from] tokio::task::JoinError),
}

/// Ingestion, running.
pub struct Running {
    served: ServiceHandle,
    /// None where the log is not the one that was signed.
    mirror: Option<MirrorHandle>,
    writer: CommitterThread<Writing>,
    tasks: Vec<JoinHandle<()>>,
    signing: Signing,
}

struct Shared {
    committer: Committer<Writing>,
    log: Log,
    calendar: Calendar,
    mirror: tokio::sync::watch::Receiver<MirrorState>,
    compared: Compared,
    signing: Signing,
}

/// Opens the log, adopts the plan where the log is empty, and offers the endpoints.
pub async fn start(config: Config, metrics: Metrics) -> Result<Running, StartError> {
    let keys = match &config.keys {
        Some(directory) => Some((directory.clone(), Keys::read(directory)?)),
        None => None,
    };
    let kept = Kept::read(&config.data, config.keys.as_deref())?;
    let bus = Bus::connect(&config.bus).await?;
    let (plan, replicas) = (config.plan.clone(), config.replicas);
    let stream = Arc::new(StreamCopy::ask(&bus, &plan, kept.size()).await?);
    let opening =
        tokio::task::spawn_blocking(move || open(&config, stream, &kept).map(|opened| (opened, kept)));
    let (Started { log, writer, calendar, contradiction }, kept) = opening.await??;
    let health = Health::new("ingestion");
    let source = Arc::new(JournalSource::new(log.clone()));
    let compared = Compared::default();
    let signing = match (contradiction, keys) {
        (Some(contradiction), _) => Signing::Contradicted(Arc::new(contradiction)),
        (None, None) => Signing::Nobody,
        (None, Some((directory, keys))) => {
            Signing::By(Arc::new(Notary::new(log.clone(), directory, keys, kept, compared.clone())))
        }
    };
    // What contradicts a signed checkpoint is not spread either.
    let mirror = match &signing {
        Signing::Contradicted(_) => None,
        Signing::By(_) | Signing::Nobody => Some(Mirror::start(&bus, &plan, source.clone(), replicas)),
    };
    let mirror_state = match &mirror {
        Some(mirror) => mirror.state(),
        None => tokio::sync::watch::channel(MirrorState::Connecting).1,
    };
    let shared = Arc::new(Shared {
        committer: writer.0,
        log: log.clone(),
        calendar,
        mirror: mirror_state.clone(),
        compared: compared.clone(),
        signing: signing.clone(),
    });
    let submit = Arc::clone(&shared);
    let lookup = Arc::clone(&shared);
    let mut endpoints = vec![
        Endpoint::new("submit", REQUESTS_AT_ONCE, move |context| {
            let shared = Arc::clone(&submit);
            async move { shared.submit(&context.payload).await }
        }),
        Endpoint::new("log.event", LOOKUPS_AT_ONCE, move |context| {
            let shared = Arc::clone(&lookup);
            async move { shared.event(&context.payload).await }
        }),
        clock_endpoint(log.clone()),
        bus::log_read_endpoint(source),
        health_endpoint(&health),
        metrics_endpoint(&metrics),
    ];
    endpoints.extend(evidence_endpoints::endpoints(&log, &signing));
    let evidence_check = health.check("evidence");
    let mut tasks = vec![tokio::spawn(watch(health, log, mirror_state.clone(), compared))];
    tasks.extend(sign(&signing, &bus, &plan, mirror_state, evidence_check));
    let served = bus.serve(&plan, "ingestion", env!("CARGO_PKG_VERSION"), endpoints).await?;
    Ok(Running { served, mirror, writer: writer.1, tasks, signing })
}

/// Lets the notary sign from now on; says in health who does not.
fn sign(
    signing: &Signing,
    bus: &Bus,
    plan: &PlanId,
    mirror: tokio::sync::watch::Receiver<MirrorState>,
    check: Check,
) -> Option<JoinHandle<()>> {
    match signing {
        Signing::By(notary) => {
            let run = Arc::clone(notary).run(bus.clone(), plan.clone(), mirror, check);
            return Some(tokio::spawn(run));
        }
        Signing::Nobody => check.degraded("nothing is signed: no keys are configured"),
        Signing::Contradicted(contradiction) => {
            tracing::error!("{contradiction}");
            check.down(contradiction.to_string());
        }
    }
    None
}

/// Tells what the clock says here, and why the log does not go by it, if so.
fn clock_endpoint(log: Log) -> Endpoint {
    Endpoint::new("clock", LOOKUPS_AT_ONCE, move |_| {
        let refused = match log.faults() {
            WriteState::ClockStopped(leap) => Some(leap.to_string()),
            WriteState::Writing | WriteState::NoSpace | WriteState::Stopped { .. } => None,
        };
        let answer = reply(&json!({"ok": {"clock": Timestamp::now(), "refused": refused}}));
        async move { Ok(answer) }
    })
}

/// A log that was opened.
struct Started {
    log: Log,
    writer: (Committer<Writing>, CommitterThread<Writing>),
    calendar: Calendar,
    /// In what it is not the log that was signed; then it is only there to be read.
    contradiction: Option<Contradiction>,
}

fn open(config: &Config, stream: Arc<StreamCopy>, kept: &Kept) -> Result<Started, StartError> {
    let options = Options { other_copy: Some(stream), ..Options::default() };
    let snapshots = config.data.join("snapshots");
    let ahead = std::thread::spawn({
        let snapshots = snapshots.clone();
        move || Snapshots::load_ahead(&snapshots)
    });
    let Opened { log, mut writer, .. } = event_log::open(&config.data, &config.plan, options)?;
    let contradiction = kept.contradiction(&log)?;
    match contradiction {
        // There is nothing to read either.
        Some(contradiction) if log.head() == Position::START => {
            return Err(StartError::Contradiction(contradiction));
        }
        Some(_) => {}
        None => adopt_or_compare(&log, &mut writer, &config.plan, config.plan_file.as_deref())?,
    }
    let ahead = ahead.join().expect("loading facts does not panic");
    let writing = Writing::fold(log.clone(), snapshots, ahead)?;
    let adopted: &Plan =
        &writing.facts().adopted().expect("a log that is not empty begins with its plan").plan;
    let calendar = adopted.calendar.clone();
    let clock = Arc::new(SystemClock);
    let writer = Committer::start(writer, log.clone(), writing, clock, CommitLimits::default())
        .map_err(StartError::Thread)?;
    Ok(Started { log, writer, calendar, contradiction })
}

impl service::Running for Running {
    /// Closes the door, finishes what was taken in, and lets the mirror catch up within the grace.
    async fn stop(self, grace: Duration) {
        let deadline = Instant::now() + grace;
        self.served.stop(grace / 2).await;
        let (writer, signing) = (self.writer, self.signing);
        let stopped = tokio::task::spawn_blocking(move || {
            let stopped = writer.stop();
            // What is put aside from here on has a checkpoint of all that it holds.
            if let Signing::By(notary) = &signing
                && let Err(error) = notary.sign_again()
            {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "Did not sign what the log is at its end"
                );
            }
            stopped
        });
        let stopped = stopped.await;
        if let Some(mirror) = self.mirror {
            mirror.stop(deadline.saturating_duration_since(Instant::now())).await;
        }
        self.tasks.iter().for_each(JoinHandle::abort);
        drop(stopped);
    }
}

/// Says in health whether the log takes events and whether the stream follows.
async fn watch(
    health: Health,
    log: Log,
    mut mirror: tokio::sync::watch::Receiver<MirrorState>,
    compared: Compared,
) {
    let (log_check, mirror_check) = (health.check("log"), health.check("mirror"));
    let mut tick = tokio::time::interval(Duration::from_millis(500));
    loop {
        match log.faults() {
            WriteState::Writing => log_check.ok(),
            other @ (WriteState::NoSpace | WriteState::Stopped { .. } | WriteState::ClockStopped(_)) => {
                log_check.down(other.to_string());
            }
        }
        let state = mirror.borrow_and_update().clone();
        let agreed = compared.saw(&state);
        match state {
            MirrorState::Following { .. } => mirror_check.ok(),
            MirrorState::Fork { position, why } => mirror_check.down(fork(position, &why)),
            MirrorState::Connecting if !agreed => mirror_check.down(NOT_COMPARED),
            MirrorState::Waiting { why } if !agreed => mirror_check.down(format!("{NOT_COMPARED}: {why}")),
            // What is recorded is durable; it reaches the stream when the stream is there again.
            MirrorState::Connecting => mirror_check.degraded("it is reaching for the stream"),
            MirrorState::Waiting { why } => mirror_check.degraded(why.to_string()),
        }
        tokio::select! {
            _ = tick.tick() => {}
            // One that was never started tells nothing any more; the log goes on doing so.
            Ok(()) = mirror.changed() => {}
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EventQuery {
    id: String,
}

fn reply(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).expect("answers are plain data").into()
}

impl Shared {
    async fn submit(&self, payload: &Bytes) -> Result<Bytes, ServiceError> {
        let request: Request = serde_json::from_slice(payload)
            .map_err(|error| ServiceError::new(400, format!("this is no request: {error}")))?;
        let operation = request.operation.name();
        let begun = Instant::now();
        let answer = self.answer(request).await;
        let outcome = match &answer {
            Answer::Recorded(_) => "recorded",
            Answer::Checked(_) | Answer::AmendmentChecked(_) => "checked",
            Answer::Refused(_) => "refused",
        };
        metrics::counter!("planwatch_requests_total", "operation" => operation, "outcome" => outcome)
            .increment(1);
        metrics::histogram!("planwatch_request_seconds", "operation" => operation)
            .record(begun.elapsed().as_secs_f64());
        Ok(reply(&answer))
    }

    async fn answer(&self, request: Request) -> Answer {
        if let Some(why) = self.in_the_way() {
            return Answer::Refused(Refusal::new(RefusalKind::Unavailable, why));
        }
        // What alerting decides is asked for by nobody who would keep a receipt; the proof can be asked for.
        let wants_receipt = !matches!(request.operation, Operation::RaiseAlert | Operation::ResolveAlert);
        let answer = self.admitted(request).await;
        if wants_receipt { self.with_receipts(answer).await } else { answer }
    }

    /// Gives what was recorded its receipts. One takes some hashes and a signature, less than handing it to
    /// another thread; those of a batch are made where blocking is allowed.
    async fn with_receipts(&self, mut answer: Answer) -> Answer {
        let (Answer::Recorded(acceptances), Signing::By(notary)) = (&mut answer, &self.signing) else {
            return answer;
        };
        if acceptances.len() <= RECEIPTS_AT_HAND {
            notary.give_receipts(acceptances);
            return answer;
        }
        let (notary, mut acceptances) = (Arc::clone(notary), acceptances.clone());
        let given = tokio::task::spawn_blocking(move || {
            notary.give_receipts(&mut acceptances);
            acceptances
        });
        given.await.map_or(answer, Answer::Recorded)
    }

    async fn admitted(&self, request: Request) -> Answer {
        let request = match ParsedRequest::read(request) {
            Ok(request) => request,
            Err(answer) => return answer,
        };
        let places = Arc::new(OnceLock::new());
        let submission = Submission { request, places: Arc::clone(&places) };
        match self.committer.submit(submission).await {
            Ok(Outcome::Answered(answer)) => answer,
            Ok(Outcome::Recorded(recorded)) => {
                let new = recorded.iter().map(|recorded| acceptance(&self.calendar, recorded));
                let places = places.get().expect("what was recorded was admitted");
                Answer::Recorded(arrange(places, new))
            }
            Err(error) => {
                let kind =
                    if error.is_retryable() { RefusalKind::Unavailable } else { RefusalKind::TooLarge };
                Answer::Refused(Refusal::new(kind, error.to_string()))
            }
        }
    }

    /// Why nothing may be admitted, if that is so: the stream holds what the log does not, or the log is not
    /// the one that was signed.
    fn in_the_way(&self) -> Option<String> {
        if let Some(contradiction) = self.signing.contradiction() {
            return Some(contradiction.to_string());
        }
        let mirror = self.mirror.borrow();
        let agreed = self.compared.saw(&mirror);
        match &*mirror {
            MirrorState::Fork { position, why } => Some(fork(*position, why)),
            MirrorState::Following { .. } => None,
            MirrorState::Connecting | MirrorState::Waiting { .. } => {
                (!agreed).then(|| format!("{NOT_COMPARED}; try again"))
            }
        }
    }

    async fn event(&self, payload: &Bytes) -> Result<Bytes, ServiceError> {
        let query: EventQuery = serde_json::from_slice(payload)
            .map_err(|error| ServiceError::new(400, format!("write {{\"id\": \"…\"}}: {error}")))?;
        let Ok(id) = EventId::parse_str(&query.id) else {
            return Ok(reply(&json!({"refused": no_event(&query.id)})));
        };
        let log = self.log.clone();
        let found = tokio::task::spawn_blocking(move || log.event_by_id(&id)).await;
        match found {
            Ok(Ok(Some(stored))) => Ok(as_recorded(&stored.bytes)),
            Ok(Ok(None)) => Ok(reply(&json!({"refused": no_event(&query.id)}))),
            Ok(Err(error)) => Err(ServiceError::new(503, error.to_string())),
            Err(error) => Err(ServiceError::new(503, error.to_string())),
        }
    }
}

/// An event, byte for byte as recorded, as the answer to a look-up.
fn as_recorded(event: &Bytes) -> Bytes {
    [b"{\"ok\":".as_slice(), event, b"}"].concat().into()
}

fn fork(position: Position, why: &ForkReason) -> String {
    format!(
        "the log and the stream differ at position {position} ({why}); nothing is recorded until a person decides which is right: see \
         `Operating it` in the README"
    )
}

fn no_event(id: &str) -> Refusal {
    let shown: String = id.chars().take(40).collect();
    Refusal::of_field(
        RefusalKind::NotFound,
        FieldError::new(
            "",
            "unknown-event",
            format!("the log holds no event `{shown}`"),
            "take the id from an answer or from the list of events",
        ),
    )
}
