import { SeededRandom } from "../../../src/base/mod.ts";
import { currentCore } from "../../../src/run/cores/mod.ts";

/** A value that follows from a number, of any kind and length. */
export function valueOf(number: number): unknown {
  const random = new SeededRandom(number);
  switch (random.below(8)) {
    case 0:
      return number * 1.5;
    case 1:
      return "é".repeat(random.below(40)) + number;
    case 2:
      return "x".repeat(random.below(12_000));
    case 3:
      return new Uint8Array(random.below(200)).fill(number);
    case 4:
      return new Uint8Array(random.below(30_000)).fill(number);
    case 5:
      return { number, list: Array.from({ length: random.below(50) }, (_, index) => index) };
    case 6:
      return new Map([[number, new Set([`${number}`])]]);
    default:
      return number % 2 === 0 ? null : undefined;
  }
}

function same(a: unknown, b: unknown): boolean {
  return Deno.inspect(a, { depth: 9, iterableLimit: 1e6, strAbbreviateSize: 1e6 }) ===
    Deno.inspect(b, { depth: 9, iterableLimit: 1e6, strAbbreviateSize: 1e6 });
}

/** Answers with another value than it was given, at some time, if it was given the right one. */
export async function answer(number: number, value: unknown, signal?: AbortSignal): Promise<unknown> {
  if (!same(value, valueOf(number))) throw new Error(`wrong argument of call ${number}`);
  const random = new SeededRandom(number ^ 0x5bd1e995);
  const kind = random.below(10);
  if (kind < 3) await currentCore().sleep(random.below(4), { signal });
  else if (kind === 3) { for (let spins = random.below(20_000); spins > 0; spins--) Atomics.pause(); }
  else if (kind === 4) await null;
  if (kind === 5) throw new RangeError(`call ${number}`);
  return valueOf(number + 1);
}

/** Calls others at random from this core, and checks every result; resolves to how many calls there were. */
export async function fuzz(seed: number, count: number): Promise<number> {
  const core = currentCore();
  const random = new SeededRandom(seed);
  const running = new Set<Promise<void>>();
  for (let index = 0; index < count; index++) {
    const number = random.below(2 ** 30);
    const call = one(random.below(core.count), number, random.below(12) === 0).finally(() =>
      running.delete(call)
    );
    running.add(call);
    if (running.size > random.below(200)) await Promise.race(running);
  }
  await Promise.all(running);
  return count;
}

async function one(to: number, number: number, cancelled: boolean): Promise<void> {
  const core = currentCore();
  const failing = new SeededRandom(number ^ 0x5bd1e995).below(10) === 5;
  const controller = new AbortController();
  const call = cancelled
    ? core.submitTo(to, answer, number, valueOf(number), controller.signal)
    : core.submitTo(to, answer, number, valueOf(number));
  if (cancelled) queueMicrotask(() => controller.abort(`cancelled ${number}`));
  try {
    const result = await call;
    if (failing || !same(result, valueOf(number + 1))) throw new Error(`wrong result of call ${number}`);
  } catch (error) {
    if (cancelled && error === `cancelled ${number}`) return;
    if (failing && error instanceof RangeError && error.message === `call ${number}`) return;
    throw error;
  }
}
