//! Processes that this one starts, and their ends.
//!
//! A child ends with the thread that started it (PR_SET_PDEATHSIG), so a program that is killed, or a worker that is
//! terminated, leaves none behind. It is the leader of a process group of its own: Ctrl-C in a terminal does not reach it, and
//! processes that it leaves behind are killed when it ends. Its sockets are at 3 and up, as sd_listen_fds(3) expects.
//!
//! Between fork and exec only async-signal-safe functions may be called, because other threads may have held any lock: all memory
//! that the child needs is allocated before.

mod exec;

use crate::boundary::{bytes, checked, guard};
use crate::layouts::{child_frame, spawn_flag, spawn_request as request};
use crate::owned;
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use exec::{Child, DIGITS_MAX, LISTEN_PID};
use rustix::event::{poll, PollFd, PollFlags};
use rustix::fd::{AsRawFd, IntoRawFd, OwnedFd};
use rustix::io::Errno;
use rustix::net::{bind, recv, send, socket_with, socketpair};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType};
use rustix::pipe::{pipe_with, PipeFlags};
use rustix::process::{pidfd_open, pidfd_send_signal, Pid, PidfdFlags, Signal};
use std::collections::BTreeMap;
use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The longest notification that is passed on.
const NOTIFY_BYTES_MAX: usize = 4096;

/// Starts a program. `words` are flags, the descriptor that gets its process group or -1, the numbers of arguments, variables
/// and descriptors, and the descriptors. `strings` end in a zero byte each: the program's path, its working directory or "", the
/// path of its NOTIFY_SOCKET or "", arguments (with its own name), and variables as `NAME=value`, or `NAME` to remove one. To
/// `out` go its process id, a pidfd, the events socket, standard output and standard error, and a socket whose other end the
/// child has after its descriptors, each -1 unless requested; when the start fails, the step that failed.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_spawn(
    words: *const i32,
    word_count: u32,
    strings: *const u8,
    strings_length: u32,
    out: *mut i32,
) -> i32 {
    let mut step = 0;
    let result = guard(|| {
        let words = std::slice::from_raw_parts(words, word_count as usize);
        let request = Request::read(words, bytes(strings, strings_length)).ok_or(Errno::INVAL)?;
        let child = request.start(&mut step)?;
        for (index, value) in child.into_iter().enumerate() {
            out.add(index).write_unaligned(value);
        }
        Ok(0)
    });
    if result < 0 {
        out.write_unaligned(step);
    }
    result
}

/// Sends a signal to a process by its pidfd, so that a reused process id cannot matter.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_pidfd_signal(pidfd: i32, signal: i32) -> i32 {
    guard(|| {
        // SAFETY: passed to the kernel only, which checks whether there is such a signal.
        let signal = unsafe { Signal::from_raw_unchecked(signal) };
        pidfd_send_signal(crate::memory::borrow(pidfd)?, signal).map(|()| 0)
    })
}

struct Request {
    program: CString,
    directory: Option<CString>,
    notify: Option<Vec<u8>>,
    arguments: Vec<CString>,
    variables: Vec<CString>,
    listen_pid: Option<Vec<u8>>,
    descriptors: Vec<i32>,
    guard: i32,
    pipes: bool,
    control: bool,
    survives: bool,
}

impl Request {
    fn read(words: &[i32], strings: &[u8]) -> Option<Self> {
        let head = words.get(..request::WORDS)?;
        let flags = head[request::FLAGS];
        let mut strings = strings.split_inclusive(|byte| *byte == 0);
        let mut next = || {
            let text = strings.next()?.strip_suffix(&[0])?;
            CString::new(text).ok()
        };
        let (program, directory, notify) = (next()?, next()?, next()?);
        let arguments = (0..head[request::ARGUMENT_COUNT])
            .map(|_| next())
            .collect::<Option<_>>()?;
        let changes = (0..head[request::VARIABLE_COUNT])
            .map(|_| next())
            .collect::<Option<Vec<_>>>()?;
        let descriptors =
            words.get(request::WORDS..request::WORDS + usize::try_from(head[request::DESCRIPTOR_COUNT]).ok()?)?;
        let mut listen_pid = LISTEN_PID.to_vec();
        listen_pid.resize(LISTEN_PID.len() + DIGITS_MAX + 1, 0);
        Some(Self {
            program,
            directory: (!directory.is_empty()).then_some(directory),
            notify: (!notify.is_empty()).then(|| notify.into_bytes()),
            arguments,
            variables: environment(flags & spawn_flag::CLEAR_ENVIRONMENT != 0, &changes),
            listen_pid: (flags & spawn_flag::LISTEN_PID != 0).then_some(listen_pid),
            descriptors: descriptors.to_vec(),
            guard: head[request::GUARD],
            pipes: flags & spawn_flag::PIPES != 0,
            control: flags & spawn_flag::CONTROL != 0,
            survives: flags & spawn_flag::SURVIVES != 0,
        })
    }

    fn start(mut self, step: &mut i32) -> Result<[i32; 6], Errno> {
        let notify = self.notify.as_deref().map(notify_socket).transpose()?;
        let null = open_null()?;
        let output = self.pipes.then(|| pipe_with(PipeFlags::CLOEXEC)).transpose()?;
        let errors = self.pipes.then(|| pipe_with(PipeFlags::CLOEXEC)).transpose()?;
        let (failure, report) = pipe_with(PipeFlags::CLOEXEC)?;
        let (events, ours) = stream_pair()?;
        let control = self.control.then(stream_pair).transpose()?;
        self.descriptors
            .extend(control.as_ref().map(|(_, theirs)| theirs.as_raw_fd()));
        let guard = match self.guard {
            fd if fd >= 0 => Some(rustix::io::fcntl_dupfd_cloexec(crate::memory::borrow(fd)?, 0)?),
            _ => None,
        };
        let inherited = [
            Some(null.as_raw_fd()),
            output.as_ref().map(|(_, end)| end.as_raw_fd()),
            errors.as_ref().map(|(_, end)| end.as_raw_fd()),
        ];
        let arguments = pointers(&self.arguments);
        let mut variables = pointers(&self.variables);
        if let Some(text) = &mut self.listen_pid {
            let end = variables.len() - 1;
            variables.insert(end, text.as_mut_ptr().cast());
        }
        // SAFETY: no pointers.
        let parent = unsafe { libc::getpid() };
        let pid = {
            let _mask = SignalMask::block_all();
            // SAFETY: the child calls only async-signal-safe functions, and does not return.
            match checked(unsafe { libc::fork() })? {
                0 => unsafe {
                    let child = Child {
                        request: &mut self,
                        standard: inherited,
                        report: report.as_raw_fd(),
                        parent,
                    };
                    child.run(arguments.as_ptr(), variables.as_ptr())
                },
                pid => pid,
            }
        };
        drop(report);
        if let Err(errno) = read_failure(&failure, step) {
            reap(pid);
            return Err(errno);
        }
        let watching = || {
            let pidfd = pidfd_open(Pid::from_raw(pid).ok_or(Errno::SRCH)?, PidfdFlags::empty())?;
            let watched = rustix::io::fcntl_dupfd_cloexec(&pidfd, 0)?;
            std::thread::Builder::new()
                .name("millrace-child".into())
                .stack_size(64 * 1024)
                .spawn(move || watch(pid, &watched, notify.as_ref(), guard.as_ref(), &ours))
                .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::AGAIN))?;
            Ok(pidfd)
        };
        let pidfd = watching().inspect_err(|_| {
            // SAFETY: a child that has not been waited for.
            unsafe { libc::kill(pid, libc::SIGKILL) };
            reap(pid);
        })?;
        let lend = |pipe: Option<(OwnedFd, OwnedFd)>| pipe.map_or(-1, |(end, _)| owned::lend(end.into_raw_fd()));
        Ok([
            pid,
            owned::own(pidfd.into_raw_fd()),
            owned::lend(events.into_raw_fd()),
            lend(output),
            lend(errors),
            lend(control),
        ])
    }
}

/// Passes on the child's notifications and its end, and reaps it.
fn watch(pid: i32, pidfd: &OwnedFd, notify: Option<&OwnedFd>, guard: Option<&OwnedFd>, out: &OwnedFd) {
    loop {
        let mut descriptors = [
            PollFd::new(pidfd, PollFlags::IN),
            PollFd::new(notify.unwrap_or(pidfd), PollFlags::IN),
        ];
        match poll(&mut descriptors, None) {
            Ok(_) | Err(Errno::INTR) => {}
            // Without memory for a poll, only waiting is left.
            Err(_) => break,
        }
        let ended = !descriptors[0].revents().is_empty();
        // Also after the end: it may have sent one right before.
        while notify.is_some_and(|notify| pass_on(notify, out)) {}
        if ended {
            break;
        }
    }
    let status = reap(pid);
    if let Some(guard) = guard {
        let _ = send(guard, format!("- {pid}\n").as_bytes(), SendFlags::NOSIGNAL);
    }
    let mut frame = [child_frame::EXIT, 0, 0, 0, 0, 0, 0, 0];
    frame[4..].copy_from_slice(&status.to_le_bytes());
    let _ = send(out, &frame, SendFlags::NOSIGNAL);
}

/// One notification; false when there is none.
fn pass_on(notify: &OwnedFd, out: &OwnedFd) -> bool {
    let mut frame = [0u8; 4 + NOTIFY_BYTES_MAX];
    let Ok((count, _)) = recv(notify, &mut frame[4..], RecvFlags::DONTWAIT) else {
        return false;
    };
    frame[0] = child_frame::NOTIFY;
    frame[2..4].copy_from_slice(&(count as u16).to_le_bytes());
    // A reader that lets the socket fill up misses whole notifications, and never gets half of one.
    let _ = send(out, &frame[..4 + count], SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
    true
}

/// Waits for the end of a child, kills what it leaves behind in its process group, and reaps it. In this order: until the child is
/// reaped, its process id, and that of its group, cannot be reused. The result is the status of waitpid(2).
fn reap(pid: i32) -> i32 {
    let mut status = 0;
    // SAFETY: structures on the stack, for the time of the calls.
    unsafe {
        let mut information: libc::siginfo_t = std::mem::zeroed();
        let kept = libc::WEXITED | libc::WNOWAIT;
        while libc::waitid(libc::P_PID, pid as libc::id_t, &mut information, kept) < 0 && last_errno() == libc::EINTR {}
        libc::kill(-pid, libc::SIGKILL);
        while libc::waitpid(pid, &mut status, 0) < 0 && last_errno() == libc::EINTR {}
    }
    status
}

fn read_failure(failure: &OwnedFd, step: &mut i32) -> Result<(), Errno> {
    let mut message = [0u8; 8];
    let count = loop {
        match rustix::io::read(failure, &mut message) {
            Err(Errno::INTR) => {}
            result => break result?,
        }
    };
    if count < message.len() {
        return Ok(());
    }
    let word = |at: usize| i32::from_ne_bytes([message[at], message[at + 1], message[at + 2], message[at + 3]]);
    *step = word(0);
    Err(Errno::from_raw_os_error(word(4)))
}

/// The variables of this process with `changes` applied.
fn environment(clear: bool, changes: &[CString]) -> Vec<CString> {
    let mut variables: BTreeMap<OsString, OsString> = BTreeMap::new();
    if !clear {
        variables.extend(std::env::vars_os());
    }
    for change in changes {
        let change = change.as_bytes();
        match change.iter().position(|byte| *byte == b'=') {
            Some(at) => {
                let value = OsString::from_vec(change[at + 1..].to_vec());
                variables.insert(OsString::from_vec(change[..at].to_vec()), value);
            }
            None => {
                variables.remove(OsStr::from_bytes(change));
            }
        }
    }
    let joined = variables.into_iter().map(|(mut name, value)| {
        name.push("=");
        name.push(value);
        name.into_vec()
    });
    joined.filter_map(|text| CString::new(text).ok()).collect()
}

fn pointers(strings: &[CString]) -> Vec<*const libc::c_char> {
    let ends = std::iter::once(std::ptr::null());
    strings.iter().map(|text| text.as_ptr()).chain(ends).collect()
}

fn stream_pair() -> Result<(OwnedFd, OwnedFd), Errno> {
    socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
}

fn notify_socket(path: &[u8]) -> Result<OwnedFd, Errno> {
    let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    bind(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket)
}

fn open_null() -> Result<OwnedFd, Errno> {
    rustix::fs::open(
        "/dev/null",
        rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    )
}

fn last_errno() -> i32 {
    // SAFETY: this thread's.
    unsafe { *libc::__errno_location() }
}

/// Blocks all signals of this thread, until it is dropped.
struct SignalMask(libc::sigset_t);

impl SignalMask {
    fn block_all() -> Self {
        // SAFETY: sets of numbers, on the stack.
        unsafe {
            let mut all: libc::sigset_t = std::mem::zeroed();
            let mut before: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
            Self(before)
        }
    }
}

impl Drop for SignalMask {
    fn drop(&mut self) {
        // SAFETY: the mask from before.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.0, std::ptr::null_mut()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_set_and_taken_away() {
        let text = |value: &str| CString::new(value).unwrap();
        let cleared = environment(true, &[text("A=1"), text("B=x=y"), text("A=2"), text("C")]);
        assert_eq!(cleared, [text("A=2"), text("B=x=y")]);
        let kept = environment(false, &[text("PATH")]);
        assert!(kept.iter().all(|variable| !variable.as_bytes().starts_with(b"PATH=")));
    }

    #[test]
    fn requests_that_are_cut_short_are_refused() {
        let words = [0, -1, 1, 0, 0];
        assert!(Request::read(&words, b"/bin/true\0\0\0true\0").is_some());
        assert!(Request::read(&words, b"/bin/true\0\0\0true").is_none());
        assert!(Request::read(&words, b"/bin/true\0\0\0").is_none());
        assert!(Request::read(&words[..4], b"/bin/true\0\0\0true\0").is_none());
        assert!(Request::read(&[0, -1, 0, 0, 1], b"/bin/true\0\0\0").is_none());
    }
}
