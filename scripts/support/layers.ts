import type { HostUse } from "./host_use.ts";

/** A folder of the program and what it may know of. */
export interface Layer {
  /**
   * Path from the project's root; its files, and those of its folders that are no layer themselves, belong.
   */
  readonly folder: string;
  /** Folders whose door (`mod.ts`) its files may import. */
  readonly mayImport: readonly string[];
  /** What its files may use of the host: no more, and no less. */
  readonly host: readonly HostUse[];
}

/** A single file that may import one folder more than its layer. */
export interface ImportException {
  readonly file: string;
  readonly mayImport: string;
  readonly reason: string;
}

/**
 * Files of `src/` whose exports leave their layer, or that no file with a test uses, and that have no test of
 * their own name.
 */
export interface TestException {
  /** A file, or a folder with a slash at its end for those of its files that have no test. */
  readonly path: string;
  /** What tests them instead. */
  readonly reason: string;
}

/** What {@linkcode findLayerProblems} holds a project to. */
export interface LayerRules {
  readonly layers: readonly Layer[];
  readonly importExceptions: readonly ImportException[];
  readonly testExceptions: readonly TestException[];
  /** Packages (`npm:`, `jsr:` or bare names) that the program may import, each by the start of its name. */
  readonly packages: readonly string[];
}

/** The table of docs/architecture.md. */
export const layerRules: LayerRules = {
  layers: [
    { folder: "ffi", mayImport: [], host: ["errors", "clock", "timers", "network", "process"] },
    { folder: "src/base", mayImport: [], host: ["clock"] },
    { folder: "src/base/bytes", mayImport: ["src/base"], host: [] },
    { folder: "src/base/sync", mayImport: ["src/base"], host: [] },
    { folder: "src/base/timer", mayImport: ["src/base"], host: ["timers"] },
    { folder: "src/base/value", mayImport: [], host: ["errors"] },
    { folder: "src/base/value/payload", mayImport: [], host: [] },
    { folder: "src/base/calls", mayImport: ["src/base", "src/base/value"], host: [] },
    {
      folder: "src/io/reactor",
      mayImport: ["ffi", "src/base", "src/base/timer"],
      host: ["errors", "clock", "timers", "network", "files", "process"],
    },
    { folder: "src/io/net", mayImport: ["src/base", "src/io/reactor", "src/base/timer"], host: ["errors"] },
    {
      folder: "src/io/http",
      mayImport: ["src/base", "src/io/reactor", "src/base/timer"],
      host: ["errors", "clock", "timers"],
    },
    { folder: "src/ipc/memory", mayImport: ["ffi", "src/base"], host: ["errors", "clock", "process"] },
    { folder: "src/ipc/ring", mayImport: ["ffi", "src/base"], host: ["errors", "clock", "timers"] },
    {
      folder: "src/ipc/sharing",
      mayImport: ["ffi", "src/base", "src/base/value/payload", "src/ipc/memory"],
      host: ["errors", "clock", "timers", "process"],
    },
    {
      folder: "src/ipc/lock",
      mayImport: ["src/base", "src/ipc/memory", "src/ipc/sharing"],
      host: ["errors"],
    },
    {
      folder: "src/ipc/pool",
      mayImport: ["src/base", "src/ipc/memory", "src/ipc/sharing"],
      host: ["errors"],
    },
    {
      folder: "src/ipc/state",
      mayImport: ["ffi", "src/base", "src/ipc/memory", "src/ipc/sharing", "src/ipc/lock", "src/ipc/pool"],
      host: ["errors", "clock", "chance"],
    },
    {
      folder: "src/ipc/queue",
      mayImport: ["ffi", "src/base", "src/ipc/memory", "src/ipc/sharing"],
      host: ["errors", "clock", "timers", "chance", "codecs"],
    },
    {
      folder: "src/run/cores",
      mayImport: [
        "ffi",
        "src/base",
        "src/ipc/ring",
        "src/io/reactor",
        "src/base/timer",
        "src/base/sync",
        "src/base/value",
        "src/base/calls",
      ],
      host: ["errors", "clock", "timers", "process", "threads"],
    },
    {
      folder: "src/run/process",
      mayImport: [
        "ffi",
        "src/base",
        "src/ipc/queue",
        "src/base/sync",
        "src/base/timer",
        "src/io/reactor",
        "src/run/cores",
      ],
      host: ["errors", "clock", "timers", "chance", "network", "files", "process", "processes", "threads"],
    },
    {
      folder: "src/run/tasks",
      mayImport: [
        "ffi",
        "src/base",
        "src/ipc/memory",
        "src/ipc/ring",
        "src/base/timer",
        "src/base/value",
        "src/base/calls",
        "src/run/process",
      ],
      host: ["errors", "clock", "timers", "chance", "network", "files", "process"],
    },
    { folder: "src/kafka/protocol", mayImport: ["src/base/bytes"], host: [] },
    {
      folder: "src/cli",
      mayImport: [
        "src/base",
        "src/ipc/queue",
        "src/base/timer",
        "src/io/reactor",
        "src/run/process",
      ],
      host: ["errors", "clock", "timers", "files", "process"],
    },
  ],
  importExceptions: [
    {
      file: "src/io/http/request_head.ts",
      mayImport: "ffi",
      reason: "the layout is the native parser's, too",
    },
    { file: "src/io/http/native_parser.ts", mayImport: "ffi", reason: "the parser is the native library's" },
  ],
  testExceptions: [
    {
      path: "src/kafka/protocol/",
      reason: "by what Apache Kafka reads and writes, in messages_test, definitions_test and fuzz_test",
    },
    { path: "src/base/bytes/errors.ts", reason: "what a reader and a writer throw, in their tests" },
    {
      path: "src/base/sync/permit.ts",
      reason: "what semaphores and locks give, in semaphore_test and rw_lock_test",
    },
    { path: "src/base/sync/subscription.ts", reason: "what a broadcast gives, in broadcast_test" },
    { path: "src/base/sync/value_queue.ts", reason: "channel_test and broadcast_test" },
    {
      path: "src/base/sync/wait_queue.ts",
      reason: "semaphore_test, gate_test, rw_lock_test and channel_test",
    },
    { path: "src/ipc/lock/permit_status.ts", reason: "what locks and semaphores tell, in their tests" },
    { path: "src/ipc/memory/region_file.ts", reason: "shared_memory_test" },
    { path: "src/ipc/memory/region_list.ts", reason: "shared_memory_test" },
    { path: "src/ipc/memory/region_name.ts", reason: "shared_memory_test" },
    {
      path: "src/ipc/queue/compression.ts",
      reason: "shared_queue_test, and sizes that lie in hostile_opener_test",
    },
    { path: "src/ipc/queue/queue_options.ts", reason: "types and defaults, in shared_queue_test" },
    { path: "src/ipc/ring/wait.ts", reason: "producer_test and consumer_test" },
    { path: "src/run/process/fields.ts", reason: "read_specs_test" },
    { path: "src/run/tasks/handshake.ts", reason: "channel_hub_test" },
    { path: "src/cli/process_command.ts", reason: "types, and a name that supervise_test uses" },
    { path: "src/cli/process/ps.ts", reason: "with a real supervisor, in supervise_test" },
    { path: "src/cli/process/reload.ts", reason: "with a real supervisor, in supervise_test" },
    { path: "src/cli/process/stop.ts", reason: "with a real supervisor, in supervise_test" },
    { path: "src/run/tasks/errors.ts", reason: "by what is told of them, in task_pool_test" },
    { path: "src/run/tasks/open_channel.ts", reason: "channel_hub_test, with processes that do" },
    { path: "src/run/tasks/socket_transport.ts", reason: "transport_test" },
    { path: "src/base/value/error_classes.ts", reason: "error_codec_test" },
    { path: "src/base/value/refusal.ts", reason: "value_codec_test" },
    { path: "src/run/cores/call_arguments.ts", reason: "calls_test" },
    { path: "src/run/cores/errors.ts", reason: "core_group_test" },
    { path: "src/run/process/control_client.ts", reason: "control_server_test" },
    { path: "src/run/process/process_spec.ts", reason: "read_specs_test" },
    { path: "src/run/process/slot.ts", reason: "supervisor_test" },
    {
      path: "src/ipc/queue/errors.ts",
      reason: "by what is told of them, in shared_queue_test and request_test",
    },
    { path: "src/ipc/state/errors.ts", reason: "by what is told of them, in the tests of what throws them" },
    { path: "src/ipc/sharing/metrics.ts", reason: "by what states, locks and pools print, in their tests" },
    { path: "src/ipc/lock/errors.ts", reason: "by what is told of them, in shared_lock_test" },
    { path: "src/ipc/pool/errors.ts", reason: "by what is told of them, in memory_pool_test" },
    { path: "src/ipc/lock/permit_guard.ts", reason: "shared_lock_test and shared_semaphore_test" },
    { path: "src/ipc/pool/pool_block.ts", reason: "memory_pool_test" },
    { path: "src/ipc/state/state_entry.ts", reason: "shared_state_test" },
    { path: "src/ipc/state/state_options.ts", reason: "shared_state_test" },
    { path: "src/ipc/state/state_status.ts", reason: "shared_state_test" },
    { path: "src/ipc/ring/region.ts", reason: "by rings in each kind of memory, in spsc_ring_test" },
    {
      path: "src/ipc/ring/errors.ts",
      reason: "by what is told of an end, in producer_test and consumer_test",
    },
    {
      path: "src/io/http/",
      reason: "through serve(), over all drivers, in tests/io/http; the parsers by shared vectors",
    },
    {
      path: "src/io/net/open.ts",
      reason: "connect_test, listener_test and datagram_conn_test open everything by it",
    },
    { path: "src/io/net/tcp.ts", reason: "stream_conn_test and types_test" },
  ],
  packages: ["npm:@msgpack/msgpack@", "npm:commander@", "npm:smol-toml@"],
};

/** Parts of `src/`, and the parts that each may know: each could be a package. */
export const parts: Readonly<Record<string, readonly string[]>> = {
  base: [],
  io: ["base"],
  ipc: ["base"],
  run: ["base", "io", "ipc"],
  kafka: ["base", "io", "ipc", "run"],
  cli: ["base", "io", "ipc", "run"],
};

/** A file longer than this has to be split. */
export const linesMax = 800;

/** A file longer than this is listed: its length wants a reason. */
export const linesExpectedMax = 400;
