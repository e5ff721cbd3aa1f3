import assert from "node:assert/strict";
import {
  MAILBOX_BOXES_MAX,
  MAILBOX_SIZES_MIB,
  mailboxGeometry,
  readMailboxConstants,
  writeMailboxConstants,
} from "../../../src/ipc/queue/mailbox_layout.ts";

const MIB = 2 ** 20;
const COUNTS = [2, 0, 1, 0, 0, 0, 0];

Deno.test("mailbox layout: every number is what it is", () => {
  assert.deepEqual([MAILBOX_SIZES_MIB, MAILBOX_BOXES_MAX], [
    [1, 2, 5, 10, 20, 50, 100],
    1024,
  ]);
  const words = new Int32Array(1024);
  writeMailboxConstants(words, COUNTS, 77);
  assert.equal(new TextDecoder().decode(new Uint8Array(words.buffer, 0, 4)), "MBOX");
  assert.deepEqual([...words.subarray(1, 3)], [1, -742593140]);
  assert.equal(words[4], 77);
  assert.deepEqual([...words.subarray(16, 23)], COUNTS);
});

Deno.test("mailboxGeometry() puts boxes at whole pages, smallest first, behind their words", () => {
  assert.deepEqual(mailboxGeometry(COUNTS), {
    boxes: [
      { byteLength: MIB, at: 4096, state: 64 },
      { byteLength: MIB, at: 4096 + MIB, state: 66 },
      { byteLength: 5 * MIB, at: 4096 + 2 * MIB, state: 68 },
    ],
    byteLength: 4096 + 7 * MIB,
  });
  const { boxes } = mailboxGeometry([1024, 0, 0, 0, 0, 0, 0]);
  const [first] = boxes;
  assert.ok(first.at % 4096 === 0 && first.at >= (boxes[1023].state + 2) * 4);
});

Deno.test("readMailboxConstants() notices every flipped byte of the header, and a wrong length", () => {
  const words = new Int32Array(1024);
  const bytes = new Uint8Array(words.buffer);
  writeMailboxConstants(words, COUNTS, 77);
  const { byteLength } = mailboxGeometry(COUNTS);
  assert.deepEqual(readMailboxConstants(words, byteLength), { counts: COUNTS, queueIdentity: 77 });
  const places = [
    ...Array.from({ length: 16 }, (_, at) => at),
    ...Array.from({ length: 28 }, (_, at) => 64 + at),
  ];
  for (const at of places) {
    for (let flip = 1; flip < 256; flip++) {
      bytes[at] ^= flip;
      const read = readMailboxConstants(words, byteLength);
      bytes[at] ^= flip;
      assert.ok("found" in read && read.found.length > 0, `byte ${at} ^ ${flip}`);
    }
  }
  for (const wrong of [0, byteLength - 1, byteLength + 1]) {
    assert.ok("found" in readMailboxConstants(words, wrong));
  }
});

Deno.test("readMailboxConstants() refuses counts that no mailbox can be made with", () => {
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
    writeMailboxConstants(words, counts, 77);
    const read = readMailboxConstants(words, 4096);
    assert.ok("found" in read && /damaged/.test(read.found), JSON.stringify(counts));
  }
});
