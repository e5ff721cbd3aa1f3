//! CRC-32C (Castagnoli) by the processor's own instructions where it has them.

use crate::boundary::bytes;
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;

/// CRC-32C of `length` bytes, going on from `seed` (0 to begin). Cannot fail, so the whole u32 is the result.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_crc32c(data: *const u8, length: u32, seed: u32) -> u32 {
    crc32c::crc32c_append(seed, bytes(data, length))
}
