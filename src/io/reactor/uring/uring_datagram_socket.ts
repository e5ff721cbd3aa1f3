import {
  decodeSocketAddress,
  describeSocketAddress,
  errno,
  localAddress,
  messageAddressLength,
  parseIp,
  PinnedMemory,
  SOCKET_ADDRESS_BYTES_MAX,
  type SocketAddress,
  systemError,
  type Uring,
  uringLayout,
  writeMessageHeader,
  writeSocketAddress,
} from "../../../../ffi/mod.ts";
import { assert } from "../../../base/mod.ts";
import type { DatagramHandler, DriverDatagramSocket, IpAddress } from "../driver.ts";
import { UringOperation } from "./operation_table.ts";
import { runOperation } from "./single_operation.ts";
import type { UringShared } from "./uring_shared.ts";

/**
 * Where the parts of a datagram lie in the memory it is sent from, or received into.
 *
 * ```text
 * 0        56      72        200
 * | msghdr | iovec | address | payload ...
 * ```
 */
const VECTOR_AT = uringLayout.MSGHDR_BYTES;
const ADDRESS_AT = VECTOR_AT + uringLayout.IOVEC_BYTES;
const PAYLOAD_AT = ADDRESS_AT + SOCKET_ADDRESS_BYTES_MAX;
/** The longest payload UDP can carry over IPv4, in bytes. */
export const DATAGRAM_BYTES_MAX = 65_507;
/** The longest that can come in: twenty bytes more over IPv6, and more from a kernel that coalesces datagrams. */
const RECEIVE_BYTES = 65_535;
const MEMORY_BYTES = PAYLOAD_AT + RECEIVE_BYTES;

/** A UDP socket: one receive under way while its owner wants datagrams, and one send at a time. */
export class UringDatagramSocket extends UringOperation implements DriverDatagramSocket {
  readonly localAddress: IpAddress;
  readonly #shared: UringShared;
  readonly #fd: number;
  readonly #incoming = PinnedMemory.allocate(MEMORY_BYTES);
  readonly #outgoing = PinnedMemory.allocate(MEMORY_BYTES);
  #handler: DatagramHandler | undefined;
  #wanted = false;
  #closed = false;
  /** Whether the handler is reading the memory: it stays valid during the call even when the handler closes the socket. */
  #delivering = false;
  /** Settles when the previous send is over; sends queue up behind it. */
  #lastSend: Promise<unknown> = Promise.resolve();

  constructor(shared: UringShared, fd: number) {
    super();
    this.#shared = shared;
    this.#fd = fd;
    this.localAddress = ipAddress(localAddress(fd));
    shared.sockets.add(this);
  }

  startReceiving(handler: DatagramHandler): void {
    assert(!this.#closed, "UringDatagramSocket.startReceiving: the socket is closed");
    this.#handler = handler;
    this.#wanted = true;
    if (this.state === "idle") this.#shared.table.submit(this);
  }

  stopReceiving(): void {
    this.#wanted = false;
    this.#shared.table.cancel(this);
  }

  send(bytes: Uint8Array, to: IpAddress): Promise<number> {
    const sent = this.#lastSend.then(() => this.#sendNow(bytes, to));
    this.#lastSend = sent.catch(() => {});
    return sent;
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
    this.#lastSend.finally(() => this.#outgoing.close());
    if (this.state === "idle" && !this.#delivering) this.#incoming.close();
  }

  override prepare(ring: Uring, id: number): boolean {
    writeParts(this.#incoming, SOCKET_ADDRESS_BYTES_MAX, RECEIVE_BYTES);
    return ring.prepareReceiveMessage(id, this.#fd, this.#incoming, 0);
  }

  override complete(result: number): void {
    // A datagram that arrived after the owner had stopped is dropped, as UDP may do.
    if (result >= 0 && this.#wanted) this.#deliver(result);
    else if (result < 0 && this.#wanted && !TRANSIENT.has(-result)) {
      this.#wanted = false;
      this.#handler?.onDatagramError(systemError("receive", -result));
    }
    if (this.#wanted && this.state === "idle") this.#shared.table.submit(this);
    else if (this.#closed) this.#incoming.close();
  }

  #deliver(byteLength: number): void {
    const { bytes } = this.#incoming;
    const end = ADDRESS_AT + messageAddressLength(this.#incoming, 0);
    const from = ipAddress(decodeSocketAddress(bytes.subarray(ADDRESS_AT, end)));
    this.#delivering = true;
    try {
      this.#handler?.onDatagram(bytes.subarray(PAYLOAD_AT, PAYLOAD_AT + byteLength), byteLength, from);
    } finally {
      this.#delivering = false;
    }
  }

  async #sendNow(bytes: Uint8Array, to: IpAddress): Promise<number> {
    if (this.#closed) throw systemError("send", errno.EBADF);
    if (parseIp(to.hostname) === undefined) {
      throw new TypeError(`send: "${to.hostname}" is not an IPv4 or IPv6 address`);
    }
    if (bytes.byteLength > DATAGRAM_BYTES_MAX) {
      throw new RangeError(`send: ${bytes.byteLength} bytes, expected at most ${DATAGRAM_BYTES_MAX}`);
    }
    const memory = this.#outgoing;
    memory.bytes.set(bytes, PAYLOAD_AT);
    writeParts(memory, writeSocketAddress(memory, ADDRESS_AT, to), bytes.byteLength);
    return await runOperation(this.#shared.table, {
      operation: "send",
      detail: `to ${describeSocketAddress(to)}`,
      prepare: (ring, id) => ring.prepareSendMessage(id, this.#fd, memory, 0),
    });
  }
}

function writeParts(memory: PinnedMemory, addressByteLength: number, dataByteLength: number): void {
  writeMessageHeader(memory, 0, {
    addressOffset: ADDRESS_AT,
    addressByteLength,
    vectorOffset: VECTOR_AT,
    dataOffset: PAYLOAD_AT,
    dataByteLength,
  });
}

/** Results after which receiving simply goes on; ECONNREFUSED reports an earlier datagram that had no receiver. */
const TRANSIENT: ReadonlySet<number> = new Set([
  errno.ECANCELED,
  errno.EINTR,
  errno.EAGAIN,
  errno.ECONNREFUSED,
]);

function ipAddress(address: SocketAddress): IpAddress {
  assert("hostname" in address, "UringDatagramSocket: an address without host name");
  return address;
}
