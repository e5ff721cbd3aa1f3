//! A thread that waits on a futex word in place of a JavaScript thread, and reports to it through a socket, which Deno can poll.
//!
//! ```text
//! JavaScript ── request ──▶ state, condition ──▶ this thread ── FUTEX_WAIT ──▶ the word
//!     ▲                                              │
//!     └──────────── a byte on a socket ◀─────────────┘
//! ```
//! A watch has one request at a time; to wait for several words at once, start several watches. A request holds a reference to the
//! mapping of its word, so that the memory stays mapped while the thread reads it, whatever the program does. As with the waker,
//! there is no callback into JavaScript.

use crate::boundary::guard;
use crate::layouts::watch_result::{CHANGED, TIMED_OUT, WOKEN};
use crate::owned;
use crate::region::Reference;
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use rustix::fd::{IntoRawFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{send, socketpair, AddressFamily, SendFlags, SocketFlags, SocketType};
use rustix::thread::futex;
use rustix::time::Timespec;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long one wait in the kernel lasts. The thread of a closed watch, and the memory it reads, stay for this long at most: closing wakes
/// the thread, but the wake-up is lost when it comes right before the thread falls asleep.
const SLICE: Duration = Duration::from_millis(100);
/// How long it lasts where a recovery check follows each wait: `SLEEP_MS_MAX` of `src/ipc/sharing/notifier.ts`.
pub const CHECK_INTERVAL: Duration = Duration::from_millis(50);

pub struct Watch {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    request: Option<Request>,
    /// Address of the word that the thread waits on, which its request keeps mapped; 0 for none.
    word: usize,
    closed: bool,
}

struct Request {
    word: usize,
    expected: u32,
    deadline: Instant,
    check: Option<Box<dyn RecoveryCheck>>,
    _reference: Reference,
}

/// What the thread of a watch checks while no wake-up comes, so that the JavaScript thread need not. The memory around the word stays mapped
/// meanwhile.
pub trait RecoveryCheck: Send {
    /// Whether the JavaScript thread has something to recover: the wait then ends as if it had been woken.
    fn finds(&mut self) -> bool;
}

impl Watch {
    fn new() -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// A panic leaves no half-made change in the state, so poisoning does not matter.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, request: Request) -> Result<(), Errno> {
        let mut state = self.state();
        if state.request.is_some() || state.word != 0 {
            return Err(Errno::BUSY);
        }
        state.request = Some(request);
        self.changed.notify_one();
        Ok(())
    }

    /// Ends the thread, within `SLICE`.
    pub fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.request = None;
        self.changed.notify_one();
        if state.word != 0 {
            // Wakes other waiters too, which read the word and find it unchanged. The word is mapped while the state has its address.
            let _ = futex::wake(word_at(state.word), futex::Flags::empty(), i32::MAX as u32);
        }
    }

    /// The next request; `None` once the watch is closed.
    fn next(&self) -> Option<Request> {
        let mut state = self.state();
        loop {
            if state.closed {
                return None;
            }
            if let Some(request) = state.request.take() {
                state.word = request.word;
                return Some(request);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn run(&self, out: &OwnedFd) {
        while let Some(mut request) = self.next() {
            let result = self.wait(&mut request);
            // Before the byte: from then on there may be a next request.
            self.state().word = 0;
            drop(request);
            // There is room for one byte: each is read before the next request.
            if send(out, &[result], SendFlags::NOSIGNAL | SendFlags::DONTWAIT).is_err() {
                return;
            }
        }
    }

    fn wait(&self, request: &mut Request) -> u8 {
        let (word, expected, deadline) = (word_at(request.word), request.expected, request.deadline);
        let slice = if request.check.is_some() { CHECK_INTERVAL } else { SLICE };
        let finds = || request.check.as_mut().is_some_and(|check| check.finds());
        wait_on(word, expected, deadline, slice, || self.state().closed, finds)
    }
}

/// Waits while `word` is `expected`, until `deadline`. Every `slice` it polls `is_closed()`, which ends the wait as the deadline does, and
/// `finds()`, which ends it as a wake-up does.
pub fn wait_on(
    word: &AtomicU32,
    expected: u32,
    deadline: Instant,
    slice: Duration,
    is_closed: impl Fn() -> bool,
    mut finds: impl FnMut() -> bool,
) -> u8 {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || is_closed() {
            return TIMED_OUT;
        }
        let slice = left.min(slice);
        let timeout = Timespec {
            tv_sec: slice.as_secs() as i64,
            tv_nsec: i64::from(slice.subsec_nanos()),
        };
        match futex::wait(word, futex::Flags::empty(), expected, Some(&timeout)) {
            Err(Errno::AGAIN) => return CHANGED,
            Err(Errno::TIMEDOUT) if finds() => return WOKEN,
            Err(Errno::TIMEDOUT | Errno::INTR) => {}
            Ok(()) | Err(_) => return WOKEN,
        }
    }
}

fn word_at<'a>(address: usize) -> &'a AtomicU32 {
    // SAFETY: a whole, aligned word of a mapping that a request holds a reference to.
    unsafe { &*(address as *const AtomicU32) }
}

/// Starts a thread that waits on words for the calling thread, until that thread closes the watch or ends. The result is a socket for the
/// caller to give to Deno; one byte arrives on it for each request. The watch's number goes to `number_out`.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_watch_start(number_out: *mut u32) -> i32 {
    guard(|| {
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        let watch = Arc::new(Watch::new());
        let number = owned::own_watch(Arc::clone(&watch)).ok_or(Errno::NOMEM)?;
        let started = std::thread::Builder::new()
            .name("millrace-watch".into())
            .stack_size(64 * 1024)
            .spawn(move || watch.run(&ours));
        if let Err(error) = started {
            owned::disown_watch(number);
            return Err(Errno::from_io_error(&error).unwrap_or(Errno::AGAIN));
        }
        number_out.write_unaligned(number);
        Ok(owned::lend(theirs.into_raw_fd()))
    })
}

/// Has a watch wait while `*word == expected`, at most `timeout_us`. -EINVAL when the word lies in no mapping of
/// `millrace_region_map`, -EBUSY while the watch already waits, -EBADF when the calling thread has no such watch.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_watch_wait(number: u32, word: *const u32, expected: u32, timeout_us: u32) -> i32 {
    guard(|| wait(number, word, expected, timeout_us, None))
}

/// As `millrace_watch_wait`, with an optional recovery check.
pub fn wait(
    number: u32,
    word: *const u32,
    expected: u32,
    timeout_us: u32,
    check: Option<Box<dyn RecoveryCheck>>,
) -> Result<i32, Errno> {
    let watch = owned::watch(number).ok_or(Errno::BADF)?;
    let word = word as usize;
    if word % std::mem::align_of::<AtomicU32>() != 0 {
        return Err(Errno::INVAL);
    }
    watch.ask(Request {
        word,
        expected,
        deadline: Instant::now() + Duration::from_micros(u64::from(timeout_us)),
        check,
        _reference: Reference::around(word).ok_or(Errno::INVAL)?,
    })?;
    Ok(0)
}

/// Ends the thread of a watch. A wait under way reports no result any more.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_watch_close(number: u32) -> i32 {
    guard(|| {
        owned::disown_watch(number).ok_or(Errno::BADF)?.close();
        Ok(0)
    })
}
