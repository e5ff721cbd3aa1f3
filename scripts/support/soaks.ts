/** Tests that are long by nature: of their many schedules the suite runs one, or a few, by another seed each time. */
export interface Soak {
  readonly name: string;
  /** What it is, for the list. */
  readonly title: string;
  readonly files: readonly string[];
  /** Only tests with this in their names. */
  readonly filter?: string;
  /** What makes one run longer than in the suite. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Every soak, in the order in which they are listed. */
export const soaks: readonly Soak[] = [
  {
    name: "queue",
    title: "producers, consumers and mailboxes that are killed and stopped: 400 strikes a run",
    files: ["tests/ipc/queue/chaos_test.ts"],
    environment: { MILLRACE_CHAOS_STRIKES: "400" },
  },
  {
    name: "queue-damage",
    title: "bytes of a queue that are flipped, and openers that write what they like",
    files: ["tests/ipc/queue/damage_test.ts", "tests/ipc/queue/damaged_message_test.ts"],
  },
  {
    name: "queue-twin",
    title: "the queue's steps in TypeScript and in native code, beside each other",
    files: ["tests/ipc/queue/twin_test.ts"],
  },
  {
    name: "state",
    title: "states, locks, semaphores and pools whose users are killed and stopped: 300 strikes a run",
    files: ["tests/ipc/state/chaos_test.ts"],
    environment: { MILLRACE_CHAOS_STRIKES: "300" },
  },
  {
    name: "state-damage",
    title: "bytes of a state, a lock and a pool that are flipped",
    files: ["tests/ipc/state/damage_test.ts"],
  },
  {
    name: "memory",
    title: "makers and openers of regions that are killed at any of their calls",
    files: ["tests/ipc/memory/processes_test.ts"],
  },
  {
    name: "ring",
    title: "rings between workers and processes that are killed, stopped and terminated",
    files: ["tests/ipc/ring/processes_test.ts", "tests/ipc/ring/workers_test.ts"],
  },
  {
    name: "cores",
    title: "calls between cores, at random",
    files: ["tests/run/cores/fuzz_test.ts"],
  },
  {
    name: "process",
    title: "reloads under load of workers that are killed and stopped: 40 strikes a run",
    files: ["tests/run/process/chaos_test.ts"],
    environment: { MILLRACE_CHAOS_STRIKES: "40", MILLRACE_CHAOS_MS: "30000" },
  },
  {
    name: "tasks",
    title: "tasks whose workers are killed and stopped",
    files: ["tests/run/tasks/task_pool_test.ts"],
    filter: "no task is lost, whatever workers are killed or stopped",
  },
  {
    name: "http",
    title: "random bytes for both parsers of heads, and for a server",
    files: ["tests/io/http/parser_fuzz_test.ts", "tests/io/http/server_fuzz_test.ts"],
  },
  {
    name: "reactor",
    title: "workers on io_uring that are terminated under load",
    files: ["tests/io/reactor/uring/worker_end_test.ts"],
  },
];
