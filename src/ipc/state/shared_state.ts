import { endable } from "../../base/mod.ts";
import type { SharedMemory, SharedMemoryInfo } from "../memory/mod.ts";
import {
  bytesOf,
  type OpenedRegion,
  type Payload,
  type RegionFilter,
  type RegionPlace,
  Slab,
  WAITS_MAX,
} from "../sharing/mod.ts";
import { SharedStateFullError } from "./errors.ts";
import type { Key } from "./keys.ts";
import { COUNTER, RECORD, STATE_KIND, type StateConstants, WORD } from "./layout.ts";
import { CopyTarget } from "./copy_target.ts";
import { ABSENT, ALWAYS, type Condition, FULL, REFUSED, StateCore } from "./state_core.ts";
import { stateConstantsOf } from "./state_constants.ts";
import { StateEntry } from "./state_entry.ts";
import { StateMemory } from "./state_memory.ts";
import type {
  SetOptions,
  StateCreateOptions,
  StateDeleteOptions,
  StateKeyFilter,
  StateSetOptions,
  StateWatchOptions,
} from "./state_options.ts";
import { stateMetrics, type StateStatus, stateStatusOf } from "./state_status.ts";
import { type Watch, Watches } from "./watches.ts";

const NO_OPTIONS = {};
const encoder = new TextEncoder();
/** The last moment that a `Date` can say: what expires later does not. */
const DATE_MS_MAX = 8.64e15;

/**
 * What a watch tells. `"set"`: a key has a value, or another one; of changes that follow each other faster than they are read, the last.
 * `"delete"`: a key that was told of is gone. `"missed"`: more keys have changed than the watch can remember, and some of those that were
 * told of may be gone; everything that is there follows.
 */
export type StateChange =
  | { readonly type: "set"; readonly key: string; readonly entry: StateEntry }
  | { readonly type: "delete"; readonly key: string }
  | { readonly type: "missed" };

/**
 * Keys and values that processes share, in memory, bounded, and whole whichever process dies at whatever moment.
 *
 * Reading never waits for a writer, be it stopped or dead. Each change is made as a whole, or not at all. Needs the native library, and
 * `--allow-ffi`.
 *
 * ```ts
 * import { SharedState } from "@millrace/millrace/state";
 *
 * const name = `example-${Deno.pid}`;
 * using state = SharedState.create(name, { capacity: 100 });
 * try {
 *   state.set("greeting", "hello");
 *   state.increment("visits");
 *   // In another process:
 *   using same = SharedState.connect(name);
 *   console.log(same.getEntry("greeting")?.text(), same.counter("visits")); // hello 1
 * } finally {
 *   SharedState.unlink(name);
 * }
 * ```
 */
export class SharedState implements Disposable {
  /** Its name. */
  readonly name: string;
  /** Keys that it can hold. */
  readonly capacity: number;
  /** The longest key in bytes of UTF-8. */
  readonly keyBytesMax: number;
  /** The longest value in bytes. */
  readonly valueBytesMax: number;
  readonly #region: SharedMemory;
  readonly #core: StateCore;
  readonly #watches: Watches;
  readonly #target: CopyTarget;
  readonly #takeInto: (record: number, valueBytes: number) => number;
  readonly #takeValue: (record: number, valueBytes: number) => Uint8Array<ArrayBuffer>;
  #watchNumber = 0;

  /**
   * Makes a state that must not exist yet, and opens it. Its memory is taken from the system at once. What a creator that died on the way
   * has left is replaced.
   *
   * @throws {RangeError} when the name or an option is out of range
   * @throws {Deno.errors.AlreadyExists} when there is something of that name
   * @throws {Error} with the code `ENOSPC` when the system has not that much memory; nothing is left behind then
   * @throws {Deno.errors.NotSupported} without the native library
   */
  static create(name: string, options: StateCreateOptions = {}): SharedState {
    const constants = stateConstantsOf(options);
    return STATE_KIND.create(name, constants, options, (opened) => new SharedState(name, opened));
  }

  /**
   * Opens an existing state.
   *
   * @throws {RangeError} when the name is none
   * @throws {Deno.errors.NotFound} when there is none
   * @throws {Deno.errors.PermissionDenied} when this process may not read and write it
   * @throws {Deno.errors.InvalidData} when it is no state, damaged, or of another version; says which
   * @throws {Deno.errors.Busy} when it has 255 openers
   * @throws {Deno.errors.NotSupported} without the native library
   */
  static connect(name: string, options: RegionPlace = {}): SharedState {
    return STATE_KIND.connect(name, options, (opened) => new SharedState(name, opened));
  }

  /**
   * Opens a state, and makes it where there is none. Throws what the two do, and:
   *
   * @throws {Deno.errors.AlreadyExists} when it exists with another `capacity`, say, than was asked for; says which option
   */
  static open(name: string, options: StateCreateOptions = {}): SharedState {
    const constants = stateConstantsOf(options);
    return STATE_KIND.open(name, constants, options, (opened) => new SharedState(name, opened));
  }

  /** The states that this process may open, by name. */
  static list(options: RegionFilter = {}): SharedMemoryInfo[] {
    return STATE_KIND.list(options);
  }

  /**
   * Removes the name of a state: it cannot be opened any more, and a new one can take the name. Participants that have it open keep it.
   *
   * @throws {RangeError} for what is no name
   * @throws {Deno.errors.NotFound} when there is none
   * @throws {Deno.errors.InvalidData} when what has that name is no state; it is left as it is
   * @throws {Deno.errors.PermissionDenied} when this process may not open it, and so not look what it is
   */
  static unlink(name: string, options: RegionPlace = {}): void {
    STATE_KIND.unlink(name, options);
  }

  /** Takes the names of states away that no living process has open, with all that is in them, and returns the names. */
  static removeAbandoned(options: RegionFilter = {}): string[] {
    return STATE_KIND.removeAbandoned(options);
  }

  private constructor(name: string, { region, constants }: OpenedRegion<keyof StateConstants>) {
    const memory = new StateMemory(region, constants);
    this.name = name;
    this.#region = region;
    this.#core = new StateCore(memory);
    this.#watches = new Watches(this.#core);
    const slab = new Slab(memory.bytes, memory.words, constants.valueBytesMax);
    const { table } = this.#core;
    const target = this.#target = new CopyTarget(memory);
    this.#takeValue = (record, valueBytes) => {
      const counter = table.counterOf(record);
      if (counter !== undefined) return encoder.encode(String(counter));
      return slab.copy(table.valueOf(record), valueBytes);
    };
    this.#takeInto = (record, valueBytes) => {
      const counter = table.counterOf(record);
      if (counter !== undefined) return target.setText(String(counter));
      return target.set(table.valueOf(record), valueBytes);
    };
    this.capacity = constants.capacity;
    this.keyBytesMax = constants.keyBytesMax;
    this.valueBytesMax = constants.valueBytesMax;
  }

  /** Keys that it holds, those among them that have expired and were not taken away yet. */
  get size(): number {
    this.#throwIfClosed("look at");
    return Math.max(0, Atomics.load(this.#core.memory.words, WORD.keys));
  }

  /**
   * A copy of the value of `key`; `undefined` when there is none. A counter's is its number as text.
   *
   * @throws {RangeError} when the key is longer than `keyBytesMax`, or empty
   * @throws {Deno.errors.InvalidData} when it is damaged
   */
  get(key: string): Uint8Array<ArrayBuffer> | undefined {
    return this.#core.table.read(this.#keyOf(key, "read from"), this.#takeValue);
  }

  /**
   * Copies the value of `key` to the start of `buffer`, which takes no memory; its length in bytes, or `undefined` when there is none. A counter's
   * is its number as text.
   *
   * @throws {RangeError} when `buffer` is too short for it, or the key is longer than `keyBytesMax`, or empty
   * @throws {Deno.errors.InvalidData} when it is damaged
   */
  getInto(key: string, buffer: Uint8Array): number | undefined {
    this.#target.buffer = buffer;
    const byteLength = this.#core.table.read(this.#keyOf(key, "read from"), this.#takeInto);
    if (byteLength === undefined || byteLength <= buffer.length) return byteLength;
    throw new RangeError(
      `read from state ${this.name}: ${key} has ${byteLength} bytes, the buffer ${buffer.length}`,
    );
  }

  /**
   * What `key` has, with its version; `undefined` when there is none.
   *
   * @throws {RangeError} when the key is longer than `keyBytesMax`, or empty
   * @throws {Deno.errors.InvalidData} when it is damaged
   */
  getEntry(key: string): StateEntry | undefined {
    const { memory: { floats }, table } = this.#core;
    return table.read(this.#keyOf(key, "read from"), (record, valueBytes) =>
      new StateEntry({
        key,
        value: this.#takeValue(record, valueBytes),
        version: floats[record + RECORD.version >> 1],
        expiresMs: floats[record + RECORD.expiresMs >> 1],
      }));
  }

  /** Whether `key` is there. */
  has(key: string): boolean {
    return this.#core.table.read(this.#keyOf(key, "look at"), () => true) ?? false;
  }

  /**
   * Gives `key` a copy of `value`; the new version. Once it has returned, the value outlives its writer. An expiry that the key had is not kept.
   *
   * @throws {RangeError} when the key or the value is too long, or an option is out of range
   * @throws {SharedStateFullError} when there is no room for one more key
   */
  set(key: string, value: Payload, options?: SetOptions & { readonly onlyIfAbsent?: false }): number;
  /** The same, which leaves a key as it is where `onlyIfAbsent` is true and it is there: `undefined` then. */
  set(key: string, value: Payload, options: StateSetOptions): number | undefined;
  set(key: string, value: Payload, options: StateSetOptions = NO_OPTIONS): number | undefined {
    return this.#put(key, value, options, options.onlyIfAbsent === true ? ABSENT : ALWAYS);
  }

  /**
   * Gives `key` a copy of `value` if its version is `version`, 0 being that of a key that is not there; the new version, or `undefined` when
   * it was another.
   *
   * @throws {RangeError} when the key or the value is too long, or an option is out of range
   * @throws {SharedStateFullError} when there is no room for one more key
   */
  compareAndSet(
    key: string,
    version: number,
    value: Payload,
    options: SetOptions = NO_OPTIONS,
  ): number | undefined {
    return this.#put(key, value, options, this.#versioned(version));
  }

  /** Takes `key` away; whether it was there, and had the version that `options` ask for. */
  delete(key: string, options: StateDeleteOptions = NO_OPTIONS): boolean {
    const found = this.#keyOf(key, "delete from");
    return this.#core.remove(
      found,
      options.version === undefined ? ALWAYS : this.#versioned(options.version),
    );
  }

  /**
   * Adds `by` to the counter `key`, which is 0 when it is not there, in one step; the new number. `expiresAfterMs` counts from when the counter
   * was made, and is nothing to one that is there: so counting in a window of time takes one call.
   *
   * @throws {RangeError} when the number would be no safe integer, which leaves it as it was; or an argument is out of range
   * @throws {TypeError} when the key holds a value that is no counter
   * @throws {SharedStateFullError} when there is no room for one more key
   */
  increment(key: string, by: number = 1, options: SetOptions = NO_OPTIONS): number {
    if (!Number.isSafeInteger(by)) {
      throw new RangeError(`increment in state ${this.name}: by is ${by}, expected a safe integer`);
    }
    const found = this.#keyOf(key, "increment in");
    for (;;) {
      const number = this.#core.add(found, by, this.#expiryOf(options));
      if (number !== undefined) return number;
      this.#makeRoom("increment in");
    }
  }

  /**
   * The number of the counter `key`; `undefined` when it is not there.
   *
   * @throws {TypeError} when the key holds a value that is no counter
   */
  counter(key: string): number | undefined {
    const { table } = this.#core;
    const number = table.read(this.#keyOf(key, "read from"), (record) => table.counterOf(record) ?? NaN);
    if (!Number.isNaN(number)) return number;
    throw new TypeError(`read from state ${this.name}: ${key} holds a value, expected a counter`);
  }

  /**
   * The keys that are there. One that is there all the time comes once; of those that come and go meanwhile it is open which come.
   */
  *keys(options: StateKeyFilter = NO_OPTIONS): IterableIterator<string> {
    const { prefix = "" } = options;
    const { table, memory: { words, buckets, geometry } } = this.#core;
    for (let bucket = 0; bucket < geometry.bucketCount; bucket++) {
      this.#throwIfClosed("list");
      if (Atomics.load(words, buckets + 2 * bucket) === 0) continue;
      const nowMs = Date.now();
      for (const { text, expiresMs } of table.keysOf(bucket)) {
        if (text.startsWith(prefix) && (expiresMs === 0 || expiresMs > nowMs)) yield text;
      }
    }
  }

  /** What is there, as {@linkcode SharedState.keys} gives it. */
  *entries(options: StateKeyFilter = NO_OPTIONS): IterableIterator<StateEntry> {
    for (const key of this.keys(options)) {
      const entry = this.getEntry(key);
      if (entry !== undefined) yield entry;
    }
  }

  /**
   * What changes, from now on: first what is there, unless `initial` is false, then each key that was set, deleted, or has expired, whichever process did it. Of
   * changes that follow each other faster than they are read the last is told; the last state of a key is never left out. Ends when the
   * signal aborts.
   *
   * @throws {Deno.errors.BadResource} (as a rejection) when the state is closed
   */
  watch(options: StateWatchOptions = NO_OPTIONS): AsyncIterableIterator<StateChange> {
    this.#throwIfClosed("watch");
    const { key, prefix = "", initial = true, signal } = options;
    // Refuses what can be no key.
    if (key !== undefined) this.#keyOf(key, "watch");
    const matches = key === undefined
      ? (text: string) => text.startsWith(prefix)
      : (text: string) => text === key;
    const watch = this.#watches.add(matches, !initial);
    const ending = new AbortController();
    const end = (): void => {
      signal?.removeEventListener("abort", end);
      ending.abort();
      this.#watches.remove(watch);
    };
    if (signal?.aborted) end();
    else signal?.addEventListener("abort", end, { once: true });
    return endable(this.#follow(watch, ending.signal, end), end);
  }

  /** What is in the state, and what has happened to it. */
  status(): StateStatus {
    this.#throwIfClosed("look at");
    return stateStatusOf(this.#core);
  }

  /** The status as text that Prometheus reads. */
  metrics(): string {
    return stateMetrics(this.name, this.status());
  }

  /** Resolves when a state in a directory is on disk as it is now; at once for one in the system's memory. */
  async sync(): Promise<void> {
    this.#throwIfClosed("sync");
    await this.#region.sync();
  }

  /** Leaves the state; watches reject. Closing twice does nothing. */
  close(): void {
    if (this.#core.closed) return;
    this.#core.close();
    this.#region.close();
  }

  /** The same as {@linkcode SharedState.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  async *#follow(
    watch: Watch,
    ended: AbortSignal,
    end: () => void,
  ): AsyncIterableIterator<StateChange> {
    const kind = this.#watchNumber++ % (WAITS_MAX * 2);
    try {
      while (!ended.aborted) {
        yield await this.#core.changes.wait(
          `watch state ${this.name}`,
          kind,
          () => this.#nextOf(watch),
          { signal: ended },
        );
      }
    } catch (error) {
      if (!ended.aborted) throw error;
    } finally {
      end();
    }
  }

  #nextOf(watch: Watch): StateChange | undefined {
    this.#watches.look();
    if (watch.takeMissed()) {
      this.#watches.lookAtAll(watch);
      return { type: "missed" };
    }
    for (let changed = watch.next(); changed !== undefined; changed = watch.next()) {
      const { key, bucket } = changed;
      const entry = this.getEntry(key);
      const reported = watch.reportedOf(bucket, key);
      if (entry?.version === reported?.version) continue;
      if (entry === undefined) {
        watch.report(bucket, key, undefined);
        return { type: "delete", key };
      }
      const expiresMs = entry.expiresAt?.getTime() ?? 0;
      watch.report(bucket, key, { version: entry.version, expiresMs });
      return { type: "set", key, entry };
    }
    return undefined;
  }

  #put(key: string, value: Payload, options: SetOptions, condition: Condition): number | undefined {
    const found = this.#keyOf(key, "write to");
    const bytes = bytesOf(value);
    if (bytes.length > this.valueBytesMax) {
      throw new RangeError(
        `write to state ${this.name}: the value has ${bytes.length} bytes, expected at most ${this.valueBytesMax}`,
      );
    }
    for (;;) {
      const version = this.#core.put(found, bytes, this.#expiryOf(options), condition);
      if (version === REFUSED) return undefined;
      if (version !== FULL) return version;
      this.#makeRoom("write to");
    }
  }

  #makeRoom(action: string): void {
    if (this.#core.findRoom()) return;
    this.#core.count(COUNTER.refused);
    throw new SharedStateFullError(`${action} state ${this.name}`, this.capacity);
  }

  #expiryOf({ expiresAfterMs = Infinity }: SetOptions): number {
    if (expiresAfterMs === Infinity) return 0;
    if (expiresAfterMs >= 0) {
      const expiresMs = Date.now() + expiresAfterMs;
      return expiresMs > DATE_MS_MAX ? 0 : expiresMs;
    }
    throw new RangeError(
      `write to state ${this.name}: expiresAfterMs is ${expiresAfterMs}, expected 0 or more`,
    );
  }

  #versioned(version: number): Condition {
    if (Number.isInteger(version) && version >= 0) return { kind: "version", version };
    throw new RangeError(`state ${this.name}: version is ${version}, expected a whole number from 0`);
  }

  #keyOf(key: string, action: string): Key {
    this.#throwIfClosed(action);
    return this.#core.keys.of(key);
  }

  #throwIfClosed(action: string): void {
    if (this.#core.closed) throw new Deno.errors.BadResource(`${action} state ${this.name}: it is closed`);
  }
}
