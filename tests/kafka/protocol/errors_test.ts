import { assertEquals, assertStrictEquals } from "@std/assert";
import { ERROR_CODE, findError, kafkaErrors } from "../../../src/kafka/protocol/mod.ts";
import { readFixture } from "../../support/kafka_fixtures.ts";

Deno.test("kafkaErrors have the codes, names and retries of Apache Kafka's", () => {
  const expected = readFixture<[code: number, name: string, retriable: boolean][]>("errors.json");
  assertEquals<unknown>(kafkaErrors.map(({ code, name, retriable }) => [code, name, retriable]), expected);
});

Deno.test("kafkaErrors each have a meaning of their own", () => {
  assertStrictEquals(new Set(kafkaErrors.map(({ message }) => message)).size, kafkaErrors.length);
});

Deno.test("ERROR_CODE and findError() lead from name to code and back", () => {
  assertStrictEquals(ERROR_CODE.UNKNOWN_SERVER_ERROR, -1);
  for (const error of kafkaErrors) {
    assertStrictEquals(ERROR_CODE[error.name], error.code);
    assertStrictEquals(findError(error.code), error);
  }
  assertStrictEquals(findError(9999), undefined);
});
