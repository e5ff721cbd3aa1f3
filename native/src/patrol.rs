//! What a member of something shared has to look at while it sleeps, done by the thread that sleeps in its place: a JavaScript thread that woke
//! up for it twenty times a second would take more than one per cent of a processor.

use crate::boundary::guard;
use crate::layouts::queue_phase::{FREE, READY};
use crate::layouts::{patrol_looks_for as looks_for, patrol_table as table, queue_lane, queue_record as record};
use crate::lock;
use crate::memory::borrow;
use crate::queue_memory::{lane_in, phase_of};
use crate::region::Reference;
use crate::watch::{self, Patrol};
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::io::{fcntl_dupfd_cloexec, Errno};
use rustix::time::{clock_gettime, ClockId};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// Members up to which everybody that waits looks for the dead by itself.
const MEMBERS_FEW: usize = 16;
/// Where there are more, a look of another less than so many milliseconds ago is enough: who finds one tells all.
const LOOK_SHARED_MS: u32 = 25;

/// Slots that one look sees at most: the next look goes on behind them.
const SLOTS_PER_LOOK: usize = 1024;

/// Ends a wait when somebody has died without leaving, and when there is something that nobody was told of: who left it died, or was stopped,
/// before it could tell.
struct MemberPatrol {
    region: usize,
    table: [u32; table::WORDS],
    /// Slot at which the next look begins.
    next: usize,
    /// The region stays mapped while this is there.
    _reference: Reference,
}

impl MemberPatrol {
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
        // SAFETY: within the region by the member's geometry, and a multiple of 4; mapped by the reference.
        unsafe { &*((self.region + at) as *const AtomicU32) }
    }

    fn word(&self, at: usize) -> u32 {
        self.word_at(at).load(SeqCst)
    }

    /// Whether there is something to see to for the member whose opened file is `fd`.
    fn finds(&mut self, fd: i32) -> bool {
        self.has_dead(fd) || self.table[table::LOOKS_FOR] != looks_for::NOTHING && self.has_slot()
    }

    /// The same as `Members.hasDead()` in `src/ipc/sharing/`, unless another has just looked: of many members, a look takes a good part of a
    /// millisecond, and all of them may wait.
    fn has_dead(&self, fd: i32) -> bool {
        let others = || {
            (1..=self.table[table::MEMBER_COUNT]).filter(|&number| {
                let at = self.get(table::MEMBERS_AT) + number as usize * self.get(table::MEMBER_BYTES);
                number != self.table[table::NUMBER] && self.word(at) != 0
            })
        };
        if others().nth(MEMBERS_FEW).is_some() {
            let now = clock_gettime(ClockId::Monotonic);
            let now_ms = (now.tv_sec * 1000 + now.tv_nsec / 1_000_000) as u32;
            if !is_look_due(self.word(self.get(table::LOOKED_AT)), now_ms) {
                return false;
            }
            self.word_at(self.get(table::LOOKED_AT)).store(now_ms, SeqCst);
        }
        others().any(|number| lock::is_held(fd, self.table[table::LOCKS_AT] + number) == Ok(false))
    }

    fn has_slot(&mut self) -> bool {
        let capacity = self.get(table::CAPACITY);
        let begin = self.next;
        self.next = if begin + SLOTS_PER_LOOK < capacity {
            begin + SLOTS_PER_LOOK
        } else {
            0
        };
        let now = clock_gettime(ClockId::Realtime);
        let now_ms = (now.tv_sec * 1000 + now.tv_nsec / 1_000_000) as f64;
        (begin..capacity.min(begin + SLOTS_PER_LOOK)).any(|slot| self.is_it(slot, now_ms))
    }

    fn is_it(&self, slot: usize, now_ms: f64) -> bool {
        let for_room = self.table[table::LOOKS_FOR] == looks_for::ROOM;
        let phase = phase_of(self.word(self.get(table::SLOTS_AT) + slot * 4));
        if phase != READY {
            return for_room && phase == FREE;
        }
        let record = self.get(table::RECORDS_AT) + slot * self.get(table::RECORD_BYTES);
        let lane = lane_in(self.word(record + record::ROUTE * 4), self.table[table::LANE_COUNT]) as usize;
        if for_room {
            // SAFETY: as above, and 8-aligned. Another may write it meanwhile: then this is a look that found nothing, or one for nothing.
            let expires_ms = unsafe { ((self.region + record + record::EXPIRES_MS * 4) as *const f64).read_volatile() };
            return expires_ms != 0.0 && expires_ms <= now_ms && lane != self.get(table::LANE_COUNT);
        }
        self.table[table::LOOKS_FOR] == looks_for::MESSAGES
            && (self.get(table::FIRST_LANE)..self.get(table::END_LANE)).contains(&lane)
            && self.word(self.get(table::LANES_AT) + lane * self.get(table::LANE_BYTES) + queue_lane::OWNER * 4) == 0
    }
}

/// Whether the last look for the dead is long enough ago; one that lies ahead is of another clock, or damaged.
fn is_look_due(looked_ms: u32, now_ms: u32) -> bool {
    now_ms.wrapping_sub(looked_ms) >= LOOK_SHARED_MS
}

/// That of a watch's thread, which may go on for a moment when the member has closed its file.
struct WatchPatrol {
    patrol: MemberPatrol,
    /// The same opened file as the member's. Given back when the wait ends.
    file: OwnedFd,
}

impl Patrol for WatchPatrol {
    fn finds(&mut self) -> bool {
        self.patrol.finds(self.file.as_raw_fd())
    }
}

/// Has a watch wait while `*word` is `expected`, at most `timeout_us`, and end the wait also when there is something to see to that nobody told
/// of: what `table` says, of the region at `region` whose file the member has as `fd`. As `millrace_watch_wait` else.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_patrol_watch(
    number: u32,
    table: *const u32,
    region: *const u8,
    fd: i32,
    word: *const u32,
    expected: u32,
    timeout_us: u32,
) -> i32 {
    guard(|| {
        let patrol = WatchPatrol {
            patrol: MemberPatrol::new(table, region)?,
            file: fcntl_dupfd_cloexec(borrow(fd)?, 0)?,
        };
        watch::wait(number, word, expected, timeout_us, Some(Box::new(patrol)))
    })
}

/// The same in the calling thread, which it holds up: 1 when woken, or there is something to see to, 2 when the word had changed, 3 when the
/// time was over.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_patrol_wait(
    table: *const u32,
    region: *const u8,
    fd: i32,
    word: *const u32,
    expected: u32,
    timeout_us: u32,
) -> i32 {
    guard(|| {
        borrow(fd)?;
        let mut patrol = MemberPatrol::new(table, region)?;
        let deadline = Instant::now() + Duration::from_micros(u64::from(timeout_us));
        let word = &*word.cast::<AtomicU32>();
        let result = watch::wait_on(word, expected, deadline, watch::PATROL, || false, || patrol.finds(fd));
        Ok(i32::from(result))
    })
}

#[cfg(all(test, not(feature = "bindings")))]
mod tests {
    use super::*;

    #[test]
    fn a_look_for_the_dead_is_due_a_while_after_the_last_and_when_that_cannot_be() {
        for looked_ms in [0, 7, u32::MAX - 3] {
            for (passed_ms, is_due) in [(0, false), (1, false), (24, false), (25, true), (1 << 31, true)] {
                assert_eq!(is_look_due(looked_ms, looked_ms.wrapping_add(passed_ms)), is_due);
            }
            assert!(is_look_due(looked_ms, looked_ms.wrapping_sub(1)));
        }
    }
}
