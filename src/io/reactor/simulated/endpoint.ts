import { errno } from "../../../../ffi/mod.ts";
import type { Address } from "../driver.ts";
import { type LinkOptions, Pipe } from "./pipe.ts";
import type { Scheduler } from "./scheduler.ts";

/**
 * The simulated kernel's state of one side of a connection, whether or not the program has it open.
 *
 * A reset shows as on Linux: the first read or write after it fails with ECONNRESET, later reads are at the end and
 * later writes fail with EPIPE.
 */
export class Endpoint {
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  readonly #inbound: Pipe;
  readonly #outbound: Pipe;
  #peer: Endpoint | undefined;
  #closed = false;
  #broken = false;
  /** An error not yet reported, or 0. */
  #pendingErrno = 0;
  /** Called when reading or writing may have a new result. */
  onChange: () => void = () => {};

  private constructor(local: Address, remote: Address, inbound: Pipe, outbound: Pipe) {
    this.localAddress = local;
    this.remoteAddress = remote;
    this.#inbound = inbound;
    this.#outbound = outbound;
    inbound.onArrival = () => this.#onArrival();
    outbound.onRoom = () => this.onChange();
  }

  /** Both sides of a new connection, that of `client` first. */
  static connect(
    client: Address,
    server: Address,
    scheduler: Scheduler,
    options: LinkOptions,
  ): [Endpoint, Endpoint] {
    const [there, back] = [new Pipe(scheduler, options), new Pipe(scheduler, options)];
    const clientSide = new Endpoint(client, server, back, there);
    const serverSide = new Endpoint(server, client, there, back);
    clientSide.#peer = serverSide;
    serverSide.#peer = clientSide;
    return [clientSide, serverSide];
  }

  /** Up to `byteLengthMax` bytes, or 0 at the end, or -errno, or `undefined` when nothing has arrived yet. */
  read(byteLengthMax: number): Uint8Array<ArrayBuffer> | number | undefined {
    const bytes = this.#inbound.read(byteLengthMax);
    if (bytes !== undefined) return bytes;
    if (this.#pendingErrno !== 0) return this.#takeError();
    return this.#broken || this.#inbound.finished ? 0 : undefined;
  }

  /** Takes as many bytes as fit, perhaps none; -errno when the connection takes no more. */
  write(bytes: Uint8Array): number {
    if (this.#pendingErrno !== 0) return this.#takeError();
    if (this.#broken || this.#outbound.ended) return -errno.EPIPE;
    return this.#outbound.write(bytes);
  }

  /** Nothing more will be written. */
  shutdown(): void {
    if (!this.#broken) this.#outbound.end();
  }

  /** The program closes its side. With data unread, or coming later, the other side is reset, as TCP does. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onChange = () => {};
    if (this.#broken) return;
    if (this.#inbound.arrivedBytes > 0) this.#resetPeer();
    else this.#outbound.end();
  }

  /** Ends the connection for both sides at once; data under way is lost. */
  reset(): void {
    this.#resetPeer();
    this.#break();
  }

  #onArrival(): void {
    if (!this.#closed) {
      this.onChange();
    } else if (this.#inbound.arrivedBytes > 0) {
      this.#inbound.discardArrived();
      this.#resetPeer();
    }
  }

  #resetPeer(): void {
    if (this.#broken) return;
    this.#broken = true;
    const peer = this.#peer;
    this.#outbound.cut();
    this.#outbound.carry(() => {
      if (peer !== undefined) peer.#break();
    });
  }

  #break(): void {
    this.#broken = true;
    this.#inbound.cut();
    this.#outbound.cut();
    if (this.#closed) return;
    this.#pendingErrno = errno.ECONNRESET;
    this.onChange();
  }

  #takeError(): number {
    const taken = this.#pendingErrno;
    this.#pendingErrno = 0;
    return -taken;
  }
}
