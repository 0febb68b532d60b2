//! A way to a real engine that can be bad: it stands between an installation and the engine's socket, and delays, cuts off or
//! replaces what a chosen request gets for an answer.

use std::collections::HashMap;
use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;

use crate::parts;

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// The engine never sees it: the connection ends.
    BeforeRequest,
    /// The engine does what was asked, and the connection ends without an answer.
    BeforeAnswer,
    /// The connection ends in the middle of the answer.
    InAnswer,
    /// Something that is not HTTP comes in place of the answer.
    Garbage,
    /// The engine says that it has an error of its own.
    ServerError,
    /// The answer takes this long.
    Delay(Duration),
}

/// One request: the so-manieth of its kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Request {
    /// Method and path, without version, identifiers and parameters.
    pub what: String,
    /// Counted from 1.
    pub number: usize,
}

/// The proxy. Dropping it lets nobody in any more.
#[derive(Debug)]
pub struct Proxy {
    folder: TempDir,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    engine: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    plan: HashMap<Request, Break>,
    /// For every other request.
    always: Option<Break>,
    counts: HashMap<String, usize>,
    seen: Vec<Request>,
}

impl Proxy {
    /// Listens before the engine at this socket.
    ///
    /// # Panics
    /// When it cannot.
    #[must_use]
    pub fn before(engine: &Path) -> Self {
        let folder = parts::scratch();
        let shared = Arc::new(Shared { engine: engine.to_owned(), state: Mutex::default() });
        let listener = UnixListener::bind(folder.path().join("sock")).unwrap();
        let served = Arc::clone(&shared);
        // It ends with the test's process.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&served);
                std::thread::spawn(move || serve(client, &shared));
            }
        });
        Self { folder, shared }
    }

    /// Its socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("sock")
    }

    /// From now on, only these requests are broken, all others are as `always` says; counts begin anew.
    ///
    /// # Panics
    /// When another thread has panicked.
    pub fn plan(&self, broken: impl IntoIterator<Item = (Request, Break)>, always: Option<Break>) {
        let plan = broken.into_iter().collect();
        *self.shared.state.lock().unwrap() = State { plan, always, ..State::default() };
    }

    /// The requests since then.
    ///
    /// # Panics
    /// When another thread has panicked.
    #[must_use]
    pub fn seen(&self) -> Vec<Request> {
        self.shared.state.lock().unwrap().seen.clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.socket());
    }
}

impl Shared {
    /// Counts a request; what happens to it.
    fn next(&self, what: String) -> Option<Break> {
        let mut state = self.state.lock().unwrap();
        let count = state.counts.entry(what.clone()).or_default();
        *count += 1;
        let request = Request { what, number: *count };
        let fate = state.plan.get(&request).copied().or(state.always);
        state.seen.push(request);
        fate
    }
}

/// Method and path of a request that begins here, without what differs from run to run.
fn request(bytes: &[u8]) -> Option<String> {
    const METHODS: [&[u8]; 5] = [b"GET /", b"POST /", b"PUT /", b"DELETE /", b"HEAD /"];
    METHODS.iter().find(|method| bytes.starts_with(method))?;
    let line = bytes.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok()?.strip_suffix(" HTTP/1.1")?;
    let (method, path) = line.split_once(' ')?;
    let path = path.split('?').next()?;
    let is_version = |part: &str| part.starts_with("v1.");
    let is_id = |part: &str| {
        let digits = part.trim_start_matches("sha256:");
        digits.len() >= 12 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let parts = path.split('/').skip(1).filter(|part| !is_version(part));
    let parts: Vec<_> = parts.map(|part| if is_id(part) { "ID" } else { part }).collect();
    Some(format!("{method} /{}", parts.join("/")))
}

fn serve(client: UnixStream, shared: &Arc<Shared>) {
    let Ok(engine) = UnixStream::connect(&shared.engine) else { return };
    // What the request under way comes to.
    let fate = Arc::new(Mutex::new(None));
    let (Ok(answers), Ok(asked)) = (engine.try_clone(), client.try_clone()) else { return };
    let back = Arc::clone(&fate);
    let answering = std::thread::spawn(move || answer(answers, asked, &back));
    ask(client, engine, shared, &fate);
    let _ = answering.join();
}

/// From whoever asks to the engine.
fn ask(mut client: UnixStream, mut engine: UnixStream, shared: &Shared, fate: &Mutex<Option<Break>>) {
    let mut piece = vec![0; 64 << 10];
    while let Ok(len @ 1..) = client.read(&mut piece) {
        if let Some(what) = request(&piece[..len]) {
            let next = shared.next(what);
            *fate.lock().unwrap() = next;
            if next == Some(Break::BeforeRequest) {
                return end(&client, &engine);
            }
        }
        if engine.write_all(&piece[..len]).is_err() {
            return end(&client, &engine);
        }
    }
    let _ = engine.shutdown(Shutdown::Write);
}

/// From the engine to whoever asks.
fn answer(mut engine: UnixStream, mut client: UnixStream, fate: &Mutex<Option<Break>>) {
    let mut piece = vec![0; 64 << 10];
    while let Ok(len @ 1..) = engine.read(&mut piece) {
        // It happens to the first piece of the answer.
        let now = fate.lock().unwrap().take();
        let said: &[u8] = match now {
            Some(Break::BeforeAnswer) => b"",
            Some(Break::InAnswer) => &piece[..len / 2],
            Some(Break::Garbage) => b"\0\x01\x02 this is no answer\r\n\r\n",
            Some(Break::ServerError) => {
                b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: application/json\r\nContent-Length: 36\r\nConnection: close\r\n\r\n{\"message\":\"the engine has a fault\"}"
            }
            Some(Break::Delay(time)) => {
                std::thread::sleep(time);
                &piece[..len]
            }
            Some(Break::BeforeRequest) | None => &piece[..len],
        };
        let goes_on = matches!(now, None | Some(Break::Delay(_)));
        if client.write_all(said).is_err() || !goes_on {
            return end(&client, &engine);
        }
    }
    let _ = client.shutdown(Shutdown::Write);
}

fn end(client: &UnixStream, engine: &UnixStream) {
    let _ = client.shutdown(Shutdown::Both);
    let _ = engine.shutdown(Shutdown::Both);
}
