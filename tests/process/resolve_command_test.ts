import assert from "node:assert/strict";
import { resolveCommand } from "../../src/process/resolve_command.ts";
import { processTest } from "../support/process_harness.ts";

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
