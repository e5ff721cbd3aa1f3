import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { asSystemError, errno, parseIp, systemError } from "../../../ffi/mod.ts";
import type {
  Address,
  DatagramHandler,
  DatagramOptions,
  DriverDatagramSocket,
  IpAddress,
} from "../driver.ts";
import type { DenoShared } from "./deno_socket.ts";

/** The longest payload UDP can carry over IPv4, in bytes. */
const DATAGRAM_BYTES_MAX = 65_507;

/** Binds a UDP socket over `node:dgram`; `Deno.listenDatagram` is still unstable. */
export function bindDenoDatagram(
  shared: DenoShared,
  address: Address,
  options: DatagramOptions,
): Promise<DenoDatagramSocket> {
  if ("path" in address) throw new TypeError("bindDatagram: expected an internet address");
  const { promise, resolve, reject } = Promise.withResolvers<DenoDatagramSocket>();
  const type = isIPv6(address.hostname) ? "udp6" : "udp4";
  const socket = createSocket({ type, reusePort: options.reusePort });
  const onError = (error: Error) => {
    socket.close();
    reject(asSystemError("bind", error, `${address.hostname}:${address.port}`));
  };
  socket.once("error", onError);
  socket.bind(address.port, address.hostname, () => {
    socket.off("error", onError);
    resolve(new DenoDatagramSocket(shared, socket));
  });
  return promise;
}

/** A UDP socket over `node:dgram`. Datagrams that come while nobody wants them are dropped, as UDP may. */
export class DenoDatagramSocket implements DriverDatagramSocket {
  readonly localAddress: IpAddress;
  readonly #shared: DenoShared;
  readonly #socket: Socket;
  #handler: DatagramHandler | undefined;
  #closed = false;

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
    if (this.#closed) return Promise.reject(systemError("send", errno.EBADF));
    if (parseIp(to.hostname) === undefined) {
      return Promise.reject(new TypeError(`send: "${to.hostname}" is not an IPv4 or IPv6 address`));
    }
    if (bytes.byteLength > DATAGRAM_BYTES_MAX) {
      const text = `send: ${bytes.byteLength} bytes, expected at most ${DATAGRAM_BYTES_MAX}`;
      return Promise.reject(new RangeError(text));
    }
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#socket.send(bytes.slice(), to.port, to.hostname, (error, byteLength) => {
      if (error) reject(asSystemError("send", error, `to ${to.hostname}:${to.port}`));
      else resolve(byteLength);
    });
    return promise;
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
  }
}
