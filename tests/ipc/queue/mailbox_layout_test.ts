import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  countConstants,
  countsOf,
  MAILBOX_BOXES_MAX,
  MAILBOX_KIND,
  MAILBOX_SIZES_MIB,
  mailboxGeometry,
} from "../../../src/ipc/queue/mailbox_layout.ts";

const MIB = 2 ** 20;
const COUNTS = [2, 0, 1, 0, 0, 0, 0];
const CONSTANTS = { queueIdentity: 77, ...countConstants(COUNTS) };

Deno.test("mailbox layout: every number is what it is", () => {
  assertEquals([MAILBOX_SIZES_MIB, MAILBOX_BOXES_MAX], [
    [1, 2, 5, 10, 20, 50, 100],
    1024,
  ]);
  const words = new Int32Array(1024);
  MAILBOX_KIND.writeHeader(words, CONSTANTS);
  assertStrictEquals(new TextDecoder().decode(new Uint8Array(words.buffer, 0, 4)), "MBOX");
  assertEquals([...words.subarray(1, 3)], [2, 1604558519]);
  assertStrictEquals(words[4], 77);
  assertEquals([...words.subarray(5, 12)], COUNTS);
});

Deno.test("mailboxGeometry() puts boxes at whole pages, smallest first, behind their words", () => {
  assertEquals(mailboxGeometry(COUNTS), {
    boxes: [
      { byteLength: MIB, at: 4096, state: 64 },
      { byteLength: MIB, at: 4096 + MIB, state: 66 },
      { byteLength: 5 * MIB, at: 4096 + 2 * MIB, state: 68 },
    ],
    byteLength: 4096 + 7 * MIB,
  });
  const { boxes } = mailboxGeometry([1024, 0, 0, 0, 0, 0, 0]);
  const [first] = boxes;
  assert(first.at % 4096 === 0 && first.at >= (boxes[1023].state + 2) * 4);
});

Deno.test("RegionKind.inspect() of a mailbox notices every flipped byte of the header, and a wrong length", () => {
  const words = new Int32Array(1024);
  const bytes = new Uint8Array(words.buffer);
  MAILBOX_KIND.writeHeader(words, CONSTANTS);
  const { byteLength } = mailboxGeometry(COUNTS);
  assertEquals(MAILBOX_KIND.inspect(words, byteLength), { state: "ok", constants: CONSTANTS });
  assertEquals(countsOf(CONSTANTS), COUNTS);
  for (let at = 0; at < 64; at++) {
    for (let flip = 1; flip < 256; flip++) {
      bytes[at] ^= flip;
      const read = MAILBOX_KIND.inspect(words, byteLength);
      bytes[at] ^= flip;
      assert("found" in read && read.found.length > 0, `byte ${at} ^ ${flip}`);
    }
  }
  for (const wrong of [0, byteLength - 1, byteLength + 1]) {
    assert("found" in MAILBOX_KIND.inspect(words, wrong));
  }
});

Deno.test("RegionKind.inspect() of a mailbox refuses counts that no mailbox can be made with", () => {
  for (
    const counts of [[0, 0, 0, 0, 0, 0, 0], [-1, 2, 0, 0, 0, 0, 0], [1025, 0, 0, 0, 0, 0, 0], [
      2 ** 30,
      0,
      0,
      0,
      0,
      0,
      0,
    ]]
  ) {
    const words = new Int32Array(1024);
    MAILBOX_KIND.writeHeader(words, { queueIdentity: 77, ...countConstants(counts) });
    const read = MAILBOX_KIND.inspect(words, 4096);
    assert("found" in read && /damaged/.test(read.found), JSON.stringify(counts));
  }
});
