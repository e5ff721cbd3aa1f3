import { assertEquals, assertStrictEquals } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { CallTable } from "../../../src/base/calls/call_table.ts";

Deno.test("CallTable gives each call a number of its own, and a free one again", () => {
  const table = new CallTable<string>();
  assertEquals(["a", "b", "c"].map((call) => table.add(call)), [0, 1, 2]);
  assertStrictEquals(table.take(1), "b");
  assertEquals([table.take(1), table.has(1), table.count], [undefined, false, 2]);
  assertStrictEquals(table.add("d"), 1);
  assertEquals([table.has(1), table.count], [true, 3]);
});

Deno.test("CallTable.take() gives nothing for numbers that are none", () => {
  const table = new CallTable<string>();
  table.add("a");
  for (const number of [-1, 1, 2 ** 31 - 1, NaN]) assertStrictEquals(table.take(number), undefined);
  assertStrictEquals(table.count, 1);
});

Deno.test("CallTable.takeAll() gives what is under way, and begins anew", () => {
  const table = new CallTable<string>();
  ["a", "b", "c"].forEach((call) => table.add(call));
  table.take(1);
  assertEquals([table.takeAll(), table.count, table.takeAll()], [["a", "c"], 0, []]);
  assertStrictEquals(table.add("d"), 0);
});

Deno.test("CallTable.replace() has another call under a number", () => {
  const table = new CallTable<string>();
  table.replace(table.add("a"), "b");
  assertEquals([table.take(0), table.count], ["b", 0]);
  assertThrowsMatching(() => table.replace(0, "c"), { name: "InvariantError" });
});
