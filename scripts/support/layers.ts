/** A folder of the program and what it may know of. */
export interface Layer {
  /** Path from the project's root; its files, and those of its folders that are no layer themselves, belong. */
  readonly folder: string;
  /** Folders whose door (`mod.ts`) its files may import. */
  readonly mayImport: readonly string[];
  /** Touches nothing but the language: no `Deno`, no `node:`. */
  readonly pure?: boolean;
}

/** A single file that may import one folder more than its layer. */
export interface ImportException {
  readonly file: string;
  readonly mayImport: string;
  readonly reason: string;
}

/** Files of `src/` that export something and have no test file of their own name. */
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
    { folder: "ffi", mayImport: [] },
    { folder: "src/base", mayImport: [], pure: true },
    { folder: "src/memory", mayImport: ["ffi", "src/base"] },
    { folder: "src/ring", mayImport: ["ffi", "src/base"] },
    { folder: "src/sharing", mayImport: ["ffi", "src/base"] },
    { folder: "src/queue", mayImport: ["ffi", "src/base", "src/memory", "src/sharing"] },
    { folder: "src/state", mayImport: ["ffi", "src/base", "src/memory", "src/sharing"] },
    { folder: "src/sync", mayImport: ["src/base"], pure: true },
    { folder: "src/value", mayImport: [] },
    { folder: "src/timer", mayImport: ["src/base"] },
    { folder: "src/reactor", mayImport: ["ffi", "src/base", "src/timer"] },
    {
      folder: "src/cores",
      mayImport: ["ffi", "src/base", "src/ring", "src/reactor", "src/timer", "src/sync", "src/value"],
    },
    { folder: "src/net", mayImport: ["src/base", "src/reactor", "src/timer"] },
    { folder: "src/http", mayImport: ["src/base", "src/net", "src/reactor", "src/timer"] },
    {
      folder: "src/process",
      mayImport: ["ffi", "src/base", "src/queue", "src/sync", "src/timer", "src/reactor", "src/cores"],
    },
    {
      folder: "src/tasks",
      mayImport: ["ffi", "src/base", "src/memory", "src/ring", "src/timer", "src/value", "src/process"],
    },
    {
      folder: "src/cli",
      mayImport: [
        "src/base",
        "src/memory",
        "src/ring",
        "src/queue",
        "src/state",
        "src/sync",
        "src/timer",
        "src/reactor",
        "src/cores",
        "src/net",
        "src/http",
        "src/process",
      ],
    },
  ],
  importExceptions: [
    { file: "src/http/native_parser.ts", mayImport: "ffi", reason: "the parser is the native library's" },
  ],
  testExceptions: [
    { path: "src/cli/process_command.ts", reason: "types, and a name that supervise_test uses" },
    { path: "src/cli/process/ps.ts", reason: "with a real supervisor, in supervise_test" },
    { path: "src/cli/process/reload.ts", reason: "with a real supervisor, in supervise_test" },
    { path: "src/cli/process/stop.ts", reason: "with a real supervisor, in supervise_test" },
    { path: "src/cores/core_runtime.ts", reason: "core_group_test and calls_test" },
    { path: "src/cores/error_classes.ts", reason: "errors that calls carry, in calls_test" },
    { path: "src/tasks/errors.ts", reason: "by what is told of them, in task_pool_test" },
    { path: "src/tasks/open_channel.ts", reason: "channel_hub_test, with processes that do" },
    { path: "src/tasks/socket_link.ts", reason: "link_test" },
    { path: "src/value/error_classes.ts", reason: "error_codec_test" },
    { path: "src/value/refusal.ts", reason: "value_codec_test" },
    { path: "src/cores/errors.ts", reason: "core_group_test" },
    { path: "src/cores/generation.ts", reason: "core_group_test and restart_test" },
    { path: "src/cores/module_tasks.ts", reason: "calls_test and sharded_test" },
    { path: "src/cores/serving.ts", reason: "calls_test" },
    { path: "src/process/control_client.ts", reason: "control_server_test" },
    {
      path: "src/process/held_sockets.ts",
      reason: "supervise_test and reload_test, handed down and relayed",
    },
    { path: "src/process/native_children.ts", reason: "all tests of processes, where there is the library" },
    { path: "src/process/portable_children.ts", reason: "all tests of processes, without the library" },
    { path: "src/process/process_spec.ts", reason: "read_specs_test" },
    { path: "src/process/slot.ts", reason: "supervisor_test" },
    { path: "src/process/worker_variables.ts", reason: "worker_main_test" },
    { path: "src/queue/errors.ts", reason: "by what is told of them, in shared_queue_test and request_test" },
    { path: "src/state/errors.ts", reason: "by what is told of them, in the tests of what throws them" },
    { path: "src/state/permit_guard.ts", reason: "shared_lock_test and shared_semaphore_test" },
    { path: "src/state/pool_block.ts", reason: "memory_pool_test" },
    { path: "src/state/state_entry.ts", reason: "shared_state_test" },
    { path: "src/state/state_options.ts", reason: "shared_state_test" },
    { path: "src/state/state_status.ts", reason: "shared_state_test" },
    { path: "src/ring/region.ts", reason: "by rings in each kind of memory, in spsc_ring_test" },
    { path: "src/ring/errors.ts", reason: "by what is told of an end, in producer_test and consumer_test" },
    {
      path: "src/http/",
      reason: "through serve(), over all drivers, in tests/http; the parsers by shared vectors",
    },
    {
      path: "src/net/open.ts",
      reason: "connect_test, listener_test and datagram_conn_test open everything by it",
    },
    { path: "src/net/tcp.ts", reason: "stream_conn_test and types_test" },
    { path: "src/net/wait.ts", reason: "wait_options_test" },
    { path: "src/reactor/deno/", reason: "the drivers' conformance suite, run by deno_driver_test" },
  ],
  packages: ["npm:@msgpack/msgpack@", "npm:commander@", "npm:smol-toml@"],
};

/** A file longer than this has to be split. */
export const linesMax = 800;

/** A file longer than this is listed: its length wants a reason. */
export const linesExpectedMax = 400;
