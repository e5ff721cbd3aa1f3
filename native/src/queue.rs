//! The steps that most messages of a cross-process queue take, in one call each: what `src/queue/` does in TypeScript, on the same bytes.
//!
//! `src/queue/layout.ts` has the layout and docs/queue.md the protocol. Here is only what happens while nothing is amiss: a message into a free
//! slot with a hint, and the message of a hint out again. Everything else is left to the caller, who is told so.

use crate::boundary::{bytes, guard};
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use rustix::io::Errno;
use rustix::thread::futex;
use rustix::time::{clock_gettime, ClockId};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed, Ordering::SeqCst};

/// Words of the caller's state, the same as in `ffi/queue.ts`: where things are, which do not change, and where the caller is.
pub mod state {
    pub const CAPACITY: usize = 0;
    pub const NUMBER: usize = 1;
    pub const SLOTS: usize = 2;
    pub const RECORDS: usize = 3;
    pub const RECORD_BYTES: usize = 4;
    pub const LANES: usize = 5;
    pub const LANE_BYTES: usize = 6;
    pub const CELLS: usize = 7;
    pub const CELL_COUNT: usize = 8;
    pub const COUNTERS: usize = 9;
    pub const ITEMS: usize = 10;
    pub const ROOM: usize = 11;
    pub const DELIVERY_COUNT_MAX: usize = 12;
    pub const MESSAGE_BYTES_MAX: usize = 13;
    pub const LANE_COUNT: usize = 14;
    /// Bytes of what messages are copied to.
    pub const DATA_BYTES: usize = 15;
    pub const SESSION: usize = 16;
    pub const SEQUENCE: usize = 17;
    pub const CURSOR: usize = 18;
    /// Two words: a double.
    pub const LAST_MS: usize = 20;
    pub const PARTICIPANTS: usize = 22;
    pub const PARTICIPANT_BYTES: usize = 23;
    pub const PARTICIPANT_COUNT: usize = 24;
    /// Byte of the file whose lock is that of participant 0.
    pub const LOCKS: usize = 25;
    /// Of each lane two: slot, counted from 1, and generation of the last message that was sent to it.
    pub const PREVIOUS: usize = 32;
    /// Words before those of the lanes.
    pub const CONSTANTS: usize = PREVIOUS;
    /// Of each slot a byte, 1: the caller has the message in it, and knows so. Behind those of `PREVIOUS`, which has room for 64 lanes.
    pub const KNOWN: usize = PREVIOUS + 2 * 64;
}

/// Words of a record, as in `src/queue/layout.ts`.
pub mod record {
    pub const BYTE_LENGTH: usize = 0;
    pub const DELIVERY_COUNT: usize = 1;
    pub const SEQUENCE: usize = 2;
    pub const SESSION: usize = 3;
    pub const ROUTE: usize = 4;
    pub const BOX: usize = 5;
    pub const PREVIOUS_SLOT: usize = 7;
    pub const SENT_MS: usize = 8;
    pub const EXPIRES_MS: usize = 10;
    pub const REQUEST_SESSION: usize = 12;
    pub const PREVIOUS_GENERATION: usize = 15;
    pub const HEADER_BYTES: usize = 64;
}

/// Words of what a receiver is told of a message, as in `ffi/queue.ts`.
mod told {
    pub const SLOT: usize = 0;
    pub const SESSION: usize = 1;
    pub const SEQUENCE: usize = 2;
    pub const DELIVERY_COUNT: usize = 3;
    pub const ROUTE: usize = 4;
    /// All ones: the message is reserved, and the rest is left to the caller.
    pub const BYTE_LENGTH: usize = 5;
    /// Two words: a double.
    pub const SENT_MS: usize = 6;
    /// Where its bytes are among those given.
    pub const AT: usize = 8;
    /// An even number, for the double.
    pub const WORDS: usize = 10;
}

mod counter {
    pub const SENT: usize = 0;
    pub const RECEIVED: usize = 1;
    pub const REDELIVERED: usize = 2;
}

const LANE_HEAD: usize = 0;
const LANE_TAIL: usize = 128;

const FREE: u32 = 0;
const WRITING: u32 = 1;
pub const READY: u32 = 2;
const RESERVED: u32 = 3;

const FULL: u32 = 1 << 16;
const LAP_SHIFT: u32 = 17;
const LAP_MASK: u32 = 0x7fff;

/// Looks at cells that others change meanwhile, or that are damaged, after which a call gives up.
const LOOKS_MAX: u32 = 10_000;

struct Queue {
    state: *mut u32,
    region: *mut u8,
}

/// A hint, and where it was found.
struct Hint {
    slot: u32,
    head: u32,
    cell: u32,
}

impl Queue {
    fn get(&self, index: usize) -> u32 {
        // SAFETY: the caller's state has words for all lanes.
        unsafe { *self.state.add(index) }
    }

    fn set(&self, index: usize, value: u32) {
        // SAFETY: as above.
        unsafe { *self.state.add(index) = value }
    }

    fn know(&self, slot: u32, known: u8) {
        // SAFETY: the caller's state has a byte for each slot.
        unsafe { *self.state.add(state::KNOWN).cast::<u8>().add(slot as usize) = known }
    }

    fn word(&self, at: usize) -> &AtomicU32 {
        // SAFETY: `at` comes from the caller's geometry, which lies within the region, and is a multiple of 4.
        unsafe { &*self.region.add(at).cast::<AtomicU32>() }
    }

    fn move_word(&self, at: usize, from: u32, to: u32) -> bool {
        self.word(at).compare_exchange(from, to, SeqCst, SeqCst).is_ok()
    }

    fn slot_at(&self, slot: u32) -> usize {
        self.get(state::SLOTS) as usize + slot as usize * 4
    }

    fn record_at(&self, slot: u32) -> usize {
        self.get(state::RECORDS) as usize + slot as usize * self.get(state::RECORD_BYTES) as usize
    }

    /// A word of a record that belongs to the caller, or an atomic one.
    fn field(&self, record: usize, field: usize) -> &AtomicU32 {
        self.word(record + field * 4)
    }

    fn put(&self, record: usize, field: usize, value: u32) {
        self.field(record, field).store(value, Relaxed);
    }

    fn take(&self, record: usize, field: usize) -> u32 {
        self.field(record, field).load(Relaxed)
    }

    fn put_double(&self, record: usize, field: usize, value: f64) {
        // SAFETY: within the record, which belongs to the caller; 8-aligned.
        unsafe { self.region.add(record + field * 4).cast::<f64>().write(value) }
    }

    fn double(&self, record: usize, field: usize) -> f64 {
        // SAFETY: as above.
        unsafe { self.region.add(record + field * 4).cast::<f64>().read() }
    }

    fn count(&self, counter: usize, more: f64) {
        let at = self.get(state::COUNTERS) as usize + counter * 8;
        self.put_double(at, 0, self.double(at, 0) + more);
    }

    fn lane_of(&self, slot: u32) -> u32 {
        let route = self.field(self.record_at(slot), record::ROUTE).load(SeqCst);
        lane_in(route, self.get(state::LANE_COUNT))
    }

    fn lane_at(&self, lane: u32) -> usize {
        self.get(state::LANES) as usize + lane as usize * self.get(state::LANE_BYTES) as usize
    }

    fn cell_at(&self, lane: u32, position: u32) -> usize {
        let count = self.get(state::CELL_COUNT);
        self.get(state::CELLS) as usize + (lane as usize * count as usize + (position & (count - 1)) as usize) * 4
    }

    fn lap_of(&self, position: u32) -> u32 {
        position >> self.get(state::CELL_COUNT).trailing_zeros() & LAP_MASK
    }

    /// How many laps the cell is ahead of the position, from -2^14 to 2^14.
    fn ahead(&self, cell: u32, position: u32) -> i32 {
        let difference = (cell >> LAP_SHIFT).wrapping_sub(self.lap_of(position)) & LAP_MASK;
        (difference << 17) as i32 >> 17
    }

    fn leave_hint(&self, lane: u32, slot: u32) {
        let tail_at = self.lane_at(lane) + LANE_TAIL;
        for _ in 0..LOOKS_MAX {
            let tail = self.word(tail_at).load(SeqCst);
            let at = self.cell_at(lane, tail);
            let cell = self.word(at).load(SeqCst);
            let ahead = self.ahead(cell, tail);
            if ahead == 0 && cell & FULL == 0 {
                if self.move_word(at, cell, self.lap_of(tail) << LAP_SHIFT | FULL | slot) {
                    self.move_word(tail_at, tail, tail.wrapping_add(1));
                    return;
                }
            } else if ahead == 0 || ahead == 1 {
                self.move_word(tail_at, tail, tail.wrapping_add(1));
            } else if ahead < 0 {
                return;
            }
        }
    }

    fn first_hint(&self, lane: u32) -> Option<Hint> {
        let head_at = self.lane_at(lane) + LANE_HEAD;
        for _ in 0..LOOKS_MAX {
            let head = self.word(head_at).load(SeqCst);
            let cell = self.word(self.cell_at(lane, head)).load(SeqCst);
            let ahead = self.ahead(cell, head);
            if ahead == 0 && cell & FULL != 0 {
                let slot = cell & 0xffff;
                let hint = Hint { slot, head, cell };
                if slot < self.get(state::CAPACITY) {
                    return Some(hint);
                }
                self.pass_hint(lane, &hint);
            } else if ahead == 1 {
                self.move_word(head_at, head, head.wrapping_add(1));
            } else if ahead <= 0 {
                return None;
            }
        }
        None
    }

    fn pass_hint(&self, lane: u32, hint: &Hint) {
        let empty = self.lap_of(hint.head).wrapping_add(1) << LAP_SHIFT;
        self.move_word(self.cell_at(lane, hint.head), hint.cell, empty);
        self.move_word(self.lane_at(lane) + LANE_HEAD, hint.head, hint.head.wrapping_add(1));
    }

    /// Reserves the message of the first hint of `lane` that tells the truth, or an older one of the same producer; its slot and the slot's
    /// word. The caller knows to have it when this returns.
    fn reserve(&self, lane: u32) -> Option<(u32, u32)> {
        loop {
            let hint = self.first_hint(lane)?;
            let hinted = self.word(self.slot_at(hint.slot)).load(SeqCst);
            if phase_of(hinted) != READY || self.lane_of(hint.slot) != lane {
                self.pass_hint(lane, &hint);
                continue;
            }
            let (slot, word) = self.oldest_before(hint.slot, hinted, lane);
            let reserved = moved(word, RESERVED, self.get(state::NUMBER));
            if self.move_word(self.slot_at(slot), word, reserved) {
                self.know(slot, 1);
                if slot == hint.slot {
                    self.pass_hint(lane, &hint);
                }
                return Some((slot, reserved));
            }
        }
    }

    /// The oldest message of the same producer and lane that nobody has had yet, when it goes before the one in `slot`; its slot and word.
    fn oldest_before(&self, slot: u32, word: u32, lane: u32) -> (u32, u32) {
        let capacity = self.get(state::CAPACITY);
        let mut oldest = (slot, word);
        for _ in 0..capacity {
            let record = self.record_at(oldest.0);
            let previous = self.field(record, record::PREVIOUS_SLOT).load(SeqCst).wrapping_sub(1);
            if previous >= capacity {
                break;
            }
            let word = self.word(self.slot_at(previous)).load(SeqCst);
            if word >> 11 != self.field(record, record::PREVIOUS_GENERATION).load(SeqCst)
                || phase_of(word) != READY
                || self.lane_of(previous) != lane
                || self
                    .field(self.record_at(previous), record::DELIVERY_COUNT)
                    .load(SeqCst)
                    > 0
            {
                break;
            }
            oldest = (previous, word);
        }
        oldest
    }

    /// Takes a free slot to write to; the slot and its word.
    fn claim(&self) -> Option<(u32, u32)> {
        let capacity = self.get(state::CAPACITY);
        let mut slot = self.get(state::CURSOR);
        for _ in 0..capacity {
            let at = self.slot_at(slot);
            let word = self.word(at).load(SeqCst);
            let next = if slot + 1 < capacity { slot + 1 } else { 0 };
            if phase_of(word) == FREE {
                let writing = moved(word, WRITING, self.get(state::NUMBER));
                if self.move_word(at, word, writing) {
                    self.set(state::CURSOR, next);
                    return Some((slot, writing));
                }
            }
            slot = next;
        }
        None
    }

    fn send(&self, data: &[u8], route: u32, expires_ms: f64) -> Option<u32> {
        let (slot, word) = self.claim()?;
        let record = self.record_at(slot);
        let sequence = self.get(state::SEQUENCE) + 1;
        self.set(state::SEQUENCE, sequence);
        self.put(record, record::BYTE_LENGTH, data.len() as u32);
        self.put(record, record::DELIVERY_COUNT, 0);
        self.put(record, record::SEQUENCE, sequence);
        self.put(record, record::SESSION, self.get(state::SESSION));
        self.put(record, record::ROUTE, route);
        self.put(record, record::BOX, 0);
        self.put_double(record, record::SENT_MS, self.now_ms());
        self.put_double(record, record::EXPIRES_MS, expires_ms);
        self.put(record, record::REQUEST_SESSION, 0);
        let previous = state::PREVIOUS + 2 * (route & 0xff) as usize;
        self.put(record, record::PREVIOUS_SLOT, self.get(previous));
        self.put(record, record::PREVIOUS_GENERATION, self.get(previous + 1));
        self.set(previous, slot + 1);
        self.set(previous + 1, word >> 11);
        // SAFETY: the caller has seen to the length; the record belongs to it.
        unsafe {
            let to = self.region.add(record + record::HEADER_BYTES);
            to.copy_from_nonoverlapping(data.as_ptr(), data.len());
        }
        self.move_word(self.slot_at(slot), word, moved(word, READY, 0));
        self.leave_hint(route & 0xff, slot);
        Some(slot)
    }

    /// Milliseconds since 1970, never less than the last time.
    fn now_ms(&self) -> f64 {
        let last = self.state_double(state::LAST_MS);
        let now = epoch_ms();
        if now > last {
            // SAFETY: two words of the caller's state, 8-aligned.
            unsafe { self.state.add(state::LAST_MS).cast::<f64>().write(now) };
            return now;
        }
        last
    }

    fn state_double(&self, index: usize) -> f64 {
        // SAFETY: two words of the caller's state, 8-aligned.
        unsafe { self.state.add(index).cast::<f64>().read() }
    }

    /// Whether a reserved message of `length` bytes can be delivered without further ado to who has room for `room`.
    fn is_plain(&self, record: usize, length: u32, room: usize) -> bool {
        let limit = self.get(state::DELIVERY_COUNT_MAX);
        let expires_ms = self.double(record, record::EXPIRES_MS);
        length as usize <= room
            && (limit == 0 || self.take(record, record::DELIVERY_COUNT) < limit)
            && (expires_ms == 0.0 || expires_ms > epoch_ms())
    }

    /// The next message of lanes `first` to `end`: told to `out`, its bytes copied to `data` from `at`, where there is room for `room` of
    /// them. `None` when there is no hint that tells the truth; false when it is left to the caller.
    fn receive(
        &self,
        lanes: (u32, u32),
        out: *mut u32,
        data: *mut u8,
        at: usize,
        room: usize,
        ack: bool,
    ) -> Option<bool> {
        let (slot, word) = (lanes.0..lanes.1).find_map(|lane| self.reserve(lane))?;
        let record = self.record_at(slot);
        // Read once: whoever damages it may do so at any moment.
        let length = self.take(record, record::BYTE_LENGTH);
        let is_plain = self.is_plain(record, length, room);
        if is_plain {
            let before = self.take(record, record::DELIVERY_COUNT);
            self.put(record, record::DELIVERY_COUNT, before + 1);
            self.count(counter::RECEIVED, 1.0);
            if before > 0 {
                self.count(counter::REDELIVERED, 1.0);
            }
            // SAFETY: `length` is at most `room`, which the caller has; a record has room for what it says, or the caller's limit is less.
            unsafe {
                let from = self.region.add(record + record::HEADER_BYTES);
                data.add(at).copy_from_nonoverlapping(from, length as usize);
            }
        }
        // SAFETY: the caller's words, 8-aligned.
        unsafe {
            *out.add(told::SLOT) = slot;
            *out.add(told::SESSION) = self.take(record, record::SESSION);
            *out.add(told::SEQUENCE) = self.take(record, record::SEQUENCE);
            *out.add(told::DELIVERY_COUNT) = self.take(record, record::DELIVERY_COUNT);
            *out.add(told::ROUTE) = self.take(record, record::ROUTE);
            out.add(told::SENT_MS)
                .cast::<f64>()
                .write(self.double(record, record::SENT_MS));
            *out.add(told::BYTE_LENGTH) = if is_plain { length } else { u32::MAX };
            *out.add(told::AT) = at as u32;
        }
        if is_plain && ack {
            self.know(slot, 0);
            self.move_word(self.slot_at(slot), word, freed(word));
        }
        Some(is_plain)
    }

    /// Wakes `count` of those who sleep on the signal at `at`, if any do.
    fn wake(&self, at: usize, count: u32) {
        // SYNC signal: either this sees that somebody is about to sleep, or that one sees what came before this.
        let armed = self.word(at + 4).load(SeqCst);
        if armed == self.word(at + 8).load(SeqCst) {
            return;
        }
        self.word(at).fetch_add(1, SeqCst);
        if futex::wake(self.word(at), futex::Flags::empty(), count) == Ok(0) {
            self.word(at + 8).store(armed, SeqCst);
        }
    }
}

/// The lane that a record's route names, of so many and that of the dead letters behind them.
pub fn lane_in(route: u32, lane_count: u32) -> u32 {
    (route & 0xff).min(lane_count)
}

pub fn phase_of(word: u32) -> u32 {
    word >> 8 & 7
}

fn moved(word: u32, phase: u32, owner: u32) -> u32 {
    word & !0x7ff | phase << 8 | owner
}

fn freed(word: u32) -> u32 {
    (word >> 11).wrapping_add(1) << 11
}

fn epoch_ms() -> f64 {
    let now = clock_gettime(ClockId::Realtime);
    (now.tv_sec * 1000 + now.tv_nsec / 1_000_000) as f64
}

/// Sends a copy of `data`: into a free slot, with a hint, waking one who waits for it; the result is the slot, or -EAGAIN when none is free.
/// The caller has seen to it that `length` is no more than the queue's limit, and that its sequence number does not wrap.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_queue_send(
    state: *mut u32,
    region: *mut u8,
    data: *const u8,
    length: u32,
    route: u32,
    expires_ms: f64,
) -> i32 {
    guard(|| {
        let queue = Queue { state, region };
        if length > queue.get(state::MESSAGE_BYTES_MAX) {
            return Err(Errno::MSGSIZE);
        }
        let slot = queue.send(bytes(data, length), route, expires_ms).ok_or(Errno::AGAIN)?;
        queue.count(counter::SENT, 1.0);
        queue.wake(queue.get(state::ITEMS) as usize, 1);
        Ok(slot as i32)
    })
}

/// The same for `count` messages whose bytes lie one behind the other in `data`, and whose lengths are in `lengths`; the result is how many
/// had a free slot.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_queue_send_many(
    state: *mut u32,
    region: *mut u8,
    data: *const u8,
    lengths: *const u32,
    count: u32,
    route: u32,
    expires_ms: f64,
) -> i32 {
    guard(|| {
        let queue = Queue { state, region };
        let mut at = 0;
        let mut sent = 0;
        while sent < count {
            let length = *lengths.add(sent as usize);
            if length > queue.get(state::MESSAGE_BYTES_MAX) {
                return Err(Errno::MSGSIZE);
            }
            if queue.send(bytes(data.add(at), length), route, expires_ms).is_none() {
                break;
            }
            at += length as usize;
            sent += 1;
        }
        if sent > 0 {
            queue.count(counter::SENT, f64::from(sent));
            queue.wake(queue.get(state::ITEMS) as usize, sent);
        }
        Ok(sent as i32)
    })
}

/// Receives up to `count` messages that there are hints for: what they are goes to `out`, ten words each, and their bytes to `data` from
/// `at` on, each at a multiple of 8, while there is room. `which`: `first lane | lane behind the last << 8`, and `1 << 16` to acknowledge
/// them. The result is how many. The last may be one that is reserved and else left to the caller, with all ones for its length.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_queue_receive(
    state: *mut u32,
    region: *mut u8,
    which: u32,
    out: *mut u32,
    count: u32,
    data: *mut u8,
    at: u32,
) -> i32 {
    guard(|| {
        let queue = Queue { state, region };
        let lanes = (which & 0xff, which >> 8 & 0xff);
        let ack = which >> 16 != 0;
        // A message that the queue can hold is no longer than that, whatever its record says.
        let longest = queue.get(state::MESSAGE_BYTES_MAX) as usize;
        let end = queue.get(state::DATA_BYTES) as usize;
        let mut at = at as usize;
        let mut received = 0;
        let mut is_left = false;
        while received < count && !is_left && (received == 0 || at < end) {
            let out = out.add(received as usize * told::WORDS);
            let room = end.saturating_sub(at).min(longest);
            match queue.receive(lanes, out, data, at, room, ack) {
                None => break,
                Some(is_plain) => is_left = !is_plain,
            }
            at += (*out.add(told::BYTE_LENGTH) as usize).wrapping_add(7) & !7;
            received += 1;
        }
        if received > 0 && ack {
            queue.wake(queue.get(state::ROOM) as usize, received);
        }
        Ok(received as i32)
    })
}
