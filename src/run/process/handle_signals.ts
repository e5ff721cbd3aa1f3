import inspector from "node:inspector";
import { nativeStatus, TakenSignal } from "../../../ffi/mod.ts";
import { SIGNAL_ECHO_MS } from "../../io/reactor/mod.ts";
import type { Supervisor, SupervisorEnd } from "./supervisor.ts";

/** The exit code of a process that got two signals to stop. */
export const STOPPED_TWICE_EXIT_CODE = 130;

/** Delays of the checks whether Deno has opened a debugger, in milliseconds after the signal. */
const DEBUGGER_CLOSE_MS = [0, 1, 10, 100, 1000];

/**
 * Has the signals of this process mean what they mean to a supervisor's: SIGTERM and SIGINT shut it down, a second one kills
 * everything and ends this process at once; SIGUSR1 reloads all. Resolves when the supervisor has ended.
 */
export async function handleSignals(supervisor: Supervisor): Promise<SupervisorEnd> {
  let firstMs: number | undefined;
  let killed = false;
  const onStop = async (): Promise<void> => {
    if (firstMs === undefined) {
      firstMs = performance.now();
      await supervisor.shutdown();
    } else if (performance.now() - firstMs > SIGNAL_ECHO_MS) {
      killed = true;
      await supervisor.kill();
    }
  };
  // What fails is told by an event.
  const onReload = (): void => void supervisor.reloadAll().catch(() => {});
  const reloading = listenForReload(onReload);
  Deno.addSignalListener("SIGTERM", onStop);
  Deno.addSignalListener("SIGINT", onStop);
  try {
    const end = await supervisor.finished;
    if (killed) Deno.exit(STOPPED_TWICE_EXIT_CODE);
    return end;
  } finally {
    Deno.removeSignalListener("SIGTERM", onStop);
    Deno.removeSignalListener("SIGINT", onStop);
    reloading.close();
  }
}

/**
 * SIGUSR1, on which Deno also opens a debugger at port 9229, for everybody on this machine, a listener or not. The native library takes
 * the signal from it; without that, the debugger is closed as soon as it is there.
 */
function listenForReload(onReload: () => void): { close(): void } {
  if (!nativeStatus().available) {
    const listener = (): void => {
      closeDebugger();
      onReload();
    };
    Deno.addSignalListener("SIGUSR1", listener);
    return { close: () => Deno.removeSignalListener("SIGUSR1", listener) };
  }
  // First, so that Deno does not put a handler of its own over the taken one when it gets round to it.
  const nothing = (): void => {};
  Deno.addSignalListener("SIGUSR1", nothing);
  const taken = new TakenSignal("SIGUSR1", onReload);
  return {
    close() {
      taken.close();
      Deno.removeSignalListener("SIGUSR1", nothing);
    },
  };
}

/** Unless it was asked for, by a flag or before. */
function closeDebugger(): void {
  // Without the permission it stays open: asking would throw.
  if (!mayUseDebugger() || inspector.url() !== undefined) return;
  for (const delayMs of DEBUGGER_CLOSE_MS) {
    Deno.unrefTimer(setTimeout(() => {
      if (inspector.url() !== undefined) inspector.close();
    }, delayMs));
  }
}

/** Deno wants the whole of it: there is no name for the debugger alone. */
function mayUseDebugger(): boolean {
  return Deno.permissions.querySync({ name: "sys" }).state === "granted";
}
