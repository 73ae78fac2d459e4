//! What is computed for a question, in the words of the tables, held against what they say.

use crate::history::History;
use crate::table::Row;
use events::{IndicatorId, Review, UnitId};
use indicators::{Cell, Moment, ReportProgress, Value, Verdict, View, read_moment};

/// When every question is asked.
const NOW: &str = "2033-01-01T00:00:00+07:00";

const NOTHING: &str = "-";

/// Every column in which the table says something else than what is computed.
pub(crate) fn differences(history: &History, row: &Row) -> Result<Vec<String>, String> {
    let [as_of, known_at, unit, indicator, value, target, baseline, expected, pace, status, verdicts, beside] =
        row.cells.as_slice()
    else {
        return Err("a question has twelve columns".into());
    };
    let cell = cell(history, as_of, known_at, unit, indicator)?;
    let mut columns = vec![
        ("Value", value.clone(), value_told(&cell)),
        ("Target", target.clone(), target_told(&cell)),
        ("Baseline", baseline.clone(), baseline_told(&cell)),
        ("Expected", expected.clone(), cell.expected.clone().unwrap_or_else(|| NOTHING.into())),
        ("Pace", pace.clone(), cell.pace.clone().unwrap_or_else(|| NOTHING.into())),
        ("Status", status.clone(), cell.status.map_or(NOTHING, |status| status.name()).into()),
        ("Verdicts", verdicts.clone(), verdicts_told(&cell)),
    ];
    let beside: Vec<&str> = beside.split(';').map(str::trim).collect();
    // A provisional sum is part of every answer; the report's state only where the table speaks of it.
    let provisional = beside.iter().find(|part| part.starts_with("provisional"));
    columns.push(("Beside", provisional.unwrap_or(&NOTHING).to_string(), provisional_told(&cell)));
    for part in beside.iter().filter(|part| part.starts_with("report")) {
        columns.push(("Beside", part.to_string(), report_told(&cell)));
    }
    if let Some(part) = beside
        .iter()
        .find(|part| **part != NOTHING && !part.starts_with("provisional") && !part.starts_with("report"))
    {
        return Err(format!("`{part}` is nothing that stands beside a cell"));
    }
    let differ = columns.into_iter().filter(|(_, says, computed)| says != computed);
    Ok(differ
        .map(|(column, says, computed)| {
            format!("{column}: the table says `{says}`, computed is `{computed}`")
        })
        .collect())
}

fn cell(history: &History, as_of: &str, known_at: &str, unit: &str, indicator: &str) -> Result<Cell, String> {
    let plan = &history.plan;
    let instant = |text: &str| match text.split_once(' ') {
        Some((day, time)) => format!("{day}T{time}+07:00"),
        None => text.to_owned(),
    };
    let now = NOW.parse().unwrap();
    let (known_at, as_of) = read_moment(&plan.calendar, Some(&instant(as_of)), Some(&instant(known_at)), now)
        .map_err(|error| error.to_string())?;
    let moment = Moment { cut: history.log.cut(known_at), known_at, as_of };
    let view = View::new(&history.log.facts, moment).ok_or("the plan was not adopted yet")?;
    let unit = UnitId::parse(unit).ok().and_then(|id| plan.unit(&id)).ok_or("the plan has no such unit")?;
    let indicator = IndicatorId::parse(indicator).ok().and_then(|id| plan.indicator(&id));
    Ok(view.cell(unit, indicator.ok_or("the plan has no such indicator")?))
}

fn value_told(cell: &Cell) -> String {
    match (&cell.period, &cell.value) {
        (Some(period), Some(value)) => format!("{period}: {}", told(value)),
        (None, None) => NOTHING.into(),
        (period, value) => format!("half a value: {period:?} {value:?}"),
    }
}

fn told(value: &Value) -> String {
    match value {
        Value::Rate { numerator, denominator, percent } => format!("{numerator}/{denominator} = {percent} %"),
        Value::Level { level } => format!("level {level}"),
        Value::Attained { attained: false, lapsed: true } => "lapsed".into(),
        Value::Attained { attained: true, lapsed: false } => "yes".into(),
        Value::Attained { attained: false, lapsed: false } => "no".into(),
        Value::Attained { attained: true, lapsed: true } => "attained and lapsed at once".into(),
        Value::Share { count, of, percent, needed, stale, lapsed } => {
            let mut text = format!("{count}/{of} = {percent} %");
            if let Some(needed) = needed {
                text.push_str(&format!(", needs {needed}"));
            }
            for (word, units) in [("stale", stale), ("lapsed", lapsed)] {
                units.iter().for_each(|unit| text.push_str(&format!(", {word} {unit}")));
            }
            text
        }
    }
}

fn target_told(cell: &Cell) -> String {
    let Some(target) = &cell.target else { return NOTHING.into() };
    let percent = target.percent.map(|percent| format!("{percent} %"));
    let level = target.level.map(|level| format!("level {level}"));
    let attained = target.attained.map(|attained| if attained { "yes" } else { "no" }.to_owned());
    let values: Vec<String> = [percent, level, attained].into_iter().flatten().collect();
    let not_restated = if target.restated == Some(false) { ", not restated" } else { "" };
    format!("{}: {}{not_restated}", target.review, values.join(" and "))
}

fn baseline_told(cell: &Cell) -> String {
    let baseline = cell.baseline.as_ref();
    baseline.map_or(NOTHING.into(), |baseline| format!("{}: {} %", baseline.period, baseline.percent))
}

fn verdicts_told(cell: &Cell) -> String {
    let verdict = |year: i16| match cell.verdicts.get(&Review(year)).copied().flatten() {
        None => NOTHING,
        Some(Verdict::Met) => "met",
        Some(Verdict::NotMet) => "not-met",
        Some(Verdict::NoData) => "no-data",
    };
    format!("{}, {}", verdict(2025), verdict(2030))
}

fn provisional_told(cell: &Cell) -> String {
    cell.provisional.as_ref().map_or(NOTHING.into(), |provisional| {
        let (period, coverage) = (provisional.period, provisional.coverage);
        let value = told(&provisional.value);
        format!("provisional {period}: {value}, {} of {}", coverage.reported, coverage.of)
    })
}

fn report_told(cell: &Cell) -> String {
    let report = &cell.report;
    let state = match report.state {
        ReportProgress::Received => "received",
        ReportProgress::Awaited => "awaited",
        ReportProgress::Overdue => "overdue",
    };
    let late = if report.late { " late" } else { "" };
    let history = if report.history { " history" } else { "" };
    format!("report {}: {state}{late}{history}", report.period)
}
