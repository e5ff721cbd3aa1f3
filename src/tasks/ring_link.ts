import { Deque } from "../base/mod.ts";
import { SharedMemory } from "../memory/mod.ts";
import { type RingConsumer, type RingProducer, type RingRegion, SpscRing } from "../ring/mod.ts";
import {
  callOf,
  encodeFrame,
  FRAME,
  type Frame,
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  frameBytesMax,
  kindOf,
  writeFrame,
  writePartHeader,
} from "./frames.ts";
import {
  type Link,
  type LinkHandler,
  type LinkSendOptions,
  throwIfTooMany,
  withinCloseTime,
} from "./link.ts";
import { lookAt, lookAway } from "./_look_loop.ts";

/** What the regions of links are called, before something that is nobody else's. */
export const LINK_REGION_PREFIX = "link.";
/** Bytes of the ring of each direction. */
const CAPACITY_BYTES = 2 ** 18;
/** Frames that are taken from a ring before others have their turn. */
const DRAIN_MAX = 256;
/** Messages that a ring holds at most. */
const MESSAGES_MAX = CAPACITY_BYTES / 8;
/** Locks of a region that each of its two rings has. */
const LOCKS_PER_RING = 2;

/** Which of the two has made the region. */
export type LinkSide = "maker" | "opener";

/**
 * Frames through two rings in shared memory. Whoever was busy a moment ago looks for more in every turn of its event loop, and is there sooner
 * than it could be woken; then it sleeps.
 */
export class RingLink implements Link {
  /** Called when this side ends the link, whatever it ends for. */
  onClose: () => void = () => {};
  readonly #region: SharedMemory;
  readonly #producer: RingProducer;
  readonly #consumer: RingConsumer;
  /** Frames, or parts of them, that wait for room. */
  readonly #outbox = new Deque<Uint8Array<ArrayBuffer>>();
  #outboxBytes = 0;
  /** Resolves when it is empty. */
  #emptied: Promise<void> = Promise.resolve();
  #isEmptying = false;
  #handler: LinkHandler | undefined;
  /** What is there of a frame that comes in parts, and how much that is. */
  #parts: Uint8Array<ArrayBuffer> | undefined;
  #partBytes = 0;
  #isSleeping = false;
  #ended = false;
  readonly #onMessage: (at: number, byteLength: number) => void;

  /** Makes the memory of a link, whose name the other side is to be told. */
  static create(): { readonly name: string; readonly region: SharedMemory } {
    const name = `${LINK_REGION_PREFIX}${crypto.randomUUID()}`;
    const byteLength = 2 * SpscRing.byteLengthFor({ capacityBytes: CAPACITY_BYTES });
    const region = SharedMemory.create(name, { byteLength, subject: "a link between processes" });
    for (const ring of [0, 1]) SpscRing.create({ capacityBytes: CAPACITY_BYTES, memory: part(region, ring) });
    return { name, region };
  }

  /** One side of the link in `region`, which it closes when it ends. */
  constructor(region: SharedMemory, side: LinkSide) {
    this.#region = region;
    const [out, into] = side === "maker" ? [0, 1] : [1, 0];
    this.#producer = SpscRing.attach(part(region, out)).producer();
    this.#consumer = SpscRing.attach(part(region, into)).consumer();
    this.#onMessage = (at, byteLength) => this.#take(at, byteLength);
  }

  begin(handler: LinkHandler): void {
    this.#handler = handler;
    lookAt(this);
  }

  send(frame: Frame, { isOwed = false }: LinkSendOptions = {}): void {
    if (this.#ended) return;
    const byteLength = frameBytesMax(frame);
    const producer = this.#producer;
    if (this.#outbox.length === 0 && byteLength <= producer.messageBytesMax) {
      const at = producer.tryClaim(byteLength);
      if (at >= 0) {
        producer.commit(writeFrame(producer.view, at, frame) - at);
        // At once, and not at the end of the turn: the other side works while this one sends more.
        producer.flush();
        return lookAt(this);
      }
    }
    if (!isOwed) throwIfTooMany(this.#outboxBytes);
    for (const bytes of inParts(encodeFrame(frame), producer.messageBytesMax)) {
      this.#outbox.pushBack(bytes);
      this.#outboxBytes += bytes.length;
    }
    if (!this.#isEmptying) this.#emptied = this.#empty();
  }

  async close(): Promise<void> {
    if (this.#isEmptying) await withinCloseTime(this.#emptied);
    this.#end();
  }

  abort(): void {
    this.#end();
  }

  /** The other process is gone, as is told by what this process has of it besides. */
  peerEnded(): void {
    // What it sent before; no more than the ring holds, should it go on.
    for (let left = MESSAGES_MAX; left > 0 && !this.#ended;) {
      const count = this.look();
      if (count === 0) break;
      left -= count;
    }
    this.#fail();
  }

  look(): number {
    if (this.#ended) return 0;
    try {
      return this.#consumer.drainInPlace(this.#onMessage, DRAIN_MAX);
    } catch {
      // Somebody has written to the memory.
      this.#fail();
      return 0;
    }
  }

  async sleep(): Promise<void> {
    // It is woken by what comes, however often it has looked for itself meanwhile.
    if (this.#isSleeping) return;
    this.#isSleeping = true;
    try {
      if (await this.#consumer.readable()) {
        this.#isSleeping = false;
        if (!this.#ended) lookAt(this);
        return;
      }
    } catch {
      // It was closed here meanwhile, or the other process has died.
    }
    this.peerEnded();
  }

  async #empty(): Promise<void> {
    this.#isEmptying = true;
    try {
      for (let bytes = this.#outbox.peek(); bytes !== undefined; bytes = this.#outbox.peek()) {
        if (!this.#producer.tryWrite(bytes)) {
          this.#producer.flush();
          await this.#producer.writable(bytes.length);
          continue;
        }
        this.#outbox.popFront();
        this.#outboxBytes -= bytes.length;
      }
      this.#producer.flush();
    } catch {
      // The link has ended, which is told otherwise.
    }
    this.#isEmptying = false;
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    lookAway(this);
    this.#producer.close();
    this.#consumer.close();
    // It may be in the middle of a look.
    queueMicrotask(() => this.#region.close());
    this.onClose();
  }

  #take(at: number, byteLength: number): void {
    const { view, bytes } = this.#consumer;
    if (byteLength < FRAME_HEADER_BYTES) throw new Error("no frame");
    if (kindOf(view, at) !== FRAME.part) return this.#handler?.onFrame(view, at, byteLength);
    const length = callOf(view, at);
    if (length > FRAME_BYTES_MAX) throw new Error("no frame is so long");
    const parts = this.#parts ??= new Uint8Array(length);
    const more = bytes.subarray(at + FRAME_HEADER_BYTES, at + byteLength);
    if (parts.length !== length || this.#partBytes + more.length > length) throw new Error("no part of it");
    parts.set(more, this.#partBytes);
    this.#partBytes += more.length;
    if (this.#partBytes < length) return;
    this.#parts = undefined;
    this.#partBytes = 0;
    this.#handler?.onFrame(new DataView(parts.buffer), 0, length);
  }

  /** The link has ended, and not from here. */
  #fail(): void {
    if (this.#ended) return;
    this.#end();
    this.#handler?.onEnd();
  }
}

/** The memory of a ring of a region, and its locks. */
function part(region: SharedMemory, ring: number): RingRegion {
  const byteLength = SpscRing.byteLengthFor({ capacityBytes: CAPACITY_BYTES });
  const lock = (index: number): number => index + ring * LOCKS_PER_RING;
  return {
    get bytes() {
      return region.bytes.subarray(ring * byteLength, (ring + 1) * byteLength);
    },
    tryLock: (index) => region.tryLock(lock(index)),
    isLocked: (index) => region.isLocked(lock(index)),
    unlock: (index) => region.unlock(lock(index)),
  };
}

/** A frame as messages of a ring. */
function inParts(frame: Uint8Array<ArrayBuffer>, messageBytesMax: number): Uint8Array<ArrayBuffer>[] {
  if (frame.length <= messageBytesMax) return [frame];
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const room = messageBytesMax - FRAME_HEADER_BYTES;
  for (let from = 0; from < frame.length; from += room) {
    const piece = frame.subarray(from, from + room);
    const bytes = new Uint8Array(FRAME_HEADER_BYTES + piece.length);
    writePartHeader(new DataView(bytes.buffer), 0, frame.length);
    bytes.set(piece, FRAME_HEADER_BYTES);
    parts.push(bytes);
  }
  return parts;
}
