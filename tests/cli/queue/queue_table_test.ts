import { assertStrictEquals } from "@std/assert";
import { formatQueueTable, queueJson } from "../../../src/cli/queue/queue_table.ts";

const info = { name: "jobs", byteLength: 4096, mode: 0o60, inUse: true, state: "ready" as const };

Deno.test("formatQueueTable() aligns its columns", () => {
  assertStrictEquals(
    formatQueueTable([info, { ...info, name: "a-longer-name", inUse: false, createdAt: new Date(0) }]),
    [
      "NAME           BYTES  MODE  IN USE  STATE  CREATED",
      "jobs           4096   060   yes     ready  -",
      "a-longer-name  4096   060   no      ready  1970-01-01T00:00:00.000Z",
    ].join("\n"),
  );
});

Deno.test("queueJson() has null for what is not known", () => {
  assertStrictEquals(
    queueJson(info),
    '{"name":"jobs","byteLength":4096,"mode":"060","inUse":true,"state":"ready","createdAt":null,"createdByPid":null}',
  );
});
