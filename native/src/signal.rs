//! Signals that are taken over from Deno, which would do more with them than notify the program.

use crate::boundary::{checked, guard};
use crate::owned;
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use rustix::fd::IntoRawFd;
use rustix::io::Errno;
use rustix::net::{socketpair, AddressFamily, SocketFlags, SocketType};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, PoisonError};

const SIGNALS: usize = 65;

/// Where the handler writes, for each signal; -1 for nowhere. Atomics, because a handler may use nothing else.
static SOCKETS: [AtomicI32; SIGNALS] = [const { AtomicI32::new(-1) }; SIGNALS];
/// The handlers from before, to restore them.
static BEFORE: Mutex<Option<HashMap<usize, libc::sigaction>>> = Mutex::new(None);

extern "C" fn handle(signal: libc::c_int) {
    let Some(socket) = SOCKETS.get(signal as usize) else {
        return;
    };
    // SAFETY: both calls are async-signal-safe; the interrupted code finds errno unchanged.
    unsafe {
        let errno = *libc::__errno_location();
        let byte = 1u8;
        let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        // A full socket has enough bytes to wake its reader.
        libc::send(
            socket.load(Ordering::Relaxed),
            std::ptr::addr_of!(byte).cast(),
            1,
            flags,
        );
        *libc::__errno_location() = errno;
    }
}

/// Takes over a signal: a byte comes on the resulting socket in place of the present handler. -EBUSY when it is taken already.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_signal_take(signal: u32) -> i32 {
    guard(|| {
        let index = signal as usize;
        if index == 0 || index >= SIGNALS {
            return Err(Errno::INVAL);
        }
        let mut before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
        let before = before.get_or_insert_with(HashMap::new);
        if before.contains_key(&index) {
            return Err(Errno::BUSY);
        }
        let (theirs, ours) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        SOCKETS[index].store(ours.into_raw_fd(), Ordering::Relaxed);
        // SAFETY: structures on the stack; the handler only makes async-signal-safe calls.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            let mut old: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = handle as extern "C" fn(libc::c_int) as usize;
            action.sa_flags = libc::SA_RESTART;
            if let Err(errno) = checked(libc::sigaction(signal as i32, &action, &mut old)) {
                close_socket(index);
                return Err(errno);
            }
            before.insert(index, old);
        }
        Ok(owned::lend(theirs.into_raw_fd()))
    })
}

/// Restores the handler from before.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_signal_release(signal: u32) -> i32 {
    guard(|| {
        let index = signal as usize;
        let mut before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
        let old = before
            .as_mut()
            .and_then(|before| before.remove(&index))
            .ok_or(Errno::BADF)?;
        // SAFETY: the handler from before.
        checked(unsafe { libc::sigaction(signal as i32, &old, std::ptr::null_mut()) })?;
        close_socket(index);
        Ok(0)
    })
}

fn close_socket(index: usize) {
    let fd = SOCKETS[index].swap(-1, Ordering::Relaxed);
    // SAFETY: open, and owned by this call.
    unsafe { libc::close(fd) };
}
