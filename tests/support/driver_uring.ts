import { UringDriver, type UringDriverOptions, type UringRung } from "../../src/io/reactor/mod.ts";
import { type DriverUnderTest, temporaryDirectory } from "./driver_harness.ts";

/** Rungs of the ladder that are tested, the highest first. */
export const URING_RUNGS: readonly UringRung[] = ["full", "basic"];

/** Why io_uring cannot be used here at all, or on this rung; `undefined` where it can. */
export function uringSkipReason(rung: UringRung = "basic"): string | undefined {
  try {
    using driver = UringDriver.open({ rung });
    if (rung === "full" && !driver.description.includes("multishot accept and receive")) {
      return driver.description;
    }
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** The io_uring driver as something to test, with settings that strain it. */
export function uringUnderTest(rung: UringRung, options: UringDriverOptions = {}): DriverUnderTest {
  return {
    title: `UringDriver (${rung})`,
    skipReason: uringSkipReason(rung),
    runCount: 1,
    open: () => ({ driver: UringDriver.open({ rung, ...options }), ...temporaryDirectory() }),
  };
}
