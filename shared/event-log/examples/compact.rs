//! Measures what compaction does to the full files of a journal: `compact DIRECTORY EVENTS PER_COMMIT small|real`.
//!
//! The directory is made and has to be removed by whoever ran it.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]
#![expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "figures for people")]

use event_log::{FirstEvent, Opened, Options, first_event, open};
use events::{
    ActorId, Document, Event, EventData, LineValue, MeasureId, Period, PlanId, ReportLine, ReportSubmitted,
    Timestamp, UnitId,
};
use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

/// As long as sources are in real reports.
const SOURCE: &str = "Báo cáo tổng hợp của Ủy ban nhân dân huyện, sổ theo dõi số liệu học tập suốt đời, phụ lục 2 kèm theo (made up)";
const REAL_LINES: usize = 8;
/// How often the first event is read from the journal.
const READS: usize = 500;
/// How often is looked whether the files are compacted.
const LOOK: Duration = Duration::from_millis(10);

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, events, per_commit, size] = arguments.as_slice() else {
        return Err("compact DIRECTORY EVENTS PER_COMMIT small|real".into());
    };
    let directory = Path::new(directory);
    let (events, per_commit): (u64, u64) = (events.parse()?, per_commit.parse()?);
    let plan = PlanId::parse("bench")?;
    let as_committed = Options { compacts_journal: false, ..Options::default() };
    let mut opened = open(directory, &plan, as_committed)?;
    let lines = if size == "real" { REAL_LINES } else { 1 };
    let mut number = 0;
    while number < events {
        let commit: Result<Vec<_>, _> =
            (number + 1..=number + per_commit).map(|number| report(&plan, number, lines)).collect();
        opened.writer.append(vec![commit?], Timestamp::now())?;
        number += per_commit;
    }
    drop(opened);
    println!("{events} events, {per_commit} a commit");
    let sealed_bytes = figures(directory, "as committed", &plan)?;
    let Opened { log, writer, .. } = open(directory, &plan, Options::default())?;
    let began = Instant::now();
    while !log.is_compact() {
        std::thread::sleep(LOOK);
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("checked and compacted in {seconds:.2} s: {:.1} MB/s", sealed_bytes as f64 / seconds / 1e6);
    drop((log, writer));
    figures(directory, "compacted", &plan)?;
    Ok(())
}

/// Prints how large the full files are and how long it takes to read an event of one without the index.
fn figures(directory: &Path, what: &str, plan: &PlanId) -> Result<u64, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory.join("journal"))? {
        files.push(entry?.path());
    }
    files.sort();
    let written = files.pop().ok_or("there is no journal")?;
    if files.is_empty() {
        return Err("no file is full: take more events".into());
    }
    let next: u64 = written.file_stem().and_then(|stem| stem.to_str()).ok_or("a name")?.parse()?;
    let mut bytes = 0;
    for file in &files {
        bytes += std::fs::metadata(file)?.len();
    }
    let mut reads = Vec::new();
    for _ in 0..READS {
        let began = Instant::now();
        let FirstEvent::Found(_) = first_event(directory, plan)? else {
            return Err("it begins with nothing".into());
        };
        reads.push(began.elapsed());
    }
    reads.sort();
    println!(
        "{what}: {} full files, {:.1} MB, {:.1} bytes an event; an event read from the journal in {:.0?}",
        files.len(),
        bytes as f64 / 1e6,
        bytes as f64 / (next - 1) as f64,
        reads[reads.len() / 2]
    );
    Ok(bytes)
}

fn report(plan: &PlanId, number: u64, lines: usize) -> Result<Event, Box<dyn Error>> {
    let measure = |line: usize| -> Result<ReportLine, Box<dyn Error>> {
        let names = [
            "information-literacy",
            "lower-secondary",
            "upper-secondary",
            "life-skills",
            "foreign-language",
            "digital-skills",
            "vocational-training",
            "civil-servants",
        ];
        Ok(ReportLine {
            measure: MeasureId::parse(names[line % names.len()])?,
            value: LineValue::Rate { numerator: 20_000 + number % 1_000, denominator: 200_000 },
            source: (lines > 1).then(|| SOURCE.to_owned()),
        })
    };
    let units = [
        "thu-dau-mot",
        "di-an",
        "thuan-an",
        "ben-cat",
        "tan-uyen",
        "bau-bang",
        "bac-tan-uyen",
        "dau-tieng",
        "phu-giao",
    ];
    Ok(Event {
        id: events::ids::derived_id(&["bench", &number.to_string()]),
        plan: plan.clone(),
        effective: Timestamp::from_millisecond(1_732_406_400_000 + number as i64 * 7)?,
        actor: ActorId::parse("bench")?,
        traceparent: None,
        data: EventData::ReportSubmitted(ReportSubmitted {
            unit: UnitId::parse(units[(number % 9) as usize])?,
            period: Period(2025),
            revision: 1,
            document: Document { number: format!("BENCH/x/{number}"), date: "2025-12-01".parse()? },
            lines: (0..lines).map(measure).collect::<Result<_, _>>()?,
            history: None,
            request_digest: None,
        }),
    })
}
