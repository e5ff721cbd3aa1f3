import { nativeStatus } from "../../../ffi/mod.ts";
import { type CoreGroup, type CoreGroupOptions, startCores } from "../../../src/run/cores/mod.ts";
import { uringSkipReason } from "../../support/driver_uring.ts";
import { withWatchdog } from "../../support/watchdog.ts";

const WATCHDOG_MS = 60_000;

/** The module that most groups of these tests load. */
export const coreModule: string = new URL("./core.ts", import.meta.url).href;

/** The address of another fixture, or of a module given as text. */
export function moduleOf(source: string): string {
  return source.startsWith("./")
    ? new URL(source, import.meta.url).href
    : `data:application/typescript,${encodeURIComponent(source)}`;
}

/** The text of an import of Millrace's cores, for a module given as text. */
export const importCores = (names: string): string =>
  `import { ${names} } from ${
    JSON.stringify(new URL("../../../src/run/cores/mod.ts", import.meta.url).href)
  };\n`;

/** Starts a group of `tests/run/cores/core.ts`, two cores unless said otherwise. */
export function startGroup(options: Partial<CoreGroupOptions> = {}): Promise<CoreGroup> {
  return startCores({ module: coreModule, count: 2, ...options });
}

/** Registers a test with a watchdog. */
export function coresTest(name: string, body: () => Promise<void>, ignore = false): void {
  Deno.test({ name, ignore, fn: () => withWatchdog(WATCHDOG_MS, body) });
}

/** Registers a test that is given a running group, which is shut down behind it. */
export function groupTest(
  name: string,
  body: (group: CoreGroup) => Promise<void>,
  options: Partial<CoreGroupOptions> = {},
): void {
  coresTest(name, async () => {
    const group = await startGroup(options);
    try {
      await body(group);
    } finally {
      await group.shutdown();
    }
  });
}

/**
 * The drivers that are named, each in tests of its own. With io_uring refused there are none: these tests have run on Deno's own I/O in the default
 * mode, and what is left is what groups do that take what there is.
 */
export const DRIVERS: readonly ("uring" | "deno")[] = namedDrivers();

function namedDrivers(): ("uring" | "deno")[] {
  if (Deno.env.get("MILLRACE_TEST_MODE") === "eperm") return [];
  return uringSkipReason() === undefined ? ["uring", "deno"] : ["deno"];
}

/** Whether the native library is there. */
export const hasNative: boolean = nativeStatus().available;

/** What `promise` rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("it resolved, expected a rejection");
}

/** Resolves when `check()`; a watchdog is around it. */
export async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!await check()) await new Promise((resolve) => setTimeout(resolve, 2));
}
