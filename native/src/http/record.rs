//! One request as words of the result; `src/io/http/request_head.ts` documents them.

use super::framing::{read_framing, trim_end};
use super::target::valid_target;
use super::{Limits, Outcome};
use crate::layouts::head_flag::{CHUNKED, EXPECT_CONTINUE, HAS_LENGTH, HTTP_11, KEEP_ALIVE};
use crate::layouts::{head_limit, head_record as at};
use httparse::Request;

/// The index of a method here is its number in a record; anything else is the last number.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"];

/// Writes the record of a tokenized head of `length` bytes at `start`, or returns the status that rejects it.
pub fn write_record(
    data: &[u8],
    start: usize,
    request: &Request,
    length: usize,
    record: &mut [i32],
    limits: &Limits,
) -> Outcome {
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version) else {
        return Outcome::Rejected(400);
    };
    if target.len() > limits.target_bytes {
        return Outcome::Rejected(414);
    }
    if method.len() > head_limit::METHOD_BYTES_MAX || matches!(method, "CONNECT" | "TRACE") {
        return Outcome::Rejected(501);
    }
    if !valid_target(target.as_bytes(), method) {
        return Outcome::Rejected(400);
    }
    let framing = match read_framing(data, request.headers, minor) {
        Ok(framing) => framing,
        Err(status) => return Outcome::Rejected(status),
    };
    if record.len() < at::WORDS + at::HEADER_WORDS * request.headers.len() {
        return Outcome::OutOfRoom;
    }
    let keep_alive = !framing.close && (minor == 1 || framing.keep_alive);
    let content_length = framing.content_length.unwrap_or(0);
    let (host_start, host_length) = framing.host.unwrap_or((0, 0));
    record[at::START] = start as i32;
    record[at::END] = (start + length) as i32;
    record[at::FLAGS] = flag(minor == 1, HTTP_11)
        | flag(keep_alive, KEEP_ALIVE)
        | flag(framing.chunked, CHUNKED)
        | flag(framing.content_length.is_some(), HAS_LENGTH)
        | flag(framing.expect_continue, EXPECT_CONTINUE);
    record[at::METHOD] = METHODS
        .iter()
        .position(|known| *known == method)
        .unwrap_or(METHODS.len()) as i32;
    record[at::METHOD_LENGTH] = method.len() as i32;
    record[at::TARGET_START] = offset_in(data, target.as_bytes()) as i32;
    record[at::TARGET_LENGTH] = target.len() as i32;
    record[at::CONTENT_LENGTH_LOW] = content_length as u32 as i32;
    record[at::CONTENT_LENGTH_HIGH] = (content_length >> 32) as i32;
    record[at::HEADER_COUNT] = request.headers.len() as i32;
    record[at::HOST_START] = host_start as i32;
    record[at::HOST_LENGTH] = host_length as i32;
    for (index, header) in request.headers.iter().enumerate() {
        let words = &mut record[at::WORDS + at::HEADER_WORDS * index..];
        let value = trim_end(header.value);
        words[0] = offset_in(data, header.name.as_bytes()) as i32;
        words[1] = header.name.len() as i32;
        words[2] = offset_in(data, header.value) as i32;
        words[3] = value.len() as i32;
    }
    let body_follows = framing.chunked || content_length > 0;
    Outcome::Head {
        end: start + length,
        last: body_follows || !keep_alive,
    }
}

fn flag(set: bool, bit: i32) -> i32 {
    if set {
        bit
    } else {
        0
    }
}

/// Where `part`, a slice of `data`, begins in it. An empty part may be anywhere and counts as 0.
pub fn offset_in(data: &[u8], part: &[u8]) -> usize {
    if part.is_empty() {
        return 0;
    }
    part.as_ptr() as usize - data.as_ptr() as usize
}
