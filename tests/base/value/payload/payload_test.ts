import assert from "node:assert/strict";
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
  assert.equal(bytesOf(bytes), bytes);
  assert.deepEqual([...bytesOf("ü")], [0xc3, 0xbc]);
  assert.equal(bytesOf("").length, 0);
});

Deno.test("jsonPayload() refuses what JSON has no way to say", () => {
  assert.equal(jsonPayload({ a: 1, b: undefined }), '{"a":1}');
  for (const value of [undefined, () => {}, Symbol("x")]) assert.throws(() => jsonPayload(value), TypeError);
  assert.throws(() => jsonPayload(1n), TypeError);
});

Deno.test("messagePackPayload() gives memory of its own", () => {
  const first = messagePackPayload([1, 2, 3]);
  const copy = first.slice();
  messagePackPayload(["x".repeat(1000)]);
  assert.deepEqual(first, copy);
  assert.deepEqual(unpackMessagePack(first), [1, 2, 3]);
});

Deno.test("bytesOf() refuses what is neither bytes nor text", () => {
  for (const [wrong, found] of WRONG_PAYLOADS) {
    assert.throws(() => bytesOf(wrong as Uint8Array), {
      name: "TypeError",
      message: `payload: it is ${found}, expected a Uint8Array or a string`,
    });
  }
});

Deno.test("requirePayloads() refuses what is not several payloads", () => {
  for (const good of [[], ["a"], new Set(["a"])]) requirePayloads(good);
  for (const wrong of ["letters", new Uint8Array(2), 5, null, undefined, {}]) {
    assert.throws(() => requirePayloads(wrong as string[]), {
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
      assert.throws(() => queue.trySend(payload), refused);
      assert.throws(() => queue.sendSync(payload), refused);
      assert.throws(() => queue.trySendMany(["a", payload]), refused);
      assert.throws(() => delivery.reply(payload), refused);
      assert.throws(() => delivery.fail(payload as unknown as string), TypeError);
      await assert.rejects(queue.send(payload), refused);
      await assert.rejects(queue.sendMany([payload, "a"]), refused);
      await assert.rejects(queue.request(payload), refused);
      await assert.rejects(queue.writable().getWriter().write(payload), refused);
      // A default stands in for what is not given.
      if (payload !== undefined) await assert.rejects(mailbox.send(box, payload), refused);
    }
    for (const wrong of ["letters", new Uint8Array(2)]) {
      assert.throws(() => queue.trySendMany(wrong as unknown as string[]), TypeError);
      await assert.rejects(queue.sendMany(wrong as unknown as string[]), TypeError);
    }
    assert.equal(queue.status().sentCount, 1);
    assert.equal(delivery.settled, false);
    delivery.reply("done");
    assert.equal(new TextDecoder().decode(await request), "done");
  },
);
