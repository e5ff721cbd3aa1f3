import { assertEquals } from "@std/assert";
import { CountedDecoder } from "../../../src/io/http/counted_decoder.ts";

const BYTES = new Uint8Array(100);

Deno.test("CountedDecoder.next() takes as much of each piece as is announced", () => {
  const decoder = new CountedDecoder(10);
  const steps: unknown[] = [];
  for (const [start, end] of [[3, 7], [0, 1], [50, 100]]) {
    const at = decoder.next(BYTES, start, end);
    steps.push([at, decoder.dataStart, decoder.dataLength, decoder.announcedBytes, decoder.state]);
  }
  assertEquals(steps, [
    [7, 3, 4, 6, "data"],
    [1, 0, 1, 5, "data"],
    [55, 50, 5, 0, "done"],
  ]);
});

Deno.test("CountedDecoder.next() takes nothing of an empty piece, and nothing behind the end", () => {
  const decoder = new CountedDecoder(2);
  assertEquals([decoder.next(BYTES, 5, 5), decoder.dataLength, decoder.state], [5, 0, "data"]);
  decoder.next(BYTES, 0, 2);
  assertEquals([decoder.next(BYTES, 7, 9), decoder.dataLength, decoder.state], [7, 0, "done"]);
});
