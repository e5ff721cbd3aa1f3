import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { HEAD_VECTORS } from "../../fixtures/http/head_vectors.ts";
import type { ExpectedHead, HeadVector } from "../../fixtures/http/head_vector.ts";
import { latin1Bytes } from "../../support/http_bytes.ts";
import { HEAD_PARSERS, parseHeads } from "../../support/http_parsers.ts";
import type { HeadParser } from "../../../src/io/http/request_head.ts";

/** Longer vectors are not cut at every position. */
const SPLIT_BYTES_MAX = 600;

/** What differs between a vector and a parser's answer, or `undefined`. */
function difference(parser: HeadParser, vector: HeadVector): string | undefined {
  const bytes = latin1Bytes(vector.bytes);
  const answer = parseHeads(parser, bytes, vector);
  const { heads = [], rejected = 0 } = vector;
  try {
    assertStrictEquals(answer.rejected, rejected, "rejected");
    assertStrictEquals(answer.count, heads.length, "count");
    heads.forEach((head, index) => {
      const fields = head.fields ?? answer.heads[index].fields;
      assertEquals(answer.heads[index], { ...defaults, ...without(head), fields });
      assertStrictEquals(answer.lengths[index], head.contentLength, "contentLength");
    });
    return undefined;
  } catch (error) {
    return `${vector.name} (${vector.source}): ${(error as Error).message}`;
  }
}

const defaults = { http11: true, keepAlive: true, chunked: false, expectContinue: false, host: "a" };

function without({ contentLength: _, ...head }: ExpectedHead): Omit<ExpectedHead, "contentLength"> {
  return head;
}

Deno.test("HEAD_VECTORS have names of their own", () => {
  const names = HEAD_VECTORS.map(({ name }) => name);
  assertEquals(names.filter((name, index) => names.indexOf(name) !== index), []);
});

for (const { name, skipReason, parser } of HEAD_PARSERS) {
  const test = (behaviour: string, body: (parse: HeadParser) => void) =>
    Deno.test({
      name: `${name}() ${behaviour}${skipReason === undefined ? "" : ` (skipped: ${skipReason})`}`,
      ignore: skipReason !== undefined,
      fn: () => body(parser()),
    });

  test("answers every published vector as it must", (parse) => {
    const differences = HEAD_VECTORS.map((vector) => difference(parse, vector)).filter((text) =>
      text !== undefined
    );
    assertStrictEquals(differences.join("\n"), "");
  });

  test("gives the same answer when the message comes in two pieces, wherever it is cut", (parse) => {
    for (const vector of HEAD_VECTORS) {
      const bytes = latin1Bytes(vector.bytes);
      if (bytes.byteLength > SPLIT_BYTES_MAX) continue;
      const whole = parseHeads(parse, bytes, vector);
      for (let cut = 0; cut < bytes.byteLength; cut++) {
        // What is refused or understood of a beginning stays so; the rest is decided when more comes.
        const first = parseHeads(parse, bytes.subarray(0, cut), vector);
        const what = `${vector.name}, cut at ${cut}`;
        assert(first.count <= whole.count, what);
        assertEquals(first.heads, whole.heads.slice(0, first.count), what);
        if (first.rejected !== 0) {
          assertEquals([first.rejected, first.count], [whole.rejected, whole.count], what);
        }
      }
    }
  });

  test("finds positions in a buffer whose start has been dealt with", (parse) => {
    const text = "GET /first HTTP/1.1\r\nHost: a\r\n\r\nPUT /second HTTP/1.1\r\nHost: bb\r\nX: y\r\n\r\n";
    const bytes = latin1Bytes(`${text}${text}`);
    const { heads, consumed } = parseHeads(parse, bytes.subarray(text.length));
    assertStrictEquals(consumed, text.length);
    assertEquals(heads.map(({ method, target, host }) => [method, target, host]), [
      ["GET", "/first", "a"],
      ["PUT", "/second", "bb"],
    ]);
  });

  test("looks at no byte behind byteLength", (parse) => {
    const bytes = latin1Bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    for (let byteLength = 0; byteLength <= bytes.byteLength; byteLength++) {
      const words = new Int32Array(4096);
      const count = parse(bytes, byteLength, words, 16_384, 8192);
      assertStrictEquals(count, byteLength < 27 ? 0 : byteLength < 54 ? 1 : 2, `byteLength ${byteLength}`);
      assert(words[0] <= byteLength);
    }
  });

  test("stops before the words are full, and goes on from there", (parse) => {
    const one = "GET /?n HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\n\r\n";
    const total = 500;
    const bytes = latin1Bytes(one.repeat(total));
    let [at, count, calls] = [0, 0, 0];
    while (at < bytes.byteLength) {
      const answer = parseHeads(parse, bytes.subarray(at));
      assertStrictEquals(answer.rejected, 0);
      assert(answer.count > 0, "progress with each call");
      at += answer.consumed;
      count += answer.count;
      calls++;
    }
    assertStrictEquals(count, total);
    assert(calls > 1, "more than one call was needed");
  });

  test("answers nothing for an empty buffer", (parse) => {
    assertEquals(parseHeads(parse, new Uint8Array(0)).words, [0, 0, 4]);
  });
}
