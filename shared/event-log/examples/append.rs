//! Measures how fast a log takes events in: `append DIRECTORY EVENTS PER_REQUEST REQUESTS_PER_COMMIT`.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]
#![expect(clippy::float_arithmetic, reason = "figures for people")]

use event_log::{Options, open};
use events::{
    ActorId, Document, Event, EventData, LineValue, MeasureId, Period, PlanId, ReportLine, ReportSubmitted,
    Timestamp, UnitId,
};
use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, events, per_request, per_commit] = arguments.as_slice() else {
        return Err("append DIRECTORY EVENTS PER_REQUEST REQUESTS_PER_COMMIT".into());
    };
    let (events, per_request, per_commit): (u64, u64, u64) =
        (events.parse()?, per_request.parse()?, per_commit.parse()?);
    let plan = PlanId::parse("bench")?;
    let mut opened = open(Path::new(directory), &plan, Options::default())?;
    let mut number = opened.log.head().0;
    let end = number + events;
    let (started, mut spent, mut commits) = (Instant::now(), Duration::ZERO, 0u32);
    while number < end {
        let mut requests = Vec::new();
        for _ in 0..per_commit {
            let request = (0..per_request).map(|_| {
                number += 1;
                report(&plan, number)
            });
            requests.push(request.collect::<Result<Vec<_>, _>>()?);
        }
        let before = Instant::now();
        opened.writer.append(requests, Timestamp::now())?;
        spent += before.elapsed();
        commits += 1;
    }
    let taken = spent.as_secs_f64();
    let size = opened.log.read(opened.log.head(), event_log::ReadLimit::default())?[0].bytes.len();
    println!(
        "{events} events of {size} bytes in {commits} commits: {:.0} events/s, {:.1} µs a commit",
        events as f64 / taken,
        taken * 1e6 / f64::from(commits)
    );
    drop(opened);
    println!("indexed and closed {:.2} s after the start", started.elapsed().as_secs_f64());
    Ok(())
}

fn report(plan: &PlanId, number: u64) -> Result<Event, Box<dyn Error>> {
    Ok(Event {
        id: events::ids::derived_id(&["bench", &number.to_string()]),
        plan: plan.clone(),
        effective: Timestamp::UNIX_EPOCH,
        actor: ActorId::parse("bench")?,
        traceparent: None,
        data: EventData::ReportSubmitted(ReportSubmitted {
            unit: UnitId::parse("di-an")?,
            period: Period(2025),
            revision: 1,
            document: Document { number: "1/BC-UBND".to_owned(), date: "2025-12-01".parse()? },
            lines: vec![ReportLine {
                measure: MeasureId::parse("information-literacy")?,
                value: LineValue::Rate { numerator: number, denominator: number + 10 },
                source: None,
            }],
            history: None,
            request_digest: None,
        }),
    })
}
