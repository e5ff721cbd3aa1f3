/**
 * Values that processes share: `state get|get-into|set`, or `call get|set OUTSTANDING`, which asks a process that has them. Prints one JSON object.
 */
import { SharedState } from "../../src/ipc/state/mod.ts";
import { TaskPool } from "../../src/run/tasks/mod.ts";

const KEYS = Array.from({ length: 1000 }, (_, index) => `key ${index}`);
const VALUE_BYTES = 64;
const WARM_UP_MS = 500;
const RUN_MS = 1000;
/** Operations between two looks at the clock. */
const LOOKED_AT = 256;

const value = new Uint8Array(VALUE_BYTES).fill(1);

function perSecond(operation: (key: string) => void): number {
  const run = (ms: number): number => {
    const startMs = performance.now();
    const endMs = startMs + ms;
    let count = 0;
    while (performance.now() < endMs) {
      for (let index = 0; index < LOOKED_AT; index++) operation(KEYS[count++ % KEYS.length]);
    }
    return count / (performance.now() - startMs) * 1000;
  };
  run(WARM_UP_MS);
  return run(RUN_MS);
}

function inState(what: string): number {
  const name = `bench-${Deno.pid}`;
  const state = SharedState.create(name, { capacity: KEYS.length, valueBytesMax: VALUE_BYTES });
  try {
    for (const key of KEYS) state.set(key, value);
    const buffer = new Uint8Array(VALUE_BYTES);
    const operations: Record<string, (key: string) => void> = {
      "get": (key) => expectFull(state.get(key)?.length),
      "get-into": (key) => expectFull(state.getInto(key, buffer)),
      "set": (key) => void state.set(key, value),
    };
    return perSecond(operations[what]);
  } finally {
    state.close();
    SharedState.unlink(name);
  }
}

function expectFull(byteLength: number | undefined): void {
  if (byteLength !== VALUE_BYTES) throw new Error(`a value has ${byteLength} bytes, expected ${VALUE_BYTES}`);
}

async function byCall(what: string, outstanding: number): Promise<number> {
  await using pool = await TaskPool.start<typeof import("./owner.ts")>({
    module: import.meta.resolve("./owner.ts"),
    workers: 1,
    concurrency: outstanding,
  });
  for (const key of KEYS) await pool.run("set", [key, value]);
  const operation = what === "get"
    ? async (key: string) => expectFull((await pool.run("get", [key]))?.length)
    : (key: string) => pool.run("set", [key, value]);
  const run = async (ms: number): Promise<number> => {
    const startMs = performance.now();
    const endMs = startMs + ms;
    let count = 0;
    const one = async (): Promise<void> => {
      while (performance.now() < endMs) await operation(KEYS[count++ % KEYS.length]);
    };
    await Promise.all(Array.from({ length: outstanding }, one));
    return count / (performance.now() - startMs) * 1000;
  };
  await run(WARM_UP_MS);
  return await run(RUN_MS);
}

const [how, what, outstanding] = Deno.args;
const perSecondMeasured = how === "state" ? inState(what) : await byCall(what, Number(outstanding));
Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify({ perSecond: perSecondMeasured })}\n`));
Deno.exit(0);
