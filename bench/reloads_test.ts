import { assertEquals, assertStrictEquals } from "@std/assert";
import { failedCount, reloadNotes, type ReloadRound, requestCount } from "./reloads.ts";
import type { Outcome } from "./rounds.ts";

const load = (requests: number, errors: Record<string, number>) => ({
  requests,
  seconds: 5,
  p50Us: 1,
  p99Us: 2,
  errors,
});
const round: ReloadRound = {
  reloads: 3,
  p50Ms: 1,
  maxMs: 2,
  loads: [load(10, { read: 2, connect: 0 }), load(20, { read: 1, timeout: 4 })],
};
const contestant = {
  id: "a",
  label: "A",
  find: () => Promise.resolve({ state: "unavailable" as const, reason: "" }),
};
const ran: Outcome<ReloadRound> = {
  state: "ran",
  contestant,
  command: { executable: "a", args: [] },
  rounds: [round, round],
};

Deno.test("what failed under all loads of a round counts", () => {
  assertStrictEquals(failedCount(round), 7);
  assertStrictEquals(requestCount(round), 30);
});

Deno.test("reloadNotes() hides no failure, and says nothing of who has not run", () => {
  assertEquals(
    reloadNotes([ran, { ...ran, rounds: [] }, { state: "not run", contestant, reason: "not there" }]),
    ["A: 6 reloads, 60 requests answered, 14 failed (read 6, timeout 8)"],
  );
});
