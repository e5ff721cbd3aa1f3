import { type MailboxBox, SharedMailbox } from "../../../src/ipc/queue/mod.ts";
import { chaosMessage, readChaosMessage } from "./chaos_message.ts";
import { type ChaosWork, DEED, orEnough, pause } from "./chaos_process.ts";

// Processes of a chaos test that hand boxes to each other.

const BOX_BYTES_MAX = 2 ** 20;
/** Bytes from one mark in a box to the next. */
const STRIDE_BYTES = 4096;

/** Fills boxes and sends them, until it is enough. */
export async function writeBoxes({ queue, order, random, write, enough }: ChaosWork): Promise<void> {
  using mailbox = SharedMailbox.connect(queue);
  for (let number = 1;; number++) {
    const byteLength = byteLengthOf(number);
    const box = await orEnough(enough, mailbox.acquire(byteLength, { signal: enough }));
    if (box === undefined) return;
    mark(box, order.number, number);
    if (random.below(15) === 0) await pause(random.below(20));
    if (random.below(15) === 0) {
      box.release();
      continue;
    }
    const payload = chaosMessage(order.number, number, queue.messageBytesMax);
    const isBrief = random.below(8) === 0;
    const options = isBrief ? { expiresAfterMs: 1 + random.below(5) } : {};
    write(DEED.sending, number);
    const id = await orEnough(enough, mailbox.send(box, payload, { ...options, signal: enough }));
    if (id === undefined) return;
    if (!isBrief) write(DEED.sent, number);
  }
}

/** Receives boxes and looks whether they are whole, until it is enough. */
export async function readBoxes({ queue, random, write, enough }: ChaosWork): Promise<void> {
  using mailbox = SharedMailbox.connect(queue);
  for (;;) {
    const delivery = await orEnough(enough, queue.reserve({ signal: enough }));
    if (delivery === undefined) return;
    const { message } = delivery;
    const read = readChaosMessage(message.data, queue.messageBytesMax);
    const box = mailbox.open(delivery);
    if (read === undefined) write(DEED.torn, message.data.byteLength);
    else {
      const { producer: writer, number } = read;
      write(DEED.received, writer, number, message.redeliveryCount, -1);
      if (box === undefined) write(DEED.boxless, writer, number);
      else {
        if (!isWhole(box, writer, number)) write(DEED.torn, box.byteLength);
        if (random.below(10) === 0) await pause(random.below(20));
        // Nobody else has it meanwhile.
        if (!isWhole(box, writer, number)) write(DEED.torn, box.byteLength);
      }
      if (random.below(10) === 0) {
        write(DEED.givenBack, writer, number);
        delivery.nack();
        continue;
      }
      write(DEED.done, writer, number);
    }
    delivery.ack();
  }
}

function byteLengthOf(number: number): number {
  return 4 + (Math.imul(number, 2654435761) >>> 0) % (BOX_BYTES_MAX - 3);
}

/** Indices of the bytes that are looked at. */
function* places(byteLength: number): Generator<number> {
  for (let at = 0; at < byteLength; at += STRIDE_BYTES) yield at;
  yield byteLength - 1;
}

function markAt(at: number, writer: number, number: number): number {
  return Math.imul(at + writer * 31 + number * 7, 2654435761) >>> 24;
}

function mark({ bytes }: MailboxBox, writer: number, number: number): void {
  for (const at of places(bytes.length)) bytes[at] = markAt(at, writer, number);
}

function isWhole({ bytes }: MailboxBox, writer: number, number: number): boolean {
  if (bytes.length !== byteLengthOf(number)) return false;
  for (const at of places(bytes.length)) if (bytes[at] !== markAt(at, writer, number)) return false;
  return true;
}
