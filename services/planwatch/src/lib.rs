//! The executable: subcommands, composition and the supervisor.
