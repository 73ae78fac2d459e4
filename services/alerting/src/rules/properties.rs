//! Laws of the rules, on stories told at random: they come to rest, and they keep their promises.

use super::story::{Story, attained, given_the_plan, level, rate, small_plan, transition_id, withdrawn};
use super::{Scope, decide};
use events::Resolution;
use proptest::prelude::*;

/// What may happen in a story told at random.
#[derive(Debug, Clone)]
enum Step {
    Report { unit: usize, period: i16, percent: u64, level: u8, attained: bool },
    Withdraw { unit: usize, period: i16 },
    Target { unit: Option<usize>, review: i16, percent: u8, days_ahead: i64 },
    Days(i64),
}

const UNITS: [&str; 3] = ["dong", "tay", "nam"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let report = (0..3_usize, 2021..2027_i16, 0..=100_u64, 0..=2_u8, any::<bool>()).prop_map(
        |(unit, period, percent, level, attained)| Step::Report { unit, period, percent, level, attained },
    );
    let withdraw = (0..3_usize, 2021..2027_i16).prop_map(|(unit, period)| Step::Withdraw { unit, period });
    let review = prop_oneof![Just(2025_i16), Just(2030_i16)];
    let target = (proptest::option::of(0..3_usize), review, 0..=100_u8, 0..400_i64)
        .prop_map(|(unit, review, percent, days_ahead)| Step::Target { unit, review, percent, days_ahead });
    let days = (1..500_i64).prop_map(Step::Days);
    proptest::collection::vec(prop_oneof![5 => report, 1 => withdraw, 2 => target, 3 => days], 1..25)
}

fn tell(steps: &[Step]) -> Story {
    let calendar = small_plan().calendar;
    let mut story = given_the_plan().on("2022-04-01");
    for step in steps {
        story = match step {
            Step::Report { unit, period, percent, level: reached, attained: has } => story.report(
                UNITS[*unit],
                *period,
                &[
                    rate("life-skills", *percent, 100),
                    level("literacy-level", *reached),
                    attained("learning-district", *has),
                ],
            ),
            Step::Withdraw { unit, period } => {
                story.report(UNITS[*unit], *period, &[withdrawn("life-skills"), withdrawn("literacy-level")])
            }
            Step::Target { unit, review, percent, days_ahead } => {
                let day =
                    calendar.date_of(story.now).checked_add(jiff::Span::new().days(*days_ahead)).unwrap();
                let unit = unit.map(|unit| UNITS[unit]);
                story.target(("life-skills", unit), *review, &percent.to_string(), &day.to_string())
            }
            Step::Days(days) => {
                let day = calendar.date_of(story.now).checked_add(jiff::Span::new().days(*days)).unwrap();
                story.on(&day.to_string())
            }
        };
    }
    story
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The story itself asserts after each event that nothing more follows, within the scope and outside it.
    #[test]
    fn whatever_happens_the_rules_come_to_rest_and_keep_their_promises(steps in steps()) {
        let story = tell(&steps);
        prop_assert_eq!(decide(&story.view(), &Scope::everything()), []);
        for alert in story.facts.open_alerts() {
            // Never at risk beside behind.
            if alert.rule == events::Rule::AtRisk {
                let behind = story.facts.open_alert(events::Rule::Behind, &alert.unit, alert.indicator.as_ref(), None);
                prop_assert!(behind.is_none());
            }
            prop_assert!(!alert.because.is_empty(), "an alert names what it rests on");
        }
        // No episode has the id of another, and each has one beginning and at most one end.
        let ids: Vec<_> = story.decided.iter().map(transition_id).collect();
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        prop_assert_eq!(ids.len(), distinct.len());
        // A cell recovers only with a value of a newer period than the one that fired.
        for alert in story.facts.alerts() {
            let Some(resolved) = &alert.resolved else { continue };
            if resolved.resolution == Resolution::Recovered && alert.indicator.is_some() {
                let figures = resolved.because.iter().any(|event| !alert.because.contains(event));
                prop_assert!(figures, "a recovery rests on something new");
            }
        }
    }

    /// Folding the log again decides nothing: what the rules did is in it.
    #[test]
    fn deciding_twice_gives_the_same_events(steps in steps()) {
        let (once, again) = (tell(&steps), tell(&steps));
        prop_assert_eq!(once.facts.digest(), again.facts.digest());
        prop_assert_eq!(once.decided, again.decided);
    }
}
