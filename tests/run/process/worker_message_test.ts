import { assertEquals } from "@std/assert";
import {
  encodeWorkerMessage,
  type WorkerMessage,
  WorkerMessages,
} from "../../../src/run/process/worker_message.ts";

Deno.test("WorkerMessages reads what encodeWorkerMessage() writes, and passes over what is no message", () => {
  const sent: WorkerMessage[] = [{ type: "hello", token: "a b" }, { type: "ready" }, { type: "heartbeat" }, {
    type: "stopping",
  }];
  const received: WorkerMessage[] = [];
  const messages = new WorkerMessages((message) => received.push(message));
  const noise = ["", "no json", '{"type":"kill"}', "null", "[]", "1", "x".repeat(10_000)];
  for (const [index, message] of sent.entries()) {
    for (const line of noise) messages.add(new TextEncoder().encode(`${line}\n`));
    for (const byte of encodeWorkerMessage(message)) messages.add(new Uint8Array([byte]));
    assertEquals(received, sent.slice(0, index + 1));
  }
});
