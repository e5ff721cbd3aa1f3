import { assert, assertEquals, assertStrictEquals, fail } from "@std/assert";
import { FRAME, FRAME_HEADER_BYTES } from "../../../src/base/calls/mod.ts";
import { CALL_BYTES_MAX } from "../../../src/run/cores/calls.ts";
import { Endpoint, OUTBOX_BYTES_MAX } from "../../../src/run/cores/endpoint.ts";
import { createMesh } from "../../../src/run/cores/mesh.ts";
import { withWatchdog } from "../../support/watchdog.ts";

/** Sends a frame of `byteLength` bytes, 24 at least, whose bytes are `fill`. */
function send(from: Endpoint, byteLength: number, fill = 0): void {
  const bytes = new Uint8Array(byteLength - FRAME_HEADER_BYTES - 8).fill(fill);
  from.senders[1]?.send(FRAME.message, 0, 0, [bytes]);
}

function open(onFrame: (byte: number) => void = () => {}): [from: Endpoint, to: Endpoint] {
  const mesh = createMesh(4096, 2);
  return [
    new Endpoint(mesh, 0, () => {}),
    new Endpoint(mesh, 1, (_from, view, at) => onFrame(view.getUint8(at + FRAME_HEADER_BYTES + 8))),
  ];
}

Deno.test("Endpoint keeps what finds the ring full, in order, until there is room", () => {
  const seen: number[] = [];
  const [from, to] = open((byte) => seen.push(byte));
  for (let index = 0; index < 100; index++) send(from, 200, index);
  assert(from.waitingBytes(1) > 0);
  assert(from.depthTo(1) > 0);
  while (seen.length < 100) {
    from.poll();
    to.poll();
  }
  assertEquals(seen, Array.from({ length: 100 }, (_, index) => index));
  assertEquals([from.waitingBytes(1), from.depthTo(1)], [0, 0]);
});

Deno.test("OUTBOX_BYTES_MAX has room for one of the longest", () => {
  assert(OUTBOX_BYTES_MAX >= CALL_BYTES_MAX);
});

Deno.test("Endpoint wakes its own side when it sleeps and what it sends has to wait", () => {
  const [from] = open();
  let wakeCount = 0;
  from.wakeBy(() => wakeCount++);
  assertStrictEquals(from.arm(false), true);
  for (let index = 0; index < 100; index++) send(from, 200);
  assert(from.waitingBytes(1) > 0);
  assertStrictEquals(wakeCount, 1);
  from.disarm();
  // From then on the reader is asked for it, and nobody has to be woken for what comes behind.
  assertStrictEquals(from.arm(false), true);
  send(from, 200);
  assertStrictEquals(wakeCount, 1);
});

Deno.test("Endpoint has nothing to do for a sender that is closed, and takes nothing more from it", () => {
  const [from] = open();
  for (let index = 0; index < 100; index++) send(from, 200);
  from.senders[1]?.close();
  assertStrictEquals(from.waitingBytes(1), 0);
  send(from, 200);
  assertStrictEquals(from.waitingBytes(1), 0);
  assertStrictEquals(from.poll(), 0);
});

Deno.test("Endpoint.arm() refuses to wait when something is there, and after close()", () => {
  const [from, to] = open();
  assertStrictEquals(to.arm(false), true);
  to.disarm();
  send(from, 24);
  from.flush();
  assertStrictEquals(to.arm(false), false);
  to.disarm();
  assertStrictEquals(to.poll(), 1);
  to.close();
  to.close();
  assertEquals([to.arm(false), to.poll()], [false, 0]);
  to.disarm();
});

Deno.test("Endpoint.wakeBy() is called when something comes while it is armed", () =>
  withWatchdog(10_000, async () => {
    const [from, to] = open();
    const { promise, resolve } = Promise.withResolvers<void>();
    to.wakeBy(resolve);
    assertStrictEquals(to.arm(false), true);
    send(from, 24);
    from.flush();
    // Nothing else would keep this thread alive.
    const timer = setInterval(() => {}, 1000);
    await promise;
    clearInterval(timer);
    to.disarm();
    assert(to.asleepMs > 0);
    assertStrictEquals(to.poll(), 1);
  }));

Deno.test("Endpoint.close() ends its wait on the bell, which would keep the memory", () => {
  const mesh = createMesh(4096, 2);
  const endpoint = new Endpoint(mesh, 0, () => {});
  endpoint.wakeBy(() => fail("woken although it is closed"));
  assertStrictEquals(endpoint.arm(false), true);
  endpoint.close();
  // Nobody is left to be told.
  assertStrictEquals(Atomics.notify(new Int32Array(mesh.bells), 0), 0);
});
