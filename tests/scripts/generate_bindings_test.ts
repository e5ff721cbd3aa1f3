import assert from "node:assert/strict";
import { bindingsSource } from "../../scripts/generate_bindings.ts";

Deno.test("bindingsSource() sorts by name and passes pointers as buffers", () => {
  const source = bindingsSource([
    { name: "millrace_b", parameters: ["pointer", "u32"], result: "i32", nonBlocking: false },
    { name: "millrace_a", parameters: [], result: "void", nonBlocking: true },
  ]);
  const lines = source.split("\n").filter((line) => line.includes("millrace_"));
  assert.deepEqual(lines, [
    'millrace_a: { parameters: [], result: "void", nonblocking: true },',
    'millrace_b: { parameters: ["buffer", "u32"], result: "i32" },',
  ]);
});

Deno.test("bindingsSource() refuses a type that Deno's FFI does not know", () => {
  const odd = { name: "millrace_a", parameters: ["u128"], result: "i32", nonBlocking: false };
  assert.throws(() => bindingsSource([odd]), { name: "TypeError", message: /^Bind millrace_a: type "u128"/ });
});
