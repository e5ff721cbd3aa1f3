/** The completion side of a ring. */
import { CQ_EVENTFD_DISABLED, CQE_WORDS, SQ_FLAG } from "./uring_layout.ts";
import type { UringMemory } from "./uring_memory.ts";

/** Completions dispatched between two publications of the completion head. */
const REAP_BATCH = 64;

/** Receives completions: the id given with the entry, the result (or -errno), and the completion's flags. */
export interface CompletionSink {
  complete(id: number, result: number, flags: number): void;
}

/** Completions, read from the memory that the kernel writes them to. */
export class CompletionRing {
  readonly #words: Int32Array;
  readonly #owned: Uint8Array<ArrayBuffer>;
  readonly #sqFlags: number;
  readonly #head: number;
  readonly #tail: number;
  readonly #flags: number;
  readonly #entriesAt: number;
  readonly #mask: number;

  constructor(memory: UringMemory) {
    this.#words = memory.words;
    this.#owned = memory.owned;
    this.#sqFlags = memory.sqFlags;
    this.#head = memory.cqHead;
    this.#tail = memory.cqTail;
    this.#flags = memory.cqFlags;
    this.#entriesAt = memory.cqEntriesAt;
    this.#mask = memory.cqEntryCount - 1;
  }

  /** Whether `reap()` would find completions, or the kernel has deferred work. */
  get hasCompletions(): boolean {
    const words = this.#words;
    return Atomics.load(words, this.#tail) !== Atomics.load(words, this.#head) ||
      (Atomics.load(words, this.#sqFlags) & (SQ_FLAG.taskrun | SQ_FLAG.cqOverflow)) !== 0;
  }

  /** Whether completions are waiting in the kernel because the ring was full. */
  get overflowed(): boolean {
    return (Atomics.load(this.#words, this.#sqFlags) & SQ_FLAG.cqOverflow) !== 0;
  }

  /**
   * Passes every available completion to `sink`; returns how many. Completions that `sink` causes wait for the next call, or two
   * operations that trigger each other could keep this one running for ever.
   */
  reap(sink: CompletionSink): number {
    const words = this.#words;
    const owned = this.#owned;
    const mask = this.#mask;
    const entriesAt = this.#entriesAt;
    let head = Atomics.load(words, this.#head);
    // SYNC uring.cqTail: completion entries below the tail are complete.
    const tail = Atomics.load(words, this.#tail);
    let count = 0;
    try {
      for (;;) {
        const available = (tail - head) | 0;
        if (available === 0) return count;
        const batch = Math.min(available, REAP_BATCH);
        for (let index = 0; index < batch; index++) {
          const at = entriesAt + (head & mask) * CQE_WORDS;
          // Plain loads: between the load of the tail and the store of the head only this thread uses these words, and each is read
          // once.
          const id = words[at];
          const result = words[at + 2];
          const flags = words[at + 3];
          if (words[at + 1] !== 0) {
            // This thread owns the descriptor from here on. Should the thread end before the head is published, the entry must not name
            // it any more: the number may have been reused then.
            if (result >= 0) owned[result] = 1;
            words[at + 1] = 0;
          }
          head = (head + 1) | 0;
          count++;
          if (id !== 0) sink.complete(id, result, flags);
        }
        // SYNC uring.cqHead: the kernel may reuse the entries below the head.
        Atomics.store(words, this.#head, head);
      }
    } finally {
      Atomics.store(words, this.#head, head);
    }
  }

  /** Whether completions signal the registered eventfd. */
  setNotifications(on: boolean): void {
    Atomics.store(this.#words, this.#flags, on ? 0 : CQ_EVENTFD_DISABLED);
  }
}
