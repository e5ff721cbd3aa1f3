import assert from "node:assert/strict";
import { jsonPayload, messagePackPayload } from "../../src/queue/mod.ts";
import { bytesOf } from "../../src/queue/payload.ts";
import { unpackMessagePack } from "../../src/queue/_message_pack.ts";

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
  // What a program in JavaScript may pass.
  for (const wrong of [5, null, undefined, [1], new Float64Array(1), new ArrayBuffer(1)]) {
    assert.throws(() => bytesOf(wrong as unknown as Uint8Array), TypeError);
  }
});
