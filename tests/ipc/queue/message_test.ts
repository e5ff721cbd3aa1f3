import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { Message, messagePackPayload } from "../../../src/ipc/queue/mod.ts";
import { idOf } from "../../../src/ipc/queue/message.ts";

const PARTS = {
  data: new Uint8Array(0),
  session: 1,
  sequence: 2,
  timestampMs: 3,
  redeliveryCount: 4,
  priority: 5,
  partition: 6,
};

Deno.test("Message is what it is made of", () => {
  const { timestampMs, redeliveryCount, priority, partition, id } = new Message(PARTS);
  assertEquals([timestampMs, redeliveryCount, priority, partition, id], [3, 4, 5, 6, 2n ** 32n + 2n]);
});

Deno.test("Message.id goes up with sessions and sequences, wherever their signs change", () => {
  const ids = [[1, 0], [1, 2 ** 31 - 1], [1, -(2 ** 31)], [1, -1], [2, 0], [-(2 ** 31), 0], [-1, -1]]
    .map(([session, sequence]) => idOf(session, sequence));
  for (let index = 1; index < ids.length; index++) assert(ids[index] > ids[index - 1]);
  assertStrictEquals(ids[ids.length - 1], 2n ** 64n - 1n);
});

Deno.test("Message reads its bytes as text, JSON and MessagePack, and says when they are none", () => {
  const of = (data: Uint8Array) => new Message({ ...PARTS, data: new Uint8Array(data) });
  const text = (text: string) => of(new TextEncoder().encode(text));
  assertStrictEquals(text("ü€").text(), "ü€");
  assertStrictEquals(of(new Uint8Array([0xff])).text(), "\ufffd");
  assertEquals(text('{"a":[1]}').json(), { a: [1] });
  assertThrows(() => text("{").json(), SyntaxError);
  assertEquals(of(messagePackPayload([1, "a", null])).messagePack(), [1, "a", null]);
  assertThrows(() => of(new Uint8Array(0)).messagePack());
  assertThrows(() => of(new Uint8Array([0xc1])).messagePack(), Error);
});
