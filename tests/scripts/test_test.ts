import assert from "node:assert/strict";
import { runCommand } from "../../scripts/support/command.ts";
import { readParameters } from "../../scripts/test.ts";
import { testModes } from "../../scripts/support/test_modes.ts";
import { TestRun } from "../../scripts/support/test_run.ts";

function namesOf(...parameters: string[]): string[] {
  return readParameters(parameters).modes.map(({ name }) => name);
}

Deno.test("readParameters() means every mode when none is named", () => {
  assert.deepEqual(readParameters([]), { modes: testModes, rest: [], namesFiles: false });
});

Deno.test("readParameters() means the default mode when files are named, and no mode is", () => {
  const isPath = (parameter: string) => parameter.startsWith("tests/");
  const named = readParameters(["--fail-fast", "tests/base", "tests/io/x_test.ts"], isPath);
  assert.deepEqual(named.modes.map(({ name }) => name), ["default"]);
  assert.deepEqual([named.rest.length, named.namesFiles], [3, true]);
  const chosen = readParameters(["--mode", "eperm", "tests/base"], isPath);
  assert.deepEqual(chosen.modes.map(({ name }) => name), ["eperm"]);
  assert.deepEqual(readParameters(["--filter", "x"], isPath).modes, testModes);
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
  assert.equal(text.join(""), `${run.directory} ${run.id}\n`);
  await Deno.writeTextFile(name, "");
  assert.deepEqual(await run.leftNames(), [`millrace.test-${run.id}-left`]);
  const end = run.interrupt("SIGINT");
  assert.equal((await status).signal, "SIGKILL");
  await end;
  assert.equal(run.interruptedCode, 130);
  await run[Symbol.asyncDispose]();
  assert.deepEqual(await run.leftNames(), []);
  await assert.rejects(Deno.stat(run.directory), Deno.errors.NotFound);
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
