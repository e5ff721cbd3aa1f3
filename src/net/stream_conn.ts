import {
  type Address,
  type DriverSocket,
  type Reactor,
  SendQueue,
  type SocketHandler,
} from "../reactor/mod.ts";
import { Wait, type WaitOptions } from "./wait.ts";

/** Bytes received that wait for a `read()`, above which the connection stops receiving. */
export const RECEIVE_QUEUE_BYTES = 65_536;

interface PendingWrite {
  readonly data: Uint8Array;
  readonly wait: Wait<number>;
  /** Bytes copied to the send queue. */
  copied: number;
}

/**
 * A stream connection over TCP or a Unix socket; assignable to `Deno.Conn`.
 *
 * One `read()` at a time. Writes are sent in the order of their calls; each resolves when its bytes are with the kernel.
 */
export class StreamConn<A extends Deno.Addr = Deno.Addr> implements Deno.Conn<A>, SocketHandler {
  protected readonly socket: DriverSocket;
  readonly #reactor: Reactor;
  readonly #queue: SendQueue;
  readonly #toAddr: (address: Address) => A;
  #receiving = false;
  #stored: Uint8Array[] = [];
  #storedBytes = 0;
  #end: { readonly error: Error | undefined } | undefined;
  #reader: { readonly into: Uint8Array; readonly wait: Wait<number | null> } | undefined;
  readonly #writes: PendingWrite[] = [];
  #waitsForBuffer = false;
  #sendFailure: Error | undefined;
  #sendEnded = false;
  #closed = false;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array<ArrayBufferLike>> | undefined;

  /** @internal */
  constructor(reactor: Reactor, socket: DriverSocket, toAddr: (address: Address) => A) {
    this.#reactor = reactor;
    this.socket = socket;
    this.#toAddr = toAddr;
    this.#queue = new SendQueue(socket, reactor.driver.buffers);
    socket.attach(this);
  }

  /** The local address. @throws {Deno.errors.BadResource} when the connection is closed */
  get localAddr(): A {
    return this.#toAddr(this.socket.localAddress);
  }

  /** The other side's address. @throws {Deno.errors.BadResource} when the connection is closed */
  get remoteAddr(): A {
    return this.#toAddr(this.socket.remoteAddress);
  }

  /**
   * Reads what has arrived into `into`, waiting for the first byte; resolves to how many bytes, `null` at the end. A read
   * that was given up loses nothing: the data goes to the next.
   *
   * @throws {Deno.errors.Busy} (as a rejection) while another read waits
   * @throws {Deno.errors.ConnectionReset} and other failures of the connection (as rejections)
   */
  read(into: Uint8Array, options?: WaitOptions): Promise<number | null> {
    if (this.#closed) return Promise.reject(closedError("read"));
    if (this.#reader !== undefined) {
      return Promise.reject(new Deno.errors.Busy("read: another read of this connection is waiting"));
    }
    if (options?.signal?.aborted) return Promise.reject(options.signal.reason);
    if (into.byteLength === 0) return Promise.resolve(0);
    if (this.#storedBytes > 0) return Promise.resolve(this.#takeStored(into));
    if (this.#end !== undefined) {
      return this.#end.error === undefined ? Promise.resolve(null) : Promise.reject(this.#end.error);
    }
    const wait = new Wait<number | null>(this.#reactor, "read", options, () => this.#reader = undefined);
    this.#reader = { into, wait };
    if (!this.#receiving) {
      this.#receiving = true;
      this.socket.startReceiving();
    }
    return wait.promise;
  }

  /**
   * Sends all of `data`, which is copied at once or when its turn comes: leave it alone until then. Resolves to its length
   * when it is with the kernel. After a write that was given up it is unknown how much went: close the connection.
   *
   * @throws {Deno.errors.BrokenPipe | Deno.errors.ConnectionReset} (as rejections) when the other side is gone
   */
  write(data: Uint8Array, options?: WaitOptions): Promise<number> {
    if (this.#closed) return Promise.reject(closedError("write"));
    if (this.#sendFailure !== undefined) return Promise.reject(this.#sendFailure);
    if (this.#sendEnded) {
      return Promise.reject(new Deno.errors.BrokenPipe("write: this side has been closed for writing"));
    }
    if (options?.signal?.aborted) return Promise.reject(options.signal.reason);
    if (data.byteLength === 0) return Promise.resolve(0);
    const wait: Wait<number> = new Wait(this.#reactor, "write", options, () => this.#dropWrite(wait));
    this.#writes.push({ data, wait, copied: 0 });
    this.#pump();
    return wait.promise;
  }

  /** Tells the other side that nothing more will be sent, when everything written has been. */
  async closeWrite(): Promise<void> {
    if (this.#closed) throw closedError("closeWrite");
    this.#sendEnded = true;
    await this.#writes.at(-1)?.wait.promise;
    this.socket.shutdownSend();
  }

  /** Closes at once; what waits is rejected. Closing twice does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stored = [];
    this.#storedBytes = 0;
    this.#queue.close();
    this.socket.close();
    this.#reader?.wait.reject(closedError("read"));
    this.#reader = undefined;
    for (const { wait } of this.#writes.splice(0)) wait.reject(closedError("write"));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Lets the connection keep the process alive. It does by default. */
  ref(): void {
    this.socket.setReferenced(true);
  }

  /** Lets the process end although the connection waits. */
  unref(): void {
    this.socket.setReferenced(false);
  }

  /** What arrives, as a stream; cancelling it closes the connection. */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= new ReadableStream({
      type: "bytes",
      autoAllocateChunkSize: READ_BYTES,
      pull: async (controller: ReadableByteStreamController) => {
        const request = controller.byobRequest;
        const view = request?.view as Uint8Array<ArrayBuffer> | null | undefined;
        if (!request || !view) return;
        const count = await this.read(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
        if (count !== null) {
          request.respond(count);
          return;
        }
        controller.close();
        request.respond(0);
      },
      cancel: () => this.close(),
    });
  }

  /** What is to be sent, as a stream; closing it ends this direction, and the connection when the other has ended. */
  get writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return this.#writable ??= new WritableStream<Uint8Array<ArrayBufferLike>>({
      write: async (data) => {
        await this.write(data);
      },
      close: async () => {
        await this.closeWrite();
        if (this.#end !== undefined || this.#readable === undefined) this.close();
      },
      abort: () => this.close(),
    });
  }

  /** @internal */
  onReceive(bytes: Uint8Array<ArrayBuffer>, byteLength: number): void {
    let taken = 0;
    const reader = this.#reader;
    if (reader !== undefined) {
      this.#reader = undefined;
      taken = Math.min(byteLength, reader.into.byteLength);
      reader.into.set(taken === bytes.byteLength ? bytes : bytes.subarray(0, taken));
      reader.wait.resolve(taken);
    }
    if (taken === byteLength) return;
    this.#stored.push(bytes.slice(taken, byteLength));
    this.#storedBytes += byteLength - taken;
    if (this.#storedBytes >= RECEIVE_QUEUE_BYTES && this.#receiving) {
      this.#receiving = false;
      this.socket.stopReceiving();
    }
  }

  /** @internal */
  onReceiveEnd(error: Error | undefined): void {
    this.#end = { error };
    const reader = this.#reader;
    if (reader === undefined) return;
    this.#reader = undefined;
    if (error === undefined) reader.wait.resolve(null);
    else reader.wait.reject(error);
  }

  /** @internal */
  onSent(): void {
    // Everything copied before this send began is with the kernel once the queue is empty; of several buffers, the first.
    this.#queue.sent();
    if (this.#queue.idle) this.#settleWrites();
    this.#pump();
  }

  /** @internal */
  onSendFailed(error: Error): void {
    this.#sendFailure = error;
    this.#queue.close();
    for (const { wait } of this.#writes.splice(0)) wait.reject(error);
  }

  /** Resolves the writes whose bytes have all been sent. */
  #settleWrites(): void {
    while (this.#writes.length > 0 && this.#writes[0].copied === this.#writes[0].data.byteLength) {
      const { data, wait } = this.#writes.shift() as PendingWrite;
      wait.resolve(data.byteLength);
    }
  }

  /** Copies as much of the waiting writes as the queue takes, and sends it. */
  #pump(): void {
    for (const write of this.#writes) {
      if (write.copied === write.data.byteLength) continue;
      write.copied += this.#queue.append(write.data, write.copied);
      if (write.copied < write.data.byteLength) break;
    }
    this.#queue.flush();
    if (!this.#queue.sending && this.#writes.length > 0) this.#waitForBuffer();
  }

  /** The pool is empty, and nothing of ours is under way whose end would call us. */
  #waitForBuffer(): void {
    if (this.#waitsForBuffer) return;
    this.#waitsForBuffer = true;
    this.#reactor.driver.buffers.whenAvailable(() => {
      this.#waitsForBuffer = false;
      if (!this.#closed) this.#pump();
    });
  }

  #dropWrite(wait: Wait<number>): void {
    const index = this.#writes.findIndex((write) => write.wait === wait);
    if (index >= 0) this.#writes.splice(index, 1);
  }

  #takeStored(into: Uint8Array): number {
    let count = 0;
    while (count < into.byteLength && this.#stored.length > 0) {
      const [first] = this.#stored;
      const length = Math.min(first.byteLength, into.byteLength - count);
      into.set(first.subarray(0, length), count);
      count += length;
      if (length === first.byteLength) this.#stored.shift();
      else this.#stored[0] = first.subarray(length);
    }
    this.#storedBytes -= count;
    if (!this.#receiving && this.#storedBytes < RECEIVE_QUEUE_BYTES && this.#end === undefined) {
      this.#receiving = true;
      this.socket.startReceiving();
    }
    return count;
  }
}

/** Bytes of a piece that {@linkcode StreamConn.readable} yields at most. */
const READ_BYTES = 16_384;

function closedError(operation: string): Error {
  return new Deno.errors.BadResource(`${operation}: the connection is closed`);
}
