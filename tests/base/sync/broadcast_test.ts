import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { assertRejectsMatching, assertThrowsMatching } from "../../support/assertions.ts";
import { SeededRandom } from "../../../src/base/mod.ts";
import {
  Broadcast,
  BroadcastLaggedError,
  ChannelClosedError,
  QueueFullError,
  type Subscription,
  SUBSCRIPTIONS_MAX,
  type WhenFull,
} from "../../../src/base/sync/mod.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";
import { CountedAbort } from "../timer/support.ts";
import { expectedListenerCount, flush, Followed, SignalPool } from "./support.ts";

Deno.test("Broadcast() refuses numbers out of range, and waits when full unless told otherwise", () => {
  for (const capacity of [0, 1.5, NaN]) assertThrows(() => new Broadcast(capacity), RangeError);
  for (const subscriptionsMax of [0, SUBSCRIPTIONS_MAX + 1]) {
    assertThrows(() => new Broadcast(1, { subscriptionsMax }), RangeError);
  }
  assertThrows(() => new Broadcast(1, { waitingMax: -1 }), RangeError);
  const broadcast = new Broadcast(3);
  assertEquals([broadcast.capacity, broadcast.whenFull, broadcast.closed], [3, "wait", false]);
});

Deno.test("Broadcast.send() gives every subscription what is sent after it was made", async () => {
  const broadcast = new Broadcast<number>(4);
  await broadcast.send(0);
  const first = broadcast.subscribe();
  await broadcast.send(1);
  const second = broadcast.subscribe();
  await broadcast.send(2);
  broadcast.close();
  assertEquals([await collect(first), await collect(second)], [[1, 2], [2]]);
});

Deno.test("Broadcast.subscribe() is limited, and refused when closed", () => {
  const broadcast = new Broadcast<number>(1, { subscriptionsMax: 1 });
  {
    using _ = broadcast.subscribe();
    assertStrictEquals(broadcast.subscriptionCount, 1);
    assertThrows(() => broadcast.subscribe(), RangeError);
  }
  assertStrictEquals(broadcast.subscriptionCount, 0);
  broadcast.subscribe();
  broadcast[Symbol.dispose]();
  assertEquals([broadcast.closed, broadcast.subscriptionCount], [true, 0]);
  assertThrows(() => broadcast.subscribe(), ChannelClosedError);
});

Deno.test('Broadcast.send() with whenFull "wait" waits until all have room, in the order of the senders', async () => {
  const broadcast = new Broadcast<number>(1);
  const fast = broadcast.subscribe();
  const slow = broadcast.subscribe();
  await broadcast.send(1);
  const order: number[] = [];
  for (const value of [2, 3]) new Followed(broadcast.send(value), () => order.push(value));
  assertStrictEquals(await fast.receive(), 1);
  await flush();
  assertEquals([order, fast.length, broadcast.trySend(4)], [[], 0, "full"]);
  assertEquals(slow.tryReceive(), { state: "ok", value: 1 });
  await flush();
  assertEquals([order, fast.length, slow.length], [[2], 1, 1]);
  assertStrictEquals(await fast.receive(), 2);
  slow[Symbol.dispose]();
  await flush();
  assertEquals(order, [2, 3], "a subscription that is gone holds nobody up");
  assertEquals([await fast.receive(), fast.missedCount], [3, 0]);
});

Deno.test('Broadcast.send() with whenFull "wait" aborted while it waits reaches nobody', async () => {
  const broadcast = new Broadcast<number>(1, { waitingMax: 2 });
  const subscription = broadcast.subscribe();
  await broadcast.send(1);
  const aborts = [new CountedAbort(), new CountedAbort()];
  const sends = aborts.map(({ signal }, index) => new Followed(broadcast.send(index + 2, { signal })));
  await assertRejects(() => broadcast.send(9), QueueFullError);
  aborts[0].abort("given up");
  assertEquals([await subscription.receive(), await subscription.receive()], [1, 3]);
  await flush();
  assertEquals(sends.map(({ outcome }) => outcome.state), ["failed", "ok"]);
  assertEquals(aborts.map((abort) => abort.listenerCount), [0, 0]);
  const before = broadcast.send(4, { signal: AbortSignal.abort("before") });
  await assertRejectsMatching(() => before, (reason) => reason === "before");
  assertStrictEquals(subscription.length, 0);
});

Deno.test('Broadcast.send() with whenFull "drop-oldest" drops from the slow only, and counts', async () => {
  const broadcast = new Broadcast<number>(2, { whenFull: "drop-oldest" });
  const fast = broadcast.subscribe();
  const slow = broadcast.subscribe();
  for (let value = 1; value <= 5; value++) {
    await broadcast.send(value);
    assertStrictEquals(await fast.receive(), value);
  }
  assertEquals([fast.missedCount, slow.missedCount], [0, 3]);
  assertEquals([await slow.receive(), await slow.receive()], [4, 5]);
});

Deno.test('Broadcast.send() with whenFull "fail" ends the slow subscription behind what it holds', async () => {
  const broadcast = new Broadcast<number>(2, { whenFull: "fail" });
  const fast = broadcast.subscribe();
  const slow = broadcast.subscribe();
  const looping = broadcast.subscribe();
  for (let value = 1; value <= 4; value++) {
    assertStrictEquals(broadcast.trySend(value), "ok");
    assertStrictEquals(await fast.receive(), value);
  }
  assertEquals([broadcast.subscriptionCount, slow.closed, slow.missedCount], [1, true, 1]);
  assertEquals([await slow.receive(), await slow.receive()], [1, 2]);
  await assertRejectsMatching(
    () => slow.receive(),
    (error) => error instanceof BroadcastLaggedError && error.capacity === 2,
  );
  assertThrows(() => slow.tryReceive(), BroadcastLaggedError);
  const seen: number[] = [];
  await assertRejects(async () => {
    for await (const value of looping) seen.push(value);
  }, BroadcastLaggedError);
  assertEquals(seen, [1, 2]);
  slow[Symbol.dispose]();
  assertEquals(slow.tryReceive(), { state: "closed" });
});

Deno.test("Subscription.receive() waits in order, and can be given up without loss", async () => {
  const broadcast = new Broadcast<number>(1);
  const subscription = broadcast.subscribe();
  assertEquals(subscription.tryReceive(), { state: "empty" });
  const abort = new CountedAbort();
  const calls = [
    new Followed(subscription.receive({ signal: abort.signal })),
    new Followed(subscription.receive()),
  ];
  abort.abort("head");
  await broadcast.send(1);
  await flush();
  assertEquals(calls.map(({ outcome }) => outcome), [
    { state: "failed", reason: "head" },
    { state: "ok", value: 1 },
  ]);
  assertStrictEquals(abort.listenerCount, 0);
});

Deno.test("Subscription.values() disposes when left, and when its signal aborts", async () => {
  const broadcast = new Broadcast<number>(1);
  const left = broadcast.subscribe();
  await broadcast.send(1);
  for await (const value of left) {
    assertStrictEquals(value, 1);
    break;
  }
  assertEquals([broadcast.subscriptionCount, left.closed], [0, true]);
  const abort = new CountedAbort();
  const loop = collect(broadcast.subscribe().values({ signal: abort.signal }));
  await flush();
  assertStrictEquals(broadcast.subscriptionCount, 1);
  abort.abort("enough");
  await assertRejectsMatching(() => loop, (reason) => reason === "enough");
  assertEquals([broadcast.subscriptionCount, abort.listenerCount], [0, 0]);
});

Deno.test("Subscription.values() disposes when left before its first value, and while it waits for one", async () => {
  const broadcast = new Broadcast<number>(1);
  await broadcast.subscribe().values().return();
  assertStrictEquals(broadcast.subscriptionCount, 0);
  const waiting = broadcast.subscribe().values();
  const next = waiting.next();
  await waiting.return();
  assertEquals([await next, broadcast.subscriptionCount], [{ done: true, value: undefined }, 0]);
  // Else a sender would wait for their readers for ever.
  await broadcast.send(1);
  await broadcast.send(2);
});

Deno.test("Subscription[Symbol.dispose]() drops what is held and ends what waits", async () => {
  const broadcast = new Broadcast<number>(2);
  const holding = broadcast.subscribe();
  await broadcast.send(1);
  const waiting = broadcast.subscribe();
  const receiving = waiting.receive();
  holding[Symbol.dispose]();
  waiting[Symbol.dispose]();
  waiting[Symbol.dispose]();
  assertEquals([holding.length, holding.tryReceive()], [0, { state: "closed" }]);
  await assertRejects(() => receiving, ChannelClosedError);
  await broadcast.send(2);
  assertStrictEquals(holding.length, 0);
});

Deno.test("Broadcast.close() turns waiting senders away, and subscriptions get what they hold", async () => {
  const broadcast = new Broadcast<number>(1);
  const subscription = broadcast.subscribe();
  await broadcast.send(1);
  const waiting = broadcast.send(2);
  broadcast.close();
  broadcast.close();
  await assertRejects(() => waiting, ChannelClosedError);
  await assertRejects(() => broadcast.send(3), ChannelClosedError);
  assertStrictEquals(broadcast.trySend(3), "closed");
  assertStrictEquals(await subscription.receive(), 1);
  await assertRejects(() => subscription.receive(), ChannelClosedError);
});

Deno.test("Broadcast agrees with a model under random calls, aborts and closing", async () => {
  for (const seed of testSeeds(45)) await withSeed(seed, () => checkBroadcast(seed));
});

interface Reader {
  subscription: Subscription<number>;
  held: number[];
  missedCount: number;
  lagged: boolean;
  attached: boolean;
  receiving: { signal: AbortSignal | undefined; followed: Followed<number> }[];
}

async function checkBroadcast(seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const signals = new SignalPool(random);
  const capacity = 1 + random.below(3);
  const whenFull = (["wait", "drop-oldest", "fail"] as const satisfies WhenFull[])[seed % 3];
  const broadcast = new Broadcast<number>(capacity, { whenFull });
  const readers: Reader[] = [];
  let sending: { value: number; signal: AbortSignal | undefined; followed: Followed<void> }[] = [];
  let closed = false;
  const expected: (() => void)[] = [];
  const expectOk = <T>(followed: Followed<T>, value: T) => {
    expected.push(() => assertEquals(followed.outcome, { state: "ok", value }));
  };
  const expectFailed = (followed: Followed<unknown>, check: (reason: unknown) => boolean) => {
    expected.push(() => {
      assertStrictEquals(followed.outcome.state, "failed");
      if (followed.outcome.state === "failed") assert(check(followed.outcome.reason));
    });
  };
  const isClosed = (reason: unknown) => reason instanceof ChannelClosedError;
  const isLagged = (reason: unknown) => reason instanceof BroadcastLaggedError;
  const attached = () => readers.filter((reader) => reader.attached);
  const haveRoom = () => attached().every(({ held }) => held.length < capacity);
  const deliver = (value: number) => {
    for (const reader of attached()) {
      if (reader.held.length < capacity) reader.held.push(value);
      else {
        reader.missedCount++;
        if (whenFull === "fail") {
          reader.attached = false;
          reader.lagged = true;
        } else {
          reader.held.shift();
          reader.held.push(value);
        }
      }
      const call = reader.receiving.shift();
      if (call !== undefined) expectOk(call.followed, reader.held.shift() as number);
    }
  };
  const settle = () => {
    while (sending.length > 0 && haveRoom()) {
      const { value, followed } = sending.splice(0, 1)[0];
      deliver(value);
      expectOk(followed, undefined);
    }
  };
  const anyReader = () => readers.length === 0 ? undefined : readers[random.below(readers.length)];

  for (let step = 0; step < 400; step++) {
    const choice = random.below(100);
    if (choice < 8) {
      if (closed || readers.length >= 6) continue;
      const subscription = broadcast.subscribe();
      readers.push({ subscription, held: [], missedCount: 0, lagged: false, attached: true, receiving: [] });
    } else if (choice < 28) {
      const signal = signals.pick();
      const followed = new Followed(broadcast.send(step, { signal }));
      if (closed) expectFailed(followed, isClosed);
      else if (whenFull === "wait") sending.push({ value: step, signal, followed });
      else {
        deliver(step);
        expectOk(followed, undefined);
      }
    } else if (choice < 38) {
      const full = whenFull === "wait" && (sending.length > 0 || !haveRoom());
      assertStrictEquals(broadcast.trySend(step), closed ? "closed" : full ? "full" : "ok");
      if (!closed && !full) deliver(step);
    } else if (choice < 72) {
      const reader = anyReader();
      if (reader === undefined) continue;
      const signal = signals.pick();
      const followed = new Followed(reader.subscription.receive({ signal }));
      if (reader.held.length > 0) expectOk(followed, reader.held.shift() as number);
      else if (reader.attached) reader.receiving.push({ signal, followed });
      else expectFailed(followed, reader.lagged ? isLagged : isClosed);
    } else if (choice < 84) {
      const reader = anyReader();
      if (reader === undefined) continue;
      const { subscription, held } = reader;
      if (held.length > 0) {
        assertEquals(subscription.tryReceive(), { state: "ok", value: held.shift() as number });
      } else if (reader.lagged) assertThrows(() => subscription.tryReceive(), BroadcastLaggedError);
      else assertEquals(subscription.tryReceive(), { state: reader.attached ? "empty" : "closed" });
    } else if (choice < 92) {
      const signal = signals.abortOne();
      const gone = (call: { signal: AbortSignal | undefined; followed: Followed<unknown> }): boolean => {
        if (call.signal !== signal) return false;
        expectFailed(call.followed, (reason) => reason === signal.reason);
        return true;
      };
      sending = sending.filter((call) => !gone(call));
      for (const reader of readers) reader.receiving = reader.receiving.filter((call) => !gone(call));
    } else if (choice < 98) {
      if (readers.length === 0) continue;
      const [reader] = readers.splice(random.below(readers.length), 1);
      reader.subscription[Symbol.dispose]();
      for (const { followed } of reader.receiving) expectFailed(followed, isClosed);
    } else if (step > 250) {
      closed = true;
      broadcast.close();
      for (const { followed } of sending.splice(0)) expectFailed(followed, isClosed);
      for (const reader of readers) {
        reader.attached = false;
        for (const { followed } of reader.receiving.splice(0)) expectFailed(followed, isClosed);
      }
    }
    settle();
    await flush();
    for (const check of expected.splice(0)) check();
    for (const { subscription, held, missedCount } of readers) {
      assertEquals([subscription.length, subscription.missedCount], [held.length, missedCount]);
    }
    assertStrictEquals(broadcast.subscriptionCount, attached().length);
    const waiting = [...sending, ...readers.flatMap((reader) => reader.receiving)];
    for (const { followed } of waiting) assertStrictEquals(followed.outcome.state, "pending");
    assertStrictEquals(signals.listenerCount, expectedListenerCount(waiting));
  }
}

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const value of values) collected.push(value);
  return collected;
}

Deno.test("Broadcast refuses a way to be full that there is not", () => {
  assertThrowsMatching(
    () => new Broadcast(1, { whenFull: "drop oldest" as "fail" }),
    /whenFull is "drop oldest"/,
  );
});
