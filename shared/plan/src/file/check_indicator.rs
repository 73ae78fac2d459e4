//! The rules that tie an indicator to its measure, its bodies and its targets.

use super::Finding;
use super::check::{one_of, unique};
use crate::{Form, Indicator, Level, Measure, MeasureKind, Plan};
use events::{Review, TargetValue};
use std::collections::HashSet;

/// Checks every indicator of a plan.
pub(super) fn indicators(plan: &Plan, findings: &mut Vec<Finding>) {
    unique("indicators", "id", plan.indicators.iter().map(|indicator| &indicator.id), findings);
    for (index, indicator) in plan.indicators.iter().enumerate() {
        let key = format!("indicators[{index}]");
        bodies(plan, indicator, &key, findings);
        target_reviews(plan, indicator, &key, findings);
        not_restated(plan, indicator, &key, findings);
        let Some(measure) = plan.measure(&indicator.measure) else {
            let what = format!("there is no measure `{}`", indicator.measure);
            let remedy = one_of(plan.measures.iter().map(|measure| measure.id.as_str()));
            findings.push(Finding::new(format!("{key}.measure"), what, remedy));
            continue;
        };
        counts_from_level(indicator, measure, &key, findings);
        binds_districts(indicator, measure, &key, findings);
        target_values(plan, indicator, measure, &key, findings);
    }
}

fn bodies(plan: &Plan, indicator: &Indicator, key: &str, findings: &mut Vec<Finding>) {
    let mut seen = HashSet::new();
    for (index, body) in indicator.bodies.iter().enumerate() {
        let key = format!("{key}.bodies[{index}]");
        if !plan.bodies.iter().any(|known| known.id == *body) {
            let remedy = one_of(plan.bodies.iter().map(|known| known.id.as_str()));
            findings.push(Finding::new(key, format!("there is no body `{body}`"), remedy));
        } else if !seen.insert(body) {
            findings.push(Finding::new(key, format!("`{body}` stands twice"), "name each body once"));
        }
    }
}

fn review_exists(plan: &Plan, review: Review, key: &str, findings: &mut Vec<Finding>) {
    if !plan.reviews.iter().any(|known| known.review == review) {
        let names: Vec<String> = plan.reviews.iter().map(|known| known.review.to_string()).collect();
        let remedy = one_of(names.iter().map(String::as_str));
        findings.push(Finding::new(key, format!("there is no review {review}"), remedy));
    }
}

fn target_reviews(plan: &Plan, indicator: &Indicator, key: &str, findings: &mut Vec<Finding>) {
    let mut seen = HashSet::new();
    for (index, target) in indicator.targets.iter().enumerate() {
        let key = format!("{key}.targets[{index}].review");
        review_exists(plan, target.review, &key, findings);
        if !seen.insert(target.review) {
            let what = format!("there are two targets for the review {}", target.review);
            findings.push(Finding::new(key, what, "keep one target for each review"));
        }
    }
}

fn not_restated(plan: &Plan, indicator: &Indicator, key: &str, findings: &mut Vec<Finding>) {
    let mut seen = HashSet::new();
    for (index, silent) in indicator.not_restated.iter().enumerate() {
        let (key, review) = (format!("{key}.not_restated[{index}].review"), silent.review);
        review_exists(plan, review, &key, findings);
        if !seen.insert(review) {
            let what = format!("the review {review} stands twice");
            findings.push(Finding::new(key.clone(), what, "name it once"));
        }
        if indicator.targets.iter().any(|target| target.review == review) {
            let what = format!("the review {review} has a target, so it is restated");
            findings.push(Finding::new(key.clone(), what, "take out this entry or the target"));
        }
        if !indicator.targets.iter().any(|target| target.review < review) {
            let what = format!("no target comes before {review} that could go on");
            findings.push(Finding::new(key, what, "take this entry out, or add the earlier target"));
        }
    }
}

fn counts_from_level(indicator: &Indicator, measure: &Measure, key: &str, findings: &mut Vec<Finding>) {
    let key = format!("{key}.counts_from_level");
    let name = &measure.id;
    match (indicator.counts_from_level, &measure.kind, measure.level) {
        (None, MeasureKind::Level { highest }, Level::District) => {
            let remedy = format!("add `counts_from_level`, from 1 to {highest}");
            let what = format!("districts report `{name}` as a level, and which level counts is not said");
            findings.push(Finding::new(key, what, remedy));
        }
        (Some(level), MeasureKind::Level { highest }, Level::District) => {
            if level == 0 || level > *highest {
                let what = format!("level {level} is outside 1 to {highest}, the levels of `{name}`");
                findings.push(Finding::new(key, what, "give the lowest level that counts"));
            }
        }
        (Some(_), _, _) => {
            let what =
                format!("`{name}` is no level that districts report, so nothing is counted from a level");
            findings.push(Finding::new(key, what, "leave it out"));
        }
        (None, _, _) => {}
    }
}

fn binds_districts(indicator: &Indicator, measure: &Measure, key: &str, findings: &mut Vec<Finding>) {
    let rate_of_districts = measure.kind == MeasureKind::Rate && measure.level == Level::District;
    if indicator.binds_districts && !rate_of_districts {
        let what = format!("`{}` is no rate that districts report, so no target binds them", measure.id);
        findings.push(Finding::new(format!("{key}.binds_districts"), what, "leave it out"));
    }
}

fn target_values(
    plan: &Plan,
    indicator: &Indicator,
    measure: &Measure,
    key: &str,
    findings: &mut Vec<Finding>,
) {
    let form = plan.form(indicator);
    for (index, target) in indicator.targets.iter().enumerate() {
        let key = format!("{key}.targets[{index}]");
        let refused = match (form, target.value, &measure.kind) {
            (_, TargetValue::Withdrawn(_), _) => Some((
                "withdrawn",
                "a plan sets targets and withdraws none".to_owned(),
                "leave it out".to_owned(),
            )),
            (Form::Rate { .. } | Form::Share { .. }, TargetValue::Percent(_), _) => None,
            (Form::Rate { .. } | Form::Share { .. }, value, _) => Some((
                field_of(value),
                format!("`{}` is a rate or a share, and its targets are percentages", indicator.id),
                "write it as `percent = \"…\"`".to_owned(),
            )),
            (Form::State, TargetValue::Level(level), MeasureKind::Level { highest }) => {
                (level == 0 || level > *highest).then(|| {
                    let what =
                        format!("level {level} is outside 1 to {highest}, the levels of `{}`", measure.id);
                    ("level", what, "give a level that there is to reach".to_owned())
                })
            }
            (Form::State, value, MeasureKind::Level { highest }) => Some((
                field_of(value),
                format!("`{}` is a level, and its targets are levels", indicator.id),
                format!("write it as `level = …`, from 1 to {highest}"),
            )),
            (Form::State, TargetValue::Attained(true), _) => None,
            (Form::State, value, _) => Some((
                field_of(value),
                format!("`{}` is yes or no, and its targets are yes", indicator.id),
                "write it as `attained = true`".to_owned(),
            )),
        };
        if let Some((field, what, remedy)) = refused {
            findings.push(Finding::new(format!("{key}.{field}"), what, remedy));
        }
    }
}

fn field_of(value: TargetValue) -> &'static str {
    match value {
        TargetValue::Percent(_) => "percent",
        TargetValue::Level(_) => "level",
        TargetValue::Attained(_) => "attained",
        TargetValue::Withdrawn(_) => "withdrawn",
    }
}
