//! A witness of another body follows the running system: by its public key and its address, nothing else.

use super::{checkpoint, is_possible, submit, submit_batch, vkey};
use evidence::{SignedCheckpoint, VerifierKey};
use std::process::{Command, Stdio};
use tests::support::{Http, Options, Program, System, planwatch, until_some};

#[test]
fn a_running_log_is_cosigned_through_an_exchange_of_its_keys() {
    if !is_possible() {
        return;
    }
    let system = System::start(Options::sample());
    submit_batch(system.http(), 100..140);
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("witness");
    let mut made = Command::new(planwatch());
    made.args(["witness", "key", "new", "--name", "witness.example/w1", "--out"]).arg(&data);
    assert_eq!(made.stdin(Stdio::null()).output().unwrap().status.code(), Some(0));
    let witness: VerifierKey =
        std::fs::read_to_string(data.join("witness.vkey")).unwrap().trim_end().parse().unwrap();

    // The overlap has begun: the witness was told both keys.
    let old = vkey(&system);
    let rotated = super::data(&system.command(&["key", "rotate", "--json"]), 0);
    let new: VerifierKey = rotated["vkey"].as_str().unwrap().parse().unwrap();
    let config = home.path().join("witness.toml");
    let text = format!(
        "listen = \"127.0.0.1:0\"\ndata = \"witness\"\nready_file = \"witness.addr\"\n\n[[logs]]\norigin = \"{}\"\nname = \
         \"log\"\nvkeys = [\"{old}\", \"{new}\"]\nfollow = \"{}/api/v1/log\"\ninterval_seconds = 1\n",
        old.name(),
        system.ready().console
    );
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new(planwatch());
    command.arg("witness").arg("--config").arg(&config);
    let program = Program::start(home.path(), "witness", &mut command);
    let http = until_some("the witness listens", || {
        let address = std::fs::read_to_string(home.path().join("witness.addr")).ok()?;
        program.said().contains("Started `witness`").then_some(())?;
        Some(Http::new(&format!("http://{}", address.trim()), None))
    });
    let until_cosigned = |position: u64, keys: &[VerifierKey]| {
        until_some("the witness has cosigned it", || {
            let answer = http.try_get("/log/checkpoint").ok().filter(|answer| answer.status == 200)?;
            let signed = SignedCheckpoint::parse(answer.text.as_bytes()).unwrap();
            let verified = signed.verify(keys).ok()?;
            assert_eq!(verified.cosigned.len(), 1, "{}", answer.text);
            (verified.checkpoint.size() >= position).then_some(verified.checkpoint)
        })
    };
    until_cosigned(219, &[old.clone(), witness.clone()]);
    let retired = system.command(&["key", "retire", &format!("{:08x}", old.id())]);
    assert_eq!(retired.status.code(), Some(0));
    let last = submit(system.http(), 777)["position"].as_u64().unwrap();
    let cosigned = until_cosigned(last, &[new.clone(), witness]);
    let own = checkpoint(system.http()).verify(&[new]).unwrap().checkpoint;
    assert!(own.size() >= cosigned.size());
    assert_eq!(http.get("/readyz").status, 200, "{}", program.said());
    assert_eq!(program.end().code(), Some(0));
}
