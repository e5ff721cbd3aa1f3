import { Members, Notifier, ScanThrottle, Waits } from "../sharing/mod.ts";
import { Blocks } from "./blocks.ts";
import { type Key, Keys } from "./keys.ts";
import {
  BUCKET_BITS,
  CHANGE_COUNT,
  COUNTER,
  KIND,
  RECORD,
  RECORD_HEADER_BYTES,
  STATE_MEMBER,
  STATE_PARTICIPANTS_MAX,
  WORD,
} from "./layout.ts";
import { blockOf, nextVersion, NONE, type StateMemory } from "./state_memory.ts";
import { CHAIN_MAX, Table } from "./table.ts";

/** Retries of a change when another participant has changed the same bucket. */
const WRITE_TRIES_MAX = 100_000;
/** Values up to this many bytes are copied byte by byte, or word by word: a view costs more. */
const LOOP_COPY_BYTES_MAX = 256;
/** Blocks that are looked at for expired keys each time that there is no room. */
const BLOCKS_PER_LOOK = 64;

/** A change was not made, as its condition does not hold. */
export const REFUSED = 0;
/** There is no room for the key. */
export const FULL = -1;

/** What must be so for a change to be made. */
export type Condition =
  | { readonly kind: "always" }
  | { readonly kind: "absent" }
  | { readonly kind: "version"; readonly version: number };

export const ALWAYS: Condition = { kind: "always" };
export const ABSENT: Condition = { kind: "absent" };

/** One opener of a state. */
export class StateCore {
  readonly memory: StateMemory;
  readonly keys: Keys;
  readonly table: Table;
  readonly members: Members;
  readonly blocks: Blocks;
  readonly changes: Waits;
  readonly #signal: Notifier;
  readonly #scans: ScanThrottle;
  readonly #deadScans: ScanThrottle;
  #counters = 0;
  #hand = 0;
  #closed = false;
  /** Called while there are watches, at least every 50 ms. */
  onPause: () => void = () => {};

  /** @throws {Deno.errors.Busy} when the state has as many openers as it can */
  constructor(memory: StateMemory) {
    const { region, words, floats, geometry, constants } = memory;
    this.memory = memory;
    this.keys = new Keys(constants.seed, constants.keyBytesMax);
    this.table = new Table(memory);
    this.blocks = new Blocks(memory, this.table);
    this.#scans = new ScanThrottle(memory.blockCount);
    this.#deadScans = new ScanThrottle(memory.blockCount);
    const { membersAt: at, memberBytes: bytes } = geometry;
    this.members = new Members({
      region,
      words,
      floats,
      at,
      bytes,
      sessions: WORD.sessions,
      looked: WORD.looked,
    });
    this.members.enter((number) => this.#prepare(number));
    this.#signal = new Notifier(words, WORD.changes);
    this.changes = new Waits(this.#signal, () => this.onPause());
    if (this.members.followsDead) this.#buried();
    this.recover();
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Sets a key to bytes, or to the number of a counter; the version, {@linkcode REFUSED} where the condition does not hold, or
   * {@linkcode FULL}.
   */
  put(key: Key, value: Uint8Array | number, expiresMs: number, condition: Condition): number {
    const block = this.blocks.take();
    if (block === NONE) return FULL;
    this.#write(block, key, value, expiresMs);
    const version = this.#putBlock(block, key, condition);
    if (version === REFUSED || version === FULL) this.blocks.putBack(block);
    else this.count(COUNTER.set);
    return version;
  }

  /** Takes a key away; whether it was there, and the condition held. */
  remove(key: Key, condition: Condition): boolean {
    const { table } = this;
    for (let tries = 0; tries < WRITE_TRIES_MAX; tries++) {
      const record = table.find(key);
      const isThere = record !== NONE && !this.#isExpired(record);
      if (!isThere || !this.#allows(condition, record)) {
        if (!table.isUnchanged()) continue;
        // What cannot be reached any more is cut off.
        if (table.problem !== "" && this.#lead(NONE, NONE) === REFUSED) continue;
        return false;
      }
      if (this.#lead(record, NONE) === REFUSED) continue;
      this.count(COUNTER.deleted);
      return true;
    }
    throw busy(key);
  }

  /**
   * Adds to the number of a key; the new number, or `undefined` when there is no room for the key. `expiresMs` is for a key that was not there.
   *
   * @throws {TypeError} when the key holds no number
   * @throws {RangeError} when the new number is no safe integer
   */
  add(key: Key, by: number, expiresMs: number): number | undefined {
    const { table } = this;
    const { floats } = this.memory;
    for (let tries = 0; tries < WRITE_TRIES_MAX; tries++) {
      const record = table.find(key);
      const isThere = record !== NONE && !this.#isExpired(record);
      const before = isThere ? table.counterOf(record) : 0;
      const version = isThere ? floats[record + RECORD.version >> 1] : 0;
      const keptMs = isThere ? floats[record + RECORD.expiresMs >> 1] : expiresMs;
      if (!table.isUnchanged()) continue;
      if (before === undefined) {
        throw new TypeError(`increment ${key.text}: it holds a value, expected a counter`);
      }
      const number = before + by;
      if (!Number.isSafeInteger(number)) {
        throw new RangeError(
          `increment ${key.text}: ${before} and ${by} is ${number}, expected ${Number.MIN_SAFE_INTEGER} to ` +
            `${Number.MAX_SAFE_INTEGER}`,
        );
      }
      const condition: Condition = isThere ? { kind: "version", version } : ABSENT;
      const result = this.put(key, number, keptMs, condition);
      if (result === FULL) return undefined;
      if (result !== REFUSED) return number;
    }
    throw busy(key);
  }

  /** Makes room of what need not be there: what has expired, and what the dead have left; whether there may be some now. */
  findRoom(): boolean {
    const before = Atomics.load(this.memory.words, WORD.keys);
    this.#expireSome(BLOCKS_PER_LOOK);
    if (Atomics.load(this.memory.words, WORD.keys) < before) return true;
    if (!this.#scans.due) return false;
    this.#expireSome(this.memory.blockCount);
    this.recover();
    this.#audit();
    this.#scans.done();
    return Atomics.load(this.memory.words, WORD.keys) < this.memory.constants.capacity;
  }

  /** Sees to what the dead have left. To be called while nothing is being written. */
  recover(): void {
    const owners = new Uint8Array(STATE_PARTICIPANTS_MAX + 1);
    this.blocks.markOwners(owners);
    if (this.members.clearDead((number) => this.#sweep(number), (number) => owners[number] !== 0)) {
      this.#buried();
    }
  }

  /** Sees to what one has left who died between two steps, and what no block's owner tells. */
  #buried(): void {
    this.#audit();
    // What they changed last, nobody may have told.
    Atomics.add(this.memory.words, WORD.recoveries, 1);
    this.#signal.wakeAll();
  }

  /** Scans all buckets and blocks: for damage, for blocks without an owner, and for how many keys there are. */
  #audit(): void {
    const { table } = this;
    const { bucketCount } = this.memory.geometry;
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      for (let tries = 0; tries <= 2 * CHAIN_MAX; tries++) {
        const record = table.findDamaged(bucket);
        if (record === NONE && table.problem === "") break;
        if (table.isUnchanged() && this.#lead(record, NONE, false) !== REFUSED && record !== NONE) {
          this.count(COUNTER.damaged);
        }
      }
    }
    this.blocks.audit();
    this.#recount();
  }

  /** Checks whether a participant has died; if so, and now and then anyway, scans all blocks. */
  lookForDead(): void {
    if (!this.members.hasDead() && !this.#deadScans.due) return;
    this.recover();
    this.#deadScans.done();
  }

  /** Counts one watch more, or one less; while there are any, changes are reported. */
  watching(more: 1 | -1): void {
    const { words } = this.memory;
    const own = this.#memberAt(this.members.number) + STATE_MEMBER.watches;
    // In this order: what is lost when this opener dies between the two is never a watch.
    if (more > 0) Atomics.add(words, WORD.watching, 1);
    Atomics.add(words, own, more);
    if (more < 0) Atomics.sub(words, WORD.watching, 1);
  }

  /** Adds to a counter of this opener; see `COUNTER`. */
  count(counter: number, more = 1): void {
    this.memory.floats[this.#counters + counter] += more;
  }

  /** What all who have ever been have counted. */
  total(counter: number): number {
    let sum = 0;
    for (let number = 1; number <= STATE_PARTICIPANTS_MAX; number++) {
      sum += this.memory.floats[(this.#memberAt(number) + STATE_MEMBER.counters >> 1) + counter];
    }
    return sum;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.changes.close(new Deno.errors.BadResource("wait for the state: it is closed"));
    this.members.leave((number) => this.#sweep(number));
  }

  #prepare(number: number): void {
    this.blocks.owner = number;
    this.#counters = this.#memberAt(number) + STATE_MEMBER.counters >> 1;
    this.#sweep(number);
  }

  #sweep(number: number): void {
    const { words } = this.memory;
    const watches = Atomics.exchange(words, this.#memberAt(number) + STATE_MEMBER.watches, 0);
    // A damaged one must not make others believe that nobody watches.
    if (watches > 0 && watches <= Atomics.load(words, WORD.watching)) {
      Atomics.sub(words, WORD.watching, watches);
    }
    this.blocks.sweep(number);
  }

  #putBlock(block: number, key: Key, condition: Condition): number {
    const { table } = this;
    const { words } = this.memory;
    let isReserved = false;
    let result = REFUSED;
    for (let tries = 0;; tries++) {
      if (tries === WRITE_TRIES_MAX) throw busy(key);
      const record = table.find(key);
      const isThere = record !== NONE && !this.#isExpired(record);
      const isAllowed = isThere ? this.#allows(condition, record) : allowsAbsent(condition);
      if (!isAllowed) {
        if (!table.isUnchanged()) continue;
        break;
      }
      if (record === NONE && !isReserved) {
        isReserved = this.#reserve();
        if (!isReserved || table.depth === CHAIN_MAX) {
          if (!table.isUnchanged()) continue;
          result = FULL;
          break;
        }
      }
      result = this.#lead(record, block);
      if (result === REFUSED) continue;
      // What was there has given its place.
      if (record !== NONE && isReserved) Atomics.sub(words, WORD.keys, 1);
      return result;
    }
    if (isReserved) Atomics.sub(words, WORD.keys, 1);
    return result;
  }

  /** Whether there may be one more key. */
  #reserve(): boolean {
    const { words, constants } = this.memory;
    if (Atomics.add(words, WORD.keys, 1) < constants.capacity) return true;
    Atomics.sub(words, WORD.keys, 1);
    return false;
  }

  /**
   * Has the bucket that `find()` has looked at lead to `block` in place of `record`, either of which may be {@linkcode NONE}. The version of what it
   * leads to then, or {@linkcode REFUSED} when it has changed meanwhile. `isTaken` false: the block of `record` is not to be written to, as
   * another bucket may lead to it.
   */
  #lead(record: number, block: number, isTaken = true): number {
    const { memory, table, blocks } = this;
    const { words, floats, constants } = memory;
    const { at, low, high, block: old, path, problem } = table;
    const version = nextVersion(low, high);
    const depth = record === NONE && problem === "" ? 0 : table.depth;
    // SYNC bucket: read while the bucket leads to it, if it still does when it is changed.
    const oldWord = record === NONE ? 0 : memory.load(old);
    let next = record !== NONE ? words[record + RECORD.next] : problem === "" ? blockOf(low) + 1 : 0;
    // Records are never changed: what is before the one that goes is copied.
    let removed = record === NONE ? 0 : 1;
    const copies: number[] = depth === 0 ? NO_COPIES : [];
    const words0: number[] = depth === 0 ? NO_COPIES : [];
    for (let index = depth - 1; index >= 0; index--) {
      const from = memory.recordOf(path[index]);
      words0[index] = memory.load(path[index]);
      if (this.#isExpired(from)) {
        removed++;
        continue;
      }
      const copy = blocks.take();
      if (copy === NONE) {
        for (const each of copies) blocks.putBack(each);
        if (table.isUnchanged()) {
          throw new Deno.errors.Busy("write to the state: all of its blocks are in use");
        }
        return REFUSED;
      }
      copies.push(copy);
      blocks.begin(copy);
      if (this.#copy(from, memory.recordOf(copy), next)) next = copy + 1;
      else removed++;
    }
    if (block !== NONE) {
      const to = memory.recordOf(block);
      floats[to + RECORD.version >> 1] = version;
      words[to + RECORD.next] = next;
      if (constants.checksums !== 0) words[to + RECORD.checksum] = table.checksumOf(to);
      next = block + 1;
    }
    if (!memory.lead(at, low, high, next - 1)) {
      for (const each of copies) blocks.putBack(each);
      return REFUSED;
    }
    const gone = removed - (record === NONE || block === NONE ? 0 : 1);
    if (gone > 0) Atomics.sub(words, WORD.keys, gone);
    if (problem !== "") this.count(COUNTER.damaged);
    if (block !== NONE) blocks.published(block);
    // One that could not be copied is damaged, and no bucket leads to it.
    for (const copy of copies) blocks.published(copy);
    for (let index = 0; index < depth; index++) blocks.unlinked(path[index], words0[index]);
    if (record !== NONE && isTaken) blocks.unlinked(old, oldWord);
    if (Atomics.load(words, WORD.watching) !== 0) this.#tell(at - memory.buckets >> 1);
    return version;
  }

  /** Leaves a hint that a bucket has changed. */
  #tell(bucket: number): void {
    const { words, geometry } = this.memory;
    const position = Atomics.add(words, WORD.tail, 1);
    const at = (geometry.changesAt >> 2) + (position & CHANGE_COUNT - 1);
    Atomics.store(words, at, lapOf(position) << BUCKET_BITS | bucket);
    this.#signal.wakeAll();
  }

  /** Writes a record, but for what depends on the bucket. */
  #write(block: number, key: Key, value: Uint8Array | number, expiresMs: number): void {
    const { memory } = this;
    const { words, floats, bytes } = memory;
    this.blocks.begin(block);
    const record = memory.recordOf(block);
    words[record + RECORD.hash] = key.hash;
    words[record + RECORD.keyBytes] = key.byteLength;
    floats[record + RECORD.expiresMs >> 1] = expiresMs;
    const keyAt = memory.keyOf(record);
    const keyWords = key.words;
    for (let index = 0; index < keyWords.length; index++) words[keyAt + index] = keyWords[index];
    const valueAt = keyAt + keyWords.length;
    if (typeof value === "number") {
      words[record + RECORD.kind] = KIND.counter;
      words[record + RECORD.valueBytes] = 8;
      floats[valueAt / 2] = value;
      return;
    }
    const { length } = value;
    words[record + RECORD.kind] = KIND.bytes;
    words[record + RECORD.valueBytes] = length;
    if (length <= LOOP_COPY_BYTES_MAX) {
      const to = valueAt * 4;
      for (let index = 0; index < length; index++) bytes[to + index] = value[index];
    } else bytes.set(value, valueAt * 4);
  }

  /** Copies a record, with another `next`; false when its lengths are impossible: it is being overwritten, or damaged. */
  #copy(from: number, to: number, next: number): boolean {
    const { words, bytes, constants } = this.memory;
    const [keyBytes, valueBytes] = [words[from + RECORD.keyBytes], words[from + RECORD.valueBytes]];
    if (keyBytes >>> 0 > constants.keyBytesMax || valueBytes >>> 0 > constants.valueBytesMax) return false;
    const end = from * 4 + RECORD_HEADER_BYTES + (keyBytes + 7 & ~7) + valueBytes;
    bytes.copyWithin(to * 4, from * 4, end);
    words[to + RECORD.next] = next;
    return true;
  }

  #allows(condition: Condition, record: number): boolean {
    if (condition.kind === "always") return true;
    return condition.kind === "version" &&
      this.memory.floats[record + RECORD.version >> 1] === condition.version;
  }

  #isExpired(record: number): boolean {
    const expiresMs = this.memory.floats[record + RECORD.expiresMs >> 1];
    return expiresMs !== 0 && expiresMs <= Date.now();
  }

  /** Takes away what has expired among the next `count` blocks. */
  #expireSome(count: number): void {
    const { memory, table } = this;
    for (let index = 0; index < count; index++) {
      const block = this.#hand = this.#hand + 1 < memory.blockCount ? this.#hand + 1 : 0;
      const record = memory.recordOf(block);
      if (!this.#isExpired(record)) continue;
      const text = table.textOf(record);
      // What was read may be half overwritten: then it is no key, or one that has not expired.
      if (text !== undefined && text.isWellFormed() && text.length > 0) this.#removeExpired(text);
    }
  }

  #removeExpired(text: string): void {
    const { table } = this;
    let key: Key;
    try {
      key = this.keys.of(text);
    } catch {
      return;
    }
    for (let tries = 0; tries < WRITE_TRIES_MAX; tries++) {
      const record = table.find(key);
      if (record === NONE || !this.#isExpired(record)) return;
      if (this.#lead(record, NONE) === REFUSED) continue;
      this.count(COUNTER.expired);
      return;
    }
  }

  /** Sets the number of keys right that a death has left wrong; not while others add or remove some. */
  #recount(): void {
    const { words } = this.memory;
    for (let tries = 0; tries < 3; tries++) {
      const before = Atomics.load(words, WORD.keys);
      const count = this.blocks.countLive();
      if (Atomics.compareExchange(words, WORD.keys, before, count) === before) return;
    }
  }

  #memberAt(number: number): number {
    const { membersAt, memberBytes } = this.memory.geometry;
    return membersAt + number * memberBytes >> 2;
  }
}

const NO_COPIES: number[] = [];

/** The lap of a position in the ring of changes, from 1, so that no cell that was never written has it. */
export function lapOf(position: number): number {
  return (position >>> 10) % 255 + 1;
}

function allowsAbsent(condition: Condition): boolean {
  return condition.kind !== "version" || condition.version === 0;
}

function busy(key: Key): Error {
  return new Deno.errors.Busy(
    `write to the state: the bucket of ${key.text} was changed ${WRITE_TRIES_MAX} times meanwhile`,
  );
}
