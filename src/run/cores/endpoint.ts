import { signalEventDescriptor } from "../../../ffi/mod.ts";
import { FRAME_BYTES_MAX, FrameSender, type RequireRoom, type Transport } from "../../base/calls/mod.ts";
import type { ReactorSource } from "../../io/reactor/mod.ts";
import { type RingConsumer, type RingProducer, SpscRing } from "../../ipc/ring/mod.ts";
import { CoreBusyError } from "./errors.ts";
import { BELL, BELL_WORDS, type MeshMemory, ringMemory } from "./mesh.ts";

/** Messages taken from one ring before the others get their turn. */
const DRAIN_MAX = 256;

/** Bytes of calls and results that wait for room in the ring to one participant, at most: one of the longest fits. */
export const OUTBOX_BYTES_MAX: number = 2 * FRAME_BYTES_MAX;

/** Takes what comes in: `byteLength` bytes from byte `at` of `view`, which are overwritten after it returns. */
export type MessageHandler = (from: number, view: DataView, at: number, byteLength: number) => void;

/** One participant's ends of the rings from and to all others. */
export class Endpoint implements ReactorSource {
  /** Its own number. */
  readonly index: number;
  /** What goes out, by peer; nothing to itself. */
  readonly senders: readonly (FrameSender | undefined)[];
  readonly #rings: readonly (RingProducer | undefined)[];
  readonly #consumers: {
    readonly ring: RingConsumer;
    readonly onMessage: (at: number, byteLength: number) => void;
  }[] = [];
  /** Peers whose rings are full. */
  readonly #waitingPeers: number[] = [];
  readonly #unflushed: RingProducer[] = [];
  readonly #words: Int32Array;
  readonly #base: number;
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

  /** The ends of participant `index`; `onMessage` is called with what comes in. */
  constructor(mesh: MeshMemory, index: number, onMessage: MessageHandler) {
    this.index = index;
    this.#words = new Int32Array(mesh.bells);
    this.#base = index * BELL_WORDS;
    this.#rings = mesh.rings.map((_, peer) => {
      if (peer === index) return undefined;
      return SpscRing.attach(ringMemory(mesh, index, peer), { wakePeer: wakerOf(mesh, peer) }).producer();
    });
    this.senders = this.#rings.map((ring, peer) =>
      ring && new FrameSender(new PeerRing(this, ring, peer), requireRoomFor(peer))
    );
    mesh.rings.forEach((_, peer) => {
      if (peer === index) return;
      const ring = SpscRing.attach(ringMemory(mesh, peer, index), { wakePeer: wakerOf(mesh, peer) })
        .consumer();
      this.#consumers.push({
        ring,
        onMessage: (at, byteLength) => onMessage(peer, ring.view, at, byteLength),
      });
    });
  }

  /** Milliseconds that this participant has waited so far. */
  get asleepMs(): number {
    return this.#asleepMs;
  }

  /** Something was committed to `ring`: it is published, with all that follows it, when the present work is done. */
  sent(ring: RingProducer): void {
    if (!this.#unflushed.includes(ring)) this.#unflushed.push(ring);
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(this.#flush);
  }

  /** The ring to `peer` is full: it is tried again in each poll. */
  full(peer: number): void {
    if (this.#waitingPeers.includes(peer)) return;
    this.#waitingPeers.push(peer);
    // Who sleeps already has not asked that reader to wake it when there is room.
    if (this.#armed) this.#onBell();
  }

  /** Bytes that wait for room in the ring to `peer`. */
  waitingBytes(peer: number): number {
    return this.senders[peer]?.waitingBytes ?? 0;
  }

  /** Bytes in the ring to `peer` that it has not read. */
  depthTo(peer: number): number {
    return this.#rings[peer]?.usedBytes ?? 0;
  }

  /** Publishes what was committed. */
  flush(): void {
    this.#flushing = false;
    for (const ring of this.#unflushed) ring.flush();
    this.#unflushed.length = 0;
  }

  poll(): number {
    if (this.#closed) return 0;
    // Only looked at now and then by the stall watch, so a plain store will do here as for the task.
    this.#words[this.#base + BELL.turn]++;
    let count = 0;
    for (const { ring, onMessage } of this.#consumers) count += ring.drainInPlace(onMessage, DRAIN_MAX);
    if (this.#waitingPeers.length > 0) count += this.#resume();
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
    for (const peer of this.#waitingPeers) quiet = this.#armForRoom(peer) && quiet;
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
    for (const peer of this.#waitingPeers) this.#rings[peer]?.disarm();
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
    for (const ring of this.#rings) ring?.close();
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

  /** Sends what waits for rings that have room again; returns how many messages that were. */
  #resume(): number {
    let count = 0;
    for (const peer of this.#waitingPeers.splice(0)) count += this.senders[peer]?.resume() ?? 0;
    return count;
  }

  #armForRoom(peer: number): boolean {
    const nextBytes = this.senders[peer]?.nextBytes ?? 0;
    return nextBytes === 0 || (this.#rings[peer]?.arm(nextBytes) ?? true);
  }
}

/** The ring to one peer, as frames go into it. */
class PeerRing implements Transport {
  readonly writer: RingProducer;
  readonly #endpoint: Endpoint;
  readonly #peer: number;

  constructor(endpoint: Endpoint, ring: RingProducer, peer: number) {
    this.#endpoint = endpoint;
    this.writer = ring;
    this.#peer = peer;
  }

  flush(): void {
    this.#endpoint.sent(this.writer);
  }

  awaitRoom(): boolean {
    this.#endpoint.full(this.#peer);
    return true;
  }
}

function requireRoomFor(peer: number): RequireRoom {
  return (_kind, byteLength, waitingBytes) => {
    if (waitingBytes + byteLength <= OUTBOX_BYTES_MAX) return;
    throw new CoreBusyError(
      "call a core",
      peer,
      `${waitingBytes} bytes wait for room in its ring, and with ${byteLength} more it would be over ${OUTBOX_BYTES_MAX}`,
    );
  };
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
