import type { Boxes } from "./boxes.ts";
import { Hints } from "./hints.ts";
import { checksumOf } from "./checksum.ts";
import { decompress } from "./compression.ts";
import {
  QUEUE_LEFT,
  RECOVERY_CHECK_TABLE,
  RECOVERY_CHECKS_FOR,
  type RecoveryCheck,
} from "../../../ffi/mod.ts";
import { COUNTER, FLAG, laneAt, QUEUE_PARTICIPANTS_MAX, RECORD, repliesOf, WORD } from "./layout.ts";
import { FastPath, type ReceivedRecord, type ReservedBatch } from "./fast_path.ts";
import { Notifier, ScanThrottle, Slab, SLEEP_MS_MAX, Waits } from "../sharing/mod.ts";
import { Message } from "./message.ts";
import { OpenerState } from "./opener_state.ts";
import { OwnSlots } from "./own_slots.ts";
import { Participants, type Recovered } from "./participants.ts";
import type { QueueMemory } from "./queue_memory.ts";
import type { InPlaceHandler } from "./queue_options.ts";
import { type LaneChoice, NO_MESSAGE, Receiver } from "./receiver.ts";
import { ReplyHints } from "./reply_hints.ts";
import { flagsOf, inLane, sentLaneOf } from "./route.ts";
import { type Envelope, NO_SLOT, Sender } from "./sender.ts";
import { generationOf, ownerOf, PHASE, phaseOf } from "./slot_word.ts";

/** Messages received between two looks at the clock, for who never waits. */
const RECEIVED_PER_LOOK = 64;

/** One opener of a queue: everything that happens to its memory, and what waits for it. */
export class QueueCore {
  readonly memory: QueueMemory;
  readonly participants: Participants;
  readonly state: OpenerState;
  readonly sender: Sender;
  readonly receiver: Receiver;
  /** Those who wait for messages, for room, for replies, and for dead letters. */
  readonly items: Waits;
  readonly room: Waits;
  readonly replies: Waits;
  readonly replyHints: ReplyHints;
  /** Those of the mailbox, while it is open. */
  boxes: Boxes | undefined;
  readonly deadLetters: Waits;
  readonly #itemsNotifier: Notifier;
  readonly #deadLettersNotifier: Notifier;
  readonly #roomNotifier: Notifier;
  readonly #boxesNotifier: Notifier;
  readonly #slab: Slab;
  readonly #own: OwnSlots;
  readonly #fast: FastPath | undefined;
  /** One that nobody uses. */
  #batch: ReservedBatch | undefined;
  readonly #draining = new Set<ReservedBatch>();
  #received = 0;
  #lookedMs = 0;
  readonly #scans: ScanThrottle;
  readonly #roomScans: ScanThrottle;
  readonly #recoveries: ScanThrottle;
  #janitor: ReturnType<typeof setInterval> | undefined;
  #outstanding = 0;
  #closed = false;

  /** @throws {Deno.errors.Busy} when the queue has as many openers as it can */
  constructor(memory: QueueMemory, options: { readonly native: boolean } = { native: true }) {
    this.memory = memory;
    this.#scans = new ScanThrottle(memory.capacity);
    this.#roomScans = new ScanThrottle(memory.capacity);
    this.#recoveries = new ScanThrottle(memory.capacity);
    this.#slab = new Slab(memory.bytes, memory.words, memory.constants.messageBytesMax);
    const hints = new Hints(memory);
    this.#own = new OwnSlots(memory);
    this.participants = new Participants(memory, hints, this.#own);
    this.participants.attach();
    this.state = new OpenerState(memory, this.participants, this.#own);
    this.sender = new Sender(memory, hints, this.participants, this.state);
    this.receiver = new Receiver(memory, hints, this.participants, this.#own, {
      onFree: () => this.#roomNotifier.wake(),
      onDeadLetter: () => this.#deadLettersNotifier.wake(),
      onBoxLeft: () => this.#boxesNotifier.wakeAll(),
      onRequestLost: (requester) => this.#loseRequest(requester),
    });
    const repliesAt = repliesOf(this.participants.number);
    const { laneCount } = memory.geometry;
    const { messages, room, nothing } = RECOVERY_CHECKS_FOR;
    this.#itemsNotifier = new Notifier(memory.words, WORD.items, this.recoveryCheck(messages, 0, laneCount));
    const deadLettersCheck = this.recoveryCheck(messages, laneCount, laneCount + 1);
    this.#deadLettersNotifier = new Notifier(memory.words, WORD.deadLetters, deadLettersCheck);
    this.#roomNotifier = new Notifier(memory.words, WORD.room, this.recoveryCheck(room));
    this.#boxesNotifier = new Notifier(memory.words, WORD.boxes);
    if (options.native && FastPath.serves(memory)) this.#fast = new FastPath(memory, this.state, this.#slab);
    const recover = () => void this.#lookForDead();
    this.items = new Waits(this.#itemsNotifier, recover);
    this.deadLetters = new Waits(this.#deadLettersNotifier, recover);
    this.room = new Waits(this.#roomNotifier, recover);
    this.replyHints = new ReplyHints(memory, this.participants);
    this.replies = new Waits(
      new Notifier(memory.words, repliesAt, this.recoveryCheck(nothing)),
      recover,
      () => this.replyHints.due(),
    );
    this.recover();
    if (this.participants.followsDead) this.#tellEverybody();
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Sends, if there is room; the slot, or {@linkcode NO_SLOT}. */
  trySend(data: Uint8Array, envelope: Envelope): number {
    const isPlain = (envelope.flags & FLAG.request) === 0 && envelope.box === undefined;
    if (this.#fast !== undefined && isPlain) return this.#fast.trySend(data, envelope);
    const slot = this.sender.trySend(data, envelope, Date.now());
    if (slot !== NO_SLOT) this.#itemsNotifier.wake();
    return slot;
  }

  /** Sends those of `messages` from index `from` on, before `end`, that there is room for; how many, or some of them. */
  trySendMany(messages: readonly Uint8Array[], from: number, end: number, envelope: Envelope): number {
    const isPlain = (envelope.flags & FLAG.request) === 0 && envelope.box === undefined;
    if (this.#fast !== undefined && isPlain) return this.#fast.trySendMany(messages, from, end, envelope);
    // So that their ids follow each other.
    this.state.prepare(end - from);
    let index = from;
    while (index < end && this.trySend(messages[index], envelope) !== NO_SLOT) index++;
    return index - from;
  }

  /** Makes room of what need not be there: what the dead left, and what is too old; whether there is some now. */
  findRoom(): boolean {
    if (!this.#roomScans.due) return false;
    const free = this.#lookForDead();
    const expired = this.freeExpired();
    this.#roomScans.done();
    return expired + free > 0;
  }

  /** Frees the slots of messages that are too old; returns how many. */
  freeExpired(): number {
    return this.receiver.freeExpired(Date.now());
  }

  /** Removes every message without a consumer. Returns how many. */
  purge(): number {
    const count = this.receiver.purge();
    if (count > 0) this.#roomNotifier.wakeAll();
    this.boxes?.recover();
    return count;
  }

  /** Makes room for one message, if any can be dropped. */
  dropOldest(): boolean {
    return this.receiver.dropOldest();
  }

  /** The next message, acknowledged; `undefined` when there is none. */
  receive(): Message | undefined {
    for (let record = this.#receiveFast(true); record !== undefined; record = this.#receiveFast(true)) {
      if (record.data !== undefined) return this.#messageOf(record, record.data, true);
      if (this.#acceptLeft(record.slot)) return this.#readAndAck(record.slot);
    }
    const slot = this.take("messages");
    return slot === NO_MESSAGE ? undefined : this.#readAndAck(slot);
  }

  /** Up to `countMax` messages, acknowledged, to the end of `messages`; damaged ones are left out. */
  receiveMany(messages: Message[], countMax: number): void {
    while (messages.length < countMax) {
      const count = this.#fast?.receive(true, countMax - messages.length) ?? 0;
      for (let index = 0; index < count; index++) {
        const record = this.#fast?.recordAt(index);
        if (record === undefined) break;
        const { slot, data } = record;
        try {
          if (data !== undefined) messages.push(this.#messageOf(record, data, true));
          else if (this.#acceptLeft(slot)) messages.push(this.#readAndAck(slot));
        } catch (error) {
          throwUnlessDamaged(error);
        }
      }
      if (count > 0) continue;
      const slot = this.take("messages");
      if (slot === NO_MESSAGE) break;
      try {
        messages.push(this.#readAndAck(slot));
      } catch (error) {
        throwUnlessDamaged(error);
      }
    }
    this.#lookAroundNowAndThen();
  }

  /**
   * Has `onMessage` work off up to `countMax` messages, one after the other, and acknowledges each behind it; how many. When it throws, that
   * message is given back, and when it closes the queue, too.
   */
  drainInPlace(onMessage: InPlaceHandler, countMax: number): number {
    let count = 0;
    while (count < countMax && !this.#closed) {
      const more = this.#drainBatch(onMessage, countMax - count);
      if (more === 0) return count + this.#drainCopies(onMessage, countMax - count);
      count += more;
    }
    return count;
  }

  /** The next message, and the slot in which it is this participant's; `undefined` when there is none. */
  reserve(): { slot: number; message: Message } | undefined {
    for (let record = this.#receiveFast(false); record !== undefined; record = this.#receiveFast(false)) {
      const { slot, data } = record;
      if (data === undefined) {
        if (this.#acceptLeft(slot)) return { slot, message: this.read(slot) };
        continue;
      }
      this.#outstanding++;
      return { slot, message: this.#messageOf(record, data, false) };
    }
    const slot = this.take("messages");
    return slot === NO_MESSAGE ? undefined : { slot, message: this.read(slot) };
  }

  /** Reserves the next message, without native code; its slot, or {@linkcode NO_MESSAGE}. */
  take(choice: LaneChoice): number {
    this.#lookAroundNowAndThen();
    const isScan = this.#scans.due;
    let slot = this.receiver.take(choice, isScan);
    if (slot === NO_MESSAGE && isScan && choice === "dead letters" && this.receiver.burySpent() > 0) {
      slot = this.receiver.take(choice, true);
    }
    if (slot !== NO_MESSAGE) this.#delivered();
    else if (isScan) this.#scans.done();
    return slot;
  }

  /** Copies what a reserved slot holds. @throws {Deno.errors.InvalidData} when it is damaged; the slot is free then */
  read(slot: number): Message {
    const { words, floats, constants } = this.memory;
    const record = this.memory.recordOf(slot);
    const route = words[record + RECORD.route];
    const data = this.readBytes(slot);
    const redeliveryCount = words[record + RECORD.deliveryCount] - 1;
    if (redeliveryCount > 0) this.participants.count(COUNTER.redelivered);
    const lane = this.#sentLane(route);
    return new Message({
      data,
      session: words[record + RECORD.session],
      sequence: words[record + RECORD.sequence],
      timestampMs: floats[record + RECORD.sentMs >> 1],
      redeliveryCount,
      priority: constants.partitions > 0 ? 0 : lane,
      partition: constants.partitions > 0 ? lane : undefined,
    });
  }

  /** A copy of the bytes in a slot that this participant owns. */
  readBytes(slot: number): Uint8Array<ArrayBuffer> {
    const { words, constants } = this.memory;
    const record = this.memory.recordOf(slot);
    const length = words[record + RECORD.byteLength];
    if (length >>> 0 > constants.messageBytesMax) this.#damaged(slot, `a message of ${length >>> 0} bytes`);
    const at = this.memory.messageOf(slot);
    const data = this.#slab.copy(at, length);
    if (constants.checksums !== 0) {
      const checksum = checksumOf(this.memory, record, generationOf(this.memory.load(slot)), data);
      if (checksum !== words[record + RECORD.checksum]) this.#damaged(slot, "its checksum is wrong");
    }
    const isCompressed = (flagsOf(words[record + RECORD.route]) & FLAG.compressed) !== 0;
    return isCompressed ? this.#decompressed(data, slot) : data;
  }

  /** Acknowledges a reserved message. */
  ack(slot: number): void {
    const { boxes } = this;
    const box = boxes?.ofSlot(slot);
    const generation = box === undefined ? 0 : boxes?.generationOf(box);
    this.receiver.free(slot);
    if (box !== undefined && generation !== undefined) boxes?.freeSent(box, generation);
    this.#settled(slot);
    this.#roomNotifier.wake();
  }

  /** Hands a reserved slot to the requester that its word `to` names. */
  handOver(slot: number, from: number, to: number): void {
    this.#own.leave(slot, from, to);
    this.#settled(slot);
  }

  /** Wakes one waiter for room. */
  wakeRoom(): void {
    this.#roomNotifier.wake();
  }

  /** Gives a reserved message back. */
  giveBack(slot: number): void {
    const isDead = this.receiver.isDeadLetter(slot) || this.receiver.isSpent(slot);
    this.receiver.giveBack(slot);
    this.participants.count(COUNTER.givenBack);
    this.#settled(slot);
    if (isDead) this.#deadLettersNotifier.wake();
    else this.#itemsNotifier.wake();
  }

  /** Puts a reserved dead letter back to where it was sent. */
  revive(slot: number): void {
    const { words, geometry } = this.memory;
    const record = this.memory.recordOf(slot);
    const route = words[record + RECORD.route];
    words[record + RECORD.deliveryCount] = 0;
    Atomics.store(
      words,
      record + RECORD.route,
      inLane(route, Math.min(sentLaneOf(route), geometry.laneCount - 1)),
    );
    this.giveBack(slot);
  }

  /** Sees to what the dead have left. */
  recover(): Recovered {
    const recovered = this.participants.recover();
    const isMended = this.receiver.mendPartitions();
    this.#tell({ ...recovered, ready: recovered.ready + (isMended ? 1 : 0) });
    return recovered;
  }

  close(): void {
    if (this.#closed) return;
    this.boxes?.close();
    for (const batch of this.#draining) batch.ack();
    this.#closed = true;
    clearInterval(this.#janitor);
    const reason = new Deno.errors.BadResource(`wait for ${this.memory.label}: it is closed`);
    for (const waits of [this.items, this.deadLetters, this.room, this.replies]) waits.close(reason);
    this.#tell(this.participants.detach());
    // What woke this opener last may have been meant for a call that is rejected now: another shall look.
    for (const signal of [this.#itemsNotifier, this.#deadLettersNotifier, this.#roomNotifier]) signal.wake();
  }

  /** Recovers from the dead now and then, also in a participant that never waits because it works on one message for long. */
  maintain(): void {
    if (this.#janitor !== undefined || this.#outstanding === 0 || this.#closed) return;
    const janitor = setInterval(() => {
      if (this.#outstanding > 0) return void this.#lookForDead();
      clearInterval(janitor);
      this.#janitor = undefined;
    }, SLEEP_MS_MAX);
    Deno.unrefTimer(janitor);
    this.#janitor = janitor;
  }

  /** Sleeping while native code looks for the dead, and for what `looksFor` says: messages of lanes `first` up to but not including `end`. */
  recoveryCheck(looksFor: number, first = 0, end = 0): RecoveryCheck | undefined {
    const check = this.participants.recoveryCheck();
    if (check === undefined) return undefined;
    const { geometry, capacity } = this.memory;
    const { table } = check;
    table[RECOVERY_CHECK_TABLE.checksFor] = looksFor;
    table[RECOVERY_CHECK_TABLE.capacity] = capacity;
    table[RECOVERY_CHECK_TABLE.slotsAt] = geometry.slotsAt;
    table[RECOVERY_CHECK_TABLE.recordsAt] = geometry.recordsAt;
    table[RECOVERY_CHECK_TABLE.recordBytes] = geometry.recordBytes;
    table[RECOVERY_CHECK_TABLE.lanesAt] = geometry.lanesAt;
    table[RECOVERY_CHECK_TABLE.laneBytes] = laneAt(geometry, 1) - laneAt(geometry, 0);
    table[RECOVERY_CHECK_TABLE.laneCount] = geometry.laneCount;
    table[RECOVERY_CHECK_TABLE.firstLane] = first;
    table[RECOVERY_CHECK_TABLE.endLane] = end;
    return check;
  }

  #tell({ ready, free, dead }: Recovered): void {
    if (dead) return this.#tellEverybody();
    if (ready > 0) this.#itemsNotifier.wakeAll();
    if (ready > 0) this.#deadLettersNotifier.wakeAll();
    if (free > 0) this.#roomNotifier.wakeAll();
  }

  /** A participant has died, maybe before it could wake others for what it did. */
  #tellEverybody(): void {
    for (
      const signal of [
        this.#itemsNotifier,
        this.#deadLettersNotifier,
        this.#roomNotifier,
        this.#boxesNotifier,
      ]
    ) signal.wakeAll();
    for (let number = 1; number <= QUEUE_PARTICIPANTS_MAX; number++) this.#loseRequest(number);
  }

  /** Tells who has that number that a request of its may have gone without a reply. */
  #loseRequest(requester: number): void {
    this.replyHints.lose(requester);
    new Notifier(this.memory.words, repliesOf(requester)).wakeAll();
  }

  #settled(slot: number): void {
    this.#outstanding--;
    if (this.receiver.releasePartitionOf(slot)) this.#itemsNotifier.wake();
  }

  /** As `drainInPlace()`, of those that native code finds; 0 also when it found some, and none was to be delivered. */
  #drainBatch(onMessage: InPlaceHandler, countMax: number): number {
    if (this.#fast === undefined) return 0;
    this.#lookAroundNowAndThen();
    const batch = this.#batch ?? this.#fast.newBatch();
    // For a call from within `onMessage`, there is another.
    this.#batch = undefined;
    batch.reserve(countMax);
    this.#outstanding += batch.count;
    this.#draining.add(batch);
    let count = 0;
    try {
      while (batch.done < batch.count && !this.#closed) {
        if (this.#workOff(batch, batch.done, onMessage)) count++;
        batch.done++;
      }
    } finally {
      this.#draining.delete(batch);
      if (!this.#closed) this.#settleBatch(batch);
      this.#batch = batch;
    }
    return count;
  }

  /** Passes on a message of a batch; false when it is not to be delivered, and has been seen to. */
  #workOff(batch: ReservedBatch, index: number, onMessage: InPlaceHandler): boolean {
    const { words, bytes } = this.memory;
    const slot = batch.slotOf(index);
    const byteLength = batch.byteLengthOf(index);
    const isPlain = byteLength !== QUEUE_LEFT && (flagsOf(batch.routeOf(index)) & FLAG.compressed) === 0;
    if (!isPlain) {
      this.#outstanding--;
      const copy = this.#acceptLeft(slot) ? this.#readUndamaged(slot) : undefined;
      if (copy === undefined) {
        batch.leaveOut(index);
        return false;
      }
      onMessage(copy.data, 0, copy.data.length, copy.redeliveryCount);
      if (this.#closed) return true;
      // Not with the others: there may be a box to free, or a requester to wake.
      this.ack(slot);
      batch.leaveOut(index);
      return true;
    }
    const at = this.memory.recordOf(slot) + RECORD.deliveryCount;
    const redeliveryCount = words[at]++;
    this.participants.count(COUNTER.received);
    if (redeliveryCount > 0) this.participants.count(COUNTER.redelivered);
    onMessage(bytes, this.memory.messageOf(slot), byteLength, redeliveryCount);
    return true;
  }

  /** Acknowledges what of a batch is done with, and gives the rest back. */
  #settleBatch(batch: ReservedBatch): void {
    batch.ack();
    for (let index = 0; index < batch.count; index++) {
      const slot = batch.slotOf(index);
      if (slot < 0) continue;
      if (index < batch.done) this.#outstanding--;
      else this.giveBack(slot);
    }
  }

  /** As `drainInPlace()`, without native code. */
  #drainCopies(onMessage: InPlaceHandler, countMax: number): number {
    let count = 0;
    while (count < countMax && !this.#closed) {
      const slot = this.take("messages");
      if (slot === NO_MESSAGE) break;
      const message = this.#readUndamaged(slot);
      if (message === undefined) continue;
      let isDone = false;
      try {
        onMessage(message.data, 0, message.data.length, message.redeliveryCount);
        isDone = true;
      } finally {
        if (!this.#closed) isDone ? this.ack(slot) : this.giveBack(slot);
      }
      count++;
    }
    return count;
  }

  /** What a reserved slot holds; `undefined` when it is damaged, and free. */
  #readUndamaged(slot: number): Message | undefined {
    try {
      return this.read(slot);
    } catch (error) {
      throwUnlessDamaged(error);
      return undefined;
    }
  }

  #receiveFast(acknowledge: boolean): ReceivedRecord | undefined {
    this.#lookAroundNowAndThen();
    if (this.#fast?.receive(acknowledge, 1) !== 1) return undefined;
    return this.#fast.recordAt(0);
  }

  /** What native code has reserved and left: whether it is to be delivered. */
  #acceptLeft(slot: number): boolean {
    if (!this.receiver.accept(slot)) return false;
    this.#delivered();
    return true;
  }

  #delivered(): void {
    this.participants.count(COUNTER.received);
    this.#outstanding++;
  }

  #messageOf(record: ReceivedRecord, data: Uint8Array<ArrayBuffer>, isAcknowledged: boolean): Message {
    const isCompressed = (flagsOf(record.route) & FLAG.compressed) !== 0;
    return new Message({
      data: isCompressed ? this.#decompressed(data, isAcknowledged ? undefined : record.slot) : data,
      session: record.session,
      sequence: record.sequence,
      timestampMs: record.sentMs,
      redeliveryCount: record.deliveryCount - 1,
      priority: this.#sentLane(record.route),
      partition: undefined,
    });
  }

  #readAndAck(slot: number): Message {
    const message = this.read(slot);
    this.ack(slot);
    return message;
  }

  #sentLane(route: number): number {
    return Math.min(sentLaneOf(route), this.memory.geometry.laneCount - 1);
  }

  #decompressed(data: Uint8Array<ArrayBuffer>, slot: number | undefined): Uint8Array<ArrayBuffer> {
    try {
      return decompress(data);
    } catch (error) {
      this.#damaged(slot, `it cannot be decompressed: ${error instanceof Error ? error.message : error}`);
    }
  }

  #lookAroundNowAndThen(): void {
    if (++this.#received % RECEIVED_PER_LOOK === 0) this.#lookAround();
  }

  /** Checks whether a participant has died; if so, and now and then anyway, scans the slots. Returns the number of slots freed. */
  #lookForDead(): number {
    if (!this.participants.hasDead() && !this.#recoveries.due) return 0;
    const { free } = this.recover();
    this.#recoveries.done();
    return free;
  }

  #lookAround(): void {
    const nowMs = performance.now();
    if (nowMs - this.#lookedMs < SLEEP_MS_MAX) return;
    this.#lookedMs = nowMs;
    this.#lookForDead();
  }

  /** For a message in `slot`; `undefined`: native code has acknowledged it, and the slot may hold another by now. */
  #damaged(slot: number | undefined, found: string): never {
    this.participants.count(COUNTER.damaged);
    if (slot !== undefined) {
      const word = this.memory.load(slot);
      if (phaseOf(word) === PHASE.reserved && ownerOf(word) === this.participants.number) this.ack(slot);
      else this.#settled(slot);
    }
    throw new Deno.errors.InvalidData(`read from ${this.memory.label}: a message is damaged: ${found}`);
  }
}

/** An error of one message would lose those that were acknowledged before it. */
function throwUnlessDamaged(error: unknown): void {
  if (!(error instanceof Deno.errors.InvalidData)) throw error;
}
