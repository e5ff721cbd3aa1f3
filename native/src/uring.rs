//! The three system calls of io_uring and the eventfd that signals completions. TypeScript drives the rings
//! themselves.

use crate::boundary::guard;
use crate::memory::borrow;
use crate::owned;
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use rustix::event::{eventfd, EventfdFlags};
use rustix::fd::IntoRawFd;
use rustix::io_uring::{
    io_uring_enter, io_uring_enter_arg, io_uring_getevents_arg, io_uring_params, io_uring_ptr, io_uring_register,
    io_uring_setup, IoringEnterFlags, IoringRegisterOp,
};
use rustix::time::Timespec;

/// `timeout_us` of [`millrace_uring_enter`] for a call without a bound of its own.
pub const NO_TIMEOUT: u32 = u32::MAX;

/// Creates a ring; `params` (120 bytes, `struct io_uring_params`) is read and filled in. The result is its descriptor.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_uring_setup(entries: u32, params: *mut u8) -> i32 {
    guard(|| {
        let mut local = params.cast::<io_uring_params>().read_unaligned();
        let fd = io_uring_setup(entries, &mut local)?;
        params.cast::<io_uring_params>().write_unaligned(local);
        Ok(owned::own_ring(fd.into_raw_fd(), local))
    })
}

/// Submits `to_submit` entries and, with GETEVENTS in `flags`, waits for `min_complete` completions, at most
/// `timeout_us` unless that is `NO_TIMEOUT`; with `min_wait_us` above 0 (Linux 6.12), after that long one completion is
/// enough. The result is how many entries were taken.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_uring_enter(
    fd: i32,
    to_submit: u32,
    min_complete: u32,
    flags: u32,
    timeout_us: u32,
    min_wait_us: u32,
) -> i32 {
    guard(|| {
        let fd = borrow(fd)?;
        let flags = IoringEnterFlags::from_bits_retain(flags);
        if timeout_us == NO_TIMEOUT {
            return io_uring_enter(fd, to_submit, min_complete, flags).map(|taken| taken as i32);
        }
        let timeout = Timespec {
            tv_sec: i64::from(timeout_us / 1_000_000),
            tv_nsec: i64::from(timeout_us % 1_000_000) * 1_000,
        };
        let argument = io_uring_getevents_arg {
            sigmask: io_uring_ptr::null(),
            sigmask_sz: 0,
            min_wait_usec: min_wait_us,
            ts: io_uring_ptr::from(std::ptr::addr_of!(timeout).cast_mut().cast()),
        };
        let flags = flags | IoringEnterFlags::EXT_ARG;
        io_uring_enter_arg(fd, to_submit, min_complete, flags, Some(&argument)).map(|taken| taken as i32)
    })
}

/// `io_uring_register`: `argument` is the structure for `opcode`, or one word for those that take a number.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_uring_register(fd: i32, opcode: u32, argument: *mut u8, count: u32) -> i32 {
    guard(|| {
        let Some(operation) = register_operation(opcode) else {
            return Err(rustix::io::Errno::INVAL);
        };
        io_uring_register(borrow(fd)?, operation, argument.cast(), count).map(|result| result as i32)
    })
}

/// The registrations Millrace uses; an enum cannot be made of an arbitrary number.
fn register_operation(opcode: u32) -> Option<IoringRegisterOp> {
    let known = [
        IoringRegisterOp::RegisterEventfd,
        IoringRegisterOp::UnregisterEventfd,
        IoringRegisterOp::RegisterProbe,
        IoringRegisterOp::RegisterPbufRing,
        IoringRegisterOp::UnregisterPbufRing,
    ];
    known.into_iter().find(|&operation| operation as u32 == opcode)
}

/// A new eventfd, non-blocking and closed on exec.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_eventfd() -> i32 {
    guard(|| {
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(owned::own(fd.into_raw_fd()))
    })
}
