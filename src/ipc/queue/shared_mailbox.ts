import { assert, type WaitOptions } from "../../base/mod.ts";
import type { SharedMemory, SharedMemoryInfo } from "../memory/mod.ts";
import { Boxes } from "./boxes.ts";
import { type Delivery, placeOf } from "./delivery.ts";
import { handOver, MailboxBox, type MailboxOwner } from "./mailbox_box.ts";
import {
  countConstants,
  countsOf,
  MAILBOX_BOXES_MAX,
  MAILBOX_KIND,
  MAILBOX_SIZES_MIB,
  type MailboxConstants,
  mailboxGeometry,
  type MailboxSizeMib,
} from "./mailbox_layout.ts";
import type { OpenedRegion, Payload, RegionAccess, RegionFilter, RegionPlace } from "../sharing/mod.ts";
import type { SendOptions } from "./send_options.ts";
import { internalsOf, type SharedQueue } from "./shared_queue.ts";
import { removeOrphan, removeOrphans } from "./unlinking.ts";

/** Options of {@linkcode SharedMailbox.create} and {@linkcode SharedMailbox.open}. It is where its queue is. */
export interface MailboxOptions extends Pick<RegionAccess, "mode"> {
  /** How many boxes there are of each size in MiB; at most {@linkcode MAILBOX_BOXES_MAX} together. All of their memory is taken at once. */
  boxes: Partial<Record<MailboxSizeMib, number>>;
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
    const { constants, access } = planOf("create", queue, options);
    return MAILBOX_KIND.create(
      queue.name,
      constants,
      access,
      (opened) => new SharedMailbox(queue, opened),
    );
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
    return MAILBOX_KIND.connect(queue.name, regionPlaceOf(queue), (opened) => {
      if (opened.constants.queueIdentity === identityOf(queue)) return new SharedMailbox(queue, opened);
      throw new Deno.errors.NotFound(
        `connect to the mailbox of queue ${queue.name}: there is none but that of another queue of the same name`,
      );
    });
  }

  /**
   * Opens the mailbox of `queue`, and makes it where it has none. Throws what the two do, and:
   *
   * @throws {Deno.errors.AlreadyExists} when it exists with other boxes, or another mode, than was asked for; says which
   */
  static open(queue: SharedQueue, options: MailboxOptions): SharedMailbox {
    const { constants, access } = planOf("open", queue, options);
    return MAILBOX_KIND.open(
      queue.name,
      constants,
      { ...constants, ...access },
      (opened) => new SharedMailbox(queue, opened),
    );
  }

  /** The mailboxes that this process may open, by the names of their queues. */
  static list(options: RegionFilter = {}): SharedMemoryInfo[] {
    return MAILBOX_KIND.list(options);
  }

  /**
   * Takes the name of a queue's mailbox away; who has it open keeps it. `SharedQueue.unlink()` does so, too.
   *
   * @throws {Deno.errors.NotFound} when there is none
   * @throws {Deno.errors.InvalidData} when what has that name is no mailbox; it is left as it is
   */
  static unlink(queueName: string, options: RegionPlace = {}): void {
    MAILBOX_KIND.unlink(queueName, options);
  }

  /**
   * Takes the names of mailboxes away whose queue is no more, and returns the names of these queues. One whose queue exists goes with that: messages
   * in the queue may have boxes in it, though nobody has it open.
   */
  static removeAbandoned(options: RegionFilter = {}): string[] {
    return removeOrphans(options);
  }

  private constructor(queue: SharedQueue, { region, constants }: OpenedRegion<keyof MailboxConstants>) {
    const { core } = internalsOf(queue);
    assert(core.boxes === undefined, "SharedMailbox: this opener of the queue has one open");
    this.#queue = queue;
    this.#region = region;
    this.#boxes = new Boxes(core, region.bytes, mailboxGeometry(countsOf(constants)).boxes);
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
   * its previous owner.
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

/** Where the mailbox of a queue is. */
function regionPlaceOf(queue: SharedQueue): RegionPlace {
  return { directory: internalsOf(queue).directory };
}

function identityOf(queue: SharedQueue): number {
  return internalsOf(queue).core.memory.constants.identity;
}

/** What the mailbox of a queue is made with, and who may open it; what an earlier queue of the same name has left is out of the way then. */
function planOf(
  action: string,
  queue: SharedQueue,
  options: MailboxOptions,
): { readonly constants: MailboxConstants; readonly access: RegionAccess } {
  const counts = countConstants(requireCounts(options?.boxes));
  throwUnlessUsable(queue, action);
  const queueIdentity = identityOf(queue);
  const place = regionPlaceOf(queue);
  removeOrphan(queue.name, place, queueIdentity);
  return { constants: { queueIdentity, ...counts }, access: { mode: options.mode, ...place } };
}

function requireCounts(boxes: MailboxOptions["boxes"] | undefined): number[] {
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
