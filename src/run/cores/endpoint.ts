import { signalEventDescriptor } from "../../../ffi/mod.ts";
import { Deque } from "../../base/mod.ts";
import type { ReactorSource } from "../../io/reactor/mod.ts";
import { type RingConsumer, type RingProducer, SpscRing } from "../../ipc/ring/mod.ts";
import { BELL, BELL_WORDS, type MeshMemory, ringMemory } from "./mesh.ts";

/** Messages taken from one ring before the others get their turn. */
const DRAIN_MAX = 256;

/** Takes what comes in: `byteLength` bytes from byte `at` of `view`, which are overwritten after it returns. */
export type FrameHandler = (from: number, view: DataView, at: number, byteLength: number) => void;

/** One participant's ends of the rings from and to all others. */
export class Endpoint implements ReactorSource {
  /** Its own number. */
  readonly index: number;
  readonly #producers: (RingProducer | undefined)[];
  readonly #consumers: {
    readonly from: number;
    readonly ring: RingConsumer;
    readonly onMessage: (at: number, byteLength: number) => void;
  }[] = [];
  /** Frames that found their ring full, in order. */
  readonly #outboxes: Deque<Uint8Array>[] = [];
  readonly #outboxBytes: number[] = [];
  readonly #unflushed: RingProducer[] = [];
  readonly #lost = new Set<number>();
  readonly #words: Int32Array;
  readonly #base: number;
  #outboxCount = 0;
  #flushing = false;
  #closed = false;
  #armed = false;
  #asleep = false;
  #asleepMs = 0;
  #armedAtMs = 0;
  #listening = false;
  /** The eventfd that ends waiting in the kernel, where that is possible. */
  #descriptor = 0;
  #onBell: () => void = () => {};
  readonly #flush = () => this.flush();

  /** The ends of participant `index`; `onFrame` is called with what comes in. */
  constructor(mesh: MeshMemory, index: number, onFrame: FrameHandler) {
    this.index = index;
    this.#words = new Int32Array(mesh.bells);
    this.#base = index * BELL_WORDS;
    this.#producers = mesh.rings.map((_, peer) =>
      peer === index
        ? undefined
        : SpscRing.attach(ringMemory(mesh, index, peer), { wakePeer: wakerOf(mesh, peer) }).producer()
    );
    mesh.rings.forEach((_, peer) => {
      this.#outboxes.push(new Deque<Uint8Array>());
      this.#outboxBytes.push(0);
      if (peer === index) return;
      const ring = SpscRing.attach(ringMemory(mesh, peer, index), { wakePeer: wakerOf(mesh, peer) })
        .consumer();
      this.#consumers.push({
        from: peer,
        ring,
        onMessage: (at, byteLength) => onFrame(peer, ring.view, at, byteLength),
      });
    });
  }

  /** The longest frame in bytes. */
  get frameBytesMax(): number {
    return this.#producers.find((ring) => ring !== undefined)?.messageBytesMax ?? 0;
  }

  /** Milliseconds that this participant has waited so far. */
  get asleepMs(): number {
    return this.#asleepMs;
  }

  /** The ring to `peer`, to encode into, when nothing waits before it; what is committed goes out after `sent()`. */
  ringTo(peer: number): RingProducer | undefined {
    return this.#outboxes[peer].length === 0 ? this.#producers[peer] : undefined;
  }

  /** Something was committed to `ring`: it is published, with all that follows it, when the present work is done. */
  sent(ring: RingProducer): void {
    if (!this.#unflushed.includes(ring)) this.#unflushed.push(ring);
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(this.#flush);
  }

  /** Sends a frame when there is room, after those that wait already. It is kept, not copied. To a lost peer it goes nowhere. */
  enqueue(peer: number, frame: Uint8Array): void {
    if (this.#lost.has(peer)) return;
    const ring = this.ringTo(peer);
    if (ring?.tryWrite(frame)) {
      this.sent(ring);
      return;
    }
    const outbox = this.#outboxes[peer];
    outbox.pushBack(frame);
    this.#outboxBytes[peer] += frame.byteLength;
    this.#outboxCount++;
    // Who sleeps already has not asked that reader to wake it when there is room.
    if (this.#armed && outbox.length === 1) this.#onBell();
  }

  /** Bytes that wait for room in the ring to `peer`. */
  waitingBytes(peer: number): number {
    return this.#outboxBytes[peer];
  }

  /** Bytes in the ring to `peer` that it has not read. */
  depthTo(peer: number): number {
    return this.#producers[peer]?.usedBytes ?? 0;
  }

  /** Publishes what was committed. */
  flush(): void {
    this.#flushing = false;
    for (const ring of this.#unflushed) ring.flush();
    this.#unflushed.length = 0;
  }

  /** Participant `peer` is no more: what waits for it is thrown away. */
  lose(peer: number): void {
    this.#lost.add(peer);
    const outbox = this.#outboxes[peer];
    this.#outboxCount -= outbox.length;
    this.#outboxBytes[peer] = 0;
    outbox.clear();
  }

  poll(): number {
    if (this.#closed) return 0;
    // Only looked at now and then by the stall watch, so a plain store will do here as for the task.
    this.#words[this.#base + BELL.turn]++;
    let count = 0;
    for (const { ring, onMessage } of this.#consumers) count += ring.drainInPlace(onMessage, DRAIN_MAX);
    if (this.#outboxCount > 0) count += this.#emptyOutboxes();
    if (this.#unflushed.length > 0) this.flush();
    return count;
  }

  arm(inKernel: boolean): boolean {
    if (this.#closed) return false;
    this.#armed = true;
    // SYNC bell: who sees that this sleeps sees by what it is woken.
    Atomics.store(this.#words, this.#base + BELL.wakes, inKernel ? this.#descriptor : 0);
    if (!inKernel) this.#listen();
    let quiet = true;
    for (const { ring } of this.#consumers) quiet = ring.arm() && quiet;
    if (this.#outboxCount > 0) quiet = this.#armOutboxes() && quiet;
    if (quiet) {
      this.#asleep = true;
      this.#armedAtMs = performance.now();
    }
    return quiet;
  }

  disarm(): void {
    if (!this.#armed || this.#closed) return;
    this.#armed = false;
    for (const { ring } of this.#consumers) ring.disarm();
    if (this.#outboxCount > 0) { for (const ring of this.#producers) ring?.disarm(); }
    if (!this.#asleep) return;
    this.#asleep = false;
    this.#asleepMs += performance.now() - this.#armedAtMs;
  }

  /** What ends this participant's waiting: its bell calls `onBell`; in the kernel, `descriptor` is signalled. */
  wakeBy(onBell: () => void, descriptor = 0): void {
    this.#onBell = onBell;
    this.#descriptor = descriptor;
  }

  /** Says which task runs, for the stall watch; -1: none. */
  running(task: number): void {
    this.#words[this.#base + BELL.task] = task + 1;
  }

  /** Closes this participant's ends. */
  close(): void {
    if (this.#closed) return;
    this.disarm();
    this.flush();
    this.#closed = true;
    for (const ring of this.#producers) ring?.close();
    for (const { ring } of this.#consumers) ring.close();
    // A wait on the bell that is never over would keep the memory of all rings.
    ringBell(this.#words, this.#base);
  }

  /** Has the bell heard. One that listens already still does: the bell has not been rung since. */
  #listen(): void {
    if (this.#listening) return;
    const word = this.#base + BELL.bell;
    const { async: waits, value } = Atomics.waitAsync(this.#words, word, Atomics.load(this.#words, word));
    if (!waits) return;
    this.#listening = true;
    value.then(() => {
      this.#listening = false;
      if (!this.#closed) this.#onBell();
    });
  }

  #emptyOutboxes(): number {
    let count = 0;
    this.#outboxes.forEach((outbox, peer) => {
      const ring = this.#producers[peer];
      for (let frame = outbox.peek(); frame !== undefined && ring?.tryWrite(frame); frame = outbox.peek()) {
        outbox.popFront();
        this.#outboxBytes[peer] -= frame.byteLength;
        this.#outboxCount--;
        count++;
        if (!this.#unflushed.includes(ring)) this.#unflushed.push(ring);
      }
    });
    return count;
  }

  #armOutboxes(): boolean {
    let quiet = true;
    this.#outboxes.forEach((outbox, peer) => {
      const frame = outbox.peek();
      if (frame !== undefined) quiet = (this.#producers[peer]?.arm(frame.byteLength) ?? true) && quiet;
    });
    return quiet;
  }
}

/** What wakes participant `peer` when it sleeps: its eventfd, or its bell. */
function wakerOf({ bells }: MeshMemory, peer: number): () => void {
  const words = new Int32Array(bells);
  const base = peer * BELL_WORDS;
  return () => {
    const descriptor = Atomics.load(words, base + BELL.wakes);
    if (descriptor > 0) {
      signalEventDescriptor(descriptor);
      return;
    }
    ringBell(words, base);
  };
}

function ringBell(words: Int32Array, base: number): void {
  // SYNC bell: who sleeps on it sees that it was rung, or does not fall asleep.
  Atomics.add(words, base + BELL.bell, 1);
  Atomics.notify(words, base + BELL.bell);
}
