import { assertEquals, assertStrictEquals } from "@std/assert";
import { InputBuffer } from "../../../src/io/http/input_buffer.ts";
import { latin1Bytes, latin1Text } from "../../support/http_bytes.ts";
import { SeededRandom } from "../../../src/base/mod.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";

const textOf = (input: InputBuffer) => latin1Text(input.bytes.subarray(0, input.byteLength));

Deno.test("InputBuffer.append() copies part of a piece behind what is there", () => {
  const input = new InputBuffer();
  const piece = latin1Bytes("abcdef");
  input.append(piece, 2, 4);
  piece.fill(0);
  input.append(latin1Bytes("xyz"), 0, 3);
  assertStrictEquals(textOf(input), "cdxyz");
});

Deno.test("InputBuffer holds no memory before, and after everything was taken out", () => {
  const input = new InputBuffer();
  assertStrictEquals(input.bytes.byteLength, 0);
  for (const empty of [() => input.clear(), () => input.drop(3), () => input.drop(1000)]) {
    input.append(latin1Bytes("abc"), 0, 3);
    empty();
    assertEquals([input.byteLength, input.bytes.byteLength], [0, 0]);
  }
});

Deno.test("InputBuffer keeps what was appended and not dropped, in order", async () => {
  for (const seed of testSeeds(20)) {
    await withSeed(seed, () => {
      const random = new SeededRandom(seed);
      const input = new InputBuffer();
      let expected = "";
      for (let step = 0; step < 200; step++) {
        if (random.below(3) > 0) {
          const text = String.fromCharCode(97 + step % 26).repeat(random.below(400));
          const start = random.below(text.length + 1);
          input.append(latin1Bytes(text), start, text.length);
          expected += text.slice(start);
        } else {
          const count = random.below(expected.length + 1);
          input.drop(count);
          expected = expected.slice(count);
        }
        assertStrictEquals(textOf(input), expected);
      }
    });
  }
});

Deno.test("InputBuffer.hasEmptyLineSince() finds the end of a head that the last piece completed", () => {
  const cases: readonly (readonly [before: string, piece: string, found: boolean])[] = [
    ["a\r\n", "\r\n", true],
    ["a\r\n\r", "\n", true],
    ["a\r", "\n\r\nb", true],
    ["a", "\r\n\r\nb", true],
    ["a\n", "\n", true],
    ["", "\n\n", true],
    ["a\r\n", "b\r\n", false],
    ["a\r\n\r\n", "b", false],
    ["", "\n", false],
    ["", "\r\n", false],
    ["a\r\n\r", "", false],
  ];
  for (const [before, piece, found] of cases) {
    const input = new InputBuffer();
    for (const text of [before, piece]) input.append(latin1Bytes(text), 0, text.length);
    assertStrictEquals(input.hasEmptyLineSince(before.length), found, JSON.stringify([before, piece]));
  }
});

Deno.test("InputBuffer.hasMoreThanLineEnds tells the beginning of a head from empty lines before one", () => {
  const buffer = new InputBuffer();
  const add = (text: string) => buffer.append(new TextEncoder().encode(text), 0, text.length);
  assertStrictEquals(buffer.hasMoreThanLineEnds, false);
  add("\r\n\n");
  assertStrictEquals(buffer.hasMoreThanLineEnds, false);
  add("G");
  assertStrictEquals(buffer.hasMoreThanLineEnds, true);
  buffer.clear();
  assertStrictEquals(buffer.hasMoreThanLineEnds, false);
});
