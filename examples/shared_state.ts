#!/usr/bin/env -S deno run --allow-read --allow-env=MILLRACE_NATIVE --allow-ffi --allow-run
// deno-lint-ignore-file no-console -- a program speaks to its terminal
/**
 * State between processes: several workers, which are this program too, count what they do in one shared state, hold each other to a shared limit of
 * deeds in a window of time, and take turns at a lock. The first process watches what changes. Kill a worker with SIGKILL: nothing is lost, and its
 * lock goes to the next one.
 *
 * Usage: examples/shared_state.ts [--workers N] [--deeds N] [--limit N]
 *
 * @module
 */
import { jsonPayload, SharedLock, SharedState } from "@millrace/millrace/state";
import { sleep } from "@millrace/millrace/timer";
import { Program } from "./support/program.ts";
import { wholeNumber } from "./support/whole_number.ts";

const program = new Program("shared_state", "[--workers N] [--deeds N] [--limit N]");
const STOPPED_EXIT_CODE = 130;
/** What the names of this program's states begin with. */
const PREFIX = "state-example.";
/** The window of time in which there may be so many deeds. */
const WINDOW_MS = 100;
const RETRY_MS = 5;

interface Options {
  readonly workers: number;
  readonly deeds: number;
  readonly limit: number;
  /** The state to work with: set in a worker. */
  readonly from: string | undefined;
}

/** A worker: does its deeds, no more in a window than all workers together may. */
async function work(name: string, { deeds, limit }: Options): Promise<void> {
  using state = SharedState.connect(name);
  using lock = SharedLock.connect(name);
  for (let done = 0; done < deeds;) {
    // The first of a window makes the counter, with its end: a limit is one call.
    if (state.increment("window", 1, { expiresAfterMs: WINDOW_MS }) > limit) {
      state.increment("held back");
      await sleep(RETRY_MS);
      continue;
    }
    await lock.withLock(({ abandoned }) => {
      if (abandoned) console.log("who had the lock before has died");
      state.set("last deed", jsonPayload({ pid: Deno.pid, number: ++done }));
    });
    state.increment("deeds");
  }
}

/** The first process: makes the state, starts the workers, and tells what changes. */
async function lead(options: Options, stop: AbortSignal): Promise<void> {
  SharedState.removeAbandoned({ prefix: PREFIX });
  SharedLock.removeAbandoned({ prefix: PREFIX });
  const name = `${PREFIX}${Deno.pid}`;
  using state = SharedState.create(name, { capacity: 16, valueBytesMax: 256 });
  using _lock = SharedLock.create(name);
  const workers: Deno.ChildProcess[] = [];
  try {
    const ended = new AbortController();
    const watching = watchDeeds(state, AbortSignal.any([stop, ended.signal]));
    for (let count = 0; count < options.workers; count++) workers.push(startWorker(name, options));
    const all = Promise.all(workers.map(({ status }) => status)).then((statuses) => {
      if (statuses.some(({ success }) => !success)) console.log("a worker ended before it was done");
    });
    await Promise.race([all, aborted(stop)]);
    ended.abort();
    const told = await watching;
    stop.throwIfAborted();
    const heldBack = state.counter("held back") ?? 0;
    console.log(
      `${state.counter("deeds") ?? 0} deeds by ${options.workers} workers, ${heldBack} times held back`,
    );
    console.log(
      `${told} changes of the last deed were told; the last: ${state.getEntry("last deed")?.text()}`,
    );
  } finally {
    for (const worker of workers) end(worker);
    await Promise.all(workers.map(({ status }) => status));
    SharedState.unlink(name);
    SharedLock.unlink(name);
  }
}

/** How many changes of one key were told until the signal aborts; of those that follow each other quickly the last. */
async function watchDeeds(state: SharedState, signal: AbortSignal): Promise<number> {
  let told = 0;
  for await (const change of state.watch({ key: "last deed", signal })) {
    if (change.type === "set") told++;
  }
  return told;
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
    // It has ended.
  }
}

function startWorker(name: string, { deeds, limit }: Options): Deno.ChildProcess {
  const permissions = ["--allow-read", "--allow-env=MILLRACE_NATIVE", "--allow-ffi"];
  const own = [
    new URL(import.meta.url).pathname,
    "--from",
    name,
    "--deeds",
    `${deeds}`,
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
    deeds: { type: "string", default: "50" },
    limit: { type: "string", default: "40" },
    from: { type: "string" },
  },
  ({ workers, deeds, limit, from }): Options => ({
    workers: wholeNumber("--workers", workers, 1, 64),
    deeds: wholeNumber("--deeds", deeds, 1, 1_000_000),
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
  if (options.from === undefined) await lead(options, stop.signal);
  else await work(options.from, options);
} catch (error) {
  const reason = stop.signal.aborted ? stop.signal.reason : error;
  program.fail(reason, reason instanceof Stopped ? STOPPED_EXIT_CODE : 1);
}
// With the listeners still there: one Ctrl-C may arrive twice, and the second must not find them gone.
Deno.exit(0);
