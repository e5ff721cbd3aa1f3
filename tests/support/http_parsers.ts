import { nativeHttpParse, nativeStatus } from "../../ffi/mod.ts";
import { HTTP_LIMITS } from "../../src/io/http/mod.ts";
import { portableHeadParser } from "../../src/io/http/portable_parser.ts";
import {
  FLAG,
  HEADER_WORDS,
  type HeadParser,
  METHODS,
  OUT_WORDS,
  RECORD,
  RECORD_WORDS,
  SUMMARY,
  SUMMARY_WORDS,
} from "../../src/io/http/request_head.ts";
import type { ExpectedHead } from "../fixtures/http/head_vector.ts";
import { latin1Text } from "./http_bytes.ts";

/** A head parser, and why it cannot run here. */
export interface ParserUnderTest {
  readonly name: "portableHeadParser" | "nativeHttpParse";
  readonly skipReason: string | undefined;
  /** The parser; not to be called when it is to be skipped. */
  parser(): HeadParser;
}

// Asked here, outside of any test's sanitizers, because it opens the native library.
const status = nativeStatus();

/** Both head parsers. */
export const HEAD_PARSERS: readonly ParserUnderTest[] = [
  { name: "portableHeadParser", skipReason: undefined, parser: () => portableHeadParser },
  {
    name: "nativeHttpParse",
    skipReason: status.available ? undefined : `the native library: ${status.reason}`,
    parser: nativeHttpParse,
  },
];

/** Limits of one call. */
export interface ParseLimits {
  readonly headerBytesMax?: number;
  readonly targetBytesMax?: number;
}

/** What a parser said about one buffer. */
export interface ParseAnswer {
  readonly count: number;
  readonly consumed: number;
  readonly rejected: number;
  /** All words that were used, the summary first. */
  readonly words: readonly number[];
  readonly heads: readonly Required<Omit<ExpectedHead, "contentLength">>[];
  /** Announced lengths, `undefined` where there is none. */
  readonly lengths: readonly (number | undefined)[];
}

/** What words held before a call: a parser must not count on zeros. */
const STALE_WORD = 0x5a5a5a5a;

/** Calls a parser and takes its words apart. */
export function parseHeads(parser: HeadParser, bytes: Uint8Array, limits: ParseLimits = {}): ParseAnswer {
  const { headerBytesMax = HTTP_LIMITS.headerBytesMax, targetBytesMax = HTTP_LIMITS.targetBytesMax } = limits;
  const words = new Int32Array(OUT_WORDS).fill(STALE_WORD);
  const count = parser(bytes, bytes.byteLength, words, headerBytesMax, targetBytesMax);
  const answer = {
    count,
    consumed: words[SUMMARY.consumed],
    rejected: words[SUMMARY.rejected],
    words: [...words.subarray(0, SUMMARY_WORDS - 1), ...words.subarray(SUMMARY_WORDS, words[SUMMARY.used])],
    heads: [] as Required<Omit<ExpectedHead, "contentLength">>[],
    lengths: [] as (number | undefined)[],
  };
  for (let index = 0, base = SUMMARY_WORDS; index < count; index++) {
    answer.heads.push(readHead(bytes, words, base));
    answer.lengths.push(readLength(words, base));
    base += RECORD_WORDS + HEADER_WORDS * words[base + RECORD.headerCount];
  }
  return answer;
}

function readHead(
  bytes: Uint8Array,
  words: Int32Array,
  base: number,
): Required<Omit<ExpectedHead, "contentLength">> {
  const text = (start: number, length: number) => latin1Text(bytes.subarray(start, start + length));
  const flags = words[base + RECORD.flags];
  const method = text(words[base + RECORD.start], words[base + RECORD.methodLength]);
  const number = METHODS.indexOf(method as typeof METHODS[number]);
  if (words[base + RECORD.method] !== (number < 0 ? METHODS.length : number)) {
    throw new Error(`method ${method} has number ${words[base + RECORD.method]}`);
  }
  const fields: [string, string][] = [];
  for (let field = 0; field < words[base + RECORD.headerCount]; field++) {
    const at = base + RECORD_WORDS + HEADER_WORDS * field;
    fields.push([text(words[at], words[at + 1]), text(words[at + 2], words[at + 3])]);
  }
  return {
    method,
    target: text(words[base + RECORD.targetStart], words[base + RECORD.targetLength]),
    http11: (flags & FLAG.http11) !== 0,
    keepAlive: (flags & FLAG.keepAlive) !== 0,
    chunked: (flags & FLAG.chunked) !== 0,
    expectContinue: (flags & FLAG.expectContinue) !== 0,
    host: text(words[base + RECORD.hostStart], words[base + RECORD.hostLength]),
    fields,
  };
}

function readLength(words: Int32Array, base: number): number | undefined {
  const low = words[base + RECORD.contentLengthLow] >>> 0;
  const length = low + 0x1_0000_0000 * words[base + RECORD.contentLengthHigh];
  if ((words[base + RECORD.flags] & FLAG.hasLength) !== 0) return length;
  if (length !== 0) throw new Error(`no length is announced, found ${length}`);
  return undefined;
}
