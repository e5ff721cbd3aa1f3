import { FRAME_HEADER_BYTES, type MessageWriter } from "../../base/calls/mod.ts";
import { assert } from "../../base/mod.ts";
import type { ChannelTransport, TransportHandler } from "./channel_transport.ts";

/** Bytes of the length before each message, padded. */
const LENGTH_BYTES = 8;
/** Bytes that are read, or written, at once. */
const BUFFER_BYTES = 131_072;
/** The longest message. */
const MESSAGE_BYTES_MAX = BUFFER_BYTES - LENGTH_BYTES;

/**
 * Messages through a stream, each with its length before it: where two processes cannot share memory. What is committed is written at once; while it
 * is, there is no room for more, which then goes out together.
 */
export class SocketTransport implements ChannelTransport, MessageWriter {
  readonly writer: MessageWriter = this;
  readonly messageBytesMax = MESSAGE_BYTES_MAX;
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(BUFFER_BYTES);
  readonly view: DataView = new DataView(this.bytes.buffer);
  readonly #conn: Deno.Conn;
  readonly #rest: Uint8Array<ArrayBuffer>;
  #handler: TransportHandler | undefined;
  /** Bytes that are committed, and not written. */
  #end = 0;
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

  tryClaim(byteLength: number): number {
    const end = this.#end + LENGTH_BYTES;
    return this.#isWriting || end + byteLength > BUFFER_BYTES ? -1 : end;
  }

  commit(byteLength: number): void {
    assert(!this.#isWriting, "socket transport: a message is committed into what is being written");
    this.view.setUint32(this.#end, byteLength, true);
    this.view.setUint32(this.#end + 4, 0, true);
    this.#end += LENGTH_BYTES + byteLength;
  }

  flush(): void {
    if (!this.#isWriting && this.#end > 0) this.#written = this.#write();
  }

  awaitRoom(): boolean {
    assert(this.#isWriting || this.#closed, "socket transport: there is no room, and nothing is written");
    return true;
  }

  flushed(): Promise<void> {
    return this.#written;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }

  async #write(): Promise<void> {
    this.#isWriting = true;
    try {
      await writeAll(this.#conn, this.bytes.subarray(0, this.#end));
    } catch {
      // The end is seen by who reads.
      return;
    }
    this.#isWriting = false;
    this.#end = 0;
    this.#handler?.onRoom();
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

/** Writes all of `bytes`. */
export async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}
