import { describeSocketAddress, errno, parseIp, systemError } from "../../../../ffi/mod.ts";
import { assert, Deque } from "../../../base/mod.ts";
import type { DatagramHandler, DriverDatagramSocket, IpAddress } from "../driver.ts";
import { SimulatedOperation } from "./operations.ts";
import { poison, type Shared } from "./shared.ts";
import { runOperation } from "./single_operation.ts";
import type { DatagramPort } from "./world.ts";

/** The longest payload UDP can carry over IPv4, in bytes. */
const DATAGRAM_BYTES_MAX = 65_507;
/** Bytes of datagrams that wait to be received; those that do not fit are dropped (Linux's default). */
const WAITING_BYTES_MAX = 212_992;

interface Datagram {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly from: IpAddress;
}

/** A UDP socket. */
export class SimulatedDatagramSocket extends SimulatedOperation
  implements DriverDatagramSocket, DatagramPort {
  readonly localAddress: IpAddress;
  readonly reusePort: boolean;
  readonly #shared: Shared;
  readonly #waiting = new Deque<Datagram>();
  #waitingBytes = 0;
  #received: Datagram | undefined;
  #handler: DatagramHandler | undefined;
  #wanted = false;
  #closed = false;
  /** Settles when the previous send is over; sends queue up behind it. */
  #lastSend: Promise<unknown> = Promise.resolve();
  /** When the datagrams sent so far will have arrived: only a fault makes one overtake another. */
  #lastArrivalMs = 0;
  readonly #underWay = new Deque<() => void>();

  constructor(shared: Shared, address: IpAddress, reusePort: boolean) {
    super("receiveDatagram");
    this.#shared = shared;
    this.localAddress = address;
    this.reusePort = reusePort;
    shared.world.addDatagramPort(this);
    shared.open.add(this);
  }

  get address(): IpAddress {
    return this.localAddress;
  }

  startReceiving(handler: DatagramHandler): void {
    assert(!this.#closed, "SimulatedDatagramSocket.startReceiving: the socket is closed");
    this.#handler = handler;
    this.#wanted = true;
    if (this.state === "idle") this.#shared.operations.start(this);
  }

  stopReceiving(): void {
    this.#wanted = false;
    this.#shared.operations.cancel(this);
  }

  send(bytes: Uint8Array, to: IpAddress): Promise<number> {
    const sent = this.#lastSend.then(() => this.#sendNow(bytes, to));
    this.#lastSend = sent.catch(() => {});
    return sent;
  }

  async #sendNow(bytes: Uint8Array, to: IpAddress): Promise<number> {
    if (this.#closed) throw systemError("send", errno.EBADF);
    if (parseIp(to.hostname) === undefined) {
      throw new TypeError(`send: "${to.hostname}" is not an IPv4 or IPv6 address`);
    }
    if (bytes.byteLength > DATAGRAM_BYTES_MAX) {
      throw new RangeError(`send: ${bytes.byteLength} bytes, expected at most ${DATAGRAM_BYTES_MAX}`);
    }
    return await runOperation(this.#shared.operations, {
      kind: "sendDatagram",
      operation: "send",
      detail: `to ${describeSocketAddress(to)}`,
      attempt: () => {
        this.#launch(bytes.slice(), to);
        return bytes.byteLength;
      },
    }).promise;
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
    this.#shared.world.removeDatagramPort(this);
    this.#shared.operations.cancel(this);
    this.#waiting.clear();
  }

  arrive(bytes: Uint8Array<ArrayBuffer>, from: IpAddress): void {
    // A datagram without bytes takes room too.
    const room = Math.max(1, bytes.byteLength);
    if (this.#closed || this.#waitingBytes + room > WAITING_BYTES_MAX) return;
    this.#waitingBytes += room;
    this.#waiting.pushBack({ bytes, from });
    this.#shared.operations.retry(this);
  }

  override attempt(): void {
    const datagram = this.#waiting.popFront();
    if (datagram === undefined) return;
    this.#waitingBytes -= Math.max(1, datagram.bytes.byteLength);
    this.#received = datagram;
    this.#shared.operations.decide(this, datagram.bytes.byteLength);
  }

  override complete(result: number): void {
    const datagram = this.#received;
    this.#received = undefined;
    // A datagram that arrived after the owner had stopped is dropped, as UDP may do.
    if (datagram !== undefined && this.#wanted) {
      this.#handler?.onDatagram(datagram.bytes, datagram.bytes.byteLength, datagram.from);
      poison(datagram.bytes);
    } else if (datagram === undefined && result !== -errno.ECANCELED && this.#wanted) {
      this.#wanted = false;
      this.#handler?.onDatagramError(systemError("receive", -result));
    }
    if (this.#wanted && this.state === "idle") this.#shared.operations.start(this);
  }

  #launch(bytes: Uint8Array<ArrayBuffer>, to: IpAddress): void {
    const { scheduler, faults, world } = this.#shared;
    if (scheduler.chance(faults.settings.datagramLossProbability)) return;
    const nowMs = scheduler.clock.nowMs();
    const from = this.localAddress;
    const land = () => world.datagramPortAt(to)?.arrive(bytes, from);
    const latencyMs = scheduler.between(0, world.link.latencyMsMax);
    if (scheduler.chance(faults.settings.datagramReorderProbability)) {
      scheduler.after(latencyMs + scheduler.between(0, faults.settings.delayMsMax), land);
      return;
    }
    // Events may fire in any order; the datagram that arrives is always the first under way.
    this.#underWay.pushBack(land);
    this.#lastArrivalMs = Math.max(nowMs + latencyMs, this.#lastArrivalMs);
    scheduler.after(this.#lastArrivalMs - nowMs, () => this.#underWay.popFront()?.());
  }
}
