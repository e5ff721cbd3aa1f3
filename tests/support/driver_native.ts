import { nativeStatus } from "../../ffi/mod.ts";
import { withWatchdog } from "./watchdog.ts";

/** Milliseconds a test of the native library may take. */
const WATCHDOG_MS = 60_000;

/** Why the native library cannot be used here; `undefined` where it can. */
export function nativeSkipReason(): string | undefined {
  const status = nativeStatus();
  return status.available ? undefined : status.reason;
}

/** Registers a test that needs the native library; without it, one that is ignored. */
export function nativeTest(name: string, body: () => Promise<void> | void): void {
  Deno.test({ name, ignore: nativeSkipReason() !== undefined, fn: () => withWatchdog(WATCHDOG_MS, body) });
}

/** Registers what says why the tests of a file are ignored, if they are. Call it once per file. */
export function nameSkipReason(what: string, reason: string | undefined): void {
  if (reason !== undefined) Deno.test({ name: `${what}: skipped: ${reason}`, ignore: true, fn() {} });
}
