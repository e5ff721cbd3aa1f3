import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Waker } from "../../ffi/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../support/driver_native.ts";
import { runProgram } from "../support/driver_program.ts";

const FFI = new URL("../../ffi/mod.ts", import.meta.url).href;

nameSkipReason("Waker", nativeSkipReason());

nativeTest("Waker.signal() makes one call or more, however often it is repeated", async () => {
  let resolve = () => {};
  let count = 0;
  using waker = new Waker(() => {
    count++;
    resolve();
  });
  waker.setReferenced(true);
  for (let round = 0; round < 50; round++) {
    const { promise, resolve: woken } = Promise.withResolvers<void>();
    resolve = woken;
    const before = count;
    for (let signals = 0; signals <= round % 3; signals++) waker.signal();
    await promise;
    assert(count > before);
  }
});

nativeTest("Waker makes no call unless signalled", async () => {
  let count = 0;
  using _waker = new Waker(() => count++);
  await pause(20);
  assertStrictEquals(count, 0);
});

nativeTest("Waker.close() makes no more calls, signalled or not, and may be called twice", async () => {
  let count = 0;
  const [signalled, idle] = [new Waker(() => count++), new Waker(() => count++)];
  signalled.signal();
  for (const waker of [signalled, idle]) {
    waker.close();
    waker.close();
  }
  await pause(20);
  assertStrictEquals(count, 0);
});

nativeTest("Waker.close() inside its own call ends well", async () => {
  for (let round = 0; round < 20; round++) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waker = new Waker(() => {
      waker.close();
      resolve();
    });
    waker.setReferenced(true);
    waker.signal();
    await promise;
  }
});

nativeTest("Waker leaves neither thread nor descriptor behind", async () => {
  // In a process of its own: others of the tests have theirs in this one.
  const { code, stdout, stderr } = await runProgram(`
    import { Waker } from "${FFI}";
    const descriptors = () => [...Deno.readDirSync("/proc/self/fd")].length;
    const nameOf = (task) => {
      try {
        return Deno.readTextFileSync("/proc/self/task/" + task + "/comm").trim();
      } catch {
        return "";
      }
    };
    const threads = () =>
      [...Deno.readDirSync("/proc/self/task")].filter(({ name }) => nameOf(name) === "millrace-waker").length;
    const make = () => new Waker(() => {}).close();
    make();
    const before = { descriptors: descriptors(), threads: threads() };
    for (let round = 0; round < 30; round++) make();
    while (descriptors() > before.descriptors || threads() > before.threads) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    console.log("gone");
  `);
  assertEquals({ code, stdout, stderr }, { code: 0, stdout: "gone\n", stderr: "" });
});

nativeTest("Waker lets the process end when closed, and when it is not referenced", async () => {
  const source = (ending: string) => `
    import { Waker } from "${FFI}";
    const waker = new Waker(() => console.log("called"));
    waker.setReferenced(true);
    ${ending}
    console.log("end of main");
  `;
  for (
    const ending of ["waker.close();", "waker.setReferenced(false);", "setTimeout(() => waker.close(), 5);"]
  ) {
    const expected = { code: 0, stdout: "end of main\n", stderr: "" };
    assertEquals(await runProgram(source(ending)), expected, ending);
  }
});

nativeTest("Waker keeps the process alive until its call when it is referenced", async () => {
  const { code, stdout } = await runProgram(`
    import { Waker } from "${FFI}";
    const waker = new Waker(() => {
      console.log("called");
      waker.close();
    });
    waker.setReferenced(true);
    setTimeout(() => waker.signal(), 30);
    console.log("end of main");
  `);
  assertEquals({ code, stdout }, { code: 0, stdout: "end of main\ncalled\n" });
});

nativeTest("Waker may be signalled when the worker that made it is gone", async () => {
  const worker = `
    import { Waker } from "${FFI}";
    const waker = new Waker(() => {});
    waker.setReferenced(true);
    self.postMessage(waker.eventDescriptor);
  `;
  const { code, stdout, stderr } = await runProgram(`
    import { native } from "${FFI}";
    const url = "data:text/typescript," + encodeURIComponent(${JSON.stringify(worker)});
    const worker = new Worker(url, { type: "module" });
    const fd = await new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data));
    worker.terminate();
    for (let round = 0; round < 20; round++) {
      native().millrace_eventfd_signal(fd);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    console.log("alive");
  `);
  assertEquals({ code, stdout, stderr }, { code: 0, stdout: "alive\n", stderr: "" });
});

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
