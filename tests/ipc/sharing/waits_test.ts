import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { QUEUE_WAITS_MAX } from "../../../src/ipc/queue/mod.ts";
import { Notifier, Waits } from "../../../src/ipc/sharing/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";

nameSkipReason("Waits", nativeSkipReason());

function waitsFor(due?: () => Iterable<number>): { waits: Waits; signal: Notifier } {
  const words = new Int32Array(3);
  return { waits: new Waits(new Notifier(words, 0), () => {}, due), signal: new Notifier(words, 0) };
}

nativeTest(
  "Waits.wait() refuses more calls than there may be, and has room again when one ends",
  async () => {
    const { waits } = waitsFor();
    const controller = new AbortController();
    const never = () => undefined;
    const gone = waits.wait("wait", "x", never, { signal: controller.signal });
    const calls = Array.from({ length: QUEUE_WAITS_MAX - 1 }, () => waits.wait("wait", "x", never, {}));
    const ended = Promise.allSettled(calls);
    await assertRejectsMatching(() => waits.wait("receive", "x", never, {}), {
      name: "Busy",
      message: "receive: 65536 calls wait already, expected fewer",
    });
    // What need not wait is done nevertheless.
    assertStrictEquals(await waits.wait("receive", "y", () => "there", {}), "there");
    controller.abort();
    await assertRejectsMatching(() => gone, { name: "AbortError" });
    const last = waits.wait("receive", "x", never, {});
    waits.close(new Error("closed"));
    await assertRejectsMatching(() => last, { message: "closed" });
    assert((await ended).every(({ status }) => status === "rejected"));
  },
);

nativeTest(
  "Waits.wait() rejects those who wait when sleeping or looking around fails, and serves the next",
  async () => {
    const words = new Int32Array(3);
    const sleepy = new Notifier(words, 0);
    let fails = true;
    sleepy.sleep = () => fails ? Promise.reject(new Error("no locks available")) : Promise.resolve();
    const waits = new Waits(sleepy, () => {});
    const never = () => undefined;
    const calls = await Promise.allSettled([
      waits.wait("wait", "x", never, {}),
      waits.wait("wait", "y", never, {}),
    ]);
    assertEquals(calls.map((call) => call.status === "rejected" && call.reason.message), [
      "no locks available",
      "no locks available",
    ]);
    assertStrictEquals(waits.count, 0);
    fails = false;
    let looks = 0;
    assertStrictEquals(await waits.wait("wait", "x", () => ++looks > 2 ? looks : undefined, {}), 3);
    waits.close(new Error("closed"));
  },
);

nativeTest(
  "Waits.wait() serves those of a kind in their order, and other kinds although one has nothing",
  async () => {
    const { waits, signal } = waitsFor();
    const there: string[] = [];
    const served: string[] = [];
    const take = (kind: string) => () =>
      there.includes(kind) ? there.splice(there.indexOf(kind), 1)[0] : undefined;
    const calls = ["a1", "a2", "b1"].map((name) =>
      waits.wait("wait", name[0], take(name[0]), {}).then(() => served.push(name))
    );
    there.push("b", "a");
    signal.wake();
    await Promise.race(calls);
    await calls[2];
    assertEquals([...served].sort(), ["a1", "b1"]);
    there.push("a");
    signal.wake();
    await Promise.all(calls);
    assertStrictEquals(served[2], "a2");
  },
);

nativeTest("Waits.wait() counts its time from when it is told", async () => {
  const { waits } = waitsFor();
  const sinceMs = performance.now() - 60_000;
  await assertRejectsMatching(() => waits.wait("wait", 1, () => undefined, { timeoutMs: 60_000, sinceMs }), {
    name: "TimeoutError",
    message: "wait: not done within 60000 ms",
  });
});

nativeTest("Waits.wait() tries what is due when it is woken, and everything now and then", async () => {
  const due: number[] = [];
  const { waits, signal } = waitsFor(() => due);
  const attempts = [0, 0];
  let done = false;
  const calls = [0, 1].map((kind) =>
    waits.wait("wait", kind, () => (attempts[kind]++, done || undefined), {})
  );
  // Once it sleeps, nothing is due but one of them.
  await new Promise((resolve) => setTimeout(resolve, 0));
  const before = [...attempts];
  due.push(1);
  done = true;
  signal.wake();
  await calls[1];
  assert(attempts[1] > before[1]);
  // Nobody says that the other is due.
  await calls[0];
});

nativeTest("Waits.wait() takes times that are longer than a timer can be", async () => {
  using waits = new DisposableStack();
  const signal = new Notifier(new Int32Array(3), 0);
  const calls = new Waits(signal, () => {});
  waits.defer(() => calls.close(new Error("closed")));
  const { setTimeout } = globalThis;
  const { now } = performance;
  const delays: number[] = [];
  let elapsedMs = 0;
  performance.now = () => now.call(performance) + elapsedMs;
  globalThis.setTimeout = ((callback: () => void, delayMs: number) => {
    delays.push(delayMs);
    return setTimeout(() => {
      elapsedMs += delayMs;
      callback();
    }, 0);
  }) as typeof setTimeout;
  let waiting: Promise<unknown>;
  try {
    waiting = calls.wait("wait", "x", () => undefined, {
      timeoutMs: 2 ** 31 + 999,
      sinceMs: performance.now(),
    });
    await assertRejectsMatching(() => waiting, {
      name: "TimeoutError",
      message: `wait: not done within ${2 ** 31 + 999} ms`,
    });
  } finally {
    globalThis.setTimeout = setTimeout;
    performance.now = now;
  }
  assertStrictEquals(delays[0], 2 ** 31 - 1);
  assert(delays[1] <= 1000);
});
