import { type MetricRow, metricsText, type Participant } from "../sharing/mod.ts";
import type { StateCore } from "./state_core.ts";
import { COUNTER, WORD } from "./layout.ts";

/** What is in a state, and what has happened to it since it was made. */
export interface StateStatus {
  /** Keys that it can hold. */
  readonly capacity: number;
  /** Keys that it holds, those among them that have expired and were not taken away yet. */
  readonly keyCount: number;
  /** Times that a key was given a value, counters included. */
  readonly setCount: number;
  /** Keys that were deleted. */
  readonly deletedCount: number;
  /** Keys that had expired and were taken away to make room; those that a new value has replaced are not among them. */
  readonly expiredCount: number;
  /** Calls that found no room. */
  readonly refusedCount: number;
  /** Times that something was found damaged. */
  readonly damagedCount: number;
  /** Watches that there are; more than that where one who watched has died at the wrong moment. */
  readonly watchCount: number;
  /** Who has the state open. */
  readonly participants: readonly Participant[];
}

/** What is in a state. */
export function stateStatusOf(core: StateCore): StateStatus {
  const { memory, members } = core;
  return {
    capacity: memory.constants.capacity,
    keyCount: Math.max(0, Atomics.load(memory.words, WORD.keys)),
    setCount: core.total(COUNTER.set),
    deletedCount: core.total(COUNTER.deleted),
    expiredCount: core.total(COUNTER.expired),
    refusedCount: core.total(COUNTER.refused),
    damagedCount: core.total(COUNTER.damaged),
    watchCount: Math.max(0, Atomics.load(memory.words, WORD.watching)),
    participants: [...members.list()],
  };
}

/** A status as text that Prometheus reads. */
export function stateMetrics(state: string, status: StateStatus): string {
  const rows: MetricRow[] = [
    ["capacity", "gauge", "Keys that the state can hold", status.capacity],
    ["keys", "gauge", "Keys that the state holds", status.keyCount],
    ["watches", "gauge", "Watches that there are", status.watchCount],
    ["set_total", "counter", "Values that keys were given", status.setCount],
    ["deleted_total", "counter", "Keys deleted", status.deletedCount],
    ["expired_total", "counter", "Expired keys taken away", status.expiredCount],
    ["refused_total", "counter", "Calls that found no room", status.refusedCount],
    ["damaged_total", "counter", "Times that something was found damaged", status.damagedCount],
  ];
  return metricsText("state", state, rows, status.participants);
}
