import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { encodeFrame, FRAME } from "../../../src/base/calls/frame.ts";
import { exchange, Side } from "./support.ts";

function sides(...tasks: ((...args: unknown[]) => unknown)[]): { one: Side; other: Side } {
  const [one, other] = [new Side(), new Side()];
  other.tasks = tasks;
  return { one, other };
}

function receive(side: Side, frame: Uint8Array<ArrayBuffer>): void {
  side.connection.receive(new DataView(frame.buffer), 0, frame.length);
}

Deno.test("CallConnection.call() brings the result, or what was thrown, and frees the number", () => {
  const { one, other } = sides(
    (left, right) => (left as number) + (right as number),
    () => {
      throw new RangeError("no");
    },
  );
  assertEquals([one.call(0, 2, 3), one.call(1)], [0, 1]);
  assertStrictEquals(one.connection.callCount, 2);
  exchange(one, other);
  assertEquals(one.log, [5, "call ended", "failure: RangeError: no", "call ended"]);
  assertEquals([one.connection.callCount, one.call(0, 1, 1)], [0, 1]);
  assertEquals([other.connection.runningCount, other.connection.answeredCount], [0, 2]);
});

Deno.test("CallConnection.answer() waits for a promise", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const { one, other } = sides(() => promise, () => Promise.reject(new TypeError("later")));
  one.call(0);
  one.call(1);
  exchange(one, other);
  assertEquals([one.log, other.connection.runningCount], [[], 2]);
  resolve("x".repeat(1000));
  await new Promise((resolve) => setTimeout(resolve, 0));
  exchange(one, other);
  assertEquals(one.log, ["failure: TypeError: later", "call ended", "x".repeat(1000), "call ended"]);
});

Deno.test("CallConnection.answer() says why a result does not go out", () => {
  const { one, other } = sides(() => () => {});
  one.call(0);
  exchange(one, other);
  assertMatch(
    String(one.log[0]),
    /^failure: TypeError: call task 0: the result is a function, which cannot/,
  );
});

Deno.test("CallConnection.cancel() tells the task, and the listener hears of the answer", async () => {
  let signal: AbortSignal | undefined;
  const { one, other } = sides(
    async function (this: { signal: AbortSignal }) {
      signal = this.signal;
      await new Promise((resolve) => signal?.addEventListener("abort", resolve));
      return "late";
    } as () => unknown,
  );
  const call = one.call(0);
  exchange(one, other);
  one.connection.cancel(call, new RangeError("enough"));
  one.connection.cancel(77, "nothing of that number");
  exchange(one, other);
  assertEquals([String(signal?.reason), one.connection.callCount], ["RangeError: enough", 1]);
  await new Promise((resolve) => setTimeout(resolve, 0));
  exchange(one, other);
  assertEquals([one.log, one.connection.callCount], [["late", "call ended"], 0]);
});

Deno.test("CallConnection.cancelRunning() ends what runs, and not what has been answered", () => {
  const signals: AbortSignal[] = [];
  const { one, other } = sides(
    function (this: { signal: AbortSignal }) {
      signals.push(this.signal);
      return new Promise(() => {});
    } as () => unknown,
    function (this: { signal: AbortSignal }) {
      signals.push(this.signal);
    } as () => unknown,
  );
  one.call(0);
  one.call(1);
  exchange(one, other);
  other.connection.cancelRunning("over");
  assertEquals(signals.map(({ aborted }) => aborted), [true, false]);
});

Deno.test("CallConnection.call() that cannot be sent leaves nothing", () => {
  const one = new Side(() => {
    throw new Error("full");
  });
  one.transport.capacity = 0;
  assertThrowsMatching(() => one.call(0), /full/);
  assertEquals([one.connection.callCount, one.log], [0, []]);
});

Deno.test("CallConnection sends in short why an answer, or an error, finds no room", () => {
  let isFull = false;
  const [one, other] = [
    new Side(),
    new Side(() => {
      if (isFull) throw new RangeError("5 bytes, which is too much");
    }),
  ];
  other.tasks = [() => new Uint8Array(500), () => {
    throw new Error("x".repeat(10_000));
  }];
  one.call(0);
  one.call(1);
  other.transport.capacity = 0;
  isFull = true;
  exchange(one, other);
  other.transport.capacity = Infinity;
  exchange(one, other);
  assertEquals(one.log, [
    "failure: RangeError: call task 0: the result has 5 bytes, which is too much",
    "call ended",
    "failure: RangeError: what was thrown cannot be sent: 5 bytes, which is too much",
    "call ended",
  ]);
});

Deno.test("CallConnection.receive() passes on what is about no call, and passes over answers to none", () => {
  const { one } = sides();
  receive(one, encodeFrame(FRAME.message, 0, 0, ["hello"]));
  receive(one, encodeFrame(FRAME.shutdown, 0, 0, []));
  receive(one, encodeFrame(FRAME.result, 3, 0, ["nobody asked"]));
  receive(one, encodeFrame(FRAME.cancel, 3, 0, [null]));
  assertEquals(one.log, [[FRAME.message, "hello", 32], [FRAME.shutdown, undefined, 16]]);
});

Deno.test("CallConnection.receive() of an answer that cannot be read says so, and rejects the call", () => {
  const { one } = sides();
  receive(one, encodeFrame(FRAME.error, one.call(0), 0, [null]));
  assertEquals([one.log[0], one.log[2]], ["unreadable: TypeError", "call ended"]);
  assertMatch(String(one.log[1]), /^failure: TypeError/);
});

Deno.test("CallConnection.call() with a signal fails at once when it aborts, and its number is free with the answer", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const signals: AbortSignal[] = [];
  const { one, other } = sides(
    function (this: { signal: AbortSignal }) {
      signals.push(this.signal);
      return promise;
    } as () => unknown,
  );
  const controller = new AbortController();
  one.call(0, controller.signal);
  one.call(0, new AbortController().signal);
  exchange(one, other);
  controller.abort("enough");
  assertEquals([one.log, one.connection.callCount], [["failure: enough"], 2]);
  exchange(one, other);
  assertEquals(signals.map(({ aborted }) => aborted), [true, false]);
  resolve("done");
  await new Promise((resolve) => setTimeout(resolve, 0));
  exchange(one, other);
  assertEquals(one.log, ["failure: enough", "call ended", "done", "call ended"]);
  assertStrictEquals(one.connection.callCount, 0);
});

Deno.test("CallConnection.failCalls() fails all that nobody will answer, and counts for whom", () => {
  const { one } = sides();
  const controllers = [new AbortController(), new AbortController()];
  for (const { signal } of controllers) one.call(0, signal);
  one.call(0);
  controllers[0].abort("enough");
  assertStrictEquals(one.connection.failCalls(() => "gone"), 2);
  controllers[1].abort("too late");
  const gone = ["failure: gone", "call ended"];
  assertEquals(one.log, ["failure: enough", "call ended", ...gone, ...gone]);
  assertStrictEquals(one.connection.callCount, 0);
});
