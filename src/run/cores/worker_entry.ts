/// <reference lib="webworker" />
/**
 * What runs in the worker of a core: makes the core, loads the group's module, and does what the group says.
 *
 * @module
 */
import { pinThread } from "../../../ffi/mod.ts";
import { Reactor, setDefaultReactor } from "../../io/reactor/mod.ts";
import type { FromWorker, StartMessage, ToWorker } from "./control_messages.ts";
import { Core } from "./core.ts";
import { CoreRuntime } from "./core_runtime.ts";
import { commonErrorClasses } from "./error_classes.ts";
import { type ErrorClasses, fromPortable, toPortable } from "../../base/value/mod.ts";
import { pollEndpoint } from "./poll_loop.ts";

const worker = self as unknown as DedicatedWorkerGlobalScope;
const closeWorker = worker.close.bind(worker);

/** What a worker has once it is a core. */
interface Parts {
  readonly runtime: CoreRuntime;
  readonly reactor: Reactor;
  /** Ends the polling of the rings. */
  readonly over: AbortController;
}

let parts: Parts | undefined;
let errorClasses: ErrorClasses = commonErrorClasses;
let running: Promise<void> = Promise.resolve();

function tell(message: FromWorker): void {
  worker.postMessage(message);
}

function fail(error: unknown): void {
  tell({ type: "failed", error: toPortable(error, errorClasses) });
}

async function load(start: StartMessage): Promise<void> {
  const { mesh, idle, driver, descriptor, cpu } = start;
  if (cpu !== undefined) pinThread(cpu);
  const reactor = Reactor.open({ idle, driver });
  setDefaultReactor(reactor);
  const runtime = new CoreRuntime(start, reactor);
  const over = new AbortController();
  parts = { runtime, reactor, over };
  await runtime.load();
  const { names: taskNames, services } = runtime.tasks;
  errorClasses = runtime.tasks.errorClasses;
  const { endpoint } = runtime.calls;
  if (reactor.driver.delivery === "polled" && descriptor !== undefined) {
    endpoint.wakeBy(() => reactor.wake(), descriptor);
    reactor.attach(endpoint, descriptor);
  } else {
    pollEndpoint({ mesh, endpoint, idle, signal: over.signal }).catch(fail);
  }
  tell({ type: "loaded", driver: reactor.driver.name, taskNames, serviceCount: services.length });
}

async function obey({ runtime, reactor, over }: Parts, message: ToWorker): Promise<void> {
  switch (message.type) {
    case "load":
      return;
    case "start service":
      await runtime.startService(message.service);
      tell({ type: "done" });
      return;
    case "run":
      running = runtime.run();
      running.catch(failUnlessStopping);
      tell({ type: "done" });
      return;
    case "stop":
      await Promise.all([
        Core.stop(runtime.core, new DOMException(message.reason, "AbortError")),
        running.catch(() => {}),
      ]);
      tell({ type: "done" });
      return;
    case "stop service":
      await stopService(runtime, message.service);
      return;
    case "lost":
      runtime.calls.lose(message.core, fromPortable(message.error, errorClasses));
      return;
    case "close":
      over.abort();
      runtime.calls.close();
      reactor.close();
      tell({ type: "done" });
      closeWorker();
  }
}

/** A service that does not stop as it should keeps the others from nothing. */
async function stopService(runtime: CoreRuntime, service: number): Promise<void> {
  try {
    await runtime.stopService(service);
    tell({ type: "done" });
  } catch (error) {
    tell({ type: "done", error: toPortable(error, errorClasses) });
  }
}

/** A task that ends because the core stops has not failed. */
function failUnlessStopping(error: unknown): void {
  const signal = parts?.runtime.core.signal;
  const isStopping = signal?.aborted &&
    (error === signal.reason || error instanceof Error && error.name === "AbortError");
  if (!isStopping) fail(error);
}

worker.addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  if (data.type === "load") load(data.start).catch(fail);
  else if (parts !== undefined) obey(parts, data).catch(fail);
});
worker.addEventListener("error", (event) => {
  event.preventDefault();
  fail(event.error);
});
worker.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  failUnlessStopping(event.reason);
});
// A worker that ended by itself would do so without a word.
worker.close = () => fail(new Error("self.close() was called"));
worker.addEventListener("unload", () => fail(new Error("Deno.exit() was called")));
