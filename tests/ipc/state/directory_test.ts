import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { RECORD_HEADER_BYTES } from "../../../src/ipc/state/layout.ts";
import { MemoryPool, SharedLock, SharedSemaphore, SharedState } from "../../../src/ipc/state/mod.ts";
import { SharedMemory } from "../../../src/ipc/memory/mod.ts";
import { TemporaryDirectory } from "../memory/support.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../support/driver_native.ts";
import { runProgram } from "../../support/net_child.ts";
import { STATE_URL, StateNames } from "./support.ts";

nameSkipReason("State in a directory", nativeSkipReason());

const SHAPE = { capacity: 4, keyBytesMax: 16, valueBytesMax: 64 };

function directoryTest(name: string, body: (directory: string) => Promise<void> | void): void {
  nativeTest(name, async () => {
    using temporary = new TemporaryDirectory();
    await body(temporary.directory);
  });
}

directoryTest("SharedState in a directory outlives its processes", async (directory) => {
  const { code, stderr } = await runProgram(`
    import { SharedLock, SharedState } from ${STATE_URL};
    const place = { directory: ${JSON.stringify(directory)} };
    const state = SharedState.create("s", { capacity: 4, ...place });
    state.set("k", "value");
    state.increment("n", 7);
    SharedLock.create("l", place).tryAcquire();
    await state.sync();
    Deno.kill(Deno.pid, "SIGKILL");
  `);
  assertStrictEquals(code, 137, stderr);
  assertThrows(() => SharedState.connect("s"), Deno.errors.NotFound);
  assertEquals(SharedState.list({ directory }).map(({ name, inUse }) => [name, inUse]), [["s", false]]);
  using state = SharedState.connect("s", { directory });
  assertEquals([state.getEntry("k")?.text(), state.counter("n")], ["value", 7]);
  using lock = SharedLock.connect("l", { directory });
  assertStrictEquals(lock.tryAcquire()?.abandoned, true);
  SharedState.unlink("s", { directory });
  assertEquals(SharedState.list({ directory }), []);
});

directoryTest(
  "SharedState in a directory: each flipped byte of a record shows, and a new value mends it",
  (directory) => {
    using state = SharedState.create("s", { ...SHAPE, directory });
    const text = "0123456789";
    state.set("key", text);
    const bytes = Deno.readFileSync(`${directory}/millrace.state.s`);
    const found = new TextDecoder("latin1").decode(bytes).indexOf(`key\0\0\0\0\0${text}`);
    using file = Deno.openSync(`${directory}/millrace.state.s`, { read: true, write: true });
    const byte = new Uint8Array(1);
    const flip = (at: number): void => {
      file.seekSync(at, Deno.SeekMode.Start);
      file.readSync(byte);
      byte[0] ^= 0x10;
      file.seekSync(at, Deno.SeekMode.Start);
      file.writeSync(byte);
    };
    let shown = 0;
    // From the checksum to the end of the value; the hash and the key say whose it is: with another of these it is nobody's.
    for (let at = found - RECORD_HEADER_BYTES + 4; at < found + 8 + text.length; at++) {
      flip(at);
      let value: string | undefined;
      try {
        value = state.getEntry("key")?.text();
      } catch (error) {
        assert(error instanceof Deno.errors.InvalidData);
        assertMatch(error.message, /^read from the state: a record is damaged: /);
        shown++;
      }
      assertStrictEquals(value, undefined, `byte ${at - found}`);
      flip(at);
      assertStrictEquals(state.getEntry("key")?.text(), text);
    }
    assert(shown > 30);
    flip(found + 9);
    assertThrows(() => state.get("key"), Deno.errors.InvalidData);
    state.set("key", "new");
    assertStrictEquals(state.getEntry("key")?.text(), "new");
  },
);

directoryTest("what is of another kind is neither opened nor taken away", (directory) => {
  const kinds = [
    ["state", SharedState],
    ["lock", SharedLock],
    ["semaphore", SharedSemaphore],
    ["pool", MemoryPool],
  ] as const;
  for (const [noun, kind] of kinds) {
    using region = SharedMemory.create(`${noun}.x`, { byteLength: 100, directory });
    region.bytes.fill(1);
    assertThrowsMatching(
      () => kind.connect("x", { directory }),
      new RegExp(`connect to ${noun} x: it is no ${noun}`),
    );
    assertThrows(() => kind.unlink("x", { directory }), Deno.errors.InvalidData);
    assertEquals(kind.list({ directory }), []);
    region.close();
    assertEquals(kind.removeAbandoned({ directory }), []);
    SharedMemory.unlink(`${noun}.x`, { directory });
  }
});

nativeTest("a header that is damaged is told, for each kind", () => {
  using names = new StateNames();
  const name = names.next();
  using _all = new DisposableStack();
  _all.use(SharedState.create(name));
  _all.use(SharedLock.create(name));
  _all.use(SharedSemaphore.create(name, { permits: 2 }));
  _all.use(MemoryPool.create(name, { blockCount: 1, blockBytes: 1 }));
  for (
    const [noun, connect] of [
      ["state", () => SharedState.connect(name)],
      ["lock", () => SharedLock.connect(name)],
      ["semaphore", () => SharedSemaphore.connect(name)],
      ["pool", () => MemoryPool.connect(name)],
    ] as const
  ) {
    using region = SharedMemory.connect(`${noun}.${name}`);
    for (let at = 0; at < 64; at++) {
      region.bytes[at] ^= 0x40;
      assertThrowsMatching(connect, (error: Error) => {
        assert(error instanceof Deno.errors.InvalidData);
        assert(error.message.startsWith(`connect to ${noun} ${name}: it`), error.message);
        return true;
      });
      region.bytes[at] ^= 0x40;
    }
  }
});
