import { SIGNAL_ECHO_MS } from "../../io/reactor/mod.ts";
import { defaultTimers, DELAY_MS_MAX } from "../../base/timer/mod.ts";
import { openWorkerChannel } from "./worker_channel.ts";
import { Worker } from "./worker.ts";
import {
  INSTANCE_VARIABLE,
  INSTANCES_VARIABLE,
  NAME_VARIABLE,
  WATCHDOG_VARIABLE,
} from "./worker_variables.ts";

/** Options of {@linkcode workerMain}. */
export interface WorkerMainOptions {
  /**
   * Milliseconds in which it has to finish; then the process ends all the same, with code 1. `Infinity`: its supervisor knows.
   *
   * @default {30000}
   */
  drainTimeoutMs?: number;
}

/** The code of a process that a signal has ended before it was done. */
const SIGNAL_EXIT_CODES = { SIGTERM: 143, SIGINT: 130, SIGUSR2: 140 } as const;
type StopSignal = keyof typeof SIGNAL_EXIT_CODES;
const FAILED_EXIT_CODE = 1;

/**
 * The main program of a worker: calls `start`, tells the supervisor that it is ready when that has resolved, sends heartbeats where
 * they are asked for, and finishes on SIGUSR2, SIGTERM or SIGINT: the worker's signal aborts, what was deferred is run, and the
 * process ends with code 0. A second signal ends it at once. It ends with its supervisor, too. Without a supervisor it does the same,
 * so that a program runs by itself as well.
 *
 * What `start` throws is printed, and the process ends with code 1.
 *
 * ```ts ignore
 * import { HttpResponse, serve } from "@millrace/millrace/http";
 * import { workerMain } from "@millrace/millrace/process";
 *
 * await workerMain((worker) => {
 *   worker.drain(serve({ inherit: "http", port: 8080 }, () => new HttpResponse(`hello from ${worker.instance}`)));
 * });
 * ```
 *
 * @throws {RangeError} (as a rejection) when `drainTimeoutMs` is out of range
 */
export async function workerMain(
  start: (worker: Worker) => unknown,
  options: WorkerMainOptions = {},
): Promise<never> {
  const { drainTimeoutMs = 30_000 } = options;
  if (!(drainTimeoutMs >= 0)) {
    throw new RangeError(`worker: drainTimeoutMs is ${drainTimeoutMs}, expected 0 or more`);
  }
  const identity = {
    name: Deno.env.get(NAME_VARIABLE),
    instance: Number(Deno.env.get(INSTANCE_VARIABLE) ?? 0),
    instanceCount: Number(Deno.env.get(INSTANCES_VARIABLE) ?? 1),
  };
  const stopped = Promise.withResolvers<void>();
  const fail = (error: unknown): void => stopped.reject(error);
  const worker = new Worker(identity, fail);
  listenToSignals(() => stopped.resolve());
  const channel = await openWorkerChannel(() => {
    complain("the supervisor is gone");
    Deno.exit(FAILED_EXIT_CODE);
  });
  try {
    // Who is told to stop while it starts does not wait for that.
    await Promise.race([start(worker), stopped.promise]);
    if (!worker.signal.aborted) channel?.send({ type: "ready" });
    sendHeartbeats(() => channel?.send({ type: "heartbeat" }));
    await stopped.promise;
    channel?.send({ type: "stopping" });
    await withinLimit(worker.finish(), drainTimeoutMs);
    Deno.exit(0);
  } catch (error) {
    complain(error instanceof Error ? error.stack ?? error.message : String(error));
    Deno.exit(FAILED_EXIT_CODE);
  }
}

function listenToSignals(onFirst: () => void): void {
  let first: { readonly signal: StopSignal; readonly ms: number } | undefined;
  for (const signal of Object.keys(SIGNAL_EXIT_CODES) as StopSignal[]) {
    Deno.addSignalListener(signal, () => {
      if (first === undefined) {
        first = { signal, ms: performance.now() };
        onFirst();
        return;
      }
      // The same key may arrive twice.
      const isEcho = first.signal === signal && performance.now() - first.ms < SIGNAL_ECHO_MS;
      if (!isEcho) Deno.exit(SIGNAL_EXIT_CODES[signal]);
    });
  }
}

function sendHeartbeats(send: () => void): void {
  const microseconds = Number(Deno.env.get(WATCHDOG_VARIABLE));
  if (!(microseconds > 0)) return;
  send();
  Deno.unrefTimer(setInterval(send, microseconds / 2000));
}

async function withinLimit(task: Promise<void>, timeoutMs: number): Promise<void> {
  // No process lives longer than a timer may.
  if (timeoutMs > DELAY_MS_MAX) return await task;
  const { promise: limit, reject } = Promise.withResolvers<never>();
  using _timer = defaultTimers().schedule(
    timeoutMs,
    () => reject(new Error(`it did not finish within ${timeoutMs} ms`)),
  );
  await Promise.race([task, limit]);
}

function complain(text: string): void {
  // deno-lint-ignore no-console -- for whoever reads the supervisor's log
  console.error(`worker: ${text}`);
}
