//! What the committer's thread does.

use super::{
    Admission, Answer, CommitLimits, Decision, Door, Message, Outcome, Submission, SubmitError, TICK,
};
use crate::clock::{Clock, ClockGuard, Judged, KeptClock};
use crate::log::Log;
use crate::requests::Requests;
use crate::write_state::{ClockLeap, WriteState};
use crate::writer::{AppendError, Writer};
use events::{Position, Timestamp, instant};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How often the clock is kept for the next start.
const KEEP_CLOCK_EVERY: Duration = Duration::from_secs(60 * 60);

/// A commit has room from its start for as many bytes as the last one had, at most for so many.
const ROOM_BYTES: usize = 1024 * 1024;

/// What the thread owns.
pub(super) struct Run<A: Admission> {
    pub(super) writer: Writer,
    pub(super) log: Log,
    pub(super) admission: A,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) guard: ClockGuard,
    pub(super) limits: CommitLimits,
    pub(super) receiver: Receiver<Message<A>>,
    pub(super) door: Arc<Door>,
    pub(super) leap: Option<ClockLeap>,
    /// The time of day that is kept for the next start, as this log last read or wrote it: another one was
    /// written by a person.
    pub(super) kept_clock: Option<KeptClock>,
    /// When it is kept again, in the clock's elapsed time.
    pub(super) keep_clock_at: Duration,
    /// When room is looked for next, in the clock's elapsed time.
    pub(super) next_look: Duration,
    /// How many bytes the events of the last commit had.
    pub(super) text_bytes: usize,
}

/// Says that the log stopped if the thread panics: an admission that panics has no state to go on with.
///
/// Made after the callers it answers for, so that it is dropped before them: whoever is told that the log
/// stopped can see it.
struct StopOnPanic<'a>(&'a Log);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let why = "admission panicked".to_owned();
            self.0.shared.set_write_state(WriteState::Stopped { why });
        }
    }
}

impl<A: Admission> Run<A> {
    /// Looks at the clock before anything is submitted, so that health is right from the start.
    pub(super) fn begin(&mut self) {
        self.look_at_clock();
    }

    pub(super) fn until_closed(mut self) -> (Writer, A) {
        loop {
            // Read before the queue, so that everything sent through the open door is found in it.
            let closed = self.door.closed.load(Ordering::Acquire);
            let first = if closed {
                self.receiver.try_recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                self.receiver.recv_timeout(TICK)
            };
            let now = self.look_at_clock();
            match first {
                Ok(Message::Submit(submission)) => self.commit_from(submission, now),
                Ok(Message::Wake) => {}
                Err(RecvTimeoutError::Timeout) => {
                    if self.log.faults() == WriteState::NoSpace {
                        self.writer.look_for_space();
                    }
                }
                Err(RecvTimeoutError::Disconnected) => {
                    self.keep_clock(self.clock.now(), self.clock.elapsed());
                    return (self.writer, self.admission);
                }
            }
        }
    }

    /// Judges the clock; gives the recorded time of what is admitted now.
    fn look_at_clock(&mut self) -> Timestamp {
        let now = self.clock.now();
        let elapsed = self.clock.elapsed();
        match self.guard.observe(now, elapsed) {
            Ok(Judged::GoesOn) => self.clock_is_right(now, elapsed),
            Ok(Judged::BackFromAccepted) => {
                tracing::warn!(clock = %now, "The clock is back from one that a person had accepted");
                self.clock_is_right(now, elapsed);
                self.keep_clock_at = elapsed;
            }
            Err(_) if self.is_accepted(now) => {
                self.guard.accept(now, elapsed);
                tracing::warn!(clock = %now, "The clock was accepted by a person");
                self.clock_is_right(now, elapsed);
            }
            Err(leap) => self.stop_at(leap),
        }
        if self.leap.is_none() && elapsed >= self.keep_clock_at && self.keep_clock(now, elapsed) {
            self.keep_clock_at = elapsed + KEEP_CLOCK_EVERY;
        }
        let now = instant::to_millisecond(now);
        self.log.last_recorded_at().map_or(now, |last| last.max(now))
    }

    fn stop_at(&mut self, leap: ClockLeap) {
        if self.leap.is_none() {
            tracing::error!(clock = %leap.clock, "Stopped writing: {leap}");
            metrics::counter!("planwatch_log_clock_leaps_total").increment(1);
            // A restart must not take what was refused here.
            if let (Some(recorded), true) = (self.log.last_recorded_at(), self.is_kept_by_this_log()) {
                let kept = self.kept_clock.take();
                let known = KeptClock { clock: recorded, epoch: None, elapsed_ms: 0, refused: None };
                let refused = KeptClock { refused: Some(leap.clock), ..kept.unwrap_or(known) };
                self.writer.keep_clock(&refused);
                self.kept_clock = Some(refused);
            }
            if self.log.faults() == WriteState::Writing {
                self.writer.set_write_state(WriteState::ClockStopped(leap));
            }
        }
        self.leap = Some(leap);
    }

    /// Whether what is kept is what this log knows of: otherwise a person has written it, and it stays.
    fn is_kept_by_this_log(&self) -> bool {
        self.writer.kept_clock() == self.kept_clock
    }

    /// Whether a person has taken the clock as right since this log last kept it: this clock, not a later one.
    fn is_accepted(&mut self, now: Timestamp) -> bool {
        let kept = self.writer.kept_clock();
        let accepted = kept != self.kept_clock && kept.as_ref().is_some_and(|kept| kept.is_about(now));
        if accepted {
            self.kept_clock = kept;
        }
        accepted
    }

    /// Keeps the clock for the next start, while it is right: a log to which nothing is said for months is
    /// judged by when it last ran, not by when it last recorded something.
    /// An empty log takes any clock and has none to keep.
    fn keep_clock(&mut self, now: Timestamp, elapsed: Duration) -> bool {
        let is_to_be_kept = self.leap.is_none() && self.log.head() != Position::START;
        if is_to_be_kept {
            let kept = KeptClock::at(now, elapsed, self.clock.epoch());
            self.writer.keep_clock(&kept);
            self.kept_clock = Some(kept);
        }
        is_to_be_kept
    }

    fn clock_is_right(&mut self, now: Timestamp, elapsed: Duration) {
        if self.leap.take().is_some() && matches!(self.log.faults(), WriteState::ClockStopped(_)) {
            tracing::info!("The clock is right again; writing");
            self.writer.set_write_state(WriteState::Writing);
            self.keep_clock(now, elapsed);
        }
    }

    /// Why nothing can be recorded now, if so.
    fn refusal(&self) -> Option<SubmitError> {
        if let Some(leap) = self.leap {
            return Some(SubmitError::ClockStopped(leap));
        }
        match self.log.faults() {
            WriteState::Writing => None,
            WriteState::NoSpace => Some(SubmitError::NoSpace),
            WriteState::Stopped { why } => Some(SubmitError::Stopped { why }),
            WriteState::ClockStopped(leap) => Some(SubmitError::ClockStopped(leap)),
        }
    }

    /// Admits a command and everything that waits behind it, commits once, and answers.
    fn commit_from(&mut self, first: Submission<A>, now: Timestamp) {
        if let Some(error) = self.refusal() {
            // Looking again is left to the ticks, but a steady stream of commands must not keep them off.
            let _ = first.answer.send(Err(error));
            self.look_again_under_load();
            return;
        }
        let mut batch = Batch::<A>::new(self.log.head().next(), self.text_bytes);
        let mut submission = Some(first);
        while let Some(Submission { command, answer }) = submission.take() {
            if !answer.is_closed() {
                self.admit(&mut batch, &command, answer, now);
            }
            if batch.is_full(&self.limits) {
                break;
            }
            while submission.is_none() {
                match self.receiver.try_recv() {
                    Ok(Message::Submit(next)) => submission = Some(next),
                    Ok(Message::Wake) => {}
                    Err(_) => break,
                }
            }
        }
        self.finish(batch);
    }

    fn admit(&mut self, batch: &mut Batch<A>, command: &A::Command, answer: Caller<A>, now: Timestamp) {
        let _stop = StopOnPanic(&self.log);
        batch.now = Some(now);
        match self.admission.admit(command, batch.next, now) {
            Decision::Answer(refusal) => batch.answers.push((answer, Waiting::Answered(refusal))),
            Decision::Record(events) => {
                let next = Position(batch.next.0 + events.len() as u64);
                match batch.requests.add(events) {
                    Ok(()) => {
                        batch.next = next;
                        batch.answers.push((answer, Waiting::Request));
                    }
                    Err(error) => {
                        // Admission counts it as known now; it has to forget it before the next command.
                        batch.overruled = true;
                        batch.answers.push((answer, Waiting::TooLarge(error.to_string())));
                    }
                }
            }
        }
    }

    fn finish(&mut self, batch: Batch<A>) {
        let Batch { requests, answers, overruled, now, .. } = batch;
        let Some(now) = now else { return };
        let _stop = StopOnPanic(&self.log);
        self.text_bytes = requests.bytes();
        match self.writer.append_requests(requests, now) {
            Ok(recorded) => {
                self.admission.committed(&recorded);
                if overruled {
                    self.admission.rolled_back(&self.log);
                }
                let mut recorded = recorded.into_iter();
                for (answer, waiting) in answers {
                    let outcome = match waiting {
                        Waiting::Request => {
                            Ok(Outcome::Recorded(recorded.next().expect("each request was recorded")))
                        }
                        Waiting::Answered(refusal) => Ok(Outcome::Answered(refusal)),
                        Waiting::TooLarge(why) => Err(SubmitError::TooLarge { why }),
                    };
                    let _ = answer.send(outcome);
                }
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "Could not record a commit");
                self.admission.rolled_back(&self.log);
                // Answers, too, may rest on what was admitted before them and is void now.
                let error = submit_error(&error);
                for (answer, _) in answers {
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }

    /// Looks for room at most once a tick while commands keep coming.
    fn look_again_under_load(&mut self) {
        let elapsed = self.clock.elapsed();
        if self.log.faults() == WriteState::NoSpace && elapsed >= self.next_look {
            self.next_look = elapsed + TICK;
            self.writer.look_for_space();
        }
    }
}

/// Where an answer goes.
type Caller<A> = oneshot::Sender<Answer<<A as Admission>::Refusal>>;

/// What is admitted and not yet committed.
struct Batch<A: Admission> {
    requests: Requests,
    answers: Vec<(Caller<A>, Waiting<A::Refusal>)>,
    next: Position,
    now: Option<Timestamp>,
    overruled: bool,
}

enum Waiting<R> {
    Request,
    Answered(R),
    TooLarge(String),
}

impl<A: Admission> Batch<A> {
    /// An empty one, with room for so many bytes of events.
    fn new(next: Position, bytes: usize) -> Batch<A> {
        let requests = Requests::with_room(bytes.min(ROOM_BYTES));
        Batch { requests, answers: Vec::new(), next, now: None, overruled: false }
    }

    fn is_full(&self, limits: &CommitLimits) -> bool {
        self.overruled || self.answers.len() >= limits.commands || self.requests.bytes() >= limits.bytes
    }
}

fn submit_error(error: &AppendError) -> SubmitError {
    match error {
        AppendError::NoSpace(_) => SubmitError::NoSpace,
        AppendError::Stopped { why, .. } => SubmitError::Stopped { why: why.clone() },
        AppendError::EventTooLarge(_) | AppendError::RequestTooLarge { .. } => {
            SubmitError::TooLarge { why: error.to_string() }
        }
        AppendError::Write(_)
        | AppendError::IndexBehind
        | AppendError::OtherPlan { .. }
        | AppendError::Duplicate { .. }
        | AppendError::Gap { .. }
        | AppendError::Fork { .. }
        | AppendError::NotAnEvent { .. }
        | AppendError::Read(_) => SubmitError::Failed { why: error.to_string() },
    }
}
