import type { DriverSocket } from "../reactor/mod.ts";
import type { ServeHandlerInfo } from "./server_context.ts";

/** What a handler is told of its connection; costs nothing until it asks. */
export class ConnectionInfo implements ServeHandlerInfo {
  readonly #socket: DriverSocket;
  readonly #transport: "tcp" | "unix";
  #remoteAddr: Deno.Addr | undefined;
  /** Of the request being answered. */
  #completed: PromiseWithResolvers<void> | undefined;
  /** Of requests whose answers are written and not yet with the kernel. */
  #answered: PromiseWithResolvers<void>[] | undefined;

  constructor(socket: DriverSocket, transport: "tcp" | "unix") {
    this.#socket = socket;
    this.#transport = transport;
  }

  get remoteAddr(): Deno.Addr {
    if (this.#remoteAddr === undefined) {
      const address = this.#socket.remoteAddress;
      if (!("path" in address)) this.#remoteAddr = { transport: "tcp", ...address };
      else if (this.#transport === "unix") this.#remoteAddr = { transport: "unix", path: address.path };
      // A connection that a supervisor has passed on: nobody here knows where it came from.
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
      // Whoever does not look at it must not be punished for a client that went away.
      this.#completed.promise.catch(() => {});
    }
    return this.#completed.promise;
  }

  /** The present request's answer is written. */
  answered(): void {
    if (this.#completed === undefined) return;
    (this.#answered ??= []).push(this.#completed);
    this.#completed = undefined;
  }

  /** Everything written is with the kernel. */
  sent(): void {
    if (this.#answered === undefined) return;
    for (const completed of this.#answered) completed.resolve();
    this.#answered = undefined;
  }

  /** The connection is gone. */
  failed(reason: unknown): void {
    this.answered();
    for (const completed of this.#answered ?? []) completed.reject(reason);
    this.#answered = undefined;
  }
}
