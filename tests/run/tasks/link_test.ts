import assert from "node:assert/strict";
import { CLOSE_MS_MAX, WAITING_BYTES_MAX } from "../../../src/run/tasks/link.ts";
import { withWatchdog } from "../../support/watchdog.ts";
import { SharedMemory } from "../../../src/ipc/memory/mod.ts";
import { nativeStatus } from "../../../ffi/mod.ts";
import { RingLink } from "../../../src/run/tasks/ring_link.ts";
import { connections, frame, type LinkPair, LINKS, Received } from "./support.ts";

function linkTest(name: string, body: (pair: LinkPair) => Promise<void>): void {
  for (const { kind, make } of LINKS) {
    Deno.test(`${name} (${kind})`, () =>
      withWatchdog(30_000, async () => {
        await using pair = await make();
        await body(pair);
      }));
  }
}

linkTest("a link brings frames in their order, both ways", async ({ one, other }) => {
  const [atOne, atOther] = [new Received(one), new Received(other)];
  for (let call = 0; call < 20_000; call++) {
    one.send(frame(call, `to other ${call}`));
    if (call % 2 === 0) other.send(frame(call, call));
  }
  await Promise.all([
    atOther.until(() => atOther.frames.length === 20_000),
    atOne.until(() => atOne.frames.length === 10_000),
  ]);
  assert.ok(
    atOther.frames.every(({ call, values }, index) => call === index && values[0] === `to other ${index}`),
  );
  assert.ok(atOne.frames.every(({ call, values }, index) => call === 2 * index && values[0] === 2 * index));
});

linkTest("a link brings frames of any length, and short ones behind long ones", async ({ one, other }) => {
  const received = new Received(other);
  new Received(one);
  const lengths = [0, 1, 131_000, 131_064, 131_072, 262_144, 5_000_000, 3, 1_000_001];
  lengths.forEach((length, index) => one.send(frame(index, new Uint8Array(length).fill(index + 1))));
  await received.until(() => received.frames.length === lengths.length);
  received.frames.forEach(({ call, values }, index) => {
    const bytes = values[0] as Uint8Array;
    assert.deepEqual([call, bytes.length], [index, lengths[index]]);
    assert.ok(bytes.every((byte) => byte === index + 1));
  });
});

linkTest("a link sleeps, and is woken, again and again", async ({ one, other }) => {
  const received = new Received(other);
  const back = new Received(one);
  for (let round = 1; round <= 5; round++) {
    // Far longer than anybody looks.
    await new Promise((resolve) => setTimeout(resolve, 20));
    one.send(frame(round, round));
    await received.until(() => received.frames.length === round);
    other.send(frame(round, round));
    await back.until(() => back.frames.length === round);
  }
});

linkTest("a link tells of its end once, behind what was sent before it", async ({ one, other }) => {
  const received = new Received(other);
  const atOne = new Received(one);
  for (let call = 0; call < 3000; call++) one.send(frame(call, "x".repeat(100)));
  await one.close();
  await received.until(() => received.ended);
  assert.equal(received.frames.length, 3000);
  assert.equal(atOne.ended, false, "who closes knows");
  one.send(frame(1, "nothing happens"));
  await one.close();
});

linkTest("a link refuses more when too much waits for one who does not read", ({ one }) => {
  new Received(one);
  const value = new Uint8Array(2 ** 20);
  let sent = 0;
  assert.throws(() => {
    for (; sent < 2 * WAITING_BYTES_MAX / value.length; sent++) one.send(frame(sent, value));
  }, Deno.errors.Busy);
  assert.ok(sent >= WAITING_BYTES_MAX / value.length, String(sent));
  return Promise.resolve();
});

linkTest("a link takes what is owed, however much waits", async ({ one, other }) => {
  new Received(one);
  const value = new Uint8Array(2 ** 20);
  let sent = 0;
  assert.throws(() => {
    for (;; sent++) one.send(frame(sent, value));
  }, Deno.errors.Busy);
  one.send(frame(sent++, value), { isOwed: true });
  const received = new Received(other);
  await received.until(() => received.frames.length === sent);
});

linkTest("a link is closed, and does not wait for ever for one who does not read", async ({ one }) => {
  new Received(one);
  for (let sent = 0; sent < 8; sent++) one.send(frame(sent, new Uint8Array(2 ** 20)));
  const { setTimeout } = globalThis;
  const limits: number[] = [];
  globalThis.setTimeout = ((callback: () => void, delayMs: number) => {
    if (delayMs === CLOSE_MS_MAX) limits.push(delayMs);
    return setTimeout(callback, delayMs === CLOSE_MS_MAX ? 10 : delayMs);
  }) as typeof setTimeout;
  try {
    await one.close();
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  assert.deepEqual(limits, [CLOSE_MS_MAX]);
});

Deno.test({
  name: "a link whose memory is damaged ends on both sides",
  ignore: !nativeStatus().available,
  fn: () =>
    withWatchdog(30_000, async () => {
      const [one, other] = await connections();
      const { name, region } = RingLink.create();
      const opened = SharedMemory.connect(name);
      using damaging = SharedMemory.connect(name);
      SharedMemory.unlink(name);
      const atOne = new Received(new RingLink(region, "maker", one));
      const atOther = new Received(new RingLink(opened, "opener", other));
      damaging.bytes.fill(0xa5);
      await Promise.all([atOne.until(() => atOne.ended), atOther.until(() => atOther.ended)]);
      assert.deepEqual([atOne.frames, atOther.frames], [[], []]);
    }),
});
