//! The C core for tasks of a runtime: connections, questions to the database, and who is connected.
//! No runtime is known here; each is one file of bin/. All that is unsafe is in this file.
//!
//! A connection (`Conn`) is an owned value of 168 bytes that may move between threads: each call
//! lends it the environment, the pool of buffers, of the thread it is on (bridge.c says what that
//! costs). Who must work on it elsewhere (a blocking pool, the link) gets it and gives it back.
//!
//! What the C shells do by table is done here by `Clients`: one number a connection, its deadline,
//! looked at once a second by a task. Whoever has waited too long, or is idle when the server
//! stops, has its socket shut down; its task wakes up from that as from the client's end.

mod link;
mod sys;

pub use futures_lite::future::{poll_fn, yield_now};
pub use link::Link;

use std::cell::RefCell;
use std::io;
use std::net::TcpListener;
use std::os::unix::io::{AsRawFd, FromRawFd, RawFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// What a connection waits for: enum conn_want of lib/core/conn.h.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(u32)]
pub enum Want {
    Recv,
    Send,
    Sleep,
    Compute,
    File,
    Query,
    Shutdown,
    Close,
}

// --- threads ------------------------------------------------------------------------------------

/// A thread's own: the pool its connections borrow buffers from, and room to receive into.
struct Here {
    env: *mut sys::Env,
    scratch: Box<[u8]>,
}

impl Drop for Here {
    fn drop(&mut self) {
        unsafe { sys::bridge_env_destroy(self.env) }
    }
}

thread_local! {
    static HERE: RefCell<Here> = RefCell::new(Here {
        env: unsafe { sys::bridge_env_create(worker().0) },
        scratch: vec![0; sys::CONN_FEED_MAX].into_boxed_slice(),
    });
}

/// Offers the thread's scratch buffer: a waiting task owns none.
pub(crate) fn with_scratch<T>(f: impl FnOnce(&mut [u8]) -> T) -> T {
    HERE.with(|here| f(&mut here.borrow_mut().scratch))
}

/// This thread's environment, told the time: two reads of coarse clocks, no system call.
fn env_here(here: &Here) -> *mut sys::Env {
    unsafe { sys::worker_env_tick(here.env) };
    here.env
}

// --- connections --------------------------------------------------------------------------------

/// A connection without I/O: struct conn.
pub struct Conn(sys::RawConn);

// Its buffers are malloc'ed, its environment is exchanged before each use, and it is never shared.
unsafe impl Send for Conn {}

impl Conn {
    fn new() -> Conn {
        let mut conn = Conn(sys::RawConn::EMPTY);
        HERE.with(|here| unsafe { sys::conn_init(&mut conn.0, env_here(&here.borrow())) });
        conn
    }

    /// The connection with this thread's environment. Whatever changes it goes through here.
    fn here(&mut self) -> *mut sys::RawConn {
        self.0.env = HERE.with(|here| env_here(&here.borrow()));
        &mut self.0
    }

    /// `Want::Recv`: has `read` receive into the thread's scratch buffer and feeds what has come.
    /// The client's end ends the connection; it may be the sweep's doing, though: then it is
    /// answered so.
    pub fn receive(
        &mut self,
        read: impl FnOnce(&mut [u8]) -> Poll<io::Result<usize>>,
    ) -> Poll<()> {
        HERE.with(|here| {
            let mut here = here.borrow_mut();
            let came = match read(&mut here.scratch) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(came) => came.unwrap_or(0),
            };
            self.0.env = env_here(&here);
            unsafe {
                if came > 0 {
                    sys::conn_feed(&mut self.0, here.scratch.as_ptr(), came);
                } else if sys::conn_is_late(&self.0) {
                    sys::conn_expire(&mut self.0);
                } else {
                    sys::conn_feed_eof(&mut self.0);
                }
            }
            Poll::Ready(())
        })
    }

    /// `Want::Send`: has `write` send what is to be sent. A broken socket ends the connection.
    pub fn send(&mut self, write: impl FnOnce(&[u8]) -> Poll<io::Result<usize>>) -> Poll<()> {
        let sent = match write(unsafe { sys::conn_output(&self.0).bytes() }) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(sent) => sent,
        };
        let conn = self.here();
        match sent {
            Ok(len) if len > 0 => unsafe { sys::conn_sent(conn, len) },
            _ => unsafe { sys::conn_feed_eof(conn) },
        }
        Poll::Ready(())
    }

    /// `Want::Sleep`: how long, then `woke`.
    pub fn pause(&mut self) -> Duration {
        Duration::from_nanos(unsafe { sys::conn_sleep_ns(&self.0) })
    }

    pub fn woke(&mut self) {
        unsafe { sys::conn_woke(self.here()) }
    }

    /// `Want::Compute`: burns CPU in the thread that calls it.
    pub fn compute(&mut self) {
        unsafe {
            sys::conn_compute(&mut self.0);
            sys::conn_computed(self.here());
        }
    }

    /// `Want::File`: a read to be done in any thread: it blocks for the disk. It takes the
    /// connection along, so that nobody can end it meanwhile.
    pub fn start_reading(mut self) -> impl FnOnce() -> Reading + Send {
        let read = unsafe { sys::conn_file(self.here()) };
        let reading = Reading { conn: self, read, came: 0 };
        move || reading.block()
    }
}

impl Drop for Conn {
    fn drop(&mut self) {
        unsafe { sys::conn_deinit(self.here()) }
    }
}

/// A read of the data file into a buffer of the connection's; `finish` tells what came of it.
pub struct Reading {
    conn: Conn,
    read: sys::FileRead,
    came: isize,
}

unsafe impl Send for Reading {}

impl Reading {
    fn block(mut self) -> Reading {
        self.came = unsafe { sys::datafile_read(self.read) };
        self
    }

    pub fn finish(mut self) -> Conn {
        unsafe { sys::conn_file_done(self.conn.here(), self.came) };
        self.conn
    }
}

// --- who is connected ---------------------------------------------------------------------------

/// A client: its connection and its socket, of whatever type the runtime has. When it is dropped it
/// leaves the table first, then closes the socket: afterwards the number may be another's.
pub struct Client<S> {
    place: Place,
    pub stream: S,
    pub conn: Conn,
    step_count: u32,
}

impl<S> Client<S> {
    /// What it waits for; and until when, as the sweep must know.
    pub fn wants(&mut self) -> Want {
        let want = unsafe { sys::conn_wants(&self.conn.0) };
        let deadline_s = unsafe { sys::bridge_deadline_s(&self.conn.0) }.min(NEVER_S);
        let sending = if want == Want::Send { SENDING } else { 0 };
        self.place.deadline().store(deadline_s | sending, Ordering::Relaxed);
        want
    }

    /// Before each step, where the runtime does not bound a task's share itself: lets the others
    /// run after 32 of them.
    pub async fn share(&mut self) {
        self.step_count += 1;
        if self.step_count % STEPS == 0 {
            yield_now().await;
        }
    }

    /// `Want::Shutdown`: ends the sending side.
    pub fn shut(&mut self) {
        unsafe {
            sys::shutdown(self.place.fd, sys::SHUT_WR);
            sys::conn_shut(self.conn.here());
        }
    }
}

const STEPS: u32 = 32;
const SENDING: u32 = 1 << 31;
const NEVER_S: u32 = SENDING - 1;

struct Place {
    clients: &'static Clients,
    fd: RawFd,
}

impl Place {
    fn deadline(&self) -> &AtomicU32 {
        &self.clients.deadlines_s[self.fd as usize]
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.clients.lock();
        self.deadline().store(0, Ordering::Relaxed);
        open.count -= 1;
        unsafe { sys::worker_closed(self.clients.worker.0) };
        if open.count == 0 {
            if let Some(waker) = open.none_left.take() {
                waker.wake();
            }
        }
    }
}

/// All clients, by descriptor, and whom they may ask.
pub struct Clients {
    pub link: Link,
    worker: Worker,
    deadlines_s: Box<[AtomicU32]>, // 0: not open. Monotonic seconds, and SENDING
    open: Mutex<Open>,
}

struct Open {
    count: usize,
    end_fd: usize, // one past the highest ever open
    none_left: Option<Waker>,
}

impl Clients {
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().expect("no panic is survived")
    }

    pub fn add<S: AsRawFd>(&'static self, stream: S) -> Client<S> {
        let place = Place { clients: self, fd: stream.as_raw_fd() };
        let mut open = self.lock();
        open.count += 1;
        open.end_fd = open.end_fd.max(place.fd as usize + 1);
        unsafe { sys::worker_opened(self.worker.0) };
        place.deadline().store(NEVER_S, Ordering::Relaxed);
        Client { place, stream, conn: Conn::new(), step_count: 0 }
    }

    /// The runtime's accept failed: how long to wait before the next; None when the server stops.
    pub fn accept_failed(&self, error: &io::Error) -> Option<Duration> {
        let code = error.raw_os_error().unwrap_or(0);
        match unsafe { sys::worker_accept_failed(self.worker.0, code) } {
            ms if ms >= 0 => Some(Duration::from_millis(ms as u64)),
            _ => None,
        }
    }

    /// Once a second: shuts down who is late, the link included. The lock keeps everyone's number
    /// from becoming another's meanwhile.
    pub fn sweep(&self) {
        let open = self.lock();
        let now_s = HERE.with(|here| unsafe { sys::bridge_now_s(env_here(&here.borrow())) });
        for (fd, deadline) in self.deadlines_s[..open.end_fd].iter().enumerate() {
            let value = deadline.load(Ordering::Relaxed);
            if value != 0 && value & NEVER_S <= now_s {
                let how = if value & SENDING != 0 { sys::SHUT_RDWR } else { sys::SHUT_RD };
                unsafe { sys::shutdown(fd as RawFd, how) };
            }
        }
        self.link.check(now_s);
    }

    /// The server stops: ends the receiving side of all, then waits for the last. Those without a
    /// request see end of file; those with one are still answered.
    pub async fn drain(&self) {
        {
            let open = self.lock();
            for (fd, deadline) in self.deadlines_s[..open.end_fd].iter().enumerate() {
                if deadline.load(Ordering::Relaxed) != 0 {
                    unsafe { sys::shutdown(fd as RawFd, sys::SHUT_RD) };
                }
            }
        }
        poll_fn(|cx: &mut Context| {
            let mut open = self.lock();
            open.none_left = Some(cx.waker().clone());
            if open.count == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await
    }
}

// --- the process --------------------------------------------------------------------------------

/// struct worker of lib/sys/server_main.h. Only the accepting task calls what changes it.
#[derive(Clone, Copy)]
struct Worker(*mut sys::Worker);

unsafe impl Send for Worker {}
unsafe impl Sync for Worker {}

static WORKER: Mutex<Option<Worker>> = Mutex::new(None);

fn worker() -> Worker {
    WORKER.lock().expect("no panic is survived").expect("set by serve_model")
}

/// What a model has to work with.
pub struct Server {
    pub listener: TcpListener,
    pub thread_count: usize, // --workers
    pub clients: &'static Clients,
}

pub struct Model {
    pub name: &'static str,    // as in build/servers/NAME
    pub api: &'static str,
    pub summary: &'static str, // one line: how it waits
    pub single_worker: bool,
    pub serve: fn(Server),     // returns when the server has stopped and nobody is left
}

static SERVE: Mutex<Option<fn(Server)>> = Mutex::new(None);

extern "C" fn serve_model(raw: *mut sys::Worker) {
    let worker = Worker(raw);
    *WORKER.lock().expect("no panic is survived") = Some(worker);
    let fd_cap = unsafe { sys::bridge_fd_cap(raw) } as usize;
    let clients = Clients {
        link: Link::new(),
        worker,
        deadlines_s: (0..fd_cap).map(|_| AtomicU32::new(0)).collect(),
        open: Mutex::new(Open { count: 0, end_fd: 0, none_left: None }),
    };
    let serve = SERVE.lock().expect("no panic is survived").expect("set by run");
    serve(Server {
        listener: unsafe { TcpListener::from_raw_fd(sys::bridge_listen_fd(raw)) },
        thread_count: unsafe { sys::bridge_worker_count(raw) } as usize,
        clients: Box::leak(Box::new(clients)), // to the end of the process, as static in C
    });
}

/// main of every model: options, --describe, file limit, listening, SIGTERM are server_main()'s.
pub fn run(model: Model) {
    *SERVE.lock().expect("no panic is survived") = Some(model.serve);
    std::process::exit(sys::main(&model, serve_model));
}
