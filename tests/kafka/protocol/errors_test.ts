import assert from "node:assert/strict";
import { ERROR_CODE, findError, kafkaErrors } from "../../../src/kafka/protocol/mod.ts";
import { readFixture } from "../../support/kafka_fixtures.ts";

Deno.test("kafkaErrors have the codes, names and retries of Apache Kafka's", () => {
  const expected = readFixture<[code: number, name: string, retriable: boolean][]>("errors.json");
  assert.deepEqual(kafkaErrors.map(({ code, name, retriable }) => [code, name, retriable]), expected);
});

Deno.test("kafkaErrors each have a meaning of their own", () => {
  assert.equal(new Set(kafkaErrors.map(({ message }) => message)).size, kafkaErrors.length);
});

Deno.test("ERROR_CODE and findError() lead from name to code and back", () => {
  assert.equal(ERROR_CODE.UNKNOWN_SERVER_ERROR, -1);
  for (const error of kafkaErrors) {
    assert.equal(ERROR_CODE[error.name], error.code);
    assert.equal(findError(error.code), error);
  }
  assert.equal(findError(9999), undefined);
});
