import type { Key } from "../../../src/ipc/state/keys.ts";
import { RECORD_HEADER_BYTES } from "../../../src/ipc/state/layout.ts";
import { type Permit, Permits } from "../../../src/ipc/lock/permits.ts";
import { PERMIT_MEMBER_BYTES, PERMIT_MEMBERS_AT, PERMITS_AT } from "../../../src/ipc/lock/permits_layout.ts";
import { NO_BLOCK, PoolCore } from "../../../src/ipc/pool/pool_core.ts";
import {
  POOL_MEMBER_BYTES,
  POOL_MEMBERS_AT,
  POOL_WORDS_AT,
  poolGeometryOf,
} from "../../../src/ipc/pool/pool_layout.ts";
import { ABSENT, ALWAYS, FULL, REFUSED, StateCore } from "../../../src/ipc/state/state_core.ts";
import { Watches } from "../../../src/ipc/state/watches.ts";
import { FakeRegion } from "../ring/support.ts";
import { fakeState, HastyClock, reopened } from "./support.ts";

// Damages one byte after the other, and does everything that can be done: in a process of its own, so that whoever started it survives a
// crash and ends a hang. It prints each case before it runs it, and at the end what went wrong.

const FLIPS = [0x01, 0x80, 0xff];
const CAPACITY = 6;
const encoder = new TextEncoder();

/** What a test asks for. */
export type DamageKind = "state" | "permits" | "pool";

/** One thing to damage: its bytes, what is done with it, and what must hold behind that, however damaged it was. */
interface Case {
  readonly bytes: Uint8Array;
  readonly places: Iterable<number>;
  use(attempt: Attempt): void;
  /** What is lost for good; `undefined`: nothing. */
  findLost(attempt: Attempt): string | undefined;
}

type Attempt = <T>(body: () => T) => T | undefined;

function* range(from: number, byteLength: number): Generator<number> {
  for (let at = from; at < from + byteLength; at++) yield at;
}

function stateCase(): Case {
  const memory = fakeState({ capacity: CAPACITY, keyBytesMax: 8, valueBytesMax: 16, writersMax: 2 });
  const [one, other] = [new StateCore(memory), new StateCore(reopened(memory))];
  const set = (core: StateCore, key: string, text: string, expiresMs = 0): number =>
    core.put(core.keys.of(key), encoder.encode(text), expiresMs, ALWAYS);
  for (const key of ["a", "b", "c"]) set(one, key, `${key} value`);
  set(other, "a", "again");
  set(other, "gone", "x", 1);
  other.add(other.keys.of("n"), 5, 0);
  const watches = new Watches(other);
  const watch = watches.add(() => true, false);
  const { geometry } = memory;
  const read = (core: StateCore, key: Key): unknown =>
    core.table.read(
      key,
      (record, valueBytes) => [core.table.valueOf(record), valueBytes, core.table.counterOf(record)],
    );
  function* places(): Generator<number> {
    yield* range(128, 4);
    yield* range(256, 4);
    yield* range(384, 12);
    yield* range(512, 4);
    yield* range(768, 4);
    for (const number of [0, 1, 2, 3]) yield* range(geometry.membersAt + number * geometry.memberBytes, 104);
    yield* range(geometry.changesAt, 16);
    yield* range(geometry.bucketsAt, geometry.bucketCount * 8);
    yield* range(geometry.blocksAt, geometry.blockCount * 4);
    for (let block = 0; block < geometry.blockCount; block++) {
      yield* range(geometry.recordsAt + block * geometry.recordBytes, RECORD_HEADER_BYTES + 12);
    }
  }
  return {
    bytes: memory.bytes,
    places: places(),
    use(attempt) {
      for (const core of [one, other]) {
        for (const key of ["a", "b", "c", "gone", "n", "none"]) {
          const found = attempt(() => core.keys.of(key));
          if (found === undefined) continue;
          attempt(() => read(core, found));
          attempt(() => core.put(found, encoder.encode("new"), 0, key === "b" ? ABSENT : ALWAYS));
          attempt(() => core.add(found, 1, 0));
          if (key !== "c") attempt(() => core.remove(found, ALWAYS));
        }
        for (let bucket = 0; bucket < geometry.bucketCount; bucket++) {
          attempt(() => core.table.keysOf(bucket));
        }
      }
      attempt(() => watches.look());
      attempt(() => watch.next());
      attempt(() => watches.lookAtAll(watch));
      for (const core of [one, other]) {
        attempt(() => core.findRoom());
        attempt(() => core.recover());
        attempt(() => core.lookForDead());
        attempt(() => core.total(0));
        attempt(() => [...core.members.list()]);
      }
    },
    findLost(attempt) {
      // Whatever is found there is taken away; then there is room for as many keys as there should be.
      for (let bucket = 0; bucket < geometry.bucketCount; bucket++) {
        for (const { text } of attempt(() => one.table.keysOf(bucket)) ?? []) {
          attempt(() => one.remove(one.keys.of(text), ALWAYS));
        }
      }
      attempt(() => watches.remove(watch));
      let count = 0;
      for (let index = 0; index < CAPACITY; index++) {
        const core = index % 2 === 0 ? one : other;
        for (let tries = 0; tries < 4; tries++) {
          const version = attempt(() => set(core, `key ${index}`, `${index}`)) ?? FULL;
          if (version !== FULL && version !== REFUSED) {
            count++;
            break;
          }
          attempt(() => core.findRoom());
        }
      }
      for (let index = 0; index < CAPACITY; index++) {
        const value = attempt(() =>
          other.table.read(other.keys.of(`key ${index}`), (record, valueBytes) => {
            const at = other.table.valueOf(record);
            return new TextDecoder().decode(other.memory.bytes.slice(at, at + valueBytes));
          })
        );
        if (value !== `${index}`) return `key ${index} has ${value}`;
      }
      for (const core of [one, other]) attempt(() => core.close());
      return count === CAPACITY ? undefined : `there is room for ${count} keys`;
    },
  };
}

function permitsCase(): Case {
  const count = 2;
  const region = new FakeRegion(Math.ceil((PERMITS_AT + count) * 4 / 64) * 64);
  const [one, other] = [new Permits(region, count), new Permits(region.reopen(), count)];
  const held: [Permits, Permit | undefined][] = [[one, one.tryAcquire()], [other, other.tryAcquire()]];
  const enough = new AbortController();
  const waiting = other.acquire("acquire", { signal: enough.signal }).catch(() => undefined);
  function* places(): Generator<number> {
    yield* range(128, 4);
    yield* range(256, 4);
    yield* range(384, 32);
    for (const number of [0, 1, 2, 3]) yield* range(PERMIT_MEMBERS_AT + number * PERMIT_MEMBER_BYTES, 88);
    yield* range(PERMITS_AT * 4, count * 4);
  }
  return {
    bytes: region.bytes,
    places: places(),
    use(attempt) {
      for (const [permits, permit] of held) {
        attempt(() => permits.tryAcquire());
        attempt(() => permits.acquireSync("acquire", 0));
        if (permit !== undefined) attempt(() => permits.release(permit));
        attempt(() => [permits.freeCount, permits.waitingCount, permits.participants(), permits.total(0)]);
      }
      enough.abort();
      void waiting;
    },
    findLost(attempt) {
      for (const permits of [one, other]) attempt(() => permits.close(new Error("closed")));
      const third = new Permits(region.reopen(), count);
      let had = 0;
      while (had <= count && attempt(() => third.tryAcquire()) !== undefined) had++;
      attempt(() => third.close(new Error("closed")));
      return had === count ? undefined : `${had} permits can be had`;
    },
  };
}

function poolCase(): Case {
  const [blockCount, blockBytes] = [3, 16];
  const region = new FakeRegion(poolGeometryOf(blockCount, blockBytes).byteLength);
  const [one, other] = [
    new PoolCore(region, blockCount, blockBytes),
    new PoolCore(region.reopen(), blockCount, blockBytes),
  ];
  const mine = one.acquire(), theirs = other.acquire();
  other.offer(theirs, 0);
  function* places(): Generator<number> {
    yield* range(128, 4);
    yield* range(256, 12);
    yield* range(384, 4);
    for (const number of [0, 1, 2, 3]) yield* range(POOL_MEMBERS_AT + number * POOL_MEMBER_BYTES, 96);
    yield* range(POOL_WORDS_AT * 4, blockCount * 4);
  }
  return {
    bytes: region.bytes,
    places: places(),
    use(attempt) {
      attempt(() => one.take(theirs, 0));
      attempt(() => other.withdraw(theirs, 0));
      for (let block = 0; block < blockCount; block++) {
        attempt(() => [one.describe(block), one.generationOf(block)]);
      }
      attempt(() => one.release(mine, 0));
      for (const core of [one, other]) {
        attempt(() => core.acquire());
        attempt(() => core.recover());
        attempt(() => [core.countOf(0), core.total(0), [...core.members.list()]]);
      }
    },
    findLost(attempt) {
      for (const core of [one, other]) attempt(() => core.close());
      const third = new PoolCore(region.reopen(), blockCount, blockBytes);
      attempt(() => third.recover());
      let had = 0;
      while (had <= blockCount && (attempt(() => third.acquire()) ?? NO_BLOCK) !== NO_BLOCK) had++;
      attempt(() => third.close());
      return had === blockCount ? undefined : `${had} blocks can be had`;
    },
  };
}

const CASES: Record<DamageKind, () => Case> = { state: stateCase, permits: permitsCase, pool: poolCase };

/** What is thrown for damage is of these kinds, and says what it was about. */
function isTyped(error: unknown): boolean {
  return error instanceof Error && /^(read from|write to|increment|key|open) ?/.test(error.message) &&
    ["InvalidData", "RangeError", "TypeError", "Busy"].includes(error.name);
}

function main(kind: DamageKind): void {
  using _ = new HastyClock();
  const say = (text: string): void => void Deno.stdout.writeSync(encoder.encode(text));
  const problems: string[] = [];
  let cases = 0;
  for (const at of CASES[kind]().places) {
    for (const flip of FLIPS) {
      const name = `byte ${at} ^ ${flip}`;
      say(`${name}\n`);
      const prepared = CASES[kind]();
      prepared.bytes[at] ^= flip;
      const attempt: Attempt = (body) => {
        try {
          return body();
        } catch (error) {
          if (!isTyped(error)) problems.push(`${name}: ${error instanceof Error ? error.stack : error}`);
          return undefined;
        }
      };
      prepared.use(attempt);
      const lost = prepared.findLost(attempt);
      if (lost !== undefined) problems.push(`${name}: ${lost}`);
      cases++;
    }
  }
  say(`\n${JSON.stringify({ cases, problems })}\n`);
}

if (import.meta.main) {
  main(Deno.args[0] as DamageKind);
  Deno.exit(0);
}
