//! The memory of a cross-process queue as native code sees it: where things are, the words of its slots, and its counters. What
//! `src/ipc/queue/layout.ts` and `src/ipc/queue/slot_word.ts` say, which have the meaning.

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
    /// Of each lane two: slot, counted from 1, and generation of the last message that was sent to it.
    pub const PREVIOUS: usize = 32;
    /// Of each slot a byte, 1: the caller has the message in it, and knows so. Behind those of `PREVIOUS`, which has room for 64 lanes.
    pub const KNOWN: usize = PREVIOUS + 2 * 64;
}

/// Words of a record, as in `src/ipc/queue/layout.ts`.
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

pub const FREE: u32 = 0;
pub const WRITING: u32 = 1;
pub const READY: u32 = 2;
pub const RESERVED: u32 = 3;

/// A queue, and what one opener of it has told of itself.
pub struct Queue {
    pub state: *mut u32,
    pub region: *mut u8,
}

impl Queue {
    pub fn get(&self, index: usize) -> u32 {
        // SAFETY: the caller's state has words for all lanes.
        unsafe { *self.state.add(index) }
    }

    pub fn set(&self, index: usize, value: u32) {
        // SAFETY: as above.
        unsafe { *self.state.add(index) = value }
    }

    /// Says whether the caller has the message in a slot, and knows so.
    pub fn know(&self, slot: u32, known: u8) {
        // SAFETY: the caller's state has a byte for each slot.
        unsafe { *self.state.add(state::KNOWN).cast::<u8>().add(slot as usize) = known }
    }

    pub fn word(&self, at: usize) -> &AtomicU32 {
        // SAFETY: `at` comes from the caller's geometry, which lies within the region, and is a multiple of 4.
        unsafe { &*self.region.add(at).cast::<AtomicU32>() }
    }

    pub fn move_word(&self, at: usize, from: u32, to: u32) -> bool {
        self.word(at).compare_exchange(from, to, SeqCst, SeqCst).is_ok()
    }

    pub fn slot_at(&self, slot: u32) -> usize {
        self.get(state::SLOTS) as usize + slot as usize * 4
    }

    pub fn record_at(&self, slot: u32) -> usize {
        self.get(state::RECORDS) as usize + slot as usize * self.get(state::RECORD_BYTES) as usize
    }

    /// A word of a record that belongs to the caller, or an atomic one.
    pub fn field(&self, record: usize, field: usize) -> &AtomicU32 {
        self.word(record + field * 4)
    }

    pub fn put(&self, record: usize, field: usize, value: u32) {
        self.field(record, field).store(value, Relaxed);
    }

    pub fn take(&self, record: usize, field: usize) -> u32 {
        self.field(record, field).load(Relaxed)
    }

    pub fn put_double(&self, record: usize, field: usize, value: f64) {
        // SAFETY: within the record, which belongs to the caller; 8-aligned.
        unsafe { self.region.add(record + field * 4).cast::<f64>().write(value) }
    }

    pub fn double(&self, record: usize, field: usize) -> f64 {
        // SAFETY: as above.
        unsafe { self.region.add(record + field * 4).cast::<f64>().read() }
    }

    pub fn count(&self, counter: usize, more: f64) {
        let at = self.get(state::COUNTERS) as usize + counter * 8;
        self.put_double(at, 0, self.double(at, 0) + more);
    }

    pub fn lane_of(&self, slot: u32) -> u32 {
        let route = self.field(self.record_at(slot), record::ROUTE).load(SeqCst);
        lane_in(route, self.get(state::LANE_COUNT))
    }

    pub fn lane_at(&self, lane: u32) -> usize {
        self.get(state::LANES) as usize + lane as usize * self.get(state::LANE_BYTES) as usize
    }

    pub fn state_double(&self, index: usize) -> f64 {
        // SAFETY: two words of the caller's state, 8-aligned.
        unsafe { self.state.add(index).cast::<f64>().read() }
    }
}

/// The lane that a record's route names, of so many and that of the dead letters behind them.
pub fn lane_in(route: u32, lane_count: u32) -> u32 {
    (route & 0xff).min(lane_count)
}

/// The phase of a slot's word.
pub fn phase_of(word: u32) -> u32 {
    word >> 8 & 7
}

/// A slot's word with another phase and owner.
pub fn moved(word: u32, phase: u32, owner: u32) -> u32 {
    word & !0x7ff | phase << 8 | owner
}

/// A slot's word once it is free: of the next generation.
pub fn freed(word: u32) -> u32 {
    (word >> 11).wrapping_add(1) << 11
}
