import { ScanThrottle } from "../sharing/mod.ts";
import { BUCKET_BITS, CHANGE_COUNT, WORD } from "./layout.ts";
import { lapOf, type StateCore } from "./state_core.ts";

/** Milliseconds between two looks at all buckets, at least: for changes of which nobody has reported. */
const LOOK_MS_MIN = 1000;

/** What a watch has reported of a key. */
interface ReportedKey {
  readonly version: number;
  readonly expiresMs: number;
}

/** One watch: which of its keys have changed since it reported them. */
export class Watch {
  /** What was reported, by bucket. */
  readonly #reported = new Map<number, Map<string, ReportedKey>>();
  /** Keys that have changed, and their buckets. */
  readonly #changed = new Map<string, number>();
  readonly #matches: (key: string) => boolean;
  readonly #capacity: number;
  #hasMissed = false;
  #expiresMs = Infinity;

  /** For the keys that match; it remembers `capacity` changed ones at most. */
  constructor(matches: (key: string) => boolean, capacity: number) {
    this.#matches = matches;
    this.#capacity = capacity;
  }

  /** Compares a bucket with what was told of it; `known`: what is there is taken as reported. */
  look(core: StateCore, bucket: number, known = false): void {
    const reported = this.#reported.get(bucket);
    const gone = new Set(reported?.keys());
    const nowMs = Date.now();
    for (const { text, version, expiresMs } of core.table.keysOf(bucket)) {
      if (!this.#matches(text) || expiresMs !== 0 && expiresMs <= nowMs) continue;
      gone.delete(text);
      if (reported?.get(text)?.version === version) continue;
      if (known) this.report(bucket, text, { version, expiresMs });
      else this.#change(text, bucket);
    }
    for (const key of gone) this.#change(key, bucket);
  }

  /** Finds keys that were reported and have expired since. */
  expire(nowMs: number): void {
    if (nowMs < this.#expiresMs) return;
    this.#expiresMs = Infinity;
    for (const [bucket, keys] of this.#reported) {
      for (const [key, { expiresMs }] of keys) {
        if (expiresMs !== 0 && expiresMs <= nowMs) this.#change(key, bucket);
        else if (expiresMs !== 0) this.#expiresMs = Math.min(this.#expiresMs, expiresMs);
      }
    }
  }

  /** Whether keys were left out because there were too many; forgets it, and what was reported. */
  takeMissed(): boolean {
    const hasMissed = this.#hasMissed;
    this.#hasMissed = false;
    if (hasMissed) this.#reported.clear();
    return hasMissed;
  }

  /** The next key that has changed, and its bucket. */
  next(): { readonly key: string; readonly bucket: number } | undefined {
    for (const [key, bucket] of this.#changed) {
      this.#changed.delete(key);
      return { key, bucket };
    }
    return undefined;
  }

  /** What was reported of a key. */
  reportedOf(bucket: number, key: string): ReportedKey | undefined {
    return this.#reported.get(bucket)?.get(key);
  }

  /** Remembers what is reported of a key, `undefined`: that it is gone. */
  report(bucket: number, key: string, reported: ReportedKey | undefined): void {
    const keys = this.#reported.get(bucket);
    if (reported !== undefined) {
      if (keys === undefined) this.#reported.set(bucket, new Map([[key, reported]]));
      else keys.set(key, reported);
      if (reported.expiresMs !== 0) this.#expiresMs = Math.min(this.#expiresMs, reported.expiresMs);
    } else if (keys?.delete(key) && keys.size === 0) this.#reported.delete(bucket);
  }

  #change(key: string, bucket: number): void {
    if (this.#changed.size >= this.#capacity && !this.#changed.has(key)) {
      this.#changed.clear();
      this.#hasMissed = true;
    }
    if (!this.#hasMissed) this.#changed.set(key, bucket);
  }
}

/**
 * The watches of one opener, and which buckets have changed since it looked: by the hints that writers leave, and by the words of the buckets
 * themselves where a hint is missing, after a death, and now and then.
 */
export class Watches {
  readonly #core: StateCore;
  readonly #watches = new Set<Watch>();
  readonly #scans: ScanThrottle;
  /** The words of all buckets as they were when they were looked at last. */
  #seen: Int32Array | undefined;
  #position = 0;
  #recoveries = 0;
  #isIncomplete = false;
  #lookedMs = 0;

  constructor(core: StateCore) {
    this.#core = core;
    this.#scans = new ScanThrottle(core.memory.geometry.bucketCount);
    core.onPause = () => core.lookForDead();
  }

  /** Begins a watch; `known`: what is there is not reported. */
  add(matches: (key: string) => boolean, known: boolean): Watch {
    const core = this.#core;
    const watch = new Watch(matches, core.memory.constants.capacity);
    // SYNC watching: before the buckets are looked at, so that who changes one behind that sees it, and tells.
    core.watching(1);
    if (this.#watches.size === 0) this.#begin();
    this.#watches.add(watch);
    this.lookAtAll(watch, known);
    return watch;
  }

  remove(watch: Watch): void {
    if (this.#watches.delete(watch) && !this.#core.closed) this.#core.watching(-1);
  }

  /** Has a watch look at all buckets that are not empty. */
  lookAtAll(watch: Watch, known = false): void {
    const { memory: { words, buckets, geometry } } = this.#core;
    for (let bucket = 0; bucket < geometry.bucketCount; bucket++) {
      if (Atomics.load(words, buckets + 2 * bucket) !== 0) watch.look(this.#core, bucket, known);
    }
  }

  /** Has all watches look at what has changed. */
  look(): void {
    const { memory: { words } } = this.#core;
    this.#followHints(Atomics.load(words, WORD.tail));
    const nowMs = performance.now();
    const recoveries = Atomics.load(words, WORD.recoveries);
    const isDue = this.#scans.due && (this.#isIncomplete || nowMs - this.#lookedMs >= LOOK_MS_MIN);
    if (isDue || recoveries !== this.#recoveries) {
      this.#recoveries = recoveries;
      this.#isIncomplete = false;
      this.#lookedMs = nowMs;
      this.#compareAll();
      this.#scans.done();
    }
    const dateMs = Date.now();
    for (const watch of this.#watches) watch.expire(dateMs);
  }

  #begin(): void {
    const { memory: { words, buckets, geometry } } = this.#core;
    this.#position = Atomics.load(words, WORD.tail);
    this.#recoveries = Atomics.load(words, WORD.recoveries);
    this.#seen = words.slice(buckets, buckets + 2 * geometry.bucketCount);
    this.#lookedMs = performance.now();
  }

  #followHints(tail: number): void {
    const { memory: { words, geometry } } = this.#core;
    const count = tail - this.#position | 0;
    if (count === 0) return;
    if (count < 0 || count > CHANGE_COUNT) {
      this.#position = tail;
      return this.#compareAll();
    }
    const changed = new Set<number>();
    for (let offset = 0; offset < count; offset++) {
      const position = this.#position + offset | 0;
      const cell = Atomics.load(words, (geometry.changesAt >> 2) + (position & CHANGE_COUNT - 1));
      const bucket = cell & 2 ** BUCKET_BITS - 1;
      // Not written yet, or overwritten: which bucket it was, the buckets will say.
      if (cell >>> BUCKET_BITS !== lapOf(position) || bucket >= geometry.bucketCount) {
        this.#isIncomplete = true;
      } else changed.add(bucket);
    }
    this.#position = tail;
    for (const bucket of changed) this.#compare(bucket, true);
  }

  #compareAll(): void {
    for (let bucket = 0; bucket < this.#core.memory.geometry.bucketCount; bucket++) {
      this.#compare(bucket, false);
    }
  }

  #compare(bucket: number, isReported: boolean): void {
    const seen = this.#seen as Int32Array;
    const { memory: { words, buckets } } = this.#core;
    const low = Atomics.load(words, buckets + 2 * bucket);
    const high = Atomics.load(words, buckets + 2 * bucket + 1);
    if (!isReported && seen[2 * bucket] === low && seen[2 * bucket + 1] === high) return;
    seen[2 * bucket] = low;
    seen[2 * bucket + 1] = high;
    for (const watch of this.#watches) watch.look(this.#core, bucket);
  }
}
