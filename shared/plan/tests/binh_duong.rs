//! The plan of Bình Dương as adopted, and a second plan that shares nothing with it.

use events::{Mark, Period, Review, TargetValue, UnitId};
use plan::{Form, Level, Plan, file};
use std::collections::BTreeMap;

const BINH_DUONG: &str = include_str!("../../../deploy/plans/binh-duong.toml");
const SECOND: &str = include_str!("../../../tests/fixtures/plans/second.toml");

fn binh_duong() -> Plan {
    file::read("binh-duong.toml", BINH_DUONG).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

fn second() -> Plan {
    file::read("second.toml", SECOND).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

#[test]
fn the_digest_of_the_plan_is_the_adopted_one() {
    insta::assert_snapshot!("binh-duong-digest", binh_duong().digest());
}

#[test]
fn the_plan_has_17_indicators_31_targets_9_districts_and_125_cells() {
    let plan = binh_duong();
    let targets: Vec<_> = plan.indicators.iter().flat_map(|indicator| &indicator.targets).collect();
    let of_review = |year| targets.iter().filter(|target| target.review == Review(year)).count();
    assert_eq!(plan.indicators.len(), 17);
    assert_eq!((targets.len(), of_review(2025), of_review(2030)), (31, 15, 16));
    assert_eq!((plan.province().id.as_str(), plan.districts().count()), ("binh-duong", 9));
    let cells = plan
        .units
        .iter()
        .flat_map(|unit| plan.indicators.iter().map(|indicator| plan.has_cell(unit.level, indicator)))
        .filter(|has_cell| *has_cell)
        .count();
    assert_eq!(cells, 125, "12 for each of 9 districts and 17 for the province");
}

#[test]
fn the_targets_are_those_of_the_text() {
    let plan = binh_duong();
    let shown: Vec<String> = plan
        .indicators
        .iter()
        .map(|indicator| {
            let targets: Vec<String> = indicator
                .targets
                .iter()
                .map(|target| {
                    let value = match target.value {
                        TargetValue::Percent(percent) => format!("{percent} %"),
                        TargetValue::Level(level) => format!("level {level}"),
                        TargetValue::Attained(attained) => format!("attained {attained}"),
                        TargetValue::Withdrawn(_) => "withdrawn".to_owned(),
                    };
                    format!("{}: {value} {:?} ({})", target.review, target.mark, target.paragraph)
                })
                .collect();
            format!("{}\n  {}", indicator.id, targets.join("\n  "))
        })
        .collect();
    insta::assert_snapshot!("binh-duong-targets", shown.join("\n"));
}

#[test]
fn indicators_take_their_form_from_their_measures() {
    let plan = binh_duong();
    let mut forms = BTreeMap::new();
    for indicator in &plan.indicators {
        let form = match plan.form(indicator) {
            Form::Rate { by_districts: true } => "rate by districts",
            Form::Rate { by_districts: false } => "rate by the province",
            Form::State => "state",
            Form::Share { from_level: Some(_) } => "share by level",
            Form::Share { from_level: None } => "share by recognition",
        };
        *forms.entry(form).or_insert(0) += 1;
        assert_eq!(indicator.binds_districts, form == "rate by districts", "{}", indicator.id);
    }
    let expected = BTreeMap::from([
        ("rate by districts", 7),
        ("rate by the province", 1),
        ("share by level", 4),
        ("share by recognition", 1),
        ("state", 4),
    ]);
    assert_eq!(forms, expected);
}

#[test]
fn preschool_at_age_5_is_silent_for_2030_and_to_be_maintained() {
    let plan = binh_duong();
    let silent: Vec<_> =
        plan.indicators.iter().filter(|indicator| !indicator.not_restated.is_empty()).collect();
    assert_eq!(silent.len(), 1);
    assert_eq!(silent[0].id.as_str(), "preschool-age-5");
    assert_eq!(silent[0].not_restated[0].review, Review(2030));
    assert_eq!(silent[0].not_restated[0].mark, Mark::Maintain);
}

#[test]
fn names_keep_their_diacritics_and_units_their_types_of_2022() {
    let plan = binh_duong();
    let unit = |id: &str| plan.unit(&UnitId::parse(id).unwrap()).unwrap();
    assert_eq!(unit("thu-dau-mot").name.vi, "Thủ Dầu Một");
    assert_eq!((unit("ben-cat").unit_type.as_str(), unit("tan-uyen").unit_type.as_str()), ("town", "town"));
    assert_eq!((unit("di-an").code.as_str(), unit("binh-duong").code.as_str()), ("724", "74"));
    assert_eq!(plan.calendar.due(Period(2024)).to_string(), "2024-11-30T17:00:00Z");
}

#[test]
fn canonical_forms_read_back_the_same() {
    for plan in [binh_duong(), second()] {
        let canonical = plan.canonical();
        let again = Plan::from_canonical(&canonical).unwrap();
        assert_eq!(again, plan);
        assert_eq!(again.digest(), plan.digest());
        let text = serde_json::to_string(&canonical).unwrap();
        assert_eq!(Plan::from_canonical(&serde_json::from_str(&text).unwrap()).unwrap(), plan);
    }
}

#[test]
fn a_plan_that_an_old_log_holds_still_reads() {
    let stored = include_str!("../../events/examples/plan-adopted.v1.json");
    let recorded = events::wire::read(stored.as_bytes()).unwrap();
    let events::EventData::PlanAdopted(adopted) = recorded.event.data else { panic!("another type") };
    let plan = Plan::from_canonical(&adopted.plan).unwrap();
    assert_eq!(plan.canonical(), adopted.plan);
    assert_eq!(plan.digest(), adopted.digest);
    assert_eq!(recorded.event.effective, plan.calendar.start_of_day(plan.adopted));
}

#[test]
fn a_second_plan_needs_no_code_of_its_own() {
    let plan = second();
    assert_eq!((plan.id.as_str(), plan.province().id.as_str()), ("an-binh", "an-binh-tinh"));
    assert_eq!(plan.calendar.time_zone.name(), "Asia/Tokyo");
    assert_eq!(plan.calendar.periods().count(), 4);
    assert_eq!(plan.calendar.due(Period(2024)).to_string(), "2024-10-31T15:00:00Z");
    assert_eq!(plan.reviews.len(), 1);
    let forms: Vec<Form> = plan.indicators.iter().map(|indicator| plan.form(indicator)).collect();
    assert_eq!(
        forms,
        [
            Form::Rate { by_districts: true },
            Form::Share { from_level: Some(4) },
            Form::State,
            Form::Rate { by_districts: false },
        ]
    );
    assert!(plan.has_cell(Level::District, &plan.indicators[1]));
    assert!(!plan.has_cell(Level::District, &plan.indicators[3]));
    assert_ne!(plan.digest(), binh_duong().digest());
}
