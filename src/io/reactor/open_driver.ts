import { nativeStatus } from "../../../ffi/mod.ts";
import { DenoDriver, type DenoDriverOptions } from "./deno/deno_driver.ts";
import type { Driver } from "./driver.ts";
import { UringDriver, type UringDriverOptions } from "./uring/uring_driver.ts";

/** Which driver is wanted; `"auto"` takes io_uring where it works, else Deno's own I/O. */
export type DriverChoice = "auto" | "uring" | "deno";

/** Options of both drivers; each takes those it knows. */
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
  /** The driver, open; closing it is the caller's. */
  readonly driver: Driver;
  /** With `"auto"`, what kept io_uring from being used. */
  readonly fallbackReason: string | undefined;
}

/**
 * Opens the driver that is wanted.
 *
 * ```ts
 * import { openDriver } from "@millrace/millrace/reactor";
 *
 * const { driver, fallbackReason } = openDriver();
 * console.log(driver.description, fallbackReason ?? "");
 * driver.close();
 * ```
 *
 * @throws {Deno.errors.NotSupported | Deno.errors.PermissionDenied} when io_uring is asked for by name and cannot be had
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
    // A mistake in the options is the caller's, not a missing feature.
    if (error instanceof RangeError || error instanceof TypeError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return { driver: new DenoDriver(options), fallbackReason: reason };
  }
}
