//! HTTP/1.x request heads: one call for a buffer of pipelined requests.
//!
//! `httparse` does the tokenizing; what makes two servers read one message in two ways (bare LF, two lengths, a length
//! beside a transfer coding, a bad Host) is refused here. The layout of the answer is documented, byte for byte, in
//! `src/http/request_head.ts`, and the same rules stand in TypeScript in `src/http/portable_parser.ts`; a test feeds
//! both the same bytes.

use crate::boundary::{bytes, PANICKED};
#[cfg(feature = "bindings")]
use deno_bindgen::deno_bindgen;
use httparse::{Header, Request, Status};
use std::mem::MaybeUninit;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// Header fields of one request at most; more is answered 431.
const HEADERS_MAX: usize = 100;
/// Empty lines tolerated before a request line (RFC 9112, 2.2, asks for at least one).
const LEADING_EMPTY_LINES_MAX: usize = 4;
/// Room for a method and a version when a request line without end is measured.
const LINE_SLACK_BYTES: usize = 64;
const METHOD_BYTES_MAX: usize = 32;
/// Digits of a Content-Length that a double holds exactly; longer ones are answered 413.
const LENGTH_DIGITS_MAX: usize = 15;

const WORDS_BEFORE_RECORDS: usize = 4;
const RECORD_WORDS: usize = 12;
const HEADER_WORDS: usize = 4;

const FLAG_HTTP_11: i32 = 1;
const FLAG_KEEP_ALIVE: i32 = 2;
const FLAG_CHUNKED: i32 = 4;
const FLAG_HAS_LENGTH: i32 = 8;
const FLAG_EXPECT_CONTINUE: i32 = 16;

/// The index of a method here is its number in a record; anything else is the last number.
const METHODS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"];

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
    if out.len() < WORDS_BEFORE_RECORDS {
        return -libc::EINVAL;
    }
    let (summary, records) = out.split_at_mut(WORDS_BEFORE_RECORDS);
    let (mut consumed, mut used, mut count, mut rejected) = (0, 0, 0, 0);
    while consumed < data.len() {
        match parse_one(data, consumed, &mut records[used..], limits) {
            Outcome::Head { end, last } => {
                used += RECORD_WORDS + HEADER_WORDS * records[used + 9] as usize;
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
    summary[0] = consumed as i32;
    summary[1] = rejected;
    summary[2] = (WORDS_BEFORE_RECORDS + used) as i32;
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
    // `httparse` lets UTF-8 pass in a target.
    if !head[..memchr::memchr(b'\n', head).unwrap_or(head.len())].is_ascii() {
        return Outcome::Rejected(400);
    }
    let mut storage = [const { MaybeUninit::<Header>::uninit() }; HEADERS_MAX];
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

/// Where the request line begins: after at most a few empty lines.
fn skip_empty_lines(data: &[u8], from: usize) -> Result<usize, Outcome> {
    let mut start = from;
    for _ in 0..=LEADING_EMPTY_LINES_MAX {
        match (data.get(start), data.get(start + 1)) {
            (Some(b'\r'), Some(b'\n')) => start += 2,
            (Some(b'\r'), None) | (None, _) => return Err(Outcome::Incomplete),
            _ => return Ok(start),
        }
    }
    Err(Outcome::Rejected(400))
}

/// The index after the empty line, if it has arrived. Every LF must follow a CR.
fn find_head_end(data: &[u8], start: usize) -> Result<Option<usize>, i32> {
    let mut previous = usize::MAX;
    for offset in memchr::memchr_iter(b'\n', &data[start..]) {
        let at = start + offset;
        if offset == 0 || data[at - 1] != b'\r' {
            return Err(400);
        }
        if previous != usize::MAX && at == previous + 2 {
            return Ok(Some(at + 1));
        }
        previous = at;
    }
    Ok(None)
}

/// 414 when the request line is too long, 431 when the whole head is.
fn over_limit(head: &[u8], limits: &Limits) -> Option<i32> {
    let line_bytes_max = limits.target_bytes + LINE_SLACK_BYTES;
    if head.len() > line_bytes_max && memchr::memchr(b'\n', &head[..line_bytes_max]).is_none() {
        return Some(414);
    }
    (head.len() > limits.header_bytes).then_some(431)
}

/// What is answered for a version that `httparse` refuses: 505 when it is well-formed and not ours, 400 when something
/// else stands behind the second space.
fn refused_version(head: &[u8]) -> Outcome {
    const FORM: &[u8] = b"HTTP/0.0\r\n";
    let rest = head.splitn(3, |&byte| byte == b' ').nth(2).unwrap_or(b"");
    let fits = |(byte, form): (&u8, &u8)| byte == form || *form == b'0' && byte.is_ascii_digit();
    if !rest.iter().zip(FORM).all(fits) {
        return Outcome::Rejected(400);
    }
    if rest.len() < FORM.len() {
        return Outcome::Incomplete;
    }
    Outcome::Rejected(505)
}

/// What the header fields say about the message.
#[derive(Default)]
struct Framing {
    host: Option<(usize, usize)>,
    content_length: Option<u64>,
    chunked: bool,
    close: bool,
    keep_alive: bool,
    expect_continue: bool,
}

fn write_record(
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
    if method.len() > METHOD_BYTES_MAX || matches!(method, "CONNECT" | "TRACE") {
        return Outcome::Rejected(501);
    }
    if !valid_target(target.as_bytes(), method) {
        return Outcome::Rejected(400);
    }
    let framing = match read_framing(data, request.headers, minor) {
        Ok(framing) => framing,
        Err(status) => return Outcome::Rejected(status),
    };
    if record.len() < RECORD_WORDS + HEADER_WORDS * request.headers.len() {
        return Outcome::OutOfRoom;
    }
    let keep_alive = !framing.close && (minor == 1 || framing.keep_alive);
    let content_length = framing.content_length.unwrap_or(0);
    let (host_start, host_length) = framing.host.unwrap_or((0, 0));
    record[0] = start as i32;
    record[1] = (start + length) as i32;
    record[2] = flag(minor == 1, FLAG_HTTP_11)
        | flag(keep_alive, FLAG_KEEP_ALIVE)
        | flag(framing.chunked, FLAG_CHUNKED)
        | flag(framing.content_length.is_some(), FLAG_HAS_LENGTH)
        | flag(framing.expect_continue, FLAG_EXPECT_CONTINUE);
    record[3] = METHODS
        .iter()
        .position(|known| *known == method)
        .unwrap_or(METHODS.len()) as i32;
    record[4] = method.len() as i32;
    record[5] = offset_in(data, target.as_bytes()) as i32;
    record[6] = target.len() as i32;
    record[7] = content_length as u32 as i32;
    record[8] = (content_length >> 32) as i32;
    record[9] = request.headers.len() as i32;
    record[10] = host_start as i32;
    record[11] = host_length as i32;
    for (index, header) in request.headers.iter().enumerate() {
        let words = &mut record[RECORD_WORDS + HEADER_WORDS * index..];
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

/// Where `part`, a slice of `data`, begins in it. An empty part may stand anywhere and counts as 0.
fn offset_in(data: &[u8], part: &[u8]) -> usize {
    if part.is_empty() {
        return 0;
    }
    part.as_ptr() as usize - data.as_ptr() as usize
}

fn trim_end(value: &[u8]) -> &[u8] {
    let end = value
        .iter()
        .rposition(|&byte| byte != b' ' && byte != b'\t')
        .map_or(0, |last| last + 1);
    &value[..end]
}

fn trim(value: &[u8]) -> &[u8] {
    let value = trim_end(value);
    let start = value
        .iter()
        .position(|&byte| byte != b' ' && byte != b'\t')
        .unwrap_or(0);
    &value[start..]
}

/// Origin form, absolute form with http or https, or the asterisk of OPTIONS; visible ASCII without a fragment.
fn valid_target(target: &[u8], method: &str) -> bool {
    if target
        .iter()
        .any(|&byte| !(0x21..=0x7e).contains(&byte) || byte == b'#')
    {
        return false;
    }
    match target {
        [b'/', ..] => true,
        [b'*'] => method == "OPTIONS",
        _ => authority_of(target).is_some_and(valid_host),
    }
}

/// The authority of an absolute-form target.
fn authority_of(target: &[u8]) -> Option<&[u8]> {
    let rest = if target.len() > 7 && target[..7].eq_ignore_ascii_case(b"http://") {
        &target[7..]
    } else if target.len() > 8 && target[..8].eq_ignore_ascii_case(b"https://") {
        &target[8..]
    } else {
        return None;
    };
    let end = rest
        .iter()
        .position(|&byte| byte == b'/' || byte == b'?')
        .unwrap_or(rest.len());
    Some(&rest[..end])
}

/// `uri-host [":" port]` of RFC 9110, 7.2: a name, an IPv4 address or a bracketed IPv6 address; never empty.
fn valid_host(host: &[u8]) -> bool {
    let port_from = if host.first() == Some(&b'[') {
        let Some(close) = host.iter().position(|&byte| byte == b']') else {
            return false;
        };
        let inside = &host[1..close];
        if inside.is_empty()
            || !inside
                .iter()
                .all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'))
        {
            return false;
        }
        close + 1
    } else {
        let end = host.iter().position(|&byte| byte == b':').unwrap_or(host.len());
        if end == 0 || !host[..end].iter().all(|&byte| is_name_byte(byte)) {
            return false;
        }
        end
    };
    match &host[port_from..] {
        [] => true,
        [b':', port @ ..] => {
            port.len() <= 5
                && port.iter().all(u8::is_ascii_digit)
                && port
                    .iter()
                    .fold(0u32, |value, digit| value * 10 + u32::from(digit - b'0'))
                    <= 65535
        }
        _ => false,
    }
}

/// Unreserved characters and the underscore that real host names carry; no percent-encoding, no sub-delimiters.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn read_framing(data: &[u8], headers: &[Header], minor: u8) -> Result<Framing, i32> {
    let mut framing = Framing::default();
    let mut transfer_encoding: Option<&[u8]> = None;
    for header in headers {
        let (name, value) = (header.name.as_bytes(), trim(header.value));
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => {
                if framing.host.is_some() || !valid_host(value) {
                    return Err(400);
                }
                framing.host = Some((offset_in(data, value), value.len()));
            }
            6 if name.eq_ignore_ascii_case(b"expect") => {
                if !value.eq_ignore_ascii_case(b"100-continue") {
                    return Err(417);
                }
                framing.expect_continue = minor == 1;
            }
            10 if name.eq_ignore_ascii_case(b"connection") => {
                for token in value.split(|&byte| byte == b',').map(trim) {
                    framing.close |= token.eq_ignore_ascii_case(b"close");
                    framing.keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            14 if name.eq_ignore_ascii_case(b"content-length") => {
                if framing.content_length.is_some() {
                    return Err(400);
                }
                framing.content_length = Some(parse_length(value)?);
            }
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                if transfer_encoding.is_some() {
                    return Err(400);
                }
                transfer_encoding = Some(value);
            }
            _ => {}
        }
    }
    if minor == 1 && framing.host.is_none() {
        return Err(400);
    }
    if let Some(value) = transfer_encoding {
        if minor == 0 || framing.content_length.is_some() {
            return Err(400);
        }
        check_transfer_encoding(value)?;
        framing.chunked = true;
    }
    Ok(framing)
}

fn parse_length(value: &[u8]) -> Result<u64, i32> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(400);
    }
    if value.len() > LENGTH_DIGITS_MAX {
        return Err(413);
    }
    Ok(value
        .iter()
        .fold(0, |length, digit| length * 10 + u64::from(digit - b'0')))
}

/// `chunked` alone is understood. Without chunked as the last coding the length of the body is unknown: 400; chunked
/// twice is an error too; any other coding before it is not implemented: 501.
fn check_transfer_encoding(value: &[u8]) -> Result<(), i32> {
    if value.eq_ignore_ascii_case(b"chunked") {
        return Ok(());
    }
    let mut codings: Vec<&[u8]> = value.split(|&byte| byte == b',').map(trim).collect();
    let last = codings.pop().unwrap_or(b"");
    let others_are_tokens = codings
        .iter()
        .all(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"chunked"));
    if last.eq_ignore_ascii_case(b"chunked") && others_are_tokens {
        return Err(501);
    }
    Err(400)
}
