import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  closeDescriptor,
  createSharedObject,
  FUTEX_WAIT_MS_MAX,
  futexWait,
  futexWake,
  Mapping,
  monotonicNs,
  resize,
  unlinkSharedObject,
} from "../../ffi/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../support/driver_native.ts";
import type { FutexOrder, FutexReport } from "./futex_worker.ts";
import { testName } from "../support/test_name.ts";

nameSkipReason("futex", nativeSkipReason());

nativeTest("futexWait() says at once when the word has changed", () => {
  using mapping = Mapping.create(4096);
  const words = new Int32Array(mapping.buffer);
  words[3] = -1;
  assertStrictEquals(futexWait(words, 3, 0, FUTEX_WAIT_MS_MAX, false), "changed");
  assertStrictEquals(futexWait(words, 0, 1, FUTEX_WAIT_MS_MAX, true), "changed");
});

nativeTest("futexWait() waits its time, and no less", () => {
  using mapping = Mapping.create(4096);
  const words = new Int32Array(mapping.buffer);
  words[0] = -5;
  for (const shared of [false, true]) {
    const startNs = monotonicNs();
    assertStrictEquals(futexWait(words, 0, -5, 20, shared), "timed-out");
    assert(monotonicNs() - startNs >= 20e6);
  }
  assertStrictEquals(futexWait(words, 0, -5, 0, false), "timed-out");
});

nativeTest("futexWait() and futexWake() refuse bounds and places that are none", () => {
  using mapping = Mapping.create(4096);
  const words = new Int32Array(mapping.buffer);
  for (const timeoutMs of [-1, NaN, Infinity, FUTEX_WAIT_MS_MAX + 1]) {
    assertThrows(() => futexWait(words, 0, 0, timeoutMs, false), RangeError);
  }
  for (const index of [-1, 1024, NaN]) {
    assertThrows(() => futexWait(words, index, 0, 1, false), RangeError);
    assertThrows(() => futexWake(words, index, 1, false), RangeError);
  }
});

nativeTest("futexWake() wakes nobody where nobody waits", () => {
  using mapping = Mapping.create(4096);
  const words = new Int32Array(mapping.buffer);
  assertStrictEquals(futexWake(words, 0, 1, false), 0);
  assertStrictEquals(futexWake(words, 0, 0xffff_ffff, true), 0);
});

nativeTest("futexWake() wakes the workers that wait on shared memory", async () => {
  const { words, name, free } = sharedWords();
  try {
    const workers = [
      ask({ name, expected: 0, timeoutMs: 30_000 }),
      ask({ name, expected: 0, timeoutMs: 30_000 }),
    ];
    let woken = 0;
    // How many have mapped the memory says nothing of how many sleep: wake until both have been.
    while (Atomics.load(words, 1) < 2) await pause();
    await pause();
    Atomics.store(words, 0, 1);
    while (woken < 2) {
      const before = woken;
      woken += futexWake(words, 0, 1, true);
      if (woken === before && await settled(workers)) break;
    }
    for (const { result, value } of await Promise.all(workers)) {
      // One that had not fallen asleep yet finds the word changed.
      assert(result === "woken" || result === "changed", result);
      assertStrictEquals(value, 1);
    }
  } finally {
    free();
  }
});

nativeTest("futexWait() of a worker ends by its bound when nobody wakes it", async () => {
  const { name, free } = sharedWords();
  try {
    assertEquals(await ask({ name, expected: 0, timeoutMs: 20 }), { result: "timed-out", value: 0 });
    assertEquals(await ask({ name, expected: 9, timeoutMs: 30_000 }), { result: "changed", value: 0 });
  } finally {
    free();
  }
});

function sharedWords(): { words: Int32Array; name: string; free: () => void } {
  const name = `/millrace_${testName()}`;
  const fd = createSharedObject(name);
  resize(fd, 4096);
  const mapping = Mapping.create(4096, fd);
  closeDescriptor(fd);
  const free = () => {
    mapping.close();
    unlinkSharedObject(name);
  };
  return { words: new Int32Array(mapping.buffer), name, free };
}

/** Has a worker wait, and gives what it reports. */
function ask(order: FutexOrder): Promise<FutexReport> {
  const worker = new Worker(new URL("./futex_worker.ts", import.meta.url), { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<FutexReport>();
  worker.onmessage = ({ data }: MessageEvent<FutexReport>) => {
    worker.terminate();
    resolve(data);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    worker.terminate();
    reject(new Error(event.message));
  };
  worker.postMessage(order);
  return promise;
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

async function settled(promises: readonly Promise<unknown>[]): Promise<boolean> {
  const pending = Symbol();
  await pause();
  return await Promise.race([Promise.all(promises), Promise.resolve(pending)]) !== pending;
}
