//! Request targets and hosts (RFC 9112, 3.2; RFC 9110, 7.2).

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
pub fn valid_host(host: &[u8]) -> bool {
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
