import { assertStrictEquals } from "@std/assert";
import { formatProcessTable } from "../../../src/cli/process/process_table.ts";

Deno.test("formatProcessTable() is a table for people", () => {
  const one = {
    name: "web",
    instance: 0,
    state: "ready" as const,
    pid: 42,
    uptimeMs: 59_000,
    restartCount: 3,
    memoryBytes: 1024 * 1024 * 12.34,
    cpuMs: 1234,
    lastExit: { code: 137, signal: "SIGKILL" as const },
  };
  const gone = {
    ...one,
    name: "longer",
    instance: 11,
    state: "gave-up" as const,
    pid: undefined,
    uptimeMs: undefined,
    memoryBytes: undefined,
    cpuMs: undefined,
    lastExit: { code: 7, signal: null },
  };
  const times = [60_000, 3_600_000 + 120_000, 3 * 86_400_000].map((uptimeMs) => ({
    ...one,
    uptimeMs,
    lastExit: undefined,
  }));
  assertStrictEquals(
    formatProcessTable([one, gone, ...times]),
    [
      "NAME       PID  STATE    UPTIME     RESTARTS  MEMORY    CPU     LAST EXIT",
      "web/0      42   ready    59 s       3         12.3 MiB  1.23 s  SIGKILL",
      "longer/11  -    gave-up  -          3         -         -       code 7",
      "web/0      42   ready    1 min      3         12.3 MiB  1.23 s  -",
      "web/0      42   ready    1 h 2 min  3         12.3 MiB  1.23 s  -",
      "web/0      42   ready    3 d        3         12.3 MiB  1.23 s  -",
    ].join("\n"),
  );
});
