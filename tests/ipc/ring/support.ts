import { SeededRandom } from "../../../src/base/mod.ts";
import { WORD } from "../../../src/ipc/ring/layout.ts";
import { processBytes } from "../../../src/ipc/ring/region.ts";
import {
  type RingConsumer,
  type RingOptions,
  type RingProducer,
  type RingRegion,
  SpscRing,
} from "../../../src/ipc/ring/mod.ts";

/** Memory of this process that behaves as a region shared with others does, with one opener for each half. */
export class FakeRegion implements RingRegion {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #held: Map<number, FakeRegion>;

  constructor(byteLength: number, other?: FakeRegion) {
    this.bytes = other?.bytes ?? new Uint8Array(byteLength);
    this.#held = other === undefined ? new Map() : other.#held;
  }

  /** The same memory, opened by another process. */
  reopen(): FakeRegion {
    return new FakeRegion(0, this);
  }

  tryLock(index: number): boolean {
    if (this.#held.has(index)) return false;
    this.#held.set(index, this);
    return true;
  }

  isLocked(index: number): boolean {
    return this.#held.has(index);
  }

  unlock(index: number): void {
    if (this.#held.get(index) === this) this.#held.delete(index);
  }

  /** The death of this opener, as the kernel would have it. */
  die(): void {
    for (const [index, holder] of this.#held) if (holder === this) this.#held.delete(index);
  }
}

/** Both halves of one ring. */
export interface Halves {
  readonly ring: SpscRing;
  readonly producer: RingProducer;
  readonly consumer: RingConsumer;
}

/** A ring in this process; `position`: where both sides begin, a multiple of 8. */
export function openRing(options: RingOptions, position = 0): Halves {
  const ring = SpscRing.create(options);
  const words = wordsOf(ring);
  words[WORD.tail] = words[WORD.head] = position;
  return { ring, producer: ring.producer(), consumer: ring.consumer() };
}

/** The ring's header and data. */
export function wordsOf({ memory }: SpscRing): Int32Array {
  const bytes = processBytes(memory) ?? (memory as RingRegion).bytes;
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
}

/** Writes `message` and publishes it; whether there was room. */
export function send(producer: RingProducer, message: Uint8Array): boolean {
  const written = producer.tryWrite(message);
  producer.flush();
  return written;
}

/** A message whose every byte follows from its number. */
export function messageOf(number: number, byteLength: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(byteLength);
  for (let index = 0; index < byteLength; index++) bytes[index] = Math.imul(number + 1, 31) + index * 7;
  return bytes;
}

/** Whether `bytes` are those of {@linkcode messageOf}. */
export function isMessageOf(bytes: Uint8Array, number: number, byteLength: number): boolean {
  if (bytes.byteLength !== byteLength) return false;
  for (let index = 0; index < byteLength; index++) {
    if (bytes[index] !== (Math.imul(number + 1, 31) + index * 7 & 0xff)) return false;
  }
  return true;
}

/** Positions right before, at and behind where 32 bits wrap, in either reading of their sign. */
export const POSITIONS = [0, 16, 2 ** 31 - 64, 2 ** 31 - 16, -(2 ** 31), -64, -16] as const;

/** Lengths of messages: a sequence that follows from `seed`, the limits often among them. */
export class Lengths {
  readonly #random: SeededRandom;
  readonly #max: number;

  constructor(seed: number, messageBytesMax: number) {
    this.#random = new SeededRandom(seed);
    this.#max = messageBytesMax;
  }

  next(): number {
    const kind = this.#random.below(8);
    if (kind === 0) return 0;
    if (kind === 1) return this.#max;
    if (kind === 2) return Math.max(0, this.#max - 1 - this.#random.below(8));
    if (kind < 6) return this.#random.below(Math.min(this.#max, 64) + 1);
    return this.#random.below(this.#max + 1);
  }
}
