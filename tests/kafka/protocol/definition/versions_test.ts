import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  includesVersion,
  parseVersions,
  type Versions,
} from "../../../../src/kafka/protocol/definition/versions.ts";

Deno.test("parseVersions() reads versions as Kafka writes them", () => {
  assertEquals(parseVersions("3+"), { min: 3, max: 32767 });
  assertEquals(parseVersions("3-11"), { min: 3, max: 11 });
  assertEquals(parseVersions("7"), { min: 7, max: 7 });
  assertStrictEquals(includesVersion(parseVersions("none"), 0), false);
  assertEquals([2, 3, 11, 12].map((version) => includesVersion(parseVersions("3-11"), version)), [
    false,
    true,
    true,
    false,
  ]);
});

Deno.test("parseVersions() refuses what means nothing", () => {
  for (const text of ["11-3", "-1", "1.5", "1e3+", "40000"] as Versions[]) {
    assertThrows(() => parseVersions(text), SyntaxError);
  }
});
