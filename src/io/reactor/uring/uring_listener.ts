import { errno, localAddress, systemError, type Uring } from "../../../../ffi/mod.ts";
import { assert } from "../../../base/mod.ts";
import type { AcceptHandler, Address, DriverListener } from "../driver.ts";
import { UringOperation } from "./operation_table.ts";
import type { UringShared } from "./uring_shared.ts";
import { UringSocket } from "./uring_socket.ts";

/** A listening socket with one multishot accept under way while its owner wants connections. */
export class UringListener extends UringOperation implements DriverListener {
  readonly localAddress: Address;
  readonly #shared: UringShared;
  readonly #fd: number;
  #handler: AcceptHandler | undefined;
  #wanted = false;
  #closed = false;
  /** Accepted after the owner had stopped; kept for the next start. */
  readonly #kept: UringSocket[] = [];

  constructor(shared: UringShared, fd: number) {
    super();
    this.#shared = shared;
    this.#fd = fd;
    this.localAddress = localAddress(fd);
    shared.sockets.add(this);
  }

  startAccepting(handler: AcceptHandler): void {
    assert(!this.#closed, "UringListener.startAccepting: the listener is closed");
    this.#handler = handler;
    this.#wanted = true;
    if (this.#kept.length > 0) this.#shared.table.soon(() => this.#deliverKept());
    if (this.state === "idle") this.#shared.table.submit(this);
  }

  stopAccepting(): void {
    this.#wanted = false;
    this.#shared.table.cancel(this);
  }

  setReferenced(referenced: boolean): void {
    this.#shared.table.setReferenced(this, referenced);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wanted = false;
    this.#handler = undefined;
    this.#shared.sockets.delete(this);
    for (const socket of this.#kept.splice(0)) socket.close();
    this.#shared.table.cancel(this);
    this.#shared.closeDescriptor(this.#fd);
  }

  override get givesDescriptor(): boolean {
    return true;
  }

  override prepare(ring: Uring, id: number): boolean {
    return ring.prepareAccept(id, this.#fd);
  }

  override complete(result: number): void {
    if (result >= 0) this.#accepted(new UringSocket(this.#shared, result));
    else if (this.#isFailure(result)) {
      this.#wanted = false;
      this.#handler?.onAcceptError(systemError("accept", -result));
    }
    if (this.state === "idle" && this.#wanted) this.#shared.table.submit(this);
  }

  /** A connection that its client abandoned before it was accepted is no failure of the listener. */
  #isFailure(result: number): boolean {
    const harmless = [errno.ECANCELED, errno.EINTR, errno.EAGAIN, errno.ECONNABORTED];
    return this.#wanted && !harmless.includes(-result);
  }

  #accepted(socket: UringSocket): void {
    if (this.#closed) socket.close();
    else if (this.#wanted && this.#kept.length === 0) this.#handler?.onAccept(socket);
    else this.#kept.push(socket);
  }

  #deliverKept(): void {
    while (this.#wanted) {
      const socket = this.#kept.shift();
      if (socket === undefined) return;
      this.#handler?.onAccept(socket);
    }
  }
}
