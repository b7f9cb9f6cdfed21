//! The C side as Rust sees it: lib/core/conn.h, lib/sys/{server_main,database,datafile}.h and
//! ../bridge.c, which proves the sizes that stand here.

use std::ffi::CString;
use std::os::raw::{c_char, c_int, c_void};
use std::os::unix::ffi::OsStringExt;

use crate::{Model, Want};

pub const CONN_FEED_MAX: usize = 16 * 1024;
pub const SHUT_RD: c_int = 0;
pub const SHUT_WR: c_int = 1;
pub const SHUT_RDWR: c_int = 2;

#[repr(C)]
pub struct Env {
    _private: [u8; 0],
}
#[repr(C)]
pub struct Worker {
    _private: [u8; 0],
}
#[repr(C)]
pub struct Database {
    _private: [u8; 0],
}

/// struct conn: it holds no pointer into itself, so it may be moved.
#[repr(C)]
pub struct RawConn {
    pub env: *mut Env,
    rest: [u64; 20],
}

impl RawConn {
    pub const EMPTY: RawConn = RawConn { env: std::ptr::null_mut(), rest: [0; 20] };
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct FileRead {
    offset: u64,
    into: *mut c_void,
    len: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Slice {
    ptr: *const u8,
    len: usize,
}

impl Slice {
    pub const NONE: Slice = Slice { ptr: std::ptr::null(), len: 0 };

    /// Safety: as long as what it is a view of.
    pub unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.len == 0 { &[] } else { std::slice::from_raw_parts(self.ptr, self.len) }
    }
}

extern "C" {
    pub fn conn_init(c: *mut RawConn, e: *mut Env);
    pub fn conn_deinit(c: *mut RawConn);
    pub fn conn_wants(c: *const RawConn) -> Want;
    pub fn conn_feed(c: *mut RawConn, bytes: *const u8, len: usize);
    pub fn conn_feed_eof(c: *mut RawConn);
    pub fn conn_output(c: *const RawConn) -> Slice;
    pub fn conn_sent(c: *mut RawConn, len: usize);
    pub fn conn_sleep_ns(c: *const RawConn) -> u64;
    pub fn conn_woke(c: *mut RawConn);
    pub fn conn_compute(c: *mut RawConn);
    pub fn conn_computed(c: *mut RawConn);
    pub fn conn_file(c: *mut RawConn) -> FileRead;
    pub fn conn_file_done(c: *mut RawConn, n: isize);
    pub fn conn_query_key(c: *const RawConn) -> Slice;
    pub fn conn_query_done(c: *mut RawConn, value: Slice);
    pub fn conn_shut(c: *mut RawConn);
    pub fn conn_is_late(c: *const RawConn) -> bool;
    pub fn conn_expire(c: *mut RawConn);

    pub fn worker_opened(w: *mut Worker);
    pub fn worker_closed(w: *mut Worker);
    pub fn worker_accept_failed(w: *mut Worker, error: c_int) -> c_int;
    pub fn worker_env_tick(e: *mut Env);
    pub fn datafile_read(read: FileRead) -> isize;

    pub fn database_ask(db: *mut Database, key: Slice, tag: u64) -> bool;
    pub fn database_output(db: *const Database) -> Slice;
    pub fn database_sent(db: *mut Database, len: usize);
    pub fn database_feed(db: *mut Database, bytes: *const u8, len: usize);
    pub fn database_next(db: *mut Database, tag: *mut u64, value: *mut Slice) -> bool;
    pub fn database_check(db: *mut Database, now_s: u32);
    pub fn database_hang_up(db: *mut Database);

    pub fn bridge_main(
        argc: c_int,
        argv: *mut *mut c_char,
        name: *const c_char,
        api: *const c_char,
        summary: *const c_char,
        single_worker: bool,
        serve: extern "C" fn(*mut Worker),
    ) -> c_int;
    pub fn bridge_listen_fd(w: *const Worker) -> c_int;
    pub fn bridge_fd_cap(w: *const Worker) -> c_int;
    pub fn bridge_worker_count(w: *const Worker) -> u32;
    pub fn bridge_env_create(w: *const Worker) -> *mut Env;
    pub fn bridge_env_destroy(e: *mut Env);
    pub fn bridge_now_s(e: *const Env) -> u32;
    pub fn bridge_deadline_s(c: *const RawConn) -> u32;
    pub fn bridge_database_create() -> *mut Database;
    pub fn bridge_database_fd(db: *const Database) -> c_int;

    pub fn shutdown(fd: c_int, how: c_int) -> c_int;
}

/// server_main() with this process's arguments.
pub fn main(model: &Model, serve: extern "C" fn(*mut Worker)) -> i32 {
    let c_string = |bytes: Vec<u8>| CString::new(bytes).expect("no NUL in an argument");
    let arguments: Vec<CString> = std::env::args_os().map(|a| c_string(a.into_vec())).collect();
    let mut argv: Vec<*mut c_char> = arguments.iter().map(|a| a.as_ptr() as *mut c_char).collect();
    let argc = argv.len() as c_int;
    argv.push(std::ptr::null_mut());
    let texts = [model.name, model.api, model.summary];
    let [name, api, summary] = texts.map(|text| c_string(text.into()));
    unsafe {
        bridge_main(
            argc,
            argv.as_mut_ptr(),
            name.as_ptr(),
            api.as_ptr(),
            summary.as_ptr(),
            model.single_worker,
            serve,
        )
    }
}
