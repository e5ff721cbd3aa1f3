/** A native thread that waits for a descriptor so that this thread need not. */
import { Socket } from "node:net";
import { check } from "./errno.ts";
import { native } from "./library.ts";
import { closeDescriptor } from "./memory.ts";

/**
 * Calls `onWake` on this thread, through Deno's event loop, when its eventfd has been signalled: by the kernel, another
 * thread, or `signal()`. Several signals may cause one call.
 *
 * The native thread writes to a socket that Deno polls, and ends when that is closed, also by the end of this thread.
 */
export class Waker implements Disposable {
  /** The eventfd to be signalled. */
  readonly eventDescriptor: number;
  readonly #socket: Socket;
  #referenced = true;
  #closed = false;

  /** @throws {Deno.errors.NotSupported} without the native library */
  constructor(onWake: () => void) {
    const library = native();
    this.eventDescriptor = check(library.millrace_eventfd(), "eventfd");
    const fd = library.millrace_waker_start(this.eventDescriptor);
    if (fd < 0) {
      closeDescriptor(this.eventDescriptor);
      check(fd, "start the waker thread");
    }
    this.#socket = new Socket({ fd, readable: true, writable: false });
    this.#socket.on("data", () => {
      if (!this.#closed) onWake();
    });
    this.setReferenced(false);
  }

  /** Causes a call of `onWake` soon. */
  signal(): void {
    check(native().millrace_eventfd_signal(this.eventDescriptor), "signal the waker");
  }

  /**
   * Whether the waker keeps the process alive.
   *
   * @default {false}
   */
  setReferenced(referenced: boolean): void {
    if (referenced === this.#referenced) return;
    this.#referenced = referenced;
    if (referenced) this.#socket.ref();
    else this.#socket.unref();
  }

  /** Ends the thread; `onWake` is not called again. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    closeDescriptor(this.eventDescriptor);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
