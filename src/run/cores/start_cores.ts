import { fileURLToPath } from "node:url";
import { SIGNAL_ECHO_MS, waitForSignal } from "../../io/reactor/mod.ts";
import { CoreGroup } from "./core_group.ts";
import { checkOptions, type CoreGroupOptions } from "./group_options.ts";

/**
 * Starts a group of cores: a worker each, with a reactor, and rings between all of them. Resolves when all are ready.
 *
 * ```ts
 * import { startCores } from "@millrace/millrace/cores";
 *
 * const module = "data:text/javascript,export function square(value) { return value * value; }";
 * await using group = await startCores({ module, count: 2 });
 * const { square } = await import(module);
 * console.log(await group.submitTo(1, square, 12)); // 144
 * ```
 *
 * @throws {RangeError | TypeError} when an option is out of range
 * @throws {Deno.errors.NotCapable} without `--allow-read` for the worker's own module
 * @throws {Deno.errors.NotSupported} with `pinned` and without the native library
 * @throws {CoreError} when a core does not start; the others are ended
 */
export async function startCores(options: CoreGroupOptions): Promise<CoreGroup> {
  const checked = checkOptions(options);
  requireReadAccess();
  const { shutdownOn: signals, signal } = checked;
  if (signals.length === 0) return await CoreGroup.start(checked);
  const asked = new AbortController();
  const over = new AbortController();
  const first = waitForSignal(signals, { signal: over.signal });
  try {
    // One that cannot be listened to is refused before anything starts.
    await Promise.race([first, null]);
    first.then((name) => asked.abort(new DOMException(`received ${name}`, "AbortError")), () => {});
    const stop = signal === undefined ? asked.signal : AbortSignal.any([asked.signal, signal]);
    const group = await CoreGroup.start({ ...checked, signal: stop });
    endOnSecond(group, first, { signals, over });
    return group;
  } catch (error) {
    over.abort();
    throw error;
  }
}

/** The first signal shuts the group down; a second one ends it at once. */
async function endOnSecond(
  group: CoreGroup,
  first: Promise<Deno.Signal>,
  { signals, over }: SignalOptions,
): Promise<void> {
  CoreGroup.ended(group).then(() => over.abort());
  try {
    await first;
    await waitForSignal(signals, { signal: over.signal, ignoreForMs: SIGNAL_ECHO_MS });
    group.terminate();
  } catch {
    // The group has finished.
  }
}

/** Asked for once, where each worker would fail for it and Deno print that. What was compiled into an executable needs none. */
function requireReadAccess(): void {
  const entry = new URL("./worker_entry.ts", import.meta.url);
  if (entry.protocol !== "file:" || Deno.build.standalone) return;
  const path = fileURLToPath(entry);
  const { state } = Deno.permissions.requestSync({ name: "read", path });
  if (state === "granted") return;
  throw new Deno.errors.NotCapable(`startCores: no read access to "${path}", run again with --allow-read`);
}

interface SignalOptions {
  readonly signals: readonly Deno.Signal[];
  /** Aborts when the group has finished. */
  readonly over: AbortController;
}
