import { acceptNow, errno, localAddress, systemError, type Uring } from "../../../../ffi/mod.ts";
import { assert } from "../../../base/mod.ts";
import type { AcceptHandler, Address, DriverListener } from "../driver.ts";
import { UringOperation } from "./operation_table.ts";
import type { UringShared } from "./uring_shared.ts";
import { UringSocket } from "./uring_socket.ts";

/**
 * A listening socket that other processes accept from as well: polled by the ring, accepted from by a system call.
 *
 * An accept in the ring waits exclusively: the kernel wakes one waiter for a connection. When that is a process that was
 * stopped, or hangs, the connection waits with it while other processes are idle. A poll wakes every process, and the first one takes
 * the connection. Nor can closing lose a connection that an accept has just returned. One connection a turn: the rest of a
 * burst is left to less busy processes.
 */
export class UringAdoptedListener extends UringOperation implements DriverListener {
  readonly localAddress: Address;
  readonly #shared: UringShared;
  readonly #fd: number;
  #handler: AcceptHandler | undefined;
  #wanted = false;
  #closed = false;
  #accepting = false;

  /** `fd` does not block; the listener closes it. */
  constructor(shared: UringShared, fd: number) {
    super();
    this.#shared = shared;
    this.#fd = fd;
    this.localAddress = localAddress(fd);
    shared.sockets.add(this);
  }

  startAccepting(handler: AcceptHandler): void {
    assert(!this.#closed, "UringAdoptedListener.startAccepting: the listener is closed");
    this.#handler = handler;
    this.#wanted = true;
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
    this.#shared.table.cancel(this);
    this.#shared.closeDescriptor(this.#fd);
  }

  override prepare(ring: Uring, id: number): boolean {
    return ring.preparePoll(id, this.#fd);
  }

  override complete(result: number): void {
    if (result >= 0) this.#accept();
    else if (result !== -errno.ECANCELED) this.#fail(-result);
    // A poll may end by itself.
    if (this.state === "idle" && this.#wanted) this.#shared.table.submit(this);
  }

  #accept(): void {
    if (!this.#wanted || this.#accepting) return;
    const fd = acceptNow(this.#fd);
    if (fd >= 0) {
      this.#accepting = true;
      this.#shared.table.soon(() => {
        this.#accepting = false;
        this.#accept();
      });
      this.#handler?.onAccept(new UringSocket(this.#shared, fd));
    } // Another process was faster, or the client has given up: the poll reports the next one.
    else if (fd === -errno.ECONNABORTED || fd === -errno.EINTR) this.#accept();
    else if (fd !== -errno.EAGAIN) this.#fail(-fd);
  }

  #fail(code: number): void {
    if (!this.#wanted) return;
    this.#wanted = false;
    this.#shared.table.cancel(this);
    this.#handler?.onAcceptError(systemError("accept", code));
  }
}
