import { assertMatch, assertStrictEquals } from "@std/assert";
import { join } from "node:path";
import { missingRuntimeMessage } from "../../scripts/compile.ts";
import { runCommand } from "../../scripts/support/command.ts";
import { projectRoot } from "../../scripts/support/project.ts";

const UNREACHABLE = `Download https://example.org/release/v2.9.6/denort-x86_64-unknown-linux-gnu.zip
error: Writing deno compile executable to temporary file 'dist/a.tmp'

Caused by:
    0: Setting up base binary.
    1: error sending request for url (https://example.org/release/v2.9.6/denort-x86_64-unknown-linux-gnu.zip): dns error
    2: dns error
`;

Deno.test("missingRuntimeMessage() names what was tried, the cause and the way out", () => {
  const message = missingRuntimeMessage(UNREACHABLE) ?? "";
  assertMatch(
    message,
    /^compile: [^\n]*from https:\/\/example\.org\S*\.zip \(error sending [^\n]*DENORT_BIN[^\n]*$/,
  );
});

Deno.test("missingRuntimeMessage() leaves other failures alone", () => {
  assertStrictEquals(missingRuntimeMessage("error: Module not found"), undefined);
});

Deno.test("compile refuses an example that does not exist", async () => {
  for (const parameters of [["no_such_example"], []]) {
    const script = join(projectRoot, "scripts/compile.ts");
    const result = await runCommand(Deno.execPath(), ["run", "-A", "--no-check", script, ...parameters], {
      environment: { NO_COLOR: "1" },
    });
    assertStrictEquals(result.code, 2);
    assertMatch(result.transcript, /^compile: no example .*, expected one of .*\n$/);
  }
});
