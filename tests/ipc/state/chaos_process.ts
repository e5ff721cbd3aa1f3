import { SeededRandom } from "../../../src/base/mod.ts";
import {
  MemoryPool,
  type PermitGuard,
  SharedLock,
  SharedSemaphore,
  SharedState,
  SharedStateFullError,
  type StateSetOptions,
} from "../../../src/ipc/state/mod.ts";

// A process of a chaos test, told in its first argument what to do. It may be killed between any two instructions. What is wrong it writes
// to its log, and ends with 1.

/** What a test tells a process. */
export interface ChaosOrder {
  /** What state, lock, semaphore and pool are called. */
  readonly name: string;
  /** Differs between all processes of a test. */
  readonly number: number;
  readonly seed: number;
  /** Where it says that it has begun, and what is wrong. */
  readonly log: string;
  readonly keys: number;
  readonly permits: number;
}

/** Times that a place is looked for, 5 ms apart. */
const PLACE_TRIES_MAX = 2000;

/** A value whose every byte follows from its number and length. */
export function chaosValue(number: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8 + length);
  new DataView(bytes.buffer).setUint32(0, number);
  new DataView(bytes.buffer).setUint32(4, length);
  for (let index = 0; index < length; index++) bytes[8 + index] = number * 31 + index * 7;
  return bytes;
}

/** What is wrong with a value; `undefined`: nothing. */
export function findTorn(bytes: Uint8Array): string | undefined {
  if (bytes.length < 8) return `${bytes.length} bytes`;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [number, length] = [view.getUint32(0), view.getUint32(4)];
  if (length !== bytes.length - 8) return `${bytes.length} bytes, expected ${length} behind 8`;
  const expected = chaosValue(number, length);
  const at = bytes.findIndex((byte, index) => byte !== expected[index]);
  return at < 0 ? undefined : `byte ${at} of ${bytes.length} is not of value ${number}`;
}

async function main(order: ChaosOrder): Promise<void> {
  const { name, keys, permits } = order;
  let stopping = false;
  Deno.addSignalListener("SIGTERM", () => stopping = true);
  using state = SharedState.connect(name);
  using lock = SharedLock.connect(name);
  using semaphore = SharedSemaphore.connect(name);
  using pool = MemoryPool.connect(name);
  const places = Array.from({ length: permits }, (_, index) => SharedLock.connect(`${name}.${index}`));
  const random = new SeededRandom(order.seed);
  const say = (line: string): void => Deno.writeTextFileSync(order.log, `${line}\n`, { append: true });
  const wrong = (what: string): never => {
    say(what);
    Deno.exit(1);
  };
  say("begun");
  let total = 0;
  const key = () => `key ${random.below(keys)}`;

  /** Sets a key, where there is room. */
  const put = (key: string, value: Uint8Array, options: StateSetOptions): number | undefined => {
    try {
      return state.set(key, value, options);
    } catch (error) {
      if (error instanceof SharedStateFullError) return undefined;
      throw error;
    }
  };

  const useState = (): void => {
    for (let count = 0; count < 50; count++) {
      const chosen = key();
      const deed = random.below(10);
      if (deed < 5) {
        const bytes = state.get(chosen);
        const torn = bytes === undefined ? undefined : findTorn(bytes);
        if (torn !== undefined) wrong(`torn: ${chosen}: ${torn}`);
      } else if (deed < 8) {
        const long = random.below(20) === 0 ? 3000 : 60;
        const value = chaosValue(random.below(2 ** 31), random.below(long));
        put(chosen, value, random.below(4) === 0 ? { expiresAfterMs: random.below(20) } : {});
      } else if (deed === 8) state.delete(chosen);
      else {
        state.increment("total");
        total++;
      }
    }
  };
  const useLock = async (): Promise<void> => {
    // Within the lock two counters are alike, unless a holder has died in between, which the next one is told.
    await lock.withLock(async ({ abandoned }) => {
      const [one, other] = [state.counter("one") ?? 0, state.counter("other") ?? 0];
      if (one !== other && !abandoned) wrong(`unlocked: ${one} and ${other}, and nobody has died`);
      if (one !== other) state.increment("other", one - other);
      state.increment("one");
      if (random.below(4) === 0) await new Promise((resolve) => setTimeout(resolve, random.below(3)));
      state.increment("other");
    });
  };
  const usePermit = async (): Promise<void> => {
    using _permit = await semaphore.acquire();
    // There are as many places as permits: who has a permit finds one. The locks of one who dies are dropped one after the other.
    let place: PermitGuard | undefined;
    for (let tries = 0; place === undefined; tries++) {
      for (const each of places) place ??= each.tryAcquire();
      if (place === undefined && tries === PLACE_TRIES_MAX) {
        wrong(`crowded: all of ${permits} places are taken`);
      }
      if (place === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    using _place = place;
    if (random.below(3) === 0) await new Promise((resolve) => setTimeout(resolve, random.below(3)));
  };
  const usePool = (): void => {
    const offered = state.getEntry("offered");
    if (offered !== undefined && state.delete("offered", { version: offered.version })) {
      const reference = Number(new TextDecoder().decode(offered.value.subarray(8)));
      try {
        using block = pool.take(reference);
        const torn = findTorn(block.readAt(0, 108));
        if (torn !== undefined) wrong(`pool: ${torn}`);
      } catch (error) {
        // Who offered it has died.
        if ((error as Error).name !== "StaleBlockError") throw error;
      }
    }
    const block = pool.tryAcquire();
    if (block === undefined) return;
    const value = chaosValue(random.below(2 ** 31), 100);
    block.writeAt(0, value);
    const torn = findTorn(block.readAt(0, 108));
    if (torn !== undefined) wrong(`pool: ${torn}`);
    if (random.below(2) === 0) return block.release();
    const text = new TextEncoder().encode(`${block.offer()}`);
    const bytes = new Uint8Array(8 + text.length);
    bytes.set(text, 8);
    if (put("offered", bytes, { onlyIfAbsent: true }) === undefined && block.withdraw()) block.release();
  };
  while (!stopping) {
    useState();
    await useLock();
    if (random.below(2) === 0) await usePermit();
    usePool();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  say(`total ${total}`);
}

if (import.meta.main) {
  await main(JSON.parse(Deno.args[0]));
  Deno.exit(0);
}
