import { assertEquals, assertStrictEquals } from "@std/assert";
import { assertRejectsMatching, assertThrowsMatching } from "../support/assertions.ts";
import { join } from "node:path";
import { CONFIG_FILE_BYTES_MAX, parseConfig, readConfigFile } from "../../src/cli/config_file.ts";

Deno.test("parseConfig() gives the table [queue]", () => {
  const { path, table } = parseConfig("some.toml", '# ours\n[queue]\ncapacity = 8\ntimeout = "5s"\n');
  assertStrictEquals(path, "some.toml");
  assertEquals({ ...table }, { capacity: 8, timeout: "5s" });
  assertEquals(parseConfig("some.toml", "").table, {});
});

Deno.test("parseConfig() says where a text is no TOML, in one line", () => {
  assertThrowsMatching(() => parseConfig("some.toml", "[queue]\ncapacity = \n"), {
    name: "UsageError",
    message: /^some\.toml:2:\d+: [^\n]+$/,
  });
});

Deno.test("parseConfig() refuses what is not the table [queue]", () => {
  const expected = "expected the table [queue]";
  const cases: [text: string, message: string][] = [
    ["capacity = 8", `capacity (from some.toml) is unknown, ${expected}`],
    ["[queues]", `queues (from some.toml) is unknown, ${expected}`],
    ["queue = 8", `queue is 8 (from some.toml), ${expected}`],
    ["[[queue]]", `queue is [{}] (from some.toml), ${expected}`],
  ];
  for (const [text, message] of cases) {
    assertThrowsMatching(() => parseConfig("some.toml", text), { name: "UsageError", message });
  }
});

Deno.test("readConfigFile() refuses files that cannot be read, and large ones", async () => {
  const directory = await Deno.makeTempDir({ prefix: "millrace_config_" });
  try {
    const missing = join(directory, "missing.toml");
    await assertRejectsMatching(() => readConfigFile(missing, "MILLRACE_CONFIG"), {
      name: "UsageError",
      message: `config is ${
        JSON.stringify(missing)
      } (from MILLRACE_CONFIG), expected a file that can be read: it does not exist`,
    });
    await assertRejectsMatching(() => readConfigFile(directory), {
      name: "UsageError",
      message: /config is /,
    });
    const large = join(directory, "large.toml");
    await Deno.writeTextFile(large, "#".repeat(CONFIG_FILE_BYTES_MAX + 1));
    const tooLarge = { name: "UsageError", message: /bytes, expected at most/ };
    await assertRejectsMatching(() => readConfigFile(large), tooLarge);
    await assertRejectsMatching(() => readConfigFile("/dev/zero"), tooLarge);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
