//! Where a request head begins and ends, before any of it is parsed.

use super::{Limits, Outcome};
use crate::layouts::head_limit::{LEADING_EMPTY_LINES_MAX, LINE_SLACK_BYTES};

/// Where the request line begins: after at most a few empty lines.
pub fn skip_empty_lines(data: &[u8], from: usize) -> Result<usize, Outcome> {
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
pub fn find_head_end(data: &[u8], start: usize) -> Result<Option<usize>, i32> {
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
pub fn over_limit(head: &[u8], limits: &Limits) -> Option<i32> {
    let line_bytes_max = limits.target_bytes + LINE_SLACK_BYTES;
    if head.len() > line_bytes_max && memchr::memchr(b'\n', &head[..line_bytes_max]).is_none() {
        return Some(414);
    }
    (head.len() > limits.header_bytes).then_some(431)
}

/// The status for a version that `httparse` rejects: 505 when it is well-formed and not supported, 400 when anything else follows the
/// second space.
pub fn refused_version(head: &[u8]) -> Outcome {
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
