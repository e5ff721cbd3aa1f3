/** Shorter text than this is put together here: a call of the host costs more. */
const HOST_LENGTH_MIN = 24;
/** Longer text is never kept: names are short. */
const KEPT_LENGTH_MAX = 64;
/** A power of two. */
const KEPT_COUNT = 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Text that was read lately, by a hash of its bytes. Names of topics and clients come again with every
 * request; a string that comes again costs a third of one that is made, and a `Map` knows its hash.
 */
const kept: (string | undefined)[] = new Array(KEPT_COUNT).fill(undefined);

/** The text of `bytes` from `start` up to `end`; what is no UTF-8 becomes U+FFFD, as in Java. */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length > KEPT_LENGTH_MAX) return decoder.decode(bytes.subarray(start, end));
  let hash = length;
  for (let index = start; index < end; index++) {
    const byte = bytes[index];
    if (byte > 0x7f) return decoder.decode(bytes.subarray(start, end));
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  const slot = (hash ^ (hash >>> 15)) & (KEPT_COUNT - 1);
  const candidate = kept[slot];
  if (candidate !== undefined && isAscii(candidate, bytes, start, length)) return candidate;
  const text = length >= HOST_LENGTH_MIN
    ? decoder.decode(bytes.subarray(start, end))
    : joinAscii(bytes, start, end);
  kept[slot] = text;
  return text;
}

/** How many bytes `text` takes as UTF-8; a lone surrogate takes three, those of U+FFFD. */
export function utf8ByteLength(text: string): number {
  let count = text.length;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    if (unit < 0x800) {
      count += 1;
      continue;
    }
    count += 2;
    if (unit < 0xd800 || unit > 0xdbff) continue;
    const next = text.charCodeAt(index + 1);
    if (next < 0xdc00 || next > 0xdfff) continue;
    // A pair takes four bytes: its first unit counts for three here, its second for one.
    index++;
  }
  return count;
}

/** Writes `text` at `position`, where `byteLength` bytes (its {@linkcode utf8ByteLength}) have room. */
export function encodeUtf8Into(text: string, bytes: Uint8Array, position: number, byteLength: number): void {
  if (byteLength !== text.length || byteLength >= KEPT_LENGTH_MAX) {
    encoder.encodeInto(text, bytes.subarray(position, position + byteLength));
    return;
  }
  for (let index = 0; index < byteLength; index++) bytes[position + index] = text.charCodeAt(index);
}

function isAscii(text: string, bytes: Uint8Array, start: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let index = 0; index < length; index++) {
    if (text.charCodeAt(index) !== bytes[start + index]) return false;
  }
  return true;
}

function joinAscii(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let index = start; index < end; index++) text += String.fromCharCode(bytes[index]);
  return text;
}
