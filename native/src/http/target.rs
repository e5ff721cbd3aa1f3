//! Request targets and hosts (RFC 9112, 3.2; RFC 9110, 7.2).

use std::net::{Ipv4Addr, Ipv6Addr};

/// Origin form, absolute form with http or https, or the asterisk of OPTIONS; visible ASCII without a fragment.
pub fn valid_target(target: &[u8], method: &str) -> bool {
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
/// A name that ends in a number and is no IPv4 address is rejected: no URL can be made of it.
pub fn valid_host(host: &[u8]) -> bool {
    let port_from = if host.first() == Some(&b'[') {
        let Some(close) = host.iter().position(|&byte| byte == b']') else {
            return false;
        };
        if !parses::<Ipv6Addr>(&host[1..close]) {
            return false;
        }
        close + 1
    } else {
        let end = host.iter().position(|&byte| byte == b':').unwrap_or(host.len());
        if end == 0 || !host[..end].iter().all(|&byte| is_name_byte(byte)) {
            return false;
        }
        if ends_in_number(&host[..end]) && !parses::<Ipv4Addr>(&host[..end]) {
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

fn parses<Address: std::str::FromStr>(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| text.parse::<Address>().is_ok())
}

/// Whether a name's last label is a number: WHATWG URL reads such a name as an IPv4 address or rejects it.
fn ends_in_number(name: &[u8]) -> bool {
    let name = name.strip_suffix(b".").unwrap_or(name);
    let last = name
        .iter()
        .rposition(|&byte| byte == b'.')
        .map_or(name, |dot| &name[dot + 1..]);
    match last {
        [b'0', b'x' | b'X', digits @ ..] => digits.iter().all(u8::is_ascii_hexdigit),
        _ => !last.is_empty() && last.iter().all(u8::is_ascii_digit),
    }
}
