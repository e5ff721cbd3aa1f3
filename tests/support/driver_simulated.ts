import { SimulatedDriver, type SimulatedFaultOptions } from "../../src/io/reactor/mod.ts";
import type { DriverUnderTest } from "./driver_harness.ts";

/** The simulated driver as something to test; files are in the directory `/test`. */
export function simulatedUnderTest(
  faults: SimulatedFaultOptions = {},
  title = "SimulatedDriver",
  runCount = 20,
): DriverUnderTest {
  return {
    title,
    runCount,
    open(seed) {
      const driver = new SimulatedDriver({ seed, faults });
      driver.fileSystem.makeDirectory("/test");
      return {
        driver,
        directory: "/test",
        makeDirectory: (path) => driver.fileSystem.makeDirectory(path),
        cleanUp: () => {},
      };
    },
  };
}
