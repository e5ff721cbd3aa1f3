import assert from "node:assert/strict";
import { defaultControlPath, makeControlDirectory } from "../../../src/run/process/mod.ts";
import { processTest } from "../../support/process_harness.ts";

Deno.test("defaultControlPath() is in the user's own directory", () => {
  const none = { runtimeDirectory: undefined, temporaryDirectory: undefined, uid: 7 };
  assert.equal(defaultControlPath({ ...none, runtimeDirectory: "/run/user/7" }), "/run/user/7/millrace.sock");
  assert.equal(defaultControlPath(none), "/tmp/millrace-7/control.sock");
  assert.equal(
    defaultControlPath({ ...none, runtimeDirectory: "", temporaryDirectory: "/t" }),
    "/t/millrace-7/control.sock",
  );
});

processTest(
  "makeControlDirectory() makes one that is its owner's alone, and refuses another's",
  async (t) => {
    const path = `${t.directory}/a/control.sock`;
    const uid = Deno.uid() ?? 0;
    await makeControlDirectory(path, uid);
    await makeControlDirectory(path, uid);
    const { mode } = await Deno.stat(`${t.directory}/a`);
    assert.equal((mode ?? 0) & 0o777, 0o700);
    if (uid !== 0) return;
    await Deno.chown(`${t.directory}/a`, 12345, 12345);
    await assert.rejects(makeControlDirectory(path, uid), /belongs to user 12345, expected this one, 0/);
  },
);
