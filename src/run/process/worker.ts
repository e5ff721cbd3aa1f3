import { type CoreGroup, type CoreGroupOptions, startCores } from "../cores/mod.ts";
import type { Delivery, SharedQueue } from "../../ipc/queue/mod.ts";

/** What is stopped by `shutdown()`, gracefully: an `HttpServer`, or anything else. */
export interface Drainable {
  /** Takes nothing new, finishes what it has, and resolves when it has. */
  shutdown(options?: { idleGraceMs?: number }): Promise<unknown>;
}

/** Options of {@linkcode Worker.consume}. */
export interface ConsumeOptions {
  /**
   * Messages that are worked on at a time.
   *
   * @default {1}
   */
  concurrency?: number;
}

/** How long idle connections get for one more request when a worker finishes. */
const IDLE_GRACE_MS = 1000;

/** A process as its program sees it, supervised or not; what {@linkcode workerMain} passes to its callback. */
export class Worker {
  /** The name of its specification; `undefined` without a supervisor. */
  readonly name: string | undefined;
  /** Which instance it is, from 0. */
  readonly instance: number;
  /** How many instances there are. */
  readonly instanceCount: number;
  /** Aborts when it is to finish. */
  readonly signal: AbortSignal;
  readonly #finishing = new AbortController();
  readonly #deferred: (() => unknown)[] = [];
  readonly #onFailure: (error: unknown) => void;

  /** @internal */
  constructor(
    identity: { name: string | undefined; instance: number; instanceCount: number },
    onFailure: (error: unknown) => void,
  ) {
    this.name = identity.name;
    this.instance = identity.instance;
    this.instanceCount = identity.instanceCount;
    this.signal = this.#finishing.signal;
    this.#onFailure = onFailure;
  }

  /** Ends the process with code 1 when it is not finishing yet: `error` is printed, and nothing that was deferred is run. */
  fail(error: unknown): void {
    this.#onFailure(error);
  }

  /** Has `cleanup` called and awaited when the worker finishes; the last one first. */
  defer(cleanup: () => unknown): void {
    this.#deferred.push(cleanup);
  }

  /**
   * Has `server` shut down when the worker finishes; hands it through. An `HttpServer` answers what is in flight, and one more
   * request on idle connections within `idleGraceMs`, with `connection: close`.
   */
  drain<T extends Drainable>(server: T, options: { idleGraceMs?: number } = {}): T {
    const { idleGraceMs = IDLE_GRACE_MS } = options;
    this.defer(() => server.shutdown({ idleGraceMs }));
    return server;
  }

  /** Starts a group of cores, one thread each, which is shut down when the worker finishes; a death that ends the group ends the worker. */
  async startCores(options: CoreGroupOptions): Promise<CoreGroup> {
    const group = await startCores(options);
    this.defer(() => group.shutdown());
    group.finished.catch((error) => this.#onFailure(error));
    return group;
  }

  /**
   * Works off the messages of a queue until the worker finishes. A message is acknowledged once `handler` is done with it; when it
   * throws, the message goes back to the queue, and the error ends the worker.
   *
   * @throws {RangeError} when `concurrency` is not a whole number from 1
   */
  consume(
    queue: SharedQueue,
    handler: (delivery: Delivery) => unknown,
    options: ConsumeOptions = {},
  ): void {
    const { concurrency = 1 } = options;
    if (!(Number.isInteger(concurrency) && concurrency >= 1)) {
      throw new RangeError(`consume: concurrency is ${concurrency}, expected a whole number from 1`);
    }
    const loops = Array.from({ length: concurrency }, () => this.#consumeOne(queue, handler));
    this.defer(() => Promise.allSettled(loops));
    for (const loop of loops) loop.catch((error) => this.#onFailure(error));
  }

  /** Aborts the signal, and runs what was deferred. @internal */
  async finish(): Promise<void> {
    this.#finishing.abort(new DOMException("the worker finishes", "AbortError"));
    for (let cleanup = this.#deferred.pop(); cleanup !== undefined; cleanup = this.#deferred.pop()) {
      await cleanup();
    }
  }

  async #consumeOne(queue: SharedQueue, handler: (delivery: Delivery) => unknown): Promise<void> {
    while (!this.signal.aborted) {
      let delivery: Delivery;
      try {
        delivery = await queue.reserve({ signal: this.signal });
      } catch (error) {
        if (this.signal.aborted) return;
        throw error;
      }
      // Goes back to the queue unless it was acknowledged.
      using _ = delivery;
      await handler(delivery);
      delivery.ack();
    }
  }
}
