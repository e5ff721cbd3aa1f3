import { assert, assertStrictEquals } from "@std/assert";
import { assertThrowsMatching } from "../support/assertions.ts";
import { UsageError } from "../../src/cli/exit_codes.ts";
import type { SettingName } from "../../src/cli/queue_settings.ts";
import { resolveSettings, type Settings, variableOf } from "../../src/cli/settings.ts";

interface Said {
  readonly flags?: Record<string, string>;
  readonly env?: Record<string, string>;
  readonly table?: Record<string, unknown>;
}

function resolve(names: readonly SettingName[], { flags = {}, env = {}, table }: Said): Settings {
  return resolveSettings(names, {
    flags: new Map(Object.entries(flags)),
    variable: (name) => env[name],
    file: table === undefined ? undefined : { path: "some.toml", table },
  });
}

function assertRefused(body: () => unknown, message: string): void {
  assertThrowsMatching(body, (error) => {
    assert(error instanceof UsageError, String(error));
    assertStrictEquals(error.message, message);
    return true;
  });
}

Deno.test("resolveSettings() prefers flags to the environment, and that to the file", () => {
  const flags = { capacity: "3" };
  const env = { MILLRACE_QUEUE_CAPACITY: "2" };
  const table = { capacity: 1 };
  assertStrictEquals(resolve(["capacity"], { flags, env, table }).get("capacity"), 3);
  assertStrictEquals(resolve(["capacity"], { env, table }).get("capacity"), 2);
  assertStrictEquals(resolve(["capacity"], { table }).get("capacity"), 1);
  assertStrictEquals(resolve(["capacity"], {}).get("capacity"), undefined);
});

Deno.test("resolveSettings() takes an empty variable for none", () => {
  const said = { env: { MILLRACE_QUEUE_CAPACITY: "" }, table: { capacity: 1 } };
  assertStrictEquals(resolve(["capacity"], said).get("capacity"), 1);
});

Deno.test("resolveSettings() names the source of a value that is none", () => {
  assertRefused(
    () => resolve(["capacity"], { env: { MILLRACE_QUEUE_CAPACITY: "x" } }),
    'capacity is "x" (from MILLRACE_QUEUE_CAPACITY), expected 1 to 65536',
  );
  assertRefused(
    () => resolve(["capacity"], { flags: { capacity: "0" } }),
    'capacity is "0" (from --capacity), expected 1 to 65536',
  );
  assertRefused(
    () => resolve(["capacity"], { table: { capacity: [1] } }),
    "capacity is [1] (from queue.capacity in some.toml), expected 1 to 65536",
  );
});

Deno.test("resolveSettings() checks a value also where a stronger source says another", () => {
  const said = { flags: { capacity: "1" }, env: { MILLRACE_QUEUE_CAPACITY: "x" } };
  assertRefused(
    () => resolve(["capacity"], said),
    'capacity is "x" (from MILLRACE_QUEUE_CAPACITY), expected 1 to 65536',
  );
});

Deno.test("resolveSettings() checks all of the file, and gives the command what it has", () => {
  const settings = resolve(["json"], { table: { json: true, capacity: 8 } });
  assertStrictEquals(settings.get("json"), true);
  assertStrictEquals(settings.get("capacity"), undefined);
  assertRefused(
    () => resolve(["json"], { table: { capacity: 0 } }),
    "capacity is 0 (from queue.capacity in some.toml), expected 1 to 65536",
  );
});

Deno.test("resolveSettings() refuses unknown keys of the file", () => {
  for (const key of ["capcity", "toString", "message_bytes_max"]) {
    assertThrowsMatching(() => resolve(["json"], { table: { [key]: 1 } }), {
      name: "UsageError",
      message: new RegExp(`^queue\\.${key} \\(from some\\.toml\\) is unknown, expected one of capacity, `),
    });
  }
});

Deno.test("resolveSettings() shows the beginning of what is long or deep", () => {
  let deep: Record<string, unknown> = {};
  for (let depth = 0; depth < 30_000; depth++) deep = { a: deep };
  const list = Array.from({ length: 1_000_000 }, (_, number) => number);
  const cases: readonly [unknown, string][] = [
    [deep, '{"a":{"a":{"a":{…}}}}'],
    [{ a: [[[[1]], []]] }, '{"a":[[[…],[]]]}'],
    [list, "[0,1,2,3,4,5,6,7,8,9,…]"],
    ["x".repeat(1_000_000), `"${"x".repeat(100)}…"`],
    [[12n ** 20n, NaN, null], "[3833759992447475122176,NaN,null]"],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
  ];
  for (const [capacity, text] of cases) {
    assertRefused(
      () => resolve(["capacity"], { table: { capacity } }),
      `capacity is ${text} (from queue.capacity in some.toml), expected 1 to 65536`,
    );
  }
  assertThrowsMatching(() => resolve([], { table: { ["x".repeat(1_000_000)]: 1 } }), {
    message: /^queue\.x{100}… \(from some\.toml\) is unknown/,
  });
});

Deno.test("resolveSettings() ignores variables of options that the command has not", () => {
  resolve(["json"], { env: { MILLRACE_QUEUE_CAPACITY: "x" } });
});

Deno.test("Settings.refusal() names value and source", () => {
  const settings = resolve(["priority"], { flags: { priority: "9" } });
  assertStrictEquals(
    settings.refusal("priority", "0 to 2").message,
    "priority is 9 (from --priority), expected 0 to 2",
  );
});

Deno.test("Settings.describe() says what stands for an option that nobody has said", () => {
  const settings = resolve(["priority", "capacity"], { flags: { priority: "9" } });
  assertStrictEquals(settings.describe("priority", 3), "priority is 9 (from --priority)");
  assertStrictEquals(settings.describe("capacity", 1024), "capacity is 1024 (from the default)");
});

Deno.test("Settings.expectOneOf() refuses two that are on", () => {
  resolve(["json", "frames"], { flags: { json: "true", frames: "false" } }).expectOneOf("json", "frames");
  const settings = resolve(["json", "frames"], { flags: { json: "true" }, table: { frames: true } });
  assertRefused(
    () => settings.expectOneOf("json", "frames"),
    "json (from --json) and frames (from queue.frames in some.toml) are on, expected one of them",
  );
});

Deno.test("variableOf() writes names as those of the environment", () => {
  assertStrictEquals(variableOf("message-bytes-max"), "MILLRACE_QUEUE_MESSAGE_BYTES_MAX");
});
