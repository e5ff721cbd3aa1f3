#!/usr/bin/env -S deno run --allow-read --allow-env=MILLRACE_NATIVE --allow-ffi --allow-run
// deno-lint-ignore-file no-console -- a program speaks to its terminal
/**
 * State between processes: several workers, which are this program too, count their operations in one shared state, keep to a common rate limit,
 * and take turns with a lock. The first process watches the changes. Kill a worker with SIGKILL: no count is lost, and its lock goes to the
 * next one.
 *
 * Usage: examples/shared_state.ts [--workers N] [--operations N] [--limit N]
 *
 * @module
 */
import { jsonPayload, SharedLock, SharedState } from "@millrace/millrace/state";
import { sleep } from "@millrace/millrace/timer";
import { Program } from "./support/program.ts";
import { wholeNumber } from "./support/whole_number.ts";

const program = new Program("shared_state", "[--workers N] [--operations N] [--limit N]");
const STOPPED_EXIT_CODE = 130;
/** Prefix of the names of this program's states. */
const PREFIX = "state-example.";
/** The time window of the rate limit. */
const WINDOW_MS = 100;
const RETRY_MS = 5;

interface Options {
  readonly workers: number;
  readonly operations: number;
  readonly limit: number;
  /** The name of the shared state: set in a worker. */
  readonly from: string | undefined;
}

/** A worker: does its operations, within the limit of all workers together in each window. */
async function work(name: string, { operations, limit }: Options): Promise<void> {
  using state = SharedState.connect(name);
  using lock = SharedLock.connect(name);
  for (let done = 0; done < operations;) {
    // The first operation of a window creates the counter, with its expiry: a rate limit is one call.
    if (state.increment("window", 1, { expiresAfterMs: WINDOW_MS }) > limit) {
      state.increment("limited");
      await sleep(RETRY_MS);
      continue;
    }
    await lock.withLock(({ abandoned }) => {
      if (abandoned) console.log("the previous holder of the lock has died");
      state.set("last operation", jsonPayload({ pid: Deno.pid, number: ++done }));
    });
    state.increment("operations");
  }
}

/** The first process: creates the state, starts the workers, and reports the changes. */
async function coordinate(options: Options, stop: AbortSignal): Promise<void> {
  SharedState.removeAbandoned({ prefix: PREFIX });
  SharedLock.removeAbandoned({ prefix: PREFIX });
  const name = `${PREFIX}${Deno.pid}`;
  using state = SharedState.create(name, { capacity: 16, valueBytesMax: 256 });
  using _lock = SharedLock.create(name);
  const workers: Deno.ChildProcess[] = [];
  try {
    const ended = new AbortController();
    const watching = watchOperations(state, AbortSignal.any([stop, ended.signal]));
    for (let count = 0; count < options.workers; count++) workers.push(startWorker(name, options));
    const all = Promise.all(workers.map(({ status }) => status)).then((statuses) => {
      if (statuses.some(({ success }) => !success)) console.log("a worker ended before it was done");
    });
    await Promise.race([all, aborted(stop)]);
    ended.abort();
    const changeCount = await watching;
    stop.throwIfAborted();
    const limited = state.counter("limited") ?? 0;
    console.log(
      `${
        state.counter("operations") ?? 0
      } operations by ${options.workers} workers, limited ${limited} times`,
    );
    console.log(
      `${changeCount} changes of the last operation were reported; the last: ${
        state.getEntry("last operation")?.text()
      }`,
    );
  } finally {
    for (const worker of workers) end(worker);
    await Promise.all(workers.map(({ status }) => status));
    SharedState.unlink(name);
    SharedLock.unlink(name);
  }
}

/** How many changes of one key were reported until the signal aborts. Of changes in quick succession only the last is reported. */
async function watchOperations(state: SharedState, signal: AbortSignal): Promise<number> {
  let changeCount = 0;
  for await (const change of state.watch({ key: "last operation", signal })) {
    if (change.type === "set") changeCount++;
  }
  return changeCount;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function end(worker: Deno.ChildProcess): void {
  try {
    worker.kill("SIGKILL");
  } catch {
    // It has ended already.
  }
}

function startWorker(name: string, { operations, limit }: Options): Deno.ChildProcess {
  const permissions = ["--allow-read", "--allow-env=MILLRACE_NATIVE", "--allow-ffi"];
  const own = [
    new URL(import.meta.url).pathname,
    "--from",
    name,
    "--operations",
    `${operations}`,
    "--limit",
    `${limit}`,
  ];
  return new Deno.Command(Deno.execPath(), {
    args: ["run", ...permissions, ...own],
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
}

const options = program.options(
  {
    workers: { type: "string", default: "3" },
    operations: { type: "string", default: "50" },
    limit: { type: "string", default: "40" },
    from: { type: "string" },
  },
  ({ workers, operations, limit, from }): Options => ({
    workers: wholeNumber("--workers", workers, 1, 64),
    operations: wholeNumber("--operations", operations, 1, 1_000_000),
    limit: wholeNumber("--limit", limit, 1, 1_000_000),
    from,
  }),
);

class Stopped extends Error {}

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(name, () => stop.abort(new Stopped(`stopped by ${name}`)));
}
try {
  if (options.from === undefined) await coordinate(options, stop.signal);
  else await work(options.from, options);
} catch (error) {
  const reason = stop.signal.aborted ? stop.signal.reason : error;
  program.fail(reason, reason instanceof Stopped ? STOPPED_EXIT_CODE : 1);
}
// The listeners stay: one Ctrl-C may arrive twice, and the second must still be handled.
Deno.exit(0);
