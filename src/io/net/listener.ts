import type { AcceptHandler, DriverListener, DriverSocket, Reactor } from "../reactor/mod.ts";
import type { WaitOptions } from "../../base/mod.ts";
import { refuseWait, Wait } from "./wait.ts";

/** Accepted connections queued for `accept()`; more stay in the system's backlog. */
export const ACCEPT_QUEUE_MAX = 64;

/**
 * Accepts connections; assignable to `Deno.Listener`.
 *
 * ```ts
 * import { connect, listen } from "@millrace/millrace/net";
 *
 * using listener = listen({ port: 0, hostname: "127.0.0.1" });
 * using _client = await connect({ port: listener.addr.port });
 * for await (const conn of listener) {
 *   console.log(conn.remoteAddr.hostname); // 127.0.0.1
 *   conn.close();
 *   break; // closes the listener
 * }
 * ```
 */
export class Listener<C extends Deno.Conn, A extends Deno.Addr> implements Deno.Listener<C, A> {
  /** Where it listens, with the port that the system chose. */
  readonly addr: A;
  readonly #reactor: Reactor;
  readonly #listener: DriverListener;
  readonly #toConn: (socket: DriverSocket) => C;
  readonly #accepted: DriverSocket[] = [];
  readonly #waiting: Wait<C>[] = [];
  #accepting = false;
  #referenced = true;
  #closed = false;

  /** @internal */
  constructor(reactor: Reactor, listener: DriverListener, addr: A, toConn: (socket: DriverSocket) => C) {
    this.#reactor = reactor;
    this.#listener = listener;
    this.addr = addr;
    this.#toConn = toConn;
    reactor.adopt(this);
  }

  /**
   * Waits for the next connection. A call that was aborted or timed out loses none.
   *
   * @throws {Deno.errors.BadResource} (as a rejection) when the listener is closed
   */
  accept(options?: WaitOptions): Promise<C> {
    if (this.#closed) return Promise.reject(closedError());
    const refusal = refuseWait("accept", options);
    if (refusal !== undefined) return Promise.reject(refusal.reason);
    const socket = this.#accepted.shift();
    if (socket !== undefined) return Promise.resolve(this.#toConn(socket));
    const wait: Wait<C> = new Wait(this.#reactor, "accept", options, () => {
      const index = this.#waiting.indexOf(wait);
      if (index >= 0) this.#waiting.splice(index, 1);
      this.#updateReference();
    });
    this.#waiting.push(wait);
    this.#updateReference();
    if (!this.#accepting) {
      this.#accepting = true;
      this.#listener.startAccepting(this.#handler);
    }
    return wait.promise;
  }

  /** Stops listening, rejects pending calls, and closes connections that have not been accepted. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reactor.release(this);
    this.#listener.close();
    for (const socket of this.#accepted.splice(0)) socket.close();
    for (const wait of this.#waiting.splice(0)) wait.reject(closedError());
  }

  /** Closes the listener. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Lets a pending `accept()` keep the process alive. It does by default. */
  ref(): void {
    this.#referenced = true;
    this.#updateReference();
  }

  /** Lets the process end despite a pending `accept()`. */
  unref(): void {
    this.#referenced = false;
    this.#updateReference();
  }

  /** Connections as they arrive, until the listener is closed; leaving the loop closes it. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<C> {
    while (!this.#closed) {
      let conn: C;
      try {
        conn = await this.accept();
      } catch (error) {
        if (this.#closed) return;
        throw error;
      }
      let left = true;
      try {
        yield conn;
        left = false;
      } finally {
        if (left) this.close();
      }
    }
  }

  /** Accepting goes on without a pending `accept()`, but then does not keep the process alive. */
  #updateReference(): void {
    if (!this.#closed) this.#listener.setReferenced(this.#referenced && this.#waiting.length > 0);
  }

  readonly #handler: AcceptHandler = {
    onAccept: (socket) => {
      const wait = this.#waiting.shift();
      if (wait !== undefined) {
        this.#updateReference();
        wait.resolve(this.#toConn(socket));
        return;
      }
      this.#accepted.push(socket);
      if (this.#accepted.length < ACCEPT_QUEUE_MAX) return;
      this.#accepting = false;
      this.#listener.stopAccepting();
    },
    onAcceptError: (error) => {
      this.#accepting = false;
      for (const wait of this.#waiting.splice(0)) wait.reject(error);
    },
  };
}

function closedError(): Error {
  return new Deno.errors.BadResource("accept: the listener is closed");
}
