import { assert, assertEquals, assertStrictEquals, assertThrows, fail } from "@std/assert";
import { assertThrowsMatching } from "../support/assertions.ts";
import {
  closeDescriptor,
  type CompletionSink,
  errno,
  PinnedMemory,
  ProvidedBuffers,
  socketPair,
  Uring,
  uringLayout,
  type UringOptions,
} from "../../ffi/mod.ts";
import { nameSkipReason } from "../support/driver_native.ts";
import { uringSkipReason } from "../support/driver_uring.ts";
import { withWatchdog } from "../support/watchdog.ts";

const skipReason = uringSkipReason();
const WATCHDOG_MS = 30_000;
const WAIT_MS = 1000;
const GROUP = 3;

nameSkipReason("Uring", skipReason);

function uringTest(name: string, body: () => Promise<void> | void): void {
  Deno.test({ name, ignore: skipReason !== undefined, fn: () => withWatchdog(WATCHDOG_MS, body) });
}

/** Keeps what completes. */
class Completions implements CompletionSink {
  readonly all: { readonly id: number; readonly result: number; readonly flags: number }[] = [];

  complete(id: number, result: number, flags: number): void {
    this.all.push({ id, result, flags });
  }

  get ids(): number[] {
    return this.all.map(({ id }) => id);
  }

  /** Waits for at least `count` of them. */
  wait(ring: Uring, count: number): void {
    while (this.all.length < count) {
      ring.enter(WAIT_MS);
      ring.reap(this);
    }
  }
}

function open(options: Partial<UringOptions> = {}): Uring {
  return Uring.open({ entries: 4, completionEntries: 8, deferTaskrun: false, ...options });
}

uringTest("Uring hands back the id of each request", () => {
  using ring = open();
  const completions = new Completions();
  for (let id = 1; id <= 3; id++) assertStrictEquals(ring.prepareNop(id), true);
  assertStrictEquals(ring.pendingCount, 3);
  completions.wait(ring, 3);
  assertEquals(completions.all, [1, 2, 3].map((id) => ({ id, result: 0, flags: 0 })));
  assertStrictEquals(ring.pendingCount, 0);
  assertStrictEquals(ring.hasCompletions, false);
});

uringTest("Uring passes no completion of id 0 on, and counts it", () => {
  using ring = open();
  const completions = new Completions();
  ring.prepareNop(0);
  ring.prepareNop(9);
  ring.enter(WAIT_MS);
  assertStrictEquals(ring.reap(completions), 2);
  assertEquals(completions.ids, [9]);
});

uringTest("Uring takes ids up to 2^24 and beyond unchanged", () => {
  using ring = open();
  const completions = new Completions();
  const ids = [1, 2 ** 24 - 1, 2 ** 30];
  for (const id of ids) ring.prepareNop(id);
  completions.wait(ring, 3);
  assertEquals(completions.ids, ids);
});

uringTest("Uring with a full submission ring hands it to the kernel and goes on", () => {
  using ring = open({ entries: 4, completionEntries: 256 });
  const completions = new Completions();
  for (let id = 1; id <= 100; id++) assertStrictEquals(ring.prepareNop(id), true);
  completions.wait(ring, 100);
  assertEquals(completions.ids, Array.from({ length: 100 }, (_, index) => index + 1));
});

for (const deferTaskrun of [false, true]) {
  uringTest(`Uring loses no completion when their ring is full (deferTaskrun ${deferTaskrun})`, () => {
    using ring = open({ entries: 4, completionEntries: 4, deferTaskrun });
    const completions = new Completions();
    for (let id = 1; id <= 40; id++) assertStrictEquals(ring.prepareNop(id), true);
    ring.enter(0);
    assertStrictEquals(ring.overflowed, true);
    assertStrictEquals(ring.hasCompletions, true);
    completions.wait(ring, 40);
    assertEquals(completions.ids, Array.from({ length: 40 }, (_, index) => index + 1));
    assertStrictEquals(ring.overflowed, false);
  });
}

uringTest("Uring.reap() delivers each completion once although the sink throws", () => {
  using ring = open();
  for (let id = 1; id <= 3; id++) ring.prepareNop(id);
  ring.enter(WAIT_MS);
  const seen: number[] = [];
  const failing: CompletionSink = {
    complete(id) {
      seen.push(id);
      throw new Error("of the sink");
    },
  };
  for (let round = 0; round < 3; round++) assertThrowsMatching(() => ring.reap(failing), /of the sink/);
  assertEquals(seen, [1, 2, 3]);
  assertStrictEquals(ring.reap(failing), 0);
});

uringTest("Uring.enter() waits its time when nothing completes", () => {
  using ring = open();
  const startMs = performance.now();
  ring.enter(20);
  assert(performance.now() - startMs >= 19);
  assertStrictEquals(ring.reap(new Completions()), 0);
});

uringTest("Uring.open() refuses what the kernel does", () => {
  assertThrows(() => open({ entries: 8, completionEntries: 4 }), Deno.errors.InvalidData);
  assertThrows(() => open({ entries: 0 }), Deno.errors.InvalidData);
});

uringTest("Uring.supports() knows the kernel's operations, and none beyond", () => {
  using ring = open();
  const { OPCODE } = uringLayout;
  assertStrictEquals(ring.supports([OPCODE.nop, OPCODE.readv, OPCODE.accept, OPCODE.recv]), true);
  assertStrictEquals(ring.supports([OPCODE.nop, 63]), false);
  assertStrictEquals(ring.supports([64]), false);
});

uringTest("Uring.close() may be called twice, and a closed ring throws", () => {
  const ring = open();
  ring.close();
  ring.close();
  assertThrows(() => ring.pendingCount);
  assertThrows(() => ring.enter(0));
  assertThrows(() => ring.reap(new Completions()));
});

uringTest("Uring.prepareCancel() ends a request, which completes with ECANCELED", () => {
  using ring = open();
  using memory = PinnedMemory.allocate(64);
  using _buffers = new ProvidedBuffers(ring, { bufferCount: 2, bufferByteLength: 64, group: GROUP });
  const [reader, writer] = socketPair();
  const completions = new Completions();
  ring.prepareReceive(1, reader, GROUP, false);
  ring.enter(0);
  ring.reap(completions);
  assertEquals(completions.all, []);
  ring.prepareCancel(1);
  completions.wait(ring, 1);
  assertEquals(completions.all.map(({ id, result }) => [id, result]), [[1, -errno.ECANCELED]]);
  assertStrictEquals(memory.bytes[0], 0);
  closeDescriptor(reader);
  closeDescriptor(writer);
});

uringTest("ProvidedBuffers run out with ENOBUFS, and go round when given back", () => {
  using ring = open();
  using memory = PinnedMemory.allocate(64);
  using buffers = new ProvidedBuffers(ring, { bufferCount: 2, bufferByteLength: 4, group: GROUP });
  const [reader, writer] = socketPair();
  memory.bytes.set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  assertStrictEquals(buffers.lentCount, 2);
  const completions = new Completions();
  ring.prepareSend(9, writer, memory, 0, 12);
  completions.wait(ring, 1);
  const received: number[] = [];
  const held: number[] = [];
  for (let id = 1; id <= 2; id++) {
    ring.prepareReceive(id, reader, GROUP, false);
    completions.wait(ring, 1 + id);
    const { result, flags } = completions.all[id];
    assertStrictEquals(flags & uringLayout.CQE_FLAG.buffer, uringLayout.CQE_FLAG.buffer);
    const bufferId = flags >>> uringLayout.CQE_BUFFER_SHIFT;
    received.push(...buffers.take(bufferId).subarray(0, result));
    held.push(bufferId);
  }
  assertEquals(received, [1, 2, 3, 4, 5, 6, 7, 8]);
  assertEquals([...held].sort(), [0, 1]);
  assertStrictEquals(buffers.lentCount, 0);

  ring.prepareReceive(3, reader, GROUP, false);
  completions.wait(ring, 4);
  assertStrictEquals(completions.all[3].result, -errno.ENOBUFS);

  buffers.giveBack(held[0]);
  buffers.publish();
  ring.prepareReceive(4, reader, GROUP, false);
  completions.wait(ring, 5);
  const { result, flags } = completions.all[4];
  assertStrictEquals(flags >>> uringLayout.CQE_BUFFER_SHIFT, held[0]);
  assertEquals([...buffers.take(held[0]).subarray(0, result)], [9, 10, 11, 12]);
  closeDescriptor(reader);
  closeDescriptor(writer);
});

uringTest("ProvidedBuffers go round thousands of times, in the order given back", () => {
  using ring = open({ entries: 4, completionEntries: 8 });
  using memory = PinnedMemory.allocate(4);
  using buffers = new ProvidedBuffers(ring, { bufferCount: 4, bufferByteLength: 16, group: GROUP });
  const [reader, writer] = socketPair();
  // The ring's tail has 16 bits: 70,000 rounds take it past its end.
  for (let round = 0; round < 70_000; round++) {
    memory.bytes[0] = round;
    const completions = new Completions();
    ring.prepareSend(1, writer, memory, 0, 1);
    ring.prepareReceive(2, reader, GROUP, false);
    completions.wait(ring, 2);
    const receive = completions.all.find(({ id }) => id === 2);
    assertStrictEquals(receive?.result, 1);
    const bufferId = (receive?.flags ?? 0) >>> uringLayout.CQE_BUFFER_SHIFT;
    if (buffers.take(bufferId)[0] !== (round & 0xff)) fail(`wrong byte in round ${round}`);
    buffers.giveBack(bufferId);
    buffers.publish();
  }
  closeDescriptor(reader);
  closeDescriptor(writer);
});
