import { testClosing } from "./driver_conformance_close.ts";
import { testDatagrams } from "./driver_conformance_datagram.ts";
import { testFiles, testOpening } from "./driver_conformance_file.ts";
import { testConnecting, testListening } from "./driver_conformance_listen.ts";
import { testFlow, testStreams } from "./driver_conformance_stream.ts";
import { conformanceTests, type DriverUnderTest } from "./driver_harness.ts";

/** Registers the tests that every driver has to pass, line by line what `src/io/reactor/driver.ts` promises. */
export function registerDriverConformance(target: DriverUnderTest): void {
  if (target.skipReason !== undefined) {
    Deno.test({
      name: `${target.title} is skipped: ${target.skipReason}`,
      ignore: true,
      fn() {},
    });
  }
  const test = conformanceTests(target);
  testListening(test);
  testConnecting(test);
  testStreams(test);
  testFlow(test);
  testDatagrams(test);
  testOpening(test);
  testFiles(test);
  testClosing(test);
}
