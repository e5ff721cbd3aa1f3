import { encodeFrame, type Frame, FRAME_BYTES_MAX, FRAME_HEADER_BYTES } from "./frames.ts";
import {
  type Link,
  type LinkHandler,
  type LinkSendOptions,
  throwIfTooMany,
  withinCloseTime,
} from "./link.ts";

/** Bytes of the length before each frame. */
const LENGTH_BYTES = 8;
/** Bytes of the buffer that is read into, unless a frame is longer. */
const BUFFER_BYTES = 65_536;

/** Frames through a stream: where two processes cannot share memory. Each has its length before it, padded to 8 bytes. */
export class SocketLink implements Link {
  readonly #conn: Deno.Conn;
  readonly #rest: Uint8Array<ArrayBuffer>;
  #sending: Promise<void> = Promise.resolve();
  #waitingBytes = 0;
  #closed = false;

  /** Over `conn`, of which `rest` was read already. */
  constructor(conn: Deno.Conn, rest: Uint8Array<ArrayBuffer>) {
    this.#conn = conn;
    this.#rest = rest;
  }

  begin(handler: LinkHandler): void {
    this.#receive(handler).catch(() => {}).then(() => {
      if (this.#closed) return;
      this.#shut();
      handler.onEnd();
    });
  }

  send(frame: Frame, { isOwed = false }: LinkSendOptions = {}): void {
    if (this.#closed) return;
    if (!isOwed) throwIfTooMany(this.#waitingBytes);
    const encoded = encodeFrame(frame);
    const bytes = new Uint8Array(LENGTH_BYTES + encoded.length);
    new DataView(bytes.buffer).setUint32(0, encoded.length, true);
    bytes.set(encoded, LENGTH_BYTES);
    this.#waitingBytes += bytes.length;
    this.#sending = this.#sending.then(async () => {
      await writeAll(this.#conn, bytes);
      this.#waitingBytes -= bytes.length;
      // The end is seen by who reads.
    }).catch(() => {});
  }

  async close(): Promise<void> {
    if (this.#waitingBytes > 0) await withinCloseTime(this.#sending);
    this.#shut();
  }

  abort(): void {
    this.#shut();
  }

  #shut(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
  }

  async #receive(handler: LinkHandler): Promise<void> {
    let bytes = new Uint8Array(BUFFER_BYTES);
    bytes.set(this.#rest);
    let [from, end] = [0, this.#rest.length];
    for (;;) {
      while (end - from >= LENGTH_BYTES) {
        const view = new DataView(bytes.buffer);
        const byteLength = view.getUint32(from, true);
        if (byteLength < FRAME_HEADER_BYTES || byteLength > FRAME_BYTES_MAX || byteLength % 8 !== 0) return;
        const total = LENGTH_BYTES + byteLength;
        if (end - from < total) {
          if (total > bytes.length) bytes = moved(bytes, from, end, total);
          else if (from > 0) bytes.copyWithin(0, from, end);
          [from, end] = [0, end - from];
          break;
        }
        handler.onFrame(view, from + LENGTH_BYTES, byteLength);
        from += total;
      }
      if (from === end) {
        from = end = 0;
        // What a long frame took.
        if (bytes.length > BUFFER_BYTES) bytes = new Uint8Array(BUFFER_BYTES);
      } else if (end === bytes.length) {
        bytes.copyWithin(0, from, end);
        [from, end] = [0, end - from];
      }
      const count = await this.#conn.read(bytes.subarray(end));
      if (count === null) return;
      end += count;
    }
  }
}

function moved(
  bytes: Uint8Array<ArrayBuffer>,
  from: number,
  end: number,
  byteLength: number,
): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(byteLength);
  larger.set(bytes.subarray(from, end));
  return larger;
}

/** Writes all of `bytes`. */
export async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}
