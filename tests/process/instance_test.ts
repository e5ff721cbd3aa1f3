import assert from "node:assert/strict";
import type { ChildHandler, Children } from "../../src/process/child.ts";
import { Instance } from "../../src/process/instance.ts";
import { nullSink } from "../../src/process/line_sink.ts";
import type { ProcessEvent } from "../../src/process/process_event.ts";
import { readSpecs } from "../../src/process/read_specs.ts";
import { ManualClock, TimerWheel } from "../../src/timer/mod.ts";

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
  return { instance, events, pass, exit: (code: number) => handler?.onExit({ code, signal: null }) };
}

Deno.test("Instance.stop() waits no more for a process that is not gone long after SIGKILL", async () => {
  const signals: string[] = [];
  const { instance, events, pass, exit } = instanceOf((signal) => {
    signals.push(signal);
    return true;
  });
  const ended = instance.stop("the test says so");
  pass(999);
  assert.deepEqual(signals, ["SIGTERM", "SIGCONT"]);
  pass(20);
  assert.deepEqual(signals, ["SIGTERM", "SIGCONT", "SIGKILL"]);
  pass(9000);
  assert.equal(instance.state, "stopping");
  pass(2000);
  assert.deepEqual(await ended, { code: 137, signal: "SIGKILL" });
  assert.equal(instance.state, "ended");
  const reasons = events.flatMap((event) => event.type === "killed" ? [event.reason] : []);
  assert.deepEqual(reasons, [
    "it did not end within 1000 ms",
    "it is not gone 10000 ms after that, and is left to the system",
  ]);
  const count = events.length;
  exit(0);
  assert.equal(events.length, count, "an end that comes later is told to nobody");
});
