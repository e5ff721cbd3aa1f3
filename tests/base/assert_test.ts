import nodeAssert from "node:assert/strict";
import { assert, InvariantError } from "../../src/base/mod.ts";

Deno.test("assert() returns when the condition holds", () => {
  assert(true, "never shown");
});

Deno.test("assert() throws an InvariantError carrying the message", () => {
  nodeAssert.throws(() => assert(false, "ring: head 3 is past tail 2"), (error: unknown) => {
    nodeAssert.ok(error instanceof InvariantError);
    nodeAssert.equal(error.name, "InvariantError");
    nodeAssert.equal(error.message, "ring: head 3 is past tail 2");
    return true;
  });
});

Deno.test("assert() narrows the type of what it checked", () => {
  const read = (value: string | undefined): number => {
    assert(value !== undefined, "value is missing");
    return value.length;
  };
  nodeAssert.equal(read("four"), 4);
});
