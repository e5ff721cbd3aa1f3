import { builtFromC } from "./peers.ts";
import { onDeno, onNode, whereNative, whereThere, withWords } from "./programs.ts";
import type { Contestant } from "./rounds.ts";

/** The library's own way to do without its native code. */
const NO_NATIVE = { MILLRACE_NATIVE: "off" };

/** The sum of two numbers, one at a time. */
export function taskTripContestants(): readonly Contestant[] {
  return taskContestants("trip");
}

/** The same, so many at a time, by so many workers. */
export function taskRateContestants(outstanding: number, workers: number): readonly Contestant[] {
  return taskContestants("rate", String(outstanding), String(workers));
}

function taskContestants(...words: string[]): readonly Contestant[] {
  const node = (id: string, label: string, ...kind: string[]): Contestant => ({
    id,
    label,
    find: () => onNode("bench/peers/node_tasks.mjs", [...kind, ...words]),
  });
  return [
    {
      id: "millrace-pool",
      label: "Millrace TaskPool",
      find: () => onDeno("bench/peers/millrace_tasks.ts", words),
    },
    {
      id: "millrace-pool-portable",
      label: "Millrace TaskPool, without native code",
      find: () => onDeno("bench/peers/millrace_tasks.ts", words, NO_NATIVE),
    },
    node("node-fork", "Node fork, advanced serialization", "fork", "advanced"),
    node("node-fork-json", "Node fork, JSON", "fork", "json"),
    node("node-cluster", "Node cluster, JSON", "cluster", "json"),
    {
      id: "deno-worker",
      label: "Deno worker postMessage",
      note: "between threads",
      find: () => onDeno("bench/peers/worker_tasks.mjs", words),
    },
  ];
}

/** The only server dies, so often. */
export function killContestants(count: number): readonly Contestant[] {
  const words = ["kills", String(count)];
  return [
    {
      id: "millrace-supervisor",
      label: "Millrace supervisor",
      find: () => onDeno("bench/peers/millrace_supervisor.ts", words),
    },
    {
      id: "millrace-supervisor-portable",
      label: "Millrace supervisor, without native code",
      find: () => onDeno("bench/peers/millrace_supervisor.ts", words, NO_NATIVE),
    },
    {
      id: "node-cluster",
      label: "Node cluster",
      note: "forks again on 'exit'",
      find: () => onNode("bench/peers/node_cluster.mjs", words),
    },
    {
      id: "deno-command",
      label: "Deno.Command and Deno.serve",
      note: "nothing but a loop that starts it again",
      find: () => onDeno("bench/peers/deno_command.ts", words),
    },
  ];
}

/** So many workers are replaced, so often; to be run by `measureReloads()`. */
export function reloadContestants(count: number, workers: number): readonly Contestant[] {
  const words = ["reloads", String(count), String(workers)];
  return [
    {
      id: "millrace-supervisor",
      label: "Millrace supervisor",
      find: () => onDeno("bench/peers/millrace_supervisor.ts", words),
    },
    {
      id: "node-cluster",
      label: "Node cluster",
      note:
        "by hand: a new worker listens, then an old one closes its server, which ends connections that look idle, and says so in its last answers",
      find: () => onNode("bench/peers/node_cluster.mjs", words),
    },
  ];
}

/** Values of 64 bytes that processes share. */
export function stateContestants(operation: "get" | "set"): readonly Contestant[] {
  const state = (id: string, label: string, what: string): Contestant => ({
    id,
    label,
    find: () => whereNative(() => onDeno("bench/peers/millrace_state.ts", ["state", what])),
  });
  const call = (outstanding: number): Contestant => ({
    id: `millrace-call-${outstanding}`,
    label: `a call of the process that has them, ${outstanding} at a time`,
    find: () => onDeno("bench/peers/millrace_state.ts", ["call", operation, String(outstanding)]),
  });
  const redis = (pipelined: number): Contestant => ({
    id: `redis-${pipelined}`,
    label: `Redis, ${pipelined} at a time`,
    find: () =>
      whereThere(
        "redis-server",
        () => onDeno("bench/peers/redis_values.ts", [operation, String(pipelined)]),
      ),
  });
  return [
    state("millrace-state", `SharedState ${operation}()`, operation),
    ...(operation === "get" ? [state("millrace-state-into", "SharedState getInto()", "get-into")] : []),
    call(1),
    call(64),
    redis(1),
    redis(64),
  ];
}

/** What two processes hand to each other, so often each, and the other sleeps. */
export function handOverContestants(count: number): readonly Contestant[] {
  const lock = (id: string, label: string, how: string): Contestant => ({
    id,
    label,
    find: () => whereNative(() => onDeno("bench/peers/millrace_lock.ts", [String(count), how])),
  });
  return [
    lock("millrace-lock-sync", "SharedLock acquireSync()", "sync"),
    lock("millrace-lock", "SharedLock acquire()", "async"),
    {
      id: "futex",
      label: "a bare futex, in C",
      find: async () => withWords(await builtFromC("futex_wake"), [String(count)]),
    },
  ];
}
