/**
 * What examples/producer.ts sends to examples/worker.ts, and the queue in which it waits.
 *
 * @module
 */
import type { QueueShape } from "@millrace/millrace/queue";

/** Something to do. */
export interface Job {
  readonly number: number;
}

/** The queue of jobs; one that made three workers die is put aside as a dead letter. */
export const JOBS_SHAPE: QueueShape = { capacity: 1024, messageBytesMax: 256, deliveryCountMax: 3 };
