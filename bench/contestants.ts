import { denoExecutable, isOnPath, modifiedMs } from "./command.ts";
import { type Availability, builtFromC, builtFromCargo, builtFromGo, builtRings } from "./peers.ts";
import { findNginx } from "./nginx.ts";
import {
  handOverContestants,
  killContestants,
  reloadContestants,
  stateContestants,
  taskTripContestants,
} from "./process_contestants.ts";
import { queueThroughputContestants, queueWakeContestants } from "./queue_contestants.ts";
import type { Contestant } from "./rounds.ts";

/** Servers that answer `GET /` with `Hello world!`; the first that runs is what the others are compared with. */
export const httpContestants: readonly Contestant[] = [
  millrace("uring", "http"),
  millrace("deno", "http"),
  {
    id: "epoll",
    label: "C epoll loop",
    note: "looks for the blank line after a request and parses nothing",
    find: async () => withArgs(await builtFromC("epoll_server"), ["http"]),
  },
  { id: "deno", label: "Deno.serve", find: () => onDeno("bench/peers/deno_server.ts", "http") },
  {
    id: "node",
    label: "Node http",
    note: "its time-outs for idle connections and slow headers are off",
    find: () => onPath("node", "bench/peers/node_server.mjs", "http"),
  },
  {
    id: "go",
    label: "Go net/http",
    note: "GOMAXPROCS=1",
    find: async () => withArgs(await builtFromGo("go_server"), ["http"], { GOMAXPROCS: "1" }),
  },
  {
    id: "tokio",
    label: "hyper",
    note: "tokio's current-thread runtime",
    find: async () => withArgs(await builtFromCargo(), ["http"]),
  },
  { id: "nginx", label: "nginx return", note: "one worker, access log off", find: findNginx },
  { id: "bun", label: "Bun.serve", find: () => onPath("bun", "bench/peers/bun_server.mjs", "http") },
];

/** Servers that send every byte back. */
export const echoContestants: readonly Contestant[] = [
  millrace("uring", "tcp"),
  millrace("deno", "tcp"),
  {
    id: "epoll",
    label: "C epoll loop",
    find: async () => withArgs(await builtFromC("epoll_server"), ["echo"]),
  },
  {
    id: "deno",
    label: "Deno.listen",
    note: "a buffer of 4 KiB per connection",
    find: () => onDeno("bench/peers/deno_server.ts", "echo"),
  },
  { id: "node", label: "Node net", find: () => onPath("node", "bench/peers/node_server.mjs", "echo") },
  {
    id: "go",
    label: "Go net",
    note: "GOMAXPROCS=1, a buffer of 4 KiB per connection",
    find: async () => withArgs(await builtFromGo("go_server"), ["echo"], { GOMAXPROCS: "1" }),
  },
  {
    id: "tokio",
    label: "tokio",
    note: "current-thread runtime, a buffer of 4 KiB per connection",
    find: async () => withArgs(await builtFromCargo(), ["echo"]),
  },
  { id: "bun", label: "Bun.listen", find: () => onPath("bun", "bench/peers/bun_server.mjs", "echo") },
];

/** What a program does with its timers. */
export type TimerWorkload = "bulk" | "churn";

/** Programs that schedule and cancel so many timers. */
export function timerContestants(workload: TimerWorkload, timerCount: number): readonly Contestant[] {
  const words = [workload, String(timerCount)];
  return [
    {
      id: "millrace",
      label: "Millrace TimerWheel",
      find: () => onDenoWhenThere("src/base/timer/mod.ts", "bench/peers/millrace_timers.ts", ...words),
    },
    { id: "deno", label: "Deno setTimeout", find: () => onDeno("bench/peers/set_timeout.mjs", ...words) },
    {
      id: "node",
      label: "Node setTimeout",
      find: () => onPath("node", "bench/peers/set_timeout.mjs", ...words),
    },
    {
      id: "tokio",
      label: "tokio sleep",
      note:
        "each sleep is boxed and polled once, on the current-thread runtime; an early timer is pending all the while, " +
        "without which each would also write to an eventfd",
      find: async () => withArgs(await builtFromCargo(), [`timers-${workload}`, String(timerCount)]),
    },
    {
      id: "bun",
      label: "Bun setTimeout",
      find: () => onPath("bun", "bench/peers/set_timeout.mjs", ...words),
    },
  ];
}

/** Every identifier that `--only` may name. */
export function contestantIds(): string[] {
  const all = [
    ...httpContestants,
    ...echoContestants,
    ...timerContestants("bulk", 0),
    ...throughputContestants(64, true),
    ...roundTripContestants(),
    ...wakeContestants(),
    ...callContestants(1),
    ...queueThroughputContestants(64, 1),
    ...queueWakeContestants(64, 1),
    ...taskTripContestants(),
    ...killContestants(1),
    ...reloadContestants(1, 1),
    ...stateContestants("get"),
    ...handOverContestants(1),
  ];
  return [...new Set(all.map((contestant) => contestant.id))];
}

/** Messages of so many bytes each from one thread to another; `batched`: 64 at a time. */
export function throughputContestants(byteLength: number, batched: boolean): readonly Contestant[] {
  const size = String(byteLength);
  const batch = batched ? "64" : "1";
  const messages = (id: string, label: string, command: "deno" | "node", transport: string): Contestant => ({
    id,
    label,
    find: () => passing(command, transport, "throughput", size, batch),
  });
  const ring = (way: string) =>
    onDenoWhenThere("src/ipc/ring/mod.ts", "bench/peers/millrace_ring.ts", "throughput", size, batch, way);
  return [
    { id: "millrace-ring", label: "Millrace ring, copied", find: () => ring("copy") },
    { id: "millrace-claim", label: "Millrace ring, in place", find: () => ring("place") },
    {
      id: "rtrb",
      label: batched ? "rtrb, in chunks" : "rtrb",
      find: async () => withArgs(await builtRings(), ["rtrb", "throughput", size, batch]),
    },
    ...(batched ? [] : [{
      id: "crossbeam",
      label: "crossbeam ArrayQueue",
      find: async () => withArgs(await builtRings(), ["crossbeam", "throughput", size, batch]),
    }]),
    messages("deno-worker", "Deno worker postMessage", "deno", "worker"),
    messages("deno-channel", "Deno MessageChannel", "deno", "channel"),
    messages("node-worker", "Node worker postMessage", "node", "worker"),
    messages("node-channel", "Node MessageChannel", "node", "channel"),
  ];
}

/** 64 bytes to another thread and back. */
export function roundTripContestants(): readonly Contestant[] {
  const ring = (id: string, label: string, way: string): Contestant => ({
    id,
    label,
    find: () => onDenoWhenThere("src/ipc/ring/mod.ts", "bench/peers/millrace_ring.ts", "roundtrip", way),
  });
  return [
    ring("millrace-spin", "Millrace ring, spinning", "spin"),
    ring("millrace-sleep", "Millrace ring, spins, then sleeps", "sleep"),
    ring("millrace-async", "Millrace ring, on the event loop", "async"),
    {
      id: "rtrb",
      label: "rtrb, spinning",
      find: async () => withArgs(await builtRings(), ["rtrb", "roundtrip"]),
    },
    {
      id: "deno-worker",
      label: "Deno worker postMessage",
      find: () => passing("deno", "worker", "roundtrip"),
    },
    { id: "deno-channel", label: "Deno MessageChannel", find: () => passing("deno", "channel", "roundtrip") },
    {
      id: "node-worker",
      label: "Node worker postMessage",
      find: () => passing("node", "worker", "roundtrip"),
    },
    { id: "node-channel", label: "Node MessageChannel", find: () => passing("node", "channel", "roundtrip") },
  ];
}

/** The same, both sides having slept for 3 ms. */
export function wakeContestants(): readonly Contestant[] {
  return [
    {
      id: "millrace-asleep",
      label: "Millrace ring, readableSync()",
      find: () => onDenoWhenThere("src/ipc/ring/mod.ts", "bench/peers/millrace_ring.ts", "wake", "sleep"),
    },
    {
      id: "millrace-async",
      label: "Millrace ring, on the event loop",
      find: () => onDenoWhenThere("src/ipc/ring/mod.ts", "bench/peers/millrace_ring.ts", "wake", "async"),
    },
    { id: "deno-worker", label: "Deno worker postMessage", find: () => passing("deno", "worker", "wake") },
    { id: "deno-channel", label: "Deno MessageChannel", find: () => passing("deno", "channel", "wake") },
    { id: "node-worker", label: "Node worker postMessage", find: () => passing("node", "worker", "wake") },
    { id: "node-channel", label: "Node MessageChannel", find: () => passing("node", "channel", "wake") },
  ];
}

/** Calls to another thread and their results, so many at a time. */
export function callContestants(outstanding: number): readonly Contestant[] {
  const count = String(outstanding);
  const calls = (idle: string): Contestant => ({
    id: `millrace-${idle}`,
    label: `Millrace submitTo, ${idle}`,
    find: () =>
      onDenoWhenThere("src/run/cores/mod.ts", "bench/peers/millrace_calls.ts", "calls", count, idle),
  });
  return [
    calls("cooperate"),
    calls("block"),
    calls("spin"),
    {
      id: "tokio",
      label: "tokio, two runtimes",
      find: async () => withArgs(await builtRings(), ["tokio", "calls", count]),
    },
    {
      id: "deno-worker",
      label: "Deno worker postMessage",
      find: () => passing("deno", "worker", "calls", count),
    },
    {
      id: "node-worker",
      label: "Node worker postMessage",
      find: () => passing("node", "worker", "calls", count),
    },
  ];
}

/** A core with nothing to do: how soon it is awake, or what it costs. */
export function idleCoreContestants(what: "wake" | "idle", number: number): readonly Contestant[] {
  const cores = ["cooperate", "block"].map((idle) => ({
    id: `millrace-${idle}`,
    label: `Millrace submitTo, ${idle}`,
    find: () =>
      onDenoWhenThere("src/run/cores/mod.ts", "bench/peers/millrace_calls.ts", what, String(number), idle),
  }));
  if (what === "idle") return cores;
  return [
    ...cores,
    { id: "deno-worker", label: "Deno worker postMessage", find: () => passing("deno", "worker", "wake") },
    { id: "node-worker", label: "Node worker postMessage", find: () => passing("node", "worker", "wake") },
  ];
}

function passing(command: "deno" | "node", ...args: string[]): Promise<Availability> {
  return command === "deno"
    ? onDeno("bench/peers/messages.mjs", ...args)
    : onPath("node", "bench/peers/messages.mjs", ...args);
}

function millrace(driver: "uring" | "deno", protocol: "http" | "tcp"): Contestant {
  const example = `examples/${protocol}_echo.ts`;
  return {
    id: `millrace-${driver}`,
    label: `Millrace, ${driver}`,
    find: () => onDenoWhenThere(example, example, "--addr", "127.0.0.1:0", "--driver", driver),
  };
}

function onDeno(...args: string[]): Promise<Availability> {
  return Promise.resolve({
    state: "ready",
    command: { executable: denoExecutable(), args: ["run", "-A", ...args] },
  });
}

function onDenoWhenThere(path: string, ...args: string[]): Promise<Availability> {
  if (modifiedMs(path) !== undefined) return onDeno(...args);
  return Promise.resolve({ state: "unavailable", reason: `${path} does not exist` });
}

function onPath(executable: string, ...args: string[]): Promise<Availability> {
  if (isOnPath(executable)) return Promise.resolve({ state: "ready", command: { executable, args } });
  return Promise.resolve({ state: "unavailable", reason: `${executable} is not on the search path` });
}

function withArgs(
  program: Availability,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Availability {
  if (program.state === "unavailable") return program;
  return { state: "ready", command: { ...program.command, args, env } };
}
