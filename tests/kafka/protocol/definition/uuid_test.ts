import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ByteReader, ByteWriter } from "../../../../src/base/bytes/mod.ts";
import { readUuid, writeUuid, ZERO_UUID } from "../../../../src/kafka/protocol/definition/uuid.ts";
import { patternBytes, testSeeds, withSeed } from "../../../support/driver_seed.ts";

Deno.test("readUuid() gives base64url without padding, as Kafka prints it", async () => {
  assertStrictEquals(readUuid(new ByteReader(new Uint8Array(16))), ZERO_UUID);
  // RFC 4648, section 5: the last two letters of the alphabet, 62 and 63.
  assertStrictEquals(readUuid(new ByteReader(new Uint8Array(16).fill(0xfb))), "-_v7-_v7-_v7-_v7-_v7-w");
  const [seed] = testSeeds(1);
  await withSeed(seed, () => {
    for (let round = 0; round < 100; round++) {
      const bytes = patternBytes(seed + round, 16);
      const text = readUuid(new ByteReader(bytes));
      assertStrictEquals(text, bytes.toBase64({ alphabet: "base64url", omitPadding: true }));
      const writer = new ByteWriter();
      writeUuid(writer, text);
      assertEquals(writer.written(), bytes);
    }
  });
});

Deno.test("writeUuid() refuses every other text", () => {
  const texts = ["", ZERO_UUID.slice(1), `${ZERO_UUID}A`, `${ZERO_UUID.slice(1)}=`, `${ZERO_UUID.slice(1)}é`];
  // The last digit has bits that no byte would hold.
  texts.push(`${ZERO_UUID.slice(1)}B`);
  const writer = new ByteWriter();
  for (const text of texts) assertThrows(() => writeUuid(writer, text), RangeError);
  assertStrictEquals(writer.length, 0);
});
