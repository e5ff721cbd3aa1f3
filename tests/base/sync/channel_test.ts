import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { SeededRandom } from "../../../src/base/mod.ts";
import {
  Channel,
  CHANNEL_CAPACITY_MAX,
  ChannelClosedError,
  QueueFullError,
  type ReceiveResult,
  type SendResult,
} from "../../../src/base/sync/mod.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";
import { CountedAbort } from "../timer/support.ts";
import { expectedListenerCount, flush, Followed, SignalPool } from "./support.ts";

Deno.test("Channel() refuses numbers out of range", () => {
  for (const capacity of [0, -1, 1.5, NaN, CHANNEL_CAPACITY_MAX + 1]) {
    assertThrows(() => new Channel(capacity), RangeError);
  }
  assertThrows(() => new Channel(1, { waitingMax: -1 }), RangeError);
  assertStrictEquals(new Channel(CHANNEL_CAPACITY_MAX).capacity, CHANNEL_CAPACITY_MAX);
});

Deno.test("Channel.trySend() and tryReceive() tell full, empty and closed", () => {
  const channel = new Channel<number | undefined>(2);
  assertEquals(channel.tryReceive(), { state: "empty" });
  assertEquals([channel.trySend(1), channel.trySend(undefined), channel.trySend(3)], [
    "ok",
    "ok",
    "full",
  ]);
  assertStrictEquals(channel.length, 2);
  assertEquals(channel.tryReceive(), { state: "ok", value: 1 });
  channel.close();
  assertStrictEquals(channel.trySend(4), "closed");
  assertEquals(channel.tryReceive(), { state: "ok", value: undefined });
  assertEquals(channel.tryReceive(), { state: "closed" });
});

Deno.test("Channel.send() waits for room, in the order in which senders came", async () => {
  const channel = new Channel<string>(1);
  await channel.send("a");
  const order: string[] = [];
  for (const value of ["b", "c"]) new Followed(channel.send(value), () => order.push(value));
  await flush();
  assertEquals([order, channel.length, channel.trySend("d")], [[], 1, "full"]);
  assertStrictEquals(await channel.receive(), "a");
  await flush();
  assertEquals([order, channel.length], [["b"], 1]);
  assertEquals(channel.tryReceive(), { state: "ok", value: "b" });
  assertEquals(channel.tryReceive(), { state: "ok", value: "c" });
  await flush();
  assertEquals([order, channel.length], [["b", "c"], 0]);
});

Deno.test("Channel.receive() waits for a value, in the order in which receivers came", async () => {
  const channel = new Channel<number>(4);
  const order: string[] = [];
  for (const name of ["first", "second"]) {
    new Followed(channel.receive(), (value) => order.push(`${name} ${value}`));
  }
  assertStrictEquals(channel.trySend(1), "ok");
  await channel.send(2);
  new Followed(channel.receive(), (value) => order.push(`third ${value}`));
  await channel.send(3);
  await flush();
  assertEquals([order, channel.length], [["first 1", "second 2", "third 3"], 0]);
});

Deno.test("Channel.receive() aborted at the head and in the middle loses no value", async () => {
  const channel = new Channel<number>(1);
  const aborts = Array.from({ length: 4 }, () => new CountedAbort());
  const calls = aborts.map(({ signal }) => new Followed(channel.receive({ signal })));
  aborts[0].abort("head");
  aborts[2].abort("middle");
  for (const value of [1, 2, 3]) assertStrictEquals(channel.trySend(value), "ok");
  aborts[3].abort("after the grant");
  await flush();
  assertEquals(calls.map(({ outcome }) => outcome), [
    { state: "failed", reason: "head" },
    { state: "ok", value: 1 },
    { state: "failed", reason: "middle" },
    { state: "ok", value: 2 },
  ]);
  assertEquals(channel.tryReceive(), { state: "ok", value: 3 });
  assertEquals(aborts.map((abort) => abort.listenerCount), [0, 0, 0, 0]);
});

Deno.test("Channel.send() aborted while it waits sends nothing, and those behind it go on", async () => {
  const channel = new Channel<number>(1);
  await channel.send(1);
  const aborts = Array.from({ length: 3 }, () => new CountedAbort());
  const calls = aborts.map(({ signal }, index) => new Followed(channel.send(index + 2, { signal })));
  aborts[0].abort("head");
  await flush();
  assertEquals(calls[0].outcome, { state: "failed", reason: "head" });
  assertEquals([await channel.receive(), await channel.receive(), await channel.receive()], [1, 3, 4]);
  await flush();
  assertEquals(calls.map(({ outcome }) => outcome.state), ["failed", "ok", "ok"]);
  assertEquals(aborts.map((abort) => abort.listenerCount), [0, 0, 0]);
});

Deno.test("Channel.trySend() called by another listener of an abort reaches nobody who has given up", async () => {
  const channel = new Channel<number>(1);
  const controller = new AbortController();
  controller.signal.addEventListener("abort", () => assertStrictEquals(channel.trySend(1), "ok"));
  const gone = new Followed(channel.receive({ signal: controller.signal }));
  const stays = new Followed(channel.receive());
  controller.abort("gone");
  await flush();
  assertEquals(gone.outcome, { state: "failed", reason: "gone" });
  assertEquals(stays.outcome, { state: "ok", value: 1 });
});

Deno.test("Channel.send() and receive() reject with the reason of a signal aborted before", async () => {
  const channel = new Channel<number>(1);
  const signal = AbortSignal.abort("before");
  await assertRejectsMatching(() => channel.send(1, { signal }), (reason) => reason === "before");
  assertStrictEquals(channel.length, 0);
  await channel.send(1);
  await assertRejectsMatching(() => channel.receive({ signal }), (reason) => reason === "before");
  assertStrictEquals(channel.length, 1);
});

Deno.test("Channel.send() and receive() reject when waitingMax wait, each by themselves", async () => {
  const channel = new Channel<number>(1, { waitingMax: 1 });
  const receiving = channel.receive();
  await assertRejects(() => channel.receive(), QueueFullError);
  await channel.send(1);
  await channel.send(2);
  const sending = channel.send(3);
  await assertRejects(() => channel.send(4), QueueFullError);
  assertEquals([await receiving, await channel.receive(), await channel.receive()], [1, 2, 3]);
  await sending;
});

Deno.test("Channel.close() lets receivers drain what is held and turns waiting senders away", async () => {
  const channel = new Channel<number>(2);
  await channel.send(1);
  await channel.send(2);
  const waiting = channel.send(3);
  assertStrictEquals(channel.closed, false);
  channel.close();
  channel.close();
  await assertRejects(() => waiting, ChannelClosedError);
  await assertRejects(() => channel.send(4), ChannelClosedError);
  assertEquals([channel.closed, channel.length], [true, 2]);
  assertEquals([await channel.receive(), await channel.receive()], [1, 2]);
  await assertRejects(() => channel.receive(), ChannelClosedError);
});

Deno.test("Channel.close() ends receivers and loops that wait", async () => {
  const channel = new Channel<number>(2);
  const abort = new CountedAbort();
  const receiving = channel.receive({ signal: abort.signal });
  const looping = collect(channel);
  await flush();
  channel[Symbol.dispose]();
  await assertRejects(() => receiving, ChannelClosedError);
  assertEquals(await looping, []);
  assertStrictEquals(abort.listenerCount, 0);
});

Deno.test("Channel.values() shares the values between loops, and leaving one does not close", async () => {
  const channel = new Channel<number>(10);
  const loops = [collect(channel), collect(channel.values())];
  for (let value = 0; value < 10; value++) await channel.send(value);
  await flush();
  channel.close();
  const values = await Promise.all(loops);
  assertEquals(values.flat().sort((a, b) => a - b), Array.from({ length: 10 }, (_, index) => index));
  assert(values[0].length > 0 && values[1].length > 0);

  const other = new Channel<number>(2);
  await other.send(1);
  await other.send(2);
  for await (const value of other) {
    assertStrictEquals(value, 1);
    break;
  }
  assertEquals([other.closed, await other.receive()], [false, 2]);
});

Deno.test("Channel.values() throws the reason of its signal and leaves no listener", async () => {
  const channel = new Channel<number>(1);
  const abort = new CountedAbort();
  const loop = collect(channel.values({ signal: abort.signal }));
  await flush();
  await channel.send(1);
  await flush();
  abort.abort("enough");
  await assertRejectsMatching(() => loop, (reason) => reason === "enough");
  assertStrictEquals(abort.listenerCount, 0);
  assertStrictEquals(channel.closed, false);
});

Deno.test("Channel agrees with a model under random calls, aborts and closing", async () => {
  for (const seed of testSeeds(40)) await withSeed(seed, () => checkChannel(seed));
});

interface Sending {
  value: number;
  signal: AbortSignal | undefined;
  followed: Followed<void>;
}

interface Receiving {
  signal: AbortSignal | undefined;
  followed: Followed<number>;
}

async function checkChannel(seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const signals = new SignalPool(random);
  const capacity = 1 + random.below(4);
  const channel = new Channel<number>(capacity);
  const held: number[] = [];
  const sending: Sending[] = [];
  const receiving: Receiving[] = [];
  let closed: boolean = false;

  /** What the model says the outcomes are, checked once the promises have settled. */
  const expected: (() => void)[] = [];
  const expectOk = <T>({ followed }: { followed: Followed<T> }, value: T) => {
    expected.push(() => assertEquals(followed.outcome, { state: "ok", value }));
  };
  const expectFailed = (
    { followed }: { followed: Followed<unknown> },
    check: (reason: unknown) => boolean,
  ) => {
    expected.push(() => {
      assertStrictEquals(followed.outcome.state, "failed");
      if (followed.outcome.state === "failed") assert(check(followed.outcome.reason));
    });
  };
  const isClosed = (reason: unknown) => reason instanceof ChannelClosedError;
  const settle = (): void => {
    for (let moved = true; moved;) {
      moved = false;
      if (held.length > 0 && receiving.length > 0) {
        expectOk(receiving.shift() as Receiving, held.shift() as number);
        moved = true;
      }
      if (held.length < capacity && sending.length > 0) {
        const sender = sending.shift() as Sending;
        held.push(sender.value);
        expectOk(sender, undefined);
        moved = true;
      }
    }
  };

  for (let step = 0; step < 400; step++) {
    const choice = random.below(100);
    if (choice < 30) {
      const signal = signals.pick();
      const call = { value: step, signal, followed: new Followed(channel.send(step, { signal })) };
      if (closed) expectFailed(call, isClosed);
      else sending.push(call);
    } else if (choice < 40) {
      const result: SendResult = closed ? "closed" : held.length < capacity ? "ok" : "full";
      if (result === "ok") held.push(step);
      assertStrictEquals(channel.trySend(step), result);
    } else if (choice < 75) {
      const signal = signals.pick();
      const call = { signal, followed: new Followed(channel.receive({ signal })) };
      if (closed && held.length === 0) expectFailed(call, isClosed);
      else receiving.push(call);
    } else if (choice < 85) {
      const empty: ReceiveResult<number> = { state: closed ? "closed" : "empty" };
      const result: ReceiveResult<number | undefined> = held.length > 0
        ? { state: "ok", value: held.shift() }
        : empty;
      assertEquals(channel.tryReceive(), result);
    } else if (choice < 99 || step < 200) {
      const signal = signals.abortOne();
      for (const calls of [sending, receiving]) {
        for (const call of calls) if (call.signal === signal) expectFailed(call, (r) => r === signal.reason);
      }
      sending.splice(0, Infinity, ...sending.filter((call) => call.signal !== signal));
      receiving.splice(0, Infinity, ...receiving.filter((call) => call.signal !== signal));
    } else {
      closed = true;
      channel.close();
      for (const call of [...sending.splice(0), ...receiving.splice(0)]) expectFailed(call, isClosed);
    }
    settle();
    await flush();
    for (const check of expected.splice(0)) check();
    assertStrictEquals(channel.length, held.length);
    const waiting = [...sending, ...receiving];
    for (const { followed } of waiting) assertStrictEquals(followed.outcome.state, "pending");
    assertStrictEquals(signals.listenerCount, expectedListenerCount(waiting));
  }
}

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const value of values) collected.push(value);
  return collected;
}
