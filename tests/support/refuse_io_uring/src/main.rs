//! `refuse_io_uring EPERM|ENOSYS PROGRAM [ARGUMENT]...` becomes PROGRAM, for which, and for whose
//! children, every io_uring system call fails with the error named: what the default profiles of
//! container engines (EPERM) and kernels built without io_uring (ENOSYS) answer.
//!
//! Exit code 2 is a wrong command line, 125 a filter that could not be put in place, 126 a program
//! that could not be started; anything else is the program's own.

use std::collections::BTreeMap;
use std::env::args_os;
use std::io::{self, Error};
use std::os::unix::process::CommandExt;
use std::process::{exit, Command};

use seccompiler::{apply_filter, BpfProgram, SeccompAction, SeccompFilter};

const USAGE: &str = "usage: refuse_io_uring EPERM|ENOSYS PROGRAM [ARGUMENT]...";

fn main() {
    let mut arguments = args_os().skip(1);
    let errno = match arguments.next().as_deref().and_then(|name| name.to_str()) {
        Some("EPERM") => libc::EPERM,
        Some("ENOSYS") => libc::ENOSYS,
        _ => fail(2, USAGE),
    };
    let Some(program) = arguments.next() else {
        fail(2, USAGE);
    };
    if let Err(error) = refuse_io_uring(errno) {
        fail(125, &format!("install the seccomp filter: {error}"));
    }
    if let Err(error) = check_refused(errno) {
        fail(125, &format!("io_uring_setup under the filter: {error}"));
    }
    let error = Command::new(&program).args(arguments).exec();
    fail(
        126,
        &format!("start {}: {error}", program.to_string_lossy()),
    );
}

/// Makes the io_uring system calls fail with `errno` for this process and all that come from it.
/// Sets `no_new_privs`, without which only a privileged process may install a filter.
fn refuse_io_uring(errno: i32) -> Result<(), Box<dyn std::error::Error>> {
    // An empty list of conditions matches the call whatever its arguments are.
    let rules = BTreeMap::from([
        (libc::SYS_io_uring_setup, vec![]),
        (libc::SYS_io_uring_enter, vec![]),
        (libc::SYS_io_uring_register, vec![]),
    ]);
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        SeccompAction::Errno(errno as u32),
        std::env::consts::ARCH.try_into()?,
    )?;
    apply_filter(&BpfProgram::try_from(filter)?)?;
    Ok(())
}

/// Fails unless the kernel now answers `errno`: a filter that does nothing would let the tests pass
/// without showing anything.
fn check_refused(errno: i32) -> io::Result<()> {
    // SAFETY: the parameter block is null, which the kernel answers with EFAULT or EINVAL when the
    // filter does not stop the call first; it writes nothing.
    let result = unsafe { libc::syscall(libc::SYS_io_uring_setup, 1, std::ptr::null_mut::<u8>()) };
    let error = Error::last_os_error();
    if result == -1 && error.raw_os_error() == Some(errno) {
        return Ok(());
    }
    Err(Error::other(format!(
        "expected errno {errno}, found result {result} with {error}"
    )))
}

fn fail(code: i32, message: &str) -> ! {
    eprintln!("refuse_io_uring: {message}");
    exit(code);
}
