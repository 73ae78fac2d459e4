//! Load on a system that is being broken: reports under keys, each sent until it is acknowledged.

use super::http::Http;
use super::wait::{LOOK_AGAIN, PATIENCE, until};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The units that report, one for each thread of the load.
const REPORTING: [&str; 4] = ["di-an", "thuan-an", "phu-giao", "bau-bang"];
/// How long one attempt may take: an answer that is lost with a killed process is not waited for.
const ATTEMPT_LIMIT: Duration = Duration::from_secs(2);
/// The hours by which the plan's time zone is ahead of UTC, all year round.
const PLAN_HOURS: i64 = 7;

/// A report that was acknowledged: the promise that is held against the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledged {
    /// Its idempotency key.
    pub key: String,
    /// What was sent.
    pub body: String,
    /// The id of its event.
    pub event: String,
    /// The event's position.
    pub position: u64,
}

/// Today in the plan's time zone.
pub fn today() -> jiff::civil::Date {
    let shifted = Timestamp::now() + SignedDuration::from_hours(PLAN_HOURS);
    jiff::tz::TimeZone::UTC.to_datetime(shifted).date()
}

/// A report of one rate that is on paper since today.
pub fn report(unit: &str, period: i16, numerator: u64) -> Value {
    json!({
        "unit": unit,
        "period": period.to_string(),
        "document": {"number": format!("{numerator}/BC-UBND"), "date": today().to_string()},
        "lines": [{"measure": "life-skills", "numerator": numerator, "denominator": 1000}],
    })
}

/// Sends a report under a key once more; what was recorded before is answered as it was.
pub fn send(http: &Http, key: &str, body: &str) -> Result<Acknowledged, Failed> {
    match http.try_post("/api/v1/reports", body, &[("idempotency-key", key)]) {
        Ok(answer) if answer.status == 201 => {
            let json = answer.json();
            match (json["event"].as_str(), json["position"].as_u64()) {
                (Some(event), Some(position)) => Ok(Acknowledged {
                    key: key.to_owned(),
                    body: body.to_owned(),
                    event: event.to_owned(),
                    position,
                }),
                _ => Err(Failed::Wrongly(format!("{key} was answered {}", answer.text))),
            }
        }
        Ok(answer) if matches!(answer.status, 503 | 504) => Err(Failed::ForNow),
        Ok(answer) => Err(Failed::Wrongly(format!("{key} was answered {}: {}", answer.status, answer.text))),
        Err(_) => Err(Failed::ForNow),
    }
}

/// Why a report was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failed {
    /// Trying again can help, as the answer says, or nobody answered.
    ForNow,
    /// It was answered as a good report must never be.
    Wrongly(String),
}

/// Threads that report, each one report after the other.
pub struct Load {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    http: Mutex<Http>,
    acknowledged: Mutex<Vec<Acknowledged>>,
    wrong: Mutex<Vec<String>>,
    stopping: AtomicBool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Load {
    /// Starts reporting, with keys that begin with a name of their own.
    pub fn start(http: &Http, name: &str) -> Load {
        let shared = Arc::new(Shared {
            http: Mutex::new(http.with_limit(ATTEMPT_LIMIT)),
            acknowledged: Mutex::default(),
            wrong: Mutex::default(),
            stopping: AtomicBool::new(false),
        });
        let threads = REPORTING.into_iter().map(|unit| {
            let (shared, name) = (Arc::clone(&shared), format!("{name}-{unit}"));
            std::thread::spawn(move || shared.report_on(unit, &name))
        });
        Load { threads: threads.collect(), shared }
    }

    /// Reports to another address from now on, as after a restart.
    pub fn redirect(&self, http: &Http) {
        *locked(&self.shared.http) = http.with_limit(ATTEMPT_LIMIT);
    }

    /// Waits until so many more reports are acknowledged than are now.
    #[track_caller]
    pub fn wait_for_more(&self, more: usize) {
        let wanted = locked(&self.shared.acknowledged).len() + more;
        until(&format!("{more} more reports are acknowledged"), || {
            self.assert_right();
            locked(&self.shared.acknowledged).len() >= wanted
        });
    }

    #[track_caller]
    fn assert_right(&self) {
        let wrong = locked(&self.shared.wrong);
        assert!(wrong.is_empty(), "good reports were answered wrongly: {wrong:#?}");
    }

    /// Lets every thread finish the report in hand; gives everything that was acknowledged. There is no
    /// report under this load's keys that is not in it.
    #[track_caller]
    pub fn finish(self) -> Vec<Acknowledged> {
        self.shared.stopping.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("a thread that reports does not panic");
        }
        let wrong = locked(&self.shared.wrong);
        assert!(wrong.is_empty(), "good reports were answered wrongly: {wrong:#?}");
        std::mem::take(&mut *locked(&self.shared.acknowledged))
    }
}

impl Shared {
    fn report_on(&self, unit: &str, name: &str) {
        let year = today().year();
        for number in 0_u64.. {
            if self.stopping.load(Ordering::Relaxed) {
                return;
            }
            // Figures that rise and fall, so that alerts open and clear meanwhile.
            let period = year - i16::from(number % 3 == 0);
            let body = report(unit, period, number * 379 % 1000).to_string();
            if let Err(why) = self.send_until_acknowledged(&format!("{name}-{number}"), &body) {
                locked(&self.wrong).push(why);
                return;
            }
        }
    }

    fn send_until_acknowledged(&self, key: &str, body: &str) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            let http = locked(&self.http).clone();
            match send(&http, key, body) {
                Ok(acknowledged) => {
                    locked(&self.acknowledged).push(acknowledged);
                    return Ok(());
                }
                Err(Failed::Wrongly(why)) => return Err(why),
                Err(Failed::ForNow) if begun.elapsed() > PATIENCE => {
                    return Err(format!("{key} was not taken within {PATIENCE:?}"));
                }
                Err(Failed::ForNow) => std::thread::sleep(LOOK_AGAIN),
            }
        }
    }
}
