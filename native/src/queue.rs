//! The steps that most messages of a cross-process queue take, in one call each: what `src/ipc/queue/` does in TypeScript, on the same bytes.
//!
//! `src/ipc/queue/layout.ts` has the layout and docs/queue.md the protocol. Here is only the common case: a message into a free slot with a
//! hint, and the message of a hint out again. In any other case the result says so, and the caller does the rest.

use crate::boundary::{bytes, guard};
use crate::layouts::queue_phase::{FREE, READY, RESERVED, WRITING};
use crate::layouts::{
    queue_counter as counter, queue_flag, queue_received as received, queue_record as record, queue_state as state,
};
use crate::queue_memory::{freed, moved, phase_of, Queue};
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use rustix::io::Errno;
use rustix::thread::futex;
use rustix::time::{clock_gettime, ClockId};
use std::sync::atomic::Ordering::SeqCst;

/// Where the bytes of a message are copied to.
struct Copy {
    data: *mut u8,
    at: usize,
    /// Bytes of room from there.
    room: usize,
}

impl Queue {
    /// Reserves the message of the first valid hint of `lane`, or an older one of the same producer; its slot and the slot's word. The
    /// caller knows to have it when this returns.
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

    /// The oldest message of the same producer and lane that is not reserved, when it precedes the one in `slot`; its slot and word.
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

    fn send(&self, data: &[u8], route: u32, expires_ms: f64, now_ms: f64) -> Option<u32> {
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
        self.put_double(record, record::SENT_MS, now_ms);
        self.put_double(record, record::EXPIRES_MS, expires_ms);
        self.put(record, record::REQUEST_SESSION, 0);
        let previous = state::PREVIOUS + 2 * (route & 0xff) as usize;
        self.put(record, record::PREVIOUS_SLOT, self.get(previous));
        self.put(record, record::PREVIOUS_GENERATION, self.get(previous + 1));
        self.set(previous, slot + 1);
        self.set(previous + 1, word >> 11);
        // SAFETY: the caller has checked the length; the record belongs to it.
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

    /// Whether the end of a message must be notified: a participant waits for its box, or for a reply to it.
    fn is_awaited(&self, record: usize) -> bool {
        self.take(record, record::BOX) != 0 || self.take(record, record::ROUTE) >> 24 & queue_flag::REQUEST != 0
    }

    /// Whether a reserved message of `length` bytes can be delivered directly to a caller that has room for `room`.
    fn is_plain(&self, record: usize, length: u32, room: usize) -> bool {
        let limit = self.get(state::DELIVERY_COUNT_MAX);
        let expires_ms = self.double(record, record::EXPIRES_MS);
        length as usize <= room
            && (limit == 0 || self.take(record, record::DELIVERY_COUNT) < limit)
            && (expires_ms == 0.0 || expires_ms > epoch_ms())
    }

    /// The next message of lanes `first` to `end`: its description goes to `out`, its bytes are copied `to`. `None` when there is no valid hint;
    /// false when the caller has to do the rest.
    fn receive(&self, lanes: (u32, u32), out: *mut u32, to: &Copy, ack: bool) -> Option<bool> {
        let (slot, word) = (lanes.0..lanes.1).find_map(|lane| self.reserve(lane))?;
        let record = self.record_at(slot);
        // Read once: a process that damages it may do so at any moment.
        let length = self.take(record, record::BYTE_LENGTH);
        let is_plain = self.is_plain(record, length, to.room) && !(ack && self.is_awaited(record));
        if is_plain {
            let before = self.take(record, record::DELIVERY_COUNT);
            self.put(record, record::DELIVERY_COUNT, before + 1);
            self.count(counter::RECEIVED, 1.0);
            if before > 0 {
                self.count(counter::REDELIVERED, 1.0);
            }
            // SAFETY: `length` is at most `room`, which the caller has; a record has room for its length, or the caller's limit is less.
            unsafe {
                let from = self.region.add(record + record::HEADER_BYTES);
                to.data.add(to.at).copy_from_nonoverlapping(from, length as usize);
            }
        }
        // SAFETY: the caller's words, 8-aligned.
        unsafe {
            *out.add(received::SLOT) = slot;
            *out.add(received::SESSION) = self.take(record, record::SESSION);
            *out.add(received::SEQUENCE) = self.take(record, record::SEQUENCE);
            *out.add(received::DELIVERY_COUNT) = self.take(record, record::DELIVERY_COUNT);
            *out.add(received::ROUTE) = self.take(record, record::ROUTE);
            out.add(received::SENT_MS)
                .cast::<f64>()
                .write(self.double(record, record::SENT_MS));
            *out.add(received::BYTE_LENGTH) = if is_plain { length } else { u32::MAX };
            *out.add(received::DATA_AT) = to.at as u32;
        }
        if is_plain && ack {
            self.know(slot, 0);
            self.move_word(self.slot_at(slot), word, freed(word));
        }
        Some(is_plain)
    }

    /// Reserves the next message of lanes `first` to `end`, without counting a delivery: its slot, length and route go to `out`. `None` and
    /// false as from `receive()`.
    fn reserve_in_place(&self, lanes: (u32, u32), out: *mut u32) -> Option<bool> {
        let (slot, _) = (lanes.0..lanes.1).find_map(|lane| self.reserve(lane))?;
        let record = self.record_at(slot);
        let length = self.take(record, record::BYTE_LENGTH);
        let longest = self.get(state::MESSAGE_BYTES_MAX) as usize;
        let is_plain = self.is_plain(record, length, longest) && !self.is_awaited(record);
        // SAFETY: the caller's words.
        unsafe {
            *out.add(received::SLOT) = slot;
            *out.add(received::ROUTE) = self.take(record, record::ROUTE);
            *out.add(received::BYTE_LENGTH) = if is_plain { length } else { u32::MAX };
        }
        Some(is_plain)
    }

    /// Wakes `count` waiters of the signal at `at`, if there are any.
    fn wake(&self, at: usize, count: u32) {
        // SYNC signal: either this sees that a waiter is about to sleep, or the waiter sees what came before this.
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

fn epoch_ms() -> f64 {
    let now = clock_gettime(ClockId::Realtime);
    (now.tv_sec * 1000 + now.tv_nsec / 1_000_000) as f64
}

/// Sends a copy of `data`: into a free slot, with a hint, waking one waiter; the result is the slot, or -EAGAIN when none is free. The
/// caller has checked that `length` is within the queue's limit, and that its sequence number does not wrap.
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
        let slot = queue
            .send(bytes(data, length), route, expires_ms, queue.now_ms())
            .ok_or(Errno::AGAIN)?;
        queue.count(counter::SENT, 1.0);
        queue.wake(queue.get(state::ITEMS_AT) as usize, 1);
        Ok(slot as i32)
    })
}

/// The same for `count` messages whose bytes are contiguous in `data`, and whose lengths are in `lengths`; the result is how many had a
/// free slot.
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
        let now_ms = queue.now_ms();
        while sent < count {
            let length = *lengths.add(sent as usize);
            if length > queue.get(state::MESSAGE_BYTES_MAX) {
                return Err(Errno::MSGSIZE);
            }
            if queue
                .send(bytes(data.add(at), length), route, expires_ms, now_ms)
                .is_none()
            {
                break;
            }
            at += length as usize;
            sent += 1;
        }
        if sent > 0 {
            queue.count(counter::SENT, f64::from(sent));
            queue.wake(queue.get(state::ITEMS_AT) as usize, sent);
        }
        Ok(sent as i32)
    })
}

/// Receives up to `count` messages that have hints: their descriptions go to `out`, ten words each, and their bytes to `data` from `at`
/// on, each at a multiple of 8, while there is room. `which`: `first lane | lane after the last << 8`, and `1 << 16` to acknowledge
/// them. The result is how many. The last may be reserved only, with all ones for its length: the caller has to do the rest.
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
        let ack = which >> 16 != 0;
        // No message of the queue is longer than that, whatever its record says.
        let longest = queue.get(state::MESSAGE_BYTES_MAX) as usize;
        let end = queue.get(state::DATA_BYTES) as usize;
        let mut at = at as usize;
        let mut received = 0;
        let mut is_left = false;
        while received < count && !is_left && (received == 0 || at < end) {
            let out = out.add(received as usize * received::WORDS);
            let room = end.saturating_sub(at).min(longest);
            match queue.receive(lanes_of(which), out, &Copy { data, at, room }, ack) {
                None => break,
                Some(is_plain) => is_left = !is_plain,
            }
            at += (*out.add(received::BYTE_LENGTH) as usize).wrapping_add(7) & !7;
            received += 1;
        }
        if received > 0 && ack {
            queue.wake(queue.get(state::ROOM_AT) as usize, received);
        }
        Ok(received as i32)
    })
}

/// Reserves up to `count` messages that have hints. Their bytes stay where they are, and the caller counts their deliveries: slot,
/// length and route go to `out` as with `millrace_queue_receive`.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_queue_reserve(
    state: *mut u32,
    region: *mut u8,
    which: u32,
    out: *mut u32,
    count: u32,
) -> i32 {
    guard(|| {
        let queue = Queue { state, region };
        let mut reserved = 0;
        let mut is_left = false;
        while reserved < count && !is_left {
            let out = out.add(reserved as usize * received::WORDS);
            match queue.reserve_in_place(lanes_of(which), out) {
                None => break,
                Some(is_plain) => is_left = !is_plain,
            }
            reserved += 1;
        }
        Ok(reserved as i32)
    })
}

/// Acknowledges `count` messages that `millrace_queue_reserve` wrote to `out`, and that the caller still has, except for those whose slot
/// is -1 by now.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_queue_ack(state: *mut u32, region: *mut u8, out: *const u32, count: u32) -> i32 {
    guard(|| {
        let queue = Queue { state, region };
        for index in 0..count as usize {
            let slot = *out.add(index * received::WORDS + received::SLOT);
            if slot >= queue.get(state::CAPACITY) {
                continue;
            }
            let word = queue.word(queue.slot_at(slot)).load(SeqCst);
            queue.know(slot, 0);
            queue.move_word(queue.slot_at(slot), word, freed(word));
        }
        queue.wake(queue.get(state::ROOM_AT) as usize, count);
        Ok(0)
    })
}

/// The lanes in `which`: the first, and the one after the last.
fn lanes_of(which: u32) -> (u32, u32) {
    (which & 0xff, which >> 8 & 0xff)
}
