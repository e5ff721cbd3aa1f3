import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { QueueCore } from "../../../src/ipc/queue/core.ts";
import { Slab } from "../../../src/ipc/sharing/mod.ts";
import { COUNTER, FLAG, RECORD } from "../../../src/ipc/queue/layout.ts";
import type { Message } from "../../../src/ipc/queue/mod.ts";
import { ownerOf, PHASE, phaseOf } from "../../../src/ipc/queue/slot_word.ts";
import { routeOf } from "../../../src/ipc/queue/route.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { fakeMemory, reopened } from "./support.ts";

nameSkipReason("Damaged messages", nativeSkipReason());

const PLAIN = { lane: 0, flags: 0, expiresMs: 0 };
/** Bytes that nothing can be decompressed from. */
const JUNK = new Uint8Array([7, 7, 7, 7]);

for (const native of [true, false]) {
  const what = `native code: ${native}`;

  nativeTest(`QueueCore.receiveMany() leaves damaged messages out, and loses no others, ${what}`, () => {
    const { memory } = fakeMemory({ capacity: 8, messageBytesMax: 100 });
    const core = new QueueCore(memory, { native });
    for (let number = 0; number < 8; number++) core.trySend(new Uint8Array([number]), PLAIN);
    const record = (slot: number) => memory.recordOf(slot);
    memory.words[record(2) + RECORD.byteLength] = 101;
    memory.words[record(5) + RECORD.byteLength] = -1;
    memory.words[record(6) + RECORD.route] = routeOf(0, 0, FLAG.compressed);
    const messages: Message[] = [];
    core.receiveMany(messages, 8);
    assertEquals(messages.map(({ data }) => data[0]), [0, 1, 3, 4, 7]);
    assertStrictEquals(core.participants.total(COUNTER.damaged), 3);
    for (let number = 0; number < 8; number++) assert(core.trySend(new Uint8Array(1), PLAIN) >= 0);
    core.close();
  });

  nativeTest(`QueueCore.receive() and reserve() say what is damaged, and it is gone, ${what}`, () => {
    const { memory } = fakeMemory({ capacity: 1, messageBytesMax: 100 });
    const core = new QueueCore(memory, { native });
    const says = { name: "InvalidData", message: /^read from the queue: .* it cannot be decompressed: / };
    for (const take of [() => core.receive(), () => core.reserve()]) {
      assert(core.trySend(JUNK, { ...PLAIN, flags: FLAG.compressed }) >= 0);
      assertThrowsMatching(take, says);
      assertStrictEquals(take(), undefined);
    }
    core.close();
  });
}

nativeTest(
  "QueueCore.read() of a slot whose word is damaged as well leaves nothing to keep house for",
  () => {
    const { memory } = fakeMemory({ capacity: 1, messageBytesMax: 8 });
    const core = new QueueCore(memory);
    core.trySend(new Uint8Array(1), PLAIN);
    const slot = core.take("messages");
    memory.words[memory.recordOf(slot) + RECORD.byteLength] = 9;
    memory.words[memory.slots + slot] = 7 << 8;
    assertThrows(() => core.read(slot), Deno.errors.InvalidData);
    const { setInterval } = globalThis;
    let janitors = 0;
    globalThis.setInterval = ((...args: Parameters<typeof setInterval>) => {
      janitors++;
      return setInterval(...args);
    }) as typeof setInterval;
    try {
      core.maintain();
    } finally {
      globalThis.setInterval = setInterval;
    }
    assertStrictEquals(janitors, 0);
    core.close();
  },
);

nativeTest("QueueCore.receive() of a damaged message leaves its slot to who has it since", () => {
  const { memory } = fakeMemory({ capacity: 1, messageBytesMax: 100 });
  const core = new QueueCore(memory);
  const other = new QueueCore(reopened(memory).memory);
  core.trySend(JUNK, { ...PLAIN, flags: FLAG.compressed });
  // Native code has acknowledged it by the time that it shows: the other is faster than the look at its bytes.
  const { take } = Slab.prototype;
  Slab.prototype.take = function (at, byteLength) {
    Slab.prototype.take = take;
    assertStrictEquals(other.trySend(new Uint8Array([1]), PLAIN), 0);
    assertStrictEquals(other.reserve()?.slot, 0);
    return take.call(this, at, byteLength);
  };
  assertThrows(() => core.receive(), Deno.errors.InvalidData);
  const word = memory.load(0);
  assertEquals([phaseOf(word), ownerOf(word)], [PHASE.reserved, other.participants.number]);
  core.close();
  other.close();
});
