import { assertEquals, assertStrictEquals } from "@std/assert";
import { formatAge, statusJson, statusTable } from "../../../src/cli/queue/status_report.ts";
import type { QueueStatus } from "../../../src/ipc/queue/mod.ts";

const attachedAt = new Date(0);
const STATUS: QueueStatus = {
  capacity: 8,
  readyCount: 3,
  reservedCount: 1,
  deadLetterCount: 1,
  readyCounts: [1, 2],
  oldestAgeMs: 1500,
  sentCount: 10,
  receivedCount: 6,
  redeliveredCount: 1,
  givenBackCount: 1,
  expiredCount: 0,
  droppedCount: 0,
  deadLetteredCount: 1,
  damagedCount: 0,
  sentPerSecond: 2.4,
  receivedPerSecond: 1.6,
  participants: [{ pid: 7, attachedAt, alive: true }, { pid: 8, attachedAt, alive: false }],
};

Deno.test("statusTable() tells people what is in a queue, and not of the process that looks", () => {
  assertStrictEquals(
    statusTable("jobs", STATUS, { ownPid: 7, withRates: true }),
    [
      "queue          jobs",
      "capacity       8, 5 used",
      "ready          3 (0: 1, 1: 2)",
      "reserved       1",
      "dead letters   1",
      "oldest         1.5 s",
      "sent           10, 2 a second",
      "received       6, 2 a second",
      "redelivered    1",
      "given back     1",
      "expired        0",
      "dropped        0",
      "dead lettered  1",
      "damaged        0",
      "opened by",
      "  process 8 since 1970-01-01T00:00:00.000Z, died",
    ].join("\n"),
  );
});

Deno.test("statusJson() has null for what is not known", () => {
  const json = JSON.parse(
    statusJson("jobs", { ...STATUS, oldestAgeMs: undefined }, { ownPid: 7, withRates: false }),
  );
  assertEquals([json.oldestAgeMs, json.sentPerSecond, json.receivedPerSecond], [null, null, null]);
  assertEquals(json.participants.map(({ pid }: { pid: number }) => pid), [8]);
});

Deno.test("formatAge() takes the largest unit that fits", () => {
  assertEquals([12, 59_000, 90_000, 5_400_000].map(formatAge), ["12 ms", "59.0 s", "1.5 min", "1.5 h"]);
});
