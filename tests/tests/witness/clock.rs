//! The clock of a witness, moved while it runs and while it does not.

use crate::Place;
use crate::logs::Leaves;
use tests::support::{Clocks, Http};

fn ask(http: &Http, log: &Leaves, old_size: u64, size: u64) -> (u16, String) {
    let answer = http.try_post("/add-checkpoint", &log.request(old_size, size).to_string(), &[]).unwrap();
    (answer.status, answer.text)
}

#[track_caller]
fn refused(answer: (u16, String), said: &str) {
    assert_eq!(answer.0, 503, "{}", answer.1);
    assert!(answer.1.contains(said), "{}", answer.1);
}

#[test]
fn nothing_is_cosigned_while_the_clock_is_wrong_and_everything_goes_on_when_it_is_right() {
    let Some(clocks) = Clocks::build() else { return };
    let home = tempfile::tempdir().unwrap();
    let place = Place::make(home.path());
    place.configure("");
    let log = Leaves::of(200, None);
    let (program, http) = place.start(&clocks.environment());
    assert_eq!(ask(&http, &log, 0, 100).0, 200);
    clocks.set("witness", 400);
    refused(ask(&http, &log, 100, 110), "more than has passed since it began");
    clocks.set("witness", -1);
    refused(ask(&http, &log, 100, 110), "but its last cosignature is of");
    clocks.set("witness", 0);
    assert_eq!(ask(&http, &log, 100, 110).0, 200);
    assert_eq!(program.end().code(), Some(0));

    clocks.set("witness", -1);
    let (program, http) = place.start(&clocks.environment());
    refused(ask(&http, &log, 110, 120), "but its last cosignature is of");
    clocks.set("witness", 0);
    // From a day behind, the true time is a leap like any other: a person who knows better starts it again.
    refused(ask(&http, &log, 110, 120), "start the witness again");
    assert_eq!(program.end().code(), Some(0));
    let (program, http) = place.start(&clocks.environment());
    assert_eq!(ask(&http, &log, 110, 120).0, 200);
    assert_eq!(program.end().code(), Some(0));
}
