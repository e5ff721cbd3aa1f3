import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { assertThrowsMatching } from "../support/assertions.ts";
import { runCommand } from "../../scripts/support/command.ts";
import { readParameters } from "../../scripts/test.ts";
import { testModes } from "../../scripts/support/test_modes.ts";
import { TestRun } from "../../scripts/support/test_run.ts";

function namesOf(...parameters: string[]): string[] {
  return readParameters(parameters).modes.map(({ name }) => name);
}

Deno.test("readParameters() means every mode when none is named", () => {
  assertEquals(readParameters([]), { modes: testModes, rest: [], namesFiles: false });
});

Deno.test("readParameters() means the default mode when files are named, and no mode is", () => {
  const isPath = (parameter: string) => parameter.startsWith("tests/");
  const named = readParameters(["--fail-fast", "tests/base", "tests/io/x_test.ts"], isPath);
  assertEquals(named.modes.map(({ name }) => name), ["default"]);
  assertEquals([named.rest.length, named.namesFiles], [3, true]);
  const chosen = readParameters(["--mode", "eperm", "tests/base"], isPath);
  assertEquals(chosen.modes.map(({ name }) => name), ["eperm"]);
  assertEquals(readParameters(["--filter", "x"], isPath).modes, testModes);
});

Deno.test("testModes names files and folders that exist", async () => {
  for (const { only, without } of testModes) {
    for (const path of [...only, ...without]) await Deno.stat(new URL(`../../${path}`, import.meta.url));
  }
});

Deno.test("TestRun takes away what an interrupted run has left, and ends its processes", async () => {
  const run = new TestRun();
  const name = `/dev/shm/millrace.test-${run.id}-left`;
  const text: string[] = [];
  const status = run.run(["sh", "-c", "echo $TMPDIR $MILLRACE_TEST_RUN; trap '' INT; sleep 1000 & wait"], {
    directory: Deno.cwd(),
    environment: {},
    onText: (piece) => text.push(piece),
  });
  while (!text.join("").endsWith("\n")) await new Promise((resolve) => setTimeout(resolve, 5));
  assertStrictEquals(text.join(""), `${run.directory} ${run.id}\n`);
  await Deno.writeTextFile(name, "");
  assertEquals(await run.leftNames(), [`millrace.test-${run.id}-left`]);
  const end = run.interrupt("SIGINT");
  assertStrictEquals((await status).signal, "SIGKILL");
  await end;
  assertStrictEquals(run.interruptedCode, 130);
  await run[Symbol.asyncDispose]();
  assertEquals(await run.leftNames(), []);
  await assertRejects(() => Deno.stat(run.directory), Deno.errors.NotFound);
});

Deno.test("readParameters() takes modes out and leaves the rest to deno test", () => {
  assertEquals(namesOf("--mode", "no-native", "--mode=default"), ["default", "no-native"]);
  assertEquals(readParameters(["--filter", "x", "--mode", "eperm", "tests/a"]).rest, [
    "--filter",
    "x",
    "tests/a",
  ]);
});

Deno.test("readParameters() refuses a mode that does not exist", () => {
  assertThrowsMatching(() => namesOf("--mode", "fast"), {
    message: /^unknown mode "fast", expected one of default, /,
  });
  assertThrowsMatching(() => namesOf("--mode"), { name: "TypeError" });
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
    assert(success, transcript);
    assertMatch(transcript, /^usage: deno task test \[--mode NAME\]/);
    for (const { name } of testModes) assert(transcript.includes(`\n  ${name} `), transcript);
    assertNotMatch(transcript, /passed/);
  }
});

Deno.test("the suite runs in the mode it was started in", () => {
  const mode = testModes.find(({ name }) => name === Deno.env.get("MILLRACE_TEST_MODE"));
  for (const [name, value] of Object.entries(mode?.environment ?? {})) {
    assertStrictEquals(Deno.env.get(name), value);
  }
});
