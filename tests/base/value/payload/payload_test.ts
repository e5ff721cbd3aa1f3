import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { assertRejectsMatching, assertThrowsMatching } from "../../../support/assertions.ts";
import {
  jsonPayload,
  messagePackPayload,
  SharedMailbox,
  SharedQueue,
} from "../../../../src/ipc/queue/mod.ts";
import { bytesOf, requirePayloads, unpackMessagePack } from "../../../../src/base/value/payload/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../../../support/driver_native.ts";
import { QueueNames } from "../../../ipc/queue/support.ts";

/** What a program in JavaScript may pass, and what errors call it. */
const WRONG_PAYLOADS: readonly (readonly [unknown, string])[] = [
  [5, "number"],
  [5n, "bigint"],
  [true, "boolean"],
  [null, "null"],
  [undefined, "undefined"],
  [{}, "Object"],
  [Object.create(null), "object"],
  [[1], "Array"],
  [new Float64Array(1), "Float64Array"],
  [new ArrayBuffer(1), "ArrayBuffer"],
];

Deno.test("bytesOf() gives bytes as they are, and text as UTF-8", () => {
  const bytes = new Uint8Array([1, 2]);
  assertStrictEquals(bytesOf(bytes), bytes);
  assertEquals([...bytesOf("ü")], [0xc3, 0xbc]);
  assertStrictEquals(bytesOf("").length, 0);
});

Deno.test("jsonPayload() refuses what JSON has no way to say", () => {
  assertStrictEquals(jsonPayload({ a: 1, b: undefined }), '{"a":1}');
  for (const value of [undefined, () => {}, Symbol("x")]) assertThrows(() => jsonPayload(value), TypeError);
  assertThrows(() => jsonPayload(1n), TypeError);
});

Deno.test("messagePackPayload() gives memory of its own", () => {
  const first = messagePackPayload([1, 2, 3]);
  const copy = first.slice();
  messagePackPayload(["x".repeat(1000)]);
  assertEquals(first, copy);
  assertEquals(unpackMessagePack(first), [1, 2, 3]);
});

Deno.test("bytesOf() refuses what is neither bytes nor text", () => {
  for (const [wrong, found] of WRONG_PAYLOADS) {
    assertThrowsMatching(() => bytesOf(wrong as Uint8Array), {
      name: "TypeError",
      message: `payload: it is ${found}, expected a Uint8Array or a string`,
    });
  }
});

Deno.test("requirePayloads() refuses what is not several payloads", () => {
  for (const good of [[], ["a"], new Set(["a"])]) requirePayloads(good);
  for (const wrong of ["letters", new Uint8Array(2), 5, null, undefined, {}]) {
    assertThrowsMatching(() => requirePayloads(wrong as string[]), {
      name: "TypeError",
      message: /^payloads: it is .*, expected an iterable of Uint8Arrays or strings$/,
    });
  }
});

nameSkipReason("Payloads of the wrong kind", nativeSkipReason());

nativeTest(
  "SharedQueue: payloads of the wrong kind are refused alike, whatever they are sent by",
  async () => {
    using names = new QueueNames();
    using queue = SharedQueue.create(names.next(), { capacity: 4, messageBytesMax: 8 });
    using mailbox = SharedMailbox.create(queue, { boxes: { 1: 1 } });
    using box = await mailbox.acquire(1);
    const request = queue.request("x");
    using delivery = await queue.reserve();
    for (const [wrong] of WRONG_PAYLOADS) {
      const payload = wrong as Uint8Array;
      const refused = { name: "TypeError", message: /^payload: it is / };
      assertThrowsMatching(() => queue.trySend(payload), refused);
      assertThrowsMatching(() => queue.sendSync(payload), refused);
      assertThrowsMatching(() => queue.trySendMany(["a", payload]), refused);
      assertThrowsMatching(() => delivery.reply(payload), refused);
      assertThrows(() => delivery.fail(payload as unknown as string), TypeError);
      await assertRejectsMatching(() => queue.send(payload), refused);
      await assertRejectsMatching(() => queue.sendMany([payload, "a"]), refused);
      await assertRejectsMatching(() => queue.request(payload), refused);
      await assertRejectsMatching(() => queue.writable().getWriter().write(payload), refused);
      // A default stands in for what is not given.
      if (payload !== undefined) await assertRejectsMatching(() => mailbox.send(box, payload), refused);
    }
    for (const wrong of ["letters", new Uint8Array(2)]) {
      assertThrows(() => queue.trySendMany(wrong as unknown as string[]), TypeError);
      await assertRejects(() => queue.sendMany(wrong as unknown as string[]), TypeError);
    }
    assertStrictEquals(queue.status().sentCount, 1);
    assertStrictEquals(delivery.settled, false);
    delivery.reply("done");
    assertStrictEquals(new TextDecoder().decode(await request), "done");
  },
);
