import { nameProblem } from "../../base/mod.ts";
import {
  SHARED_MEMORY_BYTES_MAX,
  SharedMemory,
  type SharedMemoryInfo,
  type SharedMemoryOptions,
} from "../memory/mod.ts";
import {
  geometryOf,
  inspectQueue,
  QUEUE_CAPACITY_MAX,
  QUEUE_DELIVERY_COUNT_MAX,
  QUEUE_MAGIC_BYTES,
  QUEUE_MESSAGE_BYTES_MAX,
  QUEUE_PARTITIONS_MAX,
  QUEUE_PRIORITIES_MAX,
  type QueueConstants,
  writeConstants,
} from "./layout.ts";
import { MAILBOX_MAGIC_BYTES } from "./mailbox_layout.ts";
import { QueueMemory } from "./queue_memory.ts";
import { inWordsOf, wordsOf } from "../sharing/mod.ts";

/** The longest name of a queue, in characters. */
export const QUEUE_NAME_LENGTH_MAX = 190;

/** What a queue is that is made without saying so. */
export const QUEUE_DEFAULTS = { capacity: 1024, messageBytesMax: 4096 } as const;

/** What the regions of queues begin with. */
const REGION_PREFIX = "queue.";

/** Options of {@linkcode SharedQueue.create} that say what the queue is. */
export interface QueueShape {
  /**
   * Messages that it holds, those that consumers have included: 1 to {@linkcode QUEUE_CAPACITY_MAX}.
   *
   * @default {1024, of QUEUE_DEFAULTS}
   */
  capacity?: number;
  /**
   * The longest message in bytes, after compression: 1 to {@linkcode QUEUE_MESSAGE_BYTES_MAX}. All memory is taken at once:
   * `capacity` times this, rounded up to 64, and 64.
   *
   * @default {4096, of QUEUE_DEFAULTS}
   */
  messageBytesMax?: number;
  /**
   * Priorities, of which 0 is the most urgent: 1 to {@linkcode QUEUE_PRIORITIES_MAX}. What is less urgent waits for as long as
   * there is anything more urgent.
   *
   * @default {1}
   */
  priorities?: number;
  /**
   * Partitions, 1 to {@linkcode QUEUE_PARTITIONS_MAX}, or 0 for none; not together with priorities. Messages with the same key go to
   * the same partition, of which one consumer at a time has one message at a time: so they are worked off in order.
   *
   * @default {0}
   */
  partitions?: number;
  /**
   * Times that a message is delivered before it goes to the dead letters, 1 to {@linkcode QUEUE_DELIVERY_COUNT_MAX}.
   *
   * @default {Infinity}
   */
  deliveryCountMax?: number;
  /**
   * Dead letters that are kept, in slots of the queue, from 0, and fewer than its capacity; the oldest gives way to one more.
   *
   * @default {a quarter of the capacity, rounded down}
   */
  deadLetterCountMax?: number;
}

/** Where a queue is. */
export interface QueuePlace {
  /**
   * An existing directory for the queue's file, in place of the system's shared memory: for a queue that survives a reboot.
   *
   * @default {the system's shared memory}
   */
  directory?: string;
}

/** @throws {RangeError} when an option is out of range */
export function constantsOf(shape: QueueShape, checksums: boolean): QueueConstants {
  const { capacity = QUEUE_DEFAULTS.capacity, messageBytesMax = QUEUE_DEFAULTS.messageBytesMax } = shape;
  const { priorities = 1, partitions = 0 } = shape;
  const { deliveryCountMax = Infinity, deadLetterCountMax = Math.floor(capacity / 4) } = shape;
  checkCount("capacity", capacity, 1, QUEUE_CAPACITY_MAX);
  checkCount("messageBytesMax", messageBytesMax, 1, QUEUE_MESSAGE_BYTES_MAX);
  checkCount("priorities", priorities, 1, QUEUE_PRIORITIES_MAX);
  checkCount("partitions", partitions, 0, QUEUE_PARTITIONS_MAX);
  // One more would let them fill the queue, and nothing could be sent any more.
  checkCount("deadLetterCountMax", deadLetterCountMax, 0, capacity - 1);
  if (deliveryCountMax !== Infinity) {
    checkCount("deliveryCountMax", deliveryCountMax, 1, QUEUE_DELIVERY_COUNT_MAX);
  }
  if (partitions > 0 && priorities > 1) {
    throw new RangeError(
      `create queue: ${priorities} priorities and ${partitions} partitions, expected one or the other`,
    );
  }
  const constants: QueueConstants = {
    capacity,
    messageBytesMax,
    priorities,
    partitions,
    deliveryCountMax: deliveryCountMax === Infinity ? 0 : deliveryCountMax,
    deadLetterCountMax,
    checksums,
    identity: crypto.getRandomValues(new Int32Array(1))[0],
  };
  const { byteLength } = geometryOf(constants);
  if (byteLength <= SHARED_MEMORY_BYTES_MAX) return constants;
  throw new RangeError(
    `create queue: capacity ${capacity} and messageBytesMax ${messageBytesMax} take ${byteLength} bytes, ` +
      `expected at most ${SHARED_MEMORY_BYTES_MAX}`,
  );
}

function checkCount(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new RangeError(`create queue: ${name} is ${value}, expected ${min} to ${max}`);
}

/** Makes the region of a queue, complete before anybody can open it. */
export function createQueue(
  name: string,
  shape: QueueShape,
  { directory }: QueuePlace,
  mode: number | undefined,
): { region: SharedMemory; memory: QueueMemory } {
  const region = regionOf(name);
  const constants = constantsOf(shape, directory !== undefined);
  const { byteLength } = geometryOf(constants);
  const initialize = (bytes: Uint8Array<ArrayBuffer>): void => writeConstants(wordsOf(bytes), constants);
  const subject = subjectOf(name);
  const opened = inWordsOf(
    "create",
    subject,
    () => SharedMemory.create(region, { byteLength, mode, directory, initialize, subject }),
  );
  return { region: opened, memory: new QueueMemory(opened, constants, subject) };
}

/** Opens the region of a queue, and looks at what it says it is. */
export function openQueue(
  name: string,
  { directory }: QueuePlace,
): { region: SharedMemory; memory: QueueMemory } {
  const subject = subjectOf(name);
  const region = inWordsOf(
    "connect to",
    subject,
    () => SharedMemory.connect(regionOf(name), { directory, subject }),
  );
  const { bytes } = region;
  const inspection = inspectQueue(wordsOf(bytes), bytes.byteLength);
  if (inspection.state === "queue") {
    return { region, memory: new QueueMemory(region, inspection.constants, subject) };
  }
  region.close();
  throw new Deno.errors.InvalidData(`connect to queue ${name}: ${inspection.found}`);
}

/** The regions that are queues, by what their names begin with. */
export function listQueues(prefix: string, { directory }: QueuePlace): SharedMemoryInfo[] {
  return SharedMemory.list({ prefix: REGION_PREFIX + prefix, directory, beginsWith: QUEUE_MAGIC_BYTES })
    .map((info) => ({ ...info, name: info.name.slice(REGION_PREFIX.length) }));
}

/** Takes a queue's name away, and that of its mailbox. */
export function unlinkQueue(name: string, { directory }: QueuePlace): void {
  const subject = subjectOf(name);
  const options = { directory, subject, beginsWith: QUEUE_MAGIC_BYTES };
  inWordsOf("unlink", subject, () => SharedMemory.unlink(regionOf(name), options));
  unlinkMailboxOf(name, { directory });
}

/** Takes the names of queues away that nobody has open, and of their mailboxes. */
export function removeAbandonedQueues(prefix: string, place: QueuePlace): string[] {
  const filter = {
    directory: place.directory,
    prefix: REGION_PREFIX + prefix,
    beginsWith: QUEUE_MAGIC_BYTES,
  };
  const names = SharedMemory.removeAbandoned(filter)
    .map((name) => name.slice(REGION_PREFIX.length));
  for (const name of names) unlinkMailboxOf(name, place);
  return names;
}

/** Makes the region of a queue's mailbox. */
export function createMailbox(queueName: string, options: SharedMemoryOptions): SharedMemory {
  const { region, subject } = mailboxOf(queueName);
  return inWordsOf("create", subject, () => SharedMemory.create(region, { ...options, subject }));
}

/** Opens the region of a queue's mailbox. */
export function openMailbox(queueName: string, { directory }: QueuePlace): SharedMemory {
  const { region, subject } = mailboxOf(queueName);
  return inWordsOf("connect to", subject, () => SharedMemory.connect(region, { directory, subject }));
}

/** Takes the name of a queue's mailbox away. */
export function unlinkMailbox(queueName: string, { directory }: QueuePlace): void {
  const { region, subject } = mailboxOf(queueName);
  const options = { directory, subject, beginsWith: MAILBOX_MAGIC_BYTES };
  inWordsOf("unlink", subject, () => SharedMemory.unlink(region, options));
}

function mailboxOf(queueName: string): { region: string; subject: string } {
  return { region: `mailbox.${queueName}`, subject: `the mailbox of queue ${queueName}` };
}

function unlinkMailboxOf(name: string, place: QueuePlace): void {
  try {
    unlinkMailbox(name, place);
  } catch (error) {
    // Most queues have none; and what is no mailbox, nobody has asked to take away.
    const { NotFound, InvalidData, IsADirectory, FilesystemLoop } = Deno.errors;
    if (![NotFound, InvalidData, IsADirectory, FilesystemLoop].some((kind) => error instanceof kind)) {
      throw error;
    }
  }
}

function subjectOf(name: string): string {
  return `queue ${name}`;
}

function regionOf(name: string): string {
  const problem = nameProblem(name, QUEUE_NAME_LENGTH_MAX);
  if (problem === undefined) return REGION_PREFIX + name;
  throw new RangeError(`name of a queue: ${problem}`);
}
