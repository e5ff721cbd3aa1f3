//! Waiting on a 32-bit word of memory, within a process or between processes.

use crate::boundary::guard;
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use rustix::thread::futex;
use rustix::time::Timespec;
use std::sync::atomic::AtomicU32;

fn flags(shared: u32) -> futex::Flags {
    if shared == 0 {
        futex::Flags::PRIVATE
    } else {
        futex::Flags::empty()
    }
}

/// Sleeps while `*word == expected`, at most `timeout_us`. 0 when woken (perhaps spuriously), else -EAGAIN (the word had changed),
/// -ETIMEDOUT or -EINTR. Every wait has a bound.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_futex_wait(word: *const u32, expected: u32, timeout_us: u32, shared: u32) -> i32 {
    guard(|| {
        let timeout = Timespec {
            tv_sec: i64::from(timeout_us / 1_000_000),
            tv_nsec: i64::from(timeout_us % 1_000_000) * 1_000,
        };
        let word = &*word.cast::<AtomicU32>();
        futex::wait(word, flags(shared), expected, Some(&timeout)).map(|()| 0)
    })
}

/// Wakes up to `count` waiters on `word`; the result is how many.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_futex_wake(word: *const u32, count: u32, shared: u32) -> i32 {
    guard(|| {
        let word = &*word.cast::<AtomicU32>();
        futex::wake(word, flags(shared), count.min(i32::MAX as u32)).map(|woken| woken as i32)
    })
}
