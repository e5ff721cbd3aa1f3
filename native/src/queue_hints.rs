//! The rings of hints of a cross-process queue: what `src/ipc/queue/hints.ts` does, on the same bytes.

use crate::layouts::queue_hint::{FULL, LAP_MASK, LAP_SHIFT, SLOT_MASK};
use crate::layouts::{queue_lane as lane_word, queue_state as state};
use crate::queue_memory::Queue;
use std::sync::atomic::Ordering::SeqCst;

/// After reading so many cells that others change meanwhile, or that are damaged, a call gives up.
const LOOKS_MAX: u32 = 10_000;

/// A hint, and where it was found.
pub struct Hint {
    pub slot: u32,
    head: u32,
    cell: u32,
}

impl Queue {
    fn cell_at(&self, lane: u32, position: u32) -> usize {
        let count = self.get(state::CELL_COUNT);
        self.get(state::CELLS_AT) as usize + (lane as usize * count as usize + (position & (count - 1)) as usize) * 4
    }

    fn lap_of(&self, position: u32) -> u32 {
        position >> self.get(state::CELL_COUNT).trailing_zeros() & LAP_MASK
    }

    /// How many laps the cell is ahead of the position, from -2^14 to 2^14.
    fn ahead(&self, cell: u32, position: u32) -> i32 {
        let difference = (cell >> LAP_SHIFT).wrapping_sub(self.lap_of(position)) & LAP_MASK;
        (difference << 17) as i32 >> 17
    }

    /// Leaves a hint that a message of `lane` is in `slot`; none when the ring is full, which costs the receiver a scan.
    pub fn leave_hint(&self, lane: u32, slot: u32) {
        let tail_at = self.lane_at(lane) + lane_word::TAIL * 4;
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

    /// The oldest hint of `lane`.
    pub fn first_hint(&self, lane: u32) -> Option<Hint> {
        let head_at = self.lane_at(lane) + lane_word::HEAD * 4;
        for _ in 0..LOOKS_MAX {
            let head = self.word(head_at).load(SeqCst);
            let cell = self.word(self.cell_at(lane, head)).load(SeqCst);
            let ahead = self.ahead(cell, head);
            if ahead == 0 && cell & FULL != 0 {
                let slot = cell & SLOT_MASK;
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

    /// Removes a hint, unless another participant has.
    pub fn pass_hint(&self, lane: u32, hint: &Hint) {
        let empty = self.lap_of(hint.head).wrapping_add(1) << LAP_SHIFT;
        self.move_word(self.cell_at(lane, hint.head), hint.cell, empty);
        self.move_word(
            self.lane_at(lane) + lane_word::HEAD * 4,
            hint.head,
            hint.head.wrapping_add(1),
        );
    }
}
