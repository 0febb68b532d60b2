//! The one file with `unsafe`: C symbols that are replaced in the static binary. They keep glibc's name service switch out of it.
//!
//! A static glibc program that resolves a host or user name loads the *host's* `libnss_*` and with it the host's libc,
//! which crashes where the versions differ (rust-lang/rust#100711, #115723). The installer needs neither: it talks to
//! unix sockets and IP literals, and takes users as numbers. Defining these symbols here keeps glibc's own out of the
//! link; a look-up then fails cleanly.
//!
//! One more symbol is here for the stub's size. Where the stack of the first thread ends, glibc reads from `/proc/self/maps` with
//! `sscanf`, which brings every conversion of floating-point numbers into the link. Rust's runtime asks for it to say
//! "stack overflow" before it ends the process; without an answer the process ends by the same signal, without those words.
#![expect(unsafe_code, reason = "four C symbols are replaced; see the module's text")]

use std::ffi::{c_char, c_int, c_void};

const EAI_NONAME: c_int = -2;
const ENOSYS: c_int = 38;

// SAFETY: never dereferences its arguments; a failing getaddrinfo leaves `result` alone.
#[unsafe(no_mangle)]
extern "C" fn getaddrinfo(
    _node: *const c_char,
    _service: *const c_char,
    _hints: *const c_void,
    _result: *mut *mut c_void,
) -> c_int {
    EAI_NONAME
}

// SAFETY: only ever gets what `getaddrinfo` gave, which is nothing.
#[unsafe(no_mangle)]
extern "C" fn freeaddrinfo(_list: *mut c_void) {}

// SAFETY: POSIX demands a valid `result`; null in it with return value 0 means "no such user".
#[unsafe(no_mangle)]
unsafe extern "C" fn getpwuid_r(
    _uid: u32,
    _entry: *mut c_void,
    _buffer: *mut c_char,
    _len: usize,
    result: *mut *mut c_void,
) -> c_int {
    unsafe { *result = std::ptr::null_mut() };
    0
}

// SAFETY: touches nothing; the caller must not use what it asked for when this fails, and Rust's runtime does not.
#[unsafe(no_mangle)]
extern "C" fn pthread_getattr_np(_thread: usize, _attributes: *mut c_void) -> c_int {
    ENOSYS
}
