import { assertStrictEquals } from "@std/assert";
import { crc32c, SeededRandom } from "../../src/base/mod.ts";

const sequence = (length: number, byteAt: (index: number) => number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => byteAt(i));

// RFC 3720 appendix B.4; its listing shows the checksum's bytes in little-endian order.
const READ_COMMAND = Uint8Array.from([
  ...[0x01, 0xc0, 0x00, 0x00],
  ...new Array(12).fill(0x00),
  ...[0x14, 0x00, 0x00, 0x00],
  ...[0x00, 0x00, 0x04, 0x00],
  ...[0x00, 0x00, 0x00, 0x14],
  ...[0x00, 0x00, 0x00, 0x18],
  ...[0x28, 0x00, 0x00, 0x00],
  ...[0x00, 0x00, 0x00, 0x00],
  ...[0x02, 0x00, 0x00, 0x00],
  ...[0x00, 0x00, 0x00, 0x00],
]);

const VECTORS: [name: string, bytes: Uint8Array, checksum: number][] = [
  ["32 bytes of zeros", sequence(32, () => 0x00), 0x8a9136aa],
  ["32 bytes of ones", sequence(32, () => 0xff), 0x62a8ab43],
  ["32 bytes counting up", sequence(32, (index) => index), 0x46dd794e],
  ["32 bytes counting down", sequence(32, (index) => 31 - index), 0x113fdb5c],
  ["an iSCSI read command", READ_COMMAND, 0xd9963a56],
];

for (const [name, bytes, checksum] of VECTORS) {
  Deno.test(`crc32c() gives the checksum of RFC 3720 for ${name}`, () => {
    assertStrictEquals(crc32c(bytes), checksum);
  });
}

Deno.test("crc32c() gives the catalogued check value, and 0 for no bytes", () => {
  assertStrictEquals(crc32c(new TextEncoder().encode("123456789")), 0xe3069283);
  assertStrictEquals(crc32c(new Uint8Array(0)), 0);
});

function crc32cByBits(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

Deno.test("crc32c() agrees with the bitwise definition for every length, alignment and split", () => {
  const random = new SeededRandom(20260101);
  const bytes = sequence(96, () => random.below(256));
  for (let start = 0; start < 9; start++) {
    for (let end = start; end <= bytes.length; end++) {
      const part = bytes.subarray(start, end);
      const expected = crc32cByBits(part);
      assertStrictEquals(crc32c(part), expected, `bytes ${start} to ${end}`);
      const split = random.below(part.length + 1);
      assertStrictEquals(
        crc32c(part.subarray(split), crc32c(part.subarray(0, split))),
        expected,
        `split at ${split}`,
      );
    }
  }
});
