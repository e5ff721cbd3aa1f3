//! Memory: mappings, sizes, and closing descriptors.

use crate::boundary::guard;
use crate::owned;
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use rustix::fd::{BorrowedFd, FromRawFd, OwnedFd};
use rustix::fs::{fstat, ftruncate};
use rustix::io::Errno;
use rustix::mm::{mmap, mmap_anonymous, munmap, MapFlags, ProtFlags};

/// Sets the size of an object in bytes.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_truncate(fd: i32, byte_length: u64) -> i32 {
    guard(|| ftruncate(borrow(fd)?, byte_length).map(|()| 0))
}

/// Writes the size of an object, in bytes, to `size_out`.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_size(fd: i32, size_out: *mut u64) -> i32 {
    guard(|| {
        let stat = fstat(borrow(fd)?)?;
        size_out.write_unaligned(stat.st_size as u64);
        Ok(0)
    })
}

/// Maps `byte_length` bytes of `fd` from `offset`, shared and writable, or fresh private memory when `fd` is -1;
/// writes the address to `address_out`.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_map(fd: i32, byte_length: u64, offset: u64, address_out: *mut u64) -> i32 {
    guard(|| {
        let length = usize::try_from(byte_length).map_err(|_| Errno::NOMEM)?;
        let access = ProtFlags::READ | ProtFlags::WRITE;
        let hint = std::ptr::null_mut();
        let address = if fd == -1 {
            mmap_anonymous(hint, length, access, MapFlags::PRIVATE)?
        } else {
            mmap(hint, length, access, MapFlags::SHARED, borrow(fd)?, offset)?
        };
        owned::mapped(fd, offset, address as usize, length);
        address_out.write_unaligned(address as u64);
        Ok(0)
    })
}

/// Removes a mapping made by `millrace_map`. No view of it may be used afterwards.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_unmap(address: u64, byte_length: u64) -> i32 {
    guard(|| {
        owned::unmapping(address as usize);
        munmap(address as *mut _, byte_length as usize).map(|()| 0)
    })
}

/// Closes a descriptor.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_close(fd: i32) -> i32 {
    guard(|| {
        borrow(fd)?;
        owned::disown(fd);
        drop(OwnedFd::from_raw_fd(fd));
        Ok(0)
    })
}

/// A descriptor given by number; negative ones are refused here because borrowing them is undefined.
pub fn borrow<'a>(fd: i32) -> Result<BorrowedFd<'a>, Errno> {
    if fd < 0 {
        return Err(Errno::BADF);
    }
    // SAFETY: not -1; for a number that is not open the kernel returns EBADF.
    Ok(unsafe { BorrowedFd::borrow_raw(fd) })
}
