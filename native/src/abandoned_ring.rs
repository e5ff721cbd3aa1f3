//! Closing an io_uring instance whose program is gone: its descriptors are found, its operations are ended.
//!
//! A ring lives as long as it is mapped, and its operations keep sockets open, so that closing descriptors alone would end
//! nothing. It has descriptors in three places: in completions that have not been reaped (accepted connections, opened files),
//! in requests in flight, and in close requests that the kernel has not taken.

use crate::layouts::user_data_tag;
use crate::memory::borrow;
use rustix::io_uring::{
    io_uring_cqe, io_uring_enter, io_uring_params, io_uring_register, io_uring_sync_cancel_reg, IoringAsyncCancelFlags,
    IoringEnterFlags, IoringOp, IoringRegisterOp, IORING_OFF_SQES, IORING_OFF_SQ_RING,
};
use rustix::mm::munmap;
use rustix::time::Timespec;
use std::sync::atomic::{AtomicU32, Ordering};

/// How long requests that cannot be cancelled at once (a file's, on a slow disk) delay the end of the thread.
const CANCEL_WAIT_MS: i64 = 100;
/// How often completions are reaped, for those that the kernel keeps because their ring is full.
const ROUNDS_MAX: usize = 1024;
const ENTRY_BYTES: usize = 64;
/// Where a submission entry has its descriptor.
const ENTRY_FD_AT: usize = 4;

#[derive(Clone, Copy)]
struct Part {
    address: usize,
    byte_length: usize,
}

/// A ring of this thread and its mapped parts.
pub struct Ring {
    pub fd: i32,
    params: io_uring_params,
    rings: Option<Part>,
    entries: Option<Part>,
}

impl Ring {
    pub fn new(fd: i32, params: io_uring_params) -> Self {
        Self {
            fd,
            params,
            rings: None,
            entries: None,
        }
    }

    /// `offset` says which part it is.
    pub fn mapped(&mut self, offset: u64, address: usize, byte_length: usize) {
        let part = Some(Part { address, byte_length });
        match offset {
            IORING_OFF_SQ_RING => self.rings = part,
            IORING_OFF_SQES => self.entries = part,
            _ => {}
        }
    }

    /// The program is about to remove a mapping.
    pub fn unmapping(&mut self, address: usize) {
        for part in [&mut self.rings, &mut self.entries] {
            if part.is_some_and(|part| part.address == address) {
                *part = None;
            }
        }
    }

    /// Ends every operation, calls `own` with each descriptor that the ring holds, and closes it. To be called on the thread
    /// that used it, when it uses it no more. The memory that requests referred to stays as it is.
    pub fn abandon(self, mut own: impl FnMut(i32)) {
        if let Some(rings) = self.rings {
            if let Some(entries) = self.entries {
                self.closes_not_handed_over(rings, entries, &mut own);
            }
            self.cancel_all();
            for _ in 0..ROUNDS_MAX {
                // Runs deferred work of the cancellations, and fetches completions that had no room.
                let Ok(fd) = borrow(self.fd) else { break };
                // SAFETY: no pointers; nothing is submitted.
                let _ = unsafe { io_uring_enter(fd, 0, 0, IoringEnterFlags::GETEVENTS) };
                if self.take_completions(rings, &mut own) == 0 {
                    break;
                }
            }
        }
        for part in [self.rings, self.entries].into_iter().flatten() {
            // SAFETY: mapped by the program that is gone, and no other code has read it. The kernel has its own references to the pages.
            let _ = unsafe { munmap(part.address as *mut _, part.byte_length) };
        }
        // SAFETY: open, and this thread's.
        unsafe { libc::close(self.fd) };
    }

    /// Descriptors of close requests that were written and published, and that the kernel has not taken.
    fn closes_not_handed_over(&self, rings: Part, entries: Part, own: &mut impl FnMut(i32)) {
        let head = word(rings, self.params.sq_off.head).load(Ordering::Acquire);
        let tail = word(rings, self.params.sq_off.tail).load(Ordering::Relaxed);
        let count = tail.wrapping_sub(head).min(self.params.sq_entries);
        for index in 0..count {
            let slot = head.wrapping_add(index) & (self.params.sq_entries - 1);
            let entry = (entries.address + slot as usize * ENTRY_BYTES) as *const u8;
            // SAFETY: an entry of the mapped ring; entry i always goes through slot i.
            let (operation, fd) = unsafe { (entry.read(), entry.add(ENTRY_FD_AT).cast::<i32>().read()) };
            if operation == IoringOp::Close as u8 {
                own(fd);
            }
        }
    }

    /// Cancels every request (Linux 6.0). Where that is not supported, or not done in time, closing the ring does it, a moment later.
    fn cancel_all(&self) {
        let Ok(fd) = borrow(self.fd) else { return };
        let mut request = io_uring_sync_cancel_reg::default();
        request.flags = IoringAsyncCancelFlags::ALL | IoringAsyncCancelFlags::ANY;
        request.timeout = Timespec {
            tv_sec: 0,
            tv_nsec: CANCEL_WAIT_MS * 1_000_000,
        };
        let argument = std::ptr::addr_of!(request).cast();
        // SAFETY: one structure, which lives until the call returns.
        let _ = unsafe { io_uring_register(fd, IoringRegisterOp::RegisterSyncCancel, argument, 1) };
    }

    /// Reaps the available completions and calls `own` with their descriptors; the result is how many completions there were.
    fn take_completions(&self, rings: Part, own: &mut impl FnMut(i32)) -> u32 {
        let offsets = &self.params.cq_off;
        let head = word(rings, offsets.head).load(Ordering::Relaxed);
        // SYNC uring.cqTail: completion entries below the tail are complete.
        let tail = word(rings, offsets.tail).load(Ordering::Acquire);
        let count = tail.wrapping_sub(head).min(self.params.cq_entries);
        for index in 0..count {
            let slot = head.wrapping_add(index) & (self.params.cq_entries - 1);
            let at = rings.address + offsets.cqes as usize + slot as usize * std::mem::size_of::<Completion>();
            // SAFETY: a completion of the mapped ring.
            let completion = unsafe { (at as *const Completion).read() };
            if completion.user_data >> 32 == u64::from(user_data_tag::DESCRIPTOR) && completion.result >= 0 {
                own(completion.result);
            }
        }
        // SYNC uring.cqHead: the kernel may reuse the entries below the head.
        word(rings, offsets.head).store(head.wrapping_add(count), Ordering::Release);
        count
    }
}

/// `struct io_uring_cqe` of the usual size.
#[repr(C)]
struct Completion {
    user_data: u64,
    result: i32,
    flags: u32,
}

const _: () = assert!(std::mem::size_of::<Completion>() == std::mem::size_of::<io_uring_cqe>());

fn word<'a>(part: Part, at: u32) -> &'a AtomicU32 {
    // SAFETY: the kernel says that the word is there, aligned, in the part that the program has mapped.
    unsafe { &*((part.address + at as usize) as *const AtomicU32) }
}
