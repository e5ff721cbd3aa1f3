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
  throw new TypeError(`payload: it is ${kindOf(payload)}, expected a Uint8Array or a string`);
}

/**
 * Refuses what is not several payloads. A text and bytes can be iterated over, and would go letter by letter.
 *
 * @throws {TypeError} when it is no iterable of payloads
 */
export function requirePayloads(payloads: Iterable<Payload>): void {
  const found: unknown = payloads;
  if (
    typeof found === "object" && found !== null && Symbol.iterator in found && !ArrayBuffer.isView(found)
  ) return;
  throw new TypeError(`payloads: it is ${kindOf(found)}, expected an iterable of Uint8Arrays or strings`);
}

function kindOf(value: unknown): string {
  if (typeof value !== "object") return typeof value;
  return value === null ? "null" : value.constructor?.name ?? "object";
}
