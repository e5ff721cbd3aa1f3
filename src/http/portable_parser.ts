import {
  FLAG,
  HEADER_WORDS,
  HEADERS_MAX,
  LEADING_EMPTY_LINES_MAX,
  LENGTH_DIGITS_MAX,
  LINE_SLACK_BYTES,
  METHOD_BYTES_MAX,
  METHODS,
  RECORD,
  RECORD_WORDS,
  SUMMARY,
  SUMMARY_WORDS,
} from "./request_head.ts";

const CR = 13;
const LF = 10;
const SPACE = 32;
const TAB = 9;
const COLON = 58;
const COMMA = 44;
const SLASH = 47;
const HASH = 35;
const ASTERISK = 42;
const DEL = 127;

const INCOMPLETE = 0;
const OUT_OF_ROOM = -1;

/** Which bytes may stand in a token (RFC 9110, 5.6.2): methods and field names. */
const TOKEN = byteSet("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
/** Which bytes may stand in a host name. */
const HOST_NAME = byteSet("-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
const IPV6 = byteSet(":.0123456789ABCDEFabcdef");
const DIGIT = byteSet("0123456789");

function byteSet(text: string): Uint8Array {
  const set = new Uint8Array(256);
  for (let index = 0; index < text.length; index++) set[text.charCodeAt(index)] = 1;
  return set;
}

/**
 * The head parser in TypeScript, for when there is no native library: the same answers, several times slower.
 *
 * It refuses what makes two servers read one message in two ways: bare LF, folded lines, blanks around names, two lengths,
 * a length beside a transfer coding, a missing or doubled Host.
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

/** Parses one head; returns its end, INCOMPLETE, OUT_OF_ROOM, or the negative status that answers it. */
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
  // Without its end, a head is only looked at for what is wrong already; limits of the table do not matter then.
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

/** Answers from one object, valid until the next call. */
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
  while (index < limit && bytes[index] > SPACE && bytes[index] !== DEL) index++;
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
  if (DIGIT[major] === 0 || dot !== 46 || DIGIT[minor] === 0 || bytes[from + 8] !== CR) return bad(line, 400);
  if (major !== 49 || minor > 49) return bad(line, 505);
  line.minor = minor - 48;
  if (bytes[from + 9] !== LF) return bad(line, 400);
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

/** Parses field lines into {@linkcode fieldTable}; returns how many, or the negative status that answers the message. */
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
  const status = readFraming(bytes, fieldCount, line.minor);
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

function equals(bytes: Uint8Array, start: number, length: number, text: string): boolean {
  if (length !== text.length) return false;
  for (let index = 0; index < length; index++) {
    if (bytes[start + index] !== text.charCodeAt(index)) return false;
  }
  return true;
}

/** Compares without regard to the case of ASCII letters; `lower` is in lower case. */
function equalsIgnoringCase(bytes: Uint8Array, start: number, length: number, lower: string): boolean {
  if (length !== lower.length) return false;
  for (let index = 0; index < length; index++) {
    const byte = bytes[start + index];
    const lowered = byte >= 65 && byte <= 90 ? byte + 32 : byte;
    if (lowered !== lower.charCodeAt(index)) return false;
  }
  return true;
}

const METHOD_OPTIONS = METHODS.indexOf("OPTIONS");

/** Origin form, absolute form with http or https, or the asterisk of OPTIONS; visible ASCII without a fragment. */
function validTarget(bytes: Uint8Array, start: number, end: number, method: number): boolean {
  for (let index = start; index < end; index++) {
    if (bytes[index] > 0x7e || bytes[index] === HASH) return false;
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

/** `uri-host [":" port]` of RFC 9110, 7.2: a name, an IPv4 address or a bracketed IPv6 address; never empty. */
function validHost(bytes: Uint8Array, start: number, end: number): boolean {
  let index = start;
  if (bytes[start] === 91 && start < end) {
    index++;
    while (index < end && IPV6[bytes[index]] === 1) index++;
    if (index === start + 1 || index >= end || bytes[index] !== 93) return false;
    index++;
  } else {
    while (index < end && HOST_NAME[bytes[index]] === 1) index++;
    if (index === start) return false;
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

/** What the header fields of the message parsed last say about it. */
const framing = {
  hostStart: 0,
  hostLength: 0,
  /** -1: none. */
  contentLength: -1,
  chunked: false,
  close: false,
  keepAlive: false,
  expectContinue: false,
};

/** Fills {@linkcode framing} from {@linkcode fieldTable}; 0, or the status that answers the message. */
function readFraming(bytes: Uint8Array, fieldCount: number, minor: number): number {
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

/** Only `chunked` alone is understood; see `check_transfer_encoding` in the native parser for the reasons. */
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
