/**
 * How a parser describes request heads: one array of 32-bit words for a whole buffer of pipelined requests.
 *
 * ```text
 * word 0  consumed       bytes up to the end of the last complete head
 *      1  rejected       0, or the status that rejects the message beginning at `consumed`
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
 * call overwrites it. Parsing stops after a head that announces a body, or that ends the connection.
 *
 * Written by `native/src/http.rs` and `portable_parser.ts`; a test compares the two word by word.
 */

import { HEAD_FLAG, HEAD_LIMIT, HEAD_RECORD, HEAD_SUMMARY } from "../../../ffi/mod.ts";

/** Parses pipelined request heads at the start of `bytes` into `out`; returns how many. */
export type HeadParser = (
  bytes: Uint8Array,
  byteLength: number,
  out: Int32Array,
  headerBytesMax: number,
  targetBytesMax: number,
) => number;

/** Words of the summary. */
export const SUMMARY = HEAD_SUMMARY;
/** Words of a record. */
export const RECORD = HEAD_RECORD;
/** Bits of a record's flags. */
export const FLAG = HEAD_FLAG;
/** Words before the first record. */
export const SUMMARY_WORDS = HEAD_SUMMARY.words;
/** Words of a record before its header fields. */
export const RECORD_WORDS = HEAD_RECORD.words;
/** Words of a header field. */
export const HEADER_WORDS = HEAD_RECORD.headerWords;

/** Methods with a number; the order is part of the layout. */
export const METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"] as const;
/** Number of HEAD. */
export const METHOD_HEAD = 4;

/** Limits that both parsers enforce; `HEAD_LIMIT` has the status for a request beyond each. */
export const {
  headersMax: HEADERS_MAX,
  leadingEmptyLinesMax: LEADING_EMPTY_LINES_MAX,
  lineSlackBytes: LINE_SLACK_BYTES,
  methodBytesMax: METHOD_BYTES_MAX,
  lengthDigitsMax: LENGTH_DIGITS_MAX,
} = HEAD_LIMIT;
/** Words that hold the records of one call: several requests, or one with the most header fields. */
export const OUT_WORDS = 4096;
