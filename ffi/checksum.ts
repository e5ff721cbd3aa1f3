/** CRC-32C by the processor's instructions. */
import { native } from "./library.ts";

/** CRC-32C (Castagnoli) of `bytes`, continued from `seed`, as an unsigned number. */
export function nativeCrc32c(bytes: Uint8Array<ArrayBuffer>, seed = 0): number {
  return native().millrace_crc32c(bytes, bytes.byteLength, seed) >>> 0;
}
