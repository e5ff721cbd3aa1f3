import { assertStrictEquals, assertThrows } from "@std/assert";
import { QueueCore } from "../../../src/ipc/queue/core.ts";
import { COUNTER, LANE, laneAt } from "../../../src/ipc/queue/layout.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { fakeMemory, HastyClock, reopened } from "./support.ts";

nameSkipReason("Partitions", nativeSkipReason());

function partitioned(): { core: QueueCore; other: QueueCore; send: (lane: number, byte: number) => void } {
  const { memory } = fakeMemory({ capacity: 8, messageBytesMax: 8, partitions: 2 });
  const core = new QueueCore(memory);
  const other = new QueueCore(reopened(memory).memory);
  const send = (lane: number, byte: number) =>
    void core.trySend(new Uint8Array([byte]), { lane, flags: 0, expiresMs: 0 });
  return { core, other, send };
}

const ownerAt = ({ memory }: QueueCore, lane: number): number =>
  (laneAt(memory.geometry, lane) >> 2) + LANE.owner;

nativeTest(
  "QueueCore.recover() lets go of a partition that is said to be its own, or of nobody who can be",
  () => {
    using _ = new HastyClock();
    for (const owner of [1, 3, 255, 256, -1, 2 ** 31 - 1]) {
      const { core, other, send } = partitioned();
      send(0, 5);
      core.memory.words[ownerAt(core, 0)] = owner;
      if (owner < 256) assertStrictEquals(other.receive(), undefined, `${owner}`);
      core.recover();
      assertStrictEquals(other.receive()?.data[0], 5);
      assertStrictEquals(core.participants.total(COUNTER.damaged), owner === 1 ? 1 : 0);
      core.close();
      other.close();
    }
  },
);

nativeTest("QueueCore.recover() leaves partitions to those who have messages of them", () => {
  using _ = new HastyClock();
  const { core, other, send } = partitioned();
  for (const byte of [1, 2, 3]) send(0, byte);
  const held = core.reserve();
  for (let count = 0; count < 3; count++) {
    core.recover();
    other.recover();
    assertStrictEquals(other.reserve(), undefined);
  }
  core.ack(held?.slot ?? -1);
  assertStrictEquals(other.reserve()?.message.data[0], 2);
  other.close();
  assertStrictEquals(core.reserve()?.message.data[0], 2);
  core.close();
});

nativeTest("A partition is another's again when the message that came with it is damaged", () => {
  using _ = new HastyClock();
  const { core, other, send } = partitioned();
  send(1, 1);
  send(1, 2);
  const { memory } = core;
  memory.words[memory.recordOf(0)] = 9;
  assertThrows(() => core.reserve(), Deno.errors.InvalidData);
  assertStrictEquals(other.reserve()?.message.data[0], 2);
  core.close();
  other.close();
});
