import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { allowedCpus, monotonicNs } from "../../ffi/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../support/driver_native.ts";
import { runProgram } from "../support/driver_program.ts";

nameSkipReason("processors", nativeSkipReason());

nativeTest("allowedCpus() lists processors, ascending", () => {
  const cpus = allowedCpus();
  assert(cpus.length > 0);
  assert(cpus.every((cpu, index) => Number.isInteger(cpu) && (index === 0 || cpu > cpus[index - 1])));
});

nativeTest("pinThread() keeps the thread on one processor, and refuses others", async () => {
  // In a process of its own: the threads of this one are not to be moved.
  const { code, stdout, stderr } = await runProgram(`
    import { allowedCpus, pinThread } from "${new URL("../../ffi/mod.ts", import.meta.url)}";
    const before = allowedCpus();
    const last = before[before.length - 1];
    pinThread(last);
    const after = allowedCpus();
    const refused: string[] = [];
    for (const cpu of [1023, 1024, 0xffff_ffff]) {
      try {
        pinThread(cpu);
      } catch (error) {
        refused.push((error as Error).constructor.name + " " + (error as { code: string }).code);
      }
    }
    console.log(JSON.stringify({ pinned: after.length === 1 && after[0] === last, refused }));
  `);
  assertStrictEquals(code, 0, stderr);
  assertEquals(JSON.parse(stdout), {
    pinned: true,
    refused: ["InvalidData EINVAL", "InvalidData EINVAL", "InvalidData EINVAL"],
  });
});

nativeTest("monotonicNs() never goes back, and keeps step with performance.now()", async () => {
  const [startNs, startMs] = [monotonicNs(), performance.now()];
  let before = startNs;
  for (let round = 0; round < 10_000; round++) {
    const now = monotonicNs();
    assert(now >= before);
    before = now;
  }
  await new Promise((resolve) => setTimeout(resolve, 30));
  const [endMs, endNs] = [performance.now(), monotonicNs()];
  assert((endNs - startNs) / 1e6 >= endMs - startMs - 1);
});
