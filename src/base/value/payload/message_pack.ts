import { decode, encode } from "npm:@msgpack/msgpack@3.1.3";

/** `value` as MessagePack, to be sent; `message.messagePack()` is the way back. */
export function messagePackPayload(value: unknown): Uint8Array {
  return encode(value);
}

/**
 * The value of MessagePack bytes.
 *
 * @throws {Error} when they are none
 */
export function unpackMessagePack(bytes: Uint8Array): unknown {
  checkComplete(bytes);
  return decode(bytes);
}

/** Bytes behind the first of a value, by this: 0xc0 to 0xdf. For what has a length of its own, the bytes of that. */
const BYTES_BEHIND = [
  ...[0, 0, 0, 0, 1, 2, 4, 1, 2, 4, 4, 8, 1, 2, 4, 8],
  ...[1, 2, 4, 8, 2, 3, 5, 9, 17, 1, 2, 4, 2, 4, 2, 4],
];

/**
 * Refuses bytes that promise more values than they have. The decoder makes room for as many as an array says before it looks for them: a
 * few bytes could ask for all memory there is.
 *
 * As in the specification of MessagePack (github.com/msgpack/msgpack/blob/master/spec.md).
 */
function checkComplete(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  for (let wanted = 1; wanted > 0; wanted--) {
    // Each value has a byte at least.
    if (wanted > bytes.length - at) throw new RangeError("MessagePack: it ends before all of its values");
    const first = bytes[at++];
    if (first < 0x80 || first >= 0xe0) continue;
    if (first < 0xc0) {
      const count = first & (first < 0xa0 ? 0x0f : 0x1f);
      if (first >= 0xa0) at += count;
      else wanted += first < 0x90 ? 2 * count : count;
      continue;
    }
    const behind = BYTES_BEHIND[first - 0xc0];
    if (behind > bytes.length - at) throw new RangeError("MessagePack: it ends within a value");
    const length = behind === 1
      ? bytes[at]
      : behind === 2
      ? view.getUint16(at)
      : behind === 4
      ? view.getUint32(at)
      : 0;
    at += behind;
    if (first >= 0xdc) wanted += first >= 0xde ? 2 * length : length;
    else if (first >= 0xd9 || first >= 0xc4 && first <= 0xc6) at += length;
    else if (first >= 0xc7 && first <= 0xc9) at += length + 1;
  }
  if (at > bytes.length) throw new RangeError("MessagePack: it ends within a value");
}
