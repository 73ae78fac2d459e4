//! A server of files, as any mirror of a log is one: it knows no routes and computes nothing.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// The longest head of a request that is read.
const HEAD_LIMIT_LINES: usize = 100;

/// A server of the files in a folder; which folder may change. It ends with the test's process.
pub(crate) struct StaticFiles {
    address: SocketAddr,
    folder: Arc<Mutex<PathBuf>>,
}

impl StaticFiles {
    /// Serves a folder.
    pub(crate) fn serve(folder: &Path) -> StaticFiles {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let folder = Arc::new(Mutex::new(folder.to_owned()));
        let served = folder.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let folder = served.lock().unwrap().clone();
                std::thread::spawn(move || answer(connection, &folder));
            }
        });
        StaticFiles { address, folder }
    }

    /// Serves another folder from now on.
    pub(crate) fn switch_to(&self, folder: &Path) {
        *self.folder.lock().unwrap() = folder.to_owned();
    }

    pub(crate) fn address(&self) -> String {
        format!("http://{}/log", self.address)
    }
}

/// Answers one request, and closes.
fn answer(mut connection: TcpStream, folder: &Path) {
    let lines: Vec<String> = BufReader::new(&connection)
        .lines()
        .map_while(Result::ok)
        .take(HEAD_LIMIT_LINES)
        .take_while(|line| !line.is_empty())
        .collect();
    let target = lines.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    let path = target.split('?').next().unwrap().strip_prefix("/log/").unwrap_or_default();
    let file = std::fs::read(folder.join(path)).ok().filter(|_| !path.is_empty());
    let (status, body) = match file {
        Some(bytes) => ("200 OK", bytes),
        None => ("404 Not Found", b"no such file".to_vec()),
    };
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let _gone = connection.write_all(&[head.as_bytes(), &body].concat());
}
