import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { assertRejectsMatching, assertThrowsMatching } from "../../support/assertions.ts";
import { SharedLock, SharedLockReentryError } from "../../../src/ipc/state/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { type Child, startProgram } from "../../support/net_child.ts";
import { pause, STATE_URL, StateNames, until } from "../state/support.ts";

nameSkipReason("SharedLock", nativeSkipReason());

/** Gives `body` a lock opened twice, as two processes would. */
function lockTest(name: string, body: (one: SharedLock, other: SharedLock) => Promise<void> | void): void {
  nativeTest(name, async () => {
    using names = new StateNames();
    using one = SharedLock.create(names.next());
    using other = SharedLock.connect(one.name);
    await body(one, other);
  });
}

/** Starts a program that has the lock open as `lock`, and says "ready" when it has done `body`. */
async function start({ name }: SharedLock, body: string): Promise<Child> {
  const child = await startProgram(`
    import { SharedLock } from ${STATE_URL};
    const lock = SharedLock.connect(${JSON.stringify(name)});
    const forever = setInterval(() => {}, 1000);
    ${body}
    console.log("ready");
  `);
  await child.says(/ready/);
  return child;
}

lockTest("SharedLock.tryAcquire(): one at a time has it, until it is released", (one, other) => {
  const guard = one.tryAcquire();
  assertEquals([guard?.held, guard?.abandoned, one.held, other.held], [true, false, true, false]);
  assertEquals([one.tryAcquire(), other.tryAcquire()], [undefined, undefined]);
  guard?.release();
  guard?.release();
  assertEquals([guard?.held, one.held], [false, false]);
  using again = other.tryAcquire();
  assertStrictEquals(again?.held, true);
});

lockTest(
  "SharedLock.acquire() waits, and openers get it in the order in which they began to wait",
  async (one, other) => {
    using third = SharedLock.connect(one.name);
    const order: string[] = [];
    const guard = one.tryAcquire();
    const waiting: Promise<void>[] = [];
    for (const [name, lock] of [["other", other], ["third", third], ["other again", other]] as const) {
      waiting.push(lock.withLock(() => void order.push(name)));
      await pause(1);
    }
    assertStrictEquals(one.status().waitingCount, 2);
    guard?.release();
    await Promise.all(waiting);
    assertEquals(order, ["other", "third", "other again"]);
    assertEquals([one.status().heldCount, one.status().waitingCount], [0, 0]);
  },
);

lockTest(
  "SharedLock.withLock(): nobody else is in it, and it is given back when its body throws",
  async (one, other) => {
    let inside = 0, most = 0;
    await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        (index % 2 === 0 ? one : other).withLock(async () => {
          most = Math.max(most, ++inside);
          await pause(0);
          inside--;
        })),
    );
    assertStrictEquals(most, 1);
    await assertRejectsMatching(
      () =>
        one.withLock(() => {
          throw new Error("no");
        }),
      /no/,
    );
    assertStrictEquals(
      await other.withLock(({ held }) => held),
      true,
    );
    assertStrictEquals(other.held, false);
  },
);

lockTest(
  "SharedLock.acquire() ends when its time is over or its signal aborts, and takes nothing with it",
  async (one, other) => {
    using guard = one.tryAcquire();
    await assertRejectsMatching(() => other.acquire({ timeoutMs: 5 }), (error: DOMException) => {
      assertEquals([error.name, error.message], [
        "TimeoutError",
        `acquire lock ${one.name}: not done within 5 ms`,
      ]);
      return true;
    });
    const reason = new Error("enough");
    const enough = new AbortController();
    const waiting = other.acquire({ signal: enough.signal });
    enough.abort(reason);
    await assertRejectsMatching(() => waiting, reason);
    await assertRejectsMatching(() => other.acquire({ signal: AbortSignal.abort(reason) }), reason);
    await assertRejects(() => other.acquire({ timeoutMs: -1 }), RangeError);
    assertStrictEquals(one.status().waitingCount, 0);
    guard?.release();
    // One that gives up while another of its opener waits does not take that one's place away.
    const [held, giving] = [one.tryAcquire(), new AbortController()];
    const first = other.acquire({ signal: giving.signal });
    const second = other.acquire();
    giving.abort(reason);
    await assertRejectsMatching(() => first, reason);
    held?.release();
    (await second).release();
  },
);

lockTest("SharedLock refuses what would wait for itself", async (one, other) => {
  await one.withLock(async () => {
    await assertRejectsMatching(() => one.withLock(() => {}), (error: Error) => {
      assert(error instanceof SharedLockReentryError);
      assertStrictEquals(
        error.message,
        `acquire lock ${one.name}: it is being asked for inside withLock() of the same lock`,
      );
      return true;
    });
    await pause(0);
    await assertRejects(() => one.acquire({ queue: true, timeoutMs: 1000 }), SharedLockReentryError);
    assertThrows(() => one.acquireSync(), SharedLockReentryError);
    assertStrictEquals(one.tryAcquire(), undefined);
  });
  // Another lock inside is no reentry.
  using names = new StateNames();
  using inner = SharedLock.create(names.next());
  assertStrictEquals(await one.withLock(() => inner.withLock(() => 7)), 7);
  // What was begun inside, and goes on behind, is not inside any more.
  let later: Promise<number> | undefined;
  await one.withLock(() => {
    later = pause(5).then(() => one.withLock(() => 8));
  });
  assertStrictEquals(await later, 8);
  {
    using guard = await one.acquire();
    await assertRejectsMatching(
      () => one.acquire(),
      /this opener has it already; queue: true waits for another task/,
    );
    await assertRejects(() => one.withLock(() => {}), SharedLockReentryError);
    const another = one.withLock(() => 9, { queue: true });
    guard.release();
    assertStrictEquals(await another, 9);
  }
  using _theirs = await other.acquire();
});

lockTest("SharedLock.acquireSync() waits with the thread, so long", (one, other) => {
  using guard = one.acquireSync();
  assertStrictEquals(guard?.held, true);
  assertStrictEquals(other.acquireSync({ timeoutMs: 5 }), undefined);
  assertThrows(() => other.acquireSync({ timeoutMs: NaN }), RangeError);
  guard?.release();
  using theirs = other.acquireSync({ timeoutMs: 0 });
  assertStrictEquals(theirs?.held, true);
  assertStrictEquals(one.status().waitingCount, 0);
});

lockTest("SharedLock.close() gives it back, and rejects calls that wait", async (one, other) => {
  const guard = one.tryAcquire();
  const rejected = assertRejectsMatching(() => other.acquire(), /wait for lock test-.*: it is closed/);
  await pause(1);
  other.close();
  await rejected;
  assertStrictEquals(one.status().waitingCount, 0);
  using third = SharedLock.connect(one.name);
  const waiting = third.acquire();
  one.close();
  using theirs = await waiting;
  assertEquals([theirs.abandoned, guard?.held], [false, false]);
  guard?.release();
  assert(theirs.held);
  for (const call of [() => one.tryAcquire(), () => one.acquireSync(), () => one.status()]) {
    assertThrows(call, Deno.errors.BadResource);
  }
  await assertRejects(() => one.acquire(), Deno.errors.BadResource);
});

lockTest("SharedLock: when its holder is killed, who waits has it and is told, once", async (one, other) => {
  await using child = await start(one, `lock.tryAcquire();`);
  const waiting = other.acquire();
  assertStrictEquals(one.tryAcquire(), undefined);
  child.kill("SIGKILL");
  {
    using guard = await waiting;
    assertStrictEquals(guard.abandoned, true);
  }
  using guard = one.tryAcquire();
  assertStrictEquals(guard?.abandoned, false);
  assertStrictEquals(one.status().abandonedCount, 1);
});

lockTest("SharedLock.tryAcquire() takes it from a holder that was killed", async (one) => {
  await using child = await start(one, `lock.tryAcquire();`);
  child.kill("SIGKILL");
  await child.ended();
  using guard = one.tryAcquire();
  assertStrictEquals(guard?.abandoned, true);
});

lockTest("SharedLock: one that is killed while it waits holds nobody up", async (one, other) => {
  const guard = one.tryAcquire();
  await using child = await start(one, `void lock.acquire();`);
  await until(() => one.status().waitingCount === 1);
  const waiting = other.acquire();
  await until(() => one.status().waitingCount === 2);
  child.kill("SIGKILL");
  await child.ended();
  guard?.release();
  using theirs = await waiting;
  // The dead one never knew that it had it.
  assertStrictEquals(theirs.abandoned, false);
});

lockTest("SharedLock: an opener that takes the number of a dead holder is told as well", async (one) => {
  await using child = await start(one, `lock.tryAcquire();`);
  child.kill("SIGKILL");
  await child.ended();
  using _first = SharedLock.connect(one.name);
  using second = SharedLock.connect(one.name);
  using guard = second.tryAcquire();
  assertStrictEquals(guard?.abandoned, true);
});

lockTest("SharedLock: processes hand it over, and what it guards is never seen half done", async (one) => {
  const body = `
    const { SharedState } = await import(${STATE_URL});
    const state = SharedState.connect(lock.name);
    for (let count = 0; count < 300; count++) {
      await lock.withLock(async () => {
        const before = state.counter("n");
        if (count % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
        state.increment("n", before + 1 - state.counter("n"));
      });
    }
  `;
  const { SharedState } = await import("../../../src/ipc/state/mod.ts");
  using state = SharedState.create(one.name);
  state.increment("n", 0);
  await using first = await start(one, `setTimeout(async () => { ${body} console.log("done"); }, 0);`);
  await using second = await start(one, `setTimeout(async () => { ${body} console.log("done"); }, 0);`);
  await Promise.all([first.says(/done/), second.says(/done/)]);
  assertStrictEquals(state.counter("n"), 600);
});

nativeTest("SharedLock.create(), connect(), open(), list(), unlink() and removeAbandoned()", () => {
  using names = new StateNames();
  const name = names.next();
  assertThrowsMatching(() => SharedLock.connect(name), /connect to lock test-.*: there is none/);
  {
    using _one = SharedLock.open(name, { mode: 0o640 });
    using _other = SharedLock.open(name);
    assertThrowsMatching(() => SharedLock.open(name, { mode: 0o600 }), {
      name: "AlreadyExists",
      message: `open lock ${name}: mode is 0o640, expected 0o600`,
    });
    assertThrowsMatching(() => SharedLock.create(name), /create lock test-.*: it exists already/);
    assertEquals(SharedLock.list({ prefix: name }).map(({ name, mode }) => [name, mode]), [[
      name,
      0o640,
    ]]);
  }
  assertEquals(SharedLock.removeAbandoned({ prefix: name }), [name]);
  assertThrows(() => SharedLock.unlink(name), Deno.errors.NotFound);
});

lockTest("SharedLock.metrics()", (one) => {
  using _guard = one.tryAcquire();
  assertMatch(one.metrics(), /^millrace_lock_held\{lock="test-[^"]+"\} 1$/m);
  assertMatch(one.metrics(), /^millrace_lock_participants\{lock="test-[^"]+"\} 2$/m);
});
