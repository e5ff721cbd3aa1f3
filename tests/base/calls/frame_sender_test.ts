import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { FRAME, FRAME_BYTES_MAX, FrameSender, SHORT_FRAME_BYTES_MAX } from "../../../src/base/calls/mod.ts";
import { kindOf } from "../../../src/base/calls/frame.ts";
import { FrameParts } from "../../../src/base/calls/frame_parts.ts";
import { InvariantError, SeededRandom } from "../../../src/base/mod.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";
import { FakeTransport } from "./support.ts";

function senderOf(
  messageBytesMax = 256,
  capacity?: number,
): { sender: FrameSender; transport: FakeTransport } {
  const transport = new FakeTransport(messageBytesMax, capacity);
  return { sender: new FrameSender(transport, () => {}), transport };
}

/** The frames of messages, put together where they came in parts. */
function framesOf(messages: readonly Uint8Array<ArrayBuffer>[]): DataView[] {
  const parts = new FrameParts();
  return messages.flatMap((message) => {
    const view = new DataView(message.buffer);
    return (kindOf(view, 0) === FRAME.part ? parts.take(view, 0, message.length) : view) ?? [];
  });
}

Deno.test("FrameSender.send() writes a frame in place, and has it seen", () => {
  const { sender, transport } = senderOf();
  sender.send(FRAME.call, 7, 3, [1.5, "a"]);
  assertEquals([transport.messages.length, transport.messages[0].length], [1, 48]);
  assertEquals([transport.flushCount, sender.waitingBytes, sender.nextBytes], [1, 0, 0]);
});

Deno.test("FrameSender.send() cuts what is longer than a message, and FrameParts joins it", () => {
  for (const byteLength of [200, 208, 216, 224, 232, 240, 248, 256, 6000, 50_000]) {
    const { sender, transport } = senderOf();
    const bytes = Uint8Array.from({ length: byteLength }, (_, index) => index * 7);
    sender.send(FRAME.result, 5, 0, [bytes]);
    sender.send(FRAME.cancel, 6, 0, [null]);
    assertStrictEquals(sender.waitingBytes, 0);
    const [result, cancel, ...more] = framesOf(transport.messages);
    assertEquals([kindOf(cancel, 0), more], [FRAME.cancel, []]);
    assertStrictEquals(result.getInt32(0, true), FRAME.result | 1 << 16);
    assertEquals(new Uint8Array(result.buffer as ArrayBuffer, 24, byteLength), bytes);
  }
});

Deno.test("FrameSender.resume() sends what has waited, in its order, as far as there is room", async () => {
  const { sender, transport } = senderOf(256, 1);
  for (let call = 0; call < 5; call++) sender.send(FRAME.result, call, 0, ["x"]);
  assertEquals([sender.waitingBytes, sender.waitingAnswerCount, sender.nextBytes], [4 * 32, 4, 32]);
  assertEquals(transport.awaited, [32], "asked for once: who waits behind it is woken with it");
  let isDrained = false;
  const drained = sender.drained().then(() => isDrained = true);
  transport.capacity = 3;
  assertStrictEquals(sender.resume(), 2);
  assertEquals([sender.waitingBytes, sender.waitingAnswerCount], [2 * 32, 2]);
  await null;
  assertStrictEquals(isDrained, false);
  transport.capacity = 10;
  assertEquals([sender.resume(), sender.resume(), sender.waitingAnswerCount], [2, 0, 0]);
  await drained;
  await sender.drained();
  assertEquals(framesOf(transport.messages).map((view) => view.getInt32(4, true)), [0, 1, 2, 3, 4]);
});

Deno.test("FrameSender.resume() goes on at once where there is room after all", () => {
  const { sender, transport } = senderOf(256, 0);
  transport.awaitRoom = () => {
    transport.capacity++;
    return false;
  };
  sender.send(FRAME.message, 0, 0, [new Uint8Array(2000)]);
  assertStrictEquals(framesOf(transport.messages).length, 1);
  assertStrictEquals(sender.waitingBytes, 0);
});

Deno.test("FrameSender.close() drops what waits, and sends nothing more", async () => {
  const { sender, transport } = senderOf(256, 1);
  for (let call = 0; call < 5; call++) sender.send(FRAME.error, call, 0, [new Uint8Array(500)]);
  const drained = sender.drained();
  sender.close();
  await drained;
  transport.capacity = 100;
  sender.send(FRAME.message, 0, 0, [1]);
  assertEquals([sender.waitingBytes, sender.waitingAnswerCount, sender.resume()], [0, 0, 0]);
  assertStrictEquals(transport.messages.length, 1);
});

Deno.test("FrameSender.send() refuses too many values, and too many bytes, and goes on", () => {
  const { sender, transport } = senderOf(2 ** 20);
  assertThrowsMatching(() => sender.send(FRAME.call, 0, 0, new Array(65_536).fill(0)), {
    name: "RangeError",
    message: "65536 values, at most 65535 can travel at once",
  });
  assertThrowsMatching(() => sender.send(FRAME.message, 0, 0, [new Uint8Array(FRAME_BYTES_MAX)]), {
    name: "RangeError",
    message: "268435480 bytes, at most 268435456 can travel at once",
  });
  assertEquals([transport.messages.length, sender.waitingBytes], [0, 0]);
});

Deno.test("FrameSender.send() asks whether there is room for what would wait, but for what ends something in short", () => {
  const transport = new FakeTransport(256, 0);
  const asked: number[][] = [];
  const sender = new FrameSender(transport, (kind, byteLength, waitingBytes) => {
    asked.push([kind, byteLength, waitingBytes]);
    if (waitingBytes > 100) throw new RangeError("no room");
  });
  sender.send(FRAME.message, 0, 0, [new Uint8Array(200)]);
  for (const kind of [FRAME.call, FRAME.message, FRAME.result]) {
    assertThrowsMatching(() => sender.send(kind, 0, 0, []), /no room/);
  }
  const long = new Uint8Array(SHORT_FRAME_BYTES_MAX);
  for (const kind of [FRAME.error, FRAME.cancel]) {
    assertThrowsMatching(() => sender.send(kind, 0, 0, [long]), /no room/);
  }
  assertEquals(asked, [
    [FRAME.message, 224, 0],
    [FRAME.call, 16, 224],
    [FRAME.message, 16, 224],
    [FRAME.result, 16, 224],
    [FRAME.error, SHORT_FRAME_BYTES_MAX + 24, 224],
    [FRAME.cancel, SHORT_FRAME_BYTES_MAX + 24, 224],
  ]);
  for (const kind of [FRAME.error, FRAME.cancel, FRAME.finishing, FRAME.shutdown]) {
    sender.send(kind, 0, 0, []);
  }
  assertEquals([sender.waitingBytes, sender.waitingAnswerCount], [224 + 4 * 16, 1]);
});

Deno.test("FrameSender() wants messages in which a part has room", () => {
  for (const messageBytesMax of [16, 100]) {
    assertThrows(() => senderOf(messageBytesMax), InvariantError);
  }
});

Deno.test("FrameSender brings every frame once, in its order, whatever room there is", async () => {
  for (const seed of testSeeds(50)) {
    await withSeed(seed, () => {
      const random = new SeededRandom(seed);
      const { sender, transport } = senderOf(24 + 8 * random.below(20), 0);
      const messages: Uint8Array<ArrayBuffer>[] = [];
      let sent = 0;
      let waited = 0;
      for (let step = 0; step < 200; step++) {
        transport.capacity = random.below(4);
        if (random.below(3) > 0) sender.send(FRAME.result, sent++, 0, [new Uint8Array(random.below(400))]);
        else sender.resume();
        waited = Math.max(waited, sender.waitingBytes);
        messages.push(...transport.messages.splice(0));
      }
      assert(waited > 0);
      transport.capacity = Infinity;
      sender.resume();
      messages.push(...transport.messages.splice(0));
      const calls = framesOf(messages).map((view) => view.getInt32(4, true));
      assertEquals(calls, Array.from({ length: sent }, (_, call) => call));
      assertEquals([sender.waitingBytes, sender.waitingAnswerCount], [0, 0]);
      return Promise.resolve();
    });
  }
});
