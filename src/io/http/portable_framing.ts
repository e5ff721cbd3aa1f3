import { COMMA, DIGIT, equalsIgnoringCase, SPACE, TAB } from "./ascii.ts";
import { validHost } from "./portable_target.ts";
import { HEADER_WORDS, LENGTH_DIGITS_MAX } from "./request_head.ts";

/** The framing of the last parsed message by its header fields. */
export const framing = {
  hostStart: 0,
  hostLength: 0,
  /** -1: none. */
  contentLength: -1,
  chunked: false,
  close: false,
  keepAlive: false,
  expectContinue: false,
};

/** Fills {@linkcode framing} from a table of fields; returns 0, or the status of the response that rejects the message. */
export function readFraming(
  bytes: Uint8Array,
  fieldTable: Int32Array,
  fieldCount: number,
  minor: number,
): number {
  framing.hostStart = framing.hostLength = 0;
  framing.contentLength = -1;
  framing.chunked =
    framing.close =
    framing.keepAlive =
    framing.expectContinue =
      false;
  let [hasHost, codingStart, codingLength] = [false, -1, 0];
  for (let field = 0; field < fieldCount; field++) {
    const at = HEADER_WORDS * field;
    const [name, nameLength, value, length] = fieldTable.subarray(at, at + HEADER_WORDS);
    switch (nameLength) {
      case 4:
        if (!equalsIgnoringCase(bytes, name, nameLength, "host")) break;
        if (hasHost || !validHost(bytes, value, value + length)) return 400;
        hasHost = true;
        framing.hostStart = value;
        framing.hostLength = length;
        break;
      case 6:
        if (!equalsIgnoringCase(bytes, name, nameLength, "expect")) break;
        if (!equalsIgnoringCase(bytes, value, length, "100-continue")) return 417;
        framing.expectContinue = minor === 1;
        break;
      case 10:
        if (equalsIgnoringCase(bytes, name, nameLength, "connection")) readConnection(bytes, value, length);
        break;
      case 14: {
        if (!equalsIgnoringCase(bytes, name, nameLength, "content-length")) break;
        if (framing.contentLength >= 0) return 400;
        const parsed = parseLength(bytes, value, length);
        if (parsed < 0) return -parsed;
        framing.contentLength = parsed;
        break;
      }
      case 17:
        if (!equalsIgnoringCase(bytes, name, nameLength, "transfer-encoding")) break;
        if (codingStart >= 0) return 400;
        [codingStart, codingLength] = [value, length];
    }
  }
  if (minor === 1 && !hasHost) return 400;
  if (codingStart < 0) return 0;
  if (minor === 0 || framing.contentLength >= 0) return 400;
  framing.chunked = true;
  return checkTransferEncoding(bytes, codingStart, codingLength);
}

/** Calls `visit` with each element of a comma-separated list, without its blanks. */
function forEachElement(
  bytes: Uint8Array,
  start: number,
  length: number,
  visit: (start: number, length: number) => void,
): void {
  const end = start + length;
  let from = start;
  for (let index = start; index <= end; index++) {
    if (index < end && bytes[index] !== COMMA) continue;
    let [first, last] = [from, index];
    while (first < last && (bytes[first] === SPACE || bytes[first] === TAB)) first++;
    while (last > first && (bytes[last - 1] === SPACE || bytes[last - 1] === TAB)) last--;
    visit(first, last - first);
    from = index + 1;
  }
}

function readConnection(bytes: Uint8Array, start: number, length: number): void {
  forEachElement(bytes, start, length, (first, count) => {
    framing.close ||= equalsIgnoringCase(bytes, first, count, "close");
    framing.keepAlive ||= equalsIgnoringCase(bytes, first, count, "keep-alive");
  });
}

function parseLength(bytes: Uint8Array, start: number, length: number): number {
  if (length === 0) return -400;
  for (let index = start; index < start + length; index++) if (DIGIT[bytes[index]] === 0) return -400;
  if (length > LENGTH_DIGITS_MAX) return -413;
  let value = 0;
  for (let index = start; index < start + length; index++) value = 10 * value + bytes[index] - 48;
  return value;
}

/** Only `chunked` alone is supported; see `check_transfer_encoding` in the native parser for the reasons. */
function checkTransferEncoding(bytes: Uint8Array, start: number, length: number): number {
  if (equalsIgnoringCase(bytes, start, length, "chunked")) return 0;
  let [chunkedLast, othersAreCodings] = [false, true];
  forEachElement(bytes, start, length, (first, count) => {
    if (chunkedLast) othersAreCodings = false;
    chunkedLast = equalsIgnoringCase(bytes, first, count, "chunked");
    if (count === 0) othersAreCodings = false;
  });
  return chunkedLast && othersAreCodings ? 501 : 400;
}
