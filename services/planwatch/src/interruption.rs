//! Work that goes on until a person stops it: Ctrl-C is its right end and no failure.

use crate::exit::{Exit, Failure, Outcome};
use anyhow::Context;
use service::running::StopSignals;
use tokio::sync::oneshot;

/// Does the work on a thread of its own until it ends by itself, or SIGINT or SIGTERM comes: then it is done.
///
/// What the thread is at when a signal comes is left behind and ends with the process.
pub fn until_interrupted(work: impl FnOnce() -> Outcome + Send + 'static) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot wait for signals")?;
    runtime.block_on(async {
        let mut signals = StopSignals::new().context("cannot listen for signals")?;
        let (sender, outcome) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("work".to_owned())
            // A receiver that is gone means that a signal came first.
            .spawn(move || drop(sender.send(work())))
            .context("cannot start a thread")?;
        tokio::select! {
            _ = signals.next() => Ok(Exit::Done),
            ended = outcome => ended.unwrap_or_else(|_| match thread.join() {
                Err(panic) => std::panic::resume_unwind(panic),
                Ok(()) => Err(Failure::refused(anyhow::anyhow!("the work ended without an outcome"))),
            }),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_ends_by_itself_keeps_its_outcome() {
        assert_eq!(until_interrupted(|| Ok(Exit::Refused)).unwrap(), Exit::Refused);
        let failed = until_interrupted(|| Err(Failure::unreachable(anyhow::anyhow!("gone")))).unwrap_err();
        assert_eq!(failed.exit, Exit::Unreachable);
    }
}
