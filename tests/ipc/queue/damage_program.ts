import { Boxes } from "../../../src/ipc/queue/boxes.ts";
import { QueueCore } from "../../../src/ipc/queue/core.ts";
import { DeadLetters } from "../../../src/ipc/queue/dead_letters.ts";
import { Delivery } from "../../../src/ipc/queue/delivery.ts";
import { COUNTER, FLAG, laneAt, participantAt } from "../../../src/ipc/queue/layout.ts";
import { handOver, MailboxBox } from "../../../src/ipc/queue/mailbox_box.ts";
import { mailboxGeometry } from "../../../src/ipc/queue/mailbox_layout.ts";
import type { QueueShape } from "../../../src/ipc/queue/mod.ts";
import type { QueueMemory } from "../../../src/ipc/queue/queue_memory.ts";
import { isRequest, PendingRequest } from "../../../src/ipc/queue/request.ts";
import { generationOf } from "../../../src/ipc/queue/slot_word.ts";
import { StatusMaker } from "../../../src/ipc/queue/status.ts";
import { fakeMemory, HastyClock, reopened } from "./support.ts";

// Damages one byte of a queue after the other, and does everything with it that can be done: in a process of its own, so that whoever
// started it survives a crash and ends a hang. It prints each case before it runs it, and at the end what went wrong.

const FLIPS = [0x01, 0x80, 0xff];
const CAPACITY = 7;
const MESSAGE_BYTES_MAX = 16;
/** One size of boxes, two of them: 1 MiB each. */
const BOX_COUNTS = [2, 0, 0, 0, 0, 0, 0];

/** What a test asks for. */
export interface DamageOrder {
  readonly native: boolean;
  readonly kind: "plain" | "partitions" | "checksums" | "mailbox";
}

interface Prepared {
  readonly memory: QueueMemory;
  readonly cores: readonly [QueueCore, QueueCore];
  readonly deliveries: readonly Delivery[];
  readonly pending: readonly PendingRequest[];
  readonly mailbox?: {
    readonly bytes: Uint8Array<ArrayBuffer>;
    readonly boxes: readonly [Boxes, Boxes];
    readonly kept: number;
  };
}

function shapeOf({ kind }: DamageOrder): QueueShape {
  const lanes = kind === "partitions" ? { partitions: 2 } : { priorities: 2 };
  return { capacity: CAPACITY, messageBytesMax: MESSAGE_BYTES_MAX, deliveryCountMax: 2, ...lanes };
}

/** A queue with a free slot, messages that are ready and reserved, a dead letter, and a request or a box that was sent. */
function prepare(order: DamageOrder): Prepared {
  const { memory } = fakeMemory(shapeOf(order), order.kind === "checksums");
  const cores = [new QueueCore(memory, order), new QueueCore(reopened(memory).memory, order)] as const;
  const [one, other] = cores;
  send(one, 0, 9);
  for (let count = 0; count < 2; count++) other.giveBack(other.reserve()?.slot ?? -1);
  other.reserve();
  const deliveries: Delivery[] = [];
  const deliver = (core: QueueCore): void => {
    const reserved = core.reserve();
    if (reserved === undefined) return;
    const { slot, message } = reserved;
    deliveries.push(new Delivery(core, slot, message, isRequest(core, slot)));
  };
  if (order.kind === "mailbox") {
    const geometry = mailboxGeometry(BOX_COUNTS);
    const bytes = new Uint8Array(geometry.byteLength);
    const boxes = [new Boxes(one, bytes, geometry.boxes), new Boxes(other, bytes, geometry.boxes)] as const;
    [one.boxes, other.boxes] = boxes;
    const box = new MailboxBox(boxes[0], boxes[0].acquire(10), 10, { isOpen: () => true });
    one.trySend(new Uint8Array(3), { lane: 0, flags: 0, expiresMs: 0, box: handOver(box, boxes[0]) });
    const kept = boxes[1].acquire(10);
    deliver(other);
    send(one, 1, 1);
    return { memory, cores, deliveries, pending: [], mailbox: { bytes, boxes, kept } };
  }
  const request = (): PendingRequest => {
    const slot = one.trySend(new Uint8Array([4]), { lane: 0, flags: FLAG.request, expiresMs: 0 });
    return new PendingRequest(one, slot, generationOf(memory.load(slot)), 0);
  };
  const pending = [request(), request()];
  deliver(other);
  deliver(other);
  deliveries.pop()?.reply("replied");
  for (let byte = 1; byte <= 3; byte++) send(one, byte % 2, byte);
  deliver(other);
  return { memory, cores, deliveries, pending };
}

function send(core: QueueCore, lane: number, byte: number): boolean {
  const data = new Uint8Array(1 + byte % MESSAGE_BYTES_MAX).fill(byte);
  return core.trySend(data, { lane, flags: 0, expiresMs: 0 }) >= 0;
}

/** Everything that can be done with a queue; `attempt` bears what may be thrown. */
async function useIt(prepared: Prepared, attempt: <T>(body: () => T) => T | undefined): Promise<void> {
  const { cores: [one, other], deliveries, pending, mailbox } = prepared;
  attempt(() => new StatusMaker(one).make());
  for (let count = 0; count < 3; count++) attempt(() => one.receive());
  for (let count = 0; count < 3; count++) attempt(() => send(one, count % 2, count));
  const enough = new AbortController();
  const replies = pending.map((request) =>
    request.reply({ signal: enough.signal }).catch((error: Error) => error)
  );
  for (const [index, delivery] of deliveries.entries()) {
    if (mailbox !== undefined) {
      attempt(() => mailbox.boxes[1].ofSlot(0));
      attempt(() => mailbox.boxes[1].usedBytes(0));
    }
    if (delivery.isRequest) attempt(() => delivery.reply("answer"));
    else if (index % 2 === 0) attempt(() => delivery.ack());
    else attempt(() => delivery.nack());
  }
  for (let count = 0; count < 2; count++) {
    const reserved = attempt(() => other.reserve());
    if (reserved !== undefined) {
      attempt(() => count === 0 ? other.ack(reserved.slot) : other.giveBack(reserved.slot));
    }
  }
  attempt(() => other.receiveMany([], 2));
  attempt(() => other.dropOldest());
  const dead = new DeadLetters(other);
  attempt(() => dead.tryReserve()?.nack());
  attempt(() => dead.redeliver());
  for (const boxes of mailbox?.boxes ?? []) {
    attempt(() => boxes.recover());
    const box = attempt(() => boxes.acquire(10));
    if (box !== undefined && box >= 0) attempt(() => boxes.release(box));
  }
  attempt(() => one.findRoom());
  attempt(() => other.recover());
  attempt(() => one.recover());
  enough.abort(new DOMException("wait for a reply: enough", "TimeoutError"));
  for (const reply of await Promise.all(replies)) {
    attempt(() => {
      if (reply instanceof Error) throw reply;
    });
  }
  if (mailbox !== undefined) attempt(() => mailbox.boxes[1].release(mailbox.kept));
  for (const core of [one, other]) attempt(() => core.recover());
  attempt(() => one.purge());
}

/** What must hold however damaged it was: all slots can be filled, and their messages received; all boxes can be had. */
function findLost({ cores: [one, other], mailbox }: Prepared): string | undefined {
  // Both have settled what they had, and have looked after the dead: what is not free now never will be.
  let filled = 0;
  while (filled <= CAPACITY && send(filled % 2 === 0 ? one : other, filled % 2, filled)) filled++;
  if (filled !== CAPACITY) return `${filled} slots can be filled, expected ${CAPACITY}`;
  const received: number[] = [];
  for (let count = 0; count < CAPACITY; count++) {
    const message = other.receive();
    if (message === undefined) break;
    received.push(message.data[0]);
  }
  if (received.toSorted().join() !== "0,1,2,3,4,5,6") return `received ${received}`;
  if (mailbox === undefined) return undefined;
  for (const boxes of mailbox.boxes) boxes.recover();
  return mailbox.boxes[0].freeCount === BOX_COUNTS[0]
    ? undefined
    : `${mailbox.boxes[0].freeCount} boxes are free`;
}

/** What is thrown for damage is of these kinds, and says what it was about. */
function isTyped(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const isNamed = /^(read from|send to|reply|request|wait for)\b/.test(error.message);
  return isNamed &&
    ["InvalidData", "RangeError", "SharedQueueReplyError", "TimeoutError"].includes(error.name);
}

/** The bytes to damage: `region` is where they are. */
function* places(order: DamageOrder): Generator<{ region: "queue" | "mailbox"; at: number }> {
  const { memory } = fakeMemory(shapeOf(order), order.kind === "checksums");
  const { geometry } = memory;
  function* range(region: "queue" | "mailbox", from: number, byteLength: number) {
    for (let at = from; at < from + byteLength; at++) yield { region, at };
  }
  if (order.kind === "mailbox") {
    yield* range("mailbox", 0, 12);
    yield* range("mailbox", 64, 28);
    yield* range("mailbox", 128, 8);
    yield* range("mailbox", 256, 16);
    yield* range("queue", memory.messageOf(0) - 64, 64 * 3);
    for (const number of [0, 1, 2, 3]) yield* range("queue", participantAt(number), 28);
    return;
  }
  yield* range("queue", 128, 4);
  for (const signal of [256, 384]) yield* range("queue", signal, 8);
  for (const number of [0, 1, 2, 3]) yield* range("queue", participantAt(number), 136);
  for (let lane = 0; lane <= geometry.laneCount; lane++) {
    for (const word of [0, 128, 256]) yield* range("queue", laneAt(geometry, lane) + word, 4);
    yield* range("queue", geometry.cellsAt + lane * geometry.cellCount * 4, 8 * 4);
  }
  yield* range("queue", geometry.slotsAt, CAPACITY * 4);
  for (let slot = 0; slot < CAPACITY; slot++) {
    yield* range("queue", geometry.recordsAt + slot * geometry.recordBytes, 64 + 4);
  }
}

async function main(order: DamageOrder): Promise<void> {
  using _ = new HastyClock();
  const encoder = new TextEncoder();
  const say = (text: string): void => void Deno.stdout.writeSync(encoder.encode(text));
  const problems: string[] = [];
  let cases = 0;
  for (const { region, at } of places(order)) {
    for (const flip of FLIPS) {
      const name = `${region} byte ${at} ^ ${flip}`;
      say(`${name}\n`);
      const prepared = prepare(order);
      const bytes = region === "queue" ? prepared.memory.bytes : prepared.mailbox?.bytes ?? new Uint8Array(0);
      bytes[at] ^= flip;
      const attempt = <T>(body: () => T): T | undefined => {
        try {
          return body();
        } catch (error) {
          if (!isTyped(error)) problems.push(`${name}: ${error instanceof Error ? error.stack : error}`);
          return undefined;
        }
      };
      await useIt(prepared, attempt);
      const lost = attempt(() => findLost(prepared));
      if (lost !== undefined) problems.push(`${name}: ${lost}`);
      for (const core of prepared.cores) attempt(() => core.close());
      attempt(() => prepared.cores[0].participants.total(COUNTER.damaged));
      cases++;
    }
  }
  say(`\n${JSON.stringify({ cases, problems })}\n`);
}

if (import.meta.main) {
  await main(JSON.parse(Deno.args[0]));
  Deno.exit(0);
}
