import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import {
  jsonPayload,
  messagePackPayload,
  SharedState,
  SharedStateFullError,
  STATE_PARTICIPANTS_MAX,
  type StateCreateOptions,
} from "../../../src/ipc/state/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { SharedMemory } from "../../../src/ipc/memory/mod.ts";
import { WORD } from "../../../src/ipc/state/layout.ts";
import { DateClock, StateNames } from "./support.ts";

nameSkipReason("SharedState", nativeSkipReason());

const SHAPE = { capacity: 16, keyBytesMax: 32, valueBytesMax: 100, writersMax: 4 };

/** Gives `body` a state opened twice, as two processes would. */
function stateTest(
  name: string,
  body: (one: SharedState, other: SharedState) => Promise<void> | void,
  shape: StateCreateOptions = SHAPE,
): void {
  nativeTest(name, async () => {
    using names = new StateNames();
    using one = SharedState.create(names.next(), shape);
    using other = SharedState.connect(one.name);
    await body(one, other);
  });
}

const textOf = (state: SharedState, key: string): string | undefined => state.getEntry(key)?.text();

stateTest("SharedState.set() and get(): a value is seen by all, and is a copy of its own", (one, other) => {
  const value = new Uint8Array([1, 2, 3]);
  const version = one.set("k", value);
  value[0] = 9;
  const got = other.get("k");
  assertEquals([...got ?? []], [1, 2, 3]);
  got?.fill(0);
  assertEquals([...other.get("k") ?? []], [1, 2, 3]);
  assertStrictEquals(other.getEntry("k")?.version, version);
  assertStrictEquals(one.get("another"), undefined);
  assertEquals([one.has("k"), one.has("another"), one.size], [true, false, 1]);
});

stateTest("SharedState.set() takes text, JSON, MessagePack and values of every length", (one, other) => {
  one.set("text", "grüße\ufeff");
  assertStrictEquals(textOf(other, "text"), "grüße\ufeff");
  one.set("json", jsonPayload({ a: [1] }));
  assertEquals(other.getEntry("json")?.json(), { a: [1] });
  one.set("pack", messagePackPayload({ bytes: new Uint8Array([1]) }));
  assertEquals(other.getEntry("pack")?.messagePack(), { bytes: new Uint8Array([1]) });
  for (let length = 0; length <= SHAPE.valueBytesMax; length++) {
    const value = Uint8Array.from({ length }, (_, index) => index * 7 + length);
    one.set("any", value);
    assertEquals(other.get("any"), value);
    const buffer = new Uint8Array(length);
    assertStrictEquals(other.getInto("any", buffer), length);
    assertEquals(buffer, value);
  }
});

stateTest("SharedState.get() of values longer than a look lasts", (one, other) => {
  for (const length of [1023, 1024, 1025, 5000]) {
    const value = Uint8Array.from({ length }, (_, index) => index * 13);
    one.set("k", value);
    assertEquals(other.get("k"), value);
    const buffer = new Uint8Array(length + 1).subarray(1);
    other.getInto("k", buffer);
    assertEquals(buffer, value);
  }
}, { ...SHAPE, valueBytesMax: 5000 });

stateTest(
  "SharedState.getInto() writes nothing behind the value, and refuses a buffer that is too short",
  (one) => {
    one.set("k", new Uint8Array([1, 2, 3, 4, 5]));
    const buffer = new Uint8Array(8).fill(9);
    assertStrictEquals(one.getInto("k", buffer), 5);
    assertEquals([...buffer], [1, 2, 3, 4, 5, 9, 9, 9]);
    assertThrowsMatching(() => one.getInto("k", new Uint8Array(4)), /k has 5 bytes, the buffer 4/);
    assertStrictEquals(one.getInto("another", buffer), undefined);
    one.increment("n", 12);
    assertStrictEquals(one.getInto("n", buffer), 2);
    assertEquals([...buffer.subarray(0, 2)], [49, 50]);
  },
);

stateTest("SharedState.set() with onlyIfAbsent leaves what is there", (one, other) => {
  assert((one.set("k", "a", { onlyIfAbsent: true }) ?? 0) > 0);
  assertStrictEquals(other.set("k", "b", { onlyIfAbsent: true }), undefined);
  assertStrictEquals(textOf(one, "k"), "a");
  assert(other.delete("k"));
  assert((other.set("k", "c", { onlyIfAbsent: true }) ?? 0) > 0);
});

stateTest("SharedState.compareAndSet() heeds the version, which never comes again", (one, other) => {
  const first = one.compareAndSet("k", 0, "a") ?? 0;
  assert(first > 0);
  assertStrictEquals(other.compareAndSet("k", 0, "b"), undefined);
  const second = other.compareAndSet("k", first, "b") ?? 0;
  assert(second > first);
  assertStrictEquals(one.compareAndSet("k", first, "c"), undefined);
  assertStrictEquals(one.delete("k", { version: first }), false);
  assert(one.delete("k", { version: second }));
  assertStrictEquals(one.compareAndSet("k", second, "c"), undefined);
  const third = one.set("k", "a");
  assert(third > second, "also when the key was deleted in between");
});

stateTest("SharedState.delete() takes a key away once", (one, other) => {
  one.set("k", "a");
  assertEquals([other.delete("k"), one.delete("k"), one.has("k"), one.size], [true, false, false, 0]);
});

stateTest("SharedState: expired keys are gone, and leave room", (one, other) => {
  using clock = new DateClock();
  for (let index = 0; index < SHAPE.capacity; index++) one.set(`k${index}`, "v", { expiresAfterMs: 30 });
  const { expiresAt } = other.getEntry("k0") ?? {};
  assertStrictEquals(expiresAt?.getTime(), Date.now() + 30);
  clock.advance(29);
  assertThrows(() => other.set("one more", "v"), SharedStateFullError);
  assert(other.has("k0"));
  clock.advance(1);
  assertEquals([other.has("k0"), other.get("k3")], [false, undefined]);
  assertEquals([...other.keys()], []);
  assertStrictEquals(other.delete("k0"), false);
  assertStrictEquals(other.compareAndSet("k1", 0, "new") !== undefined, true);
  for (let index = 0; index < SHAPE.capacity - 1; index++) other.set(`n${index}`, "v");
  assertStrictEquals(one.size, SHAPE.capacity);
  assert(one.status().expiredCount > 0);
  one.set("n0", "for ever", { expiresAfterMs: Infinity });
  assertStrictEquals(one.getEntry("n0")?.expiresAt, undefined);
  // Later than a date can be.
  one.set("n0", "for ever", { expiresAfterMs: 2 ** 60 });
  assertStrictEquals(one.getEntry("n0")?.expiresAt, undefined);
});

stateTest("SharedState.set() says when it is full, and changes of what is there go on", (one, other) => {
  for (let index = 0; index < SHAPE.capacity; index++) one.set(`k${index}`, "v");
  for (const state of [one, other]) {
    assertThrowsMatching(() => state.set("more", "v"), (error: Error) => {
      assert(error instanceof SharedStateFullError);
      assertStrictEquals(error.capacity, SHAPE.capacity);
      assertMatch(error.message, /^write to state test-[^:]+: the state is full: it holds 16 keys$/);
      return true;
    });
    assertThrows(() => state.increment("more"), SharedStateFullError);
  }
  for (let index = 0; index < SHAPE.capacity; index++) other.set(`k${index}`, `w${index}`);
  assertStrictEquals(textOf(one, "k7"), "w7");
  assertStrictEquals(one.status().refusedCount, 4);
  one.delete("k3");
  other.set("more", "v");
  assertEquals([...one.keys()].length, SHAPE.capacity);
});

stateTest(
  "SharedState.increment() counts across openers, and holds numbers to the safe integers",
  (one, other) => {
    assertEquals([one.increment("n"), other.increment("n", 41), one.increment("n", -2)], [1, 42, 40]);
    assertEquals([other.counter("n"), other.counter("m"), other.getEntry("n")?.json()], [
      40,
      undefined,
      40,
    ]);
    one.increment("big", Number.MAX_SAFE_INTEGER);
    assertThrows(() => other.increment("big"), RangeError);
    assertStrictEquals(one.counter("big"), Number.MAX_SAFE_INTEGER);
    other.increment("big", -1);
    one.increment("low", Number.MIN_SAFE_INTEGER);
    assertThrows(() => one.increment("low", -1), RangeError);
    for (const by of [0.5, NaN, Infinity, 2 ** 53]) assertThrows(() => one.increment("n", by), RangeError);
    one.set("text", "5");
    assertThrowsMatching(() => one.increment("text"), /increment text: it holds a value, expected a counter/);
    assertThrowsMatching(() => one.counter("text"), /text holds a value, expected a counter/);
    one.set("n", "a value again");
    assertStrictEquals(textOf(other, "n"), "a value again");
  },
);

stateTest("SharedState.increment(): the expiry counts from the first of a window", (one, other) => {
  using clock = new DateClock();
  assertStrictEquals(one.increment("window", 1, { expiresAfterMs: 80 }), 1);
  clock.advance(79);
  assertStrictEquals(other.increment("window", 1, { expiresAfterMs: 80_000 }), 2);
  clock.advance(1);
  assertStrictEquals(one.counter("window"), undefined);
  assertStrictEquals(other.increment("window", 1, { expiresAfterMs: 80_000 }), 1);
});

stateTest("SharedState.keys() and entries() go by prefix", (one, other) => {
  for (const key of ["user.1", "user.2", "group.1", "über"]) one.set(key, key);
  assertEquals([...other.keys()].sort(), ["group.1", "user.1", "user.2", "über"]);
  assertEquals([...other.keys({ prefix: "user." })].sort(), ["user.1", "user.2"]);
  const entries = [...other.entries({ prefix: "ü" })];
  assertEquals(entries.map((entry) => [entry.key, entry.text()]), [["über", "über"]]);
});

stateTest("SharedState refuses keys and values that are none", (one) => {
  assertThrowsMatching(() => one.get(""), /key "": it has 0 bytes, expected 1 to 32/);
  assertThrowsMatching(() => one.set("x".repeat(33), "v"), /it has 33 bytes or more, expected 1 to 32/);
  assertThrowsMatching(() => one.set("ü".repeat(17), "v"), /it has 34 bytes, expected 1 to 32/);
  assertThrows(() => one.set("\ud800", "v"), TypeError);
  assertThrows(() => one.set(7 as unknown as string, "v"), TypeError);
  assertThrows(() => one.set("k", 7 as unknown as string), TypeError);
  assertThrowsMatching(
    () => one.set("k", new Uint8Array(101)),
    /the value has 101 bytes, expected at most 100/,
  );
  assertThrows(() => one.set("k", "v", { expiresAfterMs: -1 }), RangeError);
  assertThrows(() => one.set("k", "v", { expiresAfterMs: NaN }), RangeError);
  assertThrows(() => one.compareAndSet("k", -1, "v"), RangeError);
  assertThrows(() => one.delete("k", { version: 1.5 }), RangeError);
  one.set("x".repeat(32), new Uint8Array(100));
  assertStrictEquals(one.size, 1);
});

stateTest("SharedState: keys that share a bucket keep their values, versions and expiries", (one, other) => {
  // One bucket for each four: some share one however they are spread.
  const all = new Map<string, { text: string; version: number }>();
  for (let round = 0; round < 20; round++) {
    for (let index = 0; index < SHAPE.capacity; index++) {
      const [key, text] = [`key ${index}`, `${round}.${index}`];
      const state = (round + index) % 2 === 0 ? one : other;
      if (round % 5 === 4 && index % 3 === 0) {
        assertStrictEquals(state.delete(key), true);
        all.delete(key);
      } else all.set(key, { text, version: state.set(key, text) });
    }
    for (const [key, { text, version }] of all) {
      const entry = one.getEntry(key);
      assertEquals([entry?.text(), entry?.version], [text, version]);
    }
    assertEquals([...other.keys()].sort(), [...all.keys()].sort());
    assertStrictEquals(other.size, all.size);
  }
});

stateTest("SharedState.status() and metrics() say what happened", (one, other) => {
  one.set("a", "1");
  other.set("b", "2");
  other.delete("a");
  const { participants, ...counts } = one.status();
  assertEquals(counts, {
    capacity: 16,
    keyCount: 1,
    setCount: 2,
    deletedCount: 1,
    expiredCount: 0,
    refusedCount: 0,
    damagedCount: 0,
    watchCount: 0,
  });
  assertEquals(participants.map(({ pid, alive }) => [pid, alive]), [[Deno.pid, true], [Deno.pid, true]]);
  const text = one.metrics();
  assertMatch(text, /^# TYPE millrace_state_keys gauge\nmillrace_state_keys\{state="test-[^"]+"\} 1$/m);
  assertMatch(text, new RegExp(`process_openers\\{state="[^"]+",pid="${Deno.pid}"\\} 2$`, "m"));
});

nativeTest("SharedState.create(), connect(), open(), list(), unlink() and removeAbandoned()", () => {
  using names = new StateNames();
  const name = names.next();
  assertThrowsMatching(() => SharedState.connect(name), (error: Error) => {
    assert(error instanceof Deno.errors.NotFound);
    assertStrictEquals(error.message, `connect to state ${name}: there is none`);
    return true;
  });
  {
    using one = SharedState.open(name, SHAPE);
    assertThrowsMatching(() => SharedState.create(name), (error: Error) => {
      assert(error instanceof Deno.errors.AlreadyExists);
      assertStrictEquals(error.message, `create state ${name}: it exists already`);
      return true;
    });
    using other = SharedState.open(name);
    assertStrictEquals(other.capacity, 16, "options that are left out fit");
    for (const option of ["capacity", "keyBytesMax", "valueBytesMax", "writersMax"]) {
      assertThrowsMatching(() => SharedState.open(name, { [option]: 7 }), {
        name: "AlreadyExists",
        message: new RegExp(`^open state ${name}: ${option} is \\d+, expected 7$`),
      });
    }
    one.set("k", "v");
    assertEquals(SharedState.list({ prefix: name }).map(({ name, inUse, mode }) => [name, inUse, mode]), [
      [name, true, 0o600],
    ]);
    assertEquals(SharedState.removeAbandoned({ prefix: name }), []);
  }
  {
    using again = SharedState.connect(name);
    assertStrictEquals(textOf(again, "k"), "v");
  }
  assertEquals(SharedState.removeAbandoned({ prefix: name }), [name]);
  assertThrows(() => SharedState.unlink(name), Deno.errors.NotFound);
  using _one = SharedState.create(name, { ...SHAPE, mode: 0o640 });
  assertStrictEquals(SharedState.list({ prefix: name })[0].mode, 0o640);
  SharedState.unlink(name);
  assertEquals(SharedState.list({ prefix: name }), []);
});

nativeTest("SharedState.create() refuses what is out of range", () => {
  for (
    const [options, found] of [
      [{ capacity: 0 }, /create state: capacity is 0, expected 1 to 1000000/],
      [{ capacity: 1.5 }, /capacity is 1\.5/],
      [{ keyBytesMax: 0 }, /keyBytesMax is 0/],
      [{ valueBytesMax: 2 ** 27 }, /valueBytesMax is/],
      [{ writersMax: 256 }, /writersMax is 256, expected 1 to 255/],
      [{ capacity: 1_000_000, valueBytesMax: 10_000 }, /take \d+ bytes, expected at most/],
    ] as const
  ) assertThrowsMatching(() => SharedState.create("never", options), found);
  assertThrowsMatching(() => SharedState.create("a/b"), /name of a state: "a\/b", expected/);
});

nativeTest("SharedState.connect() refuses the one opener too many", () => {
  using names = new StateNames();
  using first = SharedState.create(names.next(), SHAPE);
  const openers: SharedState[] = [];
  for (let count = 1; count < STATE_PARTICIPANTS_MAX; count++) openers.push(SharedState.connect(first.name));
  assertThrowsMatching(() => SharedState.connect(first.name), /it has 255 openers already/);
  openers.pop()?.close();
  openers.push(SharedState.connect(first.name));
  openers[openers.length - 1].set("k", "v");
  assertStrictEquals(textOf(first, "k"), "v");
  for (const opener of openers) opener.close();
});

nativeTest("SharedState: each call says that it is closed", () => {
  using names = new StateNames();
  const state = SharedState.create(names.next(), SHAPE);
  state.set("k", "v");
  state.close();
  state.close();
  for (
    const call of [
      () => state.get("k"),
      () => state.getInto("k", new Uint8Array(8)),
      () => state.set("k", "v"),
      () => state.delete("k"),
      () => state.increment("n"),
      () => [...state.keys()],
      () => state.watch(),
      () => state.status(),
      () => state.size,
    ]
  ) assertThrows(call, Deno.errors.BadResource);
});

nativeTest("SharedState: what an opener has left to write to is had by others when it closes", () => {
  using names = new StateNames();
  using one = SharedState.create(names.next(), { ...SHAPE, capacity: 2, writersMax: 1 });
  for (let round = 0; round < 20; round++) {
    using other = SharedState.connect(one.name);
    other.set("a", `${round}`);
    other.set("b", `${round}`);
  }
  one.set("a", "last");
  one.set("b", "last");
  assertStrictEquals(one.size, 2);
});

nativeTest(
  "SharedState.watch() that is returned from is over, begun or not, and also while it waits",
  async () => {
    using names = new StateNames();
    const name = names.next();
    using state = SharedState.create(name, SHAPE);
    using region = SharedMemory.connect(`state.${name}`);
    const words = new Int32Array(region.bytes.buffer, region.bytes.byteOffset, 1024);
    const never = state.watch();
    const waiting = state.watch({ signal: new AbortController().signal });
    assertStrictEquals(words[WORD.watching], 2);
    const next = waiting.next();
    assertEquals(await never.return?.(), { done: true, value: undefined });
    await waiting.return?.();
    assertEquals(await next, { done: true, value: undefined });
    assertStrictEquals(words[WORD.watching], 0);
    state.set("a", "1");
    assertEquals(await waiting.next(), { done: true, value: undefined });
  },
);
