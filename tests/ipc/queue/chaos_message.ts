/** Words before the filler: who sent it, its number, its length. */
const HEADER_WORDS = 3;

/** The message `number` of a producer: its length and every byte follow from both. */
export function chaosMessage(
  producer: number,
  number: number,
  messageBytesMax: number,
): Uint8Array<ArrayBuffer> {
  const room = messageBytesMax - HEADER_WORDS * 4;
  const byteLength = HEADER_WORDS * 4 + (Math.imul(number, 2654435761) >>> 8) % (room + 1);
  const bytes = new Uint8Array(byteLength);
  new Int32Array(bytes.buffer, 0, HEADER_WORDS).set([producer, number, byteLength]);
  for (let at = HEADER_WORDS * 4; at < byteLength; at++) bytes[at] = producer * 31 + number * 7 + at;
  return bytes;
}

/** What `responder` replies to the request `number` of `requester`. */
export function chaosReply(
  responder: number,
  requester: number,
  number: number,
  messageBytesMax: number,
): Uint8Array<ArrayBuffer> {
  const rest = chaosMessage(-requester, number, messageBytesMax - 4);
  const bytes = new Uint8Array(4 + rest.byteLength);
  new Int32Array(bytes.buffer, 0, 1)[0] = responder;
  bytes.set(rest, 4);
  return bytes;
}

/** Who replied, to whose request, and which; `undefined` when it is not whole. */
export function readChaosReply(
  bytes: Uint8Array<ArrayBuffer>,
  messageBytesMax: number,
): { responder: number; requester: number; number: number } | undefined {
  if (bytes.byteLength < 4) return undefined;
  const [responder] = new Int32Array(bytes.slice(0, 4).buffer);
  const rest = readChaosMessage(bytes.slice(4), messageBytesMax - 4);
  return rest && { responder, requester: -rest.producer, number: rest.number };
}

/** Who sent a message, and its number; `undefined` when it is not whole. */
export function readChaosMessage(
  bytes: Uint8Array<ArrayBuffer>,
  messageBytesMax: number,
): { producer: number; number: number } | undefined {
  if (bytes.byteLength < HEADER_WORDS * 4) return undefined;
  const [producer, number] = new Int32Array(bytes.slice(0, HEADER_WORDS * 4).buffer);
  const expected = chaosMessage(producer, number, messageBytesMax);
  if (expected.byteLength !== bytes.byteLength) return undefined;
  return expected.every((byte, at) => byte === bytes[at]) ? { producer, number } : undefined;
}
