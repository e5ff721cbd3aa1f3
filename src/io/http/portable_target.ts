import { ASTERISK, COLON, DIGIT, equalsIgnoringCase, HASH, HOST_NAME, IPV6, SLASH } from "./ascii.ts";
import { endsInNumber, isIpv4Address, isIpv6Address } from "./portable_address.ts";
import { METHODS } from "./request_head.ts";

const METHOD_OPTIONS = METHODS.indexOf("OPTIONS");

/** Origin form, absolute form with http or https, or the asterisk of OPTIONS, without a fragment. */
export function validTarget(bytes: Uint8Array, start: number, end: number, method: number): boolean {
  for (let index = start; index < end; index++) {
    if (bytes[index] === HASH) return false;
  }
  if (bytes[start] === SLASH) return true;
  if (bytes[start] === ASTERISK && end === start + 1) return method === METHOD_OPTIONS;
  let authority = -1;
  if (end - start > 7 && equalsIgnoringCase(bytes, start, 7, "http://")) authority = start + 7;
  else if (end - start > 8 && equalsIgnoringCase(bytes, start, 8, "https://")) authority = start + 8;
  if (authority < 0) return false;
  let authorityEnd = authority;
  while (authorityEnd < end && bytes[authorityEnd] !== SLASH && bytes[authorityEnd] !== 63) authorityEnd++;
  return validHost(bytes, authority, authorityEnd);
}

/**
 * `uri-host [":" port]` of RFC 9110, 7.2: a name, an IPv4 address or a bracketed IPv6 address; never empty.
 *
 * A name that ends in a number and is no IPv4 address is rejected: no URL can be made of it.
 */
export function validHost(bytes: Uint8Array, start: number, end: number): boolean {
  let index = start;
  if (bytes[start] === 91 && start < end) {
    index++;
    while (index < end && IPV6[bytes[index]] === 1) index++;
    if (index === start + 1 || index >= end || bytes[index] !== 93) return false;
    if (!isIpv6Address(asciiText(bytes, start + 1, index))) return false;
    index++;
  } else {
    while (index < end && HOST_NAME[bytes[index]] === 1) index++;
    if (index === start) return false;
    if (mayEndInNumber(bytes, start, index)) {
      const name = asciiText(bytes, start, index);
      if (endsInNumber(name) && !isIpv4Address(name)) return false;
    }
  }
  if (index === end) return true;
  if (bytes[index] !== COLON) return false;
  index++;
  if (end - index > 5) return false;
  let port = 0;
  for (; index < end; index++) {
    if (DIGIT[bytes[index]] === 0) return false;
    port = 10 * port + bytes[index] - 48;
  }
  return port <= 65_535;
}

/** Whether the last label begins with a digit: a cheap test that few names pass. */
function mayEndInNumber(bytes: Uint8Array, start: number, end: number): boolean {
  const DOT = 46;
  let at = bytes[end - 1] === DOT ? end - 1 : end;
  while (at > start && bytes[at - 1] !== DOT) at--;
  return DIGIT[bytes[at]] === 1;
}

function asciiText(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}
