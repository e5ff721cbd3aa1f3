import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { CoreBusyError, CoreError } from "../../../src/run/cores/mod.ts";
import { QueueFullError } from "../../../src/base/sync/mod.ts";
import * as tasks from "./core.ts";
import { coresTest, DRIVERS, errorOf, groupTest, hasNative, startGroup, until } from "./support.ts";

for (const idle of ["cooperate", "block", "spin"] as const) {
  for (const driver of DRIVERS) {
    groupTest(`CoreGroup.submitTo() brings results and errors (${driver}, ${idle})`, async (group) => {
      assertEquals(group.drivers, [driver, driver]);
      assertStrictEquals(await group.submitTo(0, tasks.square, 12), 144);
      assertStrictEquals(await group.submitTo(1, tasks.sleepFor, 2, "late"), "late");
      assertStrictEquals(await group.submitTo(0, tasks.relay, 1, 5), 25);
      const error = await errorOf(group.submitTo(1, tasks.throwKind, "own"));
      assert(error instanceof tasks.OwnError);
      const results = await Promise.all(
        Array.from({ length: 5000 }, (_, index) => group.submitTo(index % 2, tasks.square, index)),
      );
      assertEquals(results, Array.from({ length: 5000 }, (_, index) => index * index));
    }, { idle, driver });
  }
}

groupTest("CoreGroup.submitTo() carries arguments and results of every kind", async (group) => {
  const values: unknown[] = [
    1.5,
    NaN,
    -0,
    "",
    "a\ud800",
    "\ufeffx",
    true,
    null,
    undefined,
    10n,
    new Uint8Array(0),
    new Uint8Array([1, 2]),
    { a: [1] },
    new Map([["a", new Set([1])]]),
    new Date(7),
    new Float32Array([1.5]),
  ];
  for (const value of values) assertEquals(await group.submitTo(1, tasks.echo, value), value);
  assertStrictEquals(await group.submitTo(1, tasks.echo, -0), -0, "by its sign, too");
  assertEquals(await group.submitTo(1, tasks.listArguments, ...values), values);
  assertEquals(await group.submitTo(1, tasks.listArguments), []);
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  const back = await group.submitTo(1, tasks.echo, cyclic);
  assertStrictEquals(back.self, back);
  assertStrictEquals(await group.submitTo(1, tasks.isBuffer, Buffer.from("abc")), true);
  assertEquals(await group.submitTo(1, tasks.makeBuffer), Buffer.from("abc"));
  assertStrictEquals(await group.submitTo(1, tasks.thenable, 4), 5);
  const many = Array.from({ length: 255 }, (_, index) => index);
  assertEquals(await group.submitTo(1, tasks.listArguments, ...many), many);
});

groupTest("CoreGroup.submitTo() carries bytes and text beyond the ring in parts", async (group) => {
  for (const byteLength of [1000, 2020, 2032, 2040, 2048, 2056, 4096, 100_000, 5_000_001]) {
    const bytes = await group.submitTo(1, tasks.bytesOf, byteLength);
    assertStrictEquals(bytes.length, byteLength);
    assert(bytes.every((byte, index) => byte === (index * 31 & 255)), `${byteLength} bytes`);
    assertStrictEquals(
      await group.submitTo(0, tasks.byteSum, bytes),
      bytes.reduce((sum, byte) => sum + byte, 0),
    );
    const text = "ü".repeat(byteLength >> 1);
    assertStrictEquals(await group.submitTo(0, tasks.echo, text), text);
  }
}, { ringCapacityBytes: 4096 });

groupTest(
  "CoreGroup.submitTo() brings errors with class, message, stack, cause and properties",
  async (group) => {
    const own = await errorOf(group.submitTo(1, tasks.throwKind, "own")) as tasks.OwnError;
    assertStrictEquals(own.constructor, tasks.OwnError);
    assertEquals([own.name, own.message, own.code], ["OwnError", "own", 7]);
    assertEquals(own.detail, { list: [1, new Map([["a", 1n]])] });
    assertMatch(own.stack ?? "", /\/throwing\.ts/);
    assert(own.cause instanceof TypeError);
    assertEquals([own.cause.message, own.cause.cause], ["inner", { code: 3 }]);

    const later = await errorOf(group.submitTo(0, tasks.throwLater, "own"));
    assert(later instanceof tasks.OwnError);

    const hidden = await errorOf(group.submitTo(1, tasks.throwKind, "hidden"));
    assertStrictEquals(hidden.constructor, tasks.OwnError);
    assertStrictEquals(hidden.name, "HiddenError");

    const cases: [kind: string, type: new (...args: never[]) => Error, message: string][] = [
      ["not found", Deno.errors.NotFound, "no such file"],
      ["range", RangeError, "out of range"],
      ["queue full", QueueFullError, "test: 3 wait already, expected fewer than waitingMax"],
      ["core", CoreError, "not this one"],
      ["plain", Error, "plain"],
    ];
    for (const [kind, type, message] of cases) {
      const error = await errorOf(group.submitTo(1, tasks.throwKind, kind));
      assertStrictEquals(error.constructor, type, kind);
      assertStrictEquals(error.message, message);
    }
    const core = await errorOf(group.submitTo(1, tasks.throwKind, "core")) as CoreError;
    assertStrictEquals(core.core, 5);

    const dom = await errorOf(group.submitTo(1, tasks.throwKind, "dom"));
    assert(dom instanceof DOMException);
    assertEquals([dom.name, dom.message, dom.code], ["QuotaExceededError", "quota", 22]);

    const several = await errorOf(group.submitTo(1, tasks.throwKind, "aggregate")) as AggregateError;
    assert(several instanceof AggregateError);
    assert(several.errors[0] instanceof tasks.OwnError);
    assertStrictEquals(several.errors[1], "second");
    assert(several.errors[2] instanceof SyntaxError);
  },
);

groupTest("CoreGroup.submitTo() rejects with whatever was thrown", async (group) => {
  const thrown = async (kind: string) =>
    await group.submitTo(1, tasks.throwKind, kind).catch((error) => error);
  assertStrictEquals(await thrown("text"), "just text");
  assertStrictEquals(await thrown("undefined"), undefined);
  assertStrictEquals(await thrown("function"), "[Function: thrown]");
  const error = await thrown("error with function");
  assertEquals([error.message, error.kept, "callback" in error], ["with a function", 2, false]);
  let cyclic = await thrown("cyclic");
  let depth = 0;
  for (; cyclic instanceof Error; cyclic = cyclic.cause) depth++;
  assertStrictEquals(depth, 9);
  assertStrictEquals((await thrown("hostile")).message, "an error that could not be read");
  assertStrictEquals((await thrown("many")).message, "many");
  assertStrictEquals(await group.submitTo(1, tasks.square, 2), 4);
});

groupTest(
  "CoreGroup.submitTo() refuses arguments and results that cannot travel, and goes on",
  async (group) => {
    const controller = new AbortController();
    const refused: [args: unknown[], named: RegExp][] = [
      [[() => 1], /^call echo: argument 1 is a function, which cannot travel/],
      [[1, Symbol("x")], /^call echo: argument 2 is a symbol/],
      [
        [1, 2, { a: () => 1 }],
        /^call echo: argument 3 is something that cannot travel to another core or process: .*could not be cloned/,
      ],
      [[new SharedArrayBuffer(1)], /argument 1 .*SharedArrayBuffer/],
      [[1, new URL("http://x/")], /^call echo: argument 2 is an object of class URL, which cannot travel/],
      [[transferred()], /^call echo: argument 1 is memory that was transferred, which cannot travel/],
      [[controller.signal, new AbortController().signal], /2 signals among the arguments/],
    ];
    for (const [args, named] of refused) {
      // deno-lint-ignore no-explicit-any -- wrong ones
      const error = await errorOf((group.submitTo as any)(1, tasks.echo, ...args));
      assert(error instanceof TypeError);
      assertMatch(error.message, named);
    }
    for (
      const kind of ["function", "symbol", "signal", "nested", "weak", "getter", "headers", "transferred"]
    ) {
      const error = await errorOf(group.submitTo(1, tasks.untransferable, kind));
      assert(error instanceof TypeError, `${error}`);
      assertMatch(error.message, /^call untransferable: the result is .*cannot travel to another core/);
    }
    const tooMany = await errorOf(group.submitTo(1, tasks.listArguments, ...new Array(256).fill(0)));
    assertMatch(tooMany.message, /256 arguments, at most 255/);
    const [, one] = await group.statistics();
    assertEquals([one.callsServingCount, one.callsOutstandingCount], [1, 0]);
    assertStrictEquals(await group.submitTo(1, tasks.square, 2), 4);
  },
);

/** Bytes whose memory is somebody else's by now. */
function transferred(): Uint8Array {
  return tasks.untransferable("transferred") as Uint8Array;
}

groupTest("CoreGroup.submitTo() names the core or the task that is not there", async (group) => {
  for (const core of [-1, 2, 1.5, NaN, "0" as unknown as number]) {
    const error = await errorOf(group.submitTo(core, tasks.square, 1));
    assert(error instanceof RangeError);
    assertMatch(error.message, /there is none of that number, expected 0 to 1/);
  }
  const unexported = await errorOf(group.submitTo(0, function inside() {}));
  assert(unexported instanceof TypeError);
  assertMatch(unexported.message, /the task "inside" is not exported by file:.*\/core\.ts/);
  assertMatch((await errorOf(group.submitTo(0, () => 1))).message, /"\(anonymous\)"/);
  assertMatch((await errorOf(group.submitTo(0, 5 as unknown as () => void))).message, /the task 5 /);
  assertMatch((await errorOf(group.submitTo(0, tasks.submitUnexported, 1))).message, /"inside"/);
  assertMatch((await errorOf(group.submitTo(0, tasks.submitUnexported, 0))).message, /"inside"/);
});

groupTest(
  "CoreGroup.submitTo() carries an AbortSignal, which ends the call and tells the task",
  async (group) => {
    const reasons: [reason: unknown, told: string][] = [
      [undefined, "DOMException AbortError: The signal has been aborted"],
      ["text", "text"],
      [new tasks.OwnError("changed my mind"), "OwnError OwnError: changed my mind"],
      [new DOMException("late", "TimeoutError"), "DOMException TimeoutError: late"],
    ];
    for (const [reason, told] of reasons) {
      const controller = new AbortController();
      const call = group.submitTo(1, tasks.untilAborted, controller.signal);
      await group.submitTo(1, tasks.square, 1);
      controller.abort(reason);
      assertStrictEquals(await errorOf(call), controller.signal.reason);
      assertEquals(await group.submitTo(1, tasks.takeAborted), [told]);
    }
    const foreign = new AbortController();
    const call = group.submitTo(1, tasks.untilAborted, foreign.signal);
    foreign.abort(() => 1);
    assertStrictEquals(await errorOf(call), foreign.signal.reason);
    assertEquals(await group.submitTo(1, tasks.takeAborted), ["[Function (anonymous)]"]);

    const aborted = AbortSignal.abort("before");
    assertStrictEquals(await errorOf(group.submitTo(1, tasks.untilAborted, aborted)), "before");
    assertEquals(await group.submitTo(1, tasks.takeAborted), []);

    const after = new AbortController();
    assertStrictEquals(await group.submitTo(1, tasks.ignoresSignal, after.signal, 3), 3);
    after.abort();
    const within = new AbortController();
    const answered = group.submitTo(1, tasks.ignoresSignal, within.signal, 3);
    within.abort("meanwhile");
    assertStrictEquals(await errorOf(answered), "meanwhile");
    assertStrictEquals(await group.submitTo(1, tasks.square, 3), 9);
    await until(async () => (await group.statistics())[1].callsServingCount === 1);
  },
);

groupTest(
  "CoreGroup.submitTo() with a signal ends whatever the reason is, and whenever it aborts",
  async (group) => {
    const long = new AbortController();
    const call = group.submitTo(1, tasks.untilAborted, long.signal);
    await group.submitTo(1, tasks.square, 1);
    const reason = new Uint8Array(256 * 1024 * 1024);
    long.abort(reason);
    assertStrictEquals(await errorOf(call), reason as unknown);
    const [told] = await group.submitTo(1, tasks.takeAborted);
    assertMatch(
      told,
      /^RangeError RangeError: what was thrown cannot be sent: \d+ bytes, at most 268435456 can travel/,
    );

    const within = new AbortController();
    const aborts = {
      get value() {
        within.abort("in a getter");
        return 1;
      },
    };
    assertStrictEquals(
      await errorOf(group.submitTo(1, tasks.listArguments, within.signal, aborts)),
      "in a getter",
    );
    assertStrictEquals(await group.submitTo(1, tasks.square, 2), 4);
  },
);

groupTest(
  "CoreGroup.submitTo() keeps the order of calls to one core, however long they are",
  async (group) => {
    const calls: Promise<unknown>[] = [];
    for (let index = 0; index < 3000; index++) calls.push(group.submitTo(1, tasks.remember, index));
    await Promise.all(calls);
    assertEquals(
      await group.submitTo(1, tasks.takeSeen),
      Array.from({ length: 3000 }, (_, index) => index),
    );
  },
  { ringCapacityBytes: 4096 },
);

groupTest(
  "Core.submitTo() gets through when the rings are full in both directions at once",
  async (group) => {
    const floods = await Promise.all([
      group.submitTo(0, tasks.flood, 1, 2000, 1500),
      group.submitTo(1, tasks.flood, 0, 2000, 1500),
      group.submitTo(0, tasks.flood, 1, 20, 100_000),
      group.submitTo(1, tasks.flood, 0, 20, 100_000),
    ]);
    assertEquals(floods, [2000, 2000, 20, 20]);
    for (const { callsOutstandingCount, waitingBytes } of await group.statistics()) {
      assertStrictEquals(callsOutstandingCount, 0);
      assertEquals(waitingBytes, [0, 0, 0]);
    }
  },
  { ringCapacityBytes: 4096 },
);

for (const driver of DRIVERS) {
  groupTest(
    `results and calls that find the ring full go out although their core sleeps (${driver})`,
    async (group) => {
      // What continues after a timer of Deno's runs outside the turns of a reactor.
      const bytes = await group.submitTo(1, tasks.bytesAfter, 300, 2 ** 20);
      assertStrictEquals(bytes.length, 2 ** 20);
      assertStrictEquals(await group.submitTo(0, tasks.relayBytesAfter, 1, 300, 2 ** 20), 2 ** 20);
    },
    { driver },
  );
}

groupTest("CoreGroup.submitTo() has tens of thousands of calls outstanding", async (group) => {
  const results = await Promise.all(
    Array.from({ length: 30_000 }, (_, index) => group.submitTo(index & 1, tasks.sleepFor, 1, index)),
  );
  assert(results.every((value, index) => value === index));
});

groupTest("CoreGroup.submitTo() refuses what is too long or too much at once", async (group) => {
  const long = new Uint8Array(256 * 1024 * 1024);
  const error = await errorOf(group.submitTo(0, tasks.byteSum, long));
  assert(error instanceof RangeError);
  assertMatch(error.message, /at most 268435456 can travel at once/);
  // A core that is held up takes nothing out of its ring.
  const held = group.submitTo(1, tasks.hold, 300);
  const parts = new Uint8Array(200 * 1024 * 1024);
  const first = group.submitTo(1, tasks.kindOf, parts);
  const second = group.submitTo(1, tasks.kindOf, parts);
  const busy = await errorOf(group.submitTo(1, tasks.kindOf, parts));
  assert(busy instanceof CoreBusyError);
  assertEquals([busy.name, busy.core], ["CoreBusyError", 1]);
  assertMatch(busy.message, /bytes wait for room in its ring/);
  await Promise.all([held, first, second]);
  assertStrictEquals(await group.submitTo(1, tasks.square, 3), 9);
});

groupTest(
  "CoreGroup.submitTo() sends arguments as they are when it is called, with the first call too",
  async (group) => {
    for (const _ of ["first", "second"]) {
      const bytes = new Uint8Array([1]);
      const object = { list: [1] };
      const call = group.submitTo(1, tasks.listArguments, bytes, object, "text", 1n, undefined);
      bytes[0] = 99;
      object.list.push(99);
      assertEquals(await call, [new Uint8Array([1]), { list: [1] }, "text", 1n, undefined]);
    }
  },
);

groupTest("Core.submitTo() to the core itself is a plain call in a later turn", async (group) => {
  assertEquals(await group.submitTo(0, tasks.callsItself), ["after", "TypeError", "same"]);
});

coresTest(
  "Core.submitTo(), broadcast() and Sharded.invokeOnAll() end when their signal aborts, on every core",
  async () => {
    const group = await startGroup();
    assertEquals(await group.submitTo(1, tasks.endCalls), new Array(5).fill("enough"));
    group.terminate();
  },
);

groupTest("Core.broadcast() asks every core", async (group) => {
  assertEquals(await group.submitTo(1, tasks.broadcastIndex), [0, 1, 2]);
}, { count: 3 });

groupTest("startCores({ pinned }) keeps each core on a processor, or says what it needs", async (group) => {
  assertStrictEquals(await group.submitTo(1, tasks.square, 3), 9);
}, { pinned: hasNative });
