import { assertMatch, assertRejects, assertStrictEquals } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { resolveCommand } from "../../../src/run/process/resolve_command.ts";
import { processTest } from "../../support/process_harness.ts";

processTest("resolveCommand() finds programs as a shell does", async (t) => {
  const { directory } = t;
  await Deno.mkdir(`${directory}/bin/dir`, { recursive: true });
  await Deno.mkdir(`${directory}/later`);
  await Deno.writeTextFile(`${directory}/bin/plain`, "", { mode: 0o644 });
  await Deno.writeTextFile(`${directory}/later/plain`, "", { mode: 0o755 });
  await Deno.writeTextFile(`${directory}/bin/tool`, "", { mode: 0o755 });
  const path = `${directory}/none:bin:${directory}/later`;
  assertStrictEquals(await resolveCommand("tool", directory, path), `${directory}/bin/tool`);
  assertStrictEquals(await resolveCommand("plain", directory, path), `${directory}/later/plain`);
  assertStrictEquals(await resolveCommand("./bin/tool", directory, path), `${directory}/bin/tool`);
  assertStrictEquals(
    await resolveCommand("tool", `${directory}/bin`, ""),
    `${directory}/bin/tool`,
    "an empty entry is here",
  );
  await assertRejectsMatching(
    () => resolveCommand("dir", directory, path),
    /"dir": there is no such program in PATH \(/,
  );
  await assertRejects(() => resolveCommand("./tool", directory, path), Deno.errors.NotFound);
  await assertRejects(() => resolveCommand("./bin/dir", directory, path), Deno.errors.NotFound);
  await assertRejectsMatching(
    () => resolveCommand("bin/plain", directory, path),
    /may not be executed \(its mode is 644\)/,
  );
});

Deno.test("resolveCommand() does not call a program missing that it may not look for", async () => {
  const url = new URL("../../../src/run/process/resolve_command.ts", import.meta.url).href;
  const program = `import { resolveCommand } from ${JSON.stringify(url)};
    await resolveCommand("sleep", "/", "/usr/bin:/bin").catch((error) => console.log(String(error)));`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--no-check",
      `data:application/typescript,${encodeURIComponent(program)}`,
    ],
  }).output();
  assertMatch(
    new TextDecoder().decode(stdout),
    /^NotCapable: "sleep": look for it in PATH: Requires read access to "\/usr\/bin\/sleep"/,
  );
});
