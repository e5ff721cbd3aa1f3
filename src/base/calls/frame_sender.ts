import { assert, Deque } from "../mod.ts";
import {
  encodeFrame,
  FRAME,
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  FRAME_VALUES_MAX,
  frameBytes,
  frameBytesMax,
  kindOf,
  writeFrame,
  writePartHeader,
} from "./frame.ts";
import type { MessageWriter, Transport } from "./transport.ts";

/** Bytes of errors, cancellations and the like that are sent however much waits: there are no more of them than calls. */
export const SHORT_FRAME_BYTES_MAX = 4096;

/**
 * Throws when a frame of `byteLength` bytes is one too many behind `waitingBytes` that wait for room. Not asked about what ends
 * something and has at most {@linkcode SHORT_FRAME_BYTES_MAX}.
 */
export type RequireRoom = (kind: number, byteLength: number, waitingBytes: number) => void;

/** Writes frames into a transport, and has them wait, in order and in parts where they are long, while that has no room. */
export class FrameSender {
  readonly #transport: Transport;
  readonly #writer: MessageWriter;
  readonly #requireRoom: RequireRoom;
  /** Frames that found no room. */
  readonly #waiting = new Deque<Uint8Array<ArrayBuffer>>();
  #waitingBytes = 0;
  #waitingAnswerCount = 0;
  /** Bytes of the first of them that went out in parts. */
  #partBytes = 0;
  #closed = false;
  #drained: PromiseWithResolvers<void> | undefined;

  /** For `transport`; `requireRoom` bounds what waits. */
  constructor(transport: Transport, requireRoom: RequireRoom) {
    const { writer } = transport;
    assert(
      writer.messageBytesMax > FRAME_HEADER_BYTES && writer.messageBytesMax % 8 === 0,
      `frames: messages of ${writer.messageBytesMax} bytes have no room for a part`,
    );
    this.#transport = transport;
    this.#writer = writer;
    this.#requireRoom = requireRoom;
  }

  /** Bytes that wait for room. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Answers that wait for room. */
  get waitingAnswerCount(): number {
    return this.#waitingAnswerCount;
  }

  /** Bytes of the message that goes out next; 0 when nothing waits. */
  get nextBytes(): number {
    const frame = this.#waiting.peek();
    if (frame === undefined) return 0;
    const { messageBytesMax } = this.#writer;
    if (frame.length <= messageBytesMax) return frame.length;
    return Math.min(FRAME_HEADER_BYTES + frame.length - this.#partBytes, messageBytesMax);
  }

  /**
   * Sends a frame of values as `portable()` gives them: writes it in place where there is room, else into memory of its own that waits. After
   * `close()` it does nothing.
   *
   * @throws {RangeError} when it is longer than {@linkcode FRAME_BYTES_MAX}, or has more than {@linkcode FRAME_VALUES_MAX} values
   * @throws what {@linkcode RequireRoom} throws when too much waits
   */
  send(kind: number, call: number, task: number, values: readonly unknown[]): void {
    if (this.#closed) return;
    const byteLength = frameBytesMax(values);
    const writer = this.#writer;
    if (
      this.#waitingBytes === 0 && byteLength <= writer.messageBytesMax && values.length <= FRAME_VALUES_MAX
    ) {
      const at = writer.tryClaim(byteLength);
      if (at >= 0) {
        writer.commit(writeFrame(writer.view, at, kind, call, task, values) - at);
        this.#transport.flush();
        return;
      }
    }
    this.#sendLater(kind, call, task, values);
  }

  /** Sends what waits, as far as there is room; returns how many messages that were. */
  resume(): number {
    let count = 0;
    while (this.#waitingBytes > 0) {
      if (this.#trySendNext()) {
        count++;
        continue;
      }
      this.#transport.flush();
      if (this.#transport.awaitRoom(this.nextBytes)) return count;
    }
    if (count > 0) this.#transport.flush();
    return count;
  }

  /** Resolves when nothing waits any more. */
  async drained(): Promise<void> {
    if (this.#waitingBytes > 0) await (this.#drained ??= Promise.withResolvers()).promise;
  }

  /** Drops what waits, and sends nothing more. */
  close(): void {
    this.#closed = true;
    this.#waiting.clear();
    this.#waitingBytes = this.#waitingAnswerCount = this.#partBytes = 0;
    this.#drained?.resolve();
  }

  #sendLater(kind: number, call: number, task: number, values: readonly unknown[]): void {
    if (values.length > FRAME_VALUES_MAX) {
      throw new RangeError(`${values.length} values, at most ${FRAME_VALUES_MAX} can travel at once`);
    }
    const byteLength = frameBytes(values);
    if (byteLength > FRAME_BYTES_MAX) {
      throw new RangeError(`${byteLength} bytes, at most ${FRAME_BYTES_MAX} can travel at once`);
    }
    if (!(endsSomething(kind) && byteLength <= SHORT_FRAME_BYTES_MAX)) {
      this.#requireRoom(kind, byteLength, this.#waitingBytes);
    }
    this.#waiting.pushBack(encodeFrame(kind, call, task, values));
    const isFirst = this.#waitingBytes === 0;
    this.#waitingBytes += byteLength;
    if (isAnswer(kind)) this.#waitingAnswerCount++;
    // A frame that is longer than a message may go out in part.
    if (isFirst) this.resume();
  }

  /** Sends the first frame that waits, or the next part of it; false when there is no room. */
  #trySendNext(): boolean {
    const frame = this.#waiting.peek();
    assert(frame !== undefined, `frames: none waits, and ${this.#waitingBytes} bytes do`);
    const writer = this.#writer;
    const byteLength = this.nextBytes;
    const at = writer.tryClaim(byteLength);
    if (at < 0) return false;
    if (frame.length <= writer.messageBytesMax) {
      writer.bytes.set(frame, at);
      this.#waitingBytes -= frame.length;
    } else {
      const from = this.#partBytes;
      this.#partBytes += byteLength - FRAME_HEADER_BYTES;
      writePartHeader(writer.view, at, frame.length);
      writer.bytes.set(frame.subarray(from, this.#partBytes), at + FRAME_HEADER_BYTES);
      this.#waitingBytes -= this.#partBytes - from;
    }
    writer.commit(byteLength);
    if (frame.length <= writer.messageBytesMax || this.#partBytes === frame.length) this.#popSent(frame);
    return true;
  }

  #popSent(frame: Uint8Array<ArrayBuffer>): void {
    this.#waiting.popFront();
    this.#partBytes = 0;
    if (isAnswer(kindOf(new DataView(frame.buffer), 0))) this.#waitingAnswerCount--;
    assert(
      this.#waitingBytes >= 0 && (this.#waitingBytes === 0) === (this.#waiting.length === 0),
      `frames: ${this.#waitingBytes} bytes wait, in ${this.#waiting.length} frames`,
    );
    if (this.#waitingBytes > 0) return;
    this.#drained?.resolve();
    this.#drained = undefined;
  }
}

function isAnswer(kind: number): boolean {
  return kind === FRAME.result || kind === FRAME.error;
}

function endsSomething(kind: number): boolean {
  return kind !== FRAME.call && kind !== FRAME.message && kind !== FRAME.result;
}
