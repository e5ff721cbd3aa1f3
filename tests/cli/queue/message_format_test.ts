import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { formatMessage, messageJson } from "../../../src/cli/queue/message_format.ts";
import { Message } from "../../../src/ipc/queue/mod.ts";

const parts = { session: 1, sequence: 2, timestampMs: 1.5, redeliveryCount: 3, priority: 0 };

function message(data: number[], partition?: number): Message {
  return new Message({ ...parts, partition, data: new Uint8Array(data) });
}

Deno.test("formatMessage() writes a line, a frame or JSON", () => {
  assertEquals([...formatMessage(message([65, 66]), "lines")], [65, 66, 10]);
  assertEquals([...formatMessage(message([65, 66]), "frames")], [0, 0, 0, 2, 65, 66]);
  assertStrictEquals(
    new TextDecoder().decode(formatMessage(message([65]), "json")),
    `${messageJson(message([65]))}\n`,
  );
});

Deno.test("messageJson() has null for the time of a message that is damaged", () => {
  for (const timestampMs of [NaN, Infinity, -1e300]) {
    const damaged = new Message({ ...parts, timestampMs, partition: undefined, data: new Uint8Array(0) });
    assertStrictEquals(JSON.parse(messageJson(damaged)).timestamp, null);
  }
});

Deno.test("messageJson() has the id as a text, and bytes that are no UTF-8 as base64", () => {
  assertStrictEquals(
    messageJson(message([65])),
    '{"id":"4294967298","timestamp":"1970-01-01T00:00:00.001Z","redeliveryCount":3,"priority":0,"payload":"A"}',
  );
  assertMatch(messageJson(message([0xc3], 5)), /"partition":5,"payloadBase64":"ww=="\}$/);
  assertMatch(messageJson(message([])), /"payload":""\}$/);
});
