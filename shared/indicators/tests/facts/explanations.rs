//! Explanations: their end figures are the cell's, and their sentences can be followed with paper.

use crate::laws::{moment, steps, tell};
use crate::story::{DISTRICTS, PROVINCE, Story, given, indicator, level, rate, unit};
use events::{Position, Timestamp};
use indicators::{Cell, Explanation, Source, Value, Verdict, View};
use plan::Form;
use proptest::prelude::*;

/// The explanation with what the story's log tells of its events.
fn explained(story: &Story, view: View<'_>, of: &str, about: &str) -> Explanation {
    let plan = view.plan();
    let explanation = view.explain(plan.unit(&unit(of)).unwrap(), plan.indicator(&indicator(about)).unwrap());
    let sources = explanation
        .consulted()
        .iter()
        .map(|position| story.log.iter().find(|recorded| recorded.position == *position).unwrap())
        .map(|recorded| Source::of(recorded, &plan.calendar))
        .collect();
    explanation.with_sources(sources)
}

fn english(explanation: &Explanation) -> Vec<&str> {
    explanation.steps.iter().map(|step| step.en.as_str()).collect()
}

fn has(explanation: &Explanation, sentence: &str) {
    let english = english(explanation);
    assert!(english.contains(&sentence), "{sentence:?} is not in {english:#?}");
}

#[test]
fn a_districts_rate_is_worked_out_step_by_step() {
    let mut story = given();
    story.yearly("di-an", "life-skills", &[(2022, 2_000), (2024, 3_000)]);
    let explanation = explained(&story, story.as_of("2024-12-15"), "di-an", "life-skills");
    // From 20 % in 2022 to 50 % in 2025: E(2024) = 20 + 30·2/3 = 40; pace (30 − 20)/(40 − 20) = 1/2.
    for sentence in [
        "Period 2022 (baseline): 2000/10000 = 20.00 % (report 215/BC-UBND of 2022-11-20, revision 1, position 33).",
        "Period 2024 (value): 3000/10000 = 30.00 % (report 215/BC-UBND of 2024-11-20, revision 1, position 34).",
        "Path: 2022: 20.00 % → 2025: 50.00 % → 2030: 70.00 %.",
        "Expected E(2024) = 1/5 + (1/2 − 1/5) × 2 / 3 = 2/5 = 40.00 %.",
        "Pace = (V − B) / (E − B) = (1/10) / (1/5) = 1/2 = 0.50.",
        "Status “achieved”: does the value, 3000/10000 = 30.00 %, meet the target, 50 %? → no.",
        "Status “at-risk”: is the pace at least 0.60 (it is 1/2 = 0.50)? → no.",
        "Status “behind”: otherwise: the pace is below 0.60 (it is 1/2 = 0.50) → yes.",
        "The status is “behind”: the first rule that applies decides.",
        "Verdict 2025: none, the year has not ended.",
        "Needed: 20.00 percentage points per year to reach the target.",
        "An extrapolation, no forecast: going on as from 2022 to 2024 (5.00 points per year) gives 35.00 % in 2025.",
    ] {
        has(&explanation, sentence);
    }
    let vietnamese: Vec<&str> = explanation.steps.iter().map(|step| step.vi.as_str()).collect();
    assert!(
        vietnamese.contains(&"Mức cần có E(2024) = 1/5 + (1/2 − 1/5) × 2 / 3 = 2/5 = 40,00 %."),
        "{vietnamese:#?}"
    );
    assert_eq!(explanation.sources.len(), 4, "two reports and two targets");
    assert_eq!(explanation.cell, explained(&story, story.as_of("2024-12-15"), "di-an", "life-skills").cell);
}

#[test]
fn a_provinces_rate_names_every_district_and_who_is_missing() {
    let mut story = given();
    story.on("2023-11-20").all_report("2023", |place| vec![rate("life-skills", place as u64, 10)]);
    story.on("2024-11-20");
    for of in &DISTRICTS[..8] {
        story.report(of, "2024", [rate("life-skills", 5, 10)]);
    }
    let explanation = explained(&story, story.as_of("2024-12-15"), PROVINCE, "life-skills");
    // 0 + 1 + … + 8 = 36 of 90.
    has(
        &explanation,
        "Period 2023 (value): sum of numerators / sum of denominators of 9 of 9 units = 36/90 = 40.00 %; complete.",
    );
    has(
        &explanation,
        "Period 2024 (provisional): sum of numerators / sum of denominators of 8 of 9 units = 40/80 = 50.00 %; not complete: provisional, carries no status.",
    );
    has(&explanation, "  Bac Tan Uyen, period 2024: no line stands.");
    has(
        &explanation,
        "Status “no-baseline”: is there a single point and no baseline, or no target after the baseline? → yes.",
    );
    let value = explanation.periods.iter().find(|period| period.used_for == ["value"]).unwrap();
    assert_eq!((value.parts.len(), value.missing.len(), value.complete), (9, 0, true));
    assert_eq!((value.ratio.exact.as_str(), value.ratio.percent.as_str()), ("2/5", "40.00"));
}

#[test]
fn a_share_names_every_district_with_what_counts_what_is_stale_and_what_lapsed() {
    let mut story = given();
    story.on("2022-11-20").report("di-an", "2022", [crate::story::attained("learning-district", true)]);
    story.on("2024-11-20").report("thuan-an", "2024", [crate::story::attained("learning-district", true)]);
    let explanation = explained(&story, story.as_of("2025-06-01"), PROVINCE, "learning-districts");
    let of = |id: &str| explanation.states.iter().find(|state| state.unit == unit(id)).unwrap();
    assert_eq!(explanation.states.len(), 9);
    assert!(of("di-an").counts && of("di-an").stale && of("thuan-an").counts && !of("thuan-an").stale);
    // Recognised for 2022 and 36 months after it: until the end of 2025.
    assert_eq!(of("di-an").lapses_at.as_deref(), Some("2026-01-01T00:00:00+07:00"));
    assert!(of("ben-cat").part.is_none() && !of("ben-cat").counts);
    // 25 % of nine districts are three.
    has(&explanation, "Value V: 2 of 9 units = 22.22 % (period 2024), needs 1 more.");
    has(&explanation, "  Ben Cat: never reported; does not count.");
    let later = explained(&story, story.as_of("2026-06-01"), PROVINCE, "learning-districts");
    let di_an = later.states.iter().find(|state| state.unit == unit("di-an")).unwrap();
    assert!(!di_an.counts);
    assert_eq!(di_an.part.as_ref().unwrap().value, Value::Attained { attained: false, lapsed: true });
    assert!(later.outlook.is_none() && later.path.is_none(), "a share has neither path nor projection");
}

#[test]
fn a_level_that_was_lost_says_when_it_was_met() {
    let mut story = given();
    story.on("2022-11-20").report("di-an", "2022", [level("literacy-level", 2)]);
    story.on("2023-11-20").report("di-an", "2023", [level("literacy-level", 1)]);
    let explanation = explained(&story, story.as_of("2024-01-15"), "di-an", "districts-literacy-2");
    has(
        &explanation,
        "Status “regressing”: not met now, though it was met in an earlier year (at the end of 2022)? → yes.",
    );
}

/// The end figures of an explanation, worked out from its parts, against the cell's.
fn assert_is_the_cell(explanation: &Explanation, cell: &Cell, form: Form) {
    assert_eq!(&explanation.cell, cell);
    let decided = explanation.rules.iter().find(|rule| rule.applies).map(|rule| rule.status);
    if cell.degraded.is_none() {
        assert_eq!(decided, cell.status, "{explanation:#?}");
        for verdict in &explanation.verdicts {
            assert_eq!(verdict.verdict, cell.verdicts[&verdict.review]);
            let has_value = !matches!(verdict.verdict, None | Some(Verdict::NoData));
            assert_eq!(verdict.value.is_some(), has_value, "{verdict:?}");
        }
    }
    let spoken = explanation.targets.iter().find(|target| target.spoken_of);
    assert_eq!(spoken.map(|target| target.review), cell.target.as_ref().map(|target| target.review));
    if let Form::Rate { .. } = form {
        let used = |word: &str| {
            explanation.periods.iter().find(|period| period.used_for.iter().any(|used| used == word))
        };
        assert_eq!(used("value").map(|period| &period.value), cell.value.as_ref());
        assert_eq!(used("value").map(|period| period.period), cell.period);
        assert_eq!(
            used("baseline").map(|period| period.period),
            cell.baseline.as_ref().map(|base| base.period)
        );
        assert_eq!(
            used("provisional").map(|period| &period.value),
            cell.provisional.as_ref().map(|of| &of.value)
        );
        for period in &explanation.periods {
            let sum = period.parts.iter().fold((0, 0), |sum, part| match part.value {
                Value::Rate { numerator, denominator, .. } => (sum.0 + numerator, sum.1 + denominator),
                _ => panic!("a rate is made of rates"),
            });
            let Value::Rate { numerator, denominator, .. } = period.value else { panic!("a rate") };
            assert_eq!(sum, (numerator, denominator));
        }
        let path = explanation.path.as_ref();
        assert_eq!(path.map(|path| path.expected.percent.clone()), cell.expected);
        assert_eq!(path.and_then(|path| path.pace.as_ref()).map(|pace| pace.rounded.clone()), cell.pace);
    } else if let Some(Value::Share { count, of, stale, lapsed, .. }) = &cell.value {
        let states = &explanation.states;
        assert_eq!(states.iter().filter(|state| state.counts).count() as u32, *count);
        assert_eq!(states.len() as u32, *of);
        let is_stale = states.iter().filter(|state| state.stale).map(|state| state.unit.clone());
        assert_eq!(&is_stale.collect::<Vec<_>>(), stale);
        let has_lapsed = |value: &Value| matches!(value, Value::Attained { lapsed: true, .. });
        let gone =
            states.iter().filter(|state| state.part.as_ref().is_some_and(|part| has_lapsed(&part.value)));
        assert_eq!(&gone.map(|state| state.unit.clone()).collect::<Vec<_>>(), lapsed);
    } else if let Some(value) = &cell.value {
        let only = &explanation.states[0];
        assert_eq!(only.part.as_ref().map(|part| &part.value), Some(value));
        assert_eq!(only.period, cell.period);
    }
    let consulted: Vec<_> = explanation.sources.iter().map(|source| source.event).collect();
    for event in &cell.because {
        assert!(consulted.contains(event), "{event} is not explained");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_end_figures_of_an_explanation_are_the_cells(
        steps in steps(),
        cut in any::<proptest::sample::Index>(),
        as_of_day in 0_i64..3_200,
    ) {
        let told = tell(&steps);
        let story = &told.story;
        let cut = Position(1 + cut.index(story.log.len()) as u64);
        let cut = cut.min(story.facts.head());
        let moment = moment(story, cut, as_of_day);
        let view = View::new(&story.facts, moment).unwrap();
        for of in &story.plan.units {
            for about in ["life-skills", "districts-lower-secondary-2", "learning-districts", "province-literacy-level"] {
                let about = story.plan.indicator(&indicator(about)).unwrap();
                if story.plan.has_cell(of.level, about) {
                    let explanation = explained(story, view, of.id.as_str(), about.id.as_str());
                    assert_is_the_cell(&explanation, &view.cell(of, about), story.plan.form(about));
                    prop_assert!(explanation.steps.len() > 3);
                }
            }
        }
    }
}

#[test]
fn an_explanation_before_anything_is_reported_says_so() {
    let story = given();
    let now: Timestamp = "2023-01-01T00:00:00Z".parse().unwrap();
    let moment = indicators::Moment::at(Position(1), now);
    let view = View::new(&story.facts, moment).unwrap();
    let explanation = explained(&story, view, "di-an", "life-skills");
    has(&explanation, "Value: none stands.");
    has(&explanation, "Target: none is in force.");
    has(&explanation, "Status “no-data”: no value stands? → yes.");
}
