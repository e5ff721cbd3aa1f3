import type { DriverSocket } from "../reactor/mod.ts";
import type { ServeHandlerInfo } from "./server_context.ts";

/** What a handler can learn of its connection; computed only when read. */
export class ConnectionInfo implements ServeHandlerInfo {
  readonly #socket: DriverSocket;
  readonly #transport: "tcp" | "unix";
  #remoteAddr: Deno.Addr | undefined;
  /** Of the request in progress. */
  #completed: PromiseWithResolvers<void> | undefined;
  /** Of requests whose responses are written but not yet with the kernel. */
  #written: PromiseWithResolvers<void>[] | undefined;

  constructor(socket: DriverSocket, transport: "tcp" | "unix") {
    this.#socket = socket;
    this.#transport = transport;
  }

  get remoteAddr(): Deno.Addr {
    if (this.#remoteAddr === undefined) {
      const address = this.#socket.remoteAddress;
      if (!("path" in address)) this.#remoteAddr = { transport: "tcp", ...address };
      else if (this.#transport === "unix") this.#remoteAddr = { transport: "unix", path: address.path };
      // A connection that a supervisor has passed on: its address is unknown in this process.
      else this.#remoteAddr = { transport: "tcp", hostname: "0.0.0.0", port: 0 };
    }
    return this.#remoteAddr;
  }

  get transport(): "tcp" | "unix" {
    return this.#transport;
  }

  get completed(): Promise<void> {
    if (this.#completed === undefined) {
      this.#completed = Promise.withResolvers();
      // A handler that never reads it must not get an unhandled rejection because the client went away.
      this.#completed.promise.catch(() => {});
    }
    return this.#completed.promise;
  }

  /** The response to the present request is written. */
  written(): void {
    if (this.#completed === undefined) return;
    (this.#written ??= []).push(this.#completed);
    this.#completed = undefined;
  }

  /** Everything written is with the kernel. */
  sent(): void {
    if (this.#written === undefined) return;
    for (const completed of this.#written) completed.resolve();
    this.#written = undefined;
  }

  /** The connection is gone. */
  failed(reason: unknown): void {
    this.written();
    for (const completed of this.#written ?? []) completed.reject(reason);
    this.#written = undefined;
  }
}
