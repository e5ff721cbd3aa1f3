import { assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { assertRejectsMatching, assertThrowsMatching } from "../../support/assertions.ts";
import {
  type PermitGuard,
  SEMAPHORE_PERMITS_MAX,
  SharedLockReentryError,
  SharedSemaphore,
} from "../../../src/ipc/state/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { startProgram } from "../../support/net_child.ts";
import { pause, STATE_URL, StateNames } from "../state/support.ts";

nameSkipReason("SharedSemaphore", nativeSkipReason());

function semaphoreTest(
  name: string,
  permits: number,
  body: (one: SharedSemaphore, other: SharedSemaphore) => Promise<void> | void,
): void {
  nativeTest(name, async () => {
    using names = new StateNames();
    using one = SharedSemaphore.create(names.next(), { permits });
    using other = SharedSemaphore.connect(one.name);
    await body(one, other);
  });
}

semaphoreTest("SharedSemaphore.tryAcquire(): there are so many permits, whoever asks", 3, (one, other) => {
  const guards = [one, other, one].map((semaphore) => semaphore.tryAcquire());
  assertEquals(guards.map((guard) => guard?.held), [true, true, true]);
  assertEquals([one.tryAcquire(), other.tryAcquire(), one.freeCount], [undefined, undefined, 0]);
  guards[1]?.release();
  assertStrictEquals(other.freeCount, 1);
  using again = one.tryAcquire();
  assertStrictEquals(again?.held, true);
  assertEquals([one.permitCount, other.permitCount], [3, 3]);
});

semaphoreTest("SharedSemaphore.withPermit(): never more than there are permits", 2, async (one, other) => {
  let inside = 0, most = 0;
  await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      (index % 2 === 0 ? one : other).withPermit(async () => {
        most = Math.max(most, ++inside);
        await pause(0);
        inside--;
      })),
  );
  assertStrictEquals(most, 2);
  assertStrictEquals(one.freeCount, 2);
});

semaphoreTest(
  "SharedSemaphore.acquire(): a permit that is given back wakes who waits longest",
  1,
  async (one, other) => {
    const guard = one.tryAcquire();
    const order: string[] = [];
    const first = other.acquire().then((guard) => (order.push("other"), guard));
    await pause(1);
    const second = one.acquire().then((guard) => (order.push("one"), guard));
    await assertRejectsMatching(() => other.acquire({ timeoutMs: 3 }), { name: "TimeoutError" });
    guard?.release();
    (await first).release();
    (await second).release();
    assertEquals(order, ["other", "one"]);
    assertStrictEquals(one.status().waitedCount >= 2, true);
  },
);

semaphoreTest("SharedSemaphore.acquireSync() refuses to wait for its own permits", 2, (one, other) => {
  using _first = one.acquireSync();
  const second = one.acquireSync();
  assertThrows(() => one.acquireSync(), SharedLockReentryError);
  assertStrictEquals(other.acquireSync({ timeoutMs: 2 }), undefined);
  second?.release();
  using theirs = other.acquireSync({ timeoutMs: 0 });
  assertStrictEquals(theirs?.held, true);
});

semaphoreTest(
  "SharedSemaphore: the permits of a process that is killed are had again, by who is told",
  3,
  async (one) => {
    await using child = await startProgram(`
    import { SharedSemaphore } from ${STATE_URL};
    const semaphore = SharedSemaphore.connect(${JSON.stringify(one.name)});
    setInterval(() => {}, 1000);
    semaphore.tryAcquire();
    semaphore.tryAcquire();
    console.log("ready");
  `);
    await child.says(/ready/);
    assertStrictEquals(one.freeCount, 1);
    using _mine = one.tryAcquire();
    const waiting: Promise<PermitGuard>[] = [one.acquire(), one.acquire()];
    child.kill("SIGKILL");
    const guards = await Promise.all(waiting);
    assertEquals(guards.map(({ abandoned }) => abandoned), [true, true]);
    for (const guard of guards) guard.release();
    assertStrictEquals(one.freeCount, 2);
    assertStrictEquals(one.status().abandonedCount, 2);
  },
);

nativeTest("SharedSemaphore.create(), open(), list(), unlink()", () => {
  using names = new StateNames();
  const name = names.next();
  for (const permits of [0, 1.5, SEMAPHORE_PERMITS_MAX + 1]) {
    assertThrowsMatching(() => SharedSemaphore.create(name, { permits }), /create semaphore: permits is/);
  }
  using one = SharedSemaphore.open(name, { permits: 2 });
  using _other = SharedSemaphore.open(name, { permits: 2 });
  assertThrowsMatching(() => SharedSemaphore.open(name, { permits: 5 }), {
    name: "AlreadyExists",
    message: `open semaphore ${name}: permits is 2, expected 5`,
  });
  assertStrictEquals(SharedSemaphore.list({ prefix: name }).length, 1);
  assertEquals(SharedSemaphore.removeAbandoned({ prefix: name }), []);
  assertMatch(one.metrics(), /^millrace_semaphore_permits\{semaphore="test-[^"]+"\} 2$/m);
  SharedSemaphore.unlink(name);
  one.close();
  assertThrows(() => one.freeCount, Deno.errors.BadResource);
});
