import { nativeStatus } from "../../../ffi/mod.ts";
import { DenoDriver, type DenoDriverOptions } from "./deno/deno_driver.ts";
import type { Driver } from "./driver.ts";
import { UringDriver, type UringDriverOptions } from "./uring/uring_driver.ts";

/** Which driver to open; `"auto"` takes io_uring where it works, else Deno's own I/O. */
export type DriverChoice = "auto" | "uring" | "deno";

/** Options of both drivers; each takes those that it knows. */
export interface DriverOptions extends UringDriverOptions, DenoDriverOptions {
  /**
   * Which driver to open.
   *
   * @default {"auto"}
   */
  driver?: DriverChoice;
}

/** A driver, and why it is not the fastest one. */
export interface OpenedDriver {
  /** The driver, open; the caller closes it. */
  readonly driver: Driver;
  /** With `"auto"`, why io_uring is not used. */
  readonly fallbackReason: string | undefined;
}

/**
 * Opens the requested driver.
 *
 * ```ts
 * import { openDriver } from "@millrace/millrace/reactor";
 *
 * const { driver, fallbackReason } = openDriver();
 * console.log(driver.description, fallbackReason ?? "");
 * driver.close();
 * ```
 *
 * @throws {Deno.errors.NotSupported | Deno.errors.PermissionDenied} when io_uring is requested by name and is not available
 * @throws {RangeError | TypeError} when an option is out of range or no driver has that name
 */
export function openDriver(options: DriverOptions = {}): OpenedDriver {
  const { driver = "auto", ...rest } = options;
  switch (driver) {
    case "deno":
      return { driver: new DenoDriver(rest), fallbackReason: undefined };
    case "uring":
      return { driver: UringDriver.open(rest), fallbackReason: undefined };
    case "auto":
      return openFastest(rest);
    default:
      throw new TypeError(`driver "${driver}": expected "auto", "uring" or "deno"`);
  }
}

function openFastest(options: UringDriverOptions): OpenedDriver {
  const status = nativeStatus();
  if (!status.available) {
    return { driver: new DenoDriver(options), fallbackReason: `the native library: ${status.reason}` };
  }
  try {
    return { driver: UringDriver.open(options), fallbackReason: undefined };
  } catch (error) {
    // A mistake in the options is the caller's, and must not fall back as a missing feature does.
    if (error instanceof RangeError || error instanceof TypeError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return { driver: new DenoDriver(options), fallbackReason: reason };
  }
}
