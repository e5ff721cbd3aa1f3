import assert from "node:assert/strict";
import { CallTable } from "../../../src/base/calls/call_table.ts";

Deno.test("CallTable gives each call a number of its own, and a free one again", () => {
  const table = new CallTable<string>();
  assert.deepEqual(["a", "b", "c"].map((call) => table.add(call)), [0, 1, 2]);
  assert.equal(table.take(1), "b");
  assert.deepEqual([table.take(1), table.has(1), table.count], [undefined, false, 2]);
  assert.equal(table.add("d"), 1);
  assert.deepEqual([table.has(1), table.count], [true, 3]);
});

Deno.test("CallTable.take() gives nothing for numbers that are none", () => {
  const table = new CallTable<string>();
  table.add("a");
  for (const number of [-1, 1, 2 ** 31 - 1, NaN]) assert.equal(table.take(number), undefined);
  assert.equal(table.count, 1);
});

Deno.test("CallTable.takeAll() gives what is under way, and begins anew", () => {
  const table = new CallTable<string>();
  ["a", "b", "c"].forEach((call) => table.add(call));
  table.take(1);
  assert.deepEqual([table.takeAll(), table.count, table.takeAll()], [["a", "c"], 0, []]);
  assert.equal(table.add("d"), 0);
});

Deno.test("CallTable.replace() has another call under a number", () => {
  const table = new CallTable<string>();
  table.replace(table.add("a"), "b");
  assert.deepEqual([table.take(0), table.count], ["b", 0]);
  assert.throws(() => table.replace(0, "c"), { name: "InvariantError" });
});
