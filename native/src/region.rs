//! Mappings of shared memory objects, one per object and process, for all participants in all threads.
//!
//! A mapping lives as long as there is a [`Reference`] to it. Each participant in JavaScript has one, kept in the table of its thread
//! (`owned.rs`) so that a terminated worker releases it. A native thread that reads a word or writes a region to its disk has
//! one, too.

use crate::boundary::guard;
use crate::memory::borrow;
use crate::owned;
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use rustix::fs::fstat;
use rustix::io::Errno;
use rustix::mm::{mmap, munmap, MapFlags, ProtFlags};
use std::sync::{Mutex, MutexGuard, PoisonError};

struct Mapping {
    device: u64,
    inode: u64,
    address: usize,
    byte_length: usize,
    references: usize,
}

static MAPPINGS: Mutex<Vec<Mapping>> = Mutex::new(Vec::new());

/// Keeps a mapping while it exists.
pub struct Reference {
    address: usize,
    byte_length: usize,
}

impl Reference {
    /// Of the object `fd`, all of whose `byte_length` bytes are mapped unless they are already.
    fn open(fd: i32, byte_length: usize) -> Result<Self, Errno> {
        let fd = borrow(fd)?;
        let stat = fstat(fd)?;
        let (device, inode) = (stat.st_dev as u64, stat.st_ino as u64);
        let mut mappings = mappings();
        // The kernel reuses an inode's number only when nothing of it is mapped any more.
        let known = mappings
            .iter_mut()
            .find(|mapping| mapping.device == device && mapping.inode == inode);
        if let Some(mapping) = known {
            if mapping.byte_length != byte_length {
                return Err(Errno::INVAL);
            }
            mapping.references += 1;
            return Ok(Self {
                address: mapping.address,
                byte_length,
            });
        }
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: at any address that the kernel chooses.
        let address = match unsafe { mmap(std::ptr::null_mut(), byte_length, access, MapFlags::SHARED, fd, 0) } {
            Ok(address) => address as usize,
            // File systems without shared mappings return one or the other.
            Err(Errno::INVAL) => return Err(Errno::NODEV),
            Err(errno) => return Err(errno),
        };
        mappings.push(Mapping {
            device,
            inode,
            address,
            byte_length,
            references: 1,
        });
        Ok(Self { address, byte_length })
    }

    /// Of the mapping that the word at `address` lies in; `None` when it lies in none.
    pub fn around(address: usize) -> Option<Self> {
        let mut mappings = mappings();
        let mapping = mappings.iter_mut().find(|mapping| {
            let end = mapping.address + mapping.byte_length;
            (mapping.address..end - 3).contains(&address)
        })?;
        mapping.references += 1;
        Some(Self {
            address: mapping.address,
            byte_length: mapping.byte_length,
        })
    }

    pub fn address(&self) -> usize {
        self.address
    }

    /// Of the whole mapping.
    pub fn byte_length(&self) -> usize {
        self.byte_length
    }
}

impl Drop for Reference {
    fn drop(&mut self) {
        let mut mappings = mappings();
        let Some(index) = mappings.iter().position(|mapping| mapping.address == self.address) else {
            return;
        };
        mappings[index].references -= 1;
        if mappings[index].references == 0 {
            let Mapping {
                address, byte_length, ..
            } = mappings.swap_remove(index);
            // SAFETY: mapped above, and without references. Under the lock, so that its address cannot be reused yet.
            let _ = unsafe { munmap(address as *mut _, byte_length) };
        }
    }
}

/// A panic leaves no half-made change in the table, so poisoning does not matter.
fn mappings() -> MutexGuard<'static, Vec<Mapping>> {
    MAPPINGS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Maps the whole of a shared memory object, `byte_length` bytes, shared and writable, unless this process has mapped it; writes
/// the address to `address_out`. Each call needs one of `millrace_region_unmap` by the same thread, whose end does it at the latest.
/// -EINVAL when it is mapped with another length.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_region_map(fd: i32, byte_length: u64, address_out: *mut u64) -> i32 {
    guard(|| {
        let length = usize::try_from(byte_length).map_err(|_| Errno::NOMEM)?;
        let reference = Reference::open(fd, length)?;
        address_out.write_unaligned(reference.address as u64);
        owned::own_reference(reference);
        Ok(0)
    })
}

/// Undoes one `millrace_region_map`; the last one in the process unmaps. No view of it may be used afterwards.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_region_unmap(address: u64) -> i32 {
    guard(|| {
        let reference = owned::give_back(address as usize).ok_or(Errno::INVAL)?;
        drop(reference);
        Ok(0)
    })
}

// The macro of the bindings changes the types of pointers.
#[cfg(all(test, not(feature = "bindings")))]
mod tests {
    use super::*;
    use rustix::fd::{AsRawFd, OwnedFd};
    use rustix::fs::{ftruncate, memfd_create, MemfdFlags};

    const BYTES: usize = 8192;

    fn object() -> OwnedFd {
        let fd = memfd_create("millrace-test", MemfdFlags::CLOEXEC).unwrap();
        ftruncate(&fd, BYTES as u64).unwrap();
        fd
    }

    fn count(address: usize) -> usize {
        mappings()
            .iter()
            .find(|mapping| mapping.address == address)
            .map_or(0, |mapping| mapping.references)
    }

    #[test]
    fn an_object_is_mapped_once_and_until_the_last_reference() {
        let fd = object();
        let first = Reference::open(fd.as_raw_fd(), BYTES).unwrap();
        let second = Reference::open(fd.as_raw_fd(), BYTES).unwrap();
        assert_eq!(first.address, second.address);
        assert!(matches!(Reference::open(fd.as_raw_fd(), 4096), Err(Errno::INVAL)));
        let address = first.address;
        drop(first);
        assert_eq!(count(address), 1);
        drop(second);
        assert_eq!(count(address), 0);
    }

    #[test]
    fn a_word_of_a_mapping_keeps_it_and_one_of_none_is_told() {
        let fd = object();
        let opened = Reference::open(fd.as_raw_fd(), BYTES).unwrap();
        let address = opened.address;
        let around = Reference::around(address + BYTES - 4).unwrap();
        drop(opened);
        assert_eq!(count(address), 1);
        drop(around);
        assert!(Reference::around(address).is_none());
        let word = 0u32;
        assert!(Reference::around(std::ptr::addr_of!(word) as usize).is_none());
    }

    #[test]
    fn a_thread_that_ends_gives_back_what_it_opened() {
        let fd = object();
        let kept = Reference::open(fd.as_raw_fd(), BYTES).unwrap();
        let number = fd.as_raw_fd();
        std::thread::spawn(move || {
            let mut address = 0u64;
            for _ in 0..3 {
                // SAFETY: room for one.
                assert_eq!(unsafe { millrace_region_map(number, BYTES as u64, &mut address) }, 0);
            }
            assert_eq!(millrace_region_unmap(address), 0);
            assert_eq!(millrace_region_unmap(1), -libc::EINVAL);
            assert_eq!(count(address as usize), 3);
        })
        .join()
        .unwrap();
        assert_eq!(count(kept.address), 1);
    }
}
