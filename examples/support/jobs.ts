/**
 * The jobs that examples/producer.ts sends to examples/worker.ts, and their queue.
 *
 * @module
 */
import type { QueueShape } from "@millrace/millrace/queue";

/** A job. */
export interface Job {
  readonly number: number;
}

/** The queue of jobs; one that has killed three workers becomes a dead letter. */
export const JOBS_SHAPE: QueueShape = { capacity: 1024, messageBytesMax: 256, deliveryCountMax: 3 };
