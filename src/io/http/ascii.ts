/** Bytes and sets of bytes of the HTTP grammar, and comparison with ASCII text. */
export const CR = 13;
export const LF = 10;
export const SPACE = 32;
export const TAB = 9;
export const COLON = 58;
export const COMMA = 44;
export const SLASH = 47;
export const HASH = 35;
export const ASTERISK = 42;
export const DEL = 127;

/** Bytes of a token (RFC 9110, 5.6.2): methods and field names. */
export const TOKEN = byteSet("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
/** Bytes of a host name. */
export const HOST_NAME = byteSet("-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
/** Bytes between the brackets of an IPv6 address. */
export const IPV6 = byteSet(":.0123456789ABCDEFabcdef");
/** The decimal digits. */
export const DIGIT = byteSet("0123456789");

function byteSet(text: string): Uint8Array {
  const set = new Uint8Array(256);
  for (let index = 0; index < text.length; index++) set[text.charCodeAt(index)] = 1;
  return set;
}

/** Compares bytes with ASCII text. */
export function equals(bytes: Uint8Array, start: number, length: number, text: string): boolean {
  if (length !== text.length) return false;
  for (let index = 0; index < length; index++) {
    if (bytes[start + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}

/** Compares without regard to the case of ASCII letters; `lower` is in lower case. */
export function equalsIgnoringCase(bytes: Uint8Array, start: number, length: number, lower: string): boolean {
  if (length !== lower.length) return false;
  for (let index = 0; index < length; index++) {
    const byte = bytes[start + index];
    const lowered = byte >= 65 && byte <= 90 ? byte + 32 : byte;
    if (lowered !== lower.charCodeAt(index)) return false;
  }
  return true;
}
