import { ManualClock, TimerWheel, type TimerWheelOptions } from "@millrace/millrace/timer";

/** A wheel on a manual clock; `pass()` is time going by. */
export class ManualTimers extends TimerWheel {
  readonly clock: ManualClock;

  constructor(options: Omit<TimerWheelOptions, "clock"> = {}, clock: ManualClock = new ManualClock()) {
    super({ ...options, clock });
    this.clock = clock;
  }

  /** Moves the clock, runs what is due, and lets the promises that this settled run their reactions. */
  async pass(durationMs: number): Promise<number> {
    this.clock.advance(durationMs);
    const runCount = this.advance();
    await nextTurn();
    return runCount;
  }
}

/** An abort signal that knows how many listeners it has. */
export class CountedAbort {
  readonly #controller = new AbortController();
  readonly #listeners = new Set<unknown>();
  readonly signal: AbortSignal = this.#controller.signal;

  constructor() {
    const { signal } = this;
    const add = signal.addEventListener.bind(signal) as AbortSignal["addEventListener"];
    const remove = signal.removeEventListener.bind(signal) as AbortSignal["removeEventListener"];
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      this.#listeners.add(args[1]);
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      this.#listeners.delete(args[1]);
      remove(...args);
    };
  }

  get listenerCount(): number {
    return this.#listeners.size;
  }

  abort(reason?: unknown): void {
    this.#controller.abort(reason);
  }
}

/** One turn of the event loop: every reaction of an already settled promise has run. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** How a promise stands after one turn of the event loop. */
export async function stateOf(promise: Promise<unknown>): Promise<"pending" | "fulfilled" | "rejected"> {
  let state: "pending" | "fulfilled" | "rejected" = "pending";
  promise.then(() => state = "fulfilled", () => state = "rejected");
  await nextTurn();
  return state;
}

/**
 * Runs a program in a child of its own, killed by a watchdog if it does not end, and gives what came of it.
 */
export async function runProgram(
  source: string,
  v8Flags: string[] = [],
): Promise<{ code: number; stdout: string; stderr: string }> {
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, source);
    const config = new URL("../../../deno.json", import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-lock", "--config", config, ...v8Flags, path],
      signal: AbortSignal.timeout(60_000),
      stdout: "piped",
      stderr: "piped",
    });
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } finally {
    await Deno.remove(path);
  }
}
