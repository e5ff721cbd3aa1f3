//! What a consumer of a cross-process queue has to look at while it sleeps, done by the thread that sleeps in its place: a JavaScript thread
//! that woke up for it twenty times a second would take more than one per cent of a processor.

use crate::boundary::guard;
use crate::lock;
use crate::memory::borrow;
use crate::queue_memory::{lane_in, phase_of, record, state, READY};
use crate::watch::{self, Patrol};
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::io::fcntl_dupfd_cloexec;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

/// Ends the wait of a consumer when somebody has died without leaving, and when there is a message that nobody was told of: who left it died
/// before it could.
struct QueuePatrol {
    region: usize,
    /// The same opened file as the consumer's. Given back when the wait ends.
    file: OwnedFd,
    state: [u32; state::CONSTANTS],
    first_lane: u32,
    end_lane: u32,
}

impl QueuePatrol {
    fn get(&self, index: usize) -> usize {
        self.state[index] as usize
    }

    fn word(&self, at: usize) -> u32 {
        // SAFETY: within the region by the consumer's geometry, and a multiple of 4; mapped while the wait lasts.
        unsafe { &*((self.region + at) as *const AtomicU32) }.load(SeqCst)
    }

    /// The same as `Participants.hasDead()` in `src/queue/`.
    fn has_dead(&self) -> bool {
        (1..=self.state[state::PARTICIPANT_COUNT]).any(|number| {
            let at = self.get(state::PARTICIPANTS) + number as usize * self.get(state::PARTICIPANT_BYTES);
            number != self.state[state::NUMBER]
                && self.word(at) != 0
                && lock::is_held(self.file.as_raw_fd(), self.state[state::LOCKS] + number) == Ok(false)
        })
    }

    fn has_message(&self) -> bool {
        (0..self.get(state::CAPACITY)).any(|slot| {
            if phase_of(self.word(self.get(state::SLOTS) + slot * 4)) != READY {
                return false;
            }
            let record = self.get(state::RECORDS) + slot * self.get(state::RECORD_BYTES);
            let lane = lane_in(self.word(record + record::ROUTE * 4), self.state[state::LANE_COUNT]);
            (self.first_lane..self.end_lane).contains(&lane)
        })
    }
}

impl Patrol for QueuePatrol {
    fn finds(&self) -> bool {
        self.has_dead() || self.has_message()
    }
}

/// Has a watch wait while the word at byte `at` of the region is `expected`, at most `timeout_us`, and end the wait also when there is something
/// to see to that nobody told of. `which`: `first lane | lane behind the last << 8` of the messages that matter. `state` is the opener's, and
/// `fd` its region. As `millrace_watch_wait` else.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_queue_watch(
    number: u32,
    state: *const u32,
    region: *const u8,
    fd: i32,
    which: u32,
    at: u32,
    expected: u32,
    timeout_us: u32,
) -> i32 {
    guard(|| {
        let mut constants = [0; state::CONSTANTS];
        constants.copy_from_slice(std::slice::from_raw_parts(state, state::CONSTANTS));
        let patrol = QueuePatrol {
            region: region as usize,
            file: fcntl_dupfd_cloexec(borrow(fd)?, 0)?,
            state: constants,
            first_lane: which & 0xff,
            end_lane: which >> 8 & 0xff,
        };
        let word = region.add(at as usize).cast();
        watch::wait(number, word, expected, timeout_us, Some(Box::new(patrol)))
    })
}
