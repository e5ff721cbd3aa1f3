//! A thread that turns an eventfd, which Deno cannot poll, into bytes on a socket, which it can.
//!
//! No callback into JavaScript: the program on the other side may be gone at any moment (a terminated worker). A socket whose
//! other end is closed reports that, where a callback would run into freed memory.

use crate::boundary::guard;
use crate::memory::borrow;
use crate::owned;
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use rustix::event::{poll, PollFd, PollFlags};
use rustix::fd::{IntoRawFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{send, socketpair, AddressFamily, SendFlags, SocketFlags, SocketType};

/// Starts a thread that writes a byte to a socket whenever `event`, an eventfd, becomes readable. The result is the other
/// end of that socket, for the caller to give to Deno, to read from and to close, which ends the thread.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_waker_start(event: i32) -> i32 {
    guard(|| {
        let event = rustix::io::fcntl_dupfd_cloexec(borrow(event)?, 0)?;
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        std::thread::Builder::new()
            .name("millrace-waker".into())
            .stack_size(64 * 1024)
            .spawn(move || run(&event, &ours))
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::AGAIN))?;
        Ok(owned::lend(theirs.into_raw_fd()))
    })
}

/// Makes an eventfd readable.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_eventfd_signal(fd: i32) -> i32 {
    guard(|| {
        rustix::io::write(borrow(fd)?, &1u64.to_ne_bytes())?;
        Ok(0)
    })
}

fn run(event: &OwnedFd, out: &OwnedFd) {
    let mut count = [0u8; 8];
    loop {
        // Of the socket only the hang-up matters, which poll always reports, without a request.
        let mut descriptors = [PollFd::new(event, PollFlags::IN), PollFd::new(out, PollFlags::empty())];
        match poll(&mut descriptors, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return,
        }
        if !descriptors[1].revents().is_empty() {
            return;
        }
        if descriptors[0].revents().is_empty() {
            continue;
        }
        let _ = rustix::io::read(event, &mut count);
        match send(out, &[1], SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
            // A full socket has enough bytes to wake its reader.
            Ok(_) | Err(Errno::AGAIN) => {}
            Err(_) => return,
        }
    }
}
