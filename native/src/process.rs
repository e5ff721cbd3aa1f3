//! What distinguishes this process from others with the same process id, and the resources of processes.

use crate::boundary::guard;
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use rustix::io::Errno;
use rustix::time::{clock_gettime, ClockId, Timespec};

/// Fields of /proc/self/stat between the name of the program and the time of its start.
const FIELDS_BEFORE_START: usize = 19;
/// Index, counted from the same place, of the time spent in user mode; that in the kernel follows.
const FIELD_USER_TICKS: usize = 11;
const FIELD_RESIDENT_PAGES: usize = 21;

/// When this process was started, in milliseconds since 1970 by today's clock; 0 when the system does not report it.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_process_started_ms() -> f64 {
    let Some(since_boot_ms) = started_since_boot_ms() else {
        return 0.0;
    };
    let now = |clock| milliseconds(clock_gettime(clock));
    now(ClockId::Realtime) - (now(ClockId::Boottime) - since_boot_ms)
}

/// Writes to `out` (two words) how many bytes of memory process `pid` uses and how many milliseconds of processor time it has used,
/// without that of children it has waited for. -ESRCH when there is no such process.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_process_usage(pid: u32, out: *mut f64) -> i32 {
    guard(|| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).map_err(|_| Errno::SRCH)?;
        let (_, fields) = stat.rsplit_once(") ").ok_or(Errno::SRCH)?;
        let fields: Vec<&str> = fields.split(' ').collect();
        let number = |at: usize| {
            fields
                .get(at)
                .and_then(|text| text.parse::<f64>().ok())
                .ok_or(Errno::SRCH)
        };
        let (per_second, page) = (
            libc::sysconf(libc::_SC_CLK_TCK) as f64,
            libc::sysconf(libc::_SC_PAGESIZE) as f64,
        );
        out.write_unaligned(number(FIELD_RESIDENT_PAGES)? * page);
        let ticks = number(FIELD_USER_TICKS)? + number(FIELD_USER_TICKS + 1)?;
        out.add(1).write_unaligned(ticks * 1000.0 / per_second);
        Ok(0)
    })
}

fn started_since_boot_ms() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name may contain anything, also spaces and brackets.
    let (_, fields) = stat.rsplit_once(") ")?;
    let ticks: f64 = fields.split(' ').nth(FIELDS_BEFORE_START)?.parse().ok()?;
    // SAFETY: no pointers.
    let ticks_per_second = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    Some(ticks * 1000.0 / ticks_per_second as f64)
}

fn milliseconds(time: Timespec) -> f64 {
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_was_started_before_now_and_not_long_ago() {
        let now = milliseconds(clock_gettime(ClockId::Realtime));
        let started = millrace_process_started_ms();
        assert!(started <= now + 100.0, "{started}, now {now}");
        assert!(started > now - 3_600_000.0, "{started}, now {now}");
    }
}
