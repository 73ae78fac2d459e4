//! A witness as another body runs it: the real process, a log behind an address, and what happens to both.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod clock;
mod following;
mod logs;
mod losses;
mod static_files;

use logs::{ORIGIN, log_vkey};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tests::support::{Http, Program, planwatch, until_some};

/// How many rounds there are: as many as are asked for, or else a few.
fn rounds(few: u32) -> u32 {
    let asked = std::env::var("PLANWATCH_ROUNDS").ok();
    asked.map_or(few, |rounds| rounds.parse().expect("PLANWATCH_ROUNDS is a number of rounds"))
}

/// The place of a witness: its directory, and what is beside it.
struct Place {
    folder: PathBuf,
}

impl Place {
    /// Makes the key, as its operator does.
    fn make(folder: &Path) -> Place {
        let place = Place { folder: folder.to_owned() };
        let made = place
            .command(&["witness", "key", "new", "--name", "witness.example/w1", "--out"], &[place.data()]);
        assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
        place
    }

    fn data(&self) -> PathBuf {
        self.folder.join("witness")
    }

    fn config(&self) -> PathBuf {
        self.folder.join("witness.toml")
    }

    /// The public key, as it was printed and lies beside the private one.
    fn vkey(&self) -> evidence::VerifierKey {
        std::fs::read_to_string(self.data().join("witness.vkey")).unwrap().trim_end().parse().unwrap()
    }

    /// Writes a configuration with one log, and further lines about it.
    fn configure(&self, about_the_log: &str) {
        let text = format!(
            "listen = \"127.0.0.1:0\"\ndata = \"witness\"\nready_file = \"witness.addr\"\n\n[[logs]]\norigin = \"{ORIGIN}\"\n\
             name = \"made\"\nvkeys = [\"{}\"]\n{about_the_log}\n",
            log_vkey()
        );
        std::fs::write(self.config(), text).unwrap();
    }

    fn command(&self, arguments: &[&str], paths: &[PathBuf]) -> Output {
        let mut command = Command::new(planwatch());
        command.args(arguments).args(paths).stdin(Stdio::null()).output().unwrap()
    }

    /// Starts the witness and waits until it listens.
    fn start(&self, environment: &[(String, String)]) -> (Program, Http) {
        let address_file = self.folder.join("witness.addr");
        let _not_there = std::fs::remove_file(&address_file);
        let mut command = Command::new(planwatch());
        command.arg("witness").arg("--config").arg(self.config());
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let program = Program::start(&self.folder, "witness", &mut command);
        let http = until_some("the witness listens", || {
            let address = std::fs::read_to_string(&address_file).ok()?;
            // From here on it minds signals, too.
            program.said().contains("Started `witness`").then_some(())?;
            Some(Http::new(&format!("http://{}", address.trim()), None))
        });
        (program, http)
    }
}

/// The size of the last checkpoint that a witness serves; none if it has none.
fn cosigned_size(http: &Http, place: &Place) -> Option<u64> {
    let answer = http.try_get("/made/checkpoint").ok().filter(|answer| answer.status == 200)?;
    let checkpoint = evidence::SignedCheckpoint::parse(answer.text.as_bytes()).unwrap();
    let verified = checkpoint.verify(&[log_vkey(), place.vkey()]).unwrap();
    assert_eq!(verified.cosigned.len(), 1, "{}", answer.text);
    Some(verified.checkpoint.size())
}
