//! Health: named checks that the parts of a service set and that anyone may read.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How one part of a service is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// It does what it should.
    Ok,
    /// It works, but a person should look.
    Degraded {
        /// What is wrong.
        why: String,
    },
    /// It does not work.
    Down {
        /// What is wrong.
        why: String,
    },
}

/// One check, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckReport {
    /// Which part.
    pub name: String,
    /// How it is.
    #[serde(flatten)]
    pub state: State,
}

/// All checks of one service, as they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthReport {
    /// Which service.
    pub service: String,
    /// Whether no part is down.
    pub ok: bool,
    /// Every part, by name.
    pub checks: Vec<CheckReport>,
}

/// The checks of one service; clones share them.
#[derive(Debug, Clone)]
pub struct Health {
    service: &'static str,
    checks: Arc<Mutex<BTreeMap<&'static str, State>>>,
}

/// The right to say how one part is; clones speak of the same part.
#[derive(Debug, Clone)]
pub struct Check {
    name: &'static str,
    health: Health,
}

impl Health {
    /// Makes the registry of a service, with no check in it.
    pub fn new(service: &'static str) -> Health {
        Health { service, checks: Arc::default() }
    }

    /// Registers a part; it is down until it says otherwise.
    pub fn check(&self, name: &'static str) -> Check {
        let check = Check { name, health: self.clone() };
        check.set(State::Down { why: "it is starting".into() });
        check
    }

    /// How everything is now.
    pub fn report(&self) -> HealthReport {
        let states = self.states();
        HealthReport {
            service: self.service.into(),
            ok: !states.values().any(|state| matches!(state, State::Down { .. })),
            checks: states
                .iter()
                .map(|(name, state)| CheckReport { name: (*name).into(), state: state.clone() })
                .collect(),
        }
    }

    /// A state is replaced whole, so a thread that panicked meanwhile left nothing half-written.
    fn states(&self) -> MutexGuard<'_, BTreeMap<&'static str, State>> {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Check {
    /// Registers another part of the same service.
    pub fn beside(&self, name: &'static str) -> Check {
        self.health.check(name)
    }

    /// Says how the part is; a change is logged once, at the change.
    pub fn set(&self, state: State) {
        let before = self.health.states().insert(self.name, state.clone());
        if before.as_ref() == Some(&state) {
            return;
        }
        let (service, check) = (self.health.service, self.name);
        metrics::gauge!("planwatch_check_up", "check" => check).set(match &state {
            State::Ok | State::Degraded { .. } => 1,
            State::Down { .. } => 0,
        });
        match (&state, before) {
            (State::Ok, Some(_)) => tracing::info!(service, check, "`{check}` is well"),
            (State::Ok, None) | (State::Down { .. }, None) => {}
            (State::Degraded { why }, _) => tracing::warn!(service, check, "`{check}` is degraded: {why}"),
            // Most parts are down for another reason first: they wait for others while they start.
            (State::Down { why }, Some(State::Down { .. })) => {
                tracing::info!(service, check, "`{check}` is down: {why}");
            }
            (State::Down { why }, Some(_)) => tracing::warn!(service, check, "`{check}` is down: {why}"),
        }
    }

    /// Says that the part does what it should.
    pub fn ok(&self) {
        self.set(State::Ok);
    }

    /// Says that the part works but that a person should look.
    pub fn degraded(&self, why: impl Into<String>) {
        self.set(State::Degraded { why: why.into() });
    }

    /// Says that the part does not work.
    pub fn down(&self, why: impl Into<String>) {
        self.set(State::Down { why: why.into() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_ok_when_no_part_is_down() {
        let health = Health::new("ingestion");
        let (log, mirror) = (health.check("log"), health.check("mirror"));
        assert!(!health.report().ok, "a part that is starting is down");
        log.ok();
        mirror.degraded("the stream is being refilled");
        assert!(health.report().ok);
        mirror.down("the stream is another one");
        assert!(!health.report().ok);
    }

    #[test]
    fn a_report_is_written_as_others_read_it() {
        let health = Health::new("ingestion");
        health.check("log").ok();
        health.check("mirror").down("no server");
        let written = serde_json::to_string(&health.report()).unwrap();
        assert_eq!(
            written,
            r#"{"service":"ingestion","ok":false,"checks":[{"name":"log","state":"ok"},{"name":"mirror","state":"down","why":"no server"}]}"#
        );
        assert_eq!(serde_json::from_str::<HealthReport>(&written).unwrap(), health.report());
    }
}
