import { errno, systemError } from "../../../../ffi/mod.ts";
import { assert, Deque } from "../../../base/mod.ts";
import type { AcceptHandler, Address, DriverListener } from "../driver.ts";
import type { Endpoint } from "./endpoint.ts";
import { SimulatedOperation } from "./operations.ts";
import type { Shared } from "./shared.ts";
import { SimulatedSocket } from "./simulated_socket.ts";
import type { ListeningPort } from "./world.ts";

/** A listening socket with one accept under way while its owner wants connections. */
export class SimulatedListener extends SimulatedOperation implements DriverListener, ListeningPort {
  readonly localAddress: Address;
  readonly reusePort: boolean;
  readonly #shared: Shared;
  readonly #backlog: number;
  /** Connections that wait to be accepted. */
  readonly #waiting = new Deque<Endpoint>();
  /** Clients that found the backlog full and wait to connect. */
  readonly #whenRoom = new Deque<() => void>();
  #handler: AcceptHandler | undefined;
  #accepted: Endpoint | undefined;
  #wanted = false;
  #closed = false;
  /** Accepted after the owner had stopped; kept for the next start. */
  #kept: SimulatedSocket | undefined;

  constructor(shared: Shared, address: Address, options: { backlog: number; reusePort: boolean }) {
    super("accept");
    this.#shared = shared;
    this.#backlog = Math.max(1, options.backlog);
    this.reusePort = options.reusePort;
    this.localAddress = address;
    shared.world.addListener(this);
    shared.open.add(this);
  }

  get address(): Address {
    return this.localAddress;
  }

  get hasRoom(): boolean {
    return this.#waiting.length < this.#backlog;
  }

  offer(endpoint: Endpoint): void {
    this.#waiting.pushBack(endpoint);
    this.#shared.operations.retry(this);
  }

  whenRoom(callback: () => void): void {
    this.#whenRoom.pushBack(callback);
  }

  startAccepting(handler: AcceptHandler): void {
    assert(!this.#closed, "SimulatedListener.startAccepting: the listener is closed");
    this.#handler = handler;
    this.#wanted = true;
    if (this.#kept !== undefined) this.#shared.operations.soon(() => this.#deliverKept());
    else if (this.state === "idle") this.#shared.operations.start(this);
  }

  stopAccepting(): void {
    this.#wanted = false;
    this.#shared.operations.cancel(this);
  }

  setReferenced(referenced: boolean): void {
    this.#shared.operations.setReferenced(this, referenced);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wanted = false;
    this.#handler = undefined;
    this.#shared.open.delete(this);
    this.#shared.world.removeListener(this);
    this.#shared.operations.cancel(this);
    this.#kept?.close();
    for (let next = this.#waiting.popFront(); next !== undefined; next = this.#waiting.popFront()) {
      next.reset();
    }
    for (let next = this.#whenRoom.popFront(); next !== undefined; next = this.#whenRoom.popFront()) next();
  }

  override attempt(): void {
    const endpoint = this.#waiting.popFront();
    if (endpoint === undefined) return;
    this.#accepted = endpoint;
    this.#shared.operations.decide(this, 0);
    this.#whenRoom.popFront()?.();
  }

  override complete(result: number): void {
    const endpoint = this.#accepted;
    this.#accepted = undefined;
    if (endpoint !== undefined) this.#pass(new SimulatedSocket(this.#shared, endpoint));
    else if (result !== -errno.ECANCELED && this.#wanted) {
      this.#wanted = false;
      this.#handler?.onAcceptError(systemError("accept", -result));
    }
    if (this.#wanted && this.state === "idle" && this.#kept === undefined) {
      this.#shared.operations.start(this);
    }
  }

  #pass(socket: SimulatedSocket): void {
    if (this.#closed) socket.close();
    else if (this.#wanted) this.#handler?.onAccept(socket);
    else this.#kept = socket;
  }

  #deliverKept(): void {
    const socket = this.#kept;
    if (socket !== undefined && this.#wanted) {
      this.#kept = undefined;
      this.#handler?.onAccept(socket);
    }
    if (this.#wanted && this.state === "idle" && this.#kept === undefined) {
      this.#shared.operations.start(this);
    }
  }
}
