//! What the header fields say about the message: its host, its length or coding, and whether the connection stays open.

use super::record::offset_in;
use super::target::valid_host;
use crate::layouts::head_limit::LENGTH_DIGITS_MAX;
use httparse::Header;

/// What the header fields say about the message.
#[derive(Default)]
pub struct Framing {
    pub host: Option<(usize, usize)>,
    pub content_length: Option<u64>,
    pub chunked: bool,
    pub close: bool,
    pub keep_alive: bool,
    pub expect_continue: bool,
}

/// Reads every field that matters; the error is the status of the response.
pub fn read_framing(data: &[u8], headers: &[Header], minor: u8) -> Result<Framing, i32> {
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

/// Only `chunked` alone is supported. Without chunked as the last coding the length of the body is unknown: 400; chunked
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

/// Without the spaces and tabs at its end.
pub fn trim_end(value: &[u8]) -> &[u8] {
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
