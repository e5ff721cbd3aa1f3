import { packMessagePack } from "./_message_pack.ts";

const encoder = new TextEncoder();

/** What can be sent: bytes, or text, which goes as UTF-8. */
export type Payload = Uint8Array | string;

/**
 * `value` as JSON, to be sent; `message.json()` is the way back.
 *
 * @throws {TypeError} when JSON cannot say it
 */
export function jsonPayload(value: unknown): string {
  const text = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`payload: JSON has no way to say ${String(value)}`);
  return text;
}

/** `value` as MessagePack, to be sent; `message.messagePack()` is the way back. */
export function messagePackPayload(value: unknown): Uint8Array {
  return packMessagePack(value);
}

/**
 * The bytes of a payload.
 *
 * @throws {TypeError} when it is neither bytes nor text, or its bytes are another thread's by now
 */
export function bytesOf(payload: Payload): Uint8Array {
  if (typeof payload === "string") return encoder.encode(payload);
  if (payload instanceof Uint8Array) {
    // Looking at the buffer of each payload would cost more than all the rest.
    if (payload.length > 0 || (payload.buffer as ArrayBuffer).detached !== true) return payload;
    throw new TypeError("payload: its buffer is detached, expected bytes");
  }
  throw new TypeError(
    `payload: it is ${payload === null ? "null" : typeof payload}, expected a Uint8Array or a string`,
  );
}
