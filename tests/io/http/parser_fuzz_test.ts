import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { SeededRandom } from "../../../src/base/mod.ts";
import type { HeadParser } from "../../../src/io/http/request_head.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";
import { latin1Bytes } from "../../support/http_bytes.ts";
import { mutatedRequest, randomBytesText, tokenSoup } from "../../support/http_fuzz.ts";
import { HEAD_PARSERS, parseHeads, type ParseLimits } from "../../support/http_parsers.ts";

/** Messages of one run. */
const MESSAGE_COUNT = 20_000;

const [portable, native] = HEAD_PARSERS;

function randomMessage(random: SeededRandom): string {
  switch (random.below(8)) {
    case 0:
    case 1:
      return tokenSoup(random);
    case 2:
      return randomBytesText(random, 200);
    default:
      return mutatedRequest(random);
  }
}

function randomLimits(random: SeededRandom): ParseLimits {
  return random.below(4) > 0
    ? {}
    : { headerBytesMax: 1 + random.below(120), targetBytesMax: 1 + random.below(60) };
}

/** Whether the bytes end with the end of a head, so that nothing depends on how far a parser looks ahead. */
function complete(text: string): boolean {
  return text.endsWith("\r\n\r\n");
}

function forEachMessage(body: (text: string, bytes: Uint8Array, limits: ParseLimits) => void): Promise<void> {
  const [seed] = testSeeds(1);
  return withSeed(seed, () => {
    const random = new SeededRandom(seed);
    for (let count = 0; count < MESSAGE_COUNT; count++) {
      const text = randomMessage(random);
      body(text, latin1Bytes(text), randomLimits(random));
    }
  });
}

Deno.test({
  name: `portableHeadParser() and nativeHttpParse() answer random messages in the same words${
    native.skipReason === undefined ? "" : ` (skipped: ${native.skipReason})`
  }`,
  ignore: native.skipReason !== undefined,
  async fn() {
    const [ours, theirs] = [portable.parser(), native.parser()];
    let [accepted, refused] = [0, 0];
    await forEachMessage((text, bytes, limits) => {
      const expected = parseHeads(ours, bytes, limits);
      const found = parseHeads(theirs, bytes, limits);
      // Of half a head, one may see sooner than the other that it is bad; what is complete must be the same.
      if (complete(text) || expected.rejected === found.rejected) {
        assertEquals(found, expected, JSON.stringify({ text, limits }));
      } else {
        assertStrictEquals(found.count, expected.count, JSON.stringify({ text, limits }));
        assert(found.rejected === 0 || expected.rejected === 0, JSON.stringify({ text, limits }));
      }
      accepted += found.count > 0 ? 1 : 0;
      refused += found.rejected > 0 ? 1 : 0;
    });
    // A generator that makes only bad messages, or only good ones, would show nothing.
    assert(accepted > MESSAGE_COUNT / 10 && refused > MESSAGE_COUNT / 10, `${accepted} and ${refused}`);
  },
});

for (const { name, skipReason, parser } of HEAD_PARSERS) {
  Deno.test({
    name: `${name}() keeps to the layout whatever it is given${
      skipReason === undefined ? "" : ` (skipped: ${skipReason})`
    }`,
    ignore: skipReason !== undefined,
    async fn() {
      const parse = parser();
      await forEachMessage((text, bytes, limits) => assertLayout(parse, text, bytes, limits));
    },
  });
}

const STATUSES: readonly number[] = [0, 400, 413, 414, 417, 431, 501, 505];

function assertLayout(parse: HeadParser, text: string, bytes: Uint8Array, limits: ParseLimits): void {
  const what = JSON.stringify({ text, limits });
  const { count, consumed, rejected, heads, words } = parseHeads(parse, bytes, limits);
  assertStrictEquals(count, heads.length, what);
  assert(consumed >= 0 && consumed <= bytes.byteLength, what);
  assert(STATUSES.includes(rejected), `${what}: ${rejected}`);
  assert(words.every(Number.isInteger), what);
  for (const { host, http11, fields, chunked, keepAlive } of heads) {
    assert(!http11 || host !== "", what);
    assert(!/[\s\0/@#?\\]/.test(host), what);
    for (const [name, value] of fields) {
      assertMatch(name, /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/, what);
      assertMatch(
        value,
        /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/,
        what,
      );
    }
    const names = fields.map(([name]) => name.toLowerCase());
    const lengths = names.filter((name) => name === "content-length").length;
    const codings = names.filter((name) => name === "transfer-encoding").length;
    assert(lengths + codings <= 1, what);
    assertStrictEquals(chunked, codings === 1, what);
    assert(keepAlive || heads.at(-1)?.keepAlive === keepAlive, what);
  }
}
