//! `planwatch key`: the keys that sign the log's checkpoints.
//!
//! They are files, and a running ingestion notices within a second what changes: nothing has to be restarted.

use crate::data_directory::{self, DataDirectory};
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use crate::signing_keys;
use anyhow::Context;
use clap::{Args, Subcommand};
use evidence::{KeyName, VerifierKey};
use ingestion::keys::{self, Keys, KeysError};
use serde_json::{Value, json};
use std::path::PathBuf;

/// What to do with the keys.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the first key of a log; `up` does so by itself
    New {
        /// The log's name, which all of its keys and checkpoints bear, such as log.example.vn/binh-duong
        #[arg(long, value_parser = KeyName::parse)]
        name: KeyName,
        #[command(flatten)]
        place: Place,
    },
    /// List the keys: those that sign, and those that signed at some time
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Make another key beside the one that signs; both sign from then on
    Rotate {
        #[command(flatten)]
        place: Place,
    },
    /// Remove a private key, which signs nothing more; what it signed stays as good as it was
    Retire {
        /// The key's id, eight hexadecimal digits as `key list` shows them
        #[arg(value_parser = key_id)]
        id: u32,
        #[command(flatten)]
        place: Place,
    },
}

/// Where the keys are.
#[derive(Debug, Args)]
struct Place {
    /// The directory of the keys [default: `keys` in the data directory]
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// The data directory of `up` [default: the one that `up` uses]
    #[arg(long, value_name = "DIR", env = data_directory::DATA_VARIABLE)]
    data: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

fn key_id(text: &str) -> Result<u32, String> {
    let is_id = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(text, 16).ok().filter(|_| is_id).ok_or_else(|| {
        format!("`{text}` is no id of a key: it is the eight hexadecimal digits between the two `+` of the public key")
    })
}

impl Place {
    fn directory(&self) -> PathBuf {
        let data = || self.data.clone().unwrap_or_else(data_directory::default_root);
        self.keys.clone().unwrap_or_else(|| DataDirectory::at(data()).keys_folder())
    }
}

/// Carries the subcommand out.
pub fn run(arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::New { name, place } => new(name, place),
        Command::List { place } => list(place),
        Command::Rotate { place } => rotate(place),
        Command::Retire { id, place } => retire(*id, place),
    }
}

fn new(name: &KeyName, place: &Place) -> Outcome {
    let directory = place.directory();
    match Keys::read(&directory) {
        Err(KeysError::Missing(_)) => {}
        Err(KeysError::None(_)) if keys::read_vkeys(&directory).map_err(Failure::refused)?.is_empty() => {}
        Ok(_) | Err(KeysError::None(_)) => {
            return Err(Failure::refused(anyhow::anyhow!(
                "`{}` has keys already: make another one beside them with `planwatch key rotate`",
                directory.display()
            )));
        }
        Err(error) => return Err(Failure::refused(error)),
    }
    let made = signing_keys::make(&directory, name)?;
    tell_made(&made, place);
    output::say("give this public key to whoever is to verify the log, by a way that they trust");
    Ok(Exit::Done)
}

fn rotate(place: &Place) -> Outcome {
    let directory = place.directory();
    let name = match Keys::read(&directory) {
        Ok(keys) => keys.name().clone(),
        // The private halves are gone; what they signed tells the log's name.
        Err(KeysError::None(_)) => {
            let known = keys::read_vkeys(&directory).map_err(Failure::refused)?;
            let first = known.first().with_context(|| {
                format!("`{}` holds no key: make a first one with `planwatch key new`", directory.display())
            })?;
            first.name().clone()
        }
        Err(error) => return Err(Failure::refused(error)),
    };
    let made = signing_keys::make(&directory, &name)?;
    tell_made(&made, place);
    output::say(
        "both keys sign from now on: give the new public key to everyone who has the old one, then remove the old \
         one with `planwatch key retire`",
    );
    Ok(Exit::Done)
}

fn tell_made(made: &VerifierKey, place: &Place) {
    if place.json {
        output::json(&json!({"vkey": made.to_string(), "id": id_text(made), "keys": place.directory()}));
    } else {
        output::line(made);
    }
}

fn retire(id: u32, place: &Place) -> Outcome {
    let directory = place.directory();
    Keys::retire(&directory, id).map_err(Failure::refused)?;
    if place.json {
        output::json(&json!({"retired": format!("{id:08x}"), "keys": directory}));
    } else {
        output::say(format_args!(
            "the key {id:08x} signs nothing more; whoever knows only its public half believes no checkpoint from now on"
        ));
    }
    Ok(Exit::Done)
}

fn list(place: &Place) -> Outcome {
    let directory = place.directory();
    let keys = match Keys::read(&directory) {
        Ok(keys) => keys,
        Err(error @ KeysError::Missing(_)) => return Err(Failure::unreachable(error)),
        Err(error) => return Err(Failure::refused(error)),
    };
    if place.json {
        let told: Vec<Value> = keys
            .verifying()
            .iter()
            .map(|key| json!({"id": id_text(key), "signs": keys.signs(key), "vkey": key.to_string()}))
            .collect();
        output::json(&json!({"name": keys.name().as_str(), "directory": directory, "keys": told}));
        return Ok(Exit::Done);
    }
    let rows: Vec<[String; 3]> = keys
        .verifying()
        .iter()
        .map(|key| {
            let signs = if keys.signs(key) { "signs" } else { "retired" };
            [id_text(key), signs.to_owned(), key.to_string()]
        })
        .collect();
    output::table(["id", "state", "public key"], &rows);
    Ok(Exit::Done)
}

fn id_text(key: &VerifierKey) -> String {
    format!("{:08x}", key.id())
}
