import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  closeDescriptor,
  type CompletionSink,
  listeningSocket,
  localAddress,
  PinnedMemory,
  socketPair,
  streamSocket,
  Uring,
  writeSocketAddress,
} from "../../ffi/mod.ts";
import { ownedDescriptors } from "../../ffi/owned_descriptors.ts";
import { nameSkipReason } from "../support/driver_native.ts";
import { uringSkipReason } from "../support/driver_uring.ts";
import { withWatchdog } from "../support/watchdog.ts";

// What becomes of marked descriptors when a thread ends is in tests/io/reactor/uring/worker_end_test.ts.

const skipReason = uringSkipReason();
const WATCHDOG_MS = 30_000;
const WAIT_MS = 1000;
const ADDRESS = { hostname: "127.0.0.1", port: 0 };

nameSkipReason("ownedDescriptors", skipReason);

function ownedTest(name: string, body: () => void): void {
  Deno.test({ name, ignore: skipReason !== undefined, fn: () => withWatchdog(WATCHDOG_MS, body) });
}

function open(): Uring {
  return Uring.open({ entries: 4, completionEntries: 8, deferTaskrun: false });
}

ownedTest("ownedDescriptors() is one table, with a mark for each of this thread's descriptors", () => {
  const marks = ownedDescriptors();
  assertStrictEquals(marks, ownedDescriptors());
  assertStrictEquals(marks.byteLength, 2 ** 20);
  const fds = [
    streamSocket(ADDRESS),
    listeningSocket(ADDRESS, { backlog: 1, reusePort: false }),
    ...socketPair(),
  ];
  assertEquals(fds.map((fd) => marks[fd]), [1, 1, 1, 1]);
  for (const fd of fds) closeDescriptor(fd);
  assertEquals(fds.map((fd) => marks[fd]), [0, 0, 0, 0]);
});

ownedTest("ownedDescriptors() has no mark for what could not be opened", () => {
  const before = ownedDescriptors().reduce((sum, mark) => sum + mark, 0);
  const listener = listeningSocket(ADDRESS, { backlog: 1, reusePort: false });
  assertThrows(
    () => listeningSocket(localAddress(listener), { backlog: 1, reusePort: false }),
    Deno.errors.AddrInUse,
  );
  closeDescriptor(listener);
  assertStrictEquals(ownedDescriptors().reduce((sum, mark) => sum + mark, 0), before);
});

ownedTest("Uring.prepareClose() takes the mark before the kernel closes the descriptor", () => {
  using ring = open();
  const marks = ownedDescriptors();
  const [first, second] = socketPair();
  assertStrictEquals(ring.prepareClose(1, first), true);
  assertStrictEquals(marks[first], 0);
  assertStrictEquals(ring.pendingCount, 1);
  localAddress(first);
  ring.enter(WAIT_MS);
  assertStrictEquals(ring.reap({ complete: (_id, result) => assertStrictEquals(result, 0) }), 1);
  assertThrows(() => localAddress(first), Deno.errors.BadResource);
  assertStrictEquals(marks[second], 1);
  closeDescriptor(second);
});

ownedTest("Uring.reap() marks a connection that was accepted, and only then", () => {
  using ring = open();
  using memory = PinnedMemory.allocate(128);
  const marks = ownedDescriptors();
  const listener = listeningSocket(ADDRESS, { backlog: 4, reusePort: false });
  const client = streamSocket(ADDRESS);
  ring.prepareAccept(1, listener);
  ring.prepareConnect(2, client, memory, 0, writeSocketAddress(memory, 0, localAddress(listener)));
  const results = new Map<number, number>();
  const markedInside: number[] = [];
  const sink: CompletionSink = {
    complete(id, result) {
      results.set(id, result);
      if (id === 1 && result >= 0) markedInside.push(marks[result]);
    },
  };
  while (!(results.has(1) && results.has(2))) {
    ring.enter(WAIT_MS);
    ring.reap(sink);
  }
  const accepted = results.get(1) ?? -1;
  assertStrictEquals(results.get(2), 0);
  assertEquals(markedInside, [1]);
  // The result of connecting is a number that is no descriptor.
  assertStrictEquals(marks[0], 0);
  ring.prepareCancel(1, true);
  results.delete(1);
  while (!results.has(1)) {
    ring.enter(WAIT_MS);
    ring.reap(sink);
  }
  for (const fd of [accepted, client, listener]) closeDescriptor(fd);
  assertEquals([accepted, client, listener].map((fd) => marks[fd]), [0, 0, 0]);
});
