/** The Castagnoli polynomial with its bits reversed, as RFC 3720 section 12.1 uses it. */
const POLYNOMIAL = 0x82f63b78;

/** Eight tables: entry `t * 256 + b` is the remainder of byte `b` followed by `t` zero bytes. */
let tables: Int32Array | undefined;

/**
 * CRC-32C of `bytes`, as an unsigned 32-bit number. Pass an earlier result as `seed` to go on with the bytes
 * that follow: `crc32c(b, crc32c(a))` is the checksum of `a` followed by `b`.
 *
 * Takes eight bytes a step by the slicing-by-8 method of Kounavis and Berry, "Novel Table Lookup-Based
 * Algorithms for High-Performance CRC Generation" (IEEE Transactions on Computers 57(11), 2008).
 *
 * @param seed the checksum of the bytes before @default {0}
 *
 * @example
 * ```ts ignore
 * crc32c(new TextEncoder().encode("123456789")); // 0xe3069283
 * ```
 */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  const table = tables ??= makeTables();
  const byteLength = bytes.length;
  const slicedEnd = byteLength - (byteLength & 7);
  let crc = ~seed;
  let index = 0;
  while (index < slicedEnd) {
    crc ^= bytes[index] | (bytes[index + 1] << 8) | (bytes[index + 2] << 16) | (bytes[index + 3] << 24);
    crc = table[0x700 | (crc & 0xff)] ^ table[0x600 | ((crc >>> 8) & 0xff)] ^
      table[0x500 | ((crc >>> 16) & 0xff)] ^ table[0x400 | (crc >>> 24)] ^
      table[0x300 | bytes[index + 4]] ^ table[0x200 | bytes[index + 5]] ^
      table[0x100 | bytes[index + 6]] ^ table[bytes[index + 7]];
    index += 8;
  }
  while (index < byteLength) {
    crc = table[(crc ^ bytes[index]) & 0xff] ^ (crc >>> 8);
    index++;
  }
  return ~crc >>> 0;
}

function makeTables(): Int32Array {
  const table = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    table[byte] = crc;
  }
  for (let index = 256; index < table.length; index++) {
    const shorter = table[index - 256];
    table[index] = table[shorter & 0xff] ^ (shorter >>> 8);
  }
  return table;
}
