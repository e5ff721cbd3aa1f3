//! HTTP/1.x request heads: one call for a buffer of pipelined requests.
//!
//! `httparse` does the tokenizing. What two servers could read in two ways (bare LF, two lengths, a length beside a transfer
//! coding, a bad Host) is rejected here. The layout of the result is documented, byte for byte, in
//! `src/io/http/request_head.ts`, and the same rules are written in TypeScript in `src/io/http/portable_parser.ts`; a test
//! feeds both the same bytes.

mod bounds;
mod framing;
mod record;
mod target;

use crate::boundary::{bytes, PANICKED};
use crate::layouts::{head_limit, head_record, head_summary};
use bounds::{find_head_end, over_limit, refused_version, skip_empty_lines};
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use httparse::{Header, Request, Status};
use record::write_record;
use std::mem::MaybeUninit;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// The result for one head.
enum Outcome {
    /// A record was written; parsing goes on at the offset, or ends there because a body follows.
    Head {
        end: usize,
        last: bool,
    },
    Incomplete,
    OutOfRoom,
    Rejected(i32),
}

/// Parses the request heads at the start of `data` into `out`. The result is how many were parsed.
#[cfg_attr(feature = "bindings", deno_bindgen)]
#[cfg_attr(not(feature = "bindings"), no_mangle)]
pub unsafe extern "C" fn millrace_http_parse(
    data: *const u8,
    length: u32,
    out: *mut i32,
    out_words: u32,
    header_bytes_max: u32,
    target_bytes_max: u32,
) -> i32 {
    let data = bytes(data, length);
    let out = std::slice::from_raw_parts_mut(out, out_words as usize);
    let limits = Limits {
        header_bytes: header_bytes_max as usize,
        target_bytes: target_bytes_max as usize,
    };
    catch_unwind(AssertUnwindSafe(|| parse_all(data, out, &limits))).unwrap_or(PANICKED)
}

struct Limits {
    header_bytes: usize,
    target_bytes: usize,
}

fn parse_all(data: &[u8], out: &mut [i32], limits: &Limits) -> i32 {
    if out.len() < head_summary::WORDS {
        return -libc::EINVAL;
    }
    let (summary, records) = out.split_at_mut(head_summary::WORDS);
    let (mut consumed, mut used, mut count, mut rejected) = (0, 0, 0, 0);
    while consumed < data.len() {
        match parse_one(data, consumed, &mut records[used..], limits) {
            Outcome::Head { end, last } => {
                used +=
                    head_record::WORDS + head_record::HEADER_WORDS * records[used + head_record::HEADER_COUNT] as usize;
                consumed = end;
                count += 1;
                if last {
                    break;
                }
            }
            Outcome::Incomplete | Outcome::OutOfRoom => break,
            Outcome::Rejected(status) => {
                rejected = status;
                break;
            }
        }
    }
    summary[head_summary::CONSUMED] = consumed as i32;
    summary[head_summary::REJECTED] = rejected;
    summary[head_summary::USED] = (head_summary::WORDS + used) as i32;
    count
}

fn parse_one(data: &[u8], from: usize, record: &mut [i32], limits: &Limits) -> Outcome {
    let start = match skip_empty_lines(data, from) {
        Ok(start) => start,
        Err(outcome) => return outcome,
    };
    let end = match find_head_end(data, start) {
        Ok(end) => end,
        Err(status) => return Outcome::Rejected(status),
    };
    if let Some(status) = over_limit(&data[start..end.unwrap_or(data.len())], limits) {
        return Outcome::Rejected(status);
    }
    let head = &data[start..end.unwrap_or(data.len())];
    // `httparse` accepts UTF-8 in a target.
    if !head[..memchr::memchr(b'\n', head).unwrap_or(head.len())].is_ascii() {
        return Outcome::Rejected(400);
    }
    let mut storage = [const { MaybeUninit::<Header>::uninit() }; head_limit::HEADERS_MAX];
    let mut request = Request::new(&mut []);
    match request.parse_with_uninit_headers(head, &mut storage) {
        Ok(Status::Complete(length)) if end == Some(start + length) => {
            write_record(data, start, &request, length, record, limits)
        }
        Ok(Status::Complete(_)) => Outcome::Rejected(400),
        Ok(Status::Partial) if end.is_none() => Outcome::Incomplete,
        Ok(Status::Partial) => Outcome::Rejected(400),
        Err(httparse::Error::TooManyHeaders) => Outcome::Rejected(431),
        Err(httparse::Error::Version) => refused_version(head),
        Err(_) => Outcome::Rejected(400),
    }
}
