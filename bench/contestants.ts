import { denoExecutable, isOnPath, modifiedMs } from "./command.ts";
import { type Availability, builtFromC, builtFromCargo, builtFromGo } from "./peers.ts";
import { findNginx } from "./nginx.ts";
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
      find: () => onDenoWhenThere("src/timer/mod.ts", "bench/peers/millrace_timers.ts", ...words),
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
  const all = [...httpContestants, ...echoContestants, ...timerContestants("bulk", 0)];
  return [...new Set(all.map((contestant) => contestant.id))];
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
