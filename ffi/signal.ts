/** Signals that Deno would handle in its own way. */
import { Socket } from "node:net";
import { signalNumber } from "./child.ts";
import { check } from "./errno.ts";
import { native } from "./library.ts";

/** A signal that is taken over from Deno: it comes here, and nowhere else, until this is closed. */
export class TakenSignal implements Disposable {
  readonly #number: number;
  readonly #socket: Socket;
  #closed = false;

  /**
   * Several signals may make one call.
   *
   * @throws {Deno.errors.Busy} when it is taken already
   * @throws {Deno.errors.NotSupported} without the native library
   */
  constructor(signal: Deno.Signal, onSignal: () => void) {
    this.#number = signalNumber(signal);
    const fd = check(native().millrace_signal_take(this.#number), "take a signal", signal);
    this.#socket = new Socket({ fd, readable: true, writable: false });
    this.#socket.on("data", () => {
      if (!this.#closed) onSignal();
    });
    this.#socket.on("error", () => {});
    this.#socket.unref();
  }

  /** Gives the signal back to Deno. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    check(native().millrace_signal_release(this.#number), "give a signal back");
    this.#socket.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
