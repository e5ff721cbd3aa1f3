import { assertStrictEquals } from "@std/assert";
import { QueueCore } from "../../../src/ipc/queue/core.ts";
import { WORD } from "../../../src/ipc/queue/layout.ts";
import { Notifier } from "../../../src/ipc/sharing/mod.ts";
import { withNative } from "../memory/support.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { fakeMemory, HastyClock } from "../queue/support.ts";

nameSkipReason("Notifier", nativeSkipReason());

/** Two who share the words, and whether a call changes the word that sleepers sleep on. */
function shared(armed = 0): { one: Notifier; other: Notifier; wakes: (call: () => void) => boolean } {
  const words = new Int32Array(3).fill(armed, 1);
  const wakes = (call: () => void): boolean => {
    const [before] = words;
    call();
    return words[0] !== before;
  };
  return { one: new Notifier(words, 0), other: new Notifier(words, 0), wakes };
}

nativeTest(
  "Notifier.wake() costs nothing while nobody sleeps, and finds out when nobody does any more",
  () => {
    const { one, other, wakes } = shared();
    assertStrictEquals(wakes(() => other.wake()), false);
    one.arm();
    assertStrictEquals(wakes(() => other.wake()), true, "somebody may be about to sleep");
    assertStrictEquals(wakes(() => other.wake()), false, "nobody was");
    one.arm();
    assertStrictEquals(wakes(() => other.wakeAll()), true);
    assertStrictEquals(wakes(() => other.wakeAll()), false);
  },
);

nativeTest(
  "Notifier.wake() that is slow does not clear what a sleeper has set meanwhile, however often it was cleared",
  () => {
    for (const rounds of [1, 2, 3]) {
      const { one, other, wakes } = shared();
      one.arm();
      let nested = false;
      // Nobody is found; before the waker says so, the sleeper it looked for has been served, has cleared up, and is back again.
      const wake = (): number => {
        if (nested) return 0;
        nested = true;
        for (let round = 0; round < rounds; round++) {
          one.wake();
          one.arm();
        }
        return 0;
      };
      withNative({ millrace_futex_wake: wake }, () => other.wake());
      assertStrictEquals(wakes(() => other.wake()), true, "the next message wakes it");
    }
  },
);

nativeTest("Notifier: its count wraps", () => {
  for (const armed of [2 ** 31 - 2, -2, -4, 2 ** 31 - 1, -1]) {
    const { one, other, wakes } = shared(armed);
    for (let round = 0; round < 4; round++) {
      one.arm();
      assertStrictEquals(wakes(() => other.wake()), true);
      assertStrictEquals(wakes(() => other.wake()), false);
    }
  }
});

nativeTest(
  "Notifier.sleep() ends when it is woken, when it came too late, and when its time is over",
  async () => {
    const { one, other } = shared();
    const seen = one.arm();
    const sleep = one.sleep(seen);
    other.wake();
    await sleep;
    await one.sleep(seen);
    await one.sleep(one.arm());
    one.close();
    other.close();
  },
);

nativeTest("QueueCore wakes who waits for room when a message is too old, or a dead letter gives way", () => {
  using _ = new HastyClock();
  const { memory } = fakeMemory({
    capacity: 4,
    messageBytesMax: 8,
    deliveryCountMax: 1,
    deadLetterCountMax: 1,
  });
  const core = new QueueCore(memory);
  const room = new Notifier(memory.words, WORD.room);
  const wakes = (call: () => void): boolean => {
    room.arm();
    const before = memory.words[WORD.room];
    call();
    return memory.words[WORD.room] !== before;
  };
  const send = (expiresMs: number) => core.trySend(new Uint8Array(1), { lane: 0, flags: 0, expiresMs });
  send(1);
  assertStrictEquals(wakes(() => core.reserve()), true);
  send(1);
  assertStrictEquals(wakes(() => core.findRoom()), true);
  for (const expected of [false, true]) {
    send(0);
    core.giveBack(core.reserve()?.slot ?? -1);
    assertStrictEquals(wakes(() => core.reserve()), expected);
  }
  core.close();
});
