//! The link to the database: one connection to Redis carries everybody's questions, one behind the
//! other (lib/sys/database.h), under one lock. A task of the runtime sends and receives on it with
//! the runtime's own socket; who asks leaves the connection here and gets it back answered, so a
//! question costs no memory of its own.
//!
//! The one who asks first, or first after a loss, opens the link, and blocks while it does: on
//! loopback no time at all, a second at most.

use std::future::Future;
use std::io;
use std::mem;
use std::net::TcpStream;
use std::os::unix::io::BorrowedFd;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use crate::{poll_fn, sys, with_scratch, Conn};

pub struct Link(Mutex<Row>);

/// Who waits for an answer; its index is its tag.
enum Seat {
    Free(usize), // the next free one
    Waiting(Conn, Option<Waker>),
    Answered(Conn),
}

struct Row {
    database: *mut sys::Database,
    seats: Vec<Seat>,
    free: usize,            // first free seat; seats.len() when there is none
    carrier: Option<Waker>, // the task that sends and receives
    opened: bool,           // a link it has not taken yet
    gathering: bool,        // it lets the others ask first
}

unsafe impl Send for Row {}

impl Row {
    fn sit_down(&mut self, conn: Conn) -> usize {
        let tag = self.free;
        let seat = Seat::Waiting(conn, None);
        if tag == self.seats.len() {
            self.seats.push(seat);
            self.free += 1;
        } else if let Seat::Free(next) = mem::replace(&mut self.seats[tag], seat) {
            self.free = next;
        }
        tag
    }

    /// Tells those whose answers are there.
    fn deliver(&mut self) {
        let (mut tag, mut value) = (0, sys::Slice::NONE);
        while unsafe { sys::database_next(self.database, &mut tag, &mut value) } {
            let tag = tag as usize;
            match mem::replace(&mut self.seats[tag], Seat::Free(0)) {
                Seat::Waiting(mut conn, waker) => {
                    unsafe { sys::conn_query_done(conn.here(), value) };
                    self.seats[tag] = Seat::Answered(conn);
                    if let Some(waker) = waker {
                        waker.wake();
                    }
                }
                seat => self.seats[tag] = seat,
            }
        }
    }

    fn wake_carrier(&mut self) {
        if let Some(waker) = self.carrier.take() {
            waker.wake();
        }
    }

    fn output(&self) -> &[u8] {
        unsafe { sys::database_output(self.database).bytes() }
    }
}

impl Link {
    pub(crate) fn new() -> Link {
        Link(Mutex::new(Row {
            database: unsafe { sys::bridge_database_create() },
            seats: Vec::new(),
            free: 0,
            carrier: None,
            opened: false,
            gathering: false,
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Row> {
        self.0.lock().expect("no panic is survived")
    }

    /// `Want::Query`: asks what the connection wants to know; it comes back when it has been told.
    pub fn ask(&self, conn: Conn) -> impl Future<Output = Conn> + '_ {
        let mut row = self.lock();
        let key = unsafe { sys::conn_query_key(&conn.0) }; // in a buffer, which does not move
        let tag = row.sit_down(conn);
        row.opened |= unsafe { sys::database_ask(row.database, key, tag as u64) };
        if unsafe { sys::bridge_database_fd(row.database) } < 0 {
            row.deliver(); // there is no link: all have their answer
        }
        row.wake_carrier();
        poll_fn(move |cx| self.poll_answer(tag, cx))
    }

    fn poll_answer(&self, tag: usize, cx: &mut Context) -> Poll<Conn> {
        let mut row = self.lock();
        if let Seat::Waiting(_, waker) = &mut row.seats[tag] {
            *waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let free = Seat::Free(mem::replace(&mut row.free, tag));
        match mem::replace(&mut row.seats[tag], free) {
            Seat::Answered(conn) => Poll::Ready(conn),
            _ => unreachable!("an asker leaves its seat once"),
        }
    }

    /// The carrying task: waits until there is a new link. The socket is a second descriptor of it,
    /// for the runtime, which will close it.
    pub async fn opened(&self) -> TcpStream {
        poll_fn(|cx| {
            let mut row = self.lock();
            row.carrier = Some(cx.waker().clone());
            if !mem::take(&mut row.opened) {
                return Poll::Pending;
            }
            let fd = unsafe { sys::bridge_database_fd(row.database) };
            let own = unsafe { BorrowedFd::borrow_raw(fd) }.try_clone_to_owned();
            match own {
                Ok(socket) => Poll::Ready(socket.into()),
                Err(_) => {
                    // out of files: no answers until somebody asks anew
                    unsafe { sys::database_hang_up(row.database) };
                    row.deliver();
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// The carrying task: one turn, to be polled again and again: sends what was asked, hears what
    /// is answered, wakes who waited. Ready when the link is lost: then `lost`.
    pub fn turn(
        &self,
        cx: &mut Context,
        mut write: impl FnMut(&mut Context, &[u8]) -> Poll<io::Result<usize>>,
        mut read: impl FnMut(&mut Context, &mut [u8]) -> Poll<io::Result<usize>>,
    ) -> Poll<()> {
        let mut row = self.lock();
        row.carrier = Some(cx.waker().clone());
        // those who are ready to run may ask, too: let them, and send all in one go
        row.gathering = !row.output().is_empty() && !row.gathering;
        if row.gathering {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        while !row.output().is_empty() {
            match write(cx, row.output()) {
                Poll::Ready(Ok(len)) => unsafe { sys::database_sent(row.database, len) },
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => break,
            }
        }
        loop {
            let more = with_scratch(|bytes| match read(cx, bytes) {
                Poll::Ready(Ok(len)) if len > 0 => {
                    unsafe { sys::database_feed(row.database, bytes.as_ptr(), len) };
                    Poll::Ready(true)
                }
                Poll::Ready(_) => Poll::Ready(false),
                Poll::Pending => Poll::Pending,
            });
            match more {
                Poll::Ready(true) => row.deliver(),
                Poll::Ready(false) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// The link is lost: nobody who asked on it gets an answer.
    pub fn lost(&self) {
        let mut row = self.lock();
        unsafe { sys::database_hang_up(row.database) };
        row.deliver();
    }

    /// Once a second: a link on which an answer takes over 5 s is given up.
    pub(crate) fn check(&self, now_s: u32) {
        unsafe { sys::database_check(self.lock().database, now_s) }
    }
}
