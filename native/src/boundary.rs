//! How results cross into JavaScript, and the version that both sides compare.

#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use rustix::io::Errno;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// Raised by one whenever an export changes its meaning or its parameters; compared at load with `ffi/library.ts`.
pub const ABI_VERSION: i32 = 10;

/// What a caller sees when the library itself failed.
pub const PANICKED: i32 = -libc::ENOTRECOVERABLE;

/// The ABI version of this library.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub extern "C" fn millrace_abi_version() -> i32 {
    ABI_VERSION
}

/// Runs `body`; its value or `-errno` is the result, a panic becomes [`PANICKED`].
#[inline]
pub fn guard(body: impl FnOnce() -> Result<i32, Errno>) -> i32 {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(value)) => value,
        Ok(Err(errno)) => -errno.raw_os_error(),
        Err(_) => PANICKED,
    }
}

/// The result of a `libc` call that returns -1 and sets `errno`.
#[inline]
pub fn checked(result: i32) -> Result<i32, Errno> {
    if result < 0 {
        Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO))
    } else {
        Ok(result)
    }
}

/// The bytes of a caller's typed array.
///
/// # Safety
/// `pointer` must be valid for `length` bytes for as long as the slice is used.
#[inline]
pub unsafe fn bytes<'a>(pointer: *const u8, length: u32) -> &'a [u8] {
    if length == 0 {
        &[]
    } else {
        std::slice::from_raw_parts(pointer, length as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guard_passes_values_and_errors() {
        assert_eq!(guard(|| Ok(7)), 7);
        assert_eq!(guard(|| Err(Errno::AGAIN)), -libc::EAGAIN);
    }

    #[test]
    fn guard_turns_a_panic_into_an_error() {
        let quiet = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let result = guard(|| panic!("on purpose"));
        std::panic::set_hook(quiet);
        assert_eq!(result, PANICKED);
    }
}
