import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { ByteReader, ByteWriter } from "../../../src/base/bytes/mod.ts";
import {
  comparable,
  type MessageFixture,
  messageOf,
  messagesByName,
  readFixtureLines,
} from "../../support/kafka_fixtures.ts";

const fixtures = await readFixtureLines<MessageFixture>("messages.jsonl.gz");
const labelOf = ({ message, version, filling }: MessageFixture) => `${message} ${version} ${filling}`;

Deno.test("Message.read() gives what Apache Kafka reads from its own bytes", () => {
  for (const fixture of fixtures) {
    const reader = new ByteReader(Uint8Array.fromHex(fixture.bytes));
    const value = messageOf(fixture.message).read(reader, fixture.version);
    assertStrictEquals(reader.remaining, 0, labelOf(fixture));
    assertEquals(comparable(value), clipped(fixture.value, value), labelOf(fixture));
  }
});

Deno.test("Message.write() gives the bytes that Apache Kafka writes", () => {
  const writer = new ByteWriter();
  for (const fixture of fixtures) {
    // What is not known cannot be written again.
    if (fixture.filling === "unknown_tags") continue;
    const message = messageOf(fixture.message);
    const value = message.read(new ByteReader(Uint8Array.fromHex(fixture.bytes)), fixture.version);
    writer.clear();
    message.write(writer, value, fixture.version);
    assertStrictEquals(writer.written().toHex(), fixture.bytes, labelOf(fixture));
  }
});

Deno.test("Every version of every message has bytes of Apache Kafka: defaults, edges, long values", () => {
  const seen = new Set(fixtures.map(labelOf));
  for (const { name, versions, flexibleVersions } of messagesByName.values()) {
    for (let version = versions.min; version <= versions.max; version++) {
      for (const filling of ["defaults", "highest", "lowest", "long"]) {
        assert(seen.has(`${name} ${version} ${filling}`), `${name} ${version} ${filling}`);
      }
      const flexible = version >= flexibleVersions.min && version <= flexibleVersions.max;
      assertStrictEquals(seen.has(`${name} ${version} unknown_tags`), flexible, `${name} ${version}`);
    }
  }
});

/**
 * Kafka's value without the fields of versions later than ours: `value` says which there are. They have their
 * defaults in every fixture, or the bytes would not be read to their end.
 */
function clipped(expected: unknown, value: unknown): unknown {
  if (Array.isArray(expected) && Array.isArray(value)) {
    return expected.map((element, index) => clipped(element, value[index]));
  }
  if (typeof expected !== "object" || typeof value !== "object" || expected === null || value === null) {
    return expected;
  }
  const parts = value as Record<string, unknown>;
  const kept = Object.entries(expected).filter(([name]) => name in parts);
  return Object.fromEntries(kept.map(([name, part]) => [name, clipped(part, parts[name])]));
}
