import type { Message } from "../../ipc/queue/mod.ts";
import { FRAME_HEADER_BYTES } from "../message_input.ts";

const encoder = new TextEncoder();
// With the byte order mark left in, so that the text is what was sent.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** How messages are written: one line, one frame, or one line of JSON each. */
export type MessageFormat = "lines" | "frames" | "json";

/** A message as it is written to standard output. */
export function formatMessage(message: Message, format: MessageFormat): Uint8Array {
  switch (format) {
    case "lines":
      return concatenated(message.data, new Uint8Array([10]));
    case "frames": {
      const header = new Uint8Array(FRAME_HEADER_BYTES);
      new DataView(header.buffer).setUint32(0, message.data.length);
      return concatenated(header, message.data);
    }
    case "json":
      return encoder.encode(`${messageJson(message)}\n`);
  }
}

/** A message as one line of JSON; bytes that are not UTF-8 are in base64. */
export function messageJson(message: Message): string {
  const { id, timestampMs, redeliveryCount, priority, partition, data } = message;
  return JSON.stringify({
    id: String(id),
    timestamp: new Date(timestampMs),
    redeliveryCount,
    ...partition === undefined ? { priority } : { partition },
    ...payloadOf(data),
  });
}

function payloadOf(data: Uint8Array): { payload: string } | { payloadBase64: string } {
  try {
    return { payload: decoder.decode(data) };
  } catch {
    return { payloadBase64: data.toBase64() };
  }
}

function concatenated(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
