//! The committer: one thread that admits commands in order and records what they lead to, many at a time.

mod run;

use crate::clock::{Clock, ClockGuard};
use crate::log::Log;
use crate::write_state::{ClockLeap, WriteState};
use crate::writer::{REQUEST_LIMIT_BYTES, Writer};
use events::{Event, Position, Recorded, Timestamp};
use run::Run;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::oneshot;

/// How often the committer looks after the clock, and after the disk while that is full.
const TICK: Duration = Duration::from_secs(1);

/// Decides what commands lead to; lives on the committer's thread.
pub trait Admission: Send + 'static {
    /// What is asked for.
    type Command: Send + 'static;
    /// What is answered where nothing is recorded: a refusal, or an answer given before.
    type Refusal: Send + 'static;

    /// Decides a command. Called in the order of submission; what it decided to record counts as known for
    /// the next command. `next` is the position that the first event gets, `now` the recorded time.
    fn admit(&mut self, command: &Self::Command, next: Position, now: Timestamp) -> Decision<Self::Refusal>;

    /// Everything admitted since the last call is durable, as these events: a list for each command that was
    /// decided to be recorded, in order.
    fn committed(&mut self, recorded: &[Vec<Recorded>]);

    /// What was admitted and not committed is void: what is known has to be read from the log again.
    fn rolled_back(&mut self, log: &Log);
}

/// What a command leads to.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision<R> {
    /// Record these events, all or none.
    Record(Vec<Event>),
    /// Record nothing, and answer this. The answer is given after everything admitted before is durable.
    Answer(R),
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome<R> {
    /// It was recorded, durably.
    Recorded(Vec<Recorded>),
    /// Nothing was recorded for it.
    Answered(R),
}

/// Why a command was neither recorded nor answered. Trying again with the same ids does no harm.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SubmitError {
    /// Too many commands are waiting.
    #[error("too many requests are waiting; nothing was recorded, try again in a moment")]
    QueueFull,
    /// The disk is full.
    #[error("there is no space left for the log; nothing was recorded, try again when there is room")]
    NoSpace,
    /// The log stopped writing until a restart.
    #[error("the log stopped writing ({why}); nothing was acknowledged, ask again after a restart")]
    Stopped {
        /// What happened.
        why: String,
    },
    /// The clock leapt ahead.
    #[error("nothing was recorded: {0}")]
    ClockStopped(ClockLeap),
    /// What the command leads to is too large.
    #[error("nothing was recorded: {why}")]
    TooLarge {
        /// What is too large.
        why: String,
    },
    /// The write failed in a way that may pass.
    #[error("nothing was recorded: {why}")]
    Failed {
        /// What happened.
        why: String,
    },
}

impl SubmitError {
    /// Whether the same command may get through later without anyone changing it.
    pub fn is_retryable(&self) -> bool {
        match self {
            SubmitError::QueueFull
            | SubmitError::NoSpace
            | SubmitError::Stopped { .. }
            | SubmitError::ClockStopped(_)
            | SubmitError::Failed { .. } => true,
            SubmitError::TooLarge { .. } => false,
        }
    }
}

/// How much waits and how much is committed at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitLimits {
    /// How many commands may wait; the next one is told [`SubmitError::QueueFull`].
    pub queued_commands: usize,
    /// The most commands in one commit.
    pub commands: usize,
    /// No command is added to a commit that has so many bytes of events.
    pub bytes: usize,
}

impl Default for CommitLimits {
    fn default() -> CommitLimits {
        CommitLimits { queued_commands: 4_096, commands: 1_024, bytes: REQUEST_LIMIT_BYTES }
    }
}

/// Submits commands; clones share the queue.
pub struct Committer<A: Admission> {
    sender: SyncSender<Message<A>>,
    door: Arc<Door>,
    log: Log,
}

impl<A: Admission> Clone for Committer<A> {
    fn clone(&self) -> Self {
        Committer { sender: self.sender.clone(), door: Arc::clone(&self.door), log: self.log.clone() }
    }
}

#[derive(Default)]
struct Door {
    closed: AtomicBool,
}

enum Message<A: Admission> {
    Submit(Submission<A>),
    /// Nothing but a reason to look at the door.
    Wake,
}

type Answer<R> = Result<Outcome<R>, SubmitError>;

struct Submission<A: Admission> {
    command: A::Command,
    answer: oneshot::Sender<Answer<A::Refusal>>,
}

impl<A: Admission> Committer<A> {
    /// Starts the committer's thread.
    pub fn start(
        writer: Writer,
        log: Log,
        admission: A,
        clock: Arc<dyn Clock>,
        limits: CommitLimits,
    ) -> io::Result<(Committer<A>, CommitterThread<A>)> {
        let (sender, receiver) = sync_channel(limits.queued_commands.max(1));
        let door = Arc::new(Door::default());
        let kept_clock = writer.kept_clock();
        let (epoch, elapsed) = (clock.epoch(), clock.elapsed());
        let guard = ClockGuard::new(log.last_recorded_at(), kept_clock.as_ref(), epoch.as_deref(), elapsed);
        let mut run = Run {
            writer,
            log: log.clone(),
            admission,
            clock,
            guard,
            limits,
            receiver,
            door: Arc::clone(&door),
            leap: None,
            kept_clock,
            keep_clock_at: Duration::ZERO,
            next_look: Duration::ZERO,
            text_bytes: 0,
        };
        run.begin();
        let name = format!("commit-{}", log.plan());
        let thread = std::thread::Builder::new().name(name).spawn(move || run.until_closed())?;
        let committer = Committer { sender, door, log };
        let handle = CommitterThread { committer: committer.clone(), thread: Some(thread) };
        Ok((committer, handle))
    }

    /// Submits a command and waits for what becomes of it.
    ///
    /// A command whose caller stopped waiting before its turn is left out.
    pub async fn submit(&self, command: A::Command) -> Answer<A::Refusal> {
        let (answer, answered) = oneshot::channel();
        self.send(Message::Submit(Submission { command, answer }))?;
        answered.await.unwrap_or_else(|_| Err(self.closed()))
    }

    /// Whether the log takes events, and if not, why.
    pub fn faults(&self) -> WriteState {
        self.log.faults()
    }

    fn send(&self, message: Message<A>) -> Result<(), SubmitError> {
        if self.door.closed.load(Ordering::Acquire) {
            return Err(self.closed());
        }
        self.sender.try_send(message).map_err(|error| match error {
            TrySendError::Full(_) => SubmitError::QueueFull,
            TrySendError::Disconnected(_) => self.closed(),
        })
    }

    fn closed(&self) -> SubmitError {
        match self.log.faults() {
            WriteState::Stopped { why } => SubmitError::Stopped { why },
            _ => SubmitError::Stopped { why: "the service is stopping".to_owned() },
        }
    }
}

/// The committer's thread.
pub struct CommitterThread<A: Admission> {
    committer: Committer<A>,
    thread: Option<JoinHandle<(Writer, A)>>,
}

impl<A: Admission> CommitterThread<A> {
    /// Closes the door, finishes what was taken in, and gives back the writer and the admission.
    ///
    /// Blocks until then. Nothing comes back if the thread panicked.
    pub fn stop(mut self) -> Option<(Writer, A)> {
        self.close();
        self.thread.take()?.join().ok()
    }

    fn close(&self) {
        self.committer.door.closed.store(true, Ordering::Release);
        // A full queue wakes the thread as well.
        let _ = self.committer.sender.try_send(Message::Wake);
    }
}

impl<A: Admission> Drop for CommitterThread<A> {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.close();
            let _ = thread.join();
        }
    }
}
