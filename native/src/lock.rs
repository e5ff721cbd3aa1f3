//! Locks on single bytes of a file, which belong to an open file description (F_OFD_SETLK): the kernel drops them when the
//! descriptor is closed, also by the death of its process, whatever else the process has open.

use crate::boundary::{checked, guard};
use crate::memory::borrow;
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use rustix::io::Errno;

/// Takes the lock of byte `at`, converts it, or releases it: `kind` is 0 to release it, 1 for a shared lock, 2 for an exclusive one.
/// Never waits: -EAGAIN when another descriptor holds a conflicting lock.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_lock(fd: i32, at: u32, kind: u32) -> i32 {
    guard(|| {
        let kind = match kind {
            0 => libc::F_UNLCK,
            1 => libc::F_RDLCK,
            2 => libc::F_WRLCK,
            _ => return Err(Errno::INVAL),
        };
        borrow(fd)?;
        let request = one_byte(at, kind);
        // SAFETY: the structure lives until the call returns.
        checked(unsafe { libc::fcntl(fd, libc::F_OFD_SETLK, &request) })
    })
}

/// Whether another descriptor holds the lock of byte `at`, in either way: 1 or 0.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_lock_held(fd: i32, at: u32) -> i32 {
    guard(|| is_held(fd, at).map(i32::from))
}

/// Whether another descriptor than `fd` holds the lock of byte `at`, in either way.
pub fn is_held(fd: i32, at: u32) -> Result<bool, Errno> {
    borrow(fd)?;
    let mut request = one_byte(at, libc::F_WRLCK);
    // SAFETY: the structure lives until the call returns, which writes to it.
    checked(unsafe { libc::fcntl(fd, libc::F_OFD_GETLK, &mut request) })?;
    Ok(i32::from(request.l_type) != libc::F_UNLCK)
}

/// Releases all locks of `fd`. Closing it does not release them while the file is mapped through it, and a process maps a region through
/// the descriptor of its first participant.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_unlock_all(fd: i32) -> i32 {
    guard(|| {
        borrow(fd)?;
        let mut request = one_byte(0, libc::F_UNLCK);
        // To the end, wherever that is.
        request.l_len = 0;
        // SAFETY: the structure lives until the call returns.
        checked(unsafe { libc::fcntl(fd, libc::F_OFD_SETLK, &request) })
    })
}

fn one_byte(at: u32, kind: i32) -> libc::flock {
    // SAFETY: of numbers only.
    let mut request: libc::flock = unsafe { std::mem::zeroed() };
    request.l_type = kind as libc::c_short;
    request.l_whence = libc::SEEK_SET as libc::c_short;
    request.l_start = libc::off_t::from(at);
    request.l_len = 1;
    request
}
