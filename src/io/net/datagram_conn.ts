import { Deque } from "../../base/mod.ts";
import type { DatagramHandler, DriverDatagramSocket, Reactor } from "../reactor/mod.ts";
import type { WaitOptions } from "../../base/mod.ts";
import { refuseWait, Wait } from "./wait.ts";

/** Received datagrams queued for `receive()`; more stay in the system's buffer, which drops what does not fit. */
export const DATAGRAM_QUEUE_MAX = 64;
/** Bytes of a `receive()` buffer when the caller passes none. */
const RECEIVE_BYTES = 65_536;

interface Datagram {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly from: Deno.NetAddr;
}

/**
 * A UDP socket; assignable to `Deno.DatagramConn`.
 *
 * ```ts
 * import { listenDatagram } from "@millrace/millrace/net";
 *
 * using socket = await listenDatagram({ port: 0 });
 * await socket.send(new TextEncoder().encode("hello"), socket.addr);
 * const [bytes, from] = await socket.receive(undefined, { timeoutMs: 5000 });
 * console.log(bytes.byteLength, from.transport); // 5 udp
 * ```
 */
export class DatagramConn implements Deno.DatagramConn {
  /** Where it is bound, with the port that the system chose. */
  readonly addr: Deno.NetAddr;
  readonly #reactor: Reactor;
  readonly #socket: DriverDatagramSocket;
  readonly #received = new Deque<Datagram>();
  #reader: { readonly into: Uint8Array<ArrayBuffer>; readonly wait: Wait<Received> } | undefined;
  #receiving = false;
  #closed = false;

  /** @internal */
  constructor(reactor: Reactor, socket: DriverDatagramSocket) {
    this.#reactor = reactor;
    this.#socket = socket;
    this.addr = { transport: "udp", ...socket.localAddress };
    reactor.adopt(this);
  }

  /**
   * Waits for the next datagram; resolves to a view of its bytes and its sender. Bytes that do not fit into `into` are lost.
   *
   * @throws {Deno.errors.Busy} (as a rejection) while another receive waits
   */
  receive(
    into: Uint8Array = new Uint8Array(RECEIVE_BYTES),
    options?: WaitOptions,
  ): Promise<[Uint8Array<ArrayBuffer>, Deno.Addr]> {
    const buffer = into as Uint8Array<ArrayBuffer>;
    if (this.#closed) return Promise.reject(closedError("receive"));
    if (this.#reader !== undefined) {
      return Promise.reject(new Deno.errors.Busy("receive: another receive of this socket is waiting"));
    }
    const refusal = refuseWait("receive", options);
    if (refusal !== undefined) return Promise.reject(refusal.reason);
    const datagram = this.#received.popFront();
    if (datagram !== undefined) return Promise.resolve(fill(buffer, datagram.bytes, datagram.from));
    const wait = new Wait<Received>(this.#reactor, "receive", options, () => this.#reader = undefined);
    this.#reader = { into: buffer, wait };
    if (!this.#receiving) {
      this.#receiving = true;
      this.#socket.startReceiving(this.#handler);
    }
    return wait.promise;
  }

  /**
   * Sends one datagram of at most 65,507 bytes; resolves to its length when it is with the kernel. Do not change `data` until
   * then. After a send was aborted or timed out, it is unknown whether the datagram went.
   */
  send(data: Uint8Array, to: Deno.Addr, options?: WaitOptions): Promise<number> {
    if (this.#closed) return Promise.reject(closedError("send"));
    if (!("hostname" in to)) return Promise.reject(new TypeError("send: expected an internet address"));
    const hostname = to.hostname === "localhost" ? "127.0.0.1" : to.hostname;
    const refusal = refuseWait("send", options);
    if (refusal !== undefined) return Promise.reject(refusal.reason);
    const sending = this.#socket.send(data, { hostname, port: to.port });
    if (options === undefined) return sending;
    const wait = new Wait<number>(this.#reactor, "send", options, () => {});
    sending.then((count) => wait.resolve(count), (error) => wait.reject(error));
    return wait.promise;
  }

  /** Closes the socket and rejects pending calls. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reactor.release(this);
    this.#socket.close();
    this.#reader?.wait.reject(closedError("receive"));
    this.#reader = undefined;
  }

  /** Closes the socket. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Multicast is not supported. */
  joinMulticastV4(): Promise<never> {
    return Promise.reject(new Deno.errors.NotSupported("joinMulticastV4: multicast is not offered"));
  }

  /** Multicast is not supported. */
  joinMulticastV6(): Promise<never> {
    return Promise.reject(new Deno.errors.NotSupported("joinMulticastV6: multicast is not offered"));
  }

  /** Datagrams as they arrive, until the socket is closed. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<[Uint8Array<ArrayBuffer>, Deno.Addr]> {
    while (!this.#closed) {
      let received: Received;
      try {
        received = await this.receive();
      } catch (error) {
        if (this.#closed) return;
        throw error;
      }
      yield received;
    }
  }

  readonly #handler: DatagramHandler = {
    onDatagram: (bytes, byteLength, { hostname, port }) => {
      const from: Deno.NetAddr = { transport: "udp", hostname, port };
      const reader = this.#reader;
      if (reader !== undefined) {
        this.#reader = undefined;
        if (!reader.into.buffer.detached) {
          reader.wait.resolve(fill(reader.into, bytes.subarray(0, byteLength), from));
          return;
        }
        reader.wait.reject(new TypeError("receive: the memory to receive into is gone"));
      }
      this.#received.pushBack({ bytes: bytes.slice(0, byteLength), from });
      if (this.#received.length < DATAGRAM_QUEUE_MAX) return;
      this.#receiving = false;
      this.#socket.stopReceiving();
    },
    onDatagramError: (error) => {
      this.#receiving = false;
      this.#reader?.wait.reject(error);
      this.#reader = undefined;
    },
  };
}

type Received = [Uint8Array<ArrayBuffer>, Deno.Addr];

function fill(into: Uint8Array<ArrayBuffer>, bytes: Uint8Array, from: Deno.NetAddr): Received {
  const length = Math.min(bytes.byteLength, into.byteLength);
  into.set(bytes.subarray(0, length));
  return [into.subarray(0, length), from];
}

function closedError(operation: string): Error {
  return new Deno.errors.BadResource(`${operation}: the socket is closed`);
}
