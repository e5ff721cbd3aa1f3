import { assert as stdAssert, assertStrictEquals } from "@std/assert";
import { assertThrowsMatching } from "../support/assertions.ts";
import { assert, InvariantError } from "../../src/base/mod.ts";

Deno.test("assert() returns when the condition holds", () => {
  assert(true, "never shown");
});

Deno.test("assert() throws an InvariantError carrying the message", () => {
  assertThrowsMatching(() => assert(false, "ring: head 3 is past tail 2"), (error: unknown) => {
    stdAssert(error instanceof InvariantError);
    assertStrictEquals(error.name, "InvariantError");
    assertStrictEquals(error.message, "ring: head 3 is past tail 2");
    return true;
  });
});

Deno.test("assert() narrows the type of what it checked", () => {
  const read = (value: string | undefined): number => {
    assert(value !== undefined, "value is missing");
    return value.length;
  };
  assertStrictEquals(read("four"), 4);
});
