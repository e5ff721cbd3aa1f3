import { assertEquals } from "@std/assert";
import { consumerConfiguration, consumerProgram } from "../../scripts/test_consumer.ts";

const project = {
  name: "@scope/name",
  version: "1.0.0",
  exports: { ".": "./mod.ts", "./part": "./src/part/mod.ts" },
  tasks: {},
};

Deno.test("consumerConfiguration() maps every entry point to the checkout", () => {
  assertEquals(JSON.parse(consumerConfiguration(project, "/a b/checkout")).imports, {
    "@scope/name": "file:///a%20b/checkout/mod.ts",
    "@scope/name/part": "file:///a%20b/checkout/src/part/mod.ts",
  });
});

Deno.test("consumerProgram() imports every entry point by name", () => {
  const imports = consumerProgram(project).split("\n").filter((line) => line.startsWith("import"));
  assertEquals(imports, [
    'import * as entry0 from "@scope/name";',
    'import * as entry1 from "@scope/name/part";',
  ]);
});
