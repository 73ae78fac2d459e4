//! What is in flight: decisions sent to ingestion whose events the own fold has not met yet.
//!
//! A cell with a decision in flight is not decided again until the event has come back over the stream, so
//! that nothing is asked for twice. Should it not come, because the request was lost or refused, the cell is
//! looked at again after a while; asking twice would do no harm, it would only be answered as the first time.

use crate::rules::{Decided, Scope};
use events::{AlertId, EventData, IndicatorId, UnitId};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How long the events of a cell may take to come back before the cell is looked at again.
pub(crate) const BACK_WITHIN: Duration = Duration::from_secs(10);
/// How long a cell rests after ingestion has not taken a decision: twice as long each time in a row that
/// nothing is taken, up to the longest.
const FIRST_REST: Duration = Duration::from_millis(500);
const LONGEST_REST: Duration = Duration::from_secs(10);

/// What happened, or is to happen, to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Transition {
    Raised(AlertId),
    Resolved(AlertId),
}

impl Transition {
    /// What an event says about an alert, if it does.
    pub(crate) fn recorded(data: &EventData) -> Option<Transition> {
        match data {
            EventData::AlertRaised(data) => Some(Transition::Raised(data.alert)),
            EventData::AlertResolved(data) => Some(Transition::Resolved(data.alert)),
            EventData::PlanAdopted(_)
            | EventData::ReportSubmitted(_)
            | EventData::TargetChanged(_)
            | EventData::UnitChanged(_)
            | EventData::BaselineEntered(_)
            | EventData::PlanAmended(_)
            | EventData::DeadlineExtended(_)
            | EventData::AlertAcknowledged(_) => None,
        }
    }

    fn of(decided: &Decided) -> Transition {
        match decided {
            Decided::Raise(raised) => Transition::Raised(raised.alert),
            Decided::Resolve(resolved) => Transition::Resolved(resolved.alert),
        }
    }
}

/// A unit and an indicator, or without one the unit's reports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) unit: UnitId,
    indicator: Option<IndicatorId>,
}

impl Place {
    fn of(decided: &Decided) -> Place {
        Place { unit: decided.unit().clone(), indicator: decided.indicator().cloned() }
    }
}

/// The decisions of one place, in the order in which they are to be recorded.
#[derive(Debug, PartialEq)]
pub(crate) struct Group {
    pub(crate) place: Place,
    pub(crate) decided: Vec<Decided>,
}

#[derive(Debug)]
struct Awaited {
    transitions: BTreeSet<Transition>,
    until: Instant,
}

/// Every place that waits for its events.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    places: BTreeMap<Place, Awaited>,
    /// How long the next place rests whose decision is not taken; none while decisions are taken.
    rest: Option<Duration>,
    /// When the rest was last made longer: what fails together counts once.
    rest_grew: Option<Instant>,
}

impl InFlight {
    /// Takes decisions in and gives those back that are to be sent: of places where nothing is in flight.
    /// What is left out follows again once the place is looked at again.
    pub(crate) fn take(&mut self, decided: Vec<Decided>, now: Instant) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for decision in decided {
            let place = Place::of(&decision);
            if self.places.contains_key(&place) {
                continue;
            }
            match groups.iter_mut().find(|group| group.place == place) {
                Some(group) => group.decided.push(decision),
                None => groups.push(Group { place, decided: vec![decision] }),
            }
        }
        for group in &groups {
            let transitions = group.decided.iter().map(Transition::of).collect();
            self.places.insert(group.place.clone(), Awaited { transitions, until: now + BACK_WITHIN });
        }
        groups
    }

    /// Takes note of what the own fold has met.
    pub(crate) fn saw(&mut self, transitions: &[Transition]) {
        if self.places.is_empty() {
            return;
        }
        for awaited in self.places.values_mut() {
            awaited.transitions.retain(|transition| !transitions.contains(transition));
        }
        self.places.retain(|_, awaited| !awaited.transitions.is_empty());
    }

    /// Lets a place rest whose decision ingestion did not take.
    pub(crate) fn failed(&mut self, place: &Place, now: Instant) {
        let rest = match (self.rest, self.rest_grew) {
            (Some(rest), Some(grew)) if now.duration_since(grew) < rest => rest,
            (Some(rest), _) => self.grow((rest * 2).min(LONGEST_REST), now),
            (None, _) => self.grow(FIRST_REST, now),
        };
        if let Some(awaited) = self.places.get_mut(place) {
            awaited.until = now + rest;
        }
    }

    fn grow(&mut self, rest: Duration, now: Instant) -> Duration {
        self.rest = Some(rest);
        self.rest_grew = Some(now);
        rest
    }

    /// Takes note that ingestion takes decisions.
    pub(crate) fn taken(&mut self) {
        self.rest = None;
        self.rest_grew = None;
    }

    /// Gives up the places that have waited long enough: they are looked at again.
    pub(crate) fn expired(&mut self, now: Instant) -> Scope {
        let mut scope = Scope::nothing();
        self.places.retain(|place, awaited| {
            if awaited.until > now {
                return true;
            }
            scope.merge(Scope::of_cell(&place.unit, place.indicator.as_ref()));
            false
        });
        scope
    }

    /// When the first place has waited long enough.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.places.values().map(|awaited| awaited.until).min()
    }

    /// How many places wait.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::ids::derived_id;
    use events::{AlertRaised, AlertResolved, Resolution, Rule, Severity, Summary};

    fn summary() -> Summary {
        Summary { vi: "một câu".into(), en: "a sentence".into() }
    }

    fn raise(alert: &str, indicator: &str) -> Decided {
        Decided::Raise(AlertRaised {
            alert: derived_id(&[alert]),
            rule: Rule::Behind,
            unit: "di-an".parse().unwrap(),
            indicator: Some(indicator.parse().unwrap()),
            period: None,
            episode: 1,
            severity: Severity::Warning,
            because: Vec::new(),
            summary: summary(),
        })
    }

    fn resolve(alert: &str, indicator: &str) -> Decided {
        Decided::Resolve(AlertResolved {
            alert: derived_id(&[alert]),
            rule: Rule::AtRisk,
            unit: "di-an".parse().unwrap(),
            indicator: Some(indicator.parse().unwrap()),
            resolution: Resolution::Superseded,
            because: Vec::new(),
            summary: summary(),
        })
    }

    #[test]
    fn a_place_is_decided_again_only_after_its_events_have_come_back() {
        let now = Instant::now();
        let mut in_flight = InFlight::default();
        let both = vec![resolve("a", "life-skills"), raise("b", "life-skills")];
        let other = raise("c", "information-literacy");
        let groups = in_flight.take([both.clone(), vec![other.clone()]].concat(), now);
        assert_eq!(groups.iter().map(|group| group.decided.len()).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(groups[0].decided, both, "in their order, and together");

        assert_eq!(in_flight.take(both.clone(), now), [], "they are on their way");
        in_flight.saw(&[Transition::Resolved(derived_id(&["a"]))]);
        assert_eq!(in_flight.take(both.clone(), now), [], "one of the two is still on its way");
        // That another alert was raised, or the same one resolved, says nothing about this one.
        in_flight.saw(&[Transition::Resolved(derived_id(&["b"])), Transition::Raised(derived_id(&["c"]))]);
        assert_eq!(in_flight.take(both.clone(), now), []);
        in_flight.saw(&[Transition::Raised(derived_id(&["b"]))]);
        assert_eq!(in_flight.len(), 0);
        assert_eq!(in_flight.take(both, now).len(), 1);
    }

    #[test]
    fn what_does_not_come_back_is_looked_at_again() {
        let now = Instant::now();
        let mut in_flight = InFlight::default();
        let groups = in_flight.take(vec![raise("a", "life-skills"), raise("b", "university-degree")], now);
        in_flight.failed(&groups[0].place, now);
        assert_eq!(in_flight.next_expiry(), Some(now + FIRST_REST));
        assert!(in_flight.expired(now).is_empty());
        let unit: UnitId = "di-an".parse().unwrap();
        let of = |indicator: &str| Scope::of_cell(&unit, Some(&indicator.parse().unwrap()));
        assert_eq!(in_flight.expired(now + FIRST_REST), of("life-skills"));
        assert_eq!(in_flight.expired(now + BACK_WITHIN), of("university-degree"));
        assert_eq!(in_flight.next_expiry(), None);
    }

    #[test]
    fn the_rest_grows_while_nothing_is_taken_and_is_short_again_afterwards() {
        let mut now = Instant::now();
        let mut in_flight = InFlight::default();
        let mut rest = |in_flight: &mut InFlight, step: Duration| {
            now += step;
            let groups =
                in_flight.take(vec![raise("a", "life-skills"), raise("b", "university-degree")], now);
            for group in &groups {
                in_flight.failed(&group.place, now);
            }
            let rest = in_flight.next_expiry().unwrap() - now;
            in_flight.expired(now + LONGEST_REST);
            rest.as_millis()
        };
        let rests: Vec<u128> = (0..7).map(|_| rest(&mut in_flight, LONGEST_REST)).collect();
        assert_eq!(rests, [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
        in_flight.taken();
        assert_eq!(rest(&mut in_flight, Duration::ZERO), 500);
    }
}
