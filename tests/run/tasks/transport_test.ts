import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { nativeStatus } from "../../../ffi/mod.ts";
import { SharedMemory } from "../../../src/ipc/memory/mod.ts";
import { RingTransport } from "../../../src/run/tasks/ring_transport.ts";
import { withWatchdog } from "../../support/watchdog.ts";
import { connections, FrameEnd, TRANSPORTS } from "./support.ts";

interface Ends {
  readonly one: FrameEnd;
  readonly other: FrameEnd;
}

/** Two ends; the one lets frames come in already. */
function transportTest(name: string, body: (ends: Ends) => Promise<void>): void {
  for (const { kind, make } of TRANSPORTS) {
    Deno.test(`${name} (${kind})`, () =>
      withWatchdog(30_000, async () => {
        await using pair = await make();
        await body({ one: new FrameEnd(pair.one).begin(), other: new FrameEnd(pair.other) });
      }));
  }
}

transportTest("a transport brings frames in their order, both ways", async ({ one, other }) => {
  other.begin();
  for (let call = 0; call < 20_000; call++) {
    one.send(call, `to other ${call}`);
    if (call % 2 === 0) other.send(call, call);
  }
  await Promise.all([
    other.until(() => other.frames.length === 20_000),
    one.until(() => one.frames.length === 10_000),
  ]);
  assert(
    other.frames.every(({ call, values }, index) => call === index && values[0] === `to other ${index}`),
  );
  assert(one.frames.every(({ call, values }, index) => call === 2 * index && values[0] === 2 * index));
});

transportTest(
  "a transport brings frames of any length, and short ones behind long ones",
  async ({ one, other }) => {
    other.begin();
    // About what one message of a ring, and of a socket, can be.
    const limits = [131_000, 131_032, 131_040, 131_048, 131_064, 131_072];
    const lengths = [0, 1, ...limits, 262_144, 5_000_000, 3, 1_000_001];
    lengths.forEach((length, index) => one.send(index, new Uint8Array(length).fill(index + 1)));
    await other.until(() => other.frames.length === lengths.length);
    other.frames.forEach(({ call, values }, index) => {
      const bytes = values[0] as Uint8Array;
      assertEquals([call, bytes.length], [index, lengths[index]]);
      assert(bytes.every((byte) => byte === index + 1));
    });
  },
);

transportTest("a transport sleeps, and is woken, again and again", async ({ one, other }) => {
  other.begin();
  for (let round = 1; round <= 5; round++) {
    // Far longer than anybody polls.
    await new Promise((resolve) => setTimeout(resolve, 20));
    one.send(round, round);
    await other.until(() => other.frames.length === round);
    other.send(round, round);
    await one.until(() => one.frames.length === round);
  }
});

transportTest("a transport tells of its end once, behind what was sent before it", async ({ one, other }) => {
  other.begin();
  for (let call = 0; call < 3000; call++) one.send(call, "x".repeat(100));
  await one.sender.drained();
  await one.transport.flushed();
  one.transport.close();
  await other.until(() => other.ended);
  assertStrictEquals(other.frames.length, 3000);
  assertStrictEquals(one.ended, false, "who closes knows");
  one.send(1, "nothing happens");
  one.transport.close();
});

transportTest(
  "a transport brings what has waited for one who did not read, in its order",
  async ({ one, other }) => {
    const value = new Uint8Array(2 ** 20);
    let sent = 0;
    while (one.sender.waitingBytes < 20 * value.length) one.send(sent++, value);
    one.send(sent++, "behind them");
    other.begin();
    await other.until(() => other.frames.length === sent);
    assert(other.frames.every(({ call }, index) => call === index));
    await one.sender.drained();
    assertStrictEquals(one.sender.waitingBytes, 0);
  },
);

Deno.test({
  name: "a transport whose memory is damaged ends on both sides",
  ignore: !nativeStatus().available,
  fn: () =>
    withWatchdog(30_000, async () => {
      const [one, other] = await connections();
      const { name, region } = RingTransport.create();
      const opened = SharedMemory.connect(name);
      using damaging = SharedMemory.connect(name);
      SharedMemory.unlink(name);
      const atOne = new FrameEnd(new RingTransport(region, "maker", one)).begin();
      const atOther = new FrameEnd(new RingTransport(opened, "opener", other)).begin();
      damaging.bytes.fill(0xa5);
      await Promise.all([atOne.until(() => atOne.ended), atOther.until(() => atOther.ended)]);
      assertEquals([atOne.frames, atOther.frames], [[], []]);
    }),
});
