//! Measures the evidence of a stopped log: `tree DIRECTORY PLAN BUNDLE`. Hashing, proofs, verification, and a
//! bundle that is exported to BUNDLE, and, straight from the journal, to BUNDLE with `.from-journal`.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]
#![expect(clippy::float_arithmetic, reason = "figures for people")]

use event_log::files::RealFiles;
use event_log::{BundleHead, JournalReader, Options, ReadLimit, open};
use events::{PlanId, Position};
use evidence::{Checkpoint, Frontier, KeyName, KeyUse, SigningKey, leaf_hash};
use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

const PROOFS: u64 = 2_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, plan, bundle] = arguments.as_slice() else {
        return Err("tree DIRECTORY PLAN BUNDLE".into());
    };
    let (directory, plan) = (Path::new(directory), PlanId::parse(plan)?);
    let started = Instant::now();
    let opened = open(directory, &plan, Options::default())?;
    println!("opened in {:?}: {}", started.elapsed(), opened.report);
    let log = &opened.log;
    let size = log.tree_size();

    let page = log.read(Position(1), ReadLimit { events: 20_000, bytes: usize::MAX })?;
    let started = Instant::now();
    let mut frontier = Frontier::new();
    page.iter().for_each(|stored| frontier.append(leaf_hash(&stored.bytes)));
    let bytes = page.iter().map(|stored| stored.bytes.len()).sum::<usize>() / page.len();
    let each_ns = started.elapsed().as_nanos() / page.len() as u128;
    println!("hashing: {each_ns} ns an event of {bytes} bytes, leaf and nodes");

    let positions = || (0..PROOFS).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % size + 1);
    let root = log.root();
    let inclusion = positions().map(|position| {
        let started = Instant::now();
        let proof = log.inclusion_proof(Position(position), size)?;
        let taken = started.elapsed();
        let leaf = leaf_hash(&log.event_at(Position(position))?.ok_or("the event is there")?.bytes);
        proof.verify(leaf, root)?;
        Ok(taken)
    });
    print("inclusion proof", inclusion.collect::<Result<_, Box<dyn Error>>>()?);
    let consistency = positions().map(|from| {
        let started = Instant::now();
        log.consistency_proof(from, size)?;
        Ok(started.elapsed())
    });
    print("consistency proof", consistency.collect::<Result<_, Box<dyn Error>>>()?);
    let roots = positions().map(|position| {
        let started = Instant::now();
        log.root_at(Position(position))?;
        Ok(started.elapsed())
    });
    print("root at a position", roots.collect::<Result<_, Box<dyn Error>>>()?);

    let key = SigningKey::from_seed(KeyName::parse("bench.example/log")?, &[7; 32]);
    let keys = [key.verifier(KeyUse::Log)];
    let signed = Checkpoint::new(key.name(), size, root).sign(&[&key])?;
    let (bundle, started) = (Path::new(bundle), Instant::now());
    let exported = event_log::export(log, Position(1)..=Position(size), &signed, &keys, &RealFiles, bundle)?;
    let rate = size as f64 / started.elapsed().as_secs_f64();
    println!("export: {} files, {} bytes, {rate:.0} events/s", exported.files, exported.bytes);
    let started = Instant::now();
    let report = event_log::verify_bundle(&RealFiles, bundle, &keys)?;
    let rate = report.events as f64 / started.elapsed().as_secs_f64();
    println!("verify the bundle: {} problems, {rate:.0} events/s", report.problems.len());
    let from_journal = bundle.with_extension("from-journal");
    let started = Instant::now();
    let (journal, all) = (JournalReader::new(&RealFiles, directory)?, Position(1)..=Position(size));
    let head = BundleHead::Signed(&signed);
    event_log::export_journal(&journal, all, head, &keys, &RealFiles, &from_journal, &mut |_| {})?;
    let rate = size as f64 / started.elapsed().as_secs_f64();
    println!("export from the journal, without the index: {rate:.0} events/s");
    drop(opened);

    let started = Instant::now();
    let report = event_log::verify(directory, None)?;
    let rate = report.events as f64 / started.elapsed().as_secs_f64();
    println!("verify: {} events, {} problems, {rate:.0} events/s", report.events, report.problems.len());
    Ok(())
}

fn print(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    println!("{what}: p10 {:?}, median {:?}, p99 {:?}, longest {:?}", at(10), at(50), at(99), at(100));
}
