/**
 * What is tested of the threads of watches, in a process of its own: in that of the tests, which run side by side, others have such threads.
 */
import { assert, assertStrictEquals } from "@std/assert";
import {
  closeDescriptor,
  createSharedObject,
  FUTEX_WAIT_MS_MAX,
  FutexWatch,
  resize,
  SharedMapping,
  unlinkSharedObject,
} from "../../ffi/mod.ts";
import { testName } from "../support/test_name.ts";

const FFI = new URL("../../ffi/mod.ts", import.meta.url).href;
const PAGE_BYTES = 4096;

/** How many threads of watches this process has. */
function threadCount(): number {
  let count = 0;
  for (const { name } of Deno.readDirSync("/proc/self/task")) {
    try {
      if (Deno.readTextFileSync(`/proc/self/task/${name}/comm`).trim() === "millrace-watch") count++;
    } catch {
      // It has ended meanwhile.
    }
  }
  return count;
}

/** Whether this process has `name` mapped. */
function isMapped(name: string): boolean {
  return Deno.readTextFileSync("/proc/self/maps").includes(`/dev/shm${name}`);
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

function openWords(): { name: string; mapping: SharedMapping } {
  const name = `/millrace_${testName()}`;
  const fd = createSharedObject(name);
  resize(fd, PAGE_BYTES);
  const mapping = SharedMapping.open(fd, PAGE_BYTES, 0, PAGE_BYTES);
  closeDescriptor(fd);
  return { name, mapping };
}

async function closeWatches(): Promise<void> {
  for (let round = 0; round < 20; round++) {
    const { name, mapping } = openWords();
    unlinkSharedObject(name);
    const watch = new FutexWatch();
    const wait = watch.wait(new Int32Array(mapping.bytes.buffer), 0, 0, FUTEX_WAIT_MS_MAX);
    if (round % 2 === 0) await pause(1);
    watch.close();
    watch.close();
    assertStrictEquals(await wait, "woken");
    mapping.close();
  }
  while (threadCount() > 0) await pause(2);
}

async function endWorkers(): Promise<void> {
  const worker = (name: string, waits: boolean) => `
    import { closeDescriptor, FutexWatch, openSharedObject, SharedMapping } from ${JSON.stringify(FFI)};
    const fd = openSharedObject(${JSON.stringify(name)});
    const { bytes } = SharedMapping.open(fd, 4096, 0, 4096);
    closeDescriptor(fd);
    const watch = new FutexWatch();
    if (${waits}) watch.wait(new Int32Array(bytes.buffer), 0, 0, 60_000);
    setInterval(() => {}, 1000);
    self.postMessage("started");
  `;
  for (const waits of [false, true]) {
    const { name, mapping } = openWords();
    const url = URL.createObjectURL(new Blob([worker(name, waits)], { type: "text/typescript" }));
    const thread = new Worker(url, { type: "module" });
    const { promise, resolve } = Promise.withResolvers<unknown>();
    thread.onmessage = resolve;
    await promise;
    // The name is of no use any more, and must not outlive what goes wrong below.
    unlinkSharedObject(name);
    // A thread has its name a moment after it was started.
    while (threadCount() < 1) await pause(2);
    assertStrictEquals(threadCount(), 1);
    mapping.close();
    assert(isMapped(name));
    thread.terminate();
    while (threadCount() > 0 || isMapped(name)) await pause(2);
    URL.revokeObjectURL(url);
  }
}

if (Deno.args[0] === "close") await closeWatches();
else await endWorkers();
Deno.exit(0);
