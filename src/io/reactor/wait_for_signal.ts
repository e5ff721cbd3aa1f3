import type { Abortable } from "../../base/mod.ts";
/** Options of {@linkcode waitForSignal}. */
export interface WaitForSignalOptions extends Abortable {
  /**
   * Ignores signals within this time from now as echoes. Ctrl-C in a terminal reaches every process there, and task runners
   * pass it on besides, so that one key arrives twice within a millisecond or so.
   *
   * @default {0}
   */
  ignoreForMs?: number;
}

/** A good `ignoreForMs` for waiting for a second Ctrl-C: longer than an echo takes, shorter than a person. */
export const SIGNAL_ECHO_MS = 250;

/**
 * Waits for one of the operating system's signals, which then does not end the process; resolves to its name. To wait for
 * the next, call again right after the `await`: until then no signal ends the process.
 *
 * ```ts
 * import { waitForSignal } from "@millrace/millrace/reactor";
 *
 * const controller = new AbortController();
 * const stopped = waitForSignal(["SIGTERM", "SIGINT"], { signal: controller.signal });
 * controller.abort();
 * await stopped.catch((error) => console.log(error.name)); // AbortError
 * ```
 *
 * @throws {TypeError} (as a rejection) for a signal that cannot be listened to
 */
export function waitForSignal(
  signals: readonly Deno.Signal[],
  options: WaitForSignalOptions = {},
): Promise<Deno.Signal> {
  const { signal, ignoreForMs = 0 } = options;
  const { promise, resolve, reject } = Promise.withResolvers<Deno.Signal>();
  if (signal?.aborted) {
    reject(signal.reason);
    return promise;
  }
  const fromMs = performance.now() + ignoreForMs;
  const added: [Deno.Signal, () => void][] = [];
  function stopListening(): void {
    for (const [name, listener] of added.splice(0)) Deno.removeSignalListener(name, listener);
  }
  function fail(reason: unknown): void {
    stopListening();
    signal?.removeEventListener("abort", onAbort);
    reject(reason);
  }
  function onAbort(): void {
    fail(signal?.reason);
  }
  function onSignal(name: Deno.Signal): void {
    if (performance.now() < fromMs) return;
    signal?.removeEventListener("abort", onAbort);
    resolve(name);
    // Not at once: a caller that waits again right away listens by then, and no signal in between ends the process.
    setTimeout(stopListening, 0);
  }
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    for (const name of signals) {
      const listener = () => onSignal(name);
      Deno.addSignalListener(name, listener);
      added.push([name, listener]);
    }
  } catch (error) {
    fail(error);
  }
  return promise;
}
