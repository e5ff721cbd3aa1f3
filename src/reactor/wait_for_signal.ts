/** Options of {@linkcode waitForSignal}. */
export interface WaitForSignalOptions {
  /** Ends the wait: rejects with the signal's reason. */
  signal?: AbortSignal;
  /**
   * Signals within this time from now are taken for echoes and ignored. Ctrl-C in a terminal reaches every process there,
   * and task runners pass it on besides, so that one key arrives twice within a millisecond or so. @default {0}
   */
  ignoreForMs?: number;
}

/** A good `ignoreForMs` for waiting for a second Ctrl-C: longer than an echo takes, shorter than a person. */
export const SIGNAL_ECHO_MS = 250;

/**
 * Waits for one of the operating system's signals, which then does not end the process; resolves to its name.
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
  const listeners = signals.map((name): [Deno.Signal, () => void] => [name, () => {
    if (performance.now() >= fromMs) settle(() => resolve(name));
  }]);
  const onAbort = () => settle(() => reject(signal?.reason));
  const added: [Deno.Signal, () => void][] = [];
  function settle(how: () => void): void {
    for (const [name, listener] of added) Deno.removeSignalListener(name, listener);
    signal?.removeEventListener("abort", onAbort);
    how();
  }
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    for (const [name, listener] of listeners) {
      Deno.addSignalListener(name, listener);
      added.push([name, listener]);
    }
  } catch (error) {
    settle(() => reject(error));
  }
  return promise;
}
