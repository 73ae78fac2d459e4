//! The figures as a table for people and as JSON.

use crate::arguments::Load;
use crate::bounds::Bounds;
use crate::figures::{Figures, Middle};
use crate::rounds::{Measured, Row};
use crate::system::System;
use crate::workload::Workload;
use serde_json::{Value, json};
use std::io::{self, Write};

/// Prints a run.
pub(crate) fn print(load: &Load, bounds: &Bounds, measured: &Measured) -> anyhow::Result<()> {
    if load.json {
        return line(&serde_json::to_string_pretty(&as_json(load, bounds, measured))?);
    }
    line(&format!(
        "size {}, {} rounds, {} s each, {} events read back; median (lowest to highest)",
        load.size.name(),
        load.rounds,
        load.seconds,
        number(load.events)
    ))?;
    for system in &bounds.systems {
        line(&format!("  {:<17}{}", system.name(), system.durability()))?;
    }
    if let Some(disk) = Middle::of(measured.disk.iter().copied()) {
        line(&format!("\nthe disk: 4 KiB appended and fdatasynced {} times a second", shown(disk)))?;
    }
    let load: Vec<String> =
        measured.load.iter().map(|load| format!("{}.{:02}", load / 100, load % 100)).collect();
    line(&format!("load of the machine at each round: {}", load.join(" ")))?;
    let mut workload = None;
    for row in &measured.rows {
        if workload != Some(row.workload) {
            workload = Some(row.workload);
            line(&format!("\n{}", heading(row.workload)))?;
        }
        line(&row_text(row, &measured.rows))?;
    }
    if !measured.filled.is_empty() {
        line("\nwritten for reading back, 1,000 at once: bytes on disk per event (allocated)")?;
        for (system, figures) in &measured.filled {
            let allocated = figures.allocated_bytes / figures.stored_events.max(1);
            let bytes = number(figures.bytes_per_event());
            line(&format!("  {:<17}{bytes:>9} ({})", system.name(), number(allocated)))?;
        }
    }
    Ok(())
}

fn heading(workload: Workload) -> String {
    let columns = match workload {
        Workload::Start => "milliseconds, memory MiB",
        Workload::Replay | Workload::ReplayFold => "events a second, against ours, memory MiB",
        _ => {
            "events a second, against ours, request p50 / p99 ms, closing ms, bytes on disk per event, memory MiB"
        }
    };
    format!("{}: {columns}", workload.name())
}

fn row_text(row: &Row, rows: &[Row]) -> String {
    let middle = |value: fn(&Figures) -> u64| Middle::of(row.figures.iter().map(value));
    let median = |value: fn(&Figures) -> u64| middle(value).map_or(0, |middle| middle.median);
    let memory = number(median(Figures::memory_kib) / 1024);
    let name = row.system.name();
    if row.workload == Workload::Start {
        let text = middle(|figures| figures.elapsed_us).map_or_else(String::new, |middle| {
            let ends = format!("({} to {})", milliseconds(middle.lowest), milliseconds(middle.highest));
            format!("{:>9} {ends:<26}", milliseconds(middle.median))
        });
        return format!("  {name:<17}{text} {memory:>6}");
    }
    let rate = middle(Figures::rate).map_or_else(String::new, |middle| {
        let ends = format!("({} to {})", number(middle.lowest), number(middle.highest));
        format!("{:>9} {ends:<26}", number(middle.median))
    });
    let ours = rows.iter().find(|other| other.workload == row.workload && other.system == System::Ours);
    let ours = ours.and_then(|ours| Middle::of(ours.figures.iter().map(Figures::rate)));
    let against = ours.map_or_else(|| "-".to_owned(), |ours| times(median(Figures::rate), ours.median));
    if row.workload.shape().is_none() {
        return format!("  {name:<17}{rate} {against:>6} {memory:>6}");
    }
    let request = format!(
        "{} / {}",
        milliseconds(median(|figures| figures.request_p50_us.unwrap_or(0))),
        milliseconds(median(|figures| figures.request_p99_us.unwrap_or(0)))
    );
    let closing = milliseconds(median(|figures| figures.close_us));
    let bytes = number(median(Figures::bytes_per_event));
    format!("  {name:<17}{rate} {against:>6} {request:>17} {closing:>9} {bytes:>6} {memory:>6}")
}

fn as_json(load: &Load, bounds: &Bounds, measured: &Measured) -> Value {
    let systems: Vec<Value> = bounds
        .systems
        .iter()
        .map(|system| json!({"system": system.name(), "durability": system.durability()}))
        .collect();
    let rows: Vec<Value> = measured
        .rows
        .iter()
        .map(|row| {
            let middle = |value: fn(&Figures) -> u64| Middle::of(row.figures.iter().map(value));
            json!({
                "workload": row.workload.name(), "system": row.system.name(),
                "per_second": middle(Figures::rate), "elapsed_us": middle(|figures| figures.elapsed_us),
                "memory_kib": middle(Figures::memory_kib), "bytes_per_event": middle(Figures::bytes_per_event),
                "rounds": row.figures,
            })
        })
        .collect();
    let filled: Vec<Value> = measured
        .filled
        .iter()
        .map(|(system, figures)| json!({"system": system.name(), "figures": figures}))
        .collect();
    json!({
        "size": load.size.name(), "rounds": load.rounds, "seconds": load.seconds, "events": load.events,
        "systems": systems, "disk_4kib_fdatasyncs_per_second": Middle::of(measured.disk.iter().copied()),
        "load_hundredths": measured.load, "rows": rows, "filled": filled,
    })
}

/// One line on standard output.
pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(io::stdout().lock(), "{text}")?)
}

/// A whole number with its thousands apart.
pub(crate) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

fn shown(middle: Middle) -> String {
    format!("{} ({} to {})", number(middle.median), number(middle.lowest), number(middle.highest))
}

fn milliseconds(micros: u64) -> String {
    format!("{}.{:02}", number(micros / 1000), micros % 1000 / 10)
}

/// How many times as much one is as the other.
fn times(one: u64, other: u64) -> String {
    let hundredths = one.saturating_mul(100) / other.max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_for_people() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(milliseconds(1_234_567), "1,234.56");
        assert_eq!(times(3, 2), "1.50");
    }
}
