/** A native thread that sleeps on a descriptor so that this thread need not. */
import { check } from "./errno.ts";
import { native } from "./library.ts";
import { closeDescriptor } from "./memory.ts";

const NO_TIMEOUT = 0xffff_ffff;
/** Longest single sleep in milliseconds; a longer one wakes early, which costs a look at the clock. */
const TIMEOUT_MS_MAX = 3_600_000;

/**
 * Calls `onWake` on this thread, once for every `arm()`, when the watched event arrives or the time is over.
 *
 * The event is an eventfd of the waker's own, given to whoever signals it.
 */
export class Waker implements Disposable {
  /** The eventfd that ends a sleep. */
  readonly eventDescriptor: number;
  readonly #handle: number;
  readonly #callback: Deno.UnsafeCallback<{ parameters: never[]; result: "void" }>;
  #referenced = true;
  #closed = false;

  /** @throws {Deno.errors.NotSupported} without the native library */
  constructor(onWake: () => void) {
    const library = native();
    this.eventDescriptor = check(library.millrace_eventfd(), "eventfd");
    const callback = Deno.UnsafeCallback.threadSafe({ parameters: [], result: "void" }, onWake);
    const address = Deno.UnsafePointer.value(callback.pointer);
    const handle = library.millrace_waker_start(this.eventDescriptor, BigInt(address));
    if (handle < 0) {
      callback.close();
      closeDescriptor(this.eventDescriptor);
      check(handle, "start the waker thread");
    }
    this.#handle = handle;
    this.#callback = callback;
  }

  /** Asks for one call of `onWake`: at the event, or after `timeoutMs`. */
  arm(timeoutMs?: number): void {
    const timeoutUs = timeoutMs === undefined
      ? NO_TIMEOUT
      : Math.ceil(Math.min(Math.max(timeoutMs, 0), TIMEOUT_MS_MAX) * 1000);
    check(native().millrace_waker_arm(this.#handle, timeoutUs), "arm the waker");
  }

  /** Ends a sleep early. */
  signal(): void {
    check(native().millrace_eventfd_signal(this.eventDescriptor), "signal the waker");
  }

  /** Whether a sleeping waker keeps the process alive. */
  setReferenced(referenced: boolean): void {
    if (referenced === this.#referenced) return;
    this.#referenced = referenced;
    if (referenced) this.#callback.ref();
    else this.#callback.unref();
  }

  /** Ends the thread; `onWake` is not called again. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // The thread first: a callback closed while its thread runs keeps the process from ending.
    check(native().millrace_waker_stop(this.#handle), "stop the waker thread");
    this.#callback.close();
    closeDescriptor(this.eventDescriptor);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
