import assert from "node:assert/strict";
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
  assert.equal(await resolveCommand("tool", directory, path), `${directory}/bin/tool`);
  assert.equal(await resolveCommand("plain", directory, path), `${directory}/later/plain`);
  assert.equal(await resolveCommand("./bin/tool", directory, path), `${directory}/bin/tool`);
  assert.equal(
    await resolveCommand("tool", `${directory}/bin`, ""),
    `${directory}/bin/tool`,
    "an empty entry is here",
  );
  await assert.rejects(resolveCommand("dir", directory, path), /"dir": there is no such program in PATH \(/);
  await assert.rejects(resolveCommand("./tool", directory, path), Deno.errors.NotFound);
  await assert.rejects(resolveCommand("./bin/dir", directory, path), Deno.errors.NotFound);
  await assert.rejects(
    resolveCommand("bin/plain", directory, path),
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
  assert.match(
    new TextDecoder().decode(stdout),
    /^NotCapable: "sleep": look for it in PATH: Requires read access to "\/usr\/bin\/sleep"/,
  );
});
