import { assert } from "../../base/mod.ts";
import { defaultTimers, type Timers, TimerWheel } from "../../base/timer/mod.ts";
import type { Driver, PolledDriver } from "./driver.ts";
import { type DriverOptions, openDriver } from "./open_driver.ts";

/**
 * How a reactor waits when it has nothing to do.
 *
 * - `"cooperate"`: leaves the thread to Deno's event loop; a native thread wakes it. The default.
 * - `"block"`: sleeps in the kernel, a few milliseconds at a time, and lets Deno's event loop run between. Wakes about 10 us
 *   sooner, but blocks everything else on the thread meanwhile: for a thread that does nothing else.
 * - `"spin"`: does not sleep. The lowest latency, at the price of a whole processor.
 */
export type IdleStrategy = "block" | "cooperate" | "spin";

/** Options of {@linkcode Reactor}. */
export interface ReactorOptions {
  /**
   * How to wait. Has an effect only with drivers that are polled.
   *
   * @default {"cooperate"}
   */
  idle?: IdleStrategy;
  /**
   * Do not run the loop: the owner calls {@linkcode Reactor.poll}.
   *
   * @default {false}
   */
  manual?: boolean;
}

/** Longest sleep of the `"block"` strategy in milliseconds: the most that a promise, a signal or a Deno timer is delayed. */
export const BLOCK_MS_MAX = 5;
/** Longest time in milliseconds that a busy reactor keeps Deno's event loop waiting. */
export const BUSY_MS_MAX = 1;

/** Longest sleep in milliseconds, with any strategy, right after an event. */
const NEAR_MS = 0.2;
/** Time in milliseconds for which a source that had work is polled again before the thread sleeps: less than a wake-up takes. */
export const SOURCE_SPIN_MS = 0.05;
/** Turns of the microtask queue between two polls. */
const PROMISE_HOPS = 8;

/** Counters of a reactor; they only grow. */
export interface ReactorStatistics {
  /** Rounds that delivered something. */
  readonly busyTurnCount: number;
  /** Times that it went to sleep. */
  readonly sleepCount: number;
  /** Times that it handed the thread to Deno's event loop. */
  readonly yieldCount: number;
}

/** What a reactor polls besides its driver: messages that other threads write to memory. */
export interface ReactorSource {
  /** Handles what has arrived; returns how much. Must not throw. */
  poll(): number;
  /**
   * Called before the thread waits: arms the wake-up, so that a producer ends the wait; false when something has arrived already. A wait
   * in the kernel ends by the descriptor; a wait in Deno's event loop ends by {@linkcode Reactor.wake}.
   */
  arm(inKernel: boolean): boolean;
  /** Called after the wait, also when there was none. */
  disarm(): void;
}

/**
 * The event loop of one thread: a driver and timers.
 *
 * It runs by itself while operations or timers are pending, beside Deno's event loop, which gets a turn at least every
 * millisecond. As with Deno, the process ends when nothing is pending any more.
 *
 * ```ts
 * import { Reactor } from "@millrace/millrace/reactor";
 *
 * using reactor = Reactor.open();
 * console.log(reactor.driver.description);
 * ```
 */
export class Reactor implements Disposable {
  /** The driver: all requests to the kernel go through it. */
  readonly driver: Driver;
  /** The timers that this reactor drives. */
  readonly timers: Timers;
  /** Why the driver is not io_uring although none was requested by name. */
  readonly fallbackReason: string | undefined;
  /** The wait strategy. */
  readonly idle: IdleStrategy;
  readonly #polled: PolledDriver | undefined;
  readonly #wheel: TimerWheel | undefined;
  readonly #countedTimers: { readonly size: number };
  readonly #statistics = { busyTurnCount: 0, sleepCount: 0, yieldCount: 0 };
  readonly #dependents = new Set<{ close(): void }>();
  #source: ReactorSource | undefined;
  #sourceAtMs = -Infinity;
  #watch: Disposable | undefined;
  #running = false;
  #sleeping = false;
  #closed = false;
  /** Whether a poll is running: its driver must not be closed under it. */
  #inTurn = false;

  /**
   * Opens a reactor on the fastest available driver, or on the requested one.
   *
   * @throws {Deno.errors.NotSupported | Deno.errors.PermissionDenied} when io_uring is requested by name and is not available
   */
  static open(options: ReactorOptions & DriverOptions = {}): Reactor {
    const { driver, fallbackReason } = openDriver(options);
    return new Reactor(driver, options, fallbackReason);
  }

  /** A reactor on the caller's driver, which is closed with it. */
  constructor(driver: Driver, options: ReactorOptions = {}, fallbackReason?: string) {
    this.driver = driver;
    this.fallbackReason = fallbackReason;
    this.idle = options.idle ?? "cooperate";
    if (!["block", "cooperate", "spin"].includes(this.idle)) {
      throw new TypeError(`idle is "${this.idle}", expected "block", "cooperate" or "spin"`);
    }
    if (driver.delivery === "events") {
      this.timers = this.#countedTimers = defaultTimers();
      return;
    }
    const polled = driver as PolledDriver;
    const wheel = new TimerWheel({ clock: driver.clock });
    this.#polled = polled;
    this.#wheel = wheel;
    this.timers = this.#countedTimers = wheel;
    if (options.manual) return;
    polled.onWork = () => this.wake();
    wheel.onEarlier = () => this.wake();
    // A sleep that waits for a cancelled timer would keep the process alive.
    wheel.onEmpty = () => polled.interrupt();
  }

  /** How many of its {@linkcode Reactor.timers} are set; with a driver that is not polled, all timers of the thread. */
  get timerCount(): number {
    return this.#countedTimers.size;
  }

  /** Counters of this reactor. */
  get statistics(): ReactorStatistics {
    return this.#statistics;
  }

  /** Whether {@linkcode Reactor.close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The driver's time in milliseconds: monotonic, from an arbitrary origin. Within a callback, the time at which its turn began. */
  nowMs(): number {
    return this.#inTurn && this.#polled !== undefined ? this.#polled.turnMs : this.driver.clock.nowMs();
  }

  /** Delivers completions and runs the timers that are due, without waiting; returns how many of both. */
  poll(): number {
    assert(!this.#closed, "Reactor.poll: the reactor is closed");
    if (this.#polled === undefined || this.#wheel === undefined) return 0;
    const count = this.#turn(this.#polled, this.#wheel, 0);
    if (this.#closed) this.driver.close();
    return count;
  }

  /** Has `dependent` closed before the driver: a call that waits there would otherwise wait for ever. */
  adopt(dependent: { close(): void }): void {
    this.#dependents.add(dependent);
    if (this.#closed) dependent.close();
  }

  /** Forgets an adopted dependent, which has been closed. */
  release(dependent: { close(): void }): void {
    this.#dependents.delete(dependent);
  }

  /**
   * Has the loop poll `source`; the eventfd `descriptor` is signalled to end a wait in the kernel. A source keeps the loop running and
   * the process alive. One source at most; a driver that is not polled has no loop for it.
   */
  attach(source: ReactorSource, descriptor: number): void {
    assert(this.#source === undefined, "Reactor.attach: there is a source already");
    assert(this.#polled !== undefined, "Reactor.attach: the driver is not polled");
    this.#watch = this.#polled.watch(descriptor);
    // Before the completions of this wait are delivered: delivering them is work.
    this.#polled.onAwake = () => source.disarm();
    this.#source = source;
    this.wake();
  }

  /** Undoes {@linkcode Reactor.attach}. */
  detach(): void {
    this.#source = undefined;
    if (this.#polled !== undefined) this.#polled.onAwake = undefined;
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
  }

  /**
   * Closes the dependents of this reactor, cancels every operation and frees the driver. From within a callback, right after
   * that callback.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.detach();
    for (const dependent of [...this.#dependents]) {
      try {
        dependent.close();
      } catch (error) {
        // The other dependents, and the driver, must be closed all the same.
        reportError(error);
      }
    }
    this.#polled?.interrupt();
    if (!this.#inTurn) this.driver.close();
  }

  /** Closes the reactor, as {@linkcode Reactor.close} does. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Has the loop poll again, if it sleeps: there is a new request. */
  wake(): void {
    if (this.#sleeping) this.#polled?.interrupt();
    else if (!this.#running && !this.#closed) {
      this.#running = true;
      // Not at once: the caller is in the middle of its work, and often makes more requests.
      queueMicrotask(() => this.#run());
    }
  }

  /**
   * Runs turns while anything is pending. Microtasks run after each poll, the rest of Deno's event loop at least every
   * {@linkcode BUSY_MS_MAX} and before each sleep.
   */
  async #run(): Promise<void> {
    const driver = this.#polled;
    const wheel = this.#wheel;
    if (driver === undefined || wheel === undefined) return;
    const { clock } = driver;
    let yieldedAtMs = -Infinity;
    let deliveredAtMs = clock.nowMs();
    while (!this.#closed && (driver.inFlightCount > 0 || driver.hasWork || wheel.size > 0)) {
      const nowMs = clock.nowMs();
      if (nowMs - yieldedAtMs >= BUSY_MS_MAX) {
        if (this.#turn(driver, wheel, 0) > 0) deliveredAtMs = nowMs;
        this.#statistics.yieldCount++;
        await yieldToHost();
        yieldedAtMs = clock.nowMs();
        continue;
      }
      // The continuations of what was delivered. Their requests go out together with the next poll.
      for (let hop = 0; hop < PROMISE_HOPS; hop++) await null;
      if (this.#closed) break;
      // Right after an event the next one is likely to be near, and a short sleep in the kernel costs a tenth of one that goes
      // through another thread.
      const near = nowMs - deliveredAtMs < BUSY_MS_MAX && this.idle !== "spin";
      const spinning = nowMs - this.#sourceAtMs < SOURCE_SPIN_MS;
      if (
        this.#turn(driver, wheel, near && !spinning ? Math.min(wheel.nextDelayMs ?? NEAR_MS, NEAR_MS) : 0) > 0
      ) {
        this.#statistics.busyTurnCount++;
        deliveredAtMs = nowMs;
      } else if (!near && !spinning && !driver.hasWork) await this.#sleep(driver, wheel);
    }
    this.#running = false;
    if (this.#closed) this.driver.close();
  }

  /** Polls and runs timers; returns how many of both. */
  #turn(driver: PolledDriver, wheel: TimerWheel, waitMs: number): number {
    this.#inTurn = true;
    const source = this.#source;
    let count = 0;
    try {
      if (source === undefined) count = driver.poll(waitMs);
      else {
        count = source.poll();
        if (count > 0) this.#sourceAtMs = driver.clock.nowMs();
        const armed = waitMs > 0 && count === 0;
        count += driver.poll(armed && source.arm(true) ? waitMs : 0);
        if (armed) source.disarm();
      }
      return wheel.size === 0 ? count : count + wheel.advance();
    } catch (error) {
      if (!this.#running) throw error;
      // A handler threw: reported like any uncaught error, and the loop goes on for everything else.
      reportError(error);
      return 1;
    } finally {
      this.#inTurn = false;
    }
  }

  async #sleep(driver: PolledDriver, wheel: TimerWheel): Promise<void> {
    const delayMs = wheel.nextDelayMs;
    const keepAlive = driver.referencedCount > 0 || delayMs !== undefined;
    if (keepAlive && this.idle === "spin") return;
    this.#statistics.sleepCount++;
    if (keepAlive && this.idle === "block") {
      this.#turn(driver, wheel, Math.min(delayMs ?? BLOCK_MS_MAX, BLOCK_MS_MAX));
      return;
    }
    this.#sleeping = true;
    const source = this.#source;
    if (source === undefined || source.arm(false)) await driver.wait(delayMs, keepAlive);
    source?.disarm();
    this.#sleeping = false;
  }
}

/** One round of Deno's event loop. */
function yieldToHost(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

let shared: Reactor | undefined;

/** Makes `reactor` the one that {@linkcode defaultReactor} gives on this thread. */
export function setDefaultReactor(reactor: Reactor): void {
  shared = reactor;
}

/**
 * The reactor of this thread, which servers and connections use by default. Opened on first use, and opened anew after it was
 * closed.
 *
 * ```ts
 * import { defaultReactor } from "@millrace/millrace/reactor";
 *
 * console.log(defaultReactor().driver.name);
 * ```
 */
export function defaultReactor(): Reactor {
  if (shared === undefined || shared.closed) shared = Reactor.open();
  return shared;
}
