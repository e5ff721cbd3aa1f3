import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { RECORD, WORD } from "../../../src/ipc/state/layout.ts";
import { PHASE, phaseOf } from "../../../src/ipc/state/block_word.ts";
import { hashOf, Keys, KEYS_REMEMBERED_MAX } from "../../../src/ipc/state/keys.ts";
import { ALWAYS, StateCore } from "../../../src/ipc/state/state_core.ts";
import { blockOf, NONE, type StateMemory } from "../../../src/ipc/state/state_memory.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { die, fakeState, reopened } from "./support.ts";

nameSkipReason("the table of a state", nativeSkipReason());

const SHAPE = { capacity: 8, keyBytesMax: 16, valueBytesMax: 4000, writersMax: 4 };
const encoder = new TextEncoder();

/** Keys that all are in one bucket. */
function collidingKeys({ keys, memory }: StateCore, count: number): string[] {
  const found: string[] = [];
  for (let index = 0; found.length < count; index++) {
    if ((keys.of(`k${index}`).hash & memory.bucketMask) === 0) found.push(`k${index}`);
  }
  return found;
}

function set(core: StateCore, key: string, text: string, expiresMs = 0): number {
  return core.put(core.keys.of(key), encoder.encode(text), expiresMs, ALWAYS);
}

function get(core: StateCore, key: string): string | undefined {
  return core.table.read(core.keys.of(key), (record, valueBytes) => {
    const at = core.table.valueOf(record);
    return new TextDecoder().decode(core.memory.bytes.slice(at, at + valueBytes));
  });
}

function phases(memory: StateMemory): number[] {
  const counts = [0, 0, 0, 0];
  for (let block = 0; block < memory.blockCount; block++) counts[phaseOf(memory.load(block))]++;
  return counts;
}

nativeTest("Table: all keys in one bucket, set, replaced and deleted at every place of the chain", () => {
  const memory = fakeState(SHAPE);
  const [one, other] = [new StateCore(memory), new StateCore(reopened(memory))];
  const keys = collidingKeys(one, 5);
  const expected = new Map<string, string>();
  for (let round = 0; round < 60; round++) {
    const key = keys[(round * 7 + (round >> 3)) % keys.length];
    const core = round % 3 === 0 ? other : one;
    if (round % 4 === 3 && expected.has(key)) {
      assert(core.remove(core.keys.of(key), ALWAYS));
      expected.delete(key);
    } else {
      set(core, key, `${round}`);
      expected.set(key, `${round}`);
    }
    for (const each of keys) assertStrictEquals(get(one, each), expected.get(each), each);
    assertStrictEquals(Atomics.load(memory.words, WORD.keys), expected.size);
    assertStrictEquals(phases(memory)[PHASE.live], expected.size, "each block that is live holds a key");
  }
  one.close();
  other.close();
  assertStrictEquals(phases(memory)[PHASE.owned], 0);
});

nativeTest("Table: expired keys are taken out of a chain in passing", () => {
  const memory = fakeState(SHAPE);
  const core = new StateCore(memory);
  const [a, b, c] = collidingKeys(core, 3);
  set(core, a, "1");
  set(core, b, "2", 1);
  set(core, c, "3");
  assertEquals([get(core, a), get(core, b), get(core, c)], ["1", undefined, "3"]);
  set(core, a, "4");
  assertEquals([get(core, a), get(core, c), Atomics.load(memory.words, WORD.keys)], ["4", "3", 2]);
});

nativeTest("Table.read() reads again when its bucket has changed, and leaves off after so many times", () => {
  const memory = fakeState(SHAPE);
  const [one, other] = [new StateCore(memory), new StateCore(reopened(memory))];
  set(one, "k", "old");
  let interfered = 0;
  const value = one.table.read(one.keys.of("k"), (record, valueBytes) => {
    const at = one.table.valueOf(record);
    const text = new TextDecoder().decode(memory.bytes.slice(at, at + valueBytes));
    if (interfered++ === 0) set(other, "k", "new");
    return text;
  });
  assertEquals([value, interfered], ["new", 2]);
  assertThrows(() => one.table.read(one.keys.of("k"), () => set(other, "k", "again")), Deno.errors.Busy);
});

nativeTest("Table.read() of a long value minds its block alone: changes beside it cost nothing", () => {
  const memory = fakeState(SHAPE);
  const [one, other] = [new StateCore(memory), new StateCore(reopened(memory))];
  const [a, b] = collidingKeys(one, 2);
  set(one, a, "x".repeat(3000));
  let reads = 0;
  one.table.read(one.keys.of(a), () => {
    reads++;
    set(other, b, `${reads}`);
  });
  assertStrictEquals(reads, 1);
  // What is replaced is whole until its writer has written to another block.
  one.table.read(one.keys.of(a), () => {
    reads++;
    set(other, a, "y".repeat(3000));
  });
  assertStrictEquals(reads, 2);
  const seen: boolean[] = [];
  one.table.read(one.keys.of(a), (record) => {
    if (seen.length === 0) { for (let count = 0; count < 4; count++) set(other, a, `${count}`.repeat(2000)); }
    seen.push(memory.words[record + RECORD.valueBytes] === 2000);
  });
  assertEquals(seen, [true, true], "its block was written to meanwhile");
});

nativeTest("StateCore: what one leaves who dies between two steps is in order behind recovery", () => {
  const memory = fakeState(SHAPE);
  for (const step of ["before", "published", "unlinked"] as const) {
    const dying = new StateCore(reopened(memory));
    set(dying, "k", "old");
    const { table, blocks } = dying;
    const block = blocks.take();
    if (step !== "before") {
      // Its bucket leads to the new block, and nothing else is done.
      const record = table.find(dying.keys.of("k"));
      const old = table.block;
      memory.bytes.copyWithin(memory.recordOf(block) * 4, record * 4, record * 4 + 64);
      memory.lead(table.at, table.low, table.high, block);
      if (step === "unlinked") blocks.published(block);
      assertNotStrictEquals(old, block);
    }
    die(dying.memory);
    const next = new StateCore(reopened(memory));
    assertStrictEquals(get(next, "k"), "old", step);
    assertStrictEquals(phases(memory)[PHASE.live], 1, step);
    assertStrictEquals(phases(memory)[PHASE.owned], 0, step);
    next.close();
  }
});

nativeTest("StateCore.recover() leaves what a living one is writing", () => {
  const memory = fakeState(SHAPE);
  const [one, other] = [new StateCore(memory), new StateCore(reopened(memory))];
  const block = one.blocks.take();
  other.recover();
  other.findRoom();
  assertStrictEquals(phaseOf(memory.load(block)), PHASE.owned);
  one.blocks.putBack(block);
});

nativeTest("Blocks.take() never gives a block twice, and finds each that is free", () => {
  const memory = fakeState({ ...SHAPE, capacity: 1, writersMax: 3 });
  const [one, other] = [new StateCore(memory), new StateCore(reopened(memory))];
  const taken = new Set<number>();
  for (let block = one.blocks.take(); block !== NONE; block = one.blocks.take()) {
    assert(!taken.has(block));
    taken.add(block);
  }
  assertStrictEquals(taken.size, memory.blockCount);
  assertStrictEquals(other.blocks.take(), NONE);
  for (const block of taken) one.blocks.putBack(block);
  assertNotStrictEquals(other.blocks.take(), NONE);
});

Deno.test("Keys: hashes are those of MurmurHash3, keys are remembered, and forgotten when they are many", () => {
  const keys = new Keys(0, 16);
  // Of whole words it is that of the reference; the vector is one that others publish.
  const hash = (text: string) =>
    hashOf(new Int32Array(encoder.encode(text).slice().buffer), text.length, 0) >>> 0;
  assertStrictEquals(hash("test"), 0xba6bd213);
  assertStrictEquals(keys.of("a"), keys.of("a"));
  const first = keys.of("a");
  for (let index = 0; index < KEYS_REMEMBERED_MAX; index++) keys.of(`${index}`);
  assertNotStrictEquals(keys.of("a"), first);
  assertEquals(keys.of("a"), first);
  assertNotStrictEquals(new Keys(1, 16).of("a").hash, first.hash);
  assertEquals([...new Uint8Array(keys.of("aé").words.buffer)], [97, 195, 169, 0, 0, 0, 0, 0]);
});

nativeTest("StateCore: damage in a chain is an error for who reads, and the next change cuts it off", () => {
  const memory = fakeState(SHAPE);
  const core = new StateCore(memory);
  const [a, b, c] = collidingKeys(core, 3);
  for (const key of [a, b, c]) set(core, key, key);
  // The chain is c, b, a.
  core.table.find(core.keys.of(b));
  memory.words[memory.recordOf(core.table.block) + RECORD.next] = 2 ** 20;
  assertThrowsMatching(() => get(core, a), /a record is damaged: its bucket leads astray/);
  assertEquals([get(core, b), get(core, c)], [b, c]);
  set(core, a, "new");
  assertEquals([get(core, a), get(core, b), get(core, c)], ["new", b, c]);
  const at = memory.buckets + 2 * (core.keys.of(a).hash & memory.bucketMask);
  assertNotStrictEquals(blockOf(memory.words[at]), NONE);
});
