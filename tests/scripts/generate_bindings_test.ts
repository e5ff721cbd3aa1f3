import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { assertThrowsMatching } from "../support/assertions.ts";
import { bindingsSource, layoutsSource } from "../../scripts/generate_bindings.ts";

Deno.test("bindingsSource() sorts by name and passes pointers as buffers", () => {
  const source = bindingsSource([
    { name: "millrace_b", parameters: ["pointer", "u32"], result: "i32", nonBlocking: false },
    { name: "millrace_a", parameters: [], result: "void", nonBlocking: true },
  ]);
  const lines = source.split("\n").filter((line) => line.includes("millrace_"));
  assertEquals(lines, [
    'millrace_a: { parameters: [], result: "void", nonblocking: true },',
    'millrace_b: { parameters: ["buffer", "u32"], result: "i32" },',
  ]);
});

Deno.test("bindingsSource() refuses a type that Deno's FFI does not know", () => {
  const odd = { name: "millrace_a", parameters: ["u128"], result: "i32", nonBlocking: false };
  assertThrowsMatching(() => bindingsSource([odd]), {
    name: "TypeError",
    message: /^Bind millrace_a: type "u128"/,
  });
});

Deno.test("layoutsSource() has the names in camel case, and the comments", () => {
  const fields = [
    { name: "HTTP_11", comment: "", value: 1 },
    { name: "KEEP_ALIVE", comment: " The connection stays.\n", value: 2 },
  ];
  const source = layoutsSource({
    layoutHash: 7,
    layouts: [{ name: "FLAG", comment: " Bits.\n More.\n", fields }],
  });
  assertMatch(source, /^export const LAYOUT_HASH = 7;$/m);
  assertStrictEquals(
    source.slice(source.indexOf("/**\n")),
    "/**\n * Bits.\n * More.\n */\nexport const FLAG = {\nhttp11: 1,\n/** The connection stays. */\nkeepAlive: 2,\n} as const;\n",
  );
});
