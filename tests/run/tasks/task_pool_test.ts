import { assert, assertEquals, assertNotStrictEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { SeededRandom } from "../../../src/base/mod.ts";
import {
  ProcessEndedError,
  TASK_DEATHS_MAX,
  type TaskName,
  TaskPool,
  TaskPoolFullError,
  type TaskPoolOptions,
} from "../../../src/run/tasks/mod.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";
import { withWatchdog } from "../../support/watchdog.ts";
import { TASKS_URL } from "./support.ts";
import type * as tasks from "./tasks.ts";
import { signalIfThere } from "../../support/processes.ts";

const LIMIT_MS = 90_000;
const DEAF_WORKER = new URL("./deaf_worker.ts", import.meta.url).href;
const OPTIONS = {
  module: TASKS_URL,
  workers: 2,
  denoArgs: ["-A", "--no-check"],
  cancelGraceMs: 50,
  restart: { delayMs: 1, delayMsMax: 1, restartsMax: 10_000 },
  log: () => {},
};
type Pool = TaskPool<typeof tasks>;

function poolTest(name: string, options: TaskPoolOptions, body: (pool: Pool) => Promise<void>): void {
  Deno.test(name, () =>
    withWatchdog(LIMIT_MS, async () => {
      await using pool = await TaskPool.start<typeof tasks>({ ...OPTIONS, ...options });
      await body(pool);
    }));
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(1);
}

poolTest(
  "TaskPool.run() gives what the task gives, in another process, or throws what it throws",
  {},
  async (pool) => {
    assertStrictEquals(await pool.run("add", [2, 3]), 5);
    assertEquals(
      await pool.run("echo", [new Map([["a", new Uint8Array(300_000)]])]),
      new Map([["a", new Uint8Array(300_000)]]),
    );
    assertNotStrictEquals(await pool.run("pid", []), Deno.pid);
    await assertRejectsMatching(
      () => pool.run("fail", ["no"]),
      (error: Error) =>
        error instanceof RangeError && error.message === "no" && error.cause instanceof TypeError &&
        /\/tasks\.ts/.test(error.stack ?? ""),
    );
    await assertRejectsMatching(() => pool.run("add", 5 as never), {
      name: "TypeError",
      message: "run add: args is number, expected an array of its arguments",
    });
    await assertRejectsMatching(
      () => (pool as unknown as TaskPool<Record<string, () => void>>).run("nothing", []),
      {
        name: "TypeError",
        message: "call nothing: there is no such task",
      },
    );
    await assertRejectsMatching(
      () => (pool as unknown as TaskPool<Record<string, (value: unknown) => void>>).run("echo", [() => {}]),
      { name: "TypeError", message: /^run echo: a function, which cannot travel/ },
    );
    assertEquals(pool.status(), {
      workerCount: 2,
      waitingCount: 0,
      runningCount: 0,
      doneCount: 3,
      failedCount: 2,
      repeatedCount: 0,
    });
  },
);

poolTest(
  "TaskPool.run() uses all workers, and no more of each than it is told",
  { concurrency: 3 },
  async (pool) => {
    const sleeping = Array.from({ length: 10 }, () => pool.run("sleepFor", [300]));
    await until(() => pool.status().runningCount === 6);
    assertStrictEquals(pool.status().waitingCount, 4);
    await Promise.all(sleeping);
    const pids = new Set(await Promise.all(Array.from({ length: 6 }, () => pool.run("pid", []))));
    assertStrictEquals(pids.size, 2);
  },
);

poolTest(
  "TaskPool.run() that is not done in time, or aborted, rejects at once, and tells the task",
  // However long a busy machine takes to end them.
  { cancelGraceMs: 60_000 },
  async (pool) => {
    await assertRejectsMatching(() => pool.run("sleepFor", [60_000], { timeoutMs: 20 }), {
      name: "TimeoutError",
      message: "run sleepFor: not done within 20 ms",
    });
    const controller = new AbortController();
    const running = pool.run("sleepFor", [60_000], { signal: controller.signal });
    const waiting = Array.from(
      { length: 3 },
      () => pool.run("sleepFor", [60_000], { signal: controller.signal }),
    );
    controller.abort(new Error("enough"));
    for (const call of [running, ...waiting]) await assertRejectsMatching(() => call, /enough/);
    await assertRejectsMatching(() => pool.run("add", [1, 1], { signal: controller.signal }), /enough/);
    const pids = await Promise.all([pool.run("pid", []), pool.run("pid", [])]);
    assertStrictEquals(pool.status().waitingCount, 0);
    // The tasks ended when they were told: nobody was killed.
    const alive = pool.supervisor.status().map(({ pid }) => pid);
    assert(pids.every((pid) => alive.includes(pid)));
    assert(pool.supervisor.status().every(({ restartCount }) => restartCount === 0));
  },
);

poolTest(
  "TaskPool kills a worker whose task does not end when it is told, and has another",
  {},
  async (pool) => {
    const [before, other] = await Promise.all([pool.run("pid", []), pool.run("pid", [])]);
    await assertRejectsMatching(() => pool.run("spin", [], { timeoutMs: 20 }), { name: "TimeoutError" });
    await until(() => pool.supervisor.status().some(({ restartCount }) => restartCount === 1));
    await until(() => pool.status().workerCount === 2);
    const pids = await Promise.all(Array.from({ length: 8 }, () => pool.run("pid", [])));
    assertStrictEquals(new Set([before, other, ...pids]).size, 3);
  },
);

poolTest(
  "TaskPool runs what is repeatable again when its worker dies, and nothing else",
  {},
  async (pool) => {
    await assertRejectsMatching(() => pool.run("dieUntil", [1]), {
      name: "ProcessEndedError",
      message: "run dieUntil: its worker has ended",
    });
    assertStrictEquals(await pool.run("dieUntil", [2], { repeatable: true }), "attempt 2");
    await assertRejectsMatching(() => pool.run("dieUntil", [99], { repeatable: true }), {
      name: "ProcessEndedError",
      message: `run dieUntil: its worker has ended with it ${TASK_DEATHS_MAX + 1} times`,
    });
    assertStrictEquals(pool.status().repeatedCount, 2 + TASK_DEATHS_MAX);
  },
);

poolTest("TaskPool runs what has thrown again as often as it is told", {}, async (pool) => {
  assertStrictEquals(await pool.run("failUntil", [2], { retriesMax: 2 }), "attempt 2");
  await assertRejectsMatching(
    () => pool.run("failUntil", [2], { retriesMax: 1, retryDelayMs: 1 }),
    /^Error: attempt 1$/,
  );
  assertStrictEquals(await pool.run("failUntil", [1], { retriesMax: 1, retryDelayMs: 5 }), "attempt 1");
  const waiting = pool.run("failUntil", [9], { retriesMax: 99, retryDelayMs: 60_000, timeoutMs: 100 });
  await assertRejectsMatching(() => waiting, { name: "TimeoutError" });
  assertStrictEquals(pool.status().waitingCount, 0);
});

poolTest("TaskPool refuses more tasks than may wait", { workers: 1, waitingMax: 2 }, async (pool) => {
  const controller = new AbortController();
  const { signal } = controller;
  const calls = Array.from({ length: 3 }, () => pool.run("sleepFor", [60_000], { signal }));
  await assertRejectsMatching(
    () => pool.run("add", [1, 1]),
    (error: Error) =>
      error instanceof TaskPoolFullError && error.message === "run add: 2 tasks wait already, expected fewer",
  );
  controller.abort();
  for (const call of calls) await assertRejectsMatching(() => call, { name: "AbortError" });
  assertStrictEquals(await pool.run("add", [1, 1]), 2);
});

poolTest("TaskPool.reload() replaces all workers, and no task is lost", { concurrency: 4 }, async (pool) => {
  const before = new Set(await Promise.all(Array.from({ length: 8 }, () => pool.run("pid", []))));
  let [done, isOver] = [0, false];
  const load = Array.from({ length: 16 }, async () => {
    while (!isOver) {
      await pool.run(done % 2 === 0 ? "sleepFor" : "echo", [1]);
      done++;
    }
  });
  for (let round = 0; round < 3; round++) await pool.reload();
  isOver = true;
  await Promise.all(load);
  const after = await Promise.all(Array.from({ length: 8 }, () => pool.run("pid", [])));
  assert(after.every((pid) => !before.has(pid)));
  assert(done > 0);
});

poolTest("TaskPool.shutdown() finishes what there is, and takes no more", {}, async (pool) => {
  const calls = Array.from({ length: 6 }, () => pool.run("sleepFor", [20]));
  const shutdown = pool.shutdown();
  await assertRejectsMatching(() => pool.run("add", [1, 1]), {
    name: "ProcessEndedError",
    message: "run add: the pool is closed",
  });
  await shutdown;
  assertEquals(await Promise.all(calls), new Array(6).fill("slept"));
  assertEquals((await pool.supervisor.finished).gaveUp, []);
});

poolTest("TaskPool.shutdown({ timeoutMs }) and close() give up what is left", {}, async (pool) => {
  const calls = Array.from({ length: 5 }, () => pool.run("sleepFor", [60_000]));
  const rejected = calls.map((call) =>
    assertRejectsMatching(() => call, (error) => error instanceof ProcessEndedError)
  );
  await pool.shutdown({ timeoutMs: 20 });
  await Promise.all(rejected);
  assertEquals(pool.status().waitingCount + pool.status().runningCount, 0);
});

Deno.test("TaskPool.start() says what is wrong with its options, or its module, and leaves nothing behind", () =>
  withWatchdog(LIMIT_MS, async () => {
    const start = (options: TaskPoolOptions) => TaskPool.start({ ...OPTIONS, ...options });
    await assertRejectsMatching(
      () => start({ concurrency: 0 }),
      /concurrency is 0, expected a whole number from 1/,
    );
    await assertRejectsMatching(() => start({ waitingMax: NaN }), /waitingMax is NaN/);
    await assertRejectsMatching(() => start({ cancelGraceMs: -1 }), /cancelGraceMs is -1/);
    await assertRejectsMatching(() => start({ module: undefined }), /expected one of them/);
    await assertRejectsMatching(() => start({ worker: { command: "deno" } }), /expected one of them/);
    await assertRejectsMatching(() => start({ workers: 0 }), /instances/);
    await assertRejectsMatching(
      () => start({ module: "./tasks.ts" }),
      /module is ".\/tasks.ts", expected a URL/,
    );
    // No second try: it would never be given up.
    const restart = { restartsMax: 10_000, delayMs: 1, delayMsMax: 1 };
    const missing = start({ module: "file:///nowhere.ts", restart });
    await assertRejectsMatching(
      () => missing,
      /^Error: start a task pool: .*Module not found "file:\/\/\/nowhere\.ts"/s,
    );
    const silent = start({ module: undefined, worker: { command: "true" }, restart });
    await assertRejectsMatching(() => silent, {
      message: /^start a task pool: task-worker\/\d: it ended with code 0 before it was ready$/,
    });
  }));

poolTest("TaskPool: its tasks reject when all its workers were given up", {
  workers: 1,
  restart: { restartsMax: 1, delayMs: 1 },
}, async (pool) => {
  const calls = Array.from({ length: 5 }, () => pool.run("dieUntil", [99], { repeatable: true }));
  for (const call of calls) await assertRejects(() => call, ProcessEndedError);
  await pool.supervisor.finished;
  await assertRejects(() => pool.run("add", [1, 1]), ProcessEndedError);
});

poolTest(
  "TaskPool: no task is lost, whatever workers are killed or stopped",
  { concurrency: 2 },
  async (pool) => {
    const [seed] = testSeeds(1);
    await withSeed(seed, async () => {
      const random = new SeededRandom(seed);
      const strikes = 20;
      let isOver = false;
      let done = 0;
      const failures: unknown[] = [];
      const load = Array.from({ length: 8 }, async (_, index) => {
        for (let number = 0; !isOver; number++) {
          const repeatable = (index + number) % 2 === 0;
          try {
            const sum = await pool.run("add", [index, number], { repeatable });
            assertStrictEquals(sum, index + number);
            done++;
          } catch (error) {
            failures.push(error);
            assert(error instanceof ProcessEndedError, String(error));
            // One that is repeatable has met more deaths than it may, or it should have been run again.
            const tooOften = `its worker has ended with it ${TASK_DEATHS_MAX + 1} times`;
            assertStrictEquals(error.message, `run add: ${repeatable ? tooOften : "its worker has ended"}`);
          }
        }
      });
      // Looked at below: what fails first, here or there, is what the test ends with.
      const whole = Promise.all(load);
      whole.catch(() => {});
      for (let strike = 0; strike < strikes; strike++) {
        await pause(random.below(60));
        const pids = pool.supervisor.status().flatMap(({ pid }) => pid ?? []);
        // For a moment both may be gone.
        if (pids.length === 0) continue;
        const pid = pids[random.below(pids.length)];
        if (random.below(3) === 0) {
          signalIfThere(pid, "SIGSTOP");
          await pause(random.below(30));
          signalIfThere(pid, "SIGCONT");
        } else signalIfThere(pid, "SIGKILL");
      }
      isOver = true;
      await whole;
      const status = pool.status();
      assertEquals([status.waitingCount, status.runningCount], [0, 0]);
      assertStrictEquals(status.doneCount, done);
      assertStrictEquals(status.failedCount, failures.length);
      await until(() => pool.status().workerCount === 2);
      assertStrictEquals(await pool.run("add", [1, 1]), 2);
    });
  },
);

poolTest(
  "TaskPool never kills a worker for a task that is given up, when it is told to wait for ever",
  { workers: 1, cancelGraceMs: Infinity },
  async (pool) => {
    const pid = await pool.run("pid", []);
    await assertRejectsMatching(() => pool.run("goOn", [100], { timeoutMs: 1 }), { name: "TimeoutError" });
    assertStrictEquals(await pool.run("pid", []), pid);
  },
);

poolTest("TaskPool.shutdown() may be called again, and close() meanwhile", {}, async (pool) => {
  const calls = Array.from({ length: 4 }, () => pool.run("sleepFor", [50]));
  await Promise.all([pool.shutdown(), pool.shutdown(), pool.shutdown({ timeoutMs: 60_000 })]);
  assertEquals(await Promise.all(calls), new Array(4).fill("slept"));
  await Promise.all([pool.close(), pool.shutdown(), pool.close()]);
});

poolTest(
  "TaskPool.run() needs no room where a worker is idle",
  { workers: 1, waitingMax: 0 },
  async (pool) => {
    await until(() => pool.status().workerCount === 1);
    const running = pool.run("sleepFor", [50]);
    await assertRejects(() => pool.run("add", [1, 1]), TaskPoolFullError);
    assertStrictEquals(await running, "slept");
    assertStrictEquals(await pool.run("add", [1, 1]), 2);
  },
);

poolTest("TaskPool.run() copies its arguments at once", { workers: 1 }, async (pool) => {
  const holding = pool.run("sleepFor", [50]);
  const bytes = new Uint8Array([1, 2, 3]);
  const object = { a: 1 };
  const calls = [pool.run("echo", [bytes]), pool.run("echo", [object])];
  bytes.fill(9);
  object.a = 9;
  assertEquals(await Promise.all(calls), [new Uint8Array([1, 2, 3]), { a: 1 }]);
  await holding;
  // It is started at once, and once more.
  const again = pool.run("failUntilWith", [1, bytes], { retriesMax: 1 });
  bytes.fill(7);
  assertEquals(await again, new Uint8Array([9, 9, 9]));
});

Deno.test("TaskPool replaces a worker whose channel has ended, although its process lives", () =>
  withWatchdog(LIMIT_MS, async () => {
    const { restart, log, cancelGraceMs } = OPTIONS;
    const worker = { command: Deno.execPath(), args: ["run", "-A", "--no-check", DEAF_WORKER] };
    await using pool = await TaskPool.start<{ pid(): number; closeChannel(): void }>({
      worker,
      workers: 1,
      restart,
      log,
      cancelGraceMs,
    });
    const pid = await pool.run("pid", []);
    await pool.run("closeChannel", []);
    await until(() => pool.status().workerCount === 0);
    assertNotStrictEquals(await pool.run("pid", []), pid);
  }));

poolTest(
  "TaskPool kills a worker that spins while it is replaced, as soon as nobody waits for its task",
  { workers: 1 },
  async (pool) => {
    const spinning = assertRejectsMatching(() => pool.run("spin", [], { timeoutMs: 1000 }), {
      name: "TimeoutError",
    });
    const killed = (async () => {
      for await (const event of pool.supervisor.events()) {
        if (event.type === "killed") return event.reason;
      }
      return undefined;
    })();
    await Promise.all([pool.reload(), spinning]);
    assertStrictEquals(await killed, "spin goes on although nobody waits for it");
    assertStrictEquals(await pool.run("add", [1, 1]), 2);
  },
);

poolTest(
  "TaskPool gives no task to a worker that goes on with what was given up",
  { concurrency: 2, cancelGraceMs: 300 },
  async (pool) => {
    await until(() => pool.status().workerCount === 2);
    await assertRejectsMatching(() => pool.run("spin", [], { timeoutMs: 20 }), { name: "TimeoutError" });
    const sums = Array.from({ length: 10 }, (_, index) => pool.run("add", [index, 1]));
    assertEquals(await Promise.all(sums), sums.map((_, index) => index + 1));
  },
);

Deno.test("TaskPool.start() does not start a compiled program as if it were Deno", async () => {
  const { build } = Deno;
  Object.defineProperty(Deno, "build", { value: { ...build, standalone: true }, configurable: true });
  try {
    await assertRejects(() => TaskPool.start(OPTIONS), Deno.errors.NotSupported);
  } finally {
    Object.defineProperty(Deno, "build", {
      value: build,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
});

poolTest(
  "TaskPool.reload() waits for tasks for drainTimeoutMs",
  { workers: 1, drainTimeoutMs: 50 },
  async (pool) => {
    const going = assertRejects(() => pool.run("goOn", [600_000]), ProcessEndedError);
    await until(() => pool.status().runningCount === 1);
    // Far below what it is by default.
    await withWatchdog(25_000, () => pool.reload(), "the reload");
    await going;
    assertStrictEquals(await pool.run("add", [1, 1]), 2);
  },
);

Deno.test("TaskPool.run() takes the names of functions alone", () => {
  const module = { add: (a: number, b: number) => a + b, LIMIT: 5, Shape: class {} };
  const isName = (name: TaskName<typeof module>): boolean => name in module;
  assert(isName("add"));
  // @ts-expect-error -- no function
  assert(isName("LIMIT"));
  // @ts-expect-error -- a class is called with new
  assert(isName("Shape"));
});
