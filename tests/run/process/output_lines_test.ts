import { assertEquals } from "@std/assert";
import { SeededRandom } from "../../../src/base/mod.ts";
import { OutputLines } from "../../../src/run/process/output_lines.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";

function linesOf(pieces: readonly string[], bytesMax?: number): string[] {
  const lines: string[] = [];
  const output = new OutputLines((line) => lines.push(new TextDecoder().decode(line)), bytesMax);
  for (const piece of pieces) output.add(new TextEncoder().encode(piece));
  output.end();
  return lines;
}

Deno.test("OutputLines cuts a stream into lines without their ends", () => {
  assertEquals(linesOf(["a\nb\r\n\nc"]), ["a", "b", "", "c"]);
  assertEquals(linesOf(["a", "b\n", "\r\n", "c\r", "\n"]), ["ab", "", "c"]);
  assertEquals(linesOf([""]), []);
});

Deno.test("OutputLines cuts a line that is too long, and holds no more of it", () => {
  assertEquals(linesOf(["abcdefgh\n"], 3), ["abc", "def", "gh"]);
  assertEquals(linesOf(["ab", "cdef", "\n", "g\n"], 3), ["abc", "def", "g"]);
  assertEquals(linesOf(["abc\n", "def\n"], 3), ["abc", "def"], "one that just fits is whole");
});

Deno.test("OutputLines gives the same lines however the stream is cut", async () => {
  const [seed] = testSeeds(1);
  await withSeed(seed, () => {
    const random = new SeededRandom(seed);
    for (let run = 0; run < 200; run++) {
      const text = Array.from({ length: random.below(60) }, () => "ab\n"[random.below(3)]).join("");
      const pieces: string[] = [];
      for (let at = 0; at < text.length;) {
        const length = 1 + random.below(9);
        pieces.push(text.slice(at, at + length));
        at += length;
      }
      assertEquals(linesOf(pieces, 7), linesOf([text], 7), JSON.stringify(text));
    }
  });
});
