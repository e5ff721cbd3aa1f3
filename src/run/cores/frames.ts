import type { Endpoint } from "./endpoint.ts";
import {
  type ErrorClasses,
  portable,
  toPortable,
  valueBytes,
  valueBytesMax,
  writeValue,
} from "../../base/value/mod.ts";
import { CoreBusyError } from "./errors.ts";

/**
 * Frames, one message of a ring each:
 *
 * ```text
 *   0               4        8        12       16
 *   ├───────┬───────┼────────┼────────┼────────┼─ ─ ─
 *   │ frame │ count │  call  │  task  │   0    │ values     FRAME.call: `count` arguments of task number `task`
 *   └───────┴───────┴────────┴────────┴────────┴─ ─ ─       FRAME.result, FRAME.error, FRAME.cancel: one value
 *     16 bits each
 *   ├───────────────┼────────┼────────┼────────┼─ ─ ─
 *   │  FRAME.part   │   0    │ length │   0    │ bytes      the next bytes of a frame of `length` bytes, too long for the ring
 *   └───────────────┴────────┴────────┴────────┴─ ─ ─
 * ```
 *
 * `call` is the caller's number of the call, which is free again when the answer has arrived; all numbers are little endian.
 */
export const FRAME = { call: 1, result: 2, error: 3, cancel: 4, part: 5 } as const;
/** Bytes before the values. */
export const FRAME_HEADER_BYTES = 16;
/** Where the words of a header are. */
export const FRAME_AT = { frame: 0, call: 4, task: 8 } as const;

/** Bytes of the arguments or the result of one call, at most. */
export const CALL_BYTES_MAX: number = 256 * 1024 * 1024;
/** Bytes of calls and results that wait for room in the ring to one participant, at most: one of the longest fits. */
export const OUTBOX_BYTES_MAX: number = 2 * CALL_BYTES_MAX;

/** Writes frames into rings, or has them wait where a ring is full. */
export class FrameSender {
  readonly #endpoint: Endpoint;

  /** For the rings of `endpoint`. */
  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /**
   * Writes a frame into the ring itself where it fits, else into memory of its own that waits for room.
   *
   * @throws {RangeError} when it is longer than {@linkcode CALL_BYTES_MAX}
   * @throws {CoreBusyError} when too much waits already
   */
  send(peer: number, frame: number, call: number, task: number, values: readonly unknown[]): void {
    let byteLength = FRAME_HEADER_BYTES;
    for (const value of values) byteLength += valueBytesMax(value);
    const endpoint = this.#endpoint;
    const ring = endpoint.ringTo(peer);
    if (ring !== undefined && byteLength <= ring.messageBytesMax) {
      const at = ring.tryClaim(byteLength);
      if (at >= 0) {
        ring.commit(writeFrame(ring.view, at, frame, call, task, values) - at);
        endpoint.sent(ring);
        return;
      }
    }
    this.#sendLater(peer, frame, call, task, values);
  }

  /** Writes a frame with what was thrown; with why not, where it is too long. */
  sendThrown(peer: number, frame: number, call: number, thrown: unknown, classes: ErrorClasses): void {
    try {
      this.send(peer, frame, call, 0, [portable(toPortable(thrown, classes))]);
    } catch (error) {
      this.send(peer, frame, call, 0, [portable(toPortable(error, classes))]);
    }
  }

  #sendLater(peer: number, frame: number, call: number, task: number, values: readonly unknown[]): void {
    let byteLength = FRAME_HEADER_BYTES;
    for (const value of values) byteLength += valueBytes(value);
    if (byteLength > CALL_BYTES_MAX) {
      throw new RangeError(
        `call a core: ${byteLength} bytes, at most ${CALL_BYTES_MAX} can travel in one call`,
      );
    }
    const waiting = this.#endpoint.waitingBytes(peer);
    // Errors and cancellations are short, and there are no more of them than calls.
    if (waiting + byteLength > OUTBOX_BYTES_MAX && (frame === FRAME.call || frame === FRAME.result)) {
      throw new CoreBusyError(
        "call a core",
        peer,
        `${waiting} bytes wait for room in its ring, and with ${byteLength} more it would be over ${OUTBOX_BYTES_MAX}`,
      );
    }
    const bytes = new Uint8Array(byteLength);
    writeFrame(new DataView(bytes.buffer), 0, frame, call, task, values);
    this.#enqueue(peer, bytes);
  }

  #enqueue(peer: number, frame: Uint8Array): void {
    const endpoint = this.#endpoint;
    const { frameBytesMax } = endpoint;
    if (frame.length <= frameBytesMax) {
      endpoint.enqueue(peer, frame);
      return;
    }
    const partBytesMax = frameBytesMax - FRAME_HEADER_BYTES;
    for (let start = 0; start < frame.length; start += partBytesMax) {
      const piece = frame.subarray(start, start + partBytesMax);
      const part = new Uint8Array(FRAME_HEADER_BYTES + piece.length);
      writeFrame(new DataView(part.buffer), 0, FRAME.part, 0, frame.length, []);
      part.set(piece, FRAME_HEADER_BYTES);
      endpoint.enqueue(peer, part);
    }
  }
}

/** Puts frames together that came in parts, from one participant. */
export class FrameParts {
  #frame: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;

  /** Takes the part of `byteLength` bytes at byte `at`; gives the frame when this was the last. */
  take(view: DataView, at: number, byteLength: number): DataView | undefined {
    const frame = this.#frame ??= new Uint8Array(view.getInt32(at + FRAME_AT.task, true));
    const piece = byteLength - FRAME_HEADER_BYTES;
    frame.set(new Uint8Array(view.buffer, view.byteOffset + at + FRAME_HEADER_BYTES, piece), this.#filled);
    this.#filled += piece;
    if (this.#filled < frame.length) return undefined;
    this.#frame = undefined;
    this.#filled = 0;
    return new DataView(frame.buffer);
  }
}

function writeFrame(
  view: DataView,
  at: number,
  frame: number,
  call: number,
  task: number,
  values: readonly unknown[],
): number {
  view.setInt32(at + FRAME_AT.frame, frame | values.length << 16, true);
  view.setInt32(at + FRAME_AT.call, call, true);
  view.setInt32(at + FRAME_AT.task, task, true);
  view.setInt32(at + 12, 0, true);
  let end = at + FRAME_HEADER_BYTES;
  for (const value of values) end = writeValue(view, end, value);
  return end;
}
