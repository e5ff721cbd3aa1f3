//! The processor that a thread runs on, and the time.

use crate::boundary::guard;
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use rustix::io::Errno;
use rustix::thread::{sched_getaffinity, sched_setaffinity, CpuSet};
use rustix::time::{clock_gettime, ClockId};

/// Keeps the calling thread on one processor.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_cpu_pin(cpu: u32) -> i32 {
    guard(|| {
        if cpu as usize >= CpuSet::MAX_CPU {
            return Err(Errno::INVAL);
        }
        let mut set = CpuSet::new();
        set.set(cpu as usize);
        sched_setaffinity(None, &set).map(|()| 0)
    })
}

/// The n-th processor that the calling thread may run on, counted from 0, or -ENOENT past the last.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_cpu_allowed(nth: u32) -> i32 {
    guard(|| {
        let set = sched_getaffinity(None)?;
        let mut allowed = (0..CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu));
        allowed.nth(nth as usize).map(|cpu| cpu as i32).ok_or(Errno::NOENT)
    })
}

/// CLOCK_MONOTONIC in nanoseconds: the same for every process of this boot. A double holds 104 days of it exactly,
/// and later loses nanoseconds, not order.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_clock_monotonic_ns() -> f64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec as f64 * 1e9 + now.tv_nsec as f64
}
