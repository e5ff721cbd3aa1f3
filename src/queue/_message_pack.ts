import { decode, encode } from "npm:@msgpack/msgpack@3.1.3";

/** `value` as MessagePack, in memory of its own. */
export function packMessagePack(value: unknown): Uint8Array {
  return encode(value);
}

/** The value of MessagePack bytes. */
export function unpackMessagePack(bytes: Uint8Array): unknown {
  return decode(bytes);
}
