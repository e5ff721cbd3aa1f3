import { asSystemError } from "../../../../ffi/mod.ts";
import { assert } from "../../../base/mod.ts";
import type { AcceptHandler, Address, DriverListener } from "../driver.ts";
import { addressOf, type DenoShared, DenoSocket } from "./deno_socket.ts";

/** A listening socket over `Deno.Listener`. */
export class DenoListener implements DriverListener {
  readonly localAddress: Address;
  readonly #shared: DenoShared;
  readonly #listener: Deno.Listener;
  readonly #noDelay: boolean;
  #handler: AcceptHandler | undefined;
  #wanted = false;
  #accepting = false;
  #closed = false;
  /** Accepted after the owner had stopped; kept for the next start. */
  #kept: DenoSocket | undefined;

  constructor(shared: DenoShared, listener: Deno.Listener, noDelay: boolean) {
    this.#shared = shared;
    this.#listener = listener;
    this.#noDelay = noDelay;
    this.localAddress = addressOf(listener.addr);
    shared.open.add(this);
  }

  startAccepting(handler: AcceptHandler): void {
    assert(!this.#closed, "DenoListener.startAccepting: the listener is closed");
    this.#handler = handler;
    this.#wanted = true;
    if (this.#accepting) return;
    this.#accepting = true;
    this.#accept();
  }

  stopAccepting(): void {
    this.#wanted = false;
  }

  async #accept(): Promise<void> {
    // Callbacks never come from inside the call that made the request.
    if (this.#kept !== undefined) await null;
    this.#deliverKept();
    while (this.#wanted && !this.#closed) {
      try {
        const conn = await this.#listener.accept();
        const socket = new DenoSocket(this.#shared, conn);
        socket.setNoDelay(this.#noDelay);
        this.#kept = socket;
      } catch (error) {
        if (this.#closed) return;
        this.#accepting = false;
        this.#wanted = false;
        this.#handler?.onAcceptError(asSystemError("accept", error));
        return;
      }
      this.#deliverKept();
    }
    this.#accepting = false;
  }

  #deliverKept(): void {
    const socket = this.#kept;
    if (socket === undefined || (!this.#wanted && !this.#closed)) return;
    // Before the call: a handler that closes the listener must not lose the connection that it is given.
    this.#kept = undefined;
    if (this.#closed) socket.close();
    else this.#handler?.onAccept(socket);
  }

  setReferenced(referenced: boolean): void {
    if (referenced) this.#listener.ref();
    else this.#listener.unref();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wanted = false;
    this.#handler = undefined;
    this.#shared.open.delete(this);
    this.#kept?.close();
    this.#listener.close();
  }
}
