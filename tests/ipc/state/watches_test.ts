import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { CHANGE_COUNT, WORD } from "../../../src/ipc/state/layout.ts";
import { SharedState, type StateChange } from "../../../src/ipc/state/mod.ts";
import { StateCore } from "../../../src/ipc/state/state_core.ts";
import { Watches } from "../../../src/ipc/state/watches.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { DateClock, die, fakeState, HastyClock, pause, reopened, StateNames } from "./support.ts";

nameSkipReason("SharedState.watch()", nativeSkipReason());

const SHAPE = { capacity: 16, keyBytesMax: 32, valueBytesMax: 100 };

function watchTest(name: string, body: (one: SharedState, other: SharedState) => Promise<void>): void {
  nativeTest(name, async () => {
    using names = new StateNames();
    using one = SharedState.create(names.next(), SHAPE);
    using other = SharedState.connect(one.name);
    await body(one, other);
  });
}

function shown(change: StateChange | undefined): string {
  if (change === undefined) return "end";
  if (change.type === "missed") return "missed";
  return change.type === "set" ? `${change.key}=${change.entry.text()}` : `-${change.key}`;
}

async function next(watch: AsyncIterator<StateChange>): Promise<string> {
  return shown((await watch.next()).value);
}

watchTest(
  "SharedState.watch() tells what is there, then what changes, whoever changes it",
  async (one, other) => {
    one.set("user.1", "a");
    one.set("group.1", "x");
    const watch = other.watch({ prefix: "user." });
    assertStrictEquals(await next(watch), "user.1=a");
    const waiting = next(watch);
    one.set("group.1", "y");
    one.set("user.2", "b");
    assertStrictEquals(await waiting, "user.2=b");
    other.delete("user.1");
    assertStrictEquals(await next(watch), "-user.1");
    await watch.return?.();
    assertStrictEquals(one.status().watchCount, 0);
  },
);

watchTest("SharedState.watch() with initial false, of one key", async (one, other) => {
  one.set("k", "old");
  const watch = other.watch({ key: "k", initial: false });
  const waiting = next(watch);
  one.set("kk", "another");
  one.set("k", "new");
  assertStrictEquals(await waiting, "k=new");
  await watch.return?.();
});

watchTest(
  "SharedState.watch(): of many changes the last is told, and a key that came and went is not",
  async (one, other) => {
    const watch = other.watch();
    for (let count = 0; count < 100; count++) one.set("k", `${count}`);
    one.set("gone", "v");
    one.delete("gone");
    assertStrictEquals(await next(watch), "k=99");
    one.increment("n");
    assertStrictEquals(await next(watch), "n=1");
    await watch.return?.();
  },
);

watchTest("SharedState.watch() tells when a key has expired", async (one, other) => {
  using clock = new DateClock();
  const watch = other.watch();
  one.set("k", "v", { expiresAfterMs: 20 });
  assertStrictEquals(await next(watch), "k=v");
  const waiting = next(watch);
  clock.advance(20);
  assertStrictEquals(await waiting, "-k");
  await watch.return?.();
});

watchTest(
  "SharedState.watch() ends when its signal aborts, and rejects when the state is closed",
  async (one, other) => {
    const enough = new AbortController();
    const watch = other.watch({ signal: enough.signal });
    const waiting = watch.next();
    await pause(5);
    enough.abort();
    assertEquals(await waiting, { done: true, value: undefined });
    assertStrictEquals(one.status().watchCount, 0);
    assertEquals(await one.watch({ signal: AbortSignal.abort() }).next(), {
      done: true,
      value: undefined,
    });
    // One that is never read ends as well.
    const unread = new AbortController();
    one.watch({ signal: unread.signal });
    assertStrictEquals(one.status().watchCount, 1);
    unread.abort();
    assertStrictEquals(one.status().watchCount, 0);
    const rejected = assertRejects(async () => void await other.watch().next(), Deno.errors.BadResource);
    await pause(5);
    other.close();
    await rejected;
    assertStrictEquals(one.status().watchCount, 0);
    assertThrows(() => one.watch({ key: "" }), RangeError);
  },
);

watchTest("SharedState.watch(): leaving the loop ends it", async (one, other) => {
  for (const key of ["a", "b"]) one.set(key, key);
  for await (const change of other.watch()) {
    assertStrictEquals(change.type, "set");
    break;
  }
  assertStrictEquals(one.status().watchCount, 0);
});

/** A state in this process, a writer of it, and what a watch of another opener has to tell. */
function setUp(capacity = 8) {
  const memory = fakeState({ ...SHAPE, capacity });
  const writer = new StateCore(memory);
  const watching = new StateCore(reopened(memory));
  const watches = new Watches(watching);
  const set = (key: string, value = "v", expiresMs = 0) =>
    writer.put(writer.keys.of(key), new TextEncoder().encode(value), expiresMs, { kind: "always" });
  return { memory, writer, watching, watches, set };
}

function changed(watches: Watches, watch: ReturnType<Watches["add"]>): string[] {
  watches.look();
  const keys: string[] = [];
  for (let next = watch.next(); next !== undefined; next = watch.next()) keys.push(next.key);
  return keys.sort();
}

nativeTest("Watches.look() finds changes by their hints, also when the ring has gone round", () => {
  const { memory, watches, set } = setUp();
  const watch = watches.add(() => true, true);
  set("a");
  set("b");
  assertEquals(changed(watches, watch), ["a", "b"]);
  assertEquals(changed(watches, watch), []);
  for (let count = 0; count <= CHANGE_COUNT + 1; count++) set("a", `${count}`);
  set("b", "again");
  assertEquals(changed(watches, watch), ["a", "b"]);
  // Positions are 32 bits.
  Atomics.store(memory.words, WORD.tail, 2 ** 31 - 2);
  watches.look();
  for (const key of ["c", "d", "e"]) set(key);
  assertEquals(changed(watches, watch).slice(-3), ["c", "d", "e"]);
});

nativeTest(
  "Watches.look() finds what was changed by one who died before telling, and what hints lie about",
  () => {
    using _ = new HastyClock();
    const { memory, watches, watching, writer, set } = setUp();
    const watch = watches.add(() => true, true);
    // As if it had died right before the hint: nobody has reported.
    Atomics.store(memory.words, WORD.watching, 0);
    set("a");
    Atomics.store(memory.words, WORD.watching, 1);
    assertEquals(changed(watches, watch), []);
    die(memory);
    watching.lookForDead();
    assertEquals(changed(watches, watch), ["a"]);
    writer.members.number = 0;
    // A cell that another has not written yet.
    const third = new StateCore(reopened(memory));
    Atomics.store(memory.words, WORD.watching, 0);
    third.put(third.keys.of("b"), new Uint8Array(1), 0, { kind: "always" });
    Atomics.add(memory.words, WORD.tail, 1);
    Atomics.store(memory.words, WORD.watching, 1);
    for (let looks = 0, found: string[] = []; found.length === 0; looks++) {
      found = changed(watches, watch);
      assert(looks < 100);
      if (found.length > 0) assertEquals(found, ["b"]);
    }
  },
);

nativeTest("Watches.look() tells of keys whose time is over", () => {
  using clock = new DateClock();
  const { watches, set } = setUp();
  const watch = watches.add(() => true, true);
  set("a", "v", Date.now() + 50);
  assertEquals(changed(watches, watch), ["a"]);
  watch.report(0, "a", { version: 1, expiresMs: Date.now() + 50 });
  assertEquals(changed(watches, watch), []);
  clock.advance(50);
  assertEquals(changed(watches, watch), ["a"]);
});

nativeTest("Watch remembers so many keys, and says when there were more", () => {
  const { writer, watches, set } = setUp(4);
  const watch = watches.add(() => true, true);
  for (let round = 0; round < 3; round++) {
    for (const key of ["a", "b", "c", "d"]) set(`${key}${round}`);
    watches.look();
    for (const key of ["a", "b", "c", "d"]) {
      writer.remove(writer.keys.of(`${key}${round}`), { kind: "always" });
    }
  }
  assert(watch.takeMissed());
  assert(!watch.takeMissed());
  set("z");
  assertEquals(changed(watches, watch), ["z"]);
});

nativeTest("Watches: what a dead opener watched is not counted any more", () => {
  const { memory, watching, watches } = setUp();
  watches.add(() => true, true);
  assertStrictEquals(Atomics.load(memory.words, WORD.watching), 1);
  die(watching.memory);
  const third = new StateCore(reopened(memory));
  assertStrictEquals(Atomics.load(memory.words, WORD.watching), 0);
  third.close();
});
