import assert from "node:assert/strict";
import { runCommand } from "../../scripts/support/command.ts";
import { readParameters } from "../../scripts/test.ts";
import { testModes } from "../../scripts/support/test_modes.ts";

function namesOf(...parameters: string[]): string[] {
  return readParameters(parameters).modes.map(({ name }) => name);
}

Deno.test("readParameters() means every mode when none is named", () => {
  assert.deepEqual(readParameters([]), { modes: testModes, rest: [] });
});

Deno.test("readParameters() takes modes out and leaves the rest to deno test", () => {
  assert.deepEqual(namesOf("--mode", "no-native", "--mode=default"), ["default", "no-native"]);
  assert.deepEqual(readParameters(["--filter", "x", "--mode", "eperm", "tests/a"]).rest, [
    "--filter",
    "x",
    "tests/a",
  ]);
});

Deno.test("readParameters() refuses a mode that does not exist", () => {
  assert.throws(() => namesOf("--mode", "fast"), {
    message: /^unknown mode "fast", expected one of default, /,
  });
  assert.throws(() => namesOf("--mode"), { name: "TypeError" });
});

Deno.test("deno task test --help says how it is used, and runs nothing", async () => {
  const script = new URL("../../scripts/test.ts", import.meta.url).pathname;
  for (const parameter of ["--help", "-h"]) {
    const { success, transcript } = await runCommand(Deno.execPath(), [
      "run",
      "-A",
      "--no-check",
      script,
      "--mode",
      "default",
      parameter,
    ]);
    assert.ok(success, transcript);
    assert.match(transcript, /^usage: deno task test \[--mode NAME\]/);
    for (const { name } of testModes) assert.ok(transcript.includes(`\n  ${name} `), transcript);
    assert.doesNotMatch(transcript, /passed/);
  }
});

Deno.test("the suite runs in the mode it was started in", () => {
  const mode = testModes.find(({ name }) => name === Deno.env.get("MILLRACE_TEST_MODE"));
  for (const [name, value] of Object.entries(mode?.environment ?? {})) {
    assert.equal(Deno.env.get(name), value);
  }
});
