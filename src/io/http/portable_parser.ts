import { COLON, CR, DEL, DIGIT, equals, LF, SLASH, SPACE, TAB, TOKEN } from "./ascii.ts";
import { framing, readFraming } from "./portable_framing.ts";
import { validTarget } from "./portable_target.ts";
import {
  FLAG,
  HEADER_WORDS,
  HEADERS_MAX,
  LEADING_EMPTY_LINES_MAX,
  LINE_SLACK_BYTES,
  METHOD_BYTES_MAX,
  METHODS,
  RECORD,
  RECORD_WORDS,
  SUMMARY,
  SUMMARY_WORDS,
} from "./request_head.ts";

const INCOMPLETE = 0;
const OUT_OF_ROOM = -1;

/**
 * The head parser in TypeScript, for use without the native library: the same results, several times slower.
 *
 * It rejects what two servers could read in two ways: bare LF, folded lines, blanks around names, two lengths, a length beside
 * a transfer coding, a missing or doubled Host.
 */
export function portableHeadParser(
  bytes: Uint8Array,
  byteLength: number,
  out: Int32Array,
  headerBytesMax: number,
  targetBytesMax: number,
): number {
  let consumed = 0;
  let used = SUMMARY_WORDS;
  let count = 0;
  let rejected = 0;
  while (consumed < byteLength) {
    const result = parseHead(bytes, consumed, byteLength, out, used, headerBytesMax, targetBytesMax);
    if (result <= 0) {
      if (result < OUT_OF_ROOM) rejected = -result;
      break;
    }
    consumed = result;
    count++;
    const flags = out[used + RECORD.flags];
    const hasBody = (flags & FLAG.chunked) !== 0 || out[used + RECORD.contentLengthLow] !== 0 ||
      out[used + RECORD.contentLengthHigh] !== 0;
    used += RECORD_WORDS + HEADER_WORDS * out[used + RECORD.headerCount];
    if (hasBody || (flags & FLAG.keepAlive) === 0) break;
  }
  out[SUMMARY.consumed] = consumed;
  out[SUMMARY.rejected] = rejected;
  out[SUMMARY.used] = used;
  return count;
}

/** Parses one head; returns its end, INCOMPLETE, OUT_OF_ROOM, or the negative status that rejects it. */
function parseHead(
  bytes: Uint8Array,
  from: number,
  byteLength: number,
  out: Int32Array,
  at: number,
  headerBytesMax: number,
  targetBytesMax: number,
): number {
  const start = skipEmptyLines(bytes, from, byteLength);
  if (start < 0) return start === INCOMPLETE_START ? INCOMPLETE : start;
  const end = findHeadEnd(bytes, start, byteLength);
  if (end < 0) return end;
  const headLength = (end === 0 ? byteLength : end) - start;
  const tooLong = overLimit(bytes, start, headLength, headerBytesMax, targetBytesMax);
  if (tooLong !== 0) return -tooLong;
  // A partial head is only checked for errors so far; limits of the table do not matter then.
  const line = parseRequestLine(bytes, start, end === 0 ? byteLength : end, end !== 0);
  if (line.status !== 0) return -line.status;
  if (!line.complete) return INCOMPLETE;
  const fields = parseFields(bytes, line.end, end === 0 ? byteLength : end, end !== 0);
  if (fields < 0) return fields;
  if (end === 0) return INCOMPLETE;
  return writeRecord(bytes, start, end, line, out, at, targetBytesMax, fields);
}

const INCOMPLETE_START = -2;

function skipEmptyLines(bytes: Uint8Array, from: number, byteLength: number): number {
  let start = from;
  for (let lines = 0; lines <= LEADING_EMPTY_LINES_MAX; lines++) {
    if (start >= byteLength) return INCOMPLETE_START;
    if (bytes[start] !== CR) return start;
    if (start + 1 >= byteLength) return INCOMPLETE_START;
    if (bytes[start + 1] !== LF) return start;
    start += 2;
  }
  return -400;
}

/** The index after the empty line, 0 when it has not come, -400 when a LF does not follow a CR. */
function findHeadEnd(bytes: Uint8Array, start: number, byteLength: number): number {
  let previous = -1;
  for (let index = bytes.indexOf(LF, start); index >= 0 && index < byteLength;) {
    if (index === start || bytes[index - 1] !== CR) return -400;
    if (previous >= 0 && index === previous + 2) return index + 1;
    previous = index;
    index = bytes.indexOf(LF, index + 1);
  }
  return 0;
}

function overLimit(
  bytes: Uint8Array,
  start: number,
  length: number,
  headerBytesMax: number,
  targetBytesMax: number,
): number {
  const lineBytesMax = targetBytesMax + LINE_SLACK_BYTES;
  if (length > lineBytesMax) {
    const lineEnd = bytes.indexOf(LF, start);
    if (lineEnd < 0 || lineEnd >= start + lineBytesMax) return 414;
  }
  return length > headerBytesMax ? 431 : 0;
}

interface RequestLine {
  status: number;
  complete: boolean;
  methodEnd: number;
  targetStart: number;
  targetEnd: number;
  minor: number;
  /** The first byte after the line. */
  end: number;
}

const requestLine: RequestLine = {
  status: 0,
  complete: false,
  methodEnd: 0,
  targetStart: 0,
  targetEnd: 0,
  minor: 0,
  end: 0,
};

/** Returns one object for every result, valid until the next call. */
function parseRequestLine(
  bytes: Uint8Array,
  start: number,
  limit: number,
  headComplete: boolean,
): RequestLine {
  const line = requestLine;
  line.status = 0;
  line.complete = false;
  let index = start;
  while (index < limit && TOKEN[bytes[index]] === 1) index++;
  if (index >= limit) return line;
  if (index === start || bytes[index] !== SPACE) return bad(line, 400);
  line.methodEnd = index;
  line.targetStart = ++index;
  while (index < limit && bytes[index] > SPACE && bytes[index] < DEL) index++;
  if (index >= limit) return line;
  if (index === line.targetStart || bytes[index] !== SPACE) return bad(line, 400);
  line.targetEnd = index++;
  return parseVersion(bytes, index, limit, headComplete, line);
}

const VERSION = [72, 84, 84, 80, SLASH];

function parseVersion(
  bytes: Uint8Array,
  from: number,
  limit: number,
  headComplete: boolean,
  line: RequestLine,
): RequestLine {
  for (let offset = 0; offset < VERSION.length; offset++) {
    if (from + offset >= limit) return headComplete ? bad(line, 400) : line;
    if (bytes[from + offset] !== VERSION[offset]) return bad(line, 400);
  }
  if (from + 10 > limit) return headComplete ? bad(line, 400) : line;
  const [major, dot, minor] = [bytes[from + 5], bytes[from + 6], bytes[from + 7]];
  if (DIGIT[major] === 0 || dot !== 46 || DIGIT[minor] === 0) return bad(line, 400);
  if (bytes[from + 8] !== CR || bytes[from + 9] !== LF) return bad(line, 400);
  if (major !== 49 || minor > 49) return bad(line, 505);
  line.minor = minor - 48;
  line.end = from + 10;
  line.complete = true;
  return line;
}

function bad(line: RequestLine, status: number): RequestLine {
  line.status = status;
  return line;
}

/** Name and value positions of the fields parsed last: nameStart, nameLength, valueStart, valueLength each. */
const fieldTable = new Int32Array(HEADER_WORDS * HEADERS_MAX);

/** Parses field lines into {@linkcode fieldTable}; returns how many, or the negative status that rejects the message. */
function parseFields(bytes: Uint8Array, from: number, limit: number, headComplete: boolean): number {
  let index = from;
  let count = 0;
  for (;;) {
    if (index >= limit) return count;
    if (bytes[index] === CR) {
      if (index + 1 < limit && bytes[index + 1] !== LF) return -400;
      return headComplete && index + 2 !== limit ? -400 : count;
    }
    if (count === HEADERS_MAX) return -431;
    const nameStart = index;
    while (index < limit && TOKEN[bytes[index]] === 1) index++;
    if (index >= limit) return count;
    if (index === nameStart || bytes[index] !== COLON) return -400;
    const nameEnd = index++;
    while (index < limit && (bytes[index] === SPACE || bytes[index] === TAB)) index++;
    const valueStart = index;
    while (
      index < limit && (bytes[index] >= SPACE && bytes[index] !== DEL || bytes[index] === TAB)
    ) index++;
    if (index >= limit) return count;
    if (bytes[index] !== CR) return -400;
    if (index + 1 < limit && bytes[index + 1] !== LF) return -400;
    let valueEnd = index;
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SPACE || bytes[valueEnd - 1] === TAB)) {
      valueEnd--;
    }
    const at = HEADER_WORDS * count++;
    fieldTable[at] = nameStart;
    fieldTable[at + 1] = nameEnd - nameStart;
    fieldTable[at + 2] = valueEnd === valueStart ? 0 : valueStart;
    fieldTable[at + 3] = valueEnd - valueStart;
    index += 2;
  }
}

function writeRecord(
  bytes: Uint8Array,
  start: number,
  end: number,
  line: RequestLine,
  out: Int32Array,
  at: number,
  targetBytesMax: number,
  fieldCount: number,
): number {
  const methodLength = line.methodEnd - start;
  const targetLength = line.targetEnd - line.targetStart;
  if (targetLength > targetBytesMax) return -414;
  const method = methodNumber(bytes, start, methodLength);
  if (methodLength > METHOD_BYTES_MAX || isUnsupported(bytes, start, methodLength)) return -501;
  if (!validTarget(bytes, line.targetStart, line.targetEnd, method)) return -400;
  const status = readFraming(bytes, fieldTable, fieldCount, line.minor);
  if (status !== 0) return -status;
  if (at + RECORD_WORDS + HEADER_WORDS * fieldCount > out.length) return OUT_OF_ROOM;
  const keepAlive = !framing.close && (line.minor === 1 || framing.keepAlive);
  out[at + RECORD.start] = start;
  out[at + RECORD.end] = end;
  out[at + RECORD.flags] = (line.minor === 1 ? FLAG.http11 : 0) | (keepAlive ? FLAG.keepAlive : 0) |
    (framing.chunked ? FLAG.chunked : 0) | (framing.contentLength >= 0 ? FLAG.hasLength : 0) |
    (framing.expectContinue ? FLAG.expectContinue : 0);
  out[at + RECORD.method] = method;
  out[at + RECORD.methodLength] = methodLength;
  out[at + RECORD.targetStart] = line.targetStart;
  out[at + RECORD.targetLength] = targetLength;
  const contentLength = Math.max(framing.contentLength, 0);
  out[at + RECORD.contentLengthLow] = contentLength;
  out[at + RECORD.contentLengthHigh] = contentLength / 0x1_0000_0000;
  out[at + RECORD.headerCount] = fieldCount;
  out[at + RECORD.hostStart] = framing.hostStart;
  out[at + RECORD.hostLength] = framing.hostLength;
  for (let word = 0; word < HEADER_WORDS * fieldCount; word++) {
    out[at + RECORD_WORDS + word] = fieldTable[word];
  }
  return end;
}

function methodNumber(bytes: Uint8Array, start: number, length: number): number {
  for (let number = 0; number < METHODS.length; number++) {
    if (equals(bytes, start, length, METHODS[number])) return number;
  }
  return METHODS.length;
}

function isUnsupported(bytes: Uint8Array, start: number, length: number): boolean {
  return equals(bytes, start, length, "CONNECT") || equals(bytes, start, length, "TRACE");
}
