//! Alerts among the facts: episodes, the open one of a cell, and how they looked at a cut.

use crate::story::{Story, given, indicator, unit};
use events::{
    AlertAcknowledged, AlertId, AlertRaised, AlertResolved, EventData, Period, Position, Resolution, Rule,
    Severity, Summary,
};
use indicators::{AlertState, AlertsQuery};

fn summary() -> Summary {
    Summary { vi: "Dĩ An chậm".into(), en: "Dĩ An is behind".into() }
}

pub(crate) fn alert_id(words: &str) -> AlertId {
    events::ids::derived_id(&["alert", words])
}

impl Story {
    pub(crate) fn raise(
        &mut self,
        name: &str,
        rule: Rule,
        of: &str,
        about: Option<&str>,
        period: i16,
    ) -> &mut Story {
        let about = about.map(indicator);
        let episode = self.facts.episodes(rule, &unit(of), about.as_ref()) + 1;
        let data = AlertRaised {
            alert: alert_id(name),
            rule,
            unit: unit(of),
            indicator: about,
            period: Some(Period(period)),
            episode,
            severity: Severity::Warning,
            because: vec![self.log[0].event.id],
            summary: summary(),
        };
        self.record("2024-01-01T00:00:00Z".parse().unwrap(), EventData::AlertRaised(data))
    }

    pub(crate) fn resolve(&mut self, name: &str, resolution: Resolution) -> &mut Story {
        let open = self.facts.alert(&alert_id(name)).unwrap();
        let data = AlertResolved {
            alert: open.id,
            rule: open.rule,
            unit: open.unit.clone(),
            indicator: open.indicator.clone(),
            resolution,
            because: vec![self.log[1].event.id],
            summary: summary(),
        };
        self.record("2024-01-01T00:00:00Z".parse().unwrap(), EventData::AlertResolved(data))
    }

    pub(crate) fn acknowledge(&mut self, name: &str, note: &str) -> &mut Story {
        let open = self.facts.alert(&alert_id(name)).unwrap();
        let data = AlertAcknowledged {
            alert: open.id,
            unit: open.unit.clone(),
            note: note.into(),
            review_by: Some("2024-06-30".parse().unwrap()),
            request_digest: None,
        };
        self.record("2024-01-01T00:00:00Z".parse().unwrap(), EventData::AlertAcknowledged(data))
    }
}

#[test]
fn an_alert_is_seen_as_it_stood_at_a_cut() {
    let mut story = given();
    story.on("2024-01-10").raise("first", Rule::Behind, "di-an", Some("life-skills"), 2023);
    let raised = story.facts.head();
    story.on("2024-01-12").acknowledge("first", "we look into it");
    let acknowledged = story.facts.head();
    story.on("2024-02-01").resolve("first", Resolution::Corrected);
    let at = |cut| story.alerts_at(cut);
    assert_eq!(at(Position(raised.0 - 1)), []);
    let [alert] = &at(raised)[..] else { panic!("one alert") };
    assert_eq!((alert.state, alert.episode), (AlertState::Firing, 1));
    assert_eq!(alert.raised_at, "2024-01-10T09:00:00+07:00");
    assert_eq!((&alert.acknowledged, &alert.resolved_at), (&None, &None));
    assert_eq!(alert.because, [story.log[0].event.id]);
    let [alert] = &at(acknowledged)[..] else { panic!("one alert") };
    assert_eq!(alert.acknowledged.as_ref().unwrap().note, "we look into it");
    assert_eq!(alert.state, AlertState::Firing);
    let [alert] = &at(story.facts.head())[..] else { panic!("one alert") };
    assert_eq!((alert.state, alert.resolution), (AlertState::Resolved, Some(Resolution::Corrected)));
    assert_eq!(alert.resolved_at.as_deref(), Some("2024-02-01T09:00:00+07:00"));
    assert_eq!(alert.because, [story.log[0].event.id, story.log[1].event.id]);
}

#[test]
fn one_alert_of_a_rule_and_cell_is_open_at_a_time() {
    let mut story = given();
    let about = indicator("life-skills");
    let of = unit("di-an");
    story.on("2024-01-10").raise("first", Rule::Behind, "di-an", Some("life-skills"), 2023);
    // Another period is the same episode; the open alert is found whatever the period.
    let open = story.facts.open_alert(Rule::Behind, &of, Some(&about), Some(Period(2024))).unwrap();
    assert_eq!(open.id, alert_id("first"));
    assert!(story.facts.open_alert(Rule::AtRisk, &of, Some(&about), None).is_none());
    story.resolve("first", Resolution::Recovered);
    assert!(story.facts.open_alert(Rule::Behind, &of, Some(&about), None).is_none());
    story.raise("second", Rule::Behind, "di-an", Some("life-skills"), 2024);
    assert_eq!(story.facts.episodes(Rule::Behind, &of, Some(&about)), 2);
    assert_eq!(story.alerts_at(story.facts.head())[0].episode, 2);
    assert_eq!(story.facts.open_alerts().count(), 1);
}

#[test]
fn overdue_alerts_stand_for_their_period() {
    let mut story = given();
    story.on("2024-01-10").raise("of 2022", Rule::Overdue, "di-an", None, 2022);
    story.raise("of 2023", Rule::Overdue, "di-an", None, 2023);
    let open = |year| story.facts.open_alert(Rule::Overdue, &unit("di-an"), None, Some(Period(year)));
    assert_eq!(open(2022).unwrap().id, alert_id("of 2022"));
    assert_eq!(open(2023).unwrap().id, alert_id("of 2023"));
    assert!(open(2024).is_none());
    story.resolve("of 2022", Resolution::Recovered);
    let open: Vec<_> = story.facts.open_alerts().map(|alert| alert.id).collect();
    assert_eq!(open, [alert_id("of 2023")]);
}

#[test]
fn alerts_can_be_asked_for_by_state_and_unit_newest_first() {
    let mut story = given();
    story.on("2024-01-10").raise("a", Rule::Behind, "di-an", Some("life-skills"), 2023);
    story.raise("b", Rule::Behind, "bau-bang", Some("life-skills"), 2023);
    story.raise("c", Rule::AtRisk, "di-an", Some("information-literacy"), 2023);
    story.resolve("a", Resolution::Recovered);
    let ids = |query: &AlertsQuery| -> Vec<AlertId> {
        let alerts = story.facts.alerts_at(&story.plan.calendar, story.facts.head(), query);
        alerts.into_iter().map(|alert| alert.id).collect()
    };
    assert_eq!(ids(&AlertsQuery::default()), ["c", "b", "a"].map(alert_id));
    let firing = AlertsQuery { state: Some(AlertState::Firing), unit: None };
    assert_eq!(ids(&firing), ["c", "b"].map(alert_id));
    let of_di_an = AlertsQuery { state: None, unit: Some(unit("di-an")) };
    assert_eq!(ids(&of_di_an), ["c", "a"].map(alert_id));
    let pending = AlertsQuery { state: Some(AlertState::Pending), unit: None };
    assert!(ids(&pending).is_empty());
}
