import { deflateRawSync, inflateRawSync } from "node:zlib";

/** The largest message in bytes that a compressed one may become: 256 MiB. */
export const QUEUE_INFLATED_BYTES_MAX = 2 ** 28;

/** `data` compressed (raw DEFLATE, the fast level); `undefined` when that saves nothing. */
export function compress(data: Uint8Array): Uint8Array | undefined {
  const compressed = deflateRawSync(data, { level: 1 });
  return compressed.byteLength < data.byteLength ? compressed : undefined;
}

/** The way back. Refuses what would become larger than {@linkcode QUEUE_INFLATED_BYTES_MAX}. */
export function decompress(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = inflateRawSync(data, { maxOutputLength: QUEUE_INFLATED_BYTES_MAX });
  return new Uint8Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength);
}
