import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { type ProcessSpec, ProcessSpecError } from "../../../src/run/process/mod.ts";
import { readSpecs } from "../../../src/run/process/read_specs.ts";

const web: ProcessSpec = { name: "web", command: "sleep" };

Deno.test("readSpecs() fills in what is left out", () => {
  const [spec] = readSpecs([web]);
  assertEquals(spec, {
    name: "web",
    command: "sleep",
    args: [],
    env: {},
    clearEnv: false,
    cwd: undefined,
    instances: navigator.hardwareConcurrency,
    listen: [],
    ready: { kind: "started", afterMs: 1000 },
    health: undefined,
    restart: {
      policy: "always",
      delayMs: 100,
      delayMsMax: 30_000,
      factor: 2,
      jitter: 0.2,
      restartsMax: 10,
      windowMs: 60_000,
      stableMs: 10_000,
    },
    stopSignal: "SIGTERM",
    stopTimeoutMs: 10_000,
    drainSignal: undefined,
    drainTimeoutMs: 30_000,
    reloadParallel: 1,
    watch: undefined,
    output: { kind: "prefixed" },
  });
});

Deno.test("readSpecs() takes all that there is", () => {
  const [spec] = readSpecs([{
    ...web,
    command: new URL("file:///usr/bin/a%20b"),
    cwd: new URL("file:///tmp"),
    args: ["a"],
    env: { A: "1" },
    listen: [{ port: 80 }, { name: "s", path: "/run/s" }, { hostname: "::1", port: 0, backlog: 5 }],
    ready: { kind: "line", pattern: /^a/gi },
    health: { kind: "http", url: "http://127.0.0.1:80{instance}/", intervalMs: 10 },
    restart: { policy: "never", delayMs: 60_000 },
    watch: { paths: ["src"] },
    output: { kind: "files", directory: "logs" },
  }]);
  assertEquals([spec.command, spec.cwd], ["/usr/bin/a b", "/tmp"]);
  assertEquals(spec.listen, [
    { name: "0", address: { hostname: "0.0.0.0", port: 80 }, backlog: 4096 },
    { name: "s", address: { path: "/run/s" }, backlog: 4096 },
    { name: "2", address: { hostname: "::1", port: 0 }, backlog: 5 },
  ]);
  assert(spec.ready.kind === "line" && spec.ready.pattern.flags === "i", "no memory from line to line");
  assertEquals(spec.health, {
    kind: "http",
    url: "http://127.0.0.1:80{instance}/",
    intervalMs: 10,
    timeoutMs: 2000,
    failuresMax: 3,
  });
  assertEquals([spec.restart.delayMs, spec.restart.delayMsMax], [60_000, 60_000]);
  assertEquals(spec.watch, { paths: ["src"], debounceMs: 300 });
  assertEquals(spec.output, { kind: "files", directory: "logs", bytesMax: 10_485_760, filesMax: 5 });
});

/** What is wrong, where that is, what was there, and what is expected. */
const MISTAKES: readonly [specs: unknown, key: string, found: string, expected: RegExp][] = [
  [undefined, "process", "missing", /a list of 1 to 256 processes/],
  [[], "process", '"0 of them"', /a list of 1/],
  [{}, "process", "{}", /a list of 1/],
  [["web"], "process[0]", '"web"', /an object with name and command/],
  [[{ command: "a" }], "process[0].name", "missing", /1 to 64 letters/],
  [[{ ...web, name: "a b" }], "process[0].name", '"a b"', /1 to 64 letters/],
  [[web, web], "process[1].name", '"web"', /a name that no other process has/],
  [[{ name: "web" }], "process[0].command", "missing", /a path/],
  [[{ ...web, command: "" }], "process[0].command", '""', /a path/],
  [[{ ...web, command: 7 }], "process[0].command", "7", /a path/],
  [[{ ...web, command: new URL("http://x/") }], "process[0].command", '"http://x/"', /file: URL/],
  [[{ ...web, args: "-v" }], "process[0].args", '"-v"', /a list of texts/],
  [[{ ...web, args: ["a", 1] }], "process[0].args[1]", "1", /a text/],
  [[{ ...web, args: ["a\0"] }], "process[0].args[0]", '"a\\u0000"', /without zero bytes/],
  [[{ ...web, env: ["A=1"] }], "process[0].env", '["A=1"]', /an object of texts/],
  [[{ ...web, env: { A: 1 } }], "process[0].env.A", "1", /a text/],
  [[{ ...web, env: { "A=B": "1" } }], "process[0].env.A=B", '"1"', /a name without =/],
  [[{ ...web, clearEnv: "yes" }], "process[0].clearEnv", '"yes"', /true or false/],
  [[{ ...web, instances: 0 }], "process[0].instances", "0", /1 to 1024/],
  [[{ ...web, instances: 1.5 }], "process[0].instances", "1.5", /1 to 1024/],
  [[{ ...web, instances: "2" }], "process[0].instances", '"2"', /1 to 1024/],
  [[{ ...web, instaces: 2 }], "process[0].instaces", "2", /one of .*instances.*: there is no such key/],
  [[{ nmae: "web", command: "a" }], "process[0].nmae", '"web"', /one of .*name.*: there is no such key/],
  [[{ ...web, listen: { port: 1 } }], "process[0].listen", '{"port":1}', /a list of sockets/],
  [[{ ...web, listen: [{}] }], "process[0].listen[0].port", "missing", /a port from 0 to 65535/],
  [[{ ...web, listen: [{ port: 65_536 }] }], "process[0].listen[0].port", "65536", /0 to 65535/],
  [
    [{ ...web, listen: [{ port: 1, path: "/a" }] }],
    "process[0].listen[0].path",
    '"/a"',
    /either a path or a port/,
  ],
  [
    [{ ...web, listen: [{ path: `/${"a".repeat(107)}` }] }],
    "process[0].listen[0].path",
    `"/${"a".repeat(107)}"`,
    /107 bytes/,
  ],
  [[{ ...web, listen: [{ port: 1, tls: true }] }], "process[0].listen[0].tls", "true", /no such key/],
  [
    [{ ...web, listen: [{ port: 1 }, { name: "0", port: 2 }] }],
    "process[0].listen[1].name",
    '"0"',
    /no other socket/,
  ],
  [[{ ...web, listen: Array(65).fill({ port: 1 }) }], "process[0].listen", "", /at most 64 sockets/],
  [[{ ...web, ready: "line" }], "process[0].ready", '"line"', /an object/],
  [[{ ...web, ready: {} }], "process[0].ready.kind", "missing", /"started", "line", "message", "http"/],
  [[{ ...web, ready: { kind: "line" } }], "process[0].ready.pattern", "missing", /a regular expression/],
  [
    [{ ...web, ready: { kind: "line", pattern: "(" } }],
    "process[0].ready.pattern",
    '"("',
    /a regular expression/,
  ],
  [[{ ...web, ready: { kind: "http", url: "ftp://a" } }], "process[0].ready.url", '"ftp://a"', /http:/],
  [
    [{ ...web, ready: { kind: "message", timeoutMs: 0 } }],
    "process[0].ready.timeoutMs",
    "0",
    /a number from 1/,
  ],
  [[{ ...web, ready: { kind: "started", timeoutMs: 9 } }], "process[0].ready.timeoutMs", "9", /no such key/],
  [
    [{ ...web, output: { kind: "inherit" }, ready: { kind: "line", pattern: "a" } }],
    "process[0].ready.kind",
    '"line"',
    /no lines are read/,
  ],
  [[{ ...web, health: { kind: "tcp" } }], "process[0].health.kind", '"tcp"', /"heartbeat" or "http"/],
  [[{ ...web, health: { kind: "http" } }], "process[0].health.url", "missing", /http:/],
  [
    [{ ...web, health: { kind: "heartbeat", intervalMs: 1 } }],
    "process[0].health.intervalMs",
    "1",
    /from 10/,
  ],
  [
    [{ ...web, restart: { policy: "sometimes" } }],
    "process[0].restart.policy",
    '"sometimes"',
    /"always", "on-failure" or "never"/,
  ],
  [
    [{ ...web, restart: { delayMs: 9, delayMsMax: 8 } }],
    "process[0].restart.delayMsMax",
    "8",
    /at least delayMs, 9/,
  ],
  [[{ ...web, restart: { jitter: 2 } }], "process[0].restart.jitter", "2", /0 to 1/],
  [[{ ...web, stopSignal: "SIGKILL" }], "process[0].stopSignal", '"SIGKILL"', /but for SIGKILL/],
  [[{ ...web, stopSignal: "TERM" }], "process[0].stopSignal", '"TERM"', /a signal such as "SIGTERM"/],
  [[{ ...web, stopTimeoutMs: -1 }], "process[0].stopTimeoutMs", "-1", /a number from 0/],
  [[{ ...web, watch: { paths: [] } }], "process[0].watch.paths", "[]", /at least one path/],
  [[{ ...web, output: { kind: "files" } }], "process[0].output.directory", "missing", /a path/],
  [
    [{ ...web, output: { kind: "syslog" } }],
    "process[0].output.kind",
    '"syslog"',
    /"prefixed", "inherit", "null" or "files"/,
  ],
  [[{ ...web, date: new Date(0) }], "process[0].date", '"1970-01-01T00:00:00.000Z"', /no such key/],
];

for (const [specs, key, found, expected] of MISTAKES) {
  Deno.test(`readSpecs() names ${key}, what is there and what is expected: ${expected.source}`, () => {
    assertThrowsMatching(() => readSpecs(specs), (error) => {
      assert(error instanceof ProcessSpecError);
      assertStrictEquals(error.key, key);
      if (found !== "") assertStrictEquals(error.found, found);
      assertMatch(error.expected, expected);
      assert(error.message.startsWith(`${key} is ${error.found}, expected `));
      return true;
    });
  });
}
