import { BLOCK_MS_MAX, BUSY_MS_MAX, type IdleStrategy, SOURCE_SPIN_MS } from "../../io/reactor/mod.ts";
import type { Endpoint } from "./endpoint.ts";
import { BELL, BELL_WORDS, type MeshMemory } from "./mesh.ts";

/** Turns that promises get between two polls of the rings. */
const PROMISE_HOPS = 8;
/** Longest sleep in milliseconds; nothing depends on it. */
const SLEEP_MS_MAX = 1000;

/** What {@linkcode pollEndpoint} is given. */
export interface PollOptions {
  readonly mesh: MeshMemory;
  readonly endpoint: Endpoint;
  readonly idle: IdleStrategy;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** Polls an endpoint on Deno's event loop, where no reactor does it, until the signal aborts. */
export async function pollEndpoint({ mesh, endpoint, idle, signal }: PollOptions): Promise<void> {
  const words = new Int32Array(mesh.bells);
  const bell = endpoint.index * BELL_WORDS + BELL.bell;
  let wake = () => {};
  endpoint.wakeBy(() => wake());
  signal.addEventListener("abort", () => wake(), { once: true });
  let yieldedAtMs = performance.now();
  let workedAtMs = -Infinity;
  while (!signal.aborted) {
    const rung = Atomics.load(words, bell);
    const worked = endpoint.poll() > 0;
    for (let hop = 0; hop < PROMISE_HOPS; hop++) await null;
    if (signal.aborted) return;
    const nowMs = performance.now();
    if (worked) workedAtMs = nowMs;
    if (idle === "spin" || nowMs - workedAtMs < SOURCE_SPIN_MS) {
      if (nowMs - yieldedAtMs < BUSY_MS_MAX) continue;
    } else if (endpoint.arm(false)) {
      if (idle === "block") Atomics.wait(words, bell, rung, BLOCK_MS_MAX);
      else await sleep((resolve) => wake = resolve);
      endpoint.disarm();
      if (idle !== "block") continue;
    } else endpoint.disarm();
    await new Promise((resolve) => setImmediate(resolve));
    yieldedAtMs = performance.now();
  }
}

/** Sleeps until woken. It keeps nothing alive: the workers of a group do that. */
async function sleep(listen: (wake: () => void) => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  listen(resolve);
  const timer = setTimeout(resolve, SLEEP_MS_MAX);
  Deno.unrefTimer(timer);
  await promise;
  clearTimeout(timer);
}
