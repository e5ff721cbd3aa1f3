import type { QueueCore } from "./core.ts";
import { type MetricRow, metricsText, type Participant } from "../sharing/mod.ts";
import { laneOf } from "./route.ts";
import { COUNTER, RECORD } from "./layout.ts";
import { PHASE, phaseOf } from "./slot_word.ts";

/** What is in a queue, and what has happened to it since it was made. */
export interface QueueStatus {
  /** Messages that it can hold. */
  readonly capacity: number;
  /** Messages that can be had, dead letters not among them. */
  readonly readyCount: number;
  /** Messages that consumers have, and replies that were not fetched. */
  readonly reservedCount: number;
  /** Messages that were delivered too often. */
  readonly deadLetterCount: number;
  /** Messages that can be had, by priority or partition. */
  readonly readyCounts: readonly number[];
  /** Age of the oldest message that can be had, in milliseconds; `undefined`: there is none. */
  readonly oldestAgeMs: number | undefined;
  /** Messages sent and acknowledged to their senders. */
  readonly sentCount: number;
  /** Deliveries. */
  readonly receivedCount: number;
  /** Deliveries of messages that had been delivered before. */
  readonly redeliveredCount: number;
  /** Messages given back by their consumers. */
  readonly givenBackCount: number;
  /** Messages that were not fetched in time. */
  readonly expiredCount: number;
  /** Messages that gave way in a full queue, dead letters among them. */
  readonly droppedCount: number;
  /** Messages that went to the dead letters. */
  readonly deadLetteredCount: number;
  /** Messages that were found damaged. */
  readonly damagedCount: number;
  /** Messages sent a second, since the last `status()` of this opener, or since it opened the queue. */
  readonly sentPerSecond: number;
  /** Deliveries a second, likewise. */
  readonly receivedPerSecond: number;
  /** Who has the queue open. */
  readonly participants: readonly Participant[];
}

/** Makes the status of a queue; remembers what the rates are counted from. */
export class StatusMaker {
  readonly #core: QueueCore;
  #sinceMs = performance.now();
  #sentBefore: number;
  #receivedBefore: number;

  constructor(core: QueueCore) {
    this.#core = core;
    this.#sentBefore = core.participants.total(COUNTER.sent);
    this.#receivedBefore = core.participants.total(COUNTER.received);
  }

  make(): QueueStatus {
    const { memory, participants } = this.#core;
    const sentCount = participants.total(COUNTER.sent);
    const receivedCount = participants.total(COUNTER.received);
    const nowMs = performance.now();
    const seconds = Math.max(nowMs - this.#sinceMs, 1) / 1000;
    const status: QueueStatus = {
      capacity: memory.capacity,
      ...this.#contents(),
      sentCount,
      receivedCount,
      redeliveredCount: participants.total(COUNTER.redelivered),
      givenBackCount: participants.total(COUNTER.givenBack),
      expiredCount: participants.total(COUNTER.expired),
      droppedCount: participants.total(COUNTER.dropped),
      deadLetteredCount: participants.total(COUNTER.deadLettered),
      damagedCount: participants.total(COUNTER.damaged),
      sentPerSecond: (sentCount - this.#sentBefore) / seconds,
      receivedPerSecond: (receivedCount - this.#receivedBefore) / seconds,
      participants: [...participants.list()],
    };
    this.#sinceMs = nowMs;
    this.#sentBefore = sentCount;
    this.#receivedBefore = receivedCount;
    return status;
  }

  #contents(): Pick<
    QueueStatus,
    "readyCount" | "reservedCount" | "deadLetterCount" | "readyCounts" | "oldestAgeMs"
  > {
    const { memory } = this.#core;
    const { laneCount } = memory.geometry;
    const readyCounts = new Array<number>(laneCount).fill(0);
    let [reservedCount, deadLetterCount, oldestMs] = [0, 0, Infinity];
    for (let slot = 0; slot < memory.capacity; slot++) {
      const phase = phaseOf(memory.load(slot));
      if (phase === PHASE.reserved || phase === PHASE.replied) reservedCount++;
      if (phase !== PHASE.ready) continue;
      const record = memory.recordOf(slot);
      const lane = laneOf(Atomics.load(memory.words, record + RECORD.route), memory.geometry);
      if (lane === laneCount) {
        deadLetterCount++;
        continue;
      }
      readyCounts[lane]++;
      oldestMs = Math.min(oldestMs, memory.floats[record + RECORD.sentMs >> 1]);
    }
    const readyCount = readyCounts.reduce((sum, count) => sum + count, 0);
    const oldestAgeMs = readyCount === 0 ? undefined : Math.max(0, Date.now() - oldestMs);
    return { readyCount, reservedCount, deadLetterCount, readyCounts, oldestAgeMs };
  }
}

/** A status as text that Prometheus reads; `lane`: what its `readyCounts` are counted by. */
export function queueMetrics(queue: string, status: QueueStatus, lane: "priority" | "partition"): string {
  const oldestAgeSeconds = (status.oldestAgeMs ?? 0) / 1000;
  const rows: MetricRow[] = [
    ["capacity", "gauge", "Messages that the queue can hold", status.capacity],
    ["ready", "gauge", "Messages that can be had", status.readyCount],
    ["reserved", "gauge", "Messages that consumers have", status.reservedCount],
    ["dead_letters", "gauge", "Messages that were delivered too often", status.deadLetterCount],
    ["oldest_age_seconds", "gauge", "Age of the oldest message that can be had", oldestAgeSeconds],
    ["sent_total", "counter", "Messages sent", status.sentCount],
    ["received_total", "counter", "Deliveries", status.receivedCount],
    ["redelivered_total", "counter", "Deliveries of messages delivered before", status.redeliveredCount],
    ["given_back_total", "counter", "Messages given back", status.givenBackCount],
    ["expired_total", "counter", "Messages that were not fetched in time", status.expiredCount],
    ["dropped_total", "counter", "Messages that gave way in a full queue", status.droppedCount],
    ["dead_lettered_total", "counter", "Messages that went to the dead letters", status.deadLetteredCount],
    ["damaged_total", "counter", "Messages that were found damaged", status.damagedCount],
    ["sent_per_second", "gauge", "Messages sent a second since the last look", status.sentPerSecond],
    ["received_per_second", "gauge", "Deliveries a second since the last look", status.receivedPerSecond],
    [`ready_by_${lane}`, "gauge", `Messages of a ${lane} that can be had`, {
      label: lane,
      values: status.readyCounts.entries(),
    }],
  ];
  return metricsText("queue", queue, rows, status.participants);
}
