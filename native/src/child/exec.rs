//! The child between fork and exec: only async-signal-safe calls, and no allocation.

use super::{last_errno, Request};
use crate::layouts::spawn_step;

/// Descriptors 0 to 2 are standard; inherited ones follow.
const FIRST_DESCRIPTOR: i32 = 3;

const SIGNALS: i32 = 64;
/// Bytes of a signal set as the kernel has it.
const SIGNAL_SET_BYTES: usize = 8;
/// Larger than the kernel's `struct sigaction` on any machine; all zeros mean SIG_DFL.
const DEFAULT_ACTION: [u64; 8] = [0; 8];

pub const LISTEN_PID: &[u8] = b"LISTEN_PID=";
pub const DIGITS_MAX: usize = 10;

/// The child between fork and exec.
pub struct Child<'a> {
    pub request: &'a mut Request,
    pub standard: [Option<i32>; 3],
    pub report: i32,
    pub parent: libc::pid_t,
}

impl Child<'_> {
    /// Becomes the program, or reports the failure and ends.
    pub unsafe fn run(mut self, arguments: *const *const libc::c_char, variables: *const *const libc::c_char) -> ! {
        let (step, errno) = match self.prepare() {
            Ok(()) => {
                // Pending signals arrive now, without a handler.
                let mut none: libc::sigset_t = std::mem::zeroed();
                libc::sigemptyset(&mut none);
                libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut());
                libc::execve(self.request.program.as_ptr(), arguments, variables);
                (spawn_step::EXEC, last_errno())
            }
            Err(failure) => failure,
        };
        let message = [step, errno];
        libc::write(self.report, message.as_ptr().cast(), std::mem::size_of_val(&message));
        libc::_exit(127)
    }

    unsafe fn prepare(&mut self) -> Result<(), (i32, i32)> {
        for signal in 1..=SIGNALS {
            // Not through the C library, which leaves the two signals that it uses itself as they are: a program that Deno has started ignores
            // them, and so would its children.
            let action = DEFAULT_ACTION.as_ptr();
            let none = std::ptr::null_mut::<u64>();
            libc::syscall(libc::SYS_rt_sigaction, signal, action, none, SIGNAL_SET_BYTES);
        }
        libc::setpgid(0, 0);
        if !self.request.survives {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0);
            // A parent that was gone before that sends no signal any more.
            if libc::getppid() != self.parent {
                libc::_exit(127);
            }
        }
        self.place_descriptors()
            .map_err(|()| (spawn_step::DESCRIPTORS, last_errno()))?;
        if let Some(directory) = &self.request.directory {
            if libc::chdir(directory.as_ptr()) < 0 {
                return Err((spawn_step::DIRECTORY, last_errno()));
            }
        }
        let pid = libc::getpid();
        if self.request.guard >= 0 {
            let mut line = *b"+ 0000000000\n";
            let used = write_decimal(&mut line[2..12], pid);
            line[2 + used] = b'\n';
            libc::send(self.request.guard, line.as_ptr().cast(), used + 3, libc::MSG_NOSIGNAL);
        }
        if let Some(text) = &mut self.request.listen_pid {
            let used = write_decimal(&mut text[LISTEN_PID.len()..], pid);
            text[LISTEN_PID.len() + used] = 0;
        }
        Ok(())
    }

    /// First moves descriptors away from the target numbers, then there. `dup2` clears the flag that would close them.
    unsafe fn place_descriptors(&mut self) -> Result<(), ()> {
        let done = |result: i32| if result < 0 { Err(()) } else { Ok(result) };
        let free = FIRST_DESCRIPTOR + self.request.descriptors.len() as i32;
        let away = |fd: i32| done(libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, free));
        self.report = away(self.report)?;
        if self.request.guard >= 0 {
            self.request.guard = away(self.request.guard)?;
        }
        for fd in self.standard.iter_mut().flatten() {
            *fd = away(*fd)?;
        }
        for fd in self.request.descriptors.iter_mut() {
            *fd = away(*fd)?;
        }
        for (number, fd) in self.standard.iter().enumerate() {
            if let Some(fd) = fd {
                done(libc::dup2(*fd, number as i32))?;
            }
        }
        for (index, fd) in self.request.descriptors.iter().enumerate() {
            done(libc::dup2(*fd, FIRST_DESCRIPTOR + index as i32))?;
        }
        // The child gets no other descriptor of the program. Old kernels do not support this call.
        let range = libc::SYS_close_range;
        libc::syscall(
            range,
            free as libc::c_uint,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        );
        Ok(())
    }
}

/// Writes a number from 0 in decimal digits; the result is how many. Allocates nothing.
fn write_decimal(into: &mut [u8], number: i32) -> usize {
    let mut digits = [0u8; DIGITS_MAX];
    let mut left = number.unsigned_abs();
    let mut count = 0;
    loop {
        digits[count] = b'0' + (left % 10) as u8;
        left /= 10;
        count += 1;
        if left == 0 {
            break;
        }
    }
    for index in 0..count {
        into[index] = digits[count - 1 - index];
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_digits() {
        let mut text = [0u8; DIGITS_MAX];
        for (number, expected) in [(0, "0"), (7, "7"), (120, "120"), (i32::MAX, "2147483647")] {
            let count = write_decimal(&mut text, number);
            assert_eq!(&text[..count], expected.as_bytes());
        }
    }
}
