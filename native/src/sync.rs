//! Writing a region to its disk in place of a JavaScript thread.
//!
//! A request owns what it needs, a reference to the mapping and a descriptor, so that the region may be closed meanwhile. The thread of
//! the region makes it and one of Deno's pool runs it; a request that has not begun ends with the thread that made it.

use crate::boundary::guard;
use crate::memory::borrow;
use crate::region::Reference;
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use rustix::fd::OwnedFd;
use rustix::fs::fsync;
use rustix::io::{fcntl_dupfd_cloexec, Errno};
use rustix::mm::{msync, MsyncFlags};
use std::sync::{Mutex, MutexGuard, PoisonError};

struct Request {
    number: u32,
    thread: i32,
    file: OwnedFd,
    reference: Reference,
}

struct Requests {
    waiting: Vec<Request>,
    last_number: u32,
}

static REQUESTS: Mutex<Requests> = Mutex::new(Requests {
    waiting: Vec::new(),
    last_number: 0,
});

/// A panic leaves no half-made change in the table, so poisoning does not matter.
fn requests() -> MutexGuard<'static, Requests> {
    REQUESTS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn this_thread() -> i32 {
    // SAFETY: no pointers.
    unsafe { libc::gettid() }
}

/// Drops the calling thread's requests that have not begun.
pub fn forget_requests() {
    let thread = this_thread();
    requests().waiting.retain(|request| request.thread != thread);
}

/// Requests that the region `fd`, mapped at `address` by `millrace_region_map`, is written to its disk; `number_out` gets the
/// number to pass to `millrace_sync_run`, once.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_sync_request(fd: i32, address: u64, number_out: *mut u32) -> i32 {
    guard(|| {
        let reference = Reference::around(address as usize).ok_or(Errno::INVAL)?;
        let file = fcntl_dupfd_cloexec(borrow(fd)?, 0)?;
        let mut requests = requests();
        requests.last_number = requests.last_number.wrapping_add(1);
        let number = requests.last_number;
        requests.waiting.push(Request {
            number,
            thread: this_thread(),
            file,
            reference,
        });
        number_out.write_unaligned(number);
        Ok(0)
    })
}

/// Runs the request, and waits for the disk: on a thread that may block.
#[cfg_attr(feature = "bindings", deno_bindgen(non_blocking))]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_sync_run(number: u32) -> i32 {
    guard(|| {
        let Request { file, reference, .. } = take(number).ok_or(Errno::INVAL)?;
        // SAFETY: mapped as long as the reference exists.
        let pages = unsafe { msync(reference.address() as *mut _, reference.byte_length(), MsyncFlags::SYNC) };
        // Done also when that has failed. The kernel reports a failure once for each open file description: the mapping's is that of the first
        // participant in the process, and this one is the caller's own.
        let rest = fsync(&file);
        pages.and(rest).map(|()| 0)
    })
}

fn take(number: u32) -> Option<Request> {
    let waiting = &mut requests().waiting;
    let index = waiting.iter().position(|request| request.number == number)?;
    Some(waiting.swap_remove(index))
}

// The macro of the bindings changes the types of pointers.
#[cfg(all(test, not(feature = "bindings")))]
mod tests {
    use super::*;
    use crate::region::{millrace_region_map, millrace_region_unmap};
    use rustix::fd::AsRawFd;
    use rustix::fs::{ftruncate, memfd_create, MemfdFlags};

    const BYTES: usize = 8192;

    #[test]
    fn a_request_outlives_the_region_and_is_run_once() {
        let fd = memfd_create("millrace-test", MemfdFlags::CLOEXEC).unwrap();
        ftruncate(&fd, BYTES as u64).unwrap();
        let (mut address, mut number) = (0u64, 0u32);
        // SAFETY: room for one of each.
        unsafe {
            assert_eq!(millrace_region_map(fd.as_raw_fd(), BYTES as u64, &mut address), 0);
            assert_eq!(millrace_sync_request(fd.as_raw_fd(), address, &mut number), 0);
        }
        drop(fd);
        assert_eq!(millrace_region_unmap(address), 0);
        assert!(Reference::around(address as usize).is_some());
        assert_eq!(std::thread::spawn(move || millrace_sync_run(number)).join().unwrap(), 0);
        assert_eq!(millrace_sync_run(number), -libc::EINVAL);
        // SAFETY: room for one.
        let refused = unsafe { millrace_sync_request(0, 1, &mut number) };
        assert_eq!(refused, -libc::EINVAL);
    }

    #[test]
    fn a_request_that_was_not_begun_goes_with_its_thread() {
        let number = std::thread::spawn(|| {
            let fd = memfd_create("millrace-test", MemfdFlags::CLOEXEC).unwrap();
            ftruncate(&fd, BYTES as u64).unwrap();
            let (mut address, mut number) = (0u64, 0u32);
            // SAFETY: room for one of each.
            unsafe {
                assert_eq!(millrace_region_map(fd.as_raw_fd(), BYTES as u64, &mut address), 0);
                assert_eq!(millrace_sync_request(fd.as_raw_fd(), address, &mut number), 0);
            }
            number
        })
        .join()
        .unwrap();
        assert!(take(number).is_none());
    }
}
