/**
 * How a parser describes request heads: one array of 32-bit words for a whole buffer of pipelined requests.
 *
 * ```text
 * word 0  consumed       bytes up to the end of the last complete head
 *      1  rejected       0, or the status that answers the message beginning at `consumed`
 *      2  used           words written
 *      3  (unused)
 *      4  first record, then the next ...
 *
 * record word 0  start          first byte of the method
 *             1  end            first byte after the empty line
 *             2  flags          see FLAG
 *             3  method         index into METHODS, or METHODS.length for any other
 *             4  methodLength
 *             5  targetStart
 *             6  targetLength
 *             7  contentLengthLow    (unsigned)
 *             8  contentLengthHigh
 *             9  headerCount
 *            10  hostStart      of the Host field's value; 0 with length 0 when there is none
 *            11  hostLength
 *            12  per header field: nameStart, nameLength, valueStart, valueLength
 * ```
 * Every position is a byte index into the parsed buffer. A parser writes all of it, the connection reads it, and the next
 * call overwrites it. After a head that announces a body, or that ends the connection, parsing stops.
 *
 * Written by `native/src/http.rs` and `portable_parser.ts`; a test compares the two word by word.
 */

/** Parses pipelined request heads at the start of `bytes` into `out`; returns how many. */
export type HeadParser = (
  bytes: Uint8Array,
  byteLength: number,
  out: Int32Array,
  headerBytesMax: number,
  targetBytesMax: number,
) => number;

/** Words before the first record. */
export const SUMMARY_WORDS = 4;
/** Words of the summary. */
export const SUMMARY = { consumed: 0, rejected: 1, used: 2 } as const;
/** Words of a record before its header fields. */
export const RECORD_WORDS = 12;
/** Words of a header field. */
export const HEADER_WORDS = 4;
/** Words of a record. */
export const RECORD = {
  start: 0,
  end: 1,
  flags: 2,
  method: 3,
  methodLength: 4,
  targetStart: 5,
  targetLength: 6,
  contentLengthLow: 7,
  contentLengthHigh: 8,
  headerCount: 9,
  hostStart: 10,
  hostLength: 11,
} as const;

/** Bits of a record's flags. */
export const FLAG = { http11: 1, keepAlive: 2, chunked: 4, hasLength: 8, expectContinue: 16 } as const;

/** Methods with a number; the order is part of the layout. */
export const METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"] as const;
/** Number of HEAD. */
export const METHOD_HEAD = 4;

/** Header fields of one request at most; more are answered 431. */
export const HEADERS_MAX = 100;
/** Empty lines tolerated before a request line. */
export const LEADING_EMPTY_LINES_MAX = 4;
/** Room for method and version when a request line without end is measured. */
export const LINE_SLACK_BYTES = 64;
/** Longer methods are answered 501. */
export const METHOD_BYTES_MAX = 32;
/** Digits of a Content-Length; longer ones are answered 413. */
export const LENGTH_DIGITS_MAX = 15;
/** Words that hold the records of one call: several requests, or one with the most header fields. */
export const OUT_WORDS = 4096;
