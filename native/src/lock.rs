//! Locks on single bytes of a file, of the kind that belongs to an opened file (F_OFD_SETLK): the kernel drops them when the
//! descriptor is closed, which the death of its process does, whatever else the process has open.

use crate::boundary::{checked, guard};
use crate::memory::borrow;
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use rustix::io::Errno;

/// Takes the lock of byte `at`, or changes how it is held, or gives it back: `kind` is 0 to give it back, 1 to share it, 2 to
/// have it alone. Never waits: -EAGAIN when another opener has it.
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

/// Whether another opener has the lock of byte `at`, in either way: 1 or 0.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_lock_held(fd: i32, at: u32) -> i32 {
    guard(|| is_held(fd, at).map(i32::from))
}

/// Whether another opener than `fd` has the lock of byte `at`, in either way.
pub fn is_held(fd: i32, at: u32) -> Result<bool, Errno> {
    borrow(fd)?;
    let mut request = one_byte(at, libc::F_WRLCK);
    // SAFETY: the structure lives until the call returns, which writes to it.
    checked(unsafe { libc::fcntl(fd, libc::F_OFD_GETLK, &mut request) })?;
    Ok(i32::from(request.l_type) != libc::F_UNLCK)
}

/// Gives back all locks of the opener `fd`. Closing it does not while the file is mapped through it, and the mapping that a
/// process has of a region is made through the first of its openers.
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
