import { assert, assertEquals, assertMatch, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import * as layout from "../../../src/ipc/memory/layout.ts";

const HEADER = { byteLength: 5000, creatorPid: 77, creatorStartedMs: 123.5, createdMs: 456 };
/** Of its words. */
const CHECKSUM = 762396288;

function ready(): Uint8Array<ArrayBuffer> {
  const bytes = layout.encodeHeader(HEADER);
  bytes.set(layout.encodeState(layout.STATE.ready), layout.AT.state);
  return bytes.subarray(0, layout.HEADER_USED_BYTES);
}

Deno.test("the layout of a region has the numbers of its diagram", () => {
  assertStrictEquals(layout.REGION_MAGIC, new Int32Array(new TextEncoder().encode("MSHM").buffer)[0]);
  assertStrictEquals(layout.REGION_VERSION, 2);
  assertStrictEquals(layout.HEADER_BYTES, 4096);
  assertStrictEquals(layout.HEADER_USED_BYTES, 48);
  assertStrictEquals(layout.ROUND_BYTES, 4096);
  assertEquals(layout.AT, {
    magic: 0,
    version: 4,
    layoutHash: 8,
    state: 12,
    byteLength: 16,
    creatorPid: 24,
    checksum: 28,
    creatorStartedMs: 32,
    createdMs: 40,
  });
  assertEquals(layout.STATE, { making: 1, ready: 2 });
  assertEquals(layout.LOCK_AT, { open: 0, remove: 1, first: 1024 });
  assertStrictEquals(layout.SHARED_MEMORY_LOCK_COUNT, 1024);
  assertStrictEquals(layout.SHARED_MEMORY_BYTES_MAX, 4_294_967_296);
});

Deno.test("LAYOUT_HASH changes only with the layout", () => {
  assertStrictEquals(layout.LAYOUT_HASH, -576747785);
});

Deno.test("encodeHeader() makes the bytes of the diagram", () => {
  const bytes = layout.encodeHeader(HEADER);
  assertStrictEquals(bytes.byteLength, 4096);
  const view = new DataView(bytes.buffer);
  assertEquals([0, 4, 8, 12, 24, 28].map((at) => view.getInt32(at, true)), [
    layout.REGION_MAGIC,
    2,
    layout.LAYOUT_HASH,
    1,
    77,
    CHECKSUM,
  ]);
  assertEquals([16, 32, 40].map((at) => view.getFloat64(at, true)), [5000, 123.5, 456]);
  assert(bytes.subarray(48).every((byte) => byte === 0));
});

Deno.test("fileBytesOf() is a page and whole pages", () => {
  const cases = [[1, 8192], [4096, 8192], [4097, 12_288], [2 ** 32, 2 ** 32 + 4096]];
  for (const [byteLength, expected] of cases) assertStrictEquals(layout.fileBytesOf(byteLength), expected);
});

Deno.test("inspect() tells a region by its header and its size", () => {
  assertEquals(layout.inspect(ready(), 12_288), { state: "ready", header: HEADER });
  const making = layout.encodeHeader(HEADER);
  for (const fileBytes of [4096, 12_288]) {
    assertEquals(layout.inspect(making, fileBytes), { state: "making", header: HEADER });
  }
  assertEquals(layout.inspect(new Uint8Array(0), 0), { state: "empty" });
});

type Case = [change: (view: DataView) => void, state: string, found: RegExp];

Deno.test("inspect() says what is wrong", () => {
  const { AT } = layout;
  const cases: Case[] = [
    [(view) => view.setInt32(AT.magic, 0, true), "foreign", /no region of Millrace's/],
    [(view) => view.setInt32(AT.version, 1, true), "other version", /has version 1, expected 2/],
    [(view) => view.setInt32(AT.layoutHash, 5, true), "other version", /layout is another build's/],
    [(view) => view.setInt32(AT.state, 0, true), "damaged", /its state is 0/],
    [(view) => view.setInt32(AT.state, 3, true), "damaged", /its state is 3/],
    [(view) => view.setFloat64(AT.byteLength, 0, true), "damaged", /its length is 0/],
    [(view) => view.setFloat64(AT.byteLength, NaN, true), "damaged", /its length is NaN/],
    [(view) => view.setFloat64(AT.byteLength, 1.5, true), "damaged", /its length is 1.5/],
    [(view) => view.setFloat64(AT.byteLength, 2 ** 33, true), "damaged", /its length is 8589934592/],
    [(view) => view.setFloat64(AT.byteLength, 9000, true), "damaged", /12288 bytes, expected 16384/],
  ];
  for (const [change, state, found] of cases) {
    const bytes = ready();
    change(new DataView(bytes.buffer));
    const inspection = layout.inspect(bytes, 12_288);
    assertStrictEquals(inspection.state, state);
    assert("found" in inspection);
    assertMatch(inspection.found, found);
  }
  for (const fileBytes of [1, 47, 4095]) {
    assertStrictEquals(layout.inspect(ready().subarray(0, fileBytes), fileBytes).state, "foreign");
  }
});

Deno.test("inspect() notices any bit of a header that has changed", () => {
  for (let bit = 0; bit < layout.HEADER_USED_BYTES * 8; bit++) {
    const bytes = ready();
    bytes[bit >> 3] ^= 1 << (bit & 7);
    assertNotStrictEquals(layout.inspect(bytes, 12_288).state, "ready", `bit ${bit}`);
  }
});

Deno.test("inspect() takes any bytes", () => {
  for (let at = 0; at < layout.HEADER_USED_BYTES; at++) {
    for (const value of [0, 1, 127, 128, 255]) {
      const bytes = ready();
      bytes[at] = value;
      layout.inspect(bytes, 12_288);
    }
  }
});

Deno.test("inspect() says of times that are none that they are damage, whatever the checksum", () => {
  for (const field of ["creatorStartedMs", "createdMs"]) {
    for (const ms of [NaN, Infinity, -1e300]) {
      const bytes = layout.encodeHeader({ ...HEADER, [field]: ms });
      for (const state of [layout.STATE.making, layout.STATE.ready]) {
        bytes.set(layout.encodeState(state), layout.AT.state);
        const inspection = layout.inspect(bytes.subarray(0, layout.HEADER_USED_BYTES), 12_288);
        assertEquals(inspection, { state: "damaged", found: `it is damaged: it has ${ms} for a time` });
      }
    }
    // Before 1970, as far as a clock that is wrong can tell.
    const early = layout.encodeHeader({ ...HEADER, [field]: -1 });
    assertStrictEquals(layout.inspect(early.subarray(0, layout.HEADER_USED_BYTES), 12_288).state, "making");
  }
});
