//! A thread that sleeps on an eventfd in place of a JavaScript thread, and calls it back.
//!
//! Protocol: each `arm` is answered by exactly one call of the callback, when the eventfd becomes readable or the
//! time is over, whichever is first. Between callback and the next `arm` the thread touches nothing. `stop` joins.

use crate::boundary::guard;
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use rustix::event::{eventfd, poll, EventfdFlags, PollFd, PollFlags};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::time::Timespec;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// `timeout_us` for a wait that only the eventfd ends (or `stop`).
pub const NO_TIMEOUT: u32 = u32::MAX;

struct Shared {
    /// Written by `arm` and `stop`, read by the thread.
    command: OwnedFd,
    timeout_us: AtomicU32,
    stopping: AtomicBool,
}

struct Waker {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

static WAKERS: Mutex<Option<(i32, HashMap<i32, Waker>)>> = Mutex::new(None);

/// Starts a thread that watches `watched` and calls `callback` (the address of a thread-safe callback without
/// parameters). The result is a handle for `arm` and `stop`. `watched` must stay open until `stop` returns.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_waker_start(watched: i32, callback: u64) -> i32 {
    guard(|| {
        if watched < 0 || callback == 0 {
            return Err(Errno::INVAL);
        }
        // SAFETY: the address of a C function without parameters that outlives the thread, as documented.
        let callback: extern "C" fn() = std::mem::transmute(callback as usize);
        let shared = Arc::new(Shared {
            command: eventfd(0, EventfdFlags::CLOEXEC)?,
            timeout_us: AtomicU32::new(NO_TIMEOUT),
            stopping: AtomicBool::new(false),
        });
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("millrace-waker".into())
            .stack_size(64 * 1024)
            .spawn(move || run(&for_thread, watched, callback))
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::AGAIN))?;
        let mut wakers = WAKERS.lock().map_err(|_| Errno::NOTRECOVERABLE)?;
        let (next, all) = wakers.get_or_insert_with(|| (0, HashMap::new()));
        *next += 1;
        all.insert(*next, Waker { shared, thread });
        Ok(*next)
    })
}

/// Asks for one callback: when the watched descriptor becomes readable, or after `timeout_us`.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_waker_arm(handle: i32, timeout_us: u32) -> i32 {
    guard(|| {
        let wakers = WAKERS.lock().map_err(|_| Errno::NOTRECOVERABLE)?;
        let waker = wakers
            .as_ref()
            .and_then(|(_, all)| all.get(&handle))
            .ok_or(Errno::BADF)?;
        // SYNC waker.timeout_us: published by the write to the command eventfd.
        waker.shared.timeout_us.store(timeout_us, Ordering::Release);
        rustix::io::write(&waker.shared.command, &1u64.to_ne_bytes())?;
        Ok(0)
    })
}

/// Ends the thread and waits for it; afterwards the callback is never called again.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_waker_stop(handle: i32) -> i32 {
    guard(|| {
        let waker = {
            let mut wakers = WAKERS.lock().map_err(|_| Errno::NOTRECOVERABLE)?;
            wakers
                .as_mut()
                .and_then(|(_, all)| all.remove(&handle))
                .ok_or(Errno::BADF)?
        };
        waker.shared.stopping.store(true, Ordering::Release);
        rustix::io::write(&waker.shared.command, &1u64.to_ne_bytes())?;
        waker.thread.join().map(|()| 0).map_err(|_| Errno::NOTRECOVERABLE)
    })
}

/// Makes an eventfd readable: ends a waker's sleep early.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_eventfd_signal(fd: i32) -> i32 {
    guard(|| {
        rustix::io::write(crate::memory::borrow(fd)?, &1u64.to_ne_bytes())?;
        Ok(0)
    })
}

fn run(shared: &Shared, watched: i32, callback: extern "C" fn()) {
    let mut count = [0u8; 8];
    // SAFETY: the owner keeps it open until this thread has been joined.
    let watched = unsafe { BorrowedFd::borrow_raw(watched) };
    while rustix::io::retry_on_intr(|| rustix::io::read(&shared.command, &mut count)).is_ok() {
        if shared.stopping.load(Ordering::Acquire) {
            return;
        }
        // SYNC waker.timeout_us: read after the read of the command eventfd.
        let timeout = shared.timeout_us.load(Ordering::Acquire);
        wait(watched, shared.command.as_fd(), timeout);
        if shared.stopping.load(Ordering::Acquire) {
            return;
        }
        let _ = rustix::io::read(watched, &mut count);
        callback();
    }
}

/// Sleeps until `watched` or `command` is readable or the time is over.
fn wait(watched: BorrowedFd, command: BorrowedFd, timeout_us: u32) {
    let timeout = Timespec {
        tv_sec: i64::from(timeout_us / 1_000_000),
        tv_nsec: i64::from(timeout_us % 1_000_000) * 1_000,
    };
    let bound = (timeout_us != NO_TIMEOUT).then_some(&timeout);
    let mut descriptors = [
        PollFd::from_borrowed_fd(watched, PollFlags::IN),
        PollFd::from_borrowed_fd(command, PollFlags::IN),
    ];
    // A signal ends the sleep early, which costs one callback for nothing.
    let _ = poll(&mut descriptors, bound);
}
