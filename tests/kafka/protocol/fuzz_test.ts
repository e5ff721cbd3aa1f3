import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { ByteReader, ByteWriter, MalformedBytesError } from "../../../src/base/bytes/mod.ts";
import { SeededRandom } from "../../../src/base/mod.ts";
import type { Fields, FieldType, InputOf } from "../../../src/kafka/protocol/definition/fields.ts";
import { includesVersion } from "../../../src/kafka/protocol/definition/versions.ts";
import type { Message } from "../../../src/kafka/protocol/mod.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";
import {
  comparable,
  type MessageFixture,
  messageOf,
  messagesByName,
  readFixtureLines,
} from "../../support/kafka_fixtures.ts";

const fixtures = await readFixtureLines<MessageFixture>("messages.jsonl.gz");

// A million errors: without their stacks it takes seconds in place of minutes.
Error.stackTraceLimit = 0;

/**
 * Reads bytes that may be anything: a message, or the one error; what came out is no larger than what went
 * in.
 */
function readAnything(message: Message, bytes: Uint8Array, version: number): unknown {
  try {
    const value = message.read(new ByteReader(bytes), version);
    assert(countElements(value) <= bytes.length, `${message.name}: more elements than bytes`);
    return value;
  } catch (error) {
    if (error instanceof MalformedBytesError) return undefined;
    throw new Error(`${message.name} ${version}: ${bytes.toHex()}`, { cause: error });
  }
}

/** Elements of all arrays, and bytes of all views. */
function countElements(value: unknown): number {
  if (value instanceof Uint8Array) return value.length;
  if (Array.isArray(value)) return value.reduce((sum, element) => sum + countElements(element), value.length);
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce((sum: number, part) => sum + countElements(part), 0);
}

/** Fixtures without long texts and bytes, where one position is like the next. */
const shortFixtures = fixtures.filter(({ filling }) => filling !== "long" && filling !== "unknown_tags");
const longFixtures = fixtures.filter(({ filling, bytes }) => filling === "long" && bytes.length > 0);

Deno.test("Message.read() refuses every message that ends too soon, wherever it ends", async () => {
  const refuse = (fixture: MessageFixture, bytes: Uint8Array, end: number) =>
    // Not one of a message's fields may be missing, so there is no shorter message in it.
    assertStrictEquals(
      readAnything(messageOf(fixture.message), bytes.subarray(0, end), fixture.version),
      undefined,
    );
  for (const fixture of shortFixtures) {
    const bytes = Uint8Array.fromHex(fixture.bytes);
    for (let end = 0; end < bytes.length; end++) refuse(fixture, bytes, end);
  }
  const [seed] = testSeeds(1);
  await withSeed(seed, () => {
    const random = new SeededRandom(seed);
    for (const fixture of longFixtures) {
      const bytes = Uint8Array.fromHex(fixture.bytes);
      for (let round = 0; round < 20; round++) refuse(fixture, bytes, random.below(bytes.length));
    }
  });
});

Deno.test("Message.read() survives every single flipped bit", () => {
  for (const fixture of shortFixtures.filter(({ filling }) => filling === "highest")) {
    const message = messageOf(fixture.message);
    const bytes = Uint8Array.fromHex(fixture.bytes);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3] ^= 1 << (bit & 7);
      readAnything(message, bytes, fixture.version);
      bytes[bit >> 3] ^= 1 << (bit & 7);
    }
  }
});

Deno.test("Message.read() survives flipped bits and lying lengths, of every message of Apache Kafka", async () => {
  for (const seed of testSeeds(1)) {
    await withSeed(seed, () => {
      const random = new SeededRandom(seed);
      for (const fixture of fixtures) {
        const message = messageOf(fixture.message);
        const original = Uint8Array.fromHex(fixture.bytes);
        if (original.length === 0) continue;
        for (let round = 0; round < 20; round++) {
          readAnything(message, damage(original, random), fixture.version);
        }
      }
    });
  }
});

Deno.test("Message.read() survives bytes that are chance", async () => {
  for (const seed of testSeeds(1)) {
    await withSeed(seed, () => {
      const random = new SeededRandom(seed);
      forEachVersion((message, version) => {
        for (let round = 0; round < 20; round++) {
          const bytes = new Uint8Array(random.below(200));
          // Small bytes look like lengths that might be true.
          const limit = random.below(2) === 0 ? 256 : 4;
          for (let index = 0; index < bytes.length; index++) bytes[index] = random.below(limit);
          readAnything(message, bytes, version);
        }
      });
    });
  }
});

Deno.test("Message.read() gives back whatever Message.write() took, in every version", async () => {
  for (const seed of testSeeds(1)) {
    await withSeed(seed, () => {
      const random = new SeededRandom(seed);
      const writer = new ByteWriter();
      forEachVersion((message, version) => {
        for (let round = 0; round < 5; round++) {
          const input = randomStruct(message.fields, version, random) as InputOf<Fields>;
          writer.clear();
          message.write(writer, input, version);
          const reader = new ByteReader(writer.written());
          const value = message.read(reader, version);
          reader.expectEnd(message.name);
          const kept = Object.keys(input);
          const read = comparable(value) as Record<string, unknown>;
          for (const name of kept) {
            assertEquals(
              pick(read[name], input[name]),
              comparable(input[name]),
              `${message.name}.${name}`,
            );
          }
        }
      });
    });
  }
});

function forEachVersion(body: (message: Message, version: number) => void): void {
  for (const message of messagesByName.values()) {
    for (let version = message.versions.min; version <= message.versions.max; version++) {
      body(message, version);
    }
  }
}

/** The parts of what was read that were given: others have their defaults. */
function pick(read: unknown, given: unknown): unknown {
  if (Array.isArray(read) && Array.isArray(given)) {
    return read.map((element, index) => pick(element, given[index]));
  }
  const isPart = typeof given === "object" && given !== null && !(given instanceof Uint8Array);
  if (!isPart || typeof read !== "object" || read === null) return read;
  const parts = read as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(given).map(([name, part]) => [name, pick(parts[name], part)]),
  );
}

function damage(original: Uint8Array, random: SeededRandom): Uint8Array {
  const bytes = original.slice();
  const position = random.below(bytes.length);
  switch (random.below(4)) {
    case 0:
      bytes[position] ^= 1 << random.below(8);
      break;
    case 1:
      // What a count or a length says at most, in four bytes or as a varint.
      bytes.set([0x7f, 0xff, 0xff, 0xff].slice(0, bytes.length - position), position);
      break;
    case 2:
      bytes.set([0xff, 0xff, 0xff, 0xff, 0x0f].slice(0, bytes.length - position), position);
      break;
    default:
      bytes.copyWithin(position, random.below(bytes.length));
  }
  return bytes;
}

/** Every field that the version has, filled by chance. */
function randomStruct(fields: Fields, version: number, random: SeededRandom): Record<string, unknown> {
  const struct: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    if (!includesVersion(field.versions, version)) continue;
    const nullable = includesVersion(field.nullable, version);
    struct[name] = nullable && random.below(4) === 0 ? null : randomValue(field.type, version, random);
  }
  return struct;
}

function randomValue(type: FieldType, version: number, random: SeededRandom): unknown {
  switch (type.kind) {
    case "array":
      return Array.from({ length: random.below(4) }, () => randomValue(type.element, version, random));
    case "struct":
      return randomStruct(type.fields, version, random);
    case "bool":
      return random.below(2) === 0;
    case "int8":
      return random.nextUint32() << 24 >> 24;
    case "int16":
      return random.nextUint32() << 16 >> 16;
    case "uint16":
      return random.below(2 ** 16);
    case "int32":
      return random.nextUint32() | 0;
    case "int64":
      return BigInt.asIntN(64, BigInt(random.nextUint32()) << 32n | BigInt(random.nextUint32()));
    case "float64":
      return random.float() * 2 ** random.below(1000);
    case "string":
      return String.fromCodePoint(
        ...Array.from({ length: random.below(200) }, () => randomCodePoint(random)),
      );
    case "uuid":
      return randomBytes(16, random).toBase64({ alphabet: "base64url", omitPadding: true });
    case "bytes":
    case "records":
      return randomBytes(random.below(300), random);
  }
}

function randomCodePoint(random: SeededRandom): number {
  // Of one, two, three and four bytes; the surrogates begin at 0xd800.
  return random.below([0x80, 0x800, 0xd800, 0x10000][random.below(3)]) +
    (random.below(20) === 0 ? 0x10000 : 0);
}

function randomBytes(count: number, random: SeededRandom): Uint8Array {
  return Uint8Array.from({ length: count }, () => random.below(256));
}
