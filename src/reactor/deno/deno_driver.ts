import { asSystemError } from "../../../ffi/mod.ts";
import type { Clock } from "../../base/mod.ts";
import { hostClock } from "../host_clock.ts";
import { BufferPool } from "../buffer_pool.ts";
import type {
  Address,
  ConnectSocketOptions,
  DatagramOptions,
  Driver,
  DriverDatagramSocket,
  DriverFile,
  DriverListener,
  DriverSocket,
  ListenSocketOptions,
  OpenFileOptions,
} from "../driver.ts";
import { bindDenoDatagram } from "./deno_datagram_socket.ts";
import { openDenoFile } from "./deno_file.ts";
import { DenoListener } from "./deno_listener.ts";
import { type DenoShared, DenoSocket } from "./deno_socket.ts";

/** Options of {@linkcode DenoDriver}. */
export interface DenoDriverOptions {
  /** Bytes of one buffer for what is sent. @default {16384} */
  bufferByteLength?: number;
  /** Buffers for what is sent, at most. @default {8192} */
  bufferCountMax?: number;
}

/** {@linkcode Driver} on Deno's own I/O: works wherever Deno does, without the native library. */
export class DenoDriver implements Driver {
  readonly name = "deno";
  readonly delivery = "events";
  readonly description = "Deno's own I/O";
  readonly clock: Clock = hostClock();
  readonly buffers: BufferPool;
  readonly #shared: DenoShared;

  constructor(options: DenoDriverOptions = {}) {
    this.buffers = new BufferPool({
      ...options,
      allocateSlab: (byteLength) => ({ bytes: new Uint8Array(byteLength) }),
    });
    this.#shared = { buffers: this.buffers, open: new Set() };
  }

  listen(address: Address, options: ListenSocketOptions): DriverListener {
    try {
      const listener = "path" in address
        ? Deno.listen({ transport: "unix", path: address.path })
        : Deno.listen({ ...address, reusePort: options.reusePort, tcpBacklog: options.backlog });
      return new DenoListener(this.#shared, listener as Deno.Listener, options.noDelay);
    } catch (error) {
      throw asSystemError("bind", error, describe(address));
    }
  }

  async connect(address: Address, options: ConnectSocketOptions): Promise<DriverSocket> {
    const { signal } = options;
    signal?.throwIfAborted();
    let conn: Deno.Conn;
    try {
      conn = "path" in address
        ? await Deno.connect({ transport: "unix", path: address.path })
        : await Deno.connect({ ...address, ...(signal === undefined ? {} : { signal }) });
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw asSystemError("connect", error, `to ${describe(address)}`);
    }
    const socket = new DenoSocket(this.#shared, conn);
    if (signal?.aborted) {
      socket.close();
      throw signal.reason;
    }
    socket.setNoDelay(options.noDelay);
    return socket;
  }

  bindDatagram(address: Address, options: DatagramOptions): Promise<DriverDatagramSocket> {
    return bindDenoDatagram(this.#shared, address, options);
  }

  openFile(path: string, options: OpenFileOptions): Promise<DriverFile> {
    return openDenoFile(this.#shared, path, options);
  }

  close(): void {
    for (const open of [...this.#shared.open]) open.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function describe(address: Address): string {
  return "path" in address ? address.path : `${address.hostname}:${address.port}`;
}
