import { assertEquals, assertStrictEquals } from "@std/assert";
import type { ChildHandler, Children } from "../../../src/run/process/child.ts";
import { Instance } from "../../../src/run/process/instance.ts";
import { nullSink } from "../../../src/run/process/line_sink.ts";
import type { ProcessEvent } from "../../../src/run/process/process_event.ts";
import { readSpecs } from "../../../src/run/process/read_specs.ts";
import { ManualClock, TimerWheel } from "../../../src/base/timer/mod.ts";

/** An instance whose process does what the test says, and its time. */
function instanceOf(heeds: (signal: Deno.Signal) => boolean) {
  const clock = new ManualClock();
  const timers = new TimerWheel({ clock });
  const events: ProcessEvent[] = [];
  let handler: ChildHandler | undefined;
  const children: Children = {
    handsSocketsDown: true,
    start(_request, told) {
      handler = told;
      return { pid: 7, relayPath: () => "", kill: heeds, pauseOutput() {}, resumeOutput() {} };
    },
    usage: () => undefined,
    close: () => Promise.resolve(),
  };
  const [spec] = readSpecs([{ name: "x", command: "x", instances: 1, stopTimeoutMs: 1000 }]);
  const sockets = { sockets: [], descriptors: [], files: [], route() {}, unroute() {}, close() {} };
  const emit = (event: ProcessEvent): void => void events.push(event);
  const instance = new Instance(0, { spec, program: "x", children, sockets, timers, sink: nullSink, emit });
  const pass = (ms: number): void => {
    clock.advance(ms);
    timers.advance();
  };
  const complain = (line: string): void => handler?.onOutput("stderr", new TextEncoder().encode(`${line}\n`));
  return {
    instance,
    events,
    pass,
    complain,
    exit: (code: number) => handler?.onExit({ code, signal: null }),
  };
}

Deno.test("Instance.stop() waits no more for a process that is not gone long after SIGKILL", async () => {
  const signals: string[] = [];
  const { instance, events, pass, exit } = instanceOf((signal) => {
    signals.push(signal);
    return true;
  });
  const ended = instance.stop("the test says so");
  pass(999);
  assertEquals(signals, ["SIGTERM", "SIGCONT"]);
  pass(20);
  assertEquals(signals, ["SIGTERM", "SIGCONT", "SIGKILL"]);
  pass(9000);
  assertStrictEquals(instance.state, "stopping");
  pass(2000);
  assertEquals(await ended, { code: 137, signal: "SIGKILL" });
  assertStrictEquals(instance.state, "ended");
  const reasons = events.flatMap((event) => event.type === "killed" ? [event.reason] : []);
  assertEquals(reasons, [
    "it did not end within 1000 ms",
    "it is not gone 10000 ms after that, and is left to the system",
  ]);
  const count = events.length;
  exit(0);
  assertStrictEquals(events.length, count, "an end that comes later is told to nobody");
});

Deno.test("Instance.kill() is told once, however often it is called", async () => {
  const { instance, events, exit } = instanceOf(() => true);
  instance.kill("all end");
  const ended = instance.kill("all end");
  assertStrictEquals(events.filter(({ type }) => type === "killed").length, 1);
  exit(137);
  await ended;
});

/** What programs in these languages write when they fail. */
const COMPLAINTS: readonly [language: string, lines: readonly string[], words: string][] = [
  [
    "Deno in colours",
    ["\x1b[0m\x1b[1m\x1b[31merror\x1b[0m: Uncaught Error: no database", "\x1b[0m\x1b[31m      ^\x1b[0m"],
    "error: Uncaught Error: no database",
  ],
  [
    "Deno",
    ["error: Uncaught Error: no database", "    at file:///a.ts:1:1"],
    "error: Uncaught Error: no database",
  ],
  [
    "Deno with RUST_BACKTRACE",
    ["error: no such option", "", "Stack backtrace:", "   0: x"],
    "error: no such option",
  ],
  [
    "Node",
    ["/a.js:1", "throw x;", "^", "", "Error: no database", "    at a", "", "Node.js v20.11.0"],
    "Error: no database",
  ],
  [
    "Rust",
    ["thread 'main' panicked at a.rs:1:1:", "no database", "note: run with RUST_BACKTRACE=1"],
    "no database",
  ],
  [
    "Python",
    ["Traceback (most recent call last):", '  File "a.py"', "OSError: no database"],
    "OSError: no database",
  ],
  ["nobody", ["  indented"], "  indented"],
];

for (const [language, lines, words] of COMPLAINTS) {
  Deno.test(`Instance.lastWords are what was thrown, and not where, of ${language}`, () => {
    const { instance, complain, exit } = instanceOf(() => true);
    for (const line of lines) complain(line);
    assertStrictEquals(instance.lastWords, words);
    exit(1);
  });
}
