import { assert } from "../../base/mod.ts";
import { SharedMemory } from "../../ipc/memory/mod.ts";
import { type RingConsumer, type RingProducer, type RingRegion, SpscRing } from "../../ipc/ring/mod.ts";
import { FRAME_HEADER_BYTES } from "../../base/calls/mod.ts";
import type { ChannelTransport, TransportHandler } from "./channel_transport.ts";
import { type Polled, startPolling, stopPolling } from "./poll_loop.ts";

/** What the regions of channels are called, before a part that no other has. */
export const CHANNEL_REGION_PREFIX = "link.";
/** Bytes of the ring of each direction. */
const CAPACITY_BYTES = 2 ** 18;
/** Messages that are taken from a ring before others have their turn. */
const DRAIN_MAX = 256;
/** Messages that a ring holds at most. */
const MESSAGES_MAX = CAPACITY_BYTES / 8;
/** Locks of a region that each of its two rings has. */
const LOCKS_PER_RING = 2;

/** Which of the two has made the region. */
export type ChannelSide = "maker" | "opener";

/** What wakes the other side. */
const WAKE = new Uint8Array(1);
/** Bytes that wake, taken at once. */
const WAKES_MAX = 64;

/**
 * Messages through two rings in shared memory. A side that was busy a moment ago polls in every turn of its event loop, which is sooner than it
 * could be woken; then it sleeps, until a byte comes over the connection beside the memory. The kernel ends that with either process.
 */
export class RingTransport implements ChannelTransport, Polled {
  readonly writer: RingProducer;
  misses = 0;
  readonly #region: SharedMemory;
  readonly #conn: Deno.Conn;
  readonly #consumer: RingConsumer;
  /** The other side wakes this one when it has made room. */
  #awaitsRoom = false;
  /** The other side wakes this one when it sends. */
  #sleeps = false;
  #handler: TransportHandler | undefined;
  #ended = false;
  readonly #onMessage = (at: number, byteLength: number): void => this.#take(at, byteLength);

  /** Makes the memory of a channel, whose name the other side is to be told. */
  static create(): { readonly name: string; readonly region: SharedMemory } {
    const name = `${CHANNEL_REGION_PREFIX}${crypto.randomUUID()}`;
    const byteLength = 2 * SpscRing.byteLengthFor({ capacityBytes: CAPACITY_BYTES });
    const region = SharedMemory.create(name, { byteLength, subject: "a channel between processes" });
    for (const ring of [0, 1]) SpscRing.create({ capacityBytes: CAPACITY_BYTES, memory: part(region, ring) });
    return { name, region };
  }

  /** One side of the channel in `region`, with a connection to the other side; it closes both when it ends. */
  constructor(region: SharedMemory, side: ChannelSide, conn: Deno.Conn) {
    this.#region = region;
    this.#conn = conn;
    const [out, into] = side === "maker" ? [0, 1] : [1, 0];
    const wakePeer = (): void => this.#wakePeer();
    this.writer = SpscRing.attach(part(region, out), { wakePeer }).producer();
    this.#consumer = SpscRing.attach(part(region, into), { wakePeer }).consumer();
  }

  begin(handler: TransportHandler): void {
    assert(this.#handler === undefined, "ring transport: begun twice");
    this.#handler = handler;
    void this.#awaitWakes();
    startPolling(this);
  }

  /** At once, and not at the end of the turn: the other side works while this one sends more. */
  flush(): void {
    if (this.#ended) return;
    this.writer.flush();
    if (this.#handler === undefined) return;
    // The answer to what was sent is likely to come soon.
    if (this.#sleeps) {
      this.#sleeps = false;
      this.#consumer.disarm();
    }
    startPolling(this);
  }

  awaitRoom(byteLength: number): boolean {
    // Where the other side has gone, its connection tells.
    if (this.#ended || this.writer.end !== undefined) return true;
    return this.#awaitsRoom = this.writer.arm(byteLength);
  }

  flushed(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    stopPolling(this);
    this.writer.close();
    this.#consumer.close();
    // This may be called from within a poll.
    queueMicrotask(() => this.#region.close());
    this.#conn.close();
  }

  poll(): number {
    if (this.#ended) return 0;
    try {
      return this.#consumer.drainInPlace(this.#onMessage, DRAIN_MAX);
    } catch {
      // Another process has written to the memory.
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
    // Something came, or the other side has closed the channel.
    if (this.#consumer.end === undefined) startPolling(this);
    else this.#peerEnded();
  }

  #wakePeer(): void {
    this.#conn.write(WAKE).catch(() => {
      // The channel has ended, which is seen by who reads.
    });
  }

  async #awaitWakes(): Promise<void> {
    const wakes = new Uint8Array(WAKES_MAX);
    while (await this.#conn.read(wakes).catch(() => null) !== null) {
      if (this.#ended) return;
      this.#sleeps = false;
      if (this.#awaitsRoom) {
        this.#awaitsRoom = false;
        this.#handler?.onRoom();
      }
      this.poll();
      startPolling(this);
    }
    this.#peerEnded();
  }

  /** The other process is gone, or has closed the channel. */
  #peerEnded(): void {
    // What it sent before; no more than the ring holds, should it go on.
    for (let left = MESSAGES_MAX; left > 0 && !this.#ended;) {
      const count = this.poll();
      if (count === 0) break;
      left -= count;
    }
    this.#fail();
  }

  #take(at: number, byteLength: number): void {
    if (byteLength < FRAME_HEADER_BYTES) throw new Error(`read a frame: it has ${byteLength} bytes`);
    this.#handler?.onMessage(this.#consumer.view, at, byteLength);
  }

  /** The channel has ended, and not from here. */
  #fail(): void {
    if (this.#ended) return;
    this.close();
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
