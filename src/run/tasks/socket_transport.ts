import { FRAME_HEADER_BYTES, type MessageWriter } from "../../base/calls/mod.ts";
import { assert } from "../../base/mod.ts";
import type { ChannelTransport, TransportHandler } from "./channel_transport.ts";

/** Bytes of the length before each message, padded. */
const LENGTH_BYTES = 8;
/** Bytes that are read, or written, at once. */
const BUFFER_BYTES = 131_072;
/** The longest message. */
const MESSAGE_BYTES_MAX = BUFFER_BYTES - LENGTH_BYTES;

/** Messages through a stream, each with its length before it: where two processes cannot share memory. */
export class SocketTransport implements ChannelTransport {
  readonly writer: SocketWriter = new SocketWriter();
  readonly #conn: Deno.Conn;
  readonly #rest: Uint8Array<ArrayBuffer>;
  #handler: TransportHandler | undefined;
  #isWriting = false;
  #written: Promise<void> = Promise.resolve();
  #closed = false;

  /** Over `conn`, of which `rest` was read already. */
  constructor(conn: Deno.Conn, rest: Uint8Array<ArrayBuffer>) {
    assert(rest.length <= BUFFER_BYTES, `socket transport: ${rest.length} bytes were read before it`);
    this.#conn = conn;
    this.#rest = rest;
  }

  begin(handler: TransportHandler): void {
    assert(this.#handler === undefined, "socket transport: begun twice");
    this.#handler = handler;
    this.#receive(handler).catch(() => {}).then(() => {
      if (this.#closed) return;
      this.close();
      handler.onEnd();
    });
  }

  flush(): void {
    if (!this.#isWriting && !this.#closed) this.#written = this.#write();
  }

  /** While one buffer is written the other one fills: what finds no room there has some behind that. */
  awaitRoom(byteLength: number): boolean {
    return this.#closed || !this.writer.hasRoom(byteLength);
  }

  flushed(): Promise<void> {
    return this.#written;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }

  /** Writes what is committed, until nothing is. */
  async #write(): Promise<void> {
    this.#isWriting = true;
    try {
      for (let isFirst = true; this.writer.byteLength > 0 && !this.#closed; isFirst = false) {
        const written = writeAll(this.#conn, this.writer.swap());
        // Who has just flushed asks for room itself.
        if (!isFirst) this.#handler?.onRoom();
        await written;
      }
    } catch {
      // The end is seen by who reads.
    }
    this.#isWriting = false;
  }

  async #receive({ onMessage }: TransportHandler): Promise<void> {
    const bytes = new Uint8Array(BUFFER_BYTES);
    const view = new DataView(bytes.buffer);
    bytes.set(this.#rest);
    for (let end = this.#rest.length;;) {
      let from = 0;
      while (end - from >= LENGTH_BYTES) {
        const byteLength = view.getUint32(from, true);
        if (byteLength < FRAME_HEADER_BYTES || byteLength > MESSAGE_BYTES_MAX || byteLength % 8 !== 0) return;
        if (end - from < LENGTH_BYTES + byteLength) break;
        onMessage(view, from + LENGTH_BYTES, byteLength);
        from += LENGTH_BYTES + byteLength;
      }
      bytes.copyWithin(0, from, end);
      end -= from;
      const count = await this.#conn.read(bytes.subarray(end));
      if (count === null) return;
      end += count;
    }
  }
}

/** Two buffers for messages: one is filled while the other is written. */
class SocketWriter implements MessageWriter {
  readonly messageBytesMax = MESSAGE_BYTES_MAX;
  bytes = new Uint8Array(BUFFER_BYTES);
  view = new DataView(this.bytes.buffer);
  #other = new Uint8Array(BUFFER_BYTES);
  #end = 0;

  /** Bytes that are committed. */
  get byteLength(): number {
    return this.#end;
  }

  hasRoom(byteLength: number): boolean {
    return this.#end + LENGTH_BYTES + byteLength <= BUFFER_BYTES;
  }

  tryClaim(byteLength: number): number {
    return this.hasRoom(byteLength) ? this.#end + LENGTH_BYTES : -1;
  }

  commit(byteLength: number): void {
    assert(
      this.hasRoom(byteLength),
      `socket transport: ${byteLength} bytes are committed, which have no room`,
    );
    this.view.setUint32(this.#end, byteLength, true);
    this.view.setUint32(this.#end + 4, 0, true);
    this.#end += LENGTH_BYTES + byteLength;
  }

  /** Takes what is committed, which is valid until the next time, and goes on in the other buffer. */
  swap(): Uint8Array {
    const filled = this.bytes.subarray(0, this.#end);
    [this.bytes, this.#other] = [this.#other, this.bytes];
    this.view = new DataView(this.bytes.buffer);
    this.#end = 0;
    return filled;
  }
}

/** Writes all of `bytes`. */
export async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}
