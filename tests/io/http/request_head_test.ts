import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import * as layout from "../../../src/io/http/request_head.ts";
import { latin1Bytes } from "../../support/http_bytes.ts";
import { HEAD_PARSERS } from "../../support/http_parsers.ts";

Deno.test("request_head.ts pins every number of the layout", () => {
  assertEquals({ ...layout }, {
    SUMMARY_WORDS: 4,
    SUMMARY: { consumed: 0, rejected: 1, used: 2, words: 4 },
    RECORD_WORDS: 12,
    HEADER_WORDS: 4,
    RECORD: {
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
      words: 12,
      headerWords: 4,
    },
    FLAG: { http11: 1, keepAlive: 2, chunked: 4, hasLength: 8, expectContinue: 16 },
    METHODS: ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"],
    METHOD_HEAD: 4,
    HEADERS_MAX: 100,
    LEADING_EMPTY_LINES_MAX: 4,
    LINE_SLACK_BYTES: 64,
    METHOD_BYTES_MAX: 32,
    LENGTH_DIGITS_MAX: 15,
    OUT_WORDS: 4096,
  });
});

Deno.test("request_head.ts has room for the longest record in one call", () => {
  const { SUMMARY_WORDS, RECORD_WORDS, HEADER_WORDS, HEADERS_MAX, OUT_WORDS } = layout;
  assert(SUMMARY_WORDS + RECORD_WORDS + HEADER_WORDS * HEADERS_MAX <= OUT_WORDS);
});

const MESSAGE =
  "\r\nPUT /target?q HTTP/1.1\r\nHost: h:1\r\nContent-Length: 5000000000\r\nExpect: 100-continue\r\n\r\nbody";

for (const { name, skipReason, parser } of HEAD_PARSERS) {
  Deno.test({
    name: `${name}() writes each word where the layout says${
      skipReason === undefined ? "" : ` (skipped: ${skipReason})`
    }`,
    ignore: skipReason !== undefined,
    fn() {
      const bytes = latin1Bytes(MESSAGE);
      const words = new Int32Array(64).fill(-1);
      assertStrictEquals(parser()(bytes, bytes.byteLength, words, 1000, 1000), 1);
      const end = MESSAGE.length - 4;
      const summary = [end, 0, 28, -1];
      const record = [2, end, 1 | 2 | 8 | 16, 2, 3, 6, 9, 5000000000 % 2 ** 32, 1, 3, 32, 3];
      const fields = [26, 4, 32, 3, 37, 14, 53, 10, 65, 6, 73, 12];
      assertEquals([...words.subarray(0, 28)], [...summary, ...record, ...fields]);
      assert(words.subarray(28).every((word) => word === -1), "nothing behind `used` is touched");
    },
  });
}
