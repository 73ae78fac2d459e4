//! What holds for every log: random logs are told, folded in every way, and must come out the same.

use crate::parked::poison;
use crate::reform::{establish, merge, split};
use crate::segments::{dump, loaded};
use crate::story::{PROVINCE, Story, attained, given, level, percent, rate, withdrawn};
use events::{EventData, KeyValue, Position, Resolution, Rule, TargetValue, UnitChange};
use indicators::{Batch, Cell, Facts, FoldError, Moment, Preparer, Revision, View, read_moment};
use proptest::prelude::*;

/// One step of a random story.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Days(u16),
    Rate {
        of: usize,
        year: i16,
        numerator: u64,
        denominator: u64,
    },
    Level {
        of: usize,
        year: i16,
        level: u8,
    },
    Recognised {
        of: usize,
        year: i16,
        attained: bool,
    },
    Withdrawn {
        of: usize,
        year: i16,
    },
    /// Several lines in one report, some of one measure twice, on paper from before the plan or not.
    Several {
        of: usize,
        year: i16,
        lines: Vec<(usize, u64)>,
        history: bool,
    },
    OfProvince {
        year: i16,
        level: u8,
    },
    Target {
        own: Option<usize>,
        review: i16,
        percent: u8,
        effective_year: i16,
    },
    OwnTargetWithdrawn {
        of: usize,
        review: i16,
    },
    Retype {
        of: usize,
    },
    Dissolve {
        of: usize,
        year: i16,
    },
    Baseline {
        of: usize,
        period: i16,
        numerator: Option<u64>,
    },
    Amend {
        key: usize,
        hundredths: u32,
        effective_year: i16,
    },
    Extend {
        own: Option<usize>,
        year: i16,
        days: i8,
    },
    Establish {
        of: usize,
        year: i16,
    },
    Merge {
        of: usize,
        into: usize,
        share: Option<(u64, u64)>,
        year: i16,
    },
    Split {
        of: usize,
        into: usize,
        year: i16,
    },
    Raise {
        of: usize,
        overdue: bool,
    },
    Acknowledge,
    Resolve,
    Poison {
        of: usize,
    },
    /// A report that names a measure that the plan does not have.
    Unheard {
        of: usize,
        year: i16,
    },
    /// A report that leaves a revision out.
    LeavesOut {
        of: usize,
        year: i16,
    },
}

/// The nine districts, and three units that may be established.
const UNITS: [&str; 12] = [
    "thu-dau-mot",
    "bau-bang",
    "dau-tieng",
    "ben-cat",
    "phu-giao",
    "tan-uyen",
    "di-an",
    "thuan-an",
    "bac-tan-uyen",
    "first-ward",
    "second-ward",
    "third-ward",
];

fn step() -> impl Strategy<Value = Step> {
    let of = 0..UNITS.len();
    let year = 2021_i16..=2030;
    let review = prop_oneof![Just(2025_i16), Just(2030)];
    prop_oneof![
        4 => (0_u16..500).prop_map(Step::Days),
        6 => (of.clone(), year.clone(), 0_u64..100, 0_u64..200).prop_map(|(of, year, numerator, more)| {
            Step::Rate { of, year, numerator, denominator: numerator + more }
        }),
        3 => (of.clone(), year.clone(), 0_u8..=3).prop_map(|(of, year, level)| Step::Level { of, year, level }),
        3 => (of.clone(), year.clone(), any::<bool>())
            .prop_map(|(of, year, attained)| Step::Recognised { of, year, attained }),
        1 => (of.clone(), year.clone()).prop_map(|(of, year)| Step::Withdrawn { of, year }),
        3 => (of.clone(), year.clone(), proptest::collection::vec((0_usize..4, 0_u64..4), 0..5), any::<bool>())
            .prop_map(|(of, year, lines, history)| Step::Several { of, year, lines, history }),
        2 => (year.clone(), 0_u8..=2).prop_map(|(year, level)| Step::OfProvince { year, level }),
        2 => (proptest::option::of(of.clone()), review.clone(), 0_u8..=100, 2022_i16..=2030).prop_map(
            |(own, review, percent, effective_year)| Step::Target { own, review, percent, effective_year }
        ),
        1 => (of.clone(), review).prop_map(|(of, review)| Step::OwnTargetWithdrawn { of, review }),
        1 => of.clone().prop_map(|of| Step::Retype { of }),
        1 => (of.clone(), 2023_i16..=2030).prop_map(|(of, year)| Step::Dissolve { of, year }),
        1 => (of.clone(), 2018_i16..=2024, proptest::option::of(0_u64..100))
            .prop_map(|(of, period, numerator)| Step::Baseline { of, period, numerator }),
        1 => (0_usize..4, 61_u32..90, 2022_i16..=2030)
            .prop_map(|(key, hundredths, effective_year)| Step::Amend { key, hundredths, effective_year }),
        1 => (proptest::option::of(of.clone()), 2022_i16..=2030, 2_i8..=28)
            .prop_map(|(own, year, days)| Step::Extend { own, year, days }),
        2 => (9..UNITS.len(), 2023_i16..=2030).prop_map(|(of, year)| Step::Establish { of, year }),
        1 => (of.clone(), of.clone(), proptest::option::of((1_u64..3, 3_u64..5)), 2023_i16..=2030)
            .prop_map(|(of, into, share, year)| Step::Merge { of, into, share, year }),
        1 => (of.clone(), of.clone(), 2023_i16..=2030)
            .prop_map(|(of, into, year)| Step::Split { of, into, year }),
        2 => (of.clone(), any::<bool>()).prop_map(|(of, overdue)| Step::Raise { of, overdue }),
        1 => Just(Step::Acknowledge),
        1 => Just(Step::Resolve),
        1 => of.clone().prop_map(|of| Step::Poison { of }),
        1 => (of.clone(), year.clone()).prop_map(|(of, year)| Step::Unheard { of, year }),
        1 => (of, year).prop_map(|(of, year)| Step::LeavesOut { of, year }),
    ]
}

/// A random log as the bytes that a log holds, with the recorded times.
pub(crate) struct Told {
    pub(crate) story: Story,
    pub(crate) log: Vec<Vec<u8>>,
}

pub(crate) fn tell(steps: &[Step]) -> Told {
    let mut story = given();
    let mut log: Vec<Vec<u8>> = written(&story, 0);
    let mut day = jiff::civil::date(2022, 4, 1);
    let mut open: Vec<String> = Vec::new();
    for (number, step) in steps.iter().enumerate() {
        let before = story.log.len();
        story.on(&day.to_string());
        match step {
            Step::Days(days) => day = day.saturating_add(jiff::Span::new().days(i64::from(*days))),
            Step::Rate { of, year, numerator, denominator } => {
                let line = rate("life-skills", *numerator, *denominator);
                story.report(UNITS[*of], &year.to_string(), [line]);
            }
            Step::Level { of, year, level: reached } => {
                let line = level("lower-secondary-level", *reached);
                story.report(UNITS[*of], &year.to_string(), [line]);
            }
            Step::Recognised { of, year, attained: is } => {
                story.report(UNITS[*of], &year.to_string(), [attained("learning-district", *is)]);
            }
            Step::Withdrawn { of, year } => {
                story.report(UNITS[*of], &year.to_string(), [withdrawn("life-skills")]);
            }
            Step::Several { of, year, lines, history } => {
                let line = |(which, number): &(usize, u64)| match which {
                    0 => rate("life-skills", *number, 4),
                    1 => withdrawn("life-skills"),
                    2 => level("lower-secondary-level", *number as u8),
                    _ => attained("learning-district", *number > 1),
                };
                if *history {
                    story.document("2021-11-20").history();
                }
                story.report(UNITS[*of], &year.to_string(), lines.iter().map(line));
            }
            Step::Unheard { of, year } => {
                let lines = [rate("life-skills", 1, 2), rate("nobody-measures-this", 1, 2)];
                story.report(UNITS[*of], &year.to_string(), lines);
            }
            Step::LeavesOut { of, year } => {
                let mut other = story.clone();
                other.report(UNITS[*of], &year.to_string(), [rate("life-skills", 1, 2)]);
                let mut event = other.log.pop().unwrap().event;
                if let EventData::ReportSubmitted(data) = &mut event.data {
                    data.revision += 1;
                }
                story.record(event.effective, event.data);
            }
            Step::OfProvince { year, level: reached } => {
                story.report(PROVINCE, &year.to_string(), [level("province-literacy-level", *reached)]);
            }
            Step::Target { own, review, percent: value, effective_year } => {
                let own = own.map(|of| UNITS[of]);
                let value = percent(&value.to_string());
                story.target("life-skills", own, *review, value, &format!("{effective_year}-06-01"));
            }
            Step::OwnTargetWithdrawn { of, review } => {
                let value = TargetValue::Withdrawn(true);
                story.target("life-skills", Some(UNITS[*of]), *review, value, "2024-01-01");
            }
            Step::Retype { of } => {
                let change = UnitChange::Retype { unit_type: format!("type {number}") };
                story.change(UNITS[*of], change, "2024-01-01");
            }
            Step::Dissolve { of, year } => {
                story.change(UNITS[*of], UnitChange::Dissolve, &format!("{year}-07-01"));
            }
            Step::Establish { of, year } => {
                story.change(UNITS[*of], establish(UNITS[*of]), &format!("{year}-01-01"));
            }
            Step::Merge { of, into, share, year } => {
                story.change(UNITS[*of], merge(UNITS[*into], *share), &format!("{year}-07-01"));
            }
            Step::Split { of, into, year } => {
                let change = split([(UNITS[*into], Some((1, 2))), (UNITS[11 - *of], None)]);
                story.change(UNITS[*of], change, &format!("{year}-07-01"));
            }
            Step::Baseline { of, period, numerator } => {
                let figures = numerator.map(|numerator| (numerator, 100));
                story.baseline(UNITS[*of], "life-skills", *period, figures, "2024-06-01");
            }
            Step::Amend { key, hundredths, effective_year } => {
                let ratio = KeyValue::Text(format!("0.{hundredths}"));
                let change = match key {
                    0 => ("thresholds.on_track", ratio),
                    1 => ("indicators.life-skills.binds_districts", KeyValue::Flag(hundredths % 2 == 0)),
                    2 => ("measures.learning-district.months", KeyValue::Whole(*hundredths)),
                    _ => (
                        "reviews.2025.units_as_of",
                        KeyValue::Text(format!("2024-03-{}", hundredths % 20 + 10)),
                    ),
                };
                story.amend(&[change], &format!("{effective_year}-01-01"));
            }
            Step::Extend { own, year, days } => {
                let own = own.map(|of| UNITS[of]);
                story.extend(*year, own, &format!("{year}-12-{days:02}"), &format!("{year}-11-25"));
            }
            Step::Raise { of, overdue } => {
                let name = format!("alert {number}");
                let (rule, about) =
                    if *overdue { (Rule::Overdue, None) } else { (Rule::Behind, Some("life-skills")) };
                story.raise(&name, rule, UNITS[*of], about, 2023);
                // One that was open already has parked its unit; only one among the facts can be resolved.
                open.push(name);
            }
            Step::Acknowledge => {
                if let Some(name) = known(&story, &open).last() {
                    story.acknowledge(name, "seen");
                }
            }
            Step::Resolve => {
                if let Some(name) = known(&story, &open).first() {
                    story.resolve(name, Resolution::Corrected);
                    open.retain(|other| other != name);
                }
            }
            Step::Poison { of } => {
                let bytes = poison(&mut story, UNITS[*of]);
                story.facts.apply_bytes(&bytes).unwrap();
                log.push(bytes);
            }
        }
        log.extend(written(&story, before));
    }
    Told { story, log }
}

fn known(story: &Story, open: &[String]) -> Vec<String> {
    let among_facts = open.iter().filter(|name| story.facts.alert(&crate::alerts::alert_id(name)).is_some());
    among_facts.cloned().collect()
}

fn written(story: &Story, from: usize) -> Vec<Vec<u8>> {
    story.log[from..].iter().map(|recorded| events::wire::write(recorded).unwrap()).collect()
}

fn fold(facts: &mut Facts, log: &[Vec<u8>]) {
    for bytes in log {
        facts.apply_bytes(bytes).unwrap();
    }
}

fn cells(facts: &Facts, moment: Moment) -> Vec<Cell> {
    View::new(facts, moment).unwrap().cells()
}

/// Any cut, and the start of a day after the adoption.
pub(crate) fn moment(story: &Story, cut: Position, as_of_day: i64) -> Moment {
    let first_day = story.plan.calendar.start_of_day("2022-03-16".parse().unwrap());
    let as_of = first_day + jiff::SignedDuration::from_hours(24 * as_of_day);
    Moment { cut, known_at: story.facts.head_recorded_at().unwrap(), as_of }
}

/// A log in batches of some sizes, in order, that were decoded in another order.
fn prepared(log: &[Vec<u8>], sizes: &[usize], turns: &[u8]) -> Vec<Batch> {
    let mut parts = Vec::new();
    let mut rest = log;
    for size in sizes.iter().cycle() {
        let (part, later) = rest.split_at((*size).min(rest.len()));
        parts.push(part);
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|index| turns[index % turns.len()]);
    let preparer = Preparer::new();
    let mut batches: Vec<(usize, Batch)> = order
        .into_iter()
        .map(|index| (index, preparer.prepare(parts[index].iter().map(Vec::as_slice))))
        .collect();
    batches.sort_by_key(|(index, _)| *index);
    batches.into_iter().map(|(_, batch)| batch).collect()
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_split_of_the_log_folds_to_the_same(
        steps in steps(),
        at in any::<proptest::sample::Index>(),
        again in any::<proptest::sample::Index>(),
        cut in any::<proptest::sample::Index>(),
        as_of_day in 0_i64..3_200,
    ) {
        let Told { story, log } = tell(&steps);
        let mut whole = Facts::new();
        fold(&mut whole, &log);
        let split = 1 + at.index(log.len());
        let mut first = Facts::new();
        fold(&mut first, &log[..split]);
        let mut segments = vec![dump(&first)];
        let mut restored = loaded(&segments).unwrap();
        fold(&mut first, &log[split..]);
        fold(&mut restored, &log[split..]);
        prop_assert_eq!(first.digest(), whole.digest());
        prop_assert_eq!(restored.digest(), whole.digest());
        prop_assert_eq!(story.facts.digest(), whole.digest());
        prop_assert_eq!(dump(&restored), dump(&whole));
        let mut decoded_ahead = loaded(&segments).unwrap();
        let tail = Preparer::of(&decoded_ahead).prepare(log[split..].iter().map(Vec::as_slice));
        decoded_ahead.apply_batch(tail).unwrap();
        prop_assert_eq!(dump(&decoded_ahead), dump(&whole));
        // What the answers are found by is not in the segments: it has to come back the same.
        let cut = Position(1 + cut.index(log.len()) as u64);
        let moment = moment(&story, cut, as_of_day);
        prop_assert_eq!(cells(&restored, moment), cells(&whole, moment));
        prop_assert_eq!(cells(&decoded_ahead, moment), cells(&whole, moment));
        prop_assert_eq!(restored.digest_at(cut), whole.walked_digest_at(cut));
        prop_assert_eq!(decoded_ahead.digest_at(cut), whole.walked_digest_at(cut));
        prop_assert_eq!(whole.walked_digest_at(whole.head()), whole.digest());
        // The same in three segments, the later ones written by facts that were loaded themselves.
        let mut grown = loaded(&segments).unwrap();
        let second = split + again.index(log.len() - split + 1);
        for (from, to) in [(split, second), (second, log.len())] {
            if from < to {
                fold(&mut grown, &log[from..to]);
                segments.push(grown.segment(Position(from as u64), [7; 32], [7; 32]));
                grown = loaded(&segments).unwrap();
            }
        }
        prop_assert_eq!(dump(&grown), dump(&whole));
        prop_assert_eq!(grown.walked_digest_at(grown.head()), whole.digest());
        prop_assert_eq!(cells(&grown, moment), cells(&whole, moment));
        prop_assert_eq!(grown.digest_at(cut), whole.walked_digest_at(cut));
    }

    #[test]
    fn batches_fold_to_the_same_however_they_are_cut(
        steps in steps(),
        sizes in proptest::collection::vec(1_usize..20, 1..40),
        turns in proptest::collection::vec(any::<u8>(), 1..9),
        spaced in any::<bool>(),
        bound in any::<proptest::sample::Index>(),
    ) {
        let Told { story, mut log } = tell(&steps);
        if spaced {
            // Reports that are not written as this version writes them go the general way.
            log.iter_mut().step_by(3).for_each(|bytes| bytes.push(b' '));
        }
        let mut facts = Facts::new();
        for batch in prepared(&log, &sizes, &turns) {
            facts.apply_batch(batch).unwrap();
        }
        prop_assert_eq!(dump(&facts), dump(&story.facts));
        prop_assert_eq!(facts.walked_digest_at(facts.head()), facts.digest());
        let refused = facts.apply_batch(Preparer::of(&facts).prepare([log[0].as_slice()])).unwrap_err();
        prop_assert!(refused.to_string().contains("the fold is at position"), "{}", refused);
        // The same up to a bound.
        let bound = Position(bound.index(log.len() + 1) as u64);
        let (mut bounded, mut plain) = (Facts::new(), Facts::new());
        for batch in prepared(&log, &sizes, &turns) {
            bounded.apply_batch_until(batch, |position, _| position > bound).unwrap();
            if bounded.head() == bound {
                break;
            }
        }
        fold(&mut plain, &log[..bound.0 as usize]);
        prop_assert_eq!(bounded.head(), bound);
        prop_assert_eq!(dump(&bounded), dump(&plain));
    }

    #[test]
    fn what_stands_at_a_moment_is_what_walking_the_log_finds(
        steps in steps(),
        at in any::<proptest::sample::Index>(),
        as_of_day in 0_i64..3_200,
    ) {
        let Told { story, log } = tell(&steps);
        let cut = Position(1 + at.index(log.len()) as u64);
        let first_day = story.plan.calendar.start_of_day("2022-03-16".parse().unwrap());
        let as_of = first_day + jiff::SignedDuration::from_hours(24 * as_of_day);
        let facts = &story.facts;
        for of in &story.plan.units {
            for period in story.plan.calendar.periods() {
                let revisions: Vec<_> = facts.revisions(&of.id, period).iter().collect();
                let known = |position: Position| revisions.iter().find(|revision| revision.position == position);
                // Reports that were set aside are not among the revisions.
                let reports = story.log.iter().filter_map(|recorded| match &recorded.event.data {
                    EventData::ReportSubmitted(data) if data.unit == of.id && data.period == period => {
                        Some((known(recorded.position)?, data))
                    }
                    _ => None,
                });
                let held: Vec<_> = reports
                    .filter(|(revision, _)| revision.position <= cut && revision.effective <= as_of)
                    .collect();
                for measure in &story.plan.measures {
                    let walked = held.iter().rev().find_map(|(revision, data)| {
                        let line = data.lines.iter().find(|line| line.measure == measure.id)?;
                        Some((**revision, line.value))
                    });
                    prop_assert_eq!(facts.last_naming_at(&of.id, period, &measure.id, cut, as_of), walked);
                }
                let judged_by =
                    |of: &Revision| if of.history { of.effective } else { of.recorded_at };
                let first = held.iter().map(|(revision, _)| **revision);
                let first = first.min_by_key(|revision| (judged_by(revision), revision.position));
                prop_assert_eq!(facts.first_revision_at(&of.id, period, cut, as_of), first);
            }
        }
    }

    #[test]
    fn a_cut_of_a_longer_log_is_the_fold_of_its_beginning(
        steps in steps(),
        at in any::<proptest::sample::Index>(),
        as_of_day in 0_i64..3_200,
    ) {
        let Told { story, log } = tell(&steps);
        let cut = Position(1 + at.index(log.len()) as u64);
        let mut beginning = Facts::new();
        fold(&mut beginning, &log[..cut.0 as usize]);
        let known_at = beginning.head_recorded_at().unwrap();
        let first_day = story.plan.calendar.start_of_day("2022-03-16".parse().unwrap());
        let as_of = first_day + jiff::SignedDuration::from_hours(24 * as_of_day);
        let moment = Moment { cut, known_at, as_of };
        prop_assert_eq!(story.facts.digest_at(cut), beginning.digest());
        prop_assert_eq!(story.facts.walked_digest_at(cut), beginning.digest());
        prop_assert_eq!(cells(&story.facts, moment), cells(&beginning, moment));
        let of_beginning = beginning.alerts_at(&story.plan.calendar, cut, &Default::default());
        prop_assert_eq!(story.alerts_at(cut), of_beginning);
    }

    #[test]
    fn as_of_and_known_at_the_end_equal_now(steps in steps()) {
        let Told { story, .. } = tell(&steps);
        let now = "2033-01-01T00:00:00Z".parse().unwrap();
        let at_now = Moment::at(story.facts.head(), now);
        let shown = story.plan.calendar.shown(now);
        for (as_of, known_at) in [
            (None, None),
            (Some(shown.as_str()), None),
            (None, Some(shown.as_str())),
            (Some("2033-01-01"), Some("2033-01-01")),
        ] {
            let (known_at, as_of) = read_moment(&story.plan.calendar, as_of, known_at, now).unwrap();
            let moment = Moment { cut: story.facts.head(), known_at, as_of };
            prop_assert_eq!(moment, at_now);
            prop_assert_eq!(cells(&story.facts, moment), cells(&story.facts, at_now));
        }
    }

    #[test]
    fn only_the_next_position_is_folded(steps in steps(), at in any::<proptest::sample::Index>()) {
        let Told { mut story, log } = tell(&steps);
        let before = dump(&story.facts);
        let repeated = &log[at.index(log.len())];
        let refused = story.facts.apply_bytes(repeated).unwrap_err();
        let out_of_order =
            matches!(refused, indicators::ApplyError::Fold(FoldError::OutOfOrder { .. }));
        prop_assert!(out_of_order, "{}", refused);
        let mut beyond = story.log[1].clone();
        beyond.position = Position(story.facts.head().0 + 2);
        let is_gap = matches!(story.facts.apply(&beyond), Err(FoldError::OutOfOrder { .. }));
        prop_assert!(is_gap);
        prop_assert_eq!(dump(&story.facts), before);
    }
}

#[test]
fn a_second_adoption_is_set_aside_however_early_it_is_decoded() {
    let mut story = given();
    story.on("2023-11-20").report(UNITS[0], "2023", [rate("life-skills", 1, 2)]);
    let mut other = story.plan.clone();
    other.units.reverse();
    let data = events::PlanAdopted { plan: other.canonical(), digest: other.digest(), sample: false };
    let now = story.facts.head_recorded_at().unwrap();
    story.record(now, EventData::PlanAdopted(data));
    story.report(UNITS[1], "2023", [rate("life-skills", 1, 3)]);
    let log = written(&story, 0);
    // The batch with the second adoption first, so that it is the only one that the preparer could go by.
    let batches = prepared(&log, &[log.len() - 3, 1, 2], &[2, 1, 0]);
    let mut facts = Facts::new();
    batches.into_iter().for_each(|batch| facts.apply_batch(batch).unwrap());
    assert!(facts.parked().contains_key(&None));
    assert_eq!(dump(&facts), dump(&story.facts));
}
