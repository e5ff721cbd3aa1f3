import {
  type Address,
  type DriverSocket,
  type Reactor,
  SendQueue,
  type SocketHandler,
} from "../reactor/mod.ts";
import { assert, type WaitOptions } from "../../base/mod.ts";
import { refuseWait, Wait } from "./wait.ts";

/** Received bytes queued for `read()`, above which the connection stops receiving. */
export const RECEIVE_QUEUE_BYTES = 65_536;

interface PendingWrite {
  readonly data: Uint8Array;
  readonly wait: Wait<number>;
  /** Bytes copied to the send queue. */
  copied: number;
  /** Position of its last byte among all bytes of the connection, once all are copied. */
  endsAt: number;
}

/**
 * A stream connection over TCP or a Unix socket; assignable to `Deno.Conn`.
 *
 * One `read()` at a time. Writes are sent in the order of their calls; each resolves when its bytes are with the kernel.
 *
 * ```ts
 * import { connect, listen } from "@millrace/millrace/net";
 *
 * using listener = listen({ port: 0, hostname: "127.0.0.1" });
 * using client = await connect({ port: listener.addr.port });
 * using server = await listener.accept();
 * await client.write(new TextEncoder().encode("hello"), { timeoutMs: 5000 });
 * await client.closeWrite();
 * console.log(await new Response(server.readable).text()); // hello
 * ```
 */
export class StreamConn<A extends Deno.Addr = Deno.Addr> implements Deno.Conn<A>, SocketHandler {
  /** The socket that carries its data. */
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
  /** How many of {@linkcode StreamConn.#writes}, from the first, are copied completely. */
  #copiedCount = 0;
  #copiedBytes = 0;
  /** Called by the pool when it has a buffer again; set while this connection waits for one. */
  #onBuffer: (() => void) | undefined;
  #sendFailure: Error | undefined;
  #sendEnd: PromiseWithResolvers<void> | undefined;
  #closed = false;
  #localAddr: A | undefined;
  #remoteAddr: A | undefined;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array<ArrayBufferLike>> | undefined;
  #readableEnded = false;
  #writableEnded = false;

  /** @internal */
  constructor(reactor: Reactor, socket: DriverSocket, toAddr: (address: Address) => A) {
    this.#reactor = reactor;
    this.socket = socket;
    this.#toAddr = toAddr;
    this.#queue = new SendQueue(socket, reactor.driver.buffers);
    socket.attach(this);
    reactor.adopt(this);
  }

  /**
   * The local address.
   *
   * @throws {Deno.errors.BadResource} on io_uring, when first read after the connection was closed
   */
  get localAddr(): A {
    return this.#localAddr ??= this.#toAddr(this.socket.localAddress);
  }

  /**
   * The other side's address.
   *
   * @throws {Deno.errors.BadResource} on io_uring, when first read after closing
   */
  get remoteAddr(): A {
    return this.#remoteAddr ??= this.#toAddr(this.socket.remoteAddress);
  }

  /**
   * Reads what has arrived into `into`, waiting for the first byte. Resolves to how many bytes, `null` at the end. A read that was
   * aborted or timed out loses nothing: the next read gets the data.
   *
   * On Deno's own I/O a reset connection reads as ended, because `Deno.Conn.read()` reports it so.
   *
   * @throws {Deno.errors.Busy} (as a rejection) while another read waits
   * @throws {Deno.errors.ConnectionReset} and other failures of the connection (as rejections)
   */
  read(into: Uint8Array, options?: WaitOptions): Promise<number | null> {
    if (this.#closed) return Promise.reject(closedError("read"));
    if (this.#reader !== undefined) {
      return Promise.reject(new Deno.errors.Busy("read: another read of this connection is waiting"));
    }
    const refusal = refuseWait("read", options);
    if (refusal !== undefined) return Promise.reject(refusal.reason);
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
   * Sends all of `data`, which is copied at once or when its turn comes: do not change it until then. Resolves to its length when it
   * is with the kernel. After a write was aborted or timed out, it is unknown how much went: close the connection.
   *
   * @throws {Deno.errors.BrokenPipe | Deno.errors.ConnectionReset} (as rejections) when the other side is gone
   */
  write(data: Uint8Array, options?: WaitOptions): Promise<number> {
    if (this.#closed) return Promise.reject(closedError("write"));
    if (this.#sendFailure !== undefined) return Promise.reject(this.#sendFailure);
    if (this.#sendEnd !== undefined) {
      return Promise.reject(new Deno.errors.BrokenPipe("write: this side has been closed for writing"));
    }
    const refusal = refuseWait("write", options);
    if (refusal !== undefined) return Promise.reject(refusal.reason);
    if (data.byteLength === 0) return Promise.resolve(0);
    const wait: Wait<number> = new Wait(this.#reactor, "write", options, () => this.#dropWrite(wait));
    this.#writes.push({ data, wait, copied: 0, endsAt: Infinity });
    this.#pump();
    return wait.promise;
  }

  /**
   * Ends the sending direction, after everything written has been sent. Aborting ends the wait only: close the connection
   * then.
   */
  closeWrite(options?: WaitOptions): Promise<void> {
    if (this.#closed) return Promise.reject(closedError("closeWrite"));
    if (this.#sendFailure !== undefined) return Promise.reject(this.#sendFailure);
    if (this.#sendEnd === undefined) {
      this.#sendEnd = Promise.withResolvers();
      this.#endSending();
    }
    const { promise } = this.#sendEnd;
    const refusal = refuseWait("closeWrite", options);
    if (refusal !== undefined) return Promise.reject(refusal.reason);
    if (options === undefined) return promise;
    const wait = new Wait<void>(this.#reactor, "closeWrite", options, () => {});
    promise.then(() => wait.resolve(), (error) => wait.reject(error));
    return wait.promise;
  }

  /** Closes at once and rejects pending calls. Closing twice does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reactor.release(this);
    this.#stored = [];
    this.#storedBytes = 0;
    this.#queue.close();
    this.socket.close();
    this.#reader?.wait.reject(closedError("read"));
    this.#reader = undefined;
    this.#rejectWrites(closedError("write"));
    this.#sendEnd?.reject(closedError("closeWrite"));
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** Lets the connection keep the process alive. It does by default. */
  ref(): void {
    this.socket.setReferenced(true);
  }

  /** Lets the process end although the connection waits for data. */
  unref(): void {
    this.socket.setReferenced(false);
  }

  /** The received data as a stream; cancelling it closes the connection. */
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
        this.#readableEnded = true;
        this.#closeAfterStreams();
      },
      cancel: () => this.close(),
    });
  }

  /**
   * The data to send, as a stream. Closing it ends the sending direction, and also closes the connection once `readable` has ended, or
   * when `readable` was never used.
   */
  get writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return this.#writable ??= new WritableStream<Uint8Array<ArrayBufferLike>>({
      write: async (data) => {
        await this.write(data);
      },
      close: async () => {
        await this.closeWrite();
        this.#writableEnded = true;
        this.#closeAfterStreams();
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
      // No room: its memory was transferred meanwhile.
      taken = Math.min(byteLength, reader.into.byteLength);
      if (taken > 0) {
        reader.into.set(taken === bytes.byteLength ? bytes : bytes.subarray(0, taken));
        reader.wait.resolve(taken);
      } else reader.wait.reject(new TypeError("read: the memory to read into is gone"));
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
    this.#queue.sent();
    this.#settleWrites();
    this.#pump();
    this.#endSending();
  }

  /** @internal */
  onSendFailed(error: Error): void {
    this.#sendFailure = error;
    this.#queue.close();
    this.#rejectWrites(error);
    this.#sendEnd?.reject(error);
  }

  #closeAfterStreams(): void {
    if (this.#writableEnded && (this.#readableEnded || this.#readable === undefined)) this.close();
  }

  /** Resolves the writes whose bytes are with the kernel. */
  #settleWrites(): void {
    const { sentBytes } = this.#queue;
    while (this.#copiedCount > 0 && this.#writes[0].endsAt <= sentBytes) {
      const { data, wait } = this.#writes.shift() as PendingWrite;
      this.#copiedCount--;
      wait.resolve(data.byteLength);
    }
  }

  #rejectWrites(error: Error): void {
    this.#copiedCount = 0;
    for (const { wait } of this.#writes.splice(0)) wait.reject(error);
    if (this.#onBuffer === undefined) return;
    this.#reactor.driver.buffers.forget(this.#onBuffer);
    this.#onBuffer = undefined;
  }

  /** Copies as much of the pending writes as the queue takes, and sends it. */
  #pump(): void {
    const writes = this.#writes;
    while (this.#copiedCount < writes.length) {
      const write = writes[this.#copiedCount];
      const count = this.#queue.append(write.data, write.copied);
      write.copied += count;
      this.#copiedBytes += count;
      if (write.copied < write.data.byteLength) break;
      write.endsAt = this.#copiedBytes;
      this.#copiedCount++;
    }
    this.#queue.flush();
    if (!this.#queue.sending && writes.length > 0) this.#waitForBuffer();
  }

  /** Ends the sending direction if requested and nothing is left to send. */
  #endSending(): void {
    if (this.#sendEnd === undefined || this.#writes.length > 0 || !this.#queue.idle) return;
    try {
      this.socket.shutdownSend();
      this.#sendEnd.resolve();
    } catch (error) {
      this.#sendEnd.reject(error);
    }
  }

  /** The pool is empty, and none of our operations is under way, whose completion would call us. */
  #waitForBuffer(): void {
    if (this.#onBuffer !== undefined) return;
    this.#onBuffer = () => {
      this.#onBuffer = undefined;
      this.#pump();
    };
    this.#reactor.driver.buffers.whenAvailable(this.#onBuffer);
  }

  #dropWrite(wait: Wait<number>): void {
    const index = this.#writes.findIndex((write) => write.wait === wait);
    if (index < 0) return;
    this.#writes.splice(index, 1);
    if (index < this.#copiedCount) this.#copiedCount--;
    this.#endSending();
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
    assert(this.#storedBytes >= 0, "StreamConn: the stored bytes do not add up");
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
