import { SeededRandom } from "../../src/base/mod.ts";

const VARIABLE = "MILLRACE_TEST_SEED";
const UINT32_RANGE = 2 ** 32;

/** Seeds for `count` runs: fresh ones each time, or only the one that `MILLRACE_TEST_SEED` names. */
export function testSeeds(count: number): number[] {
  const named = Deno.env.get(VARIABLE);
  if (named !== undefined && named !== "") return [Number(named) >>> 0];
  const [first] = crypto.getRandomValues(new Uint32Array(1));
  return Array.from({ length: count }, (_, index) => (first + index) % UINT32_RANGE);
}

/** Runs `body`; a failure names the seed and how to replay it. */
export async function withSeed<T>(seed: number, body: () => Promise<T> | T): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw new Error(`failed with seed ${seed}; replay with ${VARIABLE}=${seed}`, { cause: error });
  }
}

/** Bytes that follow from a seed, so that a lost, doubled or moved byte shows. */
export function patternBytes(seed: number, byteLength: number): Uint8Array<ArrayBuffer> {
  const random = new SeededRandom(seed >>> 0);
  const words = new Uint32Array(Math.ceil(byteLength / 4));
  for (let index = 0; index < words.length; index++) words[index] = random.nextUint32();
  return new Uint8Array(words.buffer, 0, byteLength);
}
