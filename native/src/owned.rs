//! The open resources of a thread, closed when the thread ends.
//!
//! Each Deno worker is a thread. A terminated worker runs no JavaScript any more, so its program cannot close the rings, sockets,
//! files and shared memory that Deno does not know of. The destructor of this thread's table closes them. See docs/native.md.
//!
//! ```text
//! marks, one byte per descriptor: 0, or 1 while this thread owns it and has to close it
//! ```
//! Written here for descriptors that a call returns or closes, and by `ffi/completion_ring.ts` and `ffi/submission_ring.ts` for those that come
//! out of a ring or go into a close request. All of it happens on one thread, so it needs no synchronisation. One rule keeps a reused
//! number from being closed: a mark is cleared before its descriptor is closed.

use crate::abandoned_ring::Ring;
use crate::boundary::guard;
use crate::lock::millrace_unlock_all;
use crate::region::Reference;
use crate::sync::forget_requests;
use crate::watch::Watch;
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use rustix::io::Errno;
use rustix::io_uring::io_uring_params;
use rustix::mm::{mmap_anonymous, munmap, MapFlags, ProtFlags};
use std::cell::RefCell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;

/// Descriptors that are tracked, from 0: the highest RLIMIT_NOFILE a kernel allows by default (`fs.nr_open`). Higher ones are not closed
/// with their thread. One byte each; only pages with descriptors are ever allocated.
pub const DESCRIPTORS_MAX: usize = 1 << 20;

thread_local! {
    static OWNED: RefCell<Option<Owned>> = const { RefCell::new(None) };
}

struct Owned {
    marks: *mut u8,
    rings: Vec<Ring>,
    lent: Vec<Lent>,
    references: Vec<Reference>,
    watches: Vec<(u32, Arc<Watch>)>,
    watch_count: u32,
}

/// A socket or a pipe that Deno has. Deno closes it when its program does, but not with its thread.
struct Lent {
    fd: i32,
    identity: Identity,
}

/// Distinguishes an open descriptor from a later one with the same number: for a socket its cookie, for a pipe its inode.
#[derive(PartialEq)]
enum Identity {
    Socket(u64),
    Pipe(u64, u64),
}

/// Writes the address of this thread's marks to `address_out`; the result is how many there are. They stay until the thread
/// ends.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_owned_descriptors(address_out: *mut u64) -> i32 {
    guard(|| {
        let address = with_owned(|owned| owned.marks as u64).ok_or(Errno::NOMEM)?;
        address_out.write_unaligned(address);
        Ok(DESCRIPTORS_MAX as i32)
    })
}

/// The calling thread owns `fd` from now on; returns it.
pub fn own(fd: i32) -> i32 {
    with_owned(|owned| owned.mark(fd, 1));
    fd
}

/// The calling thread does not own `fd` any more. To be called before it is closed: from then on its number may be
/// another thread's.
pub fn disown(fd: i32) {
    with_owned(|owned| {
        owned.mark(fd, 0);
        owned.rings.retain(|ring| ring.fd != fd);
    });
}

/// The socket or pipe `fd` goes to Deno. If it is still open when the thread ends, it is closed. Its identity shows whether the number
/// still means the same descriptor; a reused one is left alone.
pub fn lend(fd: i32) -> i32 {
    with_owned(|owned| {
        owned.lent.retain(Lent::is_open);
        owned.lent.extend(identity_of(fd).map(|identity| Lent { fd, identity }));
    });
    fd
}

/// `fd` is a ring, set up with `params`.
pub fn own_ring(fd: i32, params: io_uring_params) -> i32 {
    with_owned(|owned| owned.rings.push(Ring::new(fd, params)));
    fd
}

/// A part of the ring `fd`, if it is one, was mapped.
pub fn mapped(fd: i32, offset: u64, address: usize, byte_length: usize) {
    with_owned(|owned| {
        if let Some(ring) = owned.rings.iter_mut().find(|ring| ring.fd == fd) {
            ring.mapped(offset, address, byte_length);
        }
    });
}

/// The program is about to remove the mapping at `address`.
pub fn unmapping(address: usize) {
    with_owned(|owned| owned.rings.iter_mut().for_each(|ring| ring.unmapping(address)));
}

/// Shared memory that the calling thread has opened.
pub fn own_reference(reference: Reference) {
    with_owned(|owned| owned.references.push(reference));
}

/// One of the calling thread's references to the mapping at `address`.
pub fn give_back(address: usize) -> Option<Reference> {
    with_owned(|owned| {
        let index = owned
            .references
            .iter()
            .position(|reference| reference.address() == address)?;
        Some(owned.references.swap_remove(index))
    })
    .flatten()
}

/// A watch that ends with the calling thread; the result is its number among those of the thread.
pub fn own_watch(watch: Arc<Watch>) -> Option<u32> {
    with_owned(|owned| {
        owned.watch_count += 1;
        owned.watches.push((owned.watch_count, watch));
        owned.watch_count
    })
}

/// The calling thread's watch of that number.
pub fn watch(number: u32) -> Option<Arc<Watch>> {
    with_owned(|owned| {
        let mut watches = owned.watches.iter();
        watches
            .find(|(other, _)| *other == number)
            .map(|(_, watch)| Arc::clone(watch))
    })
    .flatten()
}

/// The same, which the caller has to close from now on.
pub fn disown_watch(number: u32) -> Option<Arc<Watch>> {
    with_owned(|owned| {
        let index = owned.watches.iter().position(|(other, _)| *other == number)?;
        Some(owned.watches.swap_remove(index).1)
    })
    .flatten()
}

/// Runs `body` on this thread's table. `None` when there is no table: the thread is ending, or there is no memory.
fn with_owned<T>(body: impl FnOnce(&mut Owned) -> T) -> Option<T> {
    let run = |cell: &RefCell<Option<Owned>>| {
        let mut slot = cell.try_borrow_mut().ok()?;
        if slot.is_none() {
            *slot = Owned::new();
        }
        slot.as_mut().map(body)
    };
    OWNED.try_with(run).ok().flatten()
}

fn identity_of(fd: i32) -> Option<Identity> {
    cookie_of(fd).map(Identity::Socket).or_else(|| {
        let stat = rustix::fs::fstat(crate::memory::borrow(fd).ok()?).ok()?;
        Some(Identity::Pipe(stat.st_dev as u64, stat.st_ino as u64))
    })
}

fn cookie_of(fd: i32) -> Option<u64> {
    let mut cookie = 0u64;
    let mut length = std::mem::size_of_val(&cookie) as libc::socklen_t;
    let out = std::ptr::addr_of_mut!(cookie).cast();
    // SAFETY: room for what is asked for, until the call returns.
    let result = unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_COOKIE, out, &mut length) };
    (result == 0).then_some(cookie)
}

impl Lent {
    fn is_open(&self) -> bool {
        identity_of(self.fd).is_some_and(|identity| identity == self.identity)
    }
}

impl Owned {
    fn new() -> Option<Self> {
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: fresh memory, wherever the kernel likes.
        let marks = unsafe { mmap_anonymous(std::ptr::null_mut(), DESCRIPTORS_MAX, access, MapFlags::PRIVATE) };
        Some(Self {
            marks: marks.ok()?.cast(),
            rings: Vec::new(),
            lent: Vec::new(),
            references: Vec::new(),
            watches: Vec::new(),
            watch_count: 0,
        })
    }

    fn mark(&mut self, fd: i32, value: u8) {
        if usize::try_from(fd).is_ok_and(|index| index < DESCRIPTORS_MAX) {
            // SAFETY: within the table.
            unsafe { self.marks.add(fd as usize).write_volatile(value) };
        }
    }

    /// The rings first, for two reasons: their operations refer to the descriptors, and they hold descriptors that have not been reaped
    /// yet.
    fn close_all(&mut self) {
        for ring in std::mem::take(&mut self.rings) {
            ring.abandon(|fd| self.mark(fd, 1));
        }
        forget_requests();
        for (_, watch) in self.watches.drain(..) {
            watch.close();
        }
        for lent in self.lent.drain(..).filter(Lent::is_open) {
            // SAFETY: no pointers; Deno's part of this thread is gone, so no other code closes it.
            unsafe { libc::close(lent.fd) };
        }
        for index in 0..DESCRIPTORS_MAX {
            // SAFETY: within the table; and a marked descriptor is open and this thread's.
            unsafe {
                if self.marks.add(index).read_volatile() != 0 {
                    self.marks.add(index).write_volatile(0);
                    millrace_unlock_all(index as i32);
                    libc::close(index as i32);
                }
            }
        }
        self.references.clear();
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // The main thread ends with its process, which closes everything; its program may still be running.
        // SAFETY: no pointers.
        if unsafe { libc::gettid() == libc::getpid() } {
            std::mem::forget(std::mem::take(&mut self.references));
            return;
        }
        let _ = catch_unwind(AssertUnwindSafe(|| self.close_all()));
        // SAFETY: only this thread reads the marks, and it has nothing left to run.
        let _ = unsafe { munmap(self.marks.cast(), DESCRIPTORS_MAX) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_open(fd: i32) -> bool {
        // SAFETY: no pointers.
        unsafe { libc::fcntl(fd, libc::F_GETFD) >= 0 }
    }

    fn pair() -> [i32; 2] {
        let mut fds = [0; 2];
        // SAFETY: room for two.
        assert_eq!(
            unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, fds.as_mut_ptr()) },
            0
        );
        fds
    }

    #[test]
    fn a_thread_closes_what_it_owns_and_nothing_else() {
        let [owned, disowned] = std::thread::spawn(|| {
            let [owned, disowned] = pair();
            own(owned);
            own(disowned);
            disown(disowned);
            own(-1);
            own(DESCRIPTORS_MAX as i32);
            [owned, disowned]
        })
        .join()
        .unwrap();
        assert!(is_open(disowned));
        let mut byte = 0u8;
        // The number may be another test's by now: its other end shows whether the descriptor is closed.
        // SAFETY: one byte of room.
        assert_eq!(
            unsafe { libc::read(disowned, std::ptr::addr_of_mut!(byte).cast(), 1) },
            0,
            "{owned}"
        );
        // SAFETY: ours.
        unsafe { libc::close(disowned) };
    }

    #[test]
    fn a_thread_closes_what_it_lent_unless_the_number_is_another_sockets() {
        let [kept, peer, reused, other] = std::thread::spawn(|| {
            let [kept, peer] = pair();
            let [given_back, other] = pair();
            lend(kept);
            lend(given_back);
            // As if it had been closed, and its number reused.
            // SAFETY: ours, both.
            unsafe { libc::dup2(peer, given_back) };
            [kept, peer, given_back, other]
        })
        .join()
        .unwrap();
        assert!(is_open(reused), "{kept}");
        let mut byte = 0u8;
        // SAFETY: one byte of room.
        assert_eq!(unsafe { libc::read(peer, std::ptr::addr_of_mut!(byte).cast(), 1) }, 0);
        for fd in [peer, reused, other] {
            // SAFETY: ours.
            unsafe { libc::close(fd) };
        }
    }
}
