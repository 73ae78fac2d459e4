//! A server that is reached over HTTP: its socket, the file that tells its address, and its end.

use crate::durable::{READABLE, replace};
use crate::listener::BoundedListener;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Why nothing is listened on.
#[derive(Debug, Error)]
pub enum ListenError {
    /// The address cannot be listened on.
    #[error("cannot listen on {listen}: stop what listens there, or choose another address with `listen`")]
    Bind {
        /// Which address.
        listen: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The bound address cannot be written down.
    #[error("cannot write the address into `{}`: check that its folder is there and writable", file.display())]
    ReadyFile {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// An address that is listened on; nothing is answered yet.
#[derive(Debug)]
pub struct Listening {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listening {
    /// Takes an address; port 0 takes a free one.
    pub async fn on(listen: SocketAddr) -> Result<Listening, ListenError> {
        let bind = |source| ListenError::Bind { listen, source };
        let socket = TcpListener::bind(listen).await.map_err(bind)?;
        let address = socket.local_addr().map_err(bind)?;
        Ok(Listening { socket, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Writes the address into the file, if there is one, and answers from now on.
    ///
    /// `closing` tells what is being served, and whatever else holds a receiver of it, to come to an end.
    pub fn serve<S, F>(
        self,
        ready_file: Option<PathBuf>,
        closing: watch::Sender<bool>,
        serve: S,
    ) -> Result<HttpServer, ListenError>
    where
        S: FnOnce(BoundedListener) -> F,
        F: Future<Output = io::Result<()>> + Send + 'static,
    {
        let Listening { socket, address } = self;
        if let Some(file) = &ready_file {
            replace(file, address.to_string().as_bytes(), READABLE)
                .map_err(|source| ListenError::ReadyFile { file: file.clone(), source })?;
        }
        let server = tokio::spawn(serve(BoundedListener::new(socket)));
        Ok(HttpServer { address, closing, server, ready_file })
    }
}

/// A server that listens.
#[derive(Debug)]
pub struct HttpServer {
    address: SocketAddr,
    closing: watch::Sender<bool>,
    server: JoinHandle<io::Result<()>>,
    ready_file: Option<PathBuf>,
}

impl HttpServer {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until it has ended by itself; says why.
    pub async fn failed(&mut self) -> String {
        match (&mut self.server).await {
            Ok(Ok(())) => "the server ended by itself".to_owned(),
            Ok(Err(error)) => format!("the server ended: {error}"),
            Err(error) => format!("the server ended: {error}"),
        }
    }

    /// Stops listening, finishes what is being answered, and returns within the grace.
    pub async fn stop(mut self, grace: Duration) {
        // Nobody listens to the channel only when the server has ended already.
        let _ = self.closing.send(true);
        if let Some(file) = &self.ready_file {
            // It may be gone already; a next start writes it anew.
            let _ = tokio::fs::remove_file(file).await;
        }
        if self.server.is_finished() {
            return;
        }
        if tokio::time::timeout(grace, &mut self.server).await.is_err() {
            tracing::warn!("Cut off the requests that were still being answered after {grace:?}");
            self.server.abort();
        }
    }
}
