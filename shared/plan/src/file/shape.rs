//! Builds the parts of a plan from the tables of its file.

use super::section::{Form, Section};
use super::{ENTRIES_LIMIT, Finding, INDICATORS_LIMIT, MEASURES_LIMIT, UNITS_LIMIT};
use crate::calendar::{Calendar, MonthDay, Zone};
use crate::{
    AlertParameters, Body, Decision, Hysteresis, Indicator, Level, Measure, MeasureKind, Plan, PlanTarget,
    Ratio, ReviewYear, Thresholds, Unit, Unrestated,
};
use events::{IndicatorId, Mark, MeasureId, Percent, Period, PlanId, Review, TargetValue, UnitId};
use toml::de::DeTable;

const LEVELS: [(&str, Level); 2] = [("province", Level::Province), ("district", Level::District)];
const MARKS: [(&str, Mark); 2] = [("attain", Mark::Attain), ("maintain", Mark::Maintain)];

/// Which keys of a measure go with its kind.
#[derive(Clone, Copy)]
enum KindWord {
    Rate,
    Level,
    Attained,
}

/// Builds the whole plan; none where a part cannot be read, with a finding for each.
pub(super) fn plan(document: &DeTable<'_>, findings: &mut Vec<Finding>) -> Option<Plan> {
    let mut section = Section::of("", document, findings);
    let id = section.parsed("id", Form::id("binh-duong"), PlanId::parse);
    let name = section.names("name");
    let instrument = section.text("instrument");
    let issuer = section.names("issuer");
    let adopted = section.date("adopted");
    let calendar = section.table("calendar", "add a table `[calendar]`", calendar);
    let reviews = section.tables("reviews", ENTRIES_LIMIT, review_year);
    let thresholds = section.table("thresholds", "add a table `[thresholds]`", thresholds);
    let alerts = section.table("alerts", "add a table `[alerts]`", alert_parameters);
    let bodies = section.tables("bodies", ENTRIES_LIMIT, body);
    let units = section.tables("units", UNITS_LIMIT, unit);
    let measures = section.tables("measures", MEASURES_LIMIT, measure);
    let indicators = section.tables("indicators", INDICATORS_LIMIT, indicator);
    let decisions = section.tables("decisions", ENTRIES_LIMIT, decision);
    section.finish();
    Some(Plan {
        id: id?,
        name: name?,
        instrument: instrument?,
        issuer: issuer?,
        adopted: adopted?,
        calendar: calendar?,
        reviews: reviews?,
        thresholds: thresholds?,
        alerts: alerts?,
        bodies: bodies?,
        units: units?,
        measures: measures?,
        indicators: indicators?,
        decisions: decisions?,
    })
}

fn calendar(section: &mut Section<'_, '_>) -> Option<Calendar> {
    let time_zone = section.parsed("time_zone", Form::TIME_ZONE, |text| {
        Zone::parse(text).ok_or_else(|| format!("`{text}` is no time zone of the IANA list"))
    });
    let first_period = section.parsed("first_period", Form::year("2021"), Period::parse);
    let last_period = section.parsed("last_period", Form::year("2030"), Period::parse);
    let duty_from = section.parsed("duty_from", Form::year("2022"), Period::parse);
    let due_before = section.parsed("due_before", Form::MONTH_DAY, |text| {
        MonthDay::parse(text).ok_or_else(|| format!("`{text}` is no day, MM-DD, of every year"))
    });
    let paragraph = section.text("paragraph");
    let history_after_days = section.whole("history_after_days", u64::from(u16::MAX));
    Some(Calendar {
        time_zone: time_zone?,
        first_period: first_period?,
        last_period: last_period?,
        duty_from: duty_from?,
        due_before: due_before?,
        paragraph: paragraph?,
        history_after_days: history_after_days?,
    })
}

fn review_year(section: &mut Section<'_, '_>) -> Option<ReviewYear> {
    let review = section.parsed("review", Form::year("2025"), Review::parse);
    let name = section.names("name");
    let paragraph = section.text("paragraph");
    let units_as_of = section.optional_date("units_as_of");
    Some(ReviewYear { review: review?, name: name?, paragraph: paragraph?, units_as_of: units_as_of? })
}

fn thresholds(section: &mut Section<'_, '_>) -> Option<Thresholds> {
    let on_track = section.parsed("on_track", Form::ratio("0.95"), Ratio::parse);
    let at_risk = section.parsed("at_risk", Form::ratio("0.60"), Ratio::parse);
    Some(Thresholds { on_track: on_track?, at_risk: at_risk? })
}

fn alert_parameters(section: &mut Section<'_, '_>) -> Option<AlertParameters> {
    let behind = section.table("behind", "add a table `[alerts.behind]`", hysteresis);
    let at_risk = section.table("at_risk", "add a table `[alerts.at_risk]`", hysteresis);
    Some(AlertParameters { behind: behind?, at_risk: at_risk? })
}

fn hysteresis(section: &mut Section<'_, '_>) -> Option<Hysteresis> {
    let fires_below = section.parsed("fires_below", Form::ratio("0.60"), Ratio::parse);
    let clears_from = section.parsed("clears_from", Form::ratio("0.65"), Ratio::parse);
    Some(Hysteresis { fires_below: fires_below?, clears_from: clears_from? })
}

fn body(section: &mut Section<'_, '_>) -> Option<Body> {
    let id = section.text("id");
    let name = section.names("name");
    Some(Body { id: id?, name: name? })
}

fn unit(section: &mut Section<'_, '_>) -> Option<Unit> {
    let id = section.parsed("id", Form::id("di-an"), UnitId::parse);
    let code = section.text("code");
    let name = section.names("name");
    let level = section.word("level", &LEVELS);
    let unit_type = section.text("type");
    let parent = section.optional_parsed("parent", Form::id("binh-duong"), UnitId::parse);
    Some(Unit { id: id?, code: code?, name: name?, level: level?, unit_type: unit_type?, parent: parent? })
}

fn measure(section: &mut Section<'_, '_>) -> Option<Measure> {
    let words = [("rate", KindWord::Rate), ("level", KindWord::Level), ("attained", KindWord::Attained)];
    let id = section.parsed("id", Form::id("life-skills"), MeasureId::parse);
    let name = section.names("name");
    let level = section.word("level", &LEVELS);
    let kind = match section.word("kind", &words) {
        Some(KindWord::Rate) => Some(MeasureKind::Rate),
        Some(KindWord::Level) => {
            section.whole("highest", u64::from(u8::MAX)).map(|highest| MeasureKind::Level { highest })
        }
        Some(KindWord::Attained) => section
            .optional_whole("months", u64::from(u16::MAX))
            .map(|months| MeasureKind::Attained { months }),
        None => {
            // Without its kind, which of these belong cannot be told.
            section.optional("highest");
            section.optional("months");
            None
        }
    };
    let law = section.optional_text("law");
    Some(Measure { id: id?, name: name?, level: level?, kind: kind?, law: law? })
}

fn indicator(section: &mut Section<'_, '_>) -> Option<Indicator> {
    let id = section.parsed("id", Form::id("life-skills"), IndicatorId::parse);
    let name = section.names("name");
    let measure = section.parsed("measure", Form::id("life-skills"), MeasureId::parse);
    let counts_from_level = section.optional_whole("counts_from_level", u64::from(u8::MAX));
    let binds_districts = section.flag_or_no("binds_districts");
    let base = section.names("base");
    let paragraph = section.text("paragraph");
    let bodies = section.texts("bodies");
    let targets = section.tables("targets", ENTRIES_LIMIT, target);
    let not_restated = section.tables("not_restated", ENTRIES_LIMIT, unrestated);
    Some(Indicator {
        id: id?,
        name: name?,
        measure: measure?,
        counts_from_level: counts_from_level?,
        binds_districts: binds_districts?,
        base: base?,
        paragraph: paragraph?,
        bodies: bodies?,
        targets: targets?,
        not_restated: not_restated?,
    })
}

fn unrestated(section: &mut Section<'_, '_>) -> Option<Unrestated> {
    let review = section.parsed("review", Form::year("2030"), Review::parse);
    let mark = section.word("mark", &MARKS);
    Some(Unrestated { review: review?, mark: mark? })
}

fn target(section: &mut Section<'_, '_>) -> Option<PlanTarget> {
    let review = section.parsed("review", Form::year("2025"), Review::parse);
    let value = target_value(section);
    let mark = section.word("mark", &MARKS);
    let paragraph = section.text("paragraph");
    Some(PlanTarget { review: review?, value: value?, mark: mark?, paragraph: paragraph? })
}

fn target_value(section: &mut Section<'_, '_>) -> Option<TargetValue> {
    let given = ["percent", "level", "attained"].map(|name| section.optional(name).is_some());
    if section.has("withdrawn") {
        section.optional("withdrawn");
        let remedy = "leave the target out: only an event takes a target back";
        section.refuse("withdrawn", "a plan sets targets and withdraws none", remedy);
        return None;
    }
    match given {
        [true, false, false] => {
            section.parsed("percent", Form::PERCENT, Percent::parse).map(TargetValue::Percent)
        }
        [false, true, false] => section.whole("level", u64::from(u8::MAX)).map(TargetValue::Level),
        [false, false, true] => section.flag("attained").map(TargetValue::Attained),
        [false, false, false] => {
            let remedy = "give one of `percent = \"…\"`, `level = …` or `attained = true`";
            section.refuse("percent", "the target has no value", remedy);
            None
        }
        _ => {
            let remedy = "keep exactly one of `percent`, `level` and `attained`";
            section.refuse("", "the target has more than one value", remedy);
            None
        }
    }
}

fn decision(section: &mut Section<'_, '_>) -> Option<Decision> {
    let number = section.whole("number", u64::from(u16::MAX));
    let text = section.names("text");
    Some(Decision { number: number?, text: text? })
}
