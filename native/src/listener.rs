//! Listening sockets that other processes accept from as well.

use crate::boundary::guard;
use crate::memory::borrow;
use crate::owned;
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use rustix::fd::IntoRawFd;
use rustix::io::Errno;
use rustix::net::SocketFlags;

/// A descriptor of the calling thread for the listening socket `fd`, which the process was started with, or got in another way. It does
/// not block, and no child inherits it by accident. With `lent` Deno closes it. -EINVAL when the socket does not listen.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_adopt_listener(fd: i32, lent: i32) -> i32 {
    guard(|| {
        let socket = borrow(fd)?;
        if !rustix::net::sockopt::socket_acceptconn(socket)? {
            return Err(Errno::INVAL);
        }
        rustix::io::fcntl_setfd(socket, rustix::io::FdFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(socket, true)?;
        let fd = rustix::io::fcntl_dupfd_cloexec(socket, 0)?.into_raw_fd();
        Ok(if lent != 0 { owned::lend(fd) } else { owned::own(fd) })
    })
}

/// Keeps child processes from inheriting `fd`.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_close_on_exec(fd: i32) -> i32 {
    guard(|| rustix::io::fcntl_setfd(borrow(fd)?, rustix::io::FdFlags::CLOEXEC).map(|()| 0))
}

/// A pending connection of a non-blocking listening socket; -EAGAIN when there is none.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_accept(fd: i32) -> i32 {
    guard(|| {
        let connection = rustix::net::accept_with(borrow(fd)?, SocketFlags::CLOEXEC)?;
        Ok(owned::own(connection.into_raw_fd()))
    })
}
