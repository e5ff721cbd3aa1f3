import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ByteReader, ByteWriter, MalformedBytesError } from "../../../src/base/bytes/mod.ts";
import {
  type Api,
  apis,
  apiVersionsApi,
  findApi,
  readRequestHeader,
  readResponseHeader,
  requestHeaderVersion,
  responseHeaderVersion,
  writeRequestHeader,
  writeResponseHeader,
} from "../../../src/kafka/protocol/mod.ts";

function apiOf(key: number): Api {
  const api = findApi(key);
  assert(api);
  return api;
}

Deno.test("Header versions follow the flexible versions of an API", () => {
  const produce = apiOf(0);
  assertEquals([8, 9].map((version) => requestHeaderVersion(produce, version)), [1, 2]);
  assertEquals([8, 9].map((version) => responseHeaderVersion(produce, version)), [0, 1]);
  // Never flexible.
  assertStrictEquals(requestHeaderVersion(apiOf(47), 0), 1);
  assertStrictEquals(requestHeaderVersion(apiOf(17), 1), 1);
  // A version of a later Kafka.
  assertStrictEquals(requestHeaderVersion(produce, 99), 2);
});

Deno.test("The header of a response of ApiVersions is version 0 always", () => {
  for (const version of [0, 3, 4, 99]) assertStrictEquals(responseHeaderVersion(apiOf(18), version), 0);
  assertStrictEquals(requestHeaderVersion(apiOf(18), 3), 2);
});

Deno.test("Headers come back as they were written, in every version of every API", () => {
  for (const api of apis) {
    for (let version = api.versions.min; version <= api.versions.max; version++) {
      for (const clientId of [null, "", "Grüße"]) {
        const writer = new ByteWriter();
        const header = { requestApiVersion: version, correlationId: -(2 ** 31), clientId };
        writeRequestHeader(writer, api, header);
        writer.writeInt8(42);
        const reader = new ByteReader(writer.written());
        assertEquals(readRequestHeader(reader), { requestApiKey: api.key, ...header });
        assertStrictEquals(reader.readInt8(), 42);
      }
      const writer = new ByteWriter();
      writeResponseHeader(writer, api, version, 7);
      const reader = new ByteReader(writer.written());
      assertStrictEquals(readResponseHeader(reader, api, version), 7);
      reader.expectEnd("the header");
    }
  }
});

/**
 * The first request of Apache Kafka 4.3.1's admin client with `client.id=Grüße`, recorded from its socket.
 */
const RECORDED = "001200040000000000074772c3bcc39f6500" +
  "126170616368652d6b61666b612d6a61766106342e332e3100";

Deno.test("readRequestHeader() leaves the reader at the request that a Java client sends", () => {
  const reader = new ByteReader(Uint8Array.fromHex(RECORDED));
  assertEquals(readRequestHeader(reader), {
    requestApiKey: 18,
    requestApiVersion: 4,
    correlationId: 0,
    clientId: "Grüße",
  });
  assertEquals(apiVersionsApi.request.read(reader, 4), {
    clientSoftwareName: "apache-kafka-java",
    clientSoftwareVersion: "4.3.1",
  });
  reader.expectEnd("the request");
});

Deno.test("readRequestHeader() reads the header of an API that is not known, for its correlation id", () => {
  const reader = new ByteReader(Uint8Array.fromHex("7fff0003000000050001610000"));
  assertEquals(readRequestHeader(reader), {
    requestApiKey: 32767,
    requestApiVersion: 3,
    correlationId: 5,
    clientId: "a",
  });
});

Deno.test("readRequestHeader() refuses what ends too soon", () => {
  const bytes = Uint8Array.fromHex(RECORDED);
  for (let end = 0; end < 18; end++) {
    assertThrows(() => readRequestHeader(new ByteReader(bytes, 0, end)), MalformedBytesError);
  }
});
