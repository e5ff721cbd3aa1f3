import { createServer, type Server, type Socket } from "node:net";
import { asSystemError, lendListener, nativeStatus } from "../../../../ffi/mod.ts";
import { assert } from "../../../base/mod.ts";
import type { AcceptHandler, Address, DriverListener } from "../driver.ts";
import type { DenoShared } from "./deno_socket.ts";
import { NodeSocket } from "./node_socket.ts";

/**
 * A listening socket that the process was started with, over `node:net`: Deno's own API accepts no descriptors.
 *
 * With the native library each listener gets a descriptor of its own, so that several threads can have one and each closes its own.
 * Without it the first listener takes the socket itself.
 */
export class DenoAdoptedListener implements DriverListener {
  readonly localAddress: Address;
  readonly #shared: DenoShared;
  readonly #server: Server;
  #handler: AcceptHandler | undefined;
  #wanted = false;
  #closed = false;
  #kept: NodeSocket[] = [];

  /** @throws {Deno.errors.InvalidData | Deno.errors.BadResource} when the descriptor is no listening socket */
  constructor(shared: DenoShared, descriptor: number, noDelay: boolean) {
    this.#shared = shared;
    const fd = nativeStatus().available ? lendListener(descriptor) : descriptor;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay }, (socket) => {
      this.#accepted(socket);
    });
    this.#server.on("error", (error) => this.#fail(error));
    this.#server.listen({ fd });
    const address = this.#server.address();
    if (address === null) {
      this.#server.close();
      throw asSystemError(
        "take over a listening socket",
        Object.assign(new Error(), { code: "EINVAL" }),
        `at descriptor ${descriptor}`,
      );
    }
    this.localAddress = typeof address === "string"
      ? { path: address }
      : { hostname: address.address, port: address.port };
    shared.open.add(this);
  }

  startAccepting(handler: AcceptHandler): void {
    assert(!this.#closed, "DenoAdoptedListener.startAccepting: the listener is closed");
    this.#handler = handler;
    this.#wanted = true;
    if (this.#kept.length > 0) queueMicrotask(() => this.#deliverKept());
  }

  stopAccepting(): void {
    this.#wanted = false;
  }

  setReferenced(referenced: boolean): void {
    if (this.#closed) return;
    if (referenced) this.#server.ref();
    else this.#server.unref();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wanted = false;
    this.#handler = undefined;
    this.#shared.open.delete(this);
    this.#server.close();
    for (const socket of this.#kept.splice(0)) socket.close();
  }

  #accepted(socket: Socket): void {
    const accepted = new NodeSocket(this.#shared, socket);
    if (this.#closed) accepted.close();
    else if (this.#wanted && this.#kept.length === 0) this.#handler?.onAccept(accepted);
    else this.#kept.push(accepted);
  }

  #deliverKept(): void {
    while (this.#wanted) {
      const socket = this.#kept.shift();
      if (socket === undefined) return;
      this.#handler?.onAccept(socket);
    }
  }

  #fail(error: Error): void {
    if (!this.#wanted) return;
    this.#wanted = false;
    this.#handler?.onAcceptError(asSystemError("accept", error));
  }
}
