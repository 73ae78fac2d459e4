//! A witness that is killed, or whose power is cut, at random moments: what it answered with is what it
//! remembers, so nothing that it cosigns afterwards contradicts it.

use crate::logs::{Leaves, ORIGIN};
use crate::{Place, cosigned_size, rounds};
use evidence::AddCheckpoint;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tests::support::{Chance, Disk, Http, Medium, Recorder, quick_folder, seed, until};

const FEW_KILLS: u32 = 6;
const FEW_RACES: u32 = 4;
const FEW_ROUNDS: u32 = 1;
const CUTS_OF_A_TRACE: u32 = 10;
const FORK_AT: u64 = 5;
const LARGEST: u64 = 4_000;

/// Pushes checkpoints in small steps until nobody answers; keeps the size of the last one that was cosigned.
fn push(http: &Http, log: &Leaves, answered: &AtomicU64) {
    loop {
        let size = answered.load(Ordering::Relaxed);
        let Some(status) = ask(http, &log.request(size, size + 1)) else { return };
        assert_eq!(status, 200);
        answered.store(size + 1, Ordering::Relaxed);
    }
}

fn ask(http: &Http, request: &AddCheckpoint) -> Option<u16> {
    http.try_post("/add-checkpoint", &request.to_string(), &[]).ok().map(|answer| answer.status)
}

#[test]
fn a_killed_witness_remembers_what_it_cosigned() {
    let home = tempfile::tempdir().unwrap();
    let place = Place::make(home.path());
    place.configure("");
    let largest = LARGEST + 500 * u64::from(rounds(FEW_KILLS));
    let (log, forked) = (Leaves::of(largest, None), Leaves::of(largest, Some(FORK_AT)));
    let mut chance = Chance::new(seed());
    let answered = AtomicU64::new(0);
    for round in 0..rounds(FEW_KILLS) {
        let (program, http) = place.start(&[]);
        let (remembered, least) =
            (cosigned_size(&http, &place).unwrap_or(0), answered.load(Ordering::Relaxed));
        assert!(remembered >= least, "round {round}: {least} was cosigned, {remembered} is remembered");
        if round > 0 {
            // Neither another history nor an older size is cosigned after all this.
            assert_eq!(ask(&http, &forked.request(remembered, remembered + 1)), Some(422));
            assert_eq!(ask(&http, &log.request(remembered - 2, remembered - 1)), Some(409));
        }
        answered.store(remembered, Ordering::Relaxed);
        std::thread::scope(|scope| {
            scope.spawn(|| push(&http, &log, &answered));
            let enough = remembered + FORK_AT + chance.between(0, 40);
            until("some are cosigned", || answered.load(Ordering::Relaxed) > enough);
            // Chance is what is tested here: any moment of the next request will do.
            std::thread::sleep(Duration::from_micros(chance.between(0, 5_000)));
            program.kill();
        });
    }
}

/// Pushes a history whatever is answered, until nobody answers; true if anything of it beyond the fork was cosigned.
fn push_on(http: &Http, log: &Leaves) -> bool {
    let (mut size, mut any) = (0, false);
    loop {
        let Some(answer) =
            http.try_post("/add-checkpoint", &log.request(size, size + 2).to_string(), &[]).ok()
        else {
            return any;
        };
        match answer.status {
            200 => size += 2,
            // From where it is now: the other one may have been faster.
            409 => size = answer.text.trim_end().parse().unwrap_or(size),
            422 => return any,
            other => panic!("{other}: {}", answer.text),
        }
        any |= answer.status == 200 && size > FORK_AT;
    }
}

#[test]
fn of_two_forks_that_race_while_the_witness_is_killed_one_wins() {
    let mut chance = Chance::new(seed());
    let histories = [Leaves::of(LARGEST, None), Leaves::of(LARGEST, Some(FORK_AT))];
    for round in 0..rounds(FEW_RACES) {
        let home = tempfile::tempdir().unwrap();
        let place = Place::make(home.path());
        place.configure("");
        let mut won = [false; 2];
        for _ in 0..3 {
            let (program, http) = place.start(&[]);
            std::thread::scope(|scope| {
                let pushing = histories.each_ref().map(|log| {
                    let http = http.clone();
                    scope.spawn(move || push_on(&http, log))
                });
                // Chance is what is tested here: any moment will do.
                std::thread::sleep(Duration::from_micros(chance.between(0, 30_000)));
                program.kill();
                for (won, pushing) in won.iter_mut().zip(pushing) {
                    *won |= pushing.join().unwrap();
                }
            });
        }
        assert_ne!(won, [true, true], "round {round}: both histories were cosigned");
        let (program, http) = place.start(&[]);
        let size = cosigned_size(&http, &place).unwrap_or(0);
        if size > FORK_AT {
            // One may have won without having been told.
            let answers = histories.each_ref().map(|log| ask(&http, &log.request(size, size)));
            let is_there = answers.map(|answer| answer == Some(200));
            assert_ne!(is_there[0], is_there[1], "round {round}: {answers:?}");
            assert!(!won[0] || is_there[0], "round {round}: {answers:?}");
            assert!(!won[1] || is_there[1], "round {round}: {answers:?}");
        }
        program.kill();
    }
}

#[test]
fn a_power_cut_takes_nothing_back_that_was_cosigned() {
    let Some(recorder) = Recorder::build() else { return };
    for round in 0..u64::from(rounds(FEW_ROUNDS)) {
        let seed = seed() + round;
        eprintln!("to repeat it: PLANWATCH_SEED={seed}");
        let mut chance = Chance::new(seed);
        let home = quick_folder();
        let place = Place::make(home.path());
        place.configure("");
        let disk = Disk::read(&place.data());
        recorder.forget();
        let (program, http) = place.start(&recorder.environment(&place.data()));
        let log = Leaves::of(LARGEST, None);
        let (mut size, mut answers) = (0, vec![(0, 0)]);
        for _ in 0..chance.between(5, 40) {
            let next = size + chance.between(1, 90);
            assert_eq!(ask(&http, &log.request(size, next)), Some(200));
            size = next;
            // Everything that the trace holds by now was done before the answer came.
            answers.push((recorder.length_bytes(), size));
        }
        program.kill();
        let trace = recorder.read();
        for number in 0..CUTS_OF_A_TRACE {
            let cut = chance.index(trace.records.len() + 1);
            let place_in_trace = trace.records.get(cut).map_or(u64::MAX, |record| record.place);
            let promised =
                answers.iter().filter(|(length, _)| *length <= place_in_trace).map(|(_, size)| *size).max();
            let medium = if number % 2 == 0 { Medium::Ordered } else { Medium::Nasty };
            let left = quick_folder();
            let after = Place { folder: left.path().to_owned() };
            std::fs::create_dir(after.data()).unwrap();
            disk.cut(&trace.records[..cut], medium, &mut chance).write_to(&after.data());
            after.configure("");
            remembers_at_least(&after, &log, promised.unwrap());
        }
    }
}

/// What is left never leads to a checkpoint smaller than what was answered with, and starts without a person.
fn remembers_at_least(place: &Place, log: &Leaves, promised: u64) {
    owner_only(&place.data().join("witness.key"));
    let (program, http) = place.start(&[]);
    let remembered = cosigned_size(&http, place).unwrap_or(0);
    assert!(remembered >= promised, "{promised} was cosigned, {remembered} is remembered of {ORIGIN}");
    assert_eq!(http.get("/readyz").status, 200, "{}", http.get("/readyz").text);
    assert_eq!(ask(&http, &log.request(remembered, remembered + 1)), Some(200));
    program.kill();
}

/// What a cut leaves has no modes of its own.
fn owner_only(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}
