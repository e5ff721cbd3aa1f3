import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { assertRejectsMatching, assertThrowsMatching } from "../../support/assertions.ts";
import { FRAME, FrameSender } from "../../../src/base/calls/mod.ts";
import { encodeFrame } from "../../../src/base/calls/frame.ts";
import { CLOSE_MS_MAX } from "../../../src/run/tasks/process_channel.ts";
import {
  CHANNEL_CALLS_MAX,
  CHANNEL_UNREAD_BYTES_MAX,
  CHANNEL_UNREAD_MAX,
  CHANNEL_WAITING_BYTES_MAX,
  ProcessChannel,
  ProcessEndedError,
  type TaskContext,
} from "../../../src/run/tasks/mod.ts";
import { withWatchdog } from "../../support/watchdog.ts";
import { FrameEnd, type TransportPair, TRANSPORTS } from "./support.ts";
import * as tasks from "./tasks.ts";

const PEER = { name: "w", instance: 1, pid: 7 };

interface Channels {
  readonly one: ProcessChannel<unknown, unknown>;
  readonly other: ProcessChannel<unknown, unknown>;
  readonly transports: TransportPair;
}

/** Why the task was given up that waits. */
let reasons = Promise.withResolvers<unknown>();
const WAITING = {
  async wait(this: TaskContext): Promise<string> {
    await new Promise((resolve) => this.signal.addEventListener("abort", resolve));
    reasons.resolve(this.signal.reason);
    return "late";
  },
};

/** Sends what waits in a sender that nobody tells of room. */
async function sendAll(sender: FrameSender): Promise<void> {
  while (sender.waitingBytes > 0) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    sender.resume();
  }
}

/** Two ends; `served` is what `one` may call. */
function channelTest(name: string, served: object, body: (channels: Channels) => Promise<void>): void {
  for (const { kind, make } of TRANSPORTS) {
    Deno.test(`${name} (${kind})`, () =>
      withWatchdog(30_000, async () => {
        await using transports = await make();
        await using one = new ProcessChannel(PEER, transports.one, {
          tasks: { negate: (value: number) => -value },
        });
        await using other = new ProcessChannel(PEER, transports.other, { tasks: served });
        await body({ one, other, transports });
      }));
  }
}

channelTest(
  "ProcessChannel carries messages both ways, in their order, until it is closed",
  tasks,
  async ({ one, other }) => {
    const sent = [1, "two", { three: [3] }, new Uint8Array([4]), null, undefined];
    for (const message of sent) one.post(message);
    other.post("back");
    const messages = one[Symbol.asyncIterator]();
    assertStrictEquals((await messages.next()).value, "back");
    const found: unknown[] = [];
    for await (const message of other) {
      found.push(message);
      if (found.length === sent.length) await one.close();
    }
    assertEquals(found, sent);
    await Promise.all([one.closed, other.closed]);
    assertThrows(() => one.post(1), Deno.errors.BadResource);
    assertStrictEquals((await messages.next()).done, true);
  },
);

channelTest(
  "ProcessChannel.call() gives what the task gives, or throws what it throws",
  tasks,
  async ({ one, other }) => {
    assertStrictEquals(await one.call<typeof tasks, "add">("add", [2, 3]), 5);
    assertEquals(await one.call<typeof tasks, "echo">("echo", [{ a: [1] }]), { a: [1] });
    assertStrictEquals(await other.call<{ negate(value: number): number }, "negate">("negate", [4]), -4);
    await assertRejectsMatching(
      () => one.call<typeof tasks, "fail">("fail", ["no"]),
      (error: Error) =>
        error instanceof RangeError && error.message === "no" && error.cause instanceof TypeError,
    );
    const calls = Array.from(
      { length: 5000 },
      (_, index) => one.call<typeof tasks, "add">("add", [index, 1]),
    );
    assertEquals(
      await Promise.all(calls),
      calls.map((_, index) => index + 1),
    );
    assertStrictEquals(one.callCount, 0);
  },
);

channelTest(
  "ProcessChannel.call() runs functions that are there, and nothing else",
  { value: 5, ok: () => 1, bad: () => () => {} },
  async ({ one }) => {
    const call = (name: string) => one.call<Record<string, () => unknown>, string>(name, []);
    for (const name of ["constructor", "toString", "__proto__", "value", "nothing"]) {
      await assertRejectsMatching(() => call(name), {
        name: "TypeError",
        message: `call ${name}: there is no such task`,
      });
    }
    await assertRejectsMatching(() => call("bad"), {
      name: "TypeError",
      message: /^call bad: the result is a function, which cannot travel/,
    });
    await assertRejects(
      () => one.call<Record<string, (value: unknown) => unknown>, string>("ok", [() => {}]),
      TypeError,
    );
    assertStrictEquals(await call("ok"), 1);
  },
);

channelTest("ProcessChannel.call() that is given up tells the task", WAITING, async ({ one }) => {
  reasons = Promise.withResolvers<unknown>();
  const controller = new AbortController();
  const { signal } = controller;
  const call = () => one.call<{ wait(): string }, "wait">("wait", [], { signal });
  const waiting = call();
  controller.abort(new RangeError("enough"));
  await assertRejectsMatching(() => waiting, /enough/);
  assertStrictEquals((await reasons.promise as Error).message, "enough");
  await assertRejectsMatching(() => call(), /enough/, "it was aborted before");
  while (one.callCount > 0) await new Promise((resolve) => setTimeout(resolve, 1));
});

channelTest(
  "ProcessChannel that ends rejects calls, and tells the tasks that run",
  WAITING,
  async ({ one, other }) => {
    reasons = Promise.withResolvers<unknown>();
    const waiting = one.call<{ wait(): void }, "wait">("wait", []);
    const rejected = assertRejectsMatching(() => waiting, {
      name: "ProcessEndedError",
      message: /^call wait: w\/1 \(process 7\) has ended/,
    });
    while (one.callCount === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    await new Promise((resolve) => setTimeout(resolve, 20));
    await other.close();
    await rejected;
    assert(await reasons.promise instanceof ProcessEndedError);
    await assertRejects(() => one.call<{ wait(): void }, "wait">("wait", []), ProcessEndedError);
  },
);

channelTest("ProcessChannel finishes what it has before it ends", tasks, async ({ one, other }) => {
  const finishing = Promise.withResolvers<void>();
  one.onFinishing(() => finishing.resolve());
  const slow = one.call<typeof tasks, "sleepFor">("sleepFor", [50]);
  other.finishing();
  const drained = Promise.all([other.drained(), other.drained()]);
  await finishing.promise;
  const late = one.call<typeof tasks, "add">("add", [1, 1]);
  one.shutdown();
  await drained;
  assertEquals([await slow, await late], ["slept", 2]);
});

channelTest(
  "ProcessChannel is closed when nobody reads what comes, and says so",
  tasks,
  async ({ one, other }) => {
    for (let count = 0; count <= CHANNEL_UNREAD_MAX; count++) one.post(count);
    await other.closed;
    let count = 0;
    await assertRejects(async () => {
      for await (const _message of other) count++;
    }, Deno.errors.Busy);
    assertStrictEquals(count, CHANNEL_UNREAD_MAX);
  },
);

channelTest(
  "ProcessChannel ends when the other side says what it cannot, and takes no harm",
  tasks,
  async ({ other, transports }) => {
    const raw = new FrameSender(transports.one, () => {});
    const bytes = encodeFrame(FRAME.result, 9, 0, ["x"]);
    new DataView(bytes.buffer).setInt32(20, 2 ** 30, true);
    // An answer to nothing, and an unknown kind, are passed over.
    raw.send(FRAME.result, 77, 0, [1]);
    raw.send(99, 0, 0, []);
    raw.send(FRAME.message, 0, 0, [bytes]);
    await sendAll(raw);
    const messages = other[Symbol.asyncIterator]();
    assertEquals((await messages.next()).value, bytes);
    raw.send(FRAME.error, 0, 0, []);
    // No name, no attempt.
    raw.send(FRAME.call, 1, 0, []);
    raw.send(FRAME.message, 0, 0, ["still there"]);
    await sendAll(raw);
    assertStrictEquals((await messages.next()).value, "still there");
  },
);

channelTest("ProcessChannel answers every call, however much waits for the caller", {
  now: () => new Uint8Array(20 * 2 ** 20),
  later: async () => await Promise.resolve(new Uint8Array(20 * 2 ** 20)),
  async fail() {
    await null;
    throw new Error("x".repeat(20 * 2 ** 20));
  },
}, async ({ one }) => {
  const call = (name: string) => one.call<Record<string, () => Uint8Array>, string>(name, []);
  const given = await Promise.all(["now", "now", "later", "now", "later"].map(call));
  assert(given.every(({ length }) => length === 20 * 2 ** 20));
  const thrown = await Promise.allSettled(Array.from({ length: 5 }, () => call("fail")));
  assert(thrown.every((result) => result.status === "rejected" && /^Error: x{1000}/.test(result.reason)));
});

channelTest(
  "ProcessChannel tells that it ends, and that a call is given up, however much waits",
  WAITING,
  async ({
    one,
    other,
  }) => {
    reasons = Promise.withResolvers<unknown>();
    const controller = new AbortController();
    const call = one.call<{ wait(): string }, "wait">("wait", [], { signal: controller.signal });
    assertThrows(() => {
      for (;;) one.post(new Uint8Array(2 ** 20));
    }, Deno.errors.Busy);
    controller.abort(new RangeError("enough"));
    await assertRejectsMatching(() => call, /enough/);
    one.finishing();
    one.shutdown();
    await other.drained();
    assertStrictEquals((await reasons.promise as Error).message, "enough");
  },
);

channelTest("ProcessChannel takes whatever a task gives for a promise", {
  getter: () => ({
    get then() {
      throw new RangeError("no then");
    },
  }),
  proxy: () =>
    new Proxy({}, {
      get() {
        throw new RangeError("no get");
      },
    }),
  thrower: () => ({
    then() {
      throw new RangeError("not then");
    },
  }),
  twice: () => ({
    then(resolve: (value: unknown) => void, reject: (reason: unknown) => void) {
      resolve(1);
      resolve(2);
      reject(new Error("3"));
    },
  }),
  thrownNull: () => Promise.reject(null),
  frozen() {
    throw Object.freeze(new RangeError("cold"));
  },
  thrownProxy() {
    throw new Proxy(new Error(), {
      get() {
        throw new Error("no get");
      },
    });
  },
}, async ({ one }) => {
  const call = (name: string) => one.call<Record<string, () => unknown>, string>(name, []);
  await assertRejectsMatching(() => call("getter"), /^RangeError: no then$/);
  await assertRejectsMatching(() => call("proxy"), /^RangeError: no get$/);
  await assertRejectsMatching(() => call("thrower"), /^RangeError: not then$/);
  assertStrictEquals(await call("twice"), 1);
  await assertRejectsMatching(() => call("thrownNull"), (reason) => reason === null);
  await assertRejectsMatching(() => call("frozen"), /^RangeError: cold$/);
  await assertRejectsMatching(() => call("thrownProxy"), /could not be read/);
  assertStrictEquals(await call("twice"), 1);
});

channelTest("ProcessChannel settles a call whose answer is damaged", WAITING, async ({ one, transports }) => {
  const call = one.call<{ wait(): string }, "wait">("wait", []);
  // No error, where there is to be one.
  new FrameSender(transports.other, () => {}).send(FRAME.error, 0, 0, [null]);
  await assertRejectsMatching(() => call, { name: "ProcessEndedError" });
  await one.closed;
});

channelTest(
  "ProcessChannel is closed when nobody reads what comes, however few messages that are",
  tasks,
  async ({
    one,
    other,
  }) => {
    const large = new Uint8Array(60 * 2 ** 20);
    let count = 0;
    while (!other.isClosed) {
      try {
        if (!one.isClosed) one.post(large);
        count++;
      } catch (error) {
        assert(error instanceof Deno.errors.Busy, String(error));
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert(count > CHANNEL_UNREAD_BYTES_MAX / large.length);
    let read = 0;
    await assertRejectsMatching(async () => {
      for await (const _message of other) read++;
    }, /^Busy: channel: 5 messages of 314572920 bytes wait to be read already/);
    assertStrictEquals(read, 5);
  },
);

channelTest(
  "ProcessChannel.post() refuses more when too much waits for one who does not read",
  tasks,
  ({ one }) => {
    // Who has the whole thread does not read.
    const value = new Uint8Array(2 ** 20);
    let sent = 0;
    assertThrowsMatching(() => {
      for (; sent < 2 * CHANNEL_WAITING_BYTES_MAX / value.length; sent++) one.post(value);
    }, /^Busy: post a message: \d+ bytes wait for the other process already/);
    assert(sent >= CHANNEL_WAITING_BYTES_MAX / value.length, String(sent));
    return Promise.resolve();
  },
);

for (const { kind, make } of TRANSPORTS) {
  Deno.test(`ProcessChannel.close() does not wait for ever for one who does not read (${kind})`, () =>
    withWatchdog(30_000, async () => {
      await using transports = await make();
      const channel = new ProcessChannel(PEER, transports.one);
      for (let sent = 0; sent < 8; sent++) channel.post(new Uint8Array(2 ** 20));
      const { setTimeout } = globalThis;
      const limits: number[] = [];
      globalThis.setTimeout = ((callback: () => void, delayMs: number) => {
        if (delayMs === CLOSE_MS_MAX) limits.push(delayMs);
        return setTimeout(callback, delayMs === CLOSE_MS_MAX ? 10 : delayMs);
      }) as typeof setTimeout;
      try {
        await channel.close();
      } finally {
        globalThis.setTimeout = setTimeout;
      }
      assertEquals(limits, [CLOSE_MS_MAX]);
    }));

  Deno.test(`ProcessChannel is closed when the other side floods calls and reads no answer (${kind})`, () =>
    withWatchdog(60_000, async () => {
      await using transports = await make();
      const channel = new ProcessChannel(PEER, transports.one, { tasks: { now: () => "x".repeat(1000) } });
      // Without begin(): it reads nothing.
      const flood = new FrameSender(transports.other, () => {});
      const values = ["now", 0];
      let callCount = 0;
      while (!channel.isClosed) {
        for (let count = 0; count < 1000; count++) flood.send(FRAME.call, callCount++, 0, values);
        await new Promise((resolve) => setTimeout(resolve, 0));
        flood.resume();
      }
      assert(callCount > CHANNEL_CALLS_MAX, `${callCount} calls`);
      const messages = channel[Symbol.asyncIterator]();
      await assertRejectsMatching(
        () => messages.next(),
        /^Busy: channel: 65536 calls run, or wait to be answered, already/,
      );
    }));

  Deno.test(`ProcessChannel answers that there is no room for an answer, and goes on (${kind})`, () =>
    withWatchdog(60_000, async () => {
      await using transports = await make();
      // All the same bytes: what is sent is a copy, and that is what is bounded.
      const large = new Uint8Array(200 * 2 ** 20);
      const served = new ProcessChannel(PEER, transports.one, { tasks: { large: () => large } });
      const flood = new FrameSender(transports.other, () => {});
      for (let call = 0; call < 3; call++) flood.send(FRAME.call, call, 0, ["large", 0]);
      await sendAll(flood);
      await new Promise((resolve) => setTimeout(resolve, 50));
      // Now it reads: two answers, and why there is no third.
      const kinds: number[] = [];
      const end = new FrameEnd(transports.other).begin();
      await end.until(() => end.frames.length === 3);
      for (const { kind } of end.frames) kinds.push(kind);
      assertEquals(kinds, [FRAME.result, FRAME.result, FRAME.error]);
      const { message } = end.frames[2].values[0] as { message: string };
      assertMatch(message, /^call large: the result: \d+ bytes wait for the other process already/);
      assertStrictEquals(served.isClosed, false);
    }));
}
