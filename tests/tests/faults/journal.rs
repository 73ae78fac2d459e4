//! The last commit torn: cut where nothing else holds it, restored where the index does, refused where only
//! the stream does. Never is an acknowledged report lost without a word.

use crate::{
    is_possible, log_folder, remove, said_since, start_again, stop_and_audit, stream_folder, submit,
};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tests::support::{
    Acknowledged, Answer, Failed, Http, Options, System, audit, events, report, send, today, until,
};

const HEADER_BYTES: usize = 32;
/// The services that keep a copy of the log.
const FOLLOWERS: [&str; 2] = ["projection", "alerting"];
/// How long an attempt waits that a killed process may never answer.
const ATTEMPT_LIMIT: Duration = Duration::from_millis(500);

/// A commit in the journal's file: where it lies, and its positions.
#[derive(Debug, Clone, Copy)]
struct Frame {
    offset: usize,
    size_bytes: usize,
    first: u64,
    last: u64,
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Reads the headers of a journal file, as its format is described in the log's own documents.
fn frames(bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut offset = 0;
    while offset < bytes.len() {
        let header = &bytes[offset..offset + HEADER_BYTES];
        assert_eq!(&header[..4], b"PWF\x01", "a frame begins at byte {offset}");
        let size_bytes = HEADER_BYTES + usize::try_from(number(&header[4..8])).unwrap();
        let first = number(&header[12..20]);
        frames.push(Frame { offset, size_bytes, first, last: first + number(&header[20..24]) - 1 });
        offset += size_bytes;
    }
    frames
}

fn journal_file(system: &System) -> PathBuf {
    let folder = log_folder(system, "ingestion").join("journal");
    let files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "so few events are in one file");
    files[0].clone()
}

/// The places at which a commit is torn: nothing of it, inside its header, at its body, and a byte short.
fn places(frame: Frame) -> [usize; 5] {
    [0, 1, HEADER_BYTES - 1, HEADER_BYTES, frame.size_bytes - 1]
}

/// Tears the commit that holds a position after so many bytes; what came after it is gone, too.
fn tear(system: &System, position: u64, place: impl Fn(Frame) -> usize) -> Frame {
    let file = journal_file(system);
    let bytes = std::fs::read(&file).unwrap();
    let frame = frames(&bytes).into_iter().find(|frame| frame.last >= position).unwrap();
    assert!(frame.first <= position, "the positions of commits have no gap");
    std::fs::write(&file, &bytes[..frame.offset + place(frame)]).unwrap();
    frame
}

/// Removes what else may hold the last positions; the journal stands alone.
fn remove_every_other_copy(system: &System) {
    remove_index(system);
    remove_followers_copies(system);
    remove(&stream_folder(system));
    remove_checkpoints(system);
}

/// Removes the signed checkpoints, which tell how much was acknowledged: nothing of that would be cut.
fn remove_checkpoints(system: &System) {
    for file in [system.ready().keys.clone(), log_folder(system, "ingestion")] {
        std::fs::remove_file(file.join("checkpoint")).unwrap();
    }
}

fn remove_index(system: &System) {
    remove(&log_folder(system, "ingestion").join("index"));
}

fn remove_followers_copies(system: &System) {
    for follower in FOLLOWERS {
        remove(&system.data().join(follower).join("binh-duong"));
    }
}

/// Reports sent without a pause to a system that must not take them.
struct Attempts {
    stopping: Arc<AtomicBool>,
    answers: Arc<Mutex<Vec<Answer>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Attempts {
    fn start(http: &Http) -> Attempts {
        let (stopping, answers) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let threads = (0..4).map(|_| {
            let (stopping, http) = (Arc::clone(&stopping), http.with_limit(ATTEMPT_LIMIT));
            let answers = Arc::clone(&answers);
            let body = report("ben-cat", today().year(), 7).to_string();
            std::thread::spawn(move || {
                while !stopping.load(Ordering::Relaxed) {
                    let answer = http.try_post("/api/v1/reports", &body, &[]);
                    answers.lock().unwrap().extend(answer);
                }
            })
        });
        Attempts { threads: threads.collect(), answers, stopping }
    }

    /// Whether an answer like this has come so far.
    fn heard(&self, is_like_this: impl Fn(&Answer) -> bool) -> bool {
        self.answers.lock().unwrap().iter().any(is_like_this)
    }

    /// Gives every answer that came.
    fn finish(self) -> Vec<Answer> {
        self.stopping.store(true, Ordering::Relaxed);
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
        std::mem::take(&mut self.answers.lock().unwrap())
    }
}

#[test]
fn a_torn_commit_that_nothing_else_holds_is_cut() {
    if !is_possible() {
        return;
    }
    let mut system = System::start(Options::empty());
    let mut acknowledged = submit(&system, "first", 3);
    for index in 0..5 {
        let last = submit(&system, &format!("torn-{index}"), 1).remove(0);
        assert_eq!(system.stop().code(), Some(0));
        let torn = tear(&system, last.position, |frame| places(frame)[index]);
        remove_every_other_copy(&system);
        let said = start_again(&mut system);
        let is_said = said.contains(&format!("cut {} bytes of a torn commit", places(torn)[index]));
        assert_eq!(is_said, places(torn)[index] > 0, "{torn:?}, {index}:\n{said}");
        // As after a power cut before the answer: the one who asked asks again, under the same key.
        let again = send(system.http(), &last.key, &last.body).unwrap();
        assert_eq!(again.event, last.event, "a key makes the event's id");
        assert!(again.position >= torn.first);
        acknowledged.push(again);
        system.wait_ready();
        audit(&system, &acknowledged);
    }
    stop_and_audit(&mut system, &acknowledged);
}

#[test]
fn a_torn_commit_that_the_index_holds_is_restored() {
    if !is_possible() {
        return;
    }
    let mut system = System::start(Options::empty());
    let mut acknowledged = submit(&system, "first", 3);
    for index in 0..5 {
        let last = submit(&system, &format!("torn-{index}"), 1).remove(0);
        acknowledged.push(last.clone());
        assert_eq!(system.stop().code(), Some(0));
        let whole = std::fs::read(journal_file(&system)).unwrap();
        let lost = frames(&whole).last().unwrap().last - last.position + 1;
        let torn = tear(&system, last.position, |frame| places(frame)[index]);
        if index % 2 == 0 {
            // The index alone is enough: the stream and the copies are not asked.
            remove(&stream_folder(&system));
        }
        let said = start_again(&mut system);
        assert!(said.contains("of the journal from another copy"), "{torn:?}, {lost} lost:\n{said}");
        audit(&system, &acknowledged);
    }
    stop_and_audit(&mut system, &acknowledged);
}

#[test]
fn a_torn_commit_that_only_the_stream_holds_is_restored() {
    if !is_possible() {
        return;
    }
    let mut system = System::start(Options::empty());
    let mut acknowledged: Vec<Acknowledged> = submit(&system, "first", 6);
    for index in 0..5 {
        assert_eq!(system.stop().code(), Some(0));
        let whole = std::fs::read(journal_file(&system)).unwrap();
        // The last three commits, the first of them torn at different places.
        let from = acknowledged[acknowledged.len() - 3].position;
        tear(&system, from, |frame| places(frame)[index]);
        for service in ["projection", "alerting"] {
            remove(&system.data().join(service).join("binh-duong"));
        }
        remove_index(&system);
        let said = start_again(&mut system);
        assert!(said.contains("of the journal from another copy"), "{said}");
        assert_eq!(events(system.http()).len(), frames(&whole).last().unwrap().last as usize);
        acknowledged.extend(submit(&system, &format!("after-{index}"), 1));
        audit(&system, &acknowledged);
    }
    stop_and_audit(&mut system, &acknowledged);
}

#[test]
fn a_stream_with_another_history_stops_admission_until_a_person_decides() {
    if !is_possible() {
        return;
    }
    let mut system = System::start(Options::empty());
    let mut acknowledged: Vec<Acknowledged> = submit(&system, "first", 4);
    assert_eq!(system.stop().code(), Some(0));
    // The log loses an event that an old stream still holds, and goes on without it.
    let aside = system.data().join("stream-aside");
    std::fs::rename(stream_folder(&system), &aside).unwrap();
    let last = acknowledged.pop().unwrap();
    let torn = tear(&system, last.position, |frame| frame.size_bytes / 2);
    remove_index(&system);
    remove_checkpoints(&system);
    for service in ["projection", "alerting"] {
        remove(&system.data().join(service).join("binh-duong"));
    }
    system.start_again();
    acknowledged.extend(submit(&system, "another", 3));
    assert_eq!(system.stop().code(), Some(0));
    let head = frames(&std::fs::read(journal_file(&system)).unwrap()).last().unwrap().last;
    remove(&stream_folder(&system));
    std::fs::rename(&aside, stream_folder(&system)).unwrap();

    let said_before = system.said().len();
    system.start_again_unready();
    // Not in the first moments of a start either may anything take the place of what the stream holds.
    let attempts = Attempts::start(system.http());
    for _ in 0..3 {
        let before = system.kill("ingestion");
        system.wait_restarted("ingestion", before);
        until("it is ready to say that nothing is admitted", || {
            system.http().try_get("/readyz").is_ok_and(|answer| answer.text.contains("stream differ"))
        });
    }
    let told =
        |answer: &Answer| answer.json()["detail"].as_str().is_some_and(|why| why.contains("differ at"));
    until("an attempt hears why", || attempts.heard(told));
    let answers = attempts.finish();
    let admitted: Vec<&Answer> = answers.iter().filter(|answer| answer.status != 503).collect();
    assert!(admitted.is_empty(), "nothing is admitted: {admitted:?}");
    assert!(answers.iter().any(told), "it is said why");
    let readiness = system.http().get("/readyz");
    assert_eq!(readiness.status, 503);
    assert!(readiness.text.contains("the log and the stream differ"), "{}", readiness.text);
    assert!(torn.first <= head);
    assert_eq!(u64::try_from(events(system.http()).len()).unwrap(), head);
    until("it is said", || {
        said_since(&system, said_before).contains("Stream and log disagree, nothing is admitted")
    });
    assert_eq!(send(system.http(), &last.key, &last.body), Err(Failed::ForNow));
    assert_eq!(system.stop().code(), Some(0));

    // The person decides for the log: the stream is removed, and it is filled again.
    remove(&stream_folder(&system));
    system.start_again();
    audit(&system, &acknowledged);
    stop_and_audit(&mut system, &acknowledged);
}

#[test]
fn followers_that_hold_more_than_the_log_stop_until_a_person_decides() {
    if !is_possible() {
        return;
    }
    let mut system = System::start(Options::empty());
    let acknowledged = submit(&system, "report", 6);
    assert_eq!(system.stop().code(), Some(0));
    tear(&system, acknowledged[3].position, |_| 0);
    remove_index(&system);
    remove_checkpoints(&system);
    remove(&stream_folder(&system));

    let said_before = system.said().len();
    system.start_again_unready();
    for follower in FOLLOWERS {
        until(&format!("{follower} says that it is ahead"), || {
            let said = said_since(&system, said_before);
            said.lines()
                .any(|line| line.starts_with(&format!("[{follower}]")) && line.contains("beyond the log"))
        });
    }
    system.stop();

    // The person decides for the log: what it lacks is sent again, and the followers begin anew.
    remove_followers_copies(&system);
    system.start_again();
    let again = acknowledged.iter().map(|report| send(system.http(), &report.key, &report.body).unwrap());
    let again: Vec<Acknowledged> = again.collect();
    assert_eq!(again[..3], acknowledged[..3]);
    audit(&system, &again);
    stop_and_audit(&mut system, &again);
}
