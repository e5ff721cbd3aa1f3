import { assert, Deque } from "../../../base/mod.ts";
import type { Scheduler } from "./scheduler.ts";

/** How the simulated network carries bytes. */
export interface LinkOptions {
  /** Longest travel time of a piece of data, in virtual milliseconds. */
  readonly latencyMsMax: number;
  /** Bytes under way and not yet received, per direction of a connection. */
  readonly capacityBytes: number;
  /** Longest piece that data is split into. */
  readonly segmentBytesMax: number;
}

/** Shortest travel time in virtual milliseconds. */
const LATENCY_MS_MIN = 0.01;
/** One in so many pieces is as small as can be, to test the receiver. */
const TINY_ONE_IN = 8;
const TINY_BYTES_MAX = 8;

/** The last piece of a direction. */
const END = Symbol("end");

/**
 * One direction of a connection: bytes that are split, delayed and delivered in order, within a fixed capacity.
 *
 * ```text
 * write() ──▶ pieces under way (each with its moment of arrival) ──▶ arrived ──▶ read()
 *             └───────────────────── at most capacityBytes ─────────────────┘
 * ```
 */
export class Pipe {
  readonly #scheduler: Scheduler;
  readonly #options: LinkOptions;
  readonly #underWay = new Deque<Uint8Array<ArrayBuffer> | typeof END>();
  readonly #arrived = new Deque<Uint8Array<ArrayBuffer>>();
  #heldBytes = 0;
  #arrivedBytes = 0;
  #lastArrivalMs = 0;
  #ended = false;
  #endArrived = false;
  #dead = false;
  /** Called when data, or the end, has arrived. */
  onArrival: () => void = () => {};
  /** Called when there is room again. */
  onRoom: () => void = () => {};

  constructor(scheduler: Scheduler, options: LinkOptions) {
    this.#scheduler = scheduler;
    this.#options = options;
  }

  /** Whether the writer has ended it. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Bytes that have arrived and wait for `read()`. */
  get arrivedBytes(): number {
    return this.#arrivedBytes;
  }

  /** Whether everything up to the end has been read. */
  get finished(): boolean {
    return this.#endArrived && this.#arrivedBytes === 0;
  }

  /** Copies as many bytes as there is room for; returns how many. */
  write(bytes: Uint8Array): number {
    assert(!this.#ended, "Pipe.write: the pipe has ended");
    const length = this.#dead ? 0 : Math.min(bytes.byteLength, this.#options.capacityBytes - this.#heldBytes);
    this.#heldBytes += length;
    for (let at = 0; at < length;) {
      const end = Math.min(length, at + this.#pieceBytes());
      this.#send(bytes.slice(at, end));
      at = end;
    }
    return length;
  }

  /** Nothing more will be written. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (!this.#dead) this.#send(END);
  }

  /** Up to `byteLengthMax` bytes that have arrived; `undefined` when there are none. */
  read(byteLengthMax: number): Uint8Array<ArrayBuffer> | undefined {
    const length = Math.min(byteLengthMax, this.#arrivedBytes);
    if (length === 0) return undefined;
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const piece = this.#arrived.popFront();
      assert(piece !== undefined, "Pipe.read: pieces do not add up");
      const part = piece.subarray(0, length - at);
      bytes.set(part, at);
      at += part.byteLength;
      if (part.byteLength < piece.byteLength) this.#arrived.pushFront(piece.subarray(part.byteLength));
    }
    this.#arrivedBytes -= length;
    this.#giveRoom(length);
    return bytes;
  }

  /** Discards what has arrived. */
  discardArrived(): void {
    const bytes = this.#arrivedBytes;
    this.#arrived.clear();
    this.#arrivedBytes = 0;
    this.#giveRoom(bytes);
  }

  /** Discards what is under way, and accepts nothing more: the connection is gone. */
  cut(): void {
    this.#dead = true;
    this.#underWay.clear();
    this.#heldBytes = this.#arrivedBytes;
  }

  /** Makes `change` at the other end after the travel time of a piece of data. */
  carry(change: () => void): void {
    this.#scheduler.after(this.#latencyMs(), change);
  }

  #send(piece: Uint8Array<ArrayBuffer> | typeof END): void {
    this.#underWay.pushBack(piece);
    const nowMs = this.#scheduler.clock.nowMs();
    // Pieces do not overtake each other.
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, nowMs + this.#latencyMs());
    this.#scheduler.after(this.#lastArrivalMs - nowMs, () => this.#arrive());
  }

  /** Events may fire in any order; the piece that arrives is always the first. */
  #arrive(): void {
    const piece = this.#underWay.popFront();
    if (piece === undefined) return;
    if (piece === END) {
      this.#endArrived = true;
    } else {
      this.#arrived.pushBack(piece);
      this.#arrivedBytes += piece.byteLength;
    }
    this.onArrival();
  }

  #giveRoom(bytes: number): void {
    if (bytes === 0) return;
    this.#heldBytes -= bytes;
    // Not for every byte: pieces would become ever smaller (the silly window of RFC 813).
    if (this.#heldBytes <= this.#options.capacityBytes / 2) this.onRoom();
  }

  #pieceBytes(): number {
    const { random } = this.#scheduler;
    const most = random.below(TINY_ONE_IN) === 0 ? TINY_BYTES_MAX : this.#options.segmentBytesMax;
    return 1 + random.below(Math.min(most, this.#options.segmentBytesMax));
  }

  #latencyMs(): number {
    return this.#scheduler.between(
      Math.min(LATENCY_MS_MIN, this.#options.latencyMsMax),
      this.#options.latencyMsMax,
    );
  }
}
