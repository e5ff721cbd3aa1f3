import { assertStrictEquals } from "@std/assert";
import { VERSION } from "../../src/cli/version.ts";

Deno.test("VERSION is that of deno.json", async () => {
  const { version } = JSON.parse(await Deno.readTextFile(new URL("../../deno.json", import.meta.url)));
  assertStrictEquals(VERSION, version);
});
