import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  closeDescriptor,
  createSharedObject,
  FUTEX_WAIT_MS_MAX,
  futexWake,
  FutexWatch,
  Mapping,
  monotonicNs,
  openSharedObject,
  resize,
  SharedMapping,
  unlinkSharedObject,
} from "../../ffi/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../support/driver_native.ts";
import { runProgram } from "../support/driver_program.ts";
import { testName } from "../support/test_name.ts";

const THREADS = new URL("./watch_threads.ts", import.meta.url).href;
/** Milliseconds that they may take. */
const THREADS_MS_MAX = 60_000;
const FFI = new URL("../../ffi/mod.ts", import.meta.url).href;
const PAGE_BYTES = 4096;

nameSkipReason("FutexWatch", nativeSkipReason());

/** Words that `name` names, until it is disposed. */
class SharedWords implements Disposable {
  readonly name = `/millrace_${testName()}`;
  readonly mapping: SharedMapping;
  readonly words: Int32Array<ArrayBuffer>;

  constructor() {
    const fd = createSharedObject(this.name);
    try {
      resize(fd, PAGE_BYTES);
      this.mapping = SharedMapping.open(fd, PAGE_BYTES, 0, PAGE_BYTES);
    } finally {
      closeDescriptor(fd);
    }
    this.words = new Int32Array(this.mapping.bytes.buffer);
  }

  [Symbol.dispose](): void {
    this.mapping.close();
    unlinkSharedObject(this.name);
  }
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

/** Runs what is tested of threads in a process of its own. */
async function runThreads(what: "close" | "end"): Promise<void> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", THREADS, what],
    signal: AbortSignal.timeout(THREADS_MS_MAX),
  }).output();
  assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
}

/** Whether this process has `name` mapped. */
function isMapped(name: string): boolean {
  return Deno.readTextFileSync("/proc/self/maps").includes(`/dev/shm${name}`);
}

nativeTest(
  "FutexWatch.wait() resolves when the word is woken, and lets the event loop run meanwhile",
  async () => {
    using shared = new SharedWords();
    using watch = new FutexWatch();
    for (let round = 0; round < 200; round++) {
      const index = round % 1024;
      const wait = watch.wait(shared.words, index, 0, FUTEX_WAIT_MS_MAX);
      assert(watch.waiting);
      let ended = false;
      const result = wait?.finally(() => ended = true);
      if (round % 20 === 0) {
        await pause(2);
        assertStrictEquals(ended, false);
      }
      Atomics.store(shared.words, index, 1);
      futexWake(shared.words, index, 1, true);
      // Or it had not fallen asleep yet.
      assert(["woken", "changed"].includes(String(await result)));
      assertStrictEquals(watch.waiting, false);
      Atomics.store(shared.words, index, 0);
    }
  },
);

nativeTest("FutexWatch.wait() says when the word has changed already", async () => {
  using shared = new SharedWords();
  using watch = new FutexWatch();
  shared.words[1023] = -1;
  assertStrictEquals(await watch.wait(shared.words, 0, 1, FUTEX_WAIT_MS_MAX), "changed");
  assertStrictEquals(await watch.wait(shared.words, 1023, 0, FUTEX_WAIT_MS_MAX), "changed");
  assertStrictEquals(await watch.wait(shared.words, 1023, -1, 0), "timed-out");
});

nativeTest("FutexWatch.wait() waits its time, and no less, also when that is long", async () => {
  using shared = new SharedWords();
  using watch = new FutexWatch();
  for (const timeoutMs of [0, 1, 20, 250]) {
    const startNs = monotonicNs();
    assertStrictEquals(await watch.wait(shared.words, 5, 0, timeoutMs), "timed-out");
    assert(monotonicNs() - startNs >= timeoutMs * 1e6);
  }
});

nativeTest("FutexWatch.wait() does not miss a wake, however soon it comes", async () => {
  using shared = new SharedWords();
  using watch = new FutexWatch();
  const worker = `
    import { closeDescriptor, futexWake, openSharedObject, SharedMapping } from ${JSON.stringify(FFI)};
    const fd = openSharedObject(${JSON.stringify(shared.name)});
    const { bytes } = SharedMapping.open(fd, 4096, 0, 4096);
    closeDescriptor(fd);
    const words = new Int32Array(bytes.buffer);
    for (let round = 1; round <= 2000; round++) {
      while (Atomics.load(words, 1) !== round) Atomics.pause();
      for (let count = round * 37 % 2000; count > 0; count--) Atomics.pause();
      Atomics.store(words, 0, round);
      futexWake(words, 0, 1, true);
    }
    self.close();
  `;
  const url = URL.createObjectURL(new Blob([worker], { type: "text/typescript" }));
  const thread = new Worker(url, { type: "module" });
  try {
    for (let round = 1; round <= 2000; round++) {
      Atomics.store(shared.words, 1, round);
      while (Atomics.load(shared.words, 0) !== round) {
        assertNotStrictEquals(await watch.wait(shared.words, 0, round - 1, 30_000), "timed-out");
      }
    }
  } finally {
    thread.terminate();
    URL.revokeObjectURL(url);
  }
});

nativeTest("FutexWatch.wait() refuses what is no wait", () => {
  using shared = new SharedWords();
  const watch = new FutexWatch();
  for (const timeoutMs of [-1, NaN, Infinity, FUTEX_WAIT_MS_MAX + 1]) {
    assertThrows(() => watch.wait(shared.words, 0, 0, timeoutMs), RangeError);
  }
  for (const index of [-1, 1024, NaN]) assertThrows(() => watch.wait(shared.words, index, 0, 1), RangeError);
  const under = watch.wait(shared.words, 0, 0, 1000);
  assert(under !== undefined);
  assertThrows(() => watch.wait(shared.words, 1, 0, 1000), Deno.errors.Busy);
  watch.close();
  assertThrows(() => watch.wait(shared.words, 0, 0, 1), Deno.errors.BadResource);
});

nativeTest("FutexWatch.wait() takes only words that a SharedMapping shows", () => {
  using watch = new FutexWatch();
  using mapping = Mapping.create(PAGE_BYTES);
  assertStrictEquals(watch.wait(new Int32Array(mapping.buffer), 0, 0, 1000), undefined);
  assertStrictEquals(watch.wait(new Int32Array(4), 0, 0, 1000), undefined);
  assertStrictEquals(watch.waiting, false);
  const shared = new SharedWords();
  const { words } = shared;
  shared[Symbol.dispose]();
  assertThrows(() => watch.wait(words, 0, 0, 1), RangeError);
});

nativeTest(
  "FutexWatch.close() ends the wait, the thread, and its hold on the memory",
  () => runThreads("close"),
);

nativeTest("FutexWatch keeps memory that is closed while it waits, and lets it go afterwards", async () => {
  const shared = new SharedWords();
  using watch = new FutexWatch();
  const wait = watch.wait(shared.words, 0, 0, 150);
  await pause(5);
  shared[Symbol.dispose]();
  assertStrictEquals(shared.words.length, 0);
  assert(isMapped(shared.name));
  assertStrictEquals(await wait, "timed-out");
  while (isMapped(shared.name)) await pause(2);
});

nativeTest("FutexWatch keeps the process alive while it waits, and no longer", async () => {
  const { code, stdout, stderr } = await runProgram(`
    import { closeDescriptor, createSharedObject, FutexWatch, resize, SharedMapping, unlinkSharedObject } from "${FFI}";
    const name = "/millrace_${testName()}";
    const fd = createSharedObject(name);
    resize(fd, 4096);
    const { bytes } = SharedMapping.open(fd, 4096, 0, 4096);
    unlinkSharedObject(name);
    const watch = new FutexWatch();
    watch.wait(new Int32Array(bytes.buffer), 0, 0, 30).then(console.log);
    console.log("end of main");
  `);
  assertEquals({ code, stdout, stderr }, { code: 0, stdout: "end of main\ntimed-out\n", stderr: "" });
});

nativeTest("FutexWatch ends with the worker that has it, waiting or not", () => runThreads("end"));

nativeTest("SharedMapping.open() refuses another length than the one that is mapped", () => {
  using shared = new SharedWords();
  const fd = openSharedObject(shared.name);
  try {
    assertThrows(() => SharedMapping.open(fd, 2 * PAGE_BYTES, 0, 1), Deno.errors.InvalidData);
  } finally {
    closeDescriptor(fd);
  }
});
