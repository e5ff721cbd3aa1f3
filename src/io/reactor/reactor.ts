import { assert } from "../../base/mod.ts";
import { defaultTimers, type Timers, TimerWheel } from "../../base/timer/mod.ts";
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
  /**
   * How to wait. Only drivers that are polled look at it.
   *
   * @default {"cooperate"}
   */
  idle?: IdleStrategy;
  /**
   * Do not run by itself: the owner calls {@linkcode Reactor.poll}.
   *
   * @default {false}
   */
  manual?: boolean;
}

/** Longest sleep of the `"block"` strategy in milliseconds: what a promise, a signal or a Deno timer may have to wait. */
export const BLOCK_MS_MAX = 5;
/** Longest time in milliseconds that a busy reactor keeps Deno's event loop waiting. */
export const BUSY_MS_MAX = 1;

/** Longest sleep in milliseconds, whatever the strategy, right after something happened. */
const NEAR_MS = 0.2;
/** Time in milliseconds for which a source that had something is looked at again before the thread sleeps: less than waking takes. */
export const SOURCE_SPIN_MS = 0.05;
/** Turns that promises get between two polls. */
const PROMISE_HOPS = 8;

/** Counts of what a reactor did; they only grow. */
export interface ReactorStatistics {
  /** Rounds that delivered something. */
  readonly busyTurnCount: number;
  /** Times it went to sleep. */
  readonly sleepCount: number;
  /** Times it handed the thread to Deno's event loop. */
  readonly yieldCount: number;
}

/** What a reactor looks after besides its driver: messages that other threads put into memory. */
export interface ReactorSource {
  /** Deals with what is there; returns how much. Must not throw. */
  poll(): number;
  /**
   * The thread is about to wait: asks whoever brings something to end that; false when something is there already. In the kernel
   * the descriptor ends it; otherwise the thread is left to Deno's event loop, and {@linkcode Reactor.wake} does.
   */
  arm(inKernel: boolean): boolean;
  /** The wait is over, or there was none. */
  disarm(): void;
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
  readonly #countedTimers: { readonly size: number };
  readonly #statistics = { busyTurnCount: 0, sleepCount: 0, yieldCount: 0 };
  readonly #dependents = new Set<{ close(): void }>();
  #source: ReactorSource | undefined;
  #sourceAtMs = -Infinity;
  #watch: Disposable | undefined;
  #running = false;
  #sleeping = false;
  #closed = false;
  /** Inside a poll, whose driver must not be closed under it. */
  #inTurn = false;

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
    // A sleep for the sake of a timer that is gone would keep the process alive.
    wheel.onEmpty = () => polled.interrupt();
  }

  /** How many of its {@linkcode Reactor.timers} are set; on a driver that is not polled these are all those of the thread. */
  get timerCount(): number {
    return this.#countedTimers.size;
  }

  /** Counts of what this reactor did so far. */
  get statistics(): ReactorStatistics {
    return this.#statistics;
  }

  /** Whether {@linkcode Reactor.close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The driver's time in milliseconds: monotonic, from an arbitrary origin; within a callback, when its turn began. */
  nowMs(): number {
    return this.#inTurn && this.#polled !== undefined ? this.#polled.turnMs : this.driver.clock.nowMs();
  }

  /** Delivers what is complete and runs the timers that are due, without waiting; returns how many of both. */
  poll(): number {
    assert(!this.#closed, "Reactor.poll: the reactor is closed");
    if (this.#polled === undefined || this.#wheel === undefined) return 0;
    const count = this.#turn(this.#polled, this.#wheel, 0);
    if (this.#closed) this.driver.close();
    return count;
  }

  /** Has `dependent` closed before the driver is: a call that waits there would otherwise wait for ever. */
  adopt(dependent: { close(): void }): void {
    this.#dependents.add(dependent);
    if (this.#closed) dependent.close();
  }

  /** Forgets an adopted one, which is closed. */
  release(dependent: { close(): void }): void {
    this.#dependents.delete(dependent);
  }

  /**
   * Has the loop look after `source`; the eventfd `descriptor` is signalled to end waiting in the kernel. It keeps the loop going,
   * and the process alive. One source at most; with a driver that is not polled there is no loop for it.
   */
  attach(source: ReactorSource, descriptor: number): void {
    assert(this.#source === undefined, "Reactor.attach: there is a source already");
    assert(this.#polled !== undefined, "Reactor.attach: the driver is not polled");
    this.#watch = this.#polled.watch(descriptor);
    // Before what the wait brought is delivered: that is work.
    this.#polled.onAwake = () => source.disarm();
    this.#source = source;
    this.wake();
  }

  /** Ends {@linkcode Reactor.attach}. */
  detach(): void {
    this.#source = undefined;
    if (this.#polled !== undefined) this.#polled.onAwake = undefined;
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
  }

  /**
   * Closes what stands on this reactor, cancels everything that is under way and frees the driver; from within a callback,
   * right after it.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.detach();
    for (const dependent of [...this.#dependents]) {
      try {
        dependent.close();
      } catch (error) {
        // The others, and the driver, must be closed all the same.
        reportError(error);
      }
    }
    this.#polled?.interrupt();
    if (!this.#inTurn) this.driver.close();
  }

  /** Does what {@linkcode Reactor.close} does. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Has the loop look again, if it sleeps: something has been asked for. */
  wake(): void {
    if (this.#sleeping) this.#polled?.interrupt();
    else if (!this.#running && !this.#closed) {
      this.#running = true;
      // Not at once: whoever asks is in the middle of something, and often asks for more.
      queueMicrotask(() => this.#run());
    }
  }

  /**
   * One turn after the other while anything is pending. Promises get their turn after each poll, everything else of Deno's
   * event loop at least every {@linkcode BUSY_MS_MAX} and before each sleep.
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
      // The continuations of what was delivered; what they ask for goes out with the next poll, together.
      for (let hop = 0; hop < PROMISE_HOPS; hop++) await null;
      if (this.#closed) break;
      // Right after an event the next is likely to be near, and a short sleep in the kernel costs a tenth of one that goes
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
      // A handler threw: told as any error that nobody catches, and the loop goes on for everybody else.
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
 * The reactor of this thread that servers and connections use when they are given none; opened on first use, and anew after
 * it was closed.
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
