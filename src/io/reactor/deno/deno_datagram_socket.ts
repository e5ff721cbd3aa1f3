import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import {
  asSystemError,
  describeSocketAddress,
  encodeSocketAddress,
  errno,
  parseIp,
  SOCKET_ADDRESS_BYTES_MAX,
  systemError,
} from "../../../../ffi/mod.ts";
import type {
  Address,
  DatagramHandler,
  DatagramOptions,
  DriverDatagramSocket,
  IpAddress,
} from "../driver.ts";
import { requireNetAccess } from "../net_access.ts";
import { resolveHost } from "../resolve_host.ts";
import type { DenoShared } from "./deno_socket.ts";

/** The longest payload UDP can carry over IPv4, in bytes. */
const DATAGRAM_BYTES_MAX = 65_507;
const EOPNOTSUPP = 95;
const scratch = new Uint8Array(SOCKET_ADDRESS_BYTES_MAX);

/** Binds a UDP socket over `node:dgram`; `Deno.listenDatagram` is still unstable. */
export async function bindDenoDatagram(
  shared: DenoShared,
  address: Address,
  options: DatagramOptions,
): Promise<DenoDatagramSocket> {
  if ("path" in address) throw new TypeError("bindDatagram: expected an internet address");
  if (options.reusePort) {
    throw systemError("bind", EOPNOTSUPP, "with reusePort, which Deno's node:dgram does not know");
  }
  const { port } = address;
  const literal = parseIp(address.hostname) !== undefined;
  const hostname = literal ? address.hostname : (await resolveHost(address.hostname))[0];
  await requireNetAccess("bind", hostname, port);
  const { promise, resolve, reject } = Promise.withResolvers<DenoDatagramSocket>();
  const type = isIPv6(hostname) ? "udp6" : "udp4";
  const socket = createSocket({ type });
  const onError = (error: Error) => {
    socket.close();
    reject(asSystemError("bind", error, describeSocketAddress({ hostname, port })));
  };
  socket.once("error", onError);
  socket.bind(port, hostname, () => {
    socket.off("error", onError);
    resolve(new DenoDatagramSocket(shared, socket));
  });
  return await promise;
}

/** A UDP socket over `node:dgram`. Datagrams that arrive while it does not receive are dropped, as UDP may do. */
export class DenoDatagramSocket implements DriverDatagramSocket {
  readonly localAddress: IpAddress;
  readonly #shared: DenoShared;
  readonly #socket: Socket;
  #handler: DatagramHandler | undefined;
  #closed = false;
  /** Settles when the previous send is over. Sends queue up behind it, because `node:dgram` does not keep their order. */
  #lastSend: Promise<unknown> = Promise.resolve();
  /** Ends the send under way: once closed, `node:dgram` may never call back. */
  #abandonSend: () => void = () => {};

  constructor(shared: DenoShared, socket: Socket) {
    this.#shared = shared;
    this.#socket = socket;
    const { address, port } = socket.address();
    this.localAddress = { hostname: address, port };
    socket.on("message", (message: Uint8Array, from: RemoteInfo) => {
      const bytes = new Uint8Array(message);
      this.#handler?.onDatagram(bytes, bytes.byteLength, { hostname: from.address, port: from.port });
    });
    socket.on("error", (error: Error) => this.#handler?.onDatagramError(asSystemError("receive", error)));
    shared.open.add(this);
  }

  startReceiving(handler: DatagramHandler): void {
    this.#handler = handler;
  }

  stopReceiving(): void {
    this.#handler = undefined;
  }

  send(bytes: Uint8Array, to: IpAddress): Promise<number> {
    const sent = this.#lastSend.then(() => this.#sendNow(bytes, to));
    this.#lastSend = sent.catch(() => {});
    return sent;
  }

  async #sendNow(bytes: Uint8Array, to: IpAddress): Promise<number> {
    if (this.#closed) throw systemError("send", errno.EBADF);
    // For its checks: `node:dgram` takes names, and has a different error for an invalid port.
    encodeSocketAddress(to, scratch);
    if (bytes.byteLength > DATAGRAM_BYTES_MAX) {
      throw new RangeError(`send: ${bytes.byteLength} bytes, expected at most ${DATAGRAM_BYTES_MAX}`);
    }
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#socket.send(bytes.slice(), to.port, to.hostname, (error, byteLength) => {
      if (error) reject(asSystemError("send", error, `to ${describeSocketAddress(to)}`));
      else resolve(byteLength);
    });
    this.#abandonSend = () => reject(systemError("send", errno.ECANCELED));
    return await promise;
  }

  setReferenced(referenced: boolean): void {
    if (referenced) this.#socket.ref();
    else this.#socket.unref();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handler = undefined;
    this.#shared.open.delete(this);
    this.#socket.close();
    this.#abandonSend();
  }
}
