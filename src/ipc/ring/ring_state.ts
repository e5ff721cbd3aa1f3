import { assert } from "../../base/mod.ts";
import type { RingEnd } from "./errors.ts";
import { HALF, HEADER_BYTES, WORD } from "./layout.ts";
import { processBytes, type RingMemory, type RingRegion } from "./region.ts";
import { AtomicsSleep, FutexSleep, type WordSleep } from "./word_sleep.ts";

/** One half of a ring. */
export type RingHalf = "producer" | "consumer";

/** Locks of a region that tell who is alive, by half. */
const LOCK = { producer: 0, consumer: 1 } as const;
/** The word of a half that says whether it sleeps. */
export const SLEEPING = { producer: WORD.producerSleeping, consumer: WORD.consumerSleeping } as const;
/** The other half. */
export const PEER = { producer: "consumer", consumer: "producer" } as const;

/** A ring's memory as both halves see it, and who holds which half. */
export class RingState {
  /** The header and the data. */
  readonly words: Int32Array;
  /** The data. */
  readonly bytes: Uint8Array;
  readonly capacityBytes: number;
  readonly messageBytesMax: number;
  readonly sleep: WordSleep;
  /** Calls of each half that wait without holding up their thread. */
  readonly waits: Record<RingHalf, number> = { producer: 0, consumer: 0 };
  /** Waits of each half that sleep, or are about to. */
  readonly #sleepers = { producer: 0, consumer: 0 };
  readonly #region: RingRegion | undefined;
  readonly #wakePeer: (() => void) | undefined;

  /** Of a ring that has been made or checked. */
  constructor(memory: RingMemory, words: Int32Array, wakePeer: (() => void) | undefined) {
    this.#wakePeer = wakePeer;
    this.words = words;
    this.capacityBytes = words[WORD.capacityBytes];
    this.messageBytesMax = words[WORD.messageBytesMax];
    assert(
      words.byteLength >= HEADER_BYTES + this.capacityBytes,
      `ring: ${this.capacityBytes} bytes of data, in memory of ${words.byteLength}`,
    );
    this.bytes = new Uint8Array(words.buffer, words.byteOffset + HEADER_BYTES, this.capacityBytes);
    this.#region = processBytes(memory) === undefined ? memory as RingRegion : undefined;
    this.sleep = this.#region === undefined ? new AtomicsSleep() : new FutexSleep();
  }

  /** Whether the memory was closed under the ring. */
  get gone(): boolean {
    return this.words.length === 0;
  }

  /**
   * Takes a half.
   *
   * @throws {Deno.errors.Busy} when it is held
   * @throws {Deno.errors.BadResource} when it was closed
   */
  acquire(half: RingHalf): void {
    const { words } = this;
    const word = WORD[half];
    if (this.#region !== undefined) {
      if (!this.#region.tryLock(LOCK[half])) throw busy(half);
      // Held although nobody had the lock: its holder has died, and this one takes its place.
      Atomics.compareExchange(words, word, HALF.held, HALF.free);
    }
    // SYNC ring.half: of two that ask, one gets it.
    const found = Atomics.compareExchange(words, word, HALF.free, HALF.held);
    if (found === HALF.free) return;
    this.#region?.unlock(LOCK[half]);
    if (found === HALF.held) throw busy(half);
    throw new Deno.errors.BadResource(
      `open the ring's ${half}: it has been closed, and a ring is not opened again`,
    );
  }

  /** Closes a half that is held, and wakes the other side so that it sees that. */
  release(half: RingHalf): void {
    this.sleep.close(this.words, SLEEPING[half]);
    if (this.gone) return;
    // SYNC ring.half: everything this half did is done.
    Atomics.store(this.words, WORD[half], HALF.closed);
    this.wake(PEER[half]);
    this.#region?.unlock(LOCK[half]);
  }

  /** Wakes a half if it sleeps. */
  wake(half: RingHalf): void {
    const { words } = this;
    if (words.length === 0) return;
    if (Atomics.exchange(words, SLEEPING[half], 0) === 0) return;
    if (this.#wakePeer === undefined) this.sleep.wake(words, SLEEPING[half]);
    else this.#wakePeer();
  }

  /** A wait of `half` is about to sleep: the other side has to wake it from now on. */
  beginSleep(half: RingHalf): void {
    this.#sleepers[half]++;
    // SYNC ring.sleeping: either this sees what the other side has published, or that one sees that this sleeps.
    Atomics.store(this.words, SLEEPING[half], 1);
  }

  /** It is awake. Where others of the half sleep they still have to be woken. */
  endSleep(half: RingHalf): void {
    assert(this.#sleepers[half] > 0, "ring: a sleep ends that was not begun");
    if (--this.#sleepers[half] === 0 && !this.gone) Atomics.store(this.words, SLEEPING[half], 0);
  }

  /** Has the waits of `half`, which is this side's own, check again. */
  stir(half: RingHalf): void {
    if (this.gone) return;
    // Who is only about to sleep finds another value, and does not.
    Atomics.store(this.words, SLEEPING[half], 0);
    this.sleep.wake(this.words, SLEEPING[half]);
  }

  /** Whether `half` was closed by its holder. */
  closed(half: RingHalf): boolean {
    return this.gone || Atomics.load(this.words, WORD[half]) === HALF.closed;
  }

  /** How `half` ended, as far as its other side can tell; asks the kernel whether a process lives. */
  endOf(half: RingHalf): RingEnd | undefined {
    if (this.gone) return "closed here";
    switch (Atomics.load(this.words, WORD[half])) {
      case HALF.closed:
        return "closed";
      case HALF.held:
        return this.#region?.isLocked(LOCK[half]) ?? true ? undefined : this.#endOfUnlocked(half);
      default:
        return undefined;
    }
  }

  /** It may have been closed between the reading of the word and that of the lock. */
  #endOfUnlocked(half: RingHalf): RingEnd {
    return Atomics.load(this.words, WORD[half]) === HALF.closed ? "closed" : "died";
  }
}

function busy(half: RingHalf): Error {
  return new Deno.errors.Busy(`open the ring's ${half}: there is one already, and a ring has exactly one`);
}
