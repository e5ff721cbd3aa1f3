/**
 * The messages between examples/http_gateway.ts and examples/gateway_worker.ts: a line of JSON, then the bytes of a body.
 *
 * @module
 */
import type { QueueShape } from "@millrace/millrace/queue";

/** A request of a client, without its body. */
export interface GatewayRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: readonly [name: string, value: string][];
}

/** The response to a client, without the body. */
export interface GatewayReply {
  readonly status: number;
  readonly headers: readonly [name: string, value: string][];
}

/** The queue of requests. Each keeps its slot until the reply. */
export const REQUESTS_SHAPE: QueueShape = { capacity: 64, messageBytesMax: 128 * 1024 };

/** The longest body in bytes; the rest of a message is for the head. */
export const BODY_BYTES_MAX = 64 * 1024;

const LINE_FEED = 10;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The bytes of a head and a body. */
export function pack(head: GatewayRequest | GatewayReply, body: Uint8Array): Uint8Array {
  const line = encoder.encode(`${JSON.stringify(head)}\n`);
  const bytes = new Uint8Array(line.length + body.length);
  bytes.set(line);
  bytes.set(body, line.length);
  return bytes;
}

/** The reverse. */
export function unpack<T extends GatewayRequest | GatewayReply>(
  bytes: Uint8Array<ArrayBuffer>,
): { head: T; body: Uint8Array<ArrayBuffer> } {
  const end = bytes.indexOf(LINE_FEED);
  return { head: JSON.parse(decoder.decode(bytes.subarray(0, end))), body: bytes.subarray(end + 1) };
}
