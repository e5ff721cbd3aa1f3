import { assertStrictEquals } from "@std/assert";
import { describeEvent, type ProcessEvent } from "../../../src/run/process/mod.ts";

const web = { name: "web", instance: 1, pid: 42 };

const CASES: readonly [ProcessEvent, string][] = [
  [{ type: "started", ...web }, "web/1 (process 42) started"],
  [{ type: "ready", ...web }, "web/1 (process 42) is ready"],
  [{ type: "draining", ...web }, "web/1 (process 42) is asked to finish"],
  [{ type: "unhealthy", reason: "r", ...web }, "web/1 (process 42) hangs and is stopped: r"],
  [{ type: "killed", reason: "r", ...web }, "web/1 (process 42) is killed: r"],
  [
    { type: "exited", status: { code: 7, signal: null }, expected: false, ranMs: 1234, ...web },
    "web/1 (process 42) ended with code 7 after 1.23 s",
  ],
  [
    { type: "exited", status: { code: 137, signal: "SIGKILL" }, expected: true, ranMs: 12_345, ...web },
    "web/1 (process 42) ended by SIGKILL after 12 s",
  ],
  [{ type: "restarting", name: "web", instance: 1, delayMs: 0 }, "web/1 starts again"],
  [{ type: "restarting", name: "web", instance: 1, delayMs: 250 }, "web/1 starts again in 0.25 s"],
  [{ type: "failed", name: "web", instance: 1, reason: "r" }, "web/1 failed: r"],
  [{ type: "gave-up", name: "web", instance: 1, reason: "r" }, "web/1 IS GIVEN UP: r"],
  [{ type: "reloading", name: "web" }, "web is reloaded"],
  [{ type: "reloaded", name: "web" }, "web was reloaded"],
  [
    { type: "reload-failed", name: "web", reason: "r" },
    "RELOAD OF web FAILED, what was not replaced still runs: r",
  ],
  [{ type: "missed", count: 3 }, "3 events were missed"],
];

for (const [event, line] of CASES) {
  Deno.test(`describeEvent() tells ${event.type} in a line: ${line}`, () =>
    assertStrictEquals(describeEvent(event), line));
}
