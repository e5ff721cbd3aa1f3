//! Shared memory objects and files: creating, opening, naming.
//!
//! A name with a directory, such as `/var/lib/shop/millrace.a`, is a file's. One without, such as `/millrace.a`, is that of a
//! POSIX shared memory object, which on Linux is a file too, in a directory without a disk (shm_open(3)).

use crate::boundary::{bytes, guard};
use crate::memory::borrow;
use crate::owned;
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use rustix::fd::{IntoRawFd, OwnedFd};
use rustix::fs::{fallocate, fchmod, fstat, fsync, open, openat, unlinkat, AtFlags, FallocateFlags, Mode, OFlags};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Where `shm_open` has its names on Linux.
const SYSTEM_DIRECTORY: &[u8] = b"/dev/shm";

/// As `shm_open` does: in a directory that others may write to, links are not followed, and opening does not block.
const FLAGS: OFlags = OFlags::RDWR
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK);

/// The directory of a name, and the name in it.
fn split(name: &[u8]) -> (&[u8], &[u8]) {
    match name.iter().rposition(|byte| *byte == b'/') {
        None => (SYSTEM_DIRECTORY, name),
        Some(0) => (SYSTEM_DIRECTORY, &name[1..]),
        Some(slash) => (&name[..slash], &name[slash + 1..]),
    }
}

/// `access` is `PATH` for a directory in which a name is looked up, and `RDONLY` for one that is synced too.
fn open_directory(path: &[u8], access: OFlags) -> Result<OwnedFd, Errno> {
    open(path, access | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// Creates an object that must not exist yet, with exactly the permissions `mode`; the result is its descriptor. Its name is
/// durable.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_shm_create(name: *const u8, name_length: u32, mode: u32) -> i32 {
    guard(|| {
        let (directory, name) = split(bytes(name, name_length));
        let directory = open_directory(directory, OFlags::RDONLY)?;
        let mode = Mode::from_raw_mode(mode);
        let fd = openat(&directory, name, FLAGS | OFlags::CREATE | OFlags::EXCL, mode)?;
        // The process's umask has removed some of them.
        if let Err(errno) = set_mode(&fd, mode).and_then(|()| fsync(&directory)) {
            let _ = unlinkat(&directory, name, AtFlags::empty());
            return Err(errno);
        }
        Ok(owned::own(fd.into_raw_fd()))
    })
}

fn set_mode(fd: &OwnedFd, mode: Mode) -> Result<(), Errno> {
    if Mode::from_raw_mode(fstat(fd)?.st_mode) == mode {
        return Ok(());
    }
    fchmod(fd, mode)
}

/// Opens an existing object for reading and writing; the result is its descriptor.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_shm_open(name: *const u8, name_length: u32) -> i32 {
    guard(|| {
        let (directory, name) = split(bytes(name, name_length));
        let fd = openat(open_directory(directory, OFlags::PATH)?, name, FLAGS, Mode::empty())?;
        Ok(owned::own(fd.into_raw_fd()))
    })
}

/// Removes the name of an object; mappings of it live on.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_shm_unlink(name: *const u8, name_length: u32) -> i32 {
    guard(|| {
        let (directory, name) = split(bytes(name, name_length));
        unlinkat(open_directory(directory, OFlags::PATH)?, name, AtFlags::empty()).map(|()| 0)
    })
}

/// Writes the names that begin with `prefix` to `out`, without their directory, each followed by a zero byte, in no order; the
/// result is how many bytes that is, or -ERANGE when they do not fit.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_shm_list(
    prefix: *const u8,
    prefix_length: u32,
    out: *mut u8,
    out_length: u32,
) -> i32 {
    guard(|| {
        let (directory, prefix) = split(bytes(prefix, prefix_length));
        let mut names = Vec::new();
        for entry in std::fs::read_dir(OsStr::from_bytes(directory)).map_err(errno_of)? {
            let name = entry.map_err(errno_of)?.file_name().into_vec();
            if name.starts_with(prefix) {
                names.extend_from_slice(&name);
                names.push(0);
            }
        }
        if names.len() > out_length as usize {
            return Err(Errno::RANGE);
        }
        out.copy_from_nonoverlapping(names.as_ptr(), names.len());
        Ok(names.len() as i32)
    })
}

fn errno_of(error: std::io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}

/// Writes to `out` (three words) the size of an object in bytes, its mode with the kind of file, and its number of names.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_shm_stat(fd: i32, out: *mut u64) -> i32 {
    guard(|| {
        let stat = fstat(borrow(fd)?)?;
        let fields = [stat.st_size as u64, u64::from(stat.st_mode), stat.st_nlink as u64];
        for (index, field) in fields.into_iter().enumerate() {
            out.add(index).write_unaligned(field);
        }
        Ok(0)
    })
}

/// Makes an object at least so large, and allocates all of its memory now: a lack of memory is an error here, and not a signal when it
/// is touched.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_shm_reserve(fd: i32, byte_length: u64) -> i32 {
    guard(|| {
        borrow(fd)?;
        let length = libc::off_t::try_from(byte_length).map_err(|_| Errno::FBIG)?;
        check_limit(byte_length)?;
        loop {
            // SAFETY: no pointers.
            match unsafe { libc::posix_fallocate(fd, 0, length) } {
                0 => return Ok(0),
                libc::EINTR => {}
                errno => return Err(Errno::from_raw_os_error(errno)),
            }
        }
    })
}

/// Allocates the missing memory of an object of `byte_length` bytes, as of a copy with holes: a lack of memory is an error here, and not
/// a signal when a hole is touched. Does nothing where the file system does not support it.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_shm_fill_holes(fd: i32, byte_length: u64) -> i32 {
    guard(|| {
        let fd = borrow(fd)?;
        if fstat(fd)?.st_blocks as u64 * 512 >= byte_length {
            return Ok(0);
        }
        loop {
            // Not posix_fallocate(3), which writes where the file system has no support: other processes may be writing there.
            match fallocate(fd, FallocateFlags::empty(), 0, byte_length) {
                Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(0),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    })
}

/// Flushes an object to its disk, and waits for that; does nothing for memory without a disk.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_shm_sync(fd: i32) -> i32 {
    guard(|| fsync(borrow(fd)?).map(|()| 0))
}

/// Reads up to `length` bytes from `offset`; the result is how many there were. Unlike mapped memory, an object that another process
/// shortens meanwhile can be read.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_read_at(fd: i32, out: *mut u8, length: u32, offset: u32) -> i32 {
    guard(|| {
        let out = std::slice::from_raw_parts_mut(out, length as usize);
        rustix::io::pread(borrow(fd)?, out, u64::from(offset)).map(|count| count as i32)
    })
}

/// Writes `length` bytes at `offset`; the result is how many it wrote.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_write_at(fd: i32, data: *const u8, length: u32, offset: u32) -> i32 {
    guard(|| {
        check_limit(u64::from(offset) + u64::from(length))?;
        rustix::io::pwrite(borrow(fd)?, bytes(data, length), u64::from(offset)).map(|count| count as i32)
    })
}

/// Exceeding the process's limit of file sizes (`ulimit -f`) would end the process by SIGXFSZ.
fn check_limit(end: u64) -> Result<(), Errno> {
    match rustix::process::getrlimit(rustix::process::Resource::Fsize).current {
        Some(limit) if end > limit => Err(Errno::FBIG),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_without_a_directory_is_the_systems() {
        let cases: [(&str, &str, &str); 6] = [
            ("a", "/dev/shm", "a"),
            ("/a", "/dev/shm", "a"),
            ("d/a", "d", "a"),
            ("./a", ".", "a"),
            ("//a", "/", "a"),
            ("/d/e/a", "/d/e", "a"),
        ];
        for (name, directory, rest) in cases {
            assert_eq!(split(name.as_bytes()), (directory.as_bytes(), rest.as_bytes()));
        }
    }
}
