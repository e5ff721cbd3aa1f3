//! Sockets before they carry data: creation, naming, options. Data moves through io_uring.
//!
//! Addresses are `struct sockaddr` bytes; `ffi/socket_address.ts` writes and reads them.

use crate::boundary::{bytes, checked, guard};
use crate::layouts::resolved_address;
use crate::owned;
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use rustix::io::Errno;
use std::net::ToSocketAddrs;

/// A socket of `family` and `kind` (`AF_*`, `SOCK_*`), closed on exec; the result is its descriptor. Blocking, because io_uring
/// hands EAGAIN of a non-blocking socket to the caller instead of waiting.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_socket(family: i32, kind: i32) -> i32 {
    // SAFETY: no pointers.
    guard(|| checked(unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, 0) }).map(owned::own))
}

/// Two connected stream sockets, written to `descriptors_out` (two words).
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_socket_pair(descriptors_out: *mut i32) -> i32 {
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC;
    guard(|| {
        checked(libc::socketpair(libc::AF_UNIX, kind, 0, descriptors_out))?;
        owned::own(descriptors_out.read_unaligned());
        owned::own(descriptors_out.add(1).read_unaligned());
        Ok(0)
    })
}

/// Gives a socket its local address.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_socket_bind(fd: i32, address: *const u8, length: u32) -> i32 {
    guard(|| checked(libc::bind(fd, address.cast(), length)))
}

/// Starts listening with a queue of `backlog` connections.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_socket_listen(fd: i32, backlog: i32) -> i32 {
    // SAFETY: no pointers.
    guard(|| checked(unsafe { libc::listen(fd, backlog) }))
}

/// Sets an option whose value is an int.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_socket_option(fd: i32, level: i32, name: i32, value: i32) -> i32 {
    let pointer = std::ptr::addr_of!(value).cast();
    // SAFETY: the value lives until the call returns.
    guard(|| checked(unsafe { libc::setsockopt(fd, level, name, pointer, 4) }))
}

/// Writes the local address, or the peer's, to `out` (`capacity` bytes); the result is its length.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_socket_name(fd: i32, peer: u32, out: *mut u8, capacity: u32) -> i32 {
    guard(|| {
        let mut length: libc::socklen_t = capacity;
        checked(if peer == 0 {
            libc::getsockname(fd, out.cast(), &mut length)
        } else {
            libc::getpeername(fd, out.cast(), &mut length)
        })?;
        Ok(length.min(capacity) as i32)
    })
}

/// Ends one direction of a connection or both (`SHUT_RD`, `SHUT_WR`, `SHUT_RDWR`).
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_socket_shutdown(fd: i32, how: i32) -> i32 {
    // SAFETY: no pointers.
    guard(|| checked(unsafe { libc::shutdown(fd, how) }))
}

/// Resolves a host name with the system's resolver, waiting for it; writes up to `capacity` addresses of 17 bytes each
/// (4 or 6, then 16 bytes of address). The result is how many; -ENOENT when the name is unknown.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_resolve(host: *const u8, length: u32, out: *mut u8, capacity: u32) -> i32 {
    guard(|| {
        let host = std::str::from_utf8(bytes(host, length)).map_err(|_| Errno::INVAL)?;
        let addresses = (host, 0).to_socket_addrs().map_err(|_| Errno::NOENT)?;
        let mut count = 0;
        for address in addresses.take(capacity as usize) {
            let mut record = [0u8; resolved_address::BYTES];
            match address.ip() {
                std::net::IpAddr::V4(ip) => {
                    record[0] = 4;
                    record[1..5].copy_from_slice(&ip.octets());
                }
                std::net::IpAddr::V6(ip) => {
                    record[0] = 6;
                    record[1..17].copy_from_slice(&ip.octets());
                }
            }
            std::ptr::copy_nonoverlapping(
                record.as_ptr(),
                out.add(count * resolved_address::BYTES),
                resolved_address::BYTES,
            );
            count += 1;
        }
        if count == 0 {
            return Err(Errno::NOENT);
        }
        Ok(count as i32)
    })
}
