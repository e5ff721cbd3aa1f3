//! The memory of a cross-process queue as native code sees it: offsets, the words of its slots, and its counters. The offsets are in
//! `layouts.rs`, their meaning in `src/ipc/queue/layout.ts` and `src/ipc/queue/slot_word.ts`.

use crate::layouts::{queue_record as record, queue_slot as slot_word, queue_state as state};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed, Ordering::SeqCst};

/// A queue, and the shared state of one participant.
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

    /// Notes whether the caller has the message in a slot, and knows so.
    pub fn know(&self, slot: u32, known: u8) {
        // SAFETY: the caller's state has a byte for each slot.
        unsafe { *self.state.add(state::WORDS).cast::<u8>().add(slot as usize) = known }
    }

    pub fn word(&self, at: usize) -> &AtomicU32 {
        // SAFETY: `at` comes from the caller's geometry, which lies within the region, and is a multiple of 4.
        unsafe { &*self.region.add(at).cast::<AtomicU32>() }
    }

    pub fn move_word(&self, at: usize, from: u32, to: u32) -> bool {
        self.word(at).compare_exchange(from, to, SeqCst, SeqCst).is_ok()
    }

    pub fn slot_at(&self, slot: u32) -> usize {
        self.get(state::SLOTS_AT) as usize + slot as usize * 4
    }

    pub fn record_at(&self, slot: u32) -> usize {
        self.get(state::RECORDS_AT) as usize + slot as usize * self.get(state::RECORD_BYTES) as usize
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
        let at = self.get(state::COUNTERS_AT) as usize + counter * 8;
        self.put_double(at, 0, self.double(at, 0) + more);
    }

    pub fn lane_of(&self, slot: u32) -> u32 {
        let route = self.field(self.record_at(slot), record::ROUTE).load(SeqCst);
        lane_in(route, self.get(state::LANE_COUNT))
    }

    pub fn lane_at(&self, lane: u32) -> usize {
        self.get(state::LANES_AT) as usize + lane as usize * self.get(state::LANE_BYTES) as usize
    }

    pub fn state_double(&self, index: usize) -> f64 {
        // SAFETY: two words of the caller's state, 8-aligned.
        unsafe { self.state.add(index).cast::<f64>().read() }
    }
}

/// The lane of a record's route: one of so many, or that of the dead letters after them.
pub fn lane_in(route: u32, lane_count: u32) -> u32 {
    (route & 0xff).min(lane_count)
}

/// The phase of a slot's word.
pub fn phase_of(word: u32) -> u32 {
    word >> slot_word::PHASE_SHIFT & slot_word::PHASE_MASK
}

/// A slot's word with another phase and owner.
pub fn moved(word: u32, phase: u32, owner: u32) -> u32 {
    word >> slot_word::GENERATION_SHIFT << slot_word::GENERATION_SHIFT | phase << slot_word::PHASE_SHIFT | owner
}

/// A slot's word once it is free: of the next generation.
pub fn freed(word: u32) -> u32 {
    (word >> slot_word::GENERATION_SHIFT).wrapping_add(1) << slot_word::GENERATION_SHIFT
}
