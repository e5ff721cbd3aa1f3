import { assert, assertEquals } from "@std/assert";
import { isSettingName, QUEUE_SETTINGS } from "../../src/cli/queue_settings.ts";
import { queueCommands } from "../../src/cli/queue/mod.ts";

Deno.test("isSettingName() knows options, and no names that every object has", () => {
  assert(isSettingName("when-full"));
  for (const name of ["whenFull", "toString", "__proto__", "constructor", ""]) {
    assert(!isSettingName(name), name);
  }
});

Deno.test("QUEUE_SETTINGS has an option for each that a command has, and none that no command has", () => {
  const used = new Set(queueCommands.flatMap(({ options }) => Object.keys(options)));
  assertEquals([...used].sort(), Object.keys(QUEUE_SETTINGS).sort());
});
