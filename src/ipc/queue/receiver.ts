import { COUNTER, FLAG, LANE, laneAt, RECORD } from "./layout.ts";
import type { Hints } from "./hints.ts";
import type { OwnSlots } from "./own_slots.ts";
import type { Participants } from "./participants.ts";
import type { QueueMemory } from "./queue_memory.ts";
import { flagsOf, inLane, laneOf, requesterOf } from "./route.ts";
import { freed, generationOf, moved, PHASE, phaseOf } from "./slot_word.ts";
import { NOBODY } from "../sharing/mod.ts";

/** What `Receiver.take()` gives when there is no message. */
export const NO_MESSAGE = -1;

/** Scans that others spoil by taking what was found, after which a call gives up. */
const SCANS_MAX = 64;

/** Which lanes are received from. */
export type LaneChoice = "messages" | "dead letters";

/** Callbacks for what becomes of messages. */
export interface ReceiverEvents {
  /** One that was not delivered is no more. */
  readonly onFree: () => void;
  readonly onDeadLetter: () => void;
  /** One is no more that may have had a box of the mailbox. */
  readonly onBoxLeft: () => void;
  /** A request of `requester` will have no reply. */
  readonly onRequestLost: (requester: number) => void;
}

/** Reserves messages, and decides what becomes of those that are too old or were delivered too often. */
export class Receiver {
  readonly #memory: QueueMemory;
  readonly #words: Int32Array;
  readonly #hints: Hints;
  readonly #participants: Participants;
  readonly #own: OwnSlots;
  readonly #events: ReceiverEvents;
  readonly #deadLane: number;
  readonly #deliveryCountMax: number;
  readonly #partitions: number;
  /** Partition that the next call tries first. */
  #cursor = 0;
  /** Of each partition, whether this participant has it: as with slots, one that is its own by the word alone is damaged. */
  readonly #hasPartition: boolean[];
  /** Partitions that this participant has, by the slots of the messages that it has of them. */
  readonly #taken = new Map<number, number>();

  constructor(
    memory: QueueMemory,
    hints: Hints,
    participants: Participants,
    own: OwnSlots,
    events: ReceiverEvents,
  ) {
    this.#events = events;
    this.#memory = memory;
    this.#words = memory.words;
    this.#hints = hints;
    this.#participants = participants;
    this.#own = own;
    this.#deadLane = memory.geometry.laneCount;
    this.#deliveryCountMax = memory.constants.deliveryCountMax;
    this.#partitions = memory.constants.partitions;
    this.#hasPartition = new Array<boolean>(this.#partitions).fill(false);
  }

  /**
   * Reserves the next message and returns its slot; {@linkcode NO_MESSAGE} when there is none. With `isScan` it is found without a hint,
   * too.
   */
  take(choice: LaneChoice, isScan: boolean): number {
    const isDead = choice === "dead letters";
    if (this.#partitions > 0 && !isDead) return this.#takePartitioned(isScan);
    const first = isDead ? this.#deadLane : 0;
    const end = isDead ? first + 1 : this.#deadLane;
    const slot = this.#takeHinted(first, end);
    return slot === NO_MESSAGE && isScan ? this.#takeScanned(first, end) : slot;
  }

  /** Acknowledges a message: its slot is free. */
  free(slot: number): void {
    const word = this.#memory.load(slot);
    const record = this.#memory.recordOf(slot);
    const hasBox = Atomics.load(this.#words, record + RECORD.box) !== 0;
    const requester = this.#requesterOf(record);
    this.#own.leave(slot, word, freed(word));
    if (hasBox) this.#events.onBoxLeft();
    if (requester !== NOBODY) this.#events.onRequestLost(requester);
  }

  /** Returns a message to the queue, so that it can be received again. */
  giveBack(slot: number): void {
    const word = this.#memory.load(slot);
    const lane = this.#laneAt(slot);
    this.#own.leave(slot, word, moved(word, PHASE.ready, NOBODY));
    this.#hints.leave(lane, slot);
  }

  /** Whether what is in a slot is a dead letter. */
  isDeadLetter(slot: number): boolean {
    return this.#laneAt(slot) === this.#deadLane;
  }

  /**
   * Lets others have the messages of the partition that came with the message in a slot; false when none did. To be called behind `free()` or
   * `giveBack()`.
   */
  releasePartitionOf(slot: number): boolean {
    const lane = this.#taken.get(slot);
    if (lane === undefined) return false;
    this.#taken.delete(slot);
    this.#releasePartition(lane);
    return true;
  }

  /** Lets go of partitions that are said to be this participant's and are not; whether there were any. */
  mendPartitions(): boolean {
    let found = false;
    for (let lane = 0; lane < this.#partitions; lane++) {
      if (Atomics.load(this.#words, this.#ownerAt(lane)) !== this.#participants.number) continue;
      if (this.#hasPartition[lane]) continue;
      this.#releasePartition(lane);
      this.#participants.count(COUNTER.damaged);
      found = true;
    }
    return found;
  }

  /** Removes a message without a consumer, the oldest of the least urgent. Returns whether there was one. */
  dropOldest(): boolean {
    for (let lane = this.#deadLane - 1; lane >= 0; lane--) {
      const slot = this.#reserveOldest(lane, NO_MESSAGE);
      if (slot === NO_MESSAGE) continue;
      this.free(slot);
      this.#participants.count(COUNTER.dropped);
      return true;
    }
    const slot = this.#reserveScanned(0, this.#deadLane);
    if (slot === NO_MESSAGE) return false;
    this.free(slot);
    this.#participants.count(COUNTER.dropped);
    return true;
  }

  /** Removes every message without a consumer, dead letters included. Returns how many. */
  purge(): number {
    const { capacity, geometry } = this.#memory;
    let count = 0;
    for (let lane = 0; lane <= this.#deadLane; lane++) {
      for (let looks = 0; looks < geometry.cellCount; looks++) {
        const slot = this.#reserveOldest(lane, NO_MESSAGE);
        if (slot === NO_MESSAGE) break;
        this.free(slot);
        count++;
      }
    }
    for (let slot = 0; slot < capacity; slot++) {
      const word = this.#memory.load(slot);
      if (phaseOf(word) !== PHASE.ready || !this.#own.reserve(slot, word)) continue;
      this.free(slot);
      count++;
    }
    return count;
  }

  /** Frees the slots of messages that are too old; returns how many. */
  freeExpired(nowMs: number): number {
    const memory = this.#memory;
    let count = 0;
    for (let slot = 0; slot < memory.capacity; slot++) {
      if (phaseOf(memory.peek(slot)) !== PHASE.ready || !this.#isExpired(slot, nowMs)) continue;
      const word = memory.load(slot);
      // It may be another message's by now.
      if (phaseOf(word) !== PHASE.ready || !this.#isExpired(slot, nowMs) || this.isDeadLetter(slot)) continue;
      if (!this.#own.reserve(slot, word)) continue;
      this.free(slot);
      this.#events.onFree();
      count++;
    }
    if (count > 0) this.#participants.count(COUNTER.expired, count);
    return count;
  }

  #isExpired(slot: number, nowMs: number): boolean {
    const expiresMs = this.#memory.floats[this.#memory.recordOf(slot) + RECORD.expiresMs >> 1];
    return expiresMs !== 0 && expiresMs <= nowMs;
  }

  #takeHinted(first: number, end: number): number {
    for (let lane = first; lane < end; lane++) {
      for (;;) {
        const slot = this.#reserveOldest(lane, NO_MESSAGE);
        if (slot === NO_MESSAGE) break;
        if (this.accept(slot)) return slot;
      }
    }
    return NO_MESSAGE;
  }

  /** Scans the slots themselves: a hint may be missing. */
  #takeScanned(first: number, end: number): number {
    for (;;) {
      const slot = this.#reserveScanned(first, end);
      if (slot === NO_MESSAGE || this.accept(slot)) return slot;
    }
  }

  #reserveScanned(first: number, end: number): number {
    for (let scans = 0; scans < SCANS_MAX; scans++) {
      const found = this.#oldestReady(first, end);
      if (found === NO_MESSAGE) return found;
      const slot = this.#reserveOldest(this.#laneAt(found), found);
      if (slot !== NO_MESSAGE) return slot;
    }
    return NO_MESSAGE;
  }

  #oldestReady(first: number, end: number): number {
    const memory = this.#memory;
    let best = NO_MESSAGE;
    for (let slot = 0; slot < memory.capacity; slot++) {
      if (phaseOf(memory.peek(slot)) !== PHASE.ready || !this.#isWithin(slot, first, end)) continue;
      if (best === NO_MESSAGE || this.#isBefore(slot, best)) best = slot;
    }
    return best;
  }

  #isWithin(slot: number, first: number, end: number): boolean {
    const lane = this.#laneAt(slot);
    return lane >= first && lane < end;
  }

  /** Whether what is in one slot goes before what is in another: by priority, then by age. */
  #isBefore(a: number, b: number): boolean {
    const { words, floats } = this.#memory;
    const [recordA, recordB] = [this.#memory.recordOf(a), this.#memory.recordOf(b)];
    const lanes = this.#partitions > 0 ? 0 : this.#laneAt(a) - this.#laneAt(b);
    if (lanes !== 0) return lanes < 0;
    const times = floats[recordA + RECORD.sentMs >> 1] - floats[recordB + RECORD.sentMs >> 1];
    if (times !== 0) return times < 0;
    const sessions = words[recordA + RECORD.session] - words[recordB + RECORD.session] | 0;
    if (sessions !== 0) return sessions < 0;
    return (words[recordA + RECORD.sequence] - words[recordB + RECORD.sequence] | 0) < 0;
  }

  #takePartitioned(isScan: boolean): number {
    const partitions = this.#partitions;
    for (let looked = 0; looked < partitions; looked++) {
      const lane = this.#cursor;
      this.#cursor = lane + 1 < partitions ? lane + 1 : 0;
      if (this.#hints.first(lane) < 0) continue;
      const slot = this.#takeOfPartition(lane);
      if (slot !== NO_MESSAGE) return slot;
    }
    return isScan ? this.#takePartitionedScanned() : NO_MESSAGE;
  }

  /** Takes the oldest message of a partition, and with it the partition; neither when another has it. */
  #takeOfPartition(lane: number, scanned: number = NO_MESSAGE): number {
    if (!this.#takePartition(lane)) return NO_MESSAGE;
    for (;;) {
      const slot = this.#reserveOldest(lane, scanned);
      if (slot === NO_MESSAGE) break;
      if (!this.accept(slot)) continue;
      this.#taken.set(slot, lane);
      return slot;
    }
    this.#releasePartition(lane);
    return NO_MESSAGE;
  }

  #takePartition(lane: number): boolean {
    const owner = this.#participants.number;
    if (Atomics.compareExchange(this.#words, this.#ownerAt(lane), NOBODY, owner) !== NOBODY) return false;
    this.#hasPartition[lane] = true;
    return true;
  }

  #releasePartition(lane: number): void {
    this.#hasPartition[lane] = false;
    Atomics.compareExchange(this.#words, this.#ownerAt(lane), this.#participants.number, NOBODY);
  }

  /**
   * Reserves the message of the first hint of `lane` that tells the truth, or where there is none, the one in slot `scanned`; or an older one
   * of the same producer.
   */
  #reserveOldest(lane: number, scanned: number): number {
    const memory = this.#memory;
    const hints = this.#hints;
    for (;;) {
      const hinted = hints.first(lane);
      const candidate = hinted < 0 ? scanned : hinted;
      if (candidate === NO_MESSAGE) return NO_MESSAGE;
      const word = memory.load(candidate);
      if (phaseOf(word) !== PHASE.ready || this.#laneAt(candidate) !== lane) {
        if (hinted < 0) return NO_MESSAGE;
        hints.pass();
        continue;
      }
      const slot = this.#oldestBefore(candidate, lane);
      const found = slot === candidate ? word : memory.load(slot);
      // Another participant was faster: start over.
      if (phaseOf(found) !== PHASE.ready || this.#laneAt(slot) !== lane || !this.#own.reserve(slot, found)) {
        continue;
      }
      if (slot === hinted) hints.pass();
      return slot;
    }
  }

  /**
   * The oldest message that can be had of the same producer and lane, when it goes before `candidate`: in a partition always, else as long as
   * nobody has had it. A hint may be missing, or left over from an earlier message in its slot, so hints alone do not give the order.
   *
   * Each record names the slot and generation of the message before it, which is out of the way when the slot has been free since.
   */
  #oldestBefore(candidate: number, lane: number): number {
    const { words, capacity } = this.#memory;
    let slot = candidate;
    for (let steps = 0; steps < capacity; steps++) {
      const record = this.#memory.recordOf(slot);
      const previous = Atomics.load(words, record + RECORD.previousSlot) - 1;
      if (previous < 0 || previous >= capacity) break;
      const word = this.#memory.load(previous);
      if (generationOf(word) !== Atomics.load(words, record + RECORD.previousGeneration)) break;
      if (phaseOf(word) !== PHASE.ready || this.#laneAt(previous) !== lane) break;
      const previousRecord = this.#memory.recordOf(previous);
      if (this.#partitions === 0 && Atomics.load(words, previousRecord + RECORD.deliveryCount) > 0) break;
      slot = previous;
    }
    return slot;
  }

  #takePartitionedScanned(): number {
    const memory = this.#memory;
    for (let scans = 0; scans < SCANS_MAX; scans++) {
      let best = NO_MESSAGE;
      for (let slot = 0; slot < memory.capacity; slot++) {
        if (phaseOf(memory.peek(slot)) !== PHASE.ready) continue;
        const lane = this.#laneAt(slot);
        if (lane >= this.#partitions || Atomics.load(this.#words, this.#ownerAt(lane)) !== NOBODY) continue;
        if (best === NO_MESSAGE || this.#isBefore(slot, best)) best = slot;
      }
      if (best === NO_MESSAGE) return NO_MESSAGE;
      const slot = this.#takeOfPartition(this.#laneAt(best), best);
      if (slot !== NO_MESSAGE) return slot;
    }
    return NO_MESSAGE;
  }

  /** Counts a delivery of what was just reserved; false when it is not to be delivered, and has been seen to. */
  accept(slot: number): boolean {
    const { words, floats } = this.#memory;
    const record = this.#memory.recordOf(slot);
    const expiresMs = floats[record + RECORD.expiresMs >> 1];
    const isDead = this.#laneAt(slot) === this.#deadLane;
    if (expiresMs !== 0 && !isDead && expiresMs <= Date.now()) {
      this.free(slot);
      this.#participants.count(COUNTER.expired);
      this.#events.onFree();
      return false;
    }
    const deliveryCount = words[record + RECORD.deliveryCount];
    if (this.#deliveryCountMax > 0 && deliveryCount >= this.#deliveryCountMax && !isDead) {
      this.#bury(slot, record);
      return false;
    }
    words[record + RECORD.deliveryCount] = deliveryCount + 1;
    return true;
  }

  /** Whether what is in a slot was delivered so often that it is a dead letter when it comes to its next delivery. */
  isSpent(slot: number): boolean {
    const count = Atomics.load(this.#words, this.#memory.recordOf(slot) + RECORD.deliveryCount);
    return this.#deliveryCountMax > 0 && count >= this.#deliveryCountMax;
  }

  /** Moves messages that are dead letters, and that nobody has come to since, to the others; returns how many. */
  burySpent(): number {
    if (this.#deliveryCountMax === 0) return 0;
    const memory = this.#memory;
    let count = 0;
    for (let slot = 0; slot < memory.capacity; slot++) {
      const word = memory.load(slot);
      if (phaseOf(word) !== PHASE.ready || this.isDeadLetter(slot) || !this.isSpent(slot)) continue;
      if (!this.#own.reserve(slot, word)) continue;
      this.#bury(slot, memory.recordOf(slot));
      count++;
    }
    return count;
  }

  /** Moves a message that nobody got done with to the dead letters, the oldest of which gives way when there are too many. */
  #bury(slot: number, record: number): void {
    this.#participants.count(COUNTER.deadLettered);
    const { deadLetterCountMax } = this.#memory.constants;
    if (deadLetterCountMax === 0) return this.#drop(slot);
    this.#dropDeadLetters(deadLetterCountMax - 1);
    const route = this.#words[record + RECORD.route];
    const requester = this.#requesterOf(record);
    const plain = inLane(route, this.#deadLane) & ~(FLAG.request << 24);
    Atomics.store(this.#words, record + RECORD.route, plain);
    this.giveBack(slot);
    // Another opener may have buried one since they were counted.
    this.#dropDeadLetters(deadLetterCountMax);
    this.#events.onDeadLetter();
    if (requester !== NOBODY) this.#events.onRequestLost(requester);
  }

  /** Drops the oldest dead letters, until there are no more than `countMax`. */
  #dropDeadLetters(countMax: number): void {
    for (;;) {
      // Chosen before they are counted: of several openers that find one too many, one gets it.
      const hinted = this.#hintedDeadLetter();
      const oldest = hinted === NO_MESSAGE ? this.#oldestReady(this.#deadLane, this.#deadLane + 1) : hinted;
      if (oldest === NO_MESSAGE) return;
      const word = this.#memory.load(oldest);
      if (this.#countReady(this.#deadLane) <= countMax) return;
      if (phaseOf(word) !== PHASE.ready || !this.isDeadLetter(oldest)) continue;
      if (!this.#own.reserve(oldest, word)) continue;
      if (oldest === hinted) this.#hints.pass();
      this.#drop(oldest);
    }
  }

  /** The dead letter of the first hint that tells the truth, which `#hints.pass()` takes away then. */
  #hintedDeadLetter(): number {
    for (;;) {
      const slot = this.#hints.first(this.#deadLane);
      if (slot < 0) return NO_MESSAGE;
      if (phaseOf(this.#memory.load(slot)) === PHASE.ready && this.isDeadLetter(slot)) return slot;
      this.#hints.pass();
    }
  }

  /** Frees a reserved slot, whose message nobody shall have. */
  #drop(slot: number): void {
    this.free(slot);
    this.#participants.count(COUNTER.dropped);
    this.#events.onFree();
  }

  #countReady(lane: number): number {
    let count = 0;
    for (let slot = 0; slot < this.#memory.capacity; slot++) {
      if (phaseOf(this.#memory.load(slot)) === PHASE.ready && this.#laneAt(slot) === lane) count++;
    }
    return count;
  }

  /** Who may wait for a reply to what a record holds; {@linkcode NOBODY}. */
  #requesterOf(record: number): number {
    const route = Atomics.load(this.#words, record + RECORD.route);
    if ((flagsOf(route) & FLAG.request) === 0) return NOBODY;
    const requester = requesterOf(route);
    const session = this.#words[record + RECORD.requestSession];
    return this.#participants.isSession(requester, session) ? requester : NOBODY;
  }

  #laneAt(slot: number): number {
    const route = Atomics.load(this.#words, this.#memory.recordOf(slot) + RECORD.route);
    return laneOf(route, this.#memory.geometry);
  }

  #ownerAt(lane: number): number {
    return (laneAt(this.#memory.geometry, lane) >> 2) + LANE.owner;
  }
}
