import { DenoDriver } from "../../../src/reactor/mod.ts";
import { adoptingDriver } from "../../support/driver_adopting.ts";
import { registerDriverConformance } from "../../support/driver_conformance.ts";
import { temporaryDirectory } from "../../support/driver_harness.ts";
import { nativeSkipReason } from "../../support/driver_native.ts";

registerDriverConformance(adoptingDriver({
  title: "DenoDriver",
  skipReason: nativeSkipReason(),
  runCount: 1,
  open: () => ({ driver: new DenoDriver(), ...temporaryDirectory() }),
}));
