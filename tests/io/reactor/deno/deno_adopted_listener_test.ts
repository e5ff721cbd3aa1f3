import { assertEquals } from "@std/assert";
import { DenoDriver } from "../../../../src/io/reactor/mod.ts";
import { adoptingDriver } from "../../../support/driver_adopting.ts";
import { registerDriverConformance } from "../../../support/driver_conformance.ts";
import { temporaryDirectory } from "../../../support/driver_harness.ts";
import { nativeSkipReason, nativeTest } from "../../../support/driver_native.ts";
import { runProgram } from "../../../support/driver_program.ts";

const WORKER = new URL("./adopting_worker.ts", import.meta.url).href;

registerDriverConformance(adoptingDriver({
  title: "DenoDriver",
  skipReason: nativeSkipReason(),
  runCount: 1,
  open: () => ({ driver: new DenoDriver(), ...temporaryDirectory() }),
}));

nativeTest(
  "DenoAdoptedListener closes what it has taken over once, and not again when its thread ends",
  async () => {
    // In a process of its own: what is closed twice may be anybody's.
    const source = `
    const worker = new Worker(${JSON.stringify(WORKER)}, { type: "module" });
    const taken = await new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
    const threads = () => [...Deno.readDirSync("/proc/self/task")].length;
    const before = threads();
    // They get the numbers that have become free.
    const files = Array.from({ length: 32 }, () => Deno.openSync("/dev/null"));
    worker.terminate();
    const endMs = performance.now() + 20_000;
    while (threads() >= before && performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 5));
    const ended = threads() < before;
    console.log(JSON.stringify({ ...taken, ended }));
    for (const file of files) file.statSync();
    Deno.exit(0);
  `;
    const { code, stdout, stderr } = await runProgram(source);
    assertEquals([code, stdout], [0, `{"openBefore":2,"left":0,"ended":true}\n`], stderr);
  },
);
