import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { SeededRandom } from "../../../src/base/mod.ts";
import { CHUNK_OVERHEAD_BYTES_MAX, type ChunkedState } from "../../../src/io/http/chunked_decoder.ts";
import { CHUNKED_VECTORS } from "../../fixtures/http/chunked_vectors.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";
import { chunk, latin1Bytes } from "../../support/http_bytes.ts";
import { decodeNaively, decodePieces } from "../../support/http_chunks.ts";
import { pick } from "../../support/http_fuzz.ts";

/** Messages of one run. */
const MESSAGE_COUNT = 4000;

const vectors = CHUNKED_VECTORS.map((vector) => ({ ...vector, raw: latin1Bytes(vector.bytes) }));

Deno.test("ChunkedDecoder.next() answers every published vector as it must", () => {
  const differences: string[] = [];
  for (const { name, source, raw, data, rest = "" } of vectors) {
    const found = decodePieces([raw]);
    const expected = data === undefined ? "failed" : "done";
    const wrong = found.result !== expected ||
      expected === "done" && (found.data !== data || found.end !== raw.byteLength - rest.length);
    if (wrong) differences.push(`${name} (${source}): ${JSON.stringify(found)}`);
  }
  assertStrictEquals(differences.join("\n"), "");
});

Deno.test("ChunkedDecoder.next() gives the same answer when a vector is cut at every two positions", () => {
  for (const { name, raw } of vectors) {
    if (raw.byteLength > 300) continue;
    const whole = decodePieces([raw]);
    for (let first = 0; first <= raw.byteLength; first++) {
      for (let second = first; second <= raw.byteLength; second++) {
        const pieces = [raw.subarray(0, first), raw.subarray(first, second), raw.subarray(second)];
        assertEquals(decodePieces(pieces), whole, `${name}, cut at ${first} and ${second}`);
      }
    }
  }
});

Deno.test("ChunkedDecoder.next() gives the same answer byte by byte, through all of its states", () => {
  const states = new Set<ChunkedState>();
  for (const { name, raw } of vectors) {
    assertEquals(
      decodePieces(Array.from(raw, (_, at) => raw.subarray(at, at + 1)), states),
      decodePieces([raw]),
      name,
    );
  }
  const all: Record<ChunkedState, true> = {
    "size": true,
    "extension": true,
    "size-lf": true,
    "data": true,
    "data-cr": true,
    "data-lf": true,
    "trailer-start": true,
    "trailer-name": true,
    "trailer": true,
    "trailer-lf": true,
    "end-lf": true,
    "done": true,
    "failed": true,
  };
  assertEquals([...states].sort(), Object.keys(all).sort());
});

Deno.test("ChunkedDecoder.next() agrees with the grammar on every beginning of every vector", () => {
  for (const { name, bytes, raw } of vectors) {
    for (let length = 0; length <= raw.byteLength; length++) {
      const beginning = bytes.slice(0, length);
      assertEquals(
        decodePieces([raw.subarray(0, length)]),
        decodeNaively(beginning),
        `${name}, ${length} bytes`,
      );
    }
  }
});

Deno.test("ChunkedDecoder.next() bounds what extensions and trailers take, all together", () => {
  const half = "e".repeat(CHUNK_OVERHEAD_BYTES_MAX / 2);
  const cases: readonly (readonly [string, "done" | "failed"])[] = [
    [`1;${half}${half}\r\nx\r\n0\r\n\r\n`, "done"],
    [`1;${half}${half}e\r\nx\r\n0\r\n\r\n`, "failed"],
    [`1;${half}\r\nx\r\n1;${half}\r\nx\r\n0\r\n\r\n`, "done"],
    [`1;${half}\r\nx\r\n1;${half}e\r\nx\r\n0\r\n\r\n`, "failed"],
    [`1;${half}\r\nx\r\n0\r\nX: ${half}\r\n\r\n`, "failed"],
    [`0\r\nX:${half}${half}${half}`, "failed"],
    [`0\r\n${half}${half}${half}`, "failed"],
  ];
  for (const [text, result] of cases) assertStrictEquals(decodePieces([latin1Bytes(text)]).result, result);
});

Deno.test("ChunkedDecoder.next() takes a chunk of 2^48 - 1 bytes at its word", () => {
  const found = decodePieces([latin1Bytes("ffffffffffff\r\n"), new Uint8Array(100_000)]);
  assertEquals([found.result, found.data.length], ["incomplete", 100_000]);
});

Deno.test("ChunkedDecoder.next() decodes random bodies in random pieces as the grammar reads", async () => {
  const [seed] = testSeeds(1);
  await withSeed(seed, () => {
    const random = new SeededRandom(seed);
    const count = { done: 0, failed: 0, incomplete: 0 };
    for (let message = 0; message < MESSAGE_COUNT; message++) {
      const text = randomBody(random);
      const found = decodePieces(randomPieces(random, latin1Bytes(text)));
      assertEquals(found, decodeNaively(text), JSON.stringify(text));
      count[found.result]++;
    }
    for (const result of Object.values(count)) assert(result > MESSAGE_COUNT / 50, JSON.stringify(count));
  });
});

const TOKENS = [
  "0",
  "1",
  "5",
  "A",
  "ffff",
  ";",
  ";a=b",
  ';q="x"',
  "\r\n",
  "\r",
  "\n",
  " ",
  "\t",
  "\0",
  "X: y",
  ":",
  "\xff",
  "\x7f",
];

function randomBody(random: SeededRandom): string {
  let text = "";
  for (let count = random.below(4); count > 0; count--) {
    const data = "data\r\n0;\xff".slice(0, 1 + random.below(9));
    text += random.below(3) === 0 ? chunk(data).replace("\r\n", `;e${count}\r\n`) : chunk(data);
  }
  text += pick(random, ["0\r\n\r\n", "00;x\r\n\r\n", "0\r\nX: y\r\nz:\r\n\r\n", "0\r\n\r\nrest", ""]);
  for (let count = random.below(3); count > 0; count--) {
    const at = random.below(text.length + 1);
    text = text.slice(0, at) + pick(random, TOKENS) + text.slice(at + random.below(2));
  }
  return text;
}

function randomPieces(random: SeededRandom, bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.byteLength;) {
    const length = 1 + random.below(12);
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}
