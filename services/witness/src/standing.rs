//! How a log stands with its witness: what keeps the witness from cosigning it, and what alarms.

use service::{CheckReport, State};
use std::path::PathBuf;

/// Everything about a log that a person should know.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    /// Why nothing of it is cosigned.
    pub(crate) unusable: Option<String>,
    /// Proof that it signed two histories. It stays until a person takes it away.
    pub(crate) forks: Vec<PathBuf>,
    /// What it shows less of than it had, while it does.
    pub(crate) shrank: Option<String>,
    /// What kept the witness from following it, the last time.
    pub(crate) not_followed: Option<String>,
}

impl Standing {
    /// The standing as one check.
    pub(crate) fn check(&self, origin: &str) -> CheckReport {
        let down = |why: String| State::Down { why };
        let state = match self {
            Standing { unusable: Some(why), .. } => down(why.clone()),
            Standing { forks, .. } if !forks.is_empty() => down(format!(
                "the log signed two histories; the proof lies in `{}`: show it to whoever relies on the log; once \
                 they know, move it away and start the witness again",
                forks[0].display()
            )),
            Standing { shrank: Some(why), .. } => down(why.clone()),
            Standing { not_followed: Some(why), .. } => State::Degraded { why: why.clone() },
            _ => State::Ok,
        };
        CheckReport { name: origin.to_owned(), state }
    }

    /// Sets the metrics that alarms are made of.
    pub(crate) fn count(&self, origin: &str) {
        let alarms = [
            ("unusable", self.unusable.is_some()),
            ("fork", !self.forks.is_empty()),
            ("shrank", self.shrank.is_some()),
            ("not-followed", self.not_followed.is_some()),
        ];
        for (kind, is_so) in alarms {
            metrics::gauge!("planwatch_witness_alarm", "log" => origin.to_owned(), "kind" => kind)
                .set(u8::from(is_so));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_is_said_first_and_trouble_with_following_is_no_alarm() {
        let mut standing = Standing::default();
        assert_eq!(standing.check("a").state, State::Ok);
        standing.not_followed = Some("no answer".to_owned());
        assert_eq!(standing.check("a").state, State::Degraded { why: "no answer".to_owned() });
        standing.shrank = Some("it shrank".to_owned());
        assert_eq!(standing.check("a").state, State::Down { why: "it shrank".to_owned() });
        standing.forks.push("findings/fork-7-00".into());
        let State::Down { why } = standing.check("a").state else { panic!("a fork is an alarm") };
        assert!(why.contains("findings/fork-7-00"), "{why}");
        standing.unusable = Some("damaged".to_owned());
        assert_eq!(standing.check("a").state, State::Down { why: "damaged".to_owned() });
    }
}
