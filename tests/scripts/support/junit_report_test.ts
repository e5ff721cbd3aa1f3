import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { join } from "node:path";
import { runCommand } from "../../../scripts/support/command.ts";
import { closingLine, countTests, failuresIn } from "../../../scripts/support/junit_report.ts";
import { makeProject } from "./temporary_project.ts";

const SUITE = `
Deno.test("passes", () => {});
Deno.test("fails <a> & \\"b\\"", () => { throw new Error("<skipped/>"); });
Deno.test("with steps", async (t) => {
  await t.step("one", () => {});
  await t.step({ name: "two", ignore: true, fn() {} });
});
Deno.test("with a failing step", async (t) => {
  await t.step("one", () => { throw new Error(); });
});
Deno.test({ name: "is skipped", ignore: true, fn() {} });
`;

Deno.test("countTests() counts what deno test reports, steps with their test", async () => {
  await using project = await makeProject({
    "a_test.ts": SUITE,
    "b_test.ts": `Deno.test("other", () => {});`,
  });
  const report = join(project.root, "report.xml");
  const run = async (...parameters: string[]) => {
    await runCommand(Deno.execPath(), ["test", "--no-check", `--junit-path=${report}`, ...parameters], {
      directory: project.root,
    });
    return countTests(await Deno.readTextFile(report));
  };
  assertEquals(await run(), { passed: 3, failed: 2, skipped: 1 });
  assertEquals(await run("--filter", "passes"), { passed: 1, failed: 0, skipped: 0 });
});

Deno.test("failuresIn() names what failed, steps too, with what was thrown", async () => {
  await using project = await makeProject({ "a_test.ts": SUITE });
  const report = join(project.root, "report.xml");
  await runCommand(Deno.execPath(), ["test", "--no-check", `--junit-path=${report}`], {
    directory: project.root,
  });
  const failures = failuresIn(await Deno.readTextFile(report));
  assertEquals(failures.map(({ name }) => name), [
    './a_test.ts: fails <a> & "b"',
    "./a_test.ts: with a failing step",
    "./a_test.ts: with a failing step > one",
  ]);
  assertMatch(failures[0].details, /^Error: <skipped\/>/);
  assertEquals(failuresIn(""), []);
});

Deno.test("countTests() finds nothing in an empty report", () => {
  assertEquals(countTests(""), { passed: 0, failed: 0, skipped: 0 });
});

Deno.test("closingLine() names skipped tests only when there are any", () => {
  assertStrictEquals(closingLine({ passed: 3, failed: 0, skipped: 0 }), "3 passed, 0 failed");
  assertStrictEquals(closingLine({ passed: 3, failed: 1, skipped: 2 }), "3 passed, 1 failed, 2 skipped");
});
