//! What a participant of a shared region has to check while it sleeps, done by the native thread that sleeps in its place. A JavaScript
//! thread that woke up for this twenty times a second would take more than one per cent of a processor.

use crate::boundary::guard;
use crate::layouts::queue_phase::{FREE, READY};
use crate::layouts::{
    queue_lane, queue_record as record, recovery_check_table as table, recovery_checks_for as checks_for,
};
use crate::lock;
use crate::memory::borrow;
use crate::queue_memory::{lane_in, phase_of};
use crate::region::Reference;
use crate::watch::{self, RecoveryCheck};
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::io::{fcntl_dupfd_cloexec, Errno};
use rustix::time::{clock_gettime, ClockId};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// Up to so many participants, each one that waits checks for the dead by itself.
const PARTICIPANTS_FEW: usize = 16;
/// With more participants, one check in this many milliseconds serves all of them: the one that finds a dead participant wakes the others.
const CHECK_SHARED_MS: u32 = 25;

/// The most slots that one check scans. The next check continues after them.
const SLOTS_PER_CHECK: usize = 1024;

/// Ends a wait when a participant has died without leaving, and when a notification is missing: the process that made the change died, or was
/// stopped, before it sent one.
struct ParticipantCheck {
    region: usize,
    table: [u32; table::WORDS],
    /// Slot at which the next check begins.
    next: usize,
    /// Keeps the region mapped.
    _reference: Reference,
}

impl ParticipantCheck {
    unsafe fn new(table: *const u32, region: *const u8) -> Result<Self, Errno> {
        let mut words = [0; table::WORDS];
        words.copy_from_slice(std::slice::from_raw_parts(table, table::WORDS));
        Ok(Self {
            region: region as usize,
            table: words,
            next: 0,
            _reference: Reference::around(region as usize).ok_or(Errno::INVAL)?,
        })
    }

    fn get(&self, index: usize) -> usize {
        self.table[index] as usize
    }

    fn word_at(&self, at: usize) -> &AtomicU32 {
        // SAFETY: inside the region by the participant's geometry, and a multiple of 4; the reference keeps it mapped.
        unsafe { &*((self.region + at) as *const AtomicU32) }
    }

    fn word(&self, at: usize) -> u32 {
        self.word_at(at).load(SeqCst)
    }

    /// Whether the participant whose open file is `fd` has something to recover.
    fn finds(&mut self, fd: i32) -> bool {
        self.has_dead(fd) || self.table[table::CHECKS_FOR] != checks_for::NOTHING && self.has_slot()
    }

    /// The same as `Members.hasDead()` in `src/ipc/sharing/`, unless another participant has just checked. With many participants a check takes
    /// a good part of a millisecond, and all of them may be waiting.
    fn has_dead(&self, fd: i32) -> bool {
        let others = || {
            (1..=self.table[table::PARTICIPANT_COUNT]).filter(|&number| {
                let at = self.get(table::PARTICIPANTS_AT) + number as usize * self.get(table::PARTICIPANT_BYTES);
                number != self.table[table::NUMBER] && self.word(at) != 0
            })
        };
        if others().nth(PARTICIPANTS_FEW).is_some() {
            let now = clock_gettime(ClockId::Monotonic);
            let now_ms = (now.tv_sec * 1000 + now.tv_nsec / 1_000_000) as u32;
            if !is_check_due(self.word(self.get(table::CHECKED_AT)), now_ms) {
                return false;
            }
            self.word_at(self.get(table::CHECKED_AT)).store(now_ms, SeqCst);
        }
        others().any(|number| lock::is_held(fd, self.table[table::LOCKS_AT] + number) == Ok(false))
    }

    fn has_slot(&mut self) -> bool {
        let capacity = self.get(table::CAPACITY);
        let begin = self.next;
        self.next = if begin + SLOTS_PER_CHECK < capacity {
            begin + SLOTS_PER_CHECK
        } else {
            0
        };
        let now = clock_gettime(ClockId::Realtime);
        let now_ms = (now.tv_sec * 1000 + now.tv_nsec / 1_000_000) as f64;
        (begin..capacity.min(begin + SLOTS_PER_CHECK)).any(|slot| self.wants(slot, now_ms))
    }

    fn wants(&self, slot: usize, now_ms: f64) -> bool {
        let for_room = self.table[table::CHECKS_FOR] == checks_for::ROOM;
        let phase = phase_of(self.word(self.get(table::SLOTS_AT) + slot * 4));
        if phase != READY {
            return for_room && phase == FREE;
        }
        let record = self.get(table::RECORDS_AT) + slot * self.get(table::RECORD_BYTES);
        let lane = lane_in(self.word(record + record::ROUTE * 4), self.table[table::LANE_COUNT]) as usize;
        if for_room {
            // SAFETY: as above, and 8-aligned. Another process may write it at the same time: then this check misses a message, or wakes in vain.
            let expires_ms = unsafe { ((self.region + record + record::EXPIRES_MS * 4) as *const f64).read_volatile() };
            return expires_ms != 0.0 && expires_ms <= now_ms && lane != self.get(table::LANE_COUNT);
        }
        self.table[table::CHECKS_FOR] == checks_for::MESSAGES
            && (self.get(table::FIRST_LANE)..self.get(table::END_LANE)).contains(&lane)
            && self.word(self.get(table::LANES_AT) + lane * self.get(table::LANE_BYTES) + queue_lane::OWNER * 4) == 0
    }
}

/// Whether the last check for the dead is long enough ago. A time in the future comes from another clock, or is damaged: a check is due.
fn is_check_due(checked_ms: u32, now_ms: u32) -> bool {
    now_ms.wrapping_sub(checked_ms) >= CHECK_SHARED_MS
}

/// The check of a watch's thread, which may run for a moment after the participant has closed its file.
struct WatchCheck {
    check: ParticipantCheck,
    /// A duplicate of the participant's descriptor. Closed when the wait ends.
    file: OwnedFd,
}

impl RecoveryCheck for WatchCheck {
    fn finds(&mut self) -> bool {
        self.check.finds(self.file.as_raw_fd())
    }
}

/// Has a watch wait while `*word` is `expected`, at most `timeout_us`, and also end the wait when a recovery check finds something. `table` says
/// what to check in the region at `region`, whose file the participant has open as `fd`. Otherwise as `millrace_watch_wait`.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_recovery_check_watch(
    number: u32,
    table: *const u32,
    region: *const u8,
    fd: i32,
    word: *const u32,
    expected: u32,
    timeout_us: u32,
) -> i32 {
    guard(|| {
        let check = WatchCheck {
            check: ParticipantCheck::new(table, region)?,
            file: fcntl_dupfd_cloexec(borrow(fd)?, 0)?,
        };
        watch::wait(number, word, expected, timeout_us, Some(Box::new(check)))
    })
}

/// The same in the calling thread, which blocks. The result is 1 when woken or when the check finds something, 2 when the word had changed,
/// 3 at the timeout.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_recovery_check_wait(
    table: *const u32,
    region: *const u8,
    fd: i32,
    word: *const u32,
    expected: u32,
    timeout_us: u32,
) -> i32 {
    guard(|| {
        borrow(fd)?;
        let mut check = ParticipantCheck::new(table, region)?;
        let deadline = Instant::now() + Duration::from_micros(u64::from(timeout_us));
        let word = &*word.cast::<AtomicU32>();
        let result = watch::wait_on(
            word,
            expected,
            deadline,
            watch::CHECK_INTERVAL,
            || false,
            || check.finds(fd),
        );
        Ok(i32::from(result))
    })
}

#[cfg(all(test, not(feature = "bindings")))]
mod tests {
    use super::*;

    #[test]
    fn a_check_for_the_dead_is_due_a_while_after_the_last_and_when_that_lies_ahead() {
        for checked_ms in [0, 7, u32::MAX - 3] {
            for (passed_ms, is_due) in [(0, false), (1, false), (24, false), (25, true), (1 << 31, true)] {
                assert_eq!(is_check_due(checked_ms, checked_ms.wrapping_add(passed_ms)), is_due);
            }
            assert!(is_check_due(checked_ms, checked_ms.wrapping_sub(1)));
        }
    }
}
