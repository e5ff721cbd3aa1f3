import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { FastPath } from "../../../src/ipc/queue/fast_path.ts";
import { OwnSlots } from "../../../src/ipc/queue/own_slots.ts";
import { PendingRequest } from "../../../src/ipc/queue/request.ts";
import { QueueCore } from "../../../src/ipc/queue/core.ts";
import { Hints } from "../../../src/ipc/queue/hints.ts";
import { Participants } from "../../../src/ipc/queue/participants.ts";
import { Receiver } from "../../../src/ipc/queue/receiver.ts";
import { NOBODY, Notifier, Slab } from "../../../src/ipc/sharing/mod.ts";
import { Delivery } from "../../../src/ipc/queue/delivery.ts";
import { COUNTER, FLAG } from "../../../src/ipc/queue/layout.ts";
import type { QueueShape } from "../../../src/ipc/queue/mod.ts";
import { generationOf, moved, ownerOf, PHASE, phaseOf } from "../../../src/ipc/queue/slot_word.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { fakeMemory, HastyClock, reopened } from "./support.ts";

nameSkipReason("OwnSlots", nativeSkipReason());

const SHAPE = { capacity: 6, messageBytesMax: 16 };
/** One that is compressed, as it is said to be, and damaged. */
const COMPRESSED = { lane: 0, flags: FLAG.compressed, expiresMs: 0 };
const PLAIN = { lane: 0, flags: 0, expiresMs: 0 };
const REQUEST = { lane: 0, flags: FLAG.request, expiresMs: 0 };

/** While it is there, whatever an opener calls on its way looks after the dead first: as if that could happen at any moment. */
class RecoveryEverywhere implements Disposable {
  count = 0;
  readonly #restore: (() => void)[] = [];

  constructor(recover: () => void) {
    let isBusy = false;
    const recoverOnce = (): void => {
      if (isBusy) return;
      isBusy = true;
      recover();
      this.count++;
      isBusy = false;
    };
    const seams: readonly [object, readonly string[]][] = [
      [Hints.prototype, ["first", "pass", "leave"]],
      [Receiver.prototype, ["accept", "isSpent", "isDeadLetter", "releasePartitionOf", "free", "giveBack"]],
      [Participants.prototype, ["count"]],
      [FastPath.prototype, ["receive", "told"]],
      [Slab.prototype, ["copy", "take", "makeRoom"]],
      [Notifier.prototype, ["wake", "wakeAll"]],
      [OwnSlots.prototype, ["reserve", "leave"]],
    ];
    for (const [prototype, names] of seams) {
      for (const name of names) {
        const methods = prototype as Record<string, (...args: unknown[]) => unknown>;
        const method = methods[name];
        methods[name] = function (...args) {
          recoverOnce();
          const result = method.apply(this, args);
          recoverOnce();
          return result;
        };
        this.#restore.push(() => methods[name] = method);
      }
    }
  }

  [Symbol.dispose](): void {
    for (const restore of this.#restore) restore();
  }
}

function coresOf(shape: QueueShape, native: boolean, checksums = false): readonly [QueueCore, QueueCore] {
  const { memory } = fakeMemory(shape, checksums);
  return [new QueueCore(memory, { native }), new QueueCore(reopened(memory).memory, { native })];
}

function fill(core: QueueCore, partitions: number): void {
  for (let byte = 0; byte < SHAPE.capacity; byte++) {
    const lane = partitions > 0 ? byte % partitions : 0;
    core.trySend(new Uint8Array([byte]), { lane, flags: 0, expiresMs: 0 });
  }
}

function damaged(cores: readonly QueueCore[]): number {
  return cores[0].participants.total(COUNTER.damaged);
}

/** Messages that `core` receives by all the ways there are, with recovery at each step. */
function receiveAll(core: QueueCore): number[] {
  using everywhere = new RecoveryEverywhere(() => core.recover());
  const received: number[] = [];
  const kept = core.reserve();
  const back = core.reserve();
  if (back !== undefined) core.giveBack(back.slot);
  received.push(core.receive()?.data[0] ?? -1);
  const many: { data: Uint8Array }[] = [];
  core.receiveMany(many as never, 10);
  if (kept !== undefined) {
    received.push(kept.message.data[0]);
    core.ack(kept.slot);
  }
  // What was in the partition of the message that was kept.
  core.receiveMany(many as never, 10);
  received.push(...many.map(({ data }) => data[0]));
  assert(everywhere.count > 20);
  return received.sort();
}

const kinds: readonly [string, boolean, QueueShape, boolean][] = [
  ["native code", true, SHAPE, false],
  ["native code, what it leaves to TypeScript", true, { ...SHAPE, deliveryCountMax: 1 }, false],
  ["TypeScript", false, SHAPE, false],
  ["partitions", false, { ...SHAPE, partitions: 2 }, false],
  ["checksums", false, SHAPE, true],
];
for (const [what, native, shape, checksums] of kinds) {
  nativeTest(
    `OwnSlots: what is received is known to be had the moment it is reserved: ${what}`,
    () => {
      using _ = new HastyClock();
      const cores = coresOf(shape, native, checksums);
      const [one, other] = cores;
      fill(one, shape.partitions ?? 0);
      const lost = shape.deliveryCountMax === 1 ? 1 : 0;
      const received = receiveAll(other);
      // With one delivery at most, what was given back is a dead letter.
      assertStrictEquals(received.length, SHAPE.capacity - lost, `${received}`);
      assertStrictEquals(new Set(received).size, received.length);
      assertStrictEquals(damaged(cores), 0);
      for (const core of cores) core.close();
    },
  );

  nativeTest(
    `OwnSlots: what is dropped, purged, too old or buried is nobody's damage: ${what}`,
    () => {
      using _ = new HastyClock();
      const cores = coresOf({ ...shape, deliveryCountMax: 1, deadLetterCountMax: 1 }, native, checksums);
      const [one, other] = cores;
      const lanes = shape.partitions ?? 0;
      fill(one, lanes);
      {
        using everywhere = new RecoveryEverywhere(() => other.recover());
        assertStrictEquals(other.dropOldest(), true);
        for (let count = 0; count < 2; count++) {
          const back = other.reserve();
          if (back !== undefined) other.giveBack(back.slot);
        }
        const dead = other.take("dead letters");
        assert(dead >= 0);
        other.revive(dead);
        one.trySend(new Uint8Array(1), { lane: 0, flags: 0, expiresMs: 1 });
        assertStrictEquals(other.receiver.freeExpired(Date.now()), 1);
        other.purge();
        assert(everywhere.count > 20);
      }
      assertStrictEquals(damaged(cores), 0);
      fill(one, lanes);
      assertStrictEquals(one.trySend(new Uint8Array(1), PLAIN), -1, "every slot could be filled");
      for (const core of cores) core.close();
    },
  );
}

nativeTest(
  "OwnSlots: a request that is given up, and one that is answered, are nobody's damage",
  async () => {
    using _ = new HastyClock();
    const cores = coresOf(SHAPE, false);
    const [one, other] = cores;
    const pending = () => {
      const slot = one.trySend(new Uint8Array(1), REQUEST);
      return new PendingRequest(one, slot, generationOf(one.memory.load(slot)), 0);
    };
    const answered = pending();
    {
      using _ = new RecoveryEverywhere(() => {
        one.recover();
        other.recover();
      });
      const reserved = other.reserve();
      assert(reserved !== undefined);
      new Delivery(other, reserved.slot, reserved.message, true).reply(new Uint8Array([7]));
      await assertRejectsMatching(() => pending().reply({ timeoutMs: 0 }), { name: "TimeoutError" });
      assertEquals([...await answered.reply({ timeoutMs: 10_000 })], [7]);
    }
    assertStrictEquals(damaged(cores), 0);
    fill(one, 0);
    assertStrictEquals(one.trySend(new Uint8Array(1), PLAIN), -1, "every slot could be filled");
    for (const core of cores) core.close();
  },
);

nativeTest(
  "OwnSlots: the reply to a request is waited for, though an earlier one of its slot ends late",
  async () => {
    using _ = new HastyClock();
    const cores = coresOf({ ...SHAPE, capacity: 1 }, false);
    const [one, other] = cores;
    const ask = () => {
      const slot = one.trySend(new Uint8Array(1), REQUEST);
      return new PendingRequest(one, slot, generationOf(one.memory.load(slot)), 0);
    };
    const ending = new AbortController();
    const earlier = ask();
    // Somebody takes it, and does not reply.
    other.receive();
    const later = ask();
    const lost = earlier.reply({ signal: ending.signal });
    ending.abort(new Error("given up"));
    await assertRejects(() => lost);
    const reserved = other.reserve();
    assert(reserved !== undefined);
    new Delivery(other, reserved.slot, reserved.message, true).reply(new Uint8Array([7]));
    one.recover();
    assertEquals([...await later.reply({ timeoutMs: 10_000 })], [7]);
    assertStrictEquals(damaged(cores), 0);
    for (const core of cores) core.close();
  },
);

nativeTest(
  "OwnSlots: a damaged message that native code has acknowledged is not taken for the next one in its slot",
  () => {
    using _ = new HastyClock();
    const { memory } = fakeMemory({ capacity: 1, messageBytesMax: 16 });
    const core = new QueueCore(memory);
    core.trySend(new Uint8Array([1]), COMPRESSED);
    // What is said of the first message is looked at when the second is there already, in the same slot, and this opener's.
    const { recordAt: told } = FastPath.prototype;
    let next: { slot: number } | undefined;
    FastPath.prototype.recordAt = function (index) {
      FastPath.prototype.recordAt = told;
      const result = told.call(this, index);
      core.trySend(new Uint8Array([2]), PLAIN);
      next = core.reserve();
      return result;
    };
    try {
      assertThrows(() => core.receive(), Deno.errors.InvalidData);
    } finally {
      FastPath.prototype.recordAt = told;
    }
    assert(next !== undefined);
    const word = memory.load(next.slot);
    assertEquals([phaseOf(word), ownerOf(word)], [PHASE.reserved, core.participants.number]);
    core.ack(next.slot);
    core.close();
  },
);

Deno.test("OwnSlots knows of a slot from reserve() to leave(), and of none that somebody else was faster at", () => {
  const { memory } = fakeMemory(SHAPE);
  const own = new OwnSlots(memory);
  own.owner = 3;
  const ready = moved(memory.load(2), PHASE.ready, NOBODY);
  memory.move(2, memory.load(2), ready);
  assertStrictEquals(own.reserve(2, memory.load(1)), false);
  assertStrictEquals(own.has(2), false);
  assertStrictEquals(own.reserve(2, ready), true);
  assertEquals([own.has(2), own.has(1), ownerOf(memory.load(2))], [true, false, 3]);
  assertStrictEquals(own.leave(2, memory.load(2), ready), true);
  assertEquals([own.has(2), memory.load(2)], [false, ready]);
});
