import { Deque } from "../../base/mod.ts";
import { SharedMemory } from "../../ipc/memory/mod.ts";
import { type RingConsumer, type RingProducer, type RingRegion, SpscRing } from "../../ipc/ring/mod.ts";
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
import { lookAt, lookAway, type Looked } from "./look_loop.ts";

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

/** What wakes the other side. */
const WAKE = new Uint8Array(1);
/** Bytes that wake, taken at once. */
const WAKES_MAX = 64;

/**
 * Frames through two rings in shared memory. Whoever was busy a moment ago looks for more in every turn of its event loop, and is there sooner
 * than it could be woken; then it sleeps, until a byte comes over the connection beside the memory. The kernel ends that with either process.
 */
export class RingLink implements Link, Looked {
  misses = 0;
  readonly #region: SharedMemory;
  readonly #conn: Deno.Conn;
  readonly #producer: RingProducer;
  readonly #consumer: RingConsumer;
  /** Frames, or parts of them, that wait for room. */
  readonly #outbox = new Deque<Uint8Array<ArrayBuffer>>();
  #outboxBytes = 0;
  /** Resolves when it is empty. */
  #emptied: Promise<void> = Promise.resolve();
  #isEmptying = false;
  /** Ends the wait for room. */
  #onRoom: (() => void) | undefined;
  /** The other side wakes this one when it sends. */
  #sleeps = false;
  #handler: LinkHandler | undefined;
  /** What is there of a frame that comes in parts, and how much that is. */
  #parts: Uint8Array<ArrayBuffer> | undefined;
  #partBytes = 0;
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

  /** One side of the link in `region`, with a connection to the other side; it closes both when it ends. */
  constructor(region: SharedMemory, side: LinkSide, conn: Deno.Conn) {
    this.#region = region;
    this.#conn = conn;
    const [out, into] = side === "maker" ? [0, 1] : [1, 0];
    const wakePeer = (): void => this.#wakePeer();
    this.#producer = SpscRing.attach(part(region, out), { wakePeer }).producer();
    this.#consumer = SpscRing.attach(part(region, into), { wakePeer }).consumer();
    this.#onMessage = (at, byteLength) => this.#take(at, byteLength);
  }

  begin(handler: LinkHandler): void {
    this.#handler = handler;
    void this.#awaitWakes();
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
        return this.#lookForMore();
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

  sleep(): void {
    if (this.#ended) return;
    try {
      this.#sleeps = this.#consumer.arm();
    } catch {
      return this.#fail();
    }
    if (this.#sleeps) return;
    this.#consumer.disarm();
    // Something came, or the other side has closed the link.
    if (this.#consumer.end === undefined) lookAt(this);
    else this.#peerEnded();
  }

  /** The answer to what was sent is likely to come soon. */
  #lookForMore(): void {
    if (this.#sleeps) {
      this.#sleeps = false;
      this.#consumer.disarm();
    }
    lookAt(this);
  }

  #wakePeer(): void {
    this.#conn.write(WAKE).catch(() => {
      // The link has ended, which is seen by who reads.
    });
  }

  async #awaitWakes(): Promise<void> {
    const wakes = new Uint8Array(WAKES_MAX);
    while (await this.#conn.read(wakes).catch(() => null) !== null) {
      if (this.#ended) return;
      this.#sleeps = false;
      this.#onRoom?.();
      this.look();
      lookAt(this);
    }
    this.#peerEnded();
  }

  /** The other process is gone, or has closed the link. */
  #peerEnded(): void {
    // What it sent before; no more than the ring holds, should it go on.
    for (let left = MESSAGES_MAX; left > 0 && !this.#ended;) {
      const count = this.look();
      if (count === 0) break;
      left -= count;
    }
    this.#fail();
  }

  async #empty(): Promise<void> {
    this.#isEmptying = true;
    const producer = this.#producer;
    for (let bytes = this.#outbox.peek(); bytes !== undefined && !this.#ended; bytes = this.#outbox.peek()) {
      if (producer.tryWrite(bytes)) {
        this.#outbox.popFront();
        this.#outboxBytes -= bytes.length;
        continue;
      }
      producer.flush();
      if (producer.end !== undefined) break;
      if (producer.arm(bytes.length)) await new Promise<void>((resolve) => this.#onRoom = resolve);
    }
    producer.flush();
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
    this.#conn.close();
    this.#onRoom?.();
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
