import { assertStrictEquals } from "@std/assert";
import { nativeCrc32c } from "../../ffi/mod.ts";
import { crc32c } from "../../src/base/mod.ts";
import { nameSkipReason, nativeSkipReason, nativeTest } from "../support/driver_native.ts";
import { patternBytes, testSeeds, withSeed } from "../support/driver_seed.ts";

nameSkipReason("nativeCrc32c()", nativeSkipReason());

nativeTest("nativeCrc32c() gives the published values", () => {
  const encoder = new TextEncoder();
  assertStrictEquals(nativeCrc32c(encoder.encode("123456789") as Uint8Array<ArrayBuffer>), 0xe3069283);
  // RFC 3720, appendix B.4.
  assertStrictEquals(nativeCrc32c(new Uint8Array(32)), 0x8a9136aa);
  assertStrictEquals(nativeCrc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
  assertStrictEquals(nativeCrc32c(Uint8Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e);
  assertStrictEquals(nativeCrc32c(Uint8Array.from({ length: 32 }, (_, index) => 31 - index)), 0x113fdb5c);
  assertStrictEquals(nativeCrc32c(new Uint8Array()), 0);
});

nativeTest("nativeCrc32c() agrees with the portable one on every length and start", async () => {
  for (const seed of testSeeds(1)) {
    await withSeed(seed, () => {
      const bytes = patternBytes(seed, 5000);
      for (let length = 0; length < 300; length++) {
        const start = (length * 7) % 64;
        const part = bytes.subarray(start, start + length);
        assertStrictEquals(nativeCrc32c(part), crc32c(part), `length ${length}, start ${start}`);
      }
      assertStrictEquals(nativeCrc32c(bytes), crc32c(bytes));
    });
  }
});

nativeTest("nativeCrc32c() goes on from a seed", () => {
  const bytes = patternBytes(1, 3000);
  for (const at of [0, 1, 8, 1000, 2999, 3000]) {
    const first = nativeCrc32c(bytes.subarray(0, at));
    assertStrictEquals(nativeCrc32c(bytes.subarray(at), first), nativeCrc32c(bytes));
    assertStrictEquals(crc32c(bytes.subarray(at), first), nativeCrc32c(bytes));
  }
});
