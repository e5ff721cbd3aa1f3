/**
 * Short texts of ASCII, such as names of tasks, without the encoder and the decoder, whose calls cost more than that many bytes. What was read
 * before is found again by its bytes, and is the same string.
 */

/** Bytes of a short text at most. */
export const SHORT_TEXT_BYTES_MAX = 32;
/** Texts that are found again: a power of two. */
const KEPT = 256;

const ASCII_MAX = 0x7f;
const kept = new Array<string>(KEPT).fill("");

/** Writes `text` at byte `at`, if it is short, is ASCII, and has room there; whether it did. */
export function writeShortText(view: DataView, at: number, text: string): boolean {
  const { length } = text;
  if (length > SHORT_TEXT_BYTES_MAX || at + length > view.byteLength) return false;
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index);
    if (unit > ASCII_MAX) return false;
    view.setUint8(at + index, unit);
  }
  return true;
}

/**
 * The text of `byteLength` bytes, {@linkcode SHORT_TEXT_BYTES_MAX} at most, at byte `at`; `undefined` when it is not ASCII.
 *
 * @throws {RangeError} when it goes beyond the view
 */
export function readShortText(view: DataView, at: number, byteLength: number): string | undefined {
  let hash = byteLength;
  for (let index = 0; index < byteLength; index++) {
    const byte = view.getUint8(at + index);
    if (byte > ASCII_MAX) return undefined;
    hash = Math.imul(hash, 31) + byte | 0;
  }
  const slot = (hash ^ hash >>> 15) & KEPT - 1;
  const found = kept[slot];
  if (isAt(view, at, byteLength, found)) return found;
  let text = "";
  for (let index = 0; index < byteLength; index++) text += String.fromCharCode(view.getUint8(at + index));
  // Others may write to shared memory between the two looks.
  return kept[slot] = text;
}

function isAt(view: DataView, at: number, byteLength: number, text: string): boolean {
  if (text.length !== byteLength) return false;
  for (let index = 0; index < byteLength; index++) {
    if (view.getUint8(at + index) !== text.charCodeAt(index)) return false;
  }
  return true;
}
