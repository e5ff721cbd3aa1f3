import { assert, assertEquals, assertStrictEquals, fail } from "@std/assert";
import { QUEUE_STATE } from "../../../ffi/mod.ts";
import { QueueCore } from "../../../src/ipc/queue/core.ts";
import { QUEUE_MESSAGE_BYTES_MAX } from "../../../src/ipc/queue/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { fakeMemory, FrozenClock } from "./support.ts";

nameSkipReason("QueueCore", nativeSkipReason());

const PLAIN = { lane: 0, flags: 0, expiresMs: 0 };
/** Slots of the longest messages until a region has more bytes than 31 bits, and than 32 bits less a record, count. */
const CAPACITY = 63;

for (const native of [true, false]) {
  nativeTest(`QueueMemory of nearly 4 GiB: messages lie where they should, native code: ${native}`, () => {
    // Only the pages that are written to take memory.
    const { memory } = fakeMemory({ capacity: CAPACITY, messageBytesMax: QUEUE_MESSAGE_BYTES_MAX });
    assert(memory.bytes.byteLength > 2 ** 31);
    const core = new QueueCore(memory, { native });
    const long = new Uint8Array(10_000).fill(7);
    for (let number = 0; number < CAPACITY; number++) {
      assert(core.trySend(number === CAPACITY - 1 ? long : new Uint8Array([number, 1]), PLAIN) >= 0);
    }
    for (let number = 0; number < CAPACITY; number++) {
      const expected = number === CAPACITY - 1 ? long : new Uint8Array([number, 1]);
      assertEquals(core.receive()?.data, expected);
    }
    core.close();
  });
}

nativeTest("QueueCore.findRoom() does not look again for what the dead left", () => {
  using _ = new FrozenClock();
  const { memory } = fakeMemory({ capacity: 64, messageBytesMax: 8 });
  const core = new QueueCore(memory);
  // So often that it looks around.
  for (let count = 0; count < 64; count++) core.take("messages");
  while (core.trySend(new Uint8Array(1), PLAIN) >= 0);
  const peek = memory.peek.bind(memory);
  let looks = 0;
  Object.defineProperty(memory, "peek", { value: (slot: number) => (looks++, peek(slot)) });
  assertStrictEquals(core.findRoom(), false);
  assertStrictEquals(looks, 64, "for what is too old");
  assertStrictEquals(core.findRoom(), false);
  assertStrictEquals(looks, 64, "that was a moment ago");
  core.close();
});

nativeTest(
  "QueueCore.trySendMany() gives messages ids one behind the other, also where sequence numbers come round",
  () => {
    for (const checksums of [false, true]) {
      const { memory } = fakeMemory({ capacity: 4, messageBytesMax: 8 }, checksums);
      const core = new QueueCore(memory);
      core.state.words[QUEUE_STATE.sequence] = -3;
      assertStrictEquals(
        core.trySendMany(Array.from({ length: 4 }, () => new Uint8Array(1)), 0, 4, PLAIN),
        4,
      );
      const ids = Array.from({ length: 4 }, () => core.receive()?.id ?? fail("there is no message"));
      assertEquals(ids.map((id) => id - ids[0]), [0n, 1n, 2n, 3n]);
      core.close();
    }
  },
);
