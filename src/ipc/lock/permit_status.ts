import { type MetricRow, metricsText, type Participant } from "../sharing/mod.ts";
import type { Permits } from "./permits.ts";
import { PERMIT_COUNTER } from "./permits_layout.ts";

/** How things are with a lock or a semaphore. A lock has one permit. */
export interface PermitStatus {
  /** Permits that there are. */
  readonly permitCount: number;
  /** Permits that are held, or were just handed over. */
  readonly heldCount: number;
  /** Openers that wait. */
  readonly waitingCount: number;
  /** Times that a permit was acquired. */
  readonly acquiredCount: number;
  /** Times that an opener had to wait for one. */
  readonly waitedCount: number;
  /** Times that one was acquired whose holder had died. */
  readonly abandonedCount: number;
  /** Who has it open. */
  readonly participants: readonly Participant[];
}

/** How things are with it. */
export function permitStatusOf(permits: Permits): PermitStatus {
  return {
    permitCount: permits.count,
    heldCount: permits.count - permits.freeCount,
    waitingCount: permits.waitingCount,
    acquiredCount: permits.total(PERMIT_COUNTER.acquired),
    waitedCount: permits.total(PERMIT_COUNTER.waited),
    abandonedCount: permits.total(PERMIT_COUNTER.abandoned),
    participants: permits.participants(),
  };
}

/** A status as text that Prometheus reads. */
export function permitMetrics(kind: "lock" | "semaphore", name: string, status: PermitStatus): string {
  const rows: MetricRow[] = [
    ["permits", "gauge", "Permits that there are", status.permitCount],
    ["held", "gauge", "Permits that are held", status.heldCount],
    ["waiting", "gauge", "Openers that wait", status.waitingCount],
    ["acquired_total", "counter", "Permits acquired", status.acquiredCount],
    ["waited_total", "counter", "Times that an opener had to wait", status.waitedCount],
    ["abandoned_total", "counter", "Permits acquired whose holder had died", status.abandonedCount],
  ];
  return metricsText(kind, name, rows, status.participants);
}
