import type { Abortable } from "../mod.ts";
import { OncePermit, type Permit } from "./permit.ts";
import { WaitQueue } from "./wait_queue.ts";
import { GateClosedError } from "./errors.ts";

/**
 * Counts the work in progress of a service, so that it can stop in order: after {@linkcode Gate.close} nothing new
 * enters, and its promise resolves when the last has left. After Seastar's `gate`.
 *
 * @example
 * ```ts
 * import { Gate } from "@millrace/millrace/sync";
 *
 * const requests = new Gate();
 * const result = requests.hold(async () => await Promise.resolve("done"));
 * await requests.close(); // waits for the work
 * console.log(await result, requests.tryEnter()); // done undefined
 * ```
 */
export class Gate implements AsyncDisposable {
  #count = 0;
  #closed = false;
  readonly #closing = new WaitQueue<undefined, void>("Gate", {});

  /** How many are inside. */
  get count(): number {
    return this.#count;
  }

  /** Whether {@linkcode Gate.close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Enters; disposing the returned permit leaves again.
   *
   * @throws {GateClosedError} when the gate is closed
   */
  enter(): Permit {
    const permit = this.tryEnter();
    if (permit === undefined) throw new GateClosedError("Gate.enter");
    return permit;
  }

  /** Enters as {@linkcode Gate.enter} does, or gives `undefined` when the gate is closed. */
  tryEnter(): Permit | undefined {
    if (this.#closed) return undefined;
    this.#count++;
    return new OncePermit(() => {
      this.#count--;
      if (this.#count === 0) this.#closing.grantAll();
    });
  }

  /**
   * Runs `work` inside the gate, and settles as it does.
   *
   * @throws {GateClosedError} (as a rejection) when the gate is closed; `work` is then not called
   */
  async hold<R>(work: () => R | PromiseLike<R>): Promise<R> {
    using _ = this.enter();
    return await work();
  }

  /**
   * Lets nothing in from now on, and resolves when all that entered have left. May be called more than once.
   * The gate stays closed when the signal ends the wait. Do not await it from inside: it would wait for itself.
   */
  close(options: Abortable = {}): Promise<void> {
    const { signal } = options;
    this.#closed = true;
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (this.#count === 0) resolve();
      else this.#closing.push("Gate.close", undefined, signal, { resolve, reject });
    });
  }

  /** The same as {@linkcode Gate.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
