//! The native half of Millrace: one file per kernel facility, each a handful of C functions for `Deno.dlopen`.
//!
//! Conventions of every export:
//! - the result is at least 0, or `-errno`; further results go into a buffer of the caller's;
//! - no 64-bit parameter on a hot path (a JavaScript number given for one costs 200 ns);
//! - a pointer parameter is a typed array of the caller's, valid for the call only, its length the next parameter;
//! - a panic becomes `-ENOTRECOVERABLE`: it never crosses the boundary.
//!
//! The pairs of attributes say: exported as it stands in the shipped library, and through the macro, which also
//! records the signature, when the bindings are generated (`cargo run --features bindings --bin bindings`).

// Every pointer is a typed array that Deno keeps alive during the call; the TypeScript side is the only caller.
#![allow(clippy::missing_safety_doc)]

mod abandoned_ring;
pub mod boundary;
pub mod checksum;
pub mod child;
pub mod cpu;
pub mod futex;
pub mod http;
pub mod layouts;
pub mod listener;
pub mod lock;
pub mod memory;
pub mod owned;
pub mod process;
pub mod queue;
mod queue_hints;
mod queue_memory;
pub mod recovery_check;
pub mod region;
pub mod shm;
pub mod signal;
pub mod socket;
pub mod sync;
pub mod uring;
pub mod waker;
pub mod watch;
