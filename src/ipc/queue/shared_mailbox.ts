import type { WaitOptions } from "../../base/mod.ts";
import { SHARED_MEMORY_BYTES_MAX, type SharedMemory } from "../memory/mod.ts";
import { Boxes } from "./boxes.ts";
import { type Delivery, placeOf } from "./delivery.ts";
import { handOver, MailboxBox, type MailboxOwner } from "./mailbox_box.ts";
import {
  MAILBOX_BOXES_MAX,
  MAILBOX_SIZES_MIB,
  mailboxGeometry,
  type MailboxSizeMib,
  readMailboxConstants,
  writeMailboxConstants,
} from "./mailbox_layout.ts";
import { createMailbox, openMailbox, unlinkMailbox } from "./open_queue.ts";
import { type Payload, wordsOf } from "../sharing/mod.ts";
import type { SendOptions } from "./send_options.ts";
import { internalsOf, type SharedQueue } from "./shared_queue.ts";

/** Options of {@linkcode SharedMailbox.create}. */
export interface MailboxOptions {
  /** How many boxes there are of each size in MiB; at most {@linkcode MAILBOX_BOXES_MAX} together. All of their memory is taken at once. */
  boxes: Partial<Record<MailboxSizeMib, number>>;
  /**
   * Who may open it, as permissions of a file.
   *
   * @default {0o600}
   */
  mode?: number;
}

/**
 * Boxes in shared memory for what is too large for the messages of a queue: written in place, handed over by a message of the queue,
 * and read in place.
 *
 * A box belongs to who has acquired it, until it is sent; then to its message, until that is acknowledged, expired or dropped. When an owner
 * dies, its boxes are free again; when a consumer dies, another gets the message, and the box with it. Each queue has one mailbox at most.
 *
 * ```ts
 * import { SharedMailbox, SharedQueue } from "@millrace/millrace/queue";
 *
 * const name = `example-mailbox-${Deno.pid}`;
 * using queue = SharedQueue.create(name);
 * using mailbox = SharedMailbox.create(queue, { boxes: { 1: 2 } });
 * try {
 *   const box = await mailbox.acquire(500_000);
 *   box.bytes.fill(7);
 *   await mailbox.send(box, "a picture");
 *   // In another process, with SharedQueue.connect(name) and SharedMailbox.connect(queue):
 *   using delivery = await queue.reserve();
 *   const received = mailbox.open(delivery);
 *   console.log(delivery.message.text(), received?.bytes.length, received?.bytes[499_999]); // a picture 500000 7
 *   delivery.ack();
 * } finally {
 *   SharedQueue.unlink(name); // and its mailbox
 * }
 * ```
 */
export class SharedMailbox implements Disposable {
  readonly #region: SharedMemory;
  readonly #queue: SharedQueue;
  readonly #boxes: Boxes;
  readonly #owner: MailboxOwner;
  #closed = false;

  /**
   * Makes the mailbox of `queue`, which must not have one yet. It is where the queue is.
   *
   * @throws {RangeError} when there are no boxes, too many, or of other sizes than {@linkcode MAILBOX_SIZES_MIB}
   * @throws {Deno.errors.AlreadyExists} when the queue has a mailbox
   * @throws {Deno.errors.Busy} when this opener of the queue has one open
   * @throws {Error} with the code `ENOSPC` when the system has not that much memory
   */
  static create(queue: SharedQueue, options: MailboxOptions): SharedMailbox {
    const counts = countsOf(options?.boxes);
    throwUnlessUsable(queue, "create");
    const { directory, core } = internalsOf(queue);
    const { identity } = core.memory.constants;
    const { byteLength } = mailboxGeometry(counts);
    const initialize = (bytes: Uint8Array<ArrayBuffer>): void =>
      writeMailboxConstants(wordsOf(bytes), counts, identity);
    if (byteLength > SHARED_MEMORY_BYTES_MAX) {
      throw new RangeError(
        `create mailbox: its boxes take ${byteLength} bytes, expected at most ${SHARED_MEMORY_BYTES_MAX}`,
      );
    }
    const region = createMailbox(queue.name, { byteLength, mode: options.mode, directory, initialize });
    return new SharedMailbox(queue, region, counts);
  }

  /**
   * Opens the mailbox of `queue`.
   *
   * @throws {Deno.errors.NotFound} when it has none
   * @throws {Deno.errors.InvalidData} when it is damaged, or of another version; says which
   * @throws {Deno.errors.Busy} when this opener of the queue has it open already
   */
  static connect(queue: SharedQueue): SharedMailbox {
    throwUnlessUsable(queue, "connect to");
    const { directory } = internalsOf(queue);
    const region = openMailbox(queue.name, { directory });
    const constants = readMailboxConstants(wordsOf(region.bytes), region.byteLength);
    const { identity } = internalsOf(queue).core.memory.constants;
    const found = "found" in constants ? constants.found : "it is that of an earlier queue of the same name";
    if ("counts" in constants && constants.queueIdentity === identity) {
      return new SharedMailbox(queue, region, constants.counts);
    }
    region.close();
    throw new Deno.errors.InvalidData(`connect to the mailbox of queue ${queue.name}: ${found}`);
  }

  /**
   * Takes the name of a queue's mailbox away; who has it open keeps it. `SharedQueue.unlink()` does so, too.
   *
   * @throws {Deno.errors.NotFound} when there is none
   * @throws {Deno.errors.InvalidData} when what has that name is no mailbox; it is left as it is
   */
  static unlink(queueName: string, options: { directory?: string } = {}): void {
    unlinkMailbox(queueName, options);
  }

  private constructor(queue: SharedQueue, region: SharedMemory, counts: readonly number[]) {
    const { core } = internalsOf(queue);
    this.#queue = queue;
    this.#region = region;
    this.#boxes = new Boxes(core, region.bytes, mailboxGeometry(counts).boxes);
    this.#owner = { isOpen: () => !this.#closed && !core.closed };
    core.boxes = this.#boxes;
  }

  /** Sizes of its boxes in bytes, smallest first. */
  get sizes(): readonly number[] {
    return this.#boxes.places.map(({ byteLength }) => byteLength);
  }

  /** How many boxes are free, or can be had because their owner has died. */
  get freeCount(): number {
    this.#throwIfClosed("look at");
    this.#boxes.recover();
    return this.#boxes.freeCount;
  }

  /**
   * The smallest free box that has room for `byteLength` bytes, to be written; `undefined` when there is none. What is in it is left from
   * whoever had it before.
   *
   * @throws {RangeError} when no box of this mailbox is so large
   */
  tryAcquire(byteLength: number): MailboxBox | undefined {
    this.#throwIfClosed("take a box of");
    this.#check(byteLength);
    const index = this.#boxes.acquire(byteLength);
    return index < 0 ? undefined : new MailboxBox(this.#boxes, index, byteLength, this.#owner);
  }

  /** The same; waits for a box. */
  async acquire(byteLength: number, options: WaitOptions = {}): Promise<MailboxBox> {
    this.#throwIfClosed("take a box of");
    this.#check(byteLength);
    const attempt = () => this.tryAcquire(byteLength);
    return await this.#boxes.waits.wait("take a box of the mailbox", `${byteLength}`, attempt, options);
  }

  /**
   * Hands a box over by a message of the queue, `payload` being what else there is to say; resolves to the message's id. The box is not its
   * sender's any more then; it still is when this rejects.
   *
   * @throws {Deno.errors.BadResource} when the box was sent or released before
   */
  async send(box: MailboxBox, payload: Payload = "", options: SendOptions = {}): Promise<bigint> {
    this.#throwIfClosed("send a box of");
    return await internalsOf(this.#queue).send(payload, options, handOver(box, this.#boxes));
  }

  /**
   * The box that came with a message, to be read in place until the delivery is settled; `undefined` when there came none. Acknowledging the
   * message frees the box, giving it back passes the box on.
   */
  open(delivery: Delivery): MailboxBox | undefined {
    this.#throwIfClosed("open a box of");
    const { core, slot } = placeOf(delivery);
    if (core !== internalsOf(this.#queue).core) {
      throw new TypeError("open a box: the delivery is another queue's");
    }
    if (delivery.settled) return undefined;
    const found = this.#boxes.ofSlot(slot);
    if (found === undefined) return undefined;
    return new MailboxBox(this.#boxes, found, this.#boxes.usedBytes(found), this.#owner, delivery);
  }

  /** Gives back the boxes that were acquired here and not sent, and the memory: views of boxes have length 0 afterwards. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { core } = internalsOf(this.#queue);
    core.boxes = undefined;
    this.#boxes.close();
    this.#region.close();
  }

  /** The same as {@linkcode SharedMailbox.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  #check(byteLength: number): void {
    const largest = this.sizes[this.sizes.length - 1];
    if (Number.isInteger(byteLength) && byteLength >= 0 && byteLength <= largest) return;
    throw new RangeError(`take a box of the mailbox: byteLength is ${byteLength}, expected 0 to ${largest}`);
  }

  #throwIfClosed(action: string): void {
    if (this.#owner.isOpen()) return;
    throw new Deno.errors.BadResource(`${action} the mailbox of queue ${this.#queue.name}: it is closed`);
  }
}

/** Before anything is made that would have to be taken away again. */
function throwUnlessUsable(queue: SharedQueue, action: string): void {
  const { core } = internalsOf(queue);
  const subject = `${action} the mailbox of queue ${queue.name}`;
  if (core.closed) throw new Deno.errors.BadResource(`${subject}: the queue is closed`);
  if (core.boxes !== undefined) {
    throw new Deno.errors.Busy(`${subject}: this opener of the queue has one open`);
  }
}

function countsOf(boxes: MailboxOptions["boxes"] | undefined): number[] {
  if (boxes === undefined) {
    throw new TypeError("create mailbox: boxes is undefined, expected counts by size in MiB");
  }
  for (const size of Object.keys(boxes)) {
    if (!MAILBOX_SIZES_MIB.includes(Number(size) as MailboxSizeMib)) {
      throw new RangeError(
        `create mailbox: there is a size of ${size} MiB, expected ${MAILBOX_SIZES_MIB.join(", ")}`,
      );
    }
  }
  const counts = MAILBOX_SIZES_MIB.map((size) => boxes[size] ?? 0);
  for (const count of counts) {
    if (!(Number.isInteger(count) && count >= 0)) {
      throw new RangeError(`create mailbox: a number of boxes is ${count}, expected 0 or more`);
    }
  }
  const sum = counts.reduce((sum, count) => sum + count, 0);
  if (sum >= 1 && sum <= MAILBOX_BOXES_MAX) return counts;
  throw new RangeError(`create mailbox: it has ${sum} boxes, expected 1 to ${MAILBOX_BOXES_MAX}`);
}
