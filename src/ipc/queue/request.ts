import { checksumOf } from "./checksum.ts";
import type { QueueCore } from "./core.ts";
import { SharedQueueReplyError } from "./errors.ts";
import { FLAG, RECORD, repliesOf } from "./layout.ts";
import { bytesOf, Notifier, type Payload, type TimedWaitOptions } from "../sharing/mod.ts";
import { flagsOf, requesterOf, routeOf } from "./route.ts";
import { freed, generationOf, moved, ownerOf, PHASE, phaseOf } from "./slot_word.ts";

/** Text of an error that travels as a reply: cut, where it is too long. */
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/**
 * A request that was sent, which is a message whose slot comes back: its consumer writes the reply where the request was, and
 * hands the slot to the requester.
 */
export class PendingRequest {
  readonly #core: QueueCore;
  readonly #slot: number;
  readonly #generation: number;
  readonly #expiresMs: number;
  #settled = false;

  /** The request in `slot`, right after it was sent; `expiresMs` as in its envelope. */
  constructor(core: QueueCore, slot: number, generation: number, expiresMs: number) {
    this.#core = core;
    this.#slot = slot;
    this.#generation = generation;
    this.#expiresMs = expiresMs;
  }

  /** The bytes of the reply; gives the request up when it is waited for no more. */
  async reply(options: TimedWaitOptions): Promise<Uint8Array<ArrayBuffer>> {
    try {
      return await this.#core.replies.wait(
        `wait for a reply of ${this.#core.memory.label}`,
        this.#slot,
        () => this.#look(),
        options,
      );
    } catch (error) {
      if (!this.#settled && !this.#core.closed) {
        this.#cancel();
        this.#settle();
      }
      const isOver = error instanceof DOMException && error.name === "TimeoutError" &&
        !options.signal?.aborted;
      throw isOver
        ? new DOMException(
          `request to ${this.#core.memory.label}: no reply within ${options.timeoutMs} ms`,
          "TimeoutError",
        )
        : error;
    }
  }

  #look(): Uint8Array<ArrayBuffer> | undefined {
    const { memory, participants } = this.#core;
    const word = memory.load(this.#slot);
    if (!this.#isOurs(word)) {
      // Consumers take it away when its time is over, and may be before the timer of this call, which ends it.
      if (this.#expiresMs !== 0 && Date.now() >= this.#expiresMs) return undefined;
      this.#settle();
      throw new SharedQueueReplyError(
        "lost",
        `request to ${memory.label}: its consumer acknowledged it without a reply, or it was delivered too often, or dropped`,
      );
    }
    if (phaseOf(word) !== PHASE.replied || ownerOf(word) !== participants.number) return undefined;
    try {
      const failed = (flagsOf(memory.words[memory.recordOf(this.#slot) + RECORD.route]) & FLAG.failed) !== 0;
      const data = this.#core.readBytes(this.#slot);
      if (failed) {
        throw new SharedQueueReplyError(
          "failed",
          `request to ${memory.label}: its handler failed: ${DECODER.decode(data)}`,
        );
      }
      return data;
    } finally {
      this.#free(word);
      this.#settle();
    }
  }

  /** To be called as soon as the slot is free: it may be another request's before who waits for this one gets its turn. */
  #settle(): void {
    this.#settled = true;
    const { requests } = this.#core.participants;
    if (requests.get(this.#slot) !== this.#generation) return;
    requests.delete(this.#slot);
    this.#core.replyHints.forget(this.#slot);
  }

  /** Frees the slot, whose word is `word`; once the request is given up, others do so as well, and the slot may hold another message. */
  #free(word: number): void {
    // Before the slot can be another request's: in the list it would be twice.
    this.#core.replyHints.take();
    if (this.#core.memory.move(this.#slot, word, freed(word))) this.#core.wakeRoom();
  }

  /** Nobody waits for the reply any more. */
  #cancel(): void {
    const { memory } = this.#core;
    const cancelled = memory.recordOf(this.#slot) + RECORD.cancelled;
    for (;;) {
      const mark = Atomics.load(memory.words, cancelled);
      if (!this.#isOurs(memory.load(this.#slot))) return;
      // SYNC cancelled: either this sees the reply that has come meanwhile, or the consumer sees that nobody waits for it.
      if (Atomics.compareExchange(memory.words, cancelled, mark, this.#generation + 1) === mark) break;
    }
    for (;;) {
      const now = memory.load(this.#slot);
      if (!this.#isOurs(now)) return;
      const phase = phaseOf(now);
      if (phase === PHASE.ready) {
        if (!memory.move(this.#slot, now, freed(now))) continue;
        this.#core.wakeRoom();
      } else if (phase === PHASE.replied) this.#free(now);
      return;
    }
  }

  /** Whether the slot still holds this request, and not what became of it as a dead letter. */
  #isOurs(word: number): boolean {
    if (generationOf(word) !== this.#generation) return false;
    const { memory } = this.#core;
    const route = Atomics.load(memory.words, memory.recordOf(this.#slot) + RECORD.route);
    return (flagsOf(route) & FLAG.request) !== 0;
  }
}

/** Whether a reserved slot holds a request whose requester may still wait. */
export function isRequest(core: QueueCore, slot: number): boolean {
  return hasRequestFlag(core, slot) && !isGivenUp(core, slot);
}

/** Whether a reserved slot holds a request without a waiter. */
export function isGivenUp(core: QueueCore, slot: number): boolean {
  const { memory, participants } = core;
  const record = memory.recordOf(slot);
  if (!hasRequestFlag(core, slot)) return false;
  const requester = requesterOf(memory.words[record + RECORD.route]);
  return !participants.isSession(requester, memory.words[record + RECORD.requestSession]) ||
    Atomics.load(memory.words, record + RECORD.cancelled) === generationOf(memory.load(slot)) + 1;
}

function hasRequestFlag({ memory }: QueueCore, slot: number): boolean {
  return (flagsOf(memory.words[memory.recordOf(slot) + RECORD.route]) & FLAG.request) !== 0;
}

/** Writes a reply where the request was, and hands it over; false when nobody waits for it any more. The slot is settled then, too. */
export function reply(core: QueueCore, slot: number, payload: Payload, failed = false): boolean {
  const { memory, participants } = core;
  const { words } = memory;
  const record = memory.recordOf(slot);
  const data = failed ? shortened(payload, core) : bytesOf(payload);
  if (data.length > memory.constants.messageBytesMax) {
    throw new RangeError(
      `reply in ${memory.label}: it has ${data.length} bytes, expected at most ${memory.constants.messageBytesMax}`,
    );
  }
  const route = words[record + RECORD.route];
  const requester = requesterOf(route);
  const session = words[record + RECORD.requestSession];
  const word = memory.load(slot);
  const cancelled = record + RECORD.cancelled;
  const isCancelled = () => Atomics.load(words, cancelled) === generationOf(word) + 1;
  if (!participants.isSession(requester, session) || isCancelled()) {
    core.ack(slot);
    return false;
  }
  // A consumer that dies from here on leaves neither the request nor a reply: the slot is free again then, as if the request had been lost.
  const writing = moved(word, PHASE.writing, participants.number);
  memory.move(slot, word, writing);
  memory.bytes.set(data, memory.messageOf(slot));
  words[record + RECORD.byteLength] = data.length;
  words[record + RECORD.route] = routeOf(route & 0xff, requester, FLAG.request | (failed ? FLAG.failed : 0));
  if (memory.constants.checksums !== 0) {
    const copy = memory.bytes.subarray(memory.messageOf(slot), memory.messageOf(slot) + data.length);
    words[record + RECORD.checksum] = checksumOf(memory, record, generationOf(word), copy);
  }
  // SYNC replied
  core.replyHints.leave(requester, slot);
  const replied = moved(word, PHASE.replied, requester);
  core.handOver(slot, writing, replied);
  // SYNC session, SYNC cancelled: who has gone meanwhile sees the reply and frees it, or this sees that they have.
  if (participants.isSession(requester, session) && !isCancelled()) {
    new Notifier(words, repliesOf(requester)).wake();
    return true;
  }
  if (memory.move(slot, replied, freed(replied))) core.wakeRoom();
  return false;
}

function shortened(text: unknown, { memory }: QueueCore): Uint8Array {
  if (typeof text !== "string") throw new TypeError(`fail: the message is ${typeof text}, expected a string`);
  const bytes = new Uint8Array(Math.min(text.length * 3, memory.constants.messageBytesMax));
  return bytes.subarray(0, ENCODER.encodeInto(text, bytes).written);
}
