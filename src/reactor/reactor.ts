import { assert } from "../base/mod.ts";
import { defaultTimers, type Timers, TimerWheel } from "../timer/mod.ts";
import type { Driver, PolledDriver } from "./driver.ts";
import { type DriverOptions, openDriver } from "./open_driver.ts";

/**
 * How a reactor waits when it has nothing to do.
 *
 * - `"cooperate"`: leaves the thread to Deno's event loop; a native thread wakes it. The default.
 * - `"block"`: sleeps in the kernel, a few milliseconds at a time, and lets Deno's event loop run between. Wakes about 10 us
 *   sooner, and holds up everything else on the thread meanwhile: for a thread that does nothing else.
 * - `"spin"`: does not sleep. The soonest of all, at the price of a whole processor.
 */
export type IdleStrategy = "block" | "cooperate" | "spin";

/** Options of {@linkcode Reactor}. */
export interface ReactorOptions {
  /** How to wait. Only drivers that are polled look at it. @default {"cooperate"} */
  idle?: IdleStrategy;
  /** Do not run by itself: the owner calls {@linkcode Reactor.poll}. @default {false} */
  manual?: boolean;
}

/** Longest sleep of the `"block"` strategy in milliseconds: what a promise, a signal or a Deno timer may have to wait. */
export const BLOCK_MS_MAX = 5;
/** Longest time in milliseconds that a busy reactor keeps Deno's event loop waiting. */
export const BUSY_MS_MAX = 1;

/** Counts of what a reactor did; they only grow. */
export interface ReactorStatistics {
  /** Rounds that delivered something. */
  readonly busyTurnCount: number;
  /** Times it went to sleep. */
  readonly sleepCount: number;
  /** Times it handed the thread to Deno's event loop. */
  readonly yieldCount: number;
}

/**
 * The event loop of one thread: a driver and timers.
 *
 * It runs by itself while operations or timers are pending, beside Deno's event loop, which gets its turn at least every
 * millisecond; like Deno, it lets the process end when nothing is pending any more.
 *
 * ```ts
 * import { Reactor } from "@millrace/millrace/reactor";
 *
 * using reactor = Reactor.open();
 * console.log(reactor.driver.description);
 * ```
 */
export class Reactor implements Disposable {
  /** What asks the kernel. */
  readonly driver: Driver;
  /** Timers that this reactor drives. */
  readonly timers: Timers;
  /** Why the driver is not io_uring although none was asked for by name. */
  readonly fallbackReason: string | undefined;
  /** How it waits. */
  readonly idle: IdleStrategy;
  readonly #polled: PolledDriver | undefined;
  readonly #wheel: TimerWheel | undefined;
  readonly #statistics = { busyTurnCount: 0, sleepCount: 0, yieldCount: 0 };
  #running = false;
  #sleeping = false;
  #closed = false;

  /**
   * Opens a reactor on the fastest driver there is, or the one asked for.
   *
   * @throws {Deno.errors.NotSupported | Deno.errors.PermissionDenied} when io_uring is asked for by name and cannot be had
   */
  static open(options: ReactorOptions & DriverOptions = {}): Reactor {
    const { driver, fallbackReason } = openDriver(options);
    return new Reactor(driver, options, fallbackReason);
  }

  /** A reactor on a driver of the caller's, which closes with it. */
  constructor(driver: Driver, options: ReactorOptions = {}, fallbackReason?: string) {
    this.driver = driver;
    this.fallbackReason = fallbackReason;
    this.idle = options.idle ?? "cooperate";
    if (driver.delivery === "events") {
      this.timers = defaultTimers();
      return;
    }
    const polled = driver as PolledDriver;
    const wheel = new TimerWheel({ clock: driver.clock });
    this.#polled = polled;
    this.#wheel = wheel;
    this.timers = wheel;
    if (options.manual) return;
    polled.onWork = () => this.#wake();
    wheel.onEarlier = () => this.#wake();
    // A sleep for the sake of a timer that is gone would keep the process alive.
    wheel.onEmpty = () => polled.interrupt();
  }

  /** Counts of what this reactor did so far. */
  get statistics(): ReactorStatistics {
    return this.#statistics;
  }

  /** Whether {@linkcode Reactor.close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The driver's time in milliseconds: monotonic, from an arbitrary origin. */
  nowMs(): number {
    return this.driver.clock.nowMs();
  }

  /** Delivers what is complete and runs the timers that are due, without waiting; returns how many of both. */
  poll(): number {
    assert(!this.#closed, "Reactor.poll: the reactor is closed");
    const completions = this.#polled?.poll(0) ?? 0;
    return completions + (this.#wheel?.advance() ?? 0);
  }

  /** Cancels everything that is under way and frees the driver. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#polled?.interrupt();
    this.driver.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Something has been asked for: make sure that the loop looks. */
  #wake(): void {
    if (this.#sleeping) this.#polled?.interrupt();
    else if (!this.#running && !this.#closed) {
      this.#running = true;
      // Not at once: whoever asks is in the middle of something, and often asks for more.
      queueMicrotask(() => this.#run());
    }
  }

  async #run(): Promise<void> {
    const driver = this.#polled;
    const wheel = this.#wheel;
    if (driver === undefined || wheel === undefined) return;
    const { clock } = driver;
    let yieldedAtMs = clock.nowMs();
    let yielded = false;
    while (!this.#closed) {
      const delivered = driver.poll(0) + (wheel.size === 0 ? 0 : wheel.advance());
      if (delivered > 0 && clock.nowMs() - yieldedAtMs < BUSY_MS_MAX) {
        // Lets the continuations of what was delivered run; what they ask for goes out with the next poll, together.
        this.#statistics.busyTurnCount++;
        yielded = false;
        await null;
      } else if (delivered > 0 || !yielded) {
        // Before sleeping, too, everything that is ready on Deno's event loop must have had its turn.
        this.#statistics.yieldCount++;
        await yieldToHost();
        yieldedAtMs = clock.nowMs();
        yielded = delivered === 0;
      } else if (driver.inFlightCount === 0 && wheel.size === 0) {
        break;
      } else {
        yielded = false;
        await this.#sleep(driver, wheel.nextDelayMs);
      }
    }
    this.#running = false;
  }

  async #sleep(driver: PolledDriver, delayMs: number | undefined): Promise<void> {
    const keepAlive = driver.referencedCount > 0 || delayMs !== undefined;
    if (keepAlive && this.idle === "spin") return;
    this.#statistics.sleepCount++;
    if (keepAlive && this.idle === "block") {
      driver.poll(Math.min(delayMs ?? BLOCK_MS_MAX, BLOCK_MS_MAX));
      return;
    }
    this.#sleeping = true;
    await driver.wait(delayMs, keepAlive);
    this.#sleeping = false;
  }
}

/** One round of Deno's event loop. */
function yieldToHost(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

let shared: Reactor | undefined;

/** The reactor of this thread that servers and connections use when they are given none; opened on first use. */
export function defaultReactor(): Reactor {
  if (shared === undefined || shared.closed) shared = Reactor.open();
  return shared;
}
