import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { assertRejectsMatching, assertThrowsMatching } from "../../support/assertions.ts";
import { QueueCore } from "../../../src/ipc/queue/core.ts";
import { Delivery } from "../../../src/ipc/queue/delivery.ts";
import { FLAG } from "../../../src/ipc/queue/layout.ts";
import { PendingRequest } from "../../../src/ipc/queue/request.ts";
import { generationOf } from "../../../src/ipc/queue/slot_word.ts";
import { SharedQueueReplyError } from "../../../src/ipc/queue/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { fakeMemory, reopened } from "./support.ts";

nameSkipReason("Delivery", nativeSkipReason());

/** A queue of two openers, the second of which has a request of the first. */
function requested(): {
  requester: QueueCore;
  pending: PendingRequest;
  consumer: QueueCore;
  delivery: Delivery;
  die: () => void;
} {
  const { memory } = fakeMemory({ capacity: 2, messageBytesMax: 100 });
  const other = reopened(memory);
  const requester = new QueueCore(memory);
  const consumer = new QueueCore(other.memory);
  const slot = requester.trySend(new Uint8Array([1, 2, 3]), { lane: 0, flags: FLAG.request, expiresMs: 0 });
  const pending = new PendingRequest(requester, slot, generationOf(memory.load(slot)), 0);
  const reserved = consumer.reserve();
  assert(reserved !== undefined);
  const delivery = new Delivery(consumer, reserved.slot, reserved.message, true);
  return { requester, pending, consumer, delivery, die: () => other.region.die() };
}

nativeTest(
  "Delivery.reply() by one who dies while writing it leaves no half of a reply for a request",
  async () => {
    const { requester, pending, consumer, delivery, die } = requested();
    const { bytes } = consumer.memory;
    // Dies right behind the bytes.
    Object.defineProperty(consumer.memory, "bytes", {
      value: {
        set(data: Uint8Array, at: number): void {
          bytes.set(data, at);
          throw new Error("killed");
        },
      },
    });
    assertThrowsMatching(() => delivery.reply("no request"), /killed/);
    die();
    requester.recover();
    assertStrictEquals(requester.reserve(), undefined);
    await assertRejectsMatching(
      () => pending.reply({ timeoutMs: 1000 }),
      (error) => error instanceof SharedQueueReplyError && error.reason === "lost",
    );
    requester.close();
  },
);

nativeTest("Delivery of a request: whose consumer dies before it replies is delivered again", () => {
  const { requester, delivery, die } = requested();
  assertEquals([...delivery.message.data], [1, 2, 3]);
  die();
  requester.recover();
  const again = requester.reserve();
  assertEquals([...again?.message.data ?? []], [1, 2, 3]);
  assertStrictEquals(again?.message.redeliveryCount, 1);
  requester.close();
});

nativeTest(
  "Delivery.reply() for one who gives up while it is written is false, and frees the slot",
  async () => {
    const { requester, pending, consumer, delivery } = requested();
    const controller = new AbortController();
    const waiting = pending.reply({ signal: controller.signal });
    const { bytes } = consumer.memory;
    Object.defineProperty(consumer.memory, "bytes", {
      value: {
        set(data: Uint8Array, at: number): void {
          controller.abort(new Error("enough"));
          bytes.set(data, at);
        },
      },
    });
    const replying = Promise.resolve().then(() => delivery.reply("late"));
    await assertRejectsMatching(() => waiting, /enough/);
    // The abort gives the request up a moment later, when the reply is there already: either of the two frees the slot.
    await replying;
    for (let count = 0; count < 2; count++) {
      assert(requester.trySend(new Uint8Array(1), { lane: 0, flags: 0, expiresMs: 0 }) >= 0);
    }
    requester.close();
    consumer.close();
  },
);
