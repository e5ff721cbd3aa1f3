//! A thread that waits on a futex word in place of a JavaScript thread, and tells it through a socket, which Deno can wait
//! for.
//!
//! ```text
//! JavaScript ── request ──▶ state, condition ──▶ this thread ── FUTEX_WAIT ──▶ the word
//!     ▲                                              │
//!     └──────────── a byte on a socket ◀─────────────┘
//! ```
//! One request at a time; whoever wants to wait for several words at once has several. A request has a reference to the mapping
//! of its word, so that the memory stays while the thread looks at it, whatever becomes of the program. As with the
//! waker there is no callback into JavaScript.

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

/// How long one wait in the kernel lasts: the longest time that the thread of a closed watch, and the memory it looks at, may
/// stay. Closing wakes it, but may come right before it falls asleep.
const SLICE: Duration = Duration::from_millis(100);
/// How long it lasts where there is a patrol, which follows it: `SLEEP_MS_MAX` of `src/ipc/sharing/signal.ts`.
pub const PATROL: Duration = Duration::from_millis(50);

pub struct Watch {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    request: Option<Request>,
    /// The word that the thread looks at, which its request keeps mapped; 0: none.
    word: usize,
    closed: bool,
}

struct Request {
    word: usize,
    expected: u32,
    deadline: Instant,
    patrol: Option<Box<dyn Patrol>>,
    _reference: Reference,
}

/// What the thread of a watch looks at while nobody wakes it, so that the JavaScript thread need not. The memory around the word that is
/// waited on is mapped meanwhile.
pub trait Patrol: Send {
    /// Whether there is something for the JavaScript thread to see to: the wait ends then, as if it had been woken.
    fn finds(&mut self) -> bool;
}

impl Watch {
    fn new() -> Self {
        Self {
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Nothing is left half done in there by a panic.
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

    /// Ends the thread, soon.
    pub fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.request = None;
        self.changed.notify_one();
        if state.word != 0 {
            // It wakes others too, who look at the word and find it unchanged. The word is mapped while it stands there.
            let _ = futex::wake(word_at(state.word), futex::Flags::empty(), i32::MAX as u32);
        }
    }

    /// The next request; `None` when there will be none.
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
        let slice = if request.patrol.is_some() { PATROL } else { SLICE };
        let finds = || request.patrol.as_mut().is_some_and(|patrol| patrol.finds());
        wait_on(word, expected, deadline, slice, || self.state().closed, finds)
    }
}

/// Waits while `word` is `expected`, until `deadline`; looks every `slice` whether it `is_closed()`, which ends it as the deadline does, and
/// whether it `finds()` something, which ends it as waking does.
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
    // SAFETY: a whole, aligned word of a mapping that a request has a reference to.
    unsafe { &*(address as *const AtomicU32) }
}

/// Starts a thread that waits on words for the calling thread, until that closes it or ends. The result is a socket for the
/// caller to give to Deno, on which a byte comes for each request; the watch's number goes to `number_out`.
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
/// `millrace_region_map`, -EBUSY while the watch waits already, -EBADF when the calling thread has no such watch.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_watch_wait(number: u32, word: *const u32, expected: u32, timeout_us: u32) -> i32 {
    guard(|| wait(number, word, expected, timeout_us, None))
}

/// What `millrace_watch_wait` does, with a patrol.
pub fn wait(
    number: u32,
    word: *const u32,
    expected: u32,
    timeout_us: u32,
    patrol: Option<Box<dyn Patrol>>,
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
        patrol,
        _reference: Reference::around(word).ok_or(Errno::INVAL)?,
    })?;
    Ok(0)
}

/// Ends the thread of a watch; what it waits for is not told any more.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_watch_close(number: u32) -> i32 {
    guard(|| {
        owned::disown_watch(number).ok_or(Errno::BADF)?.close();
        Ok(0)
    })
}
