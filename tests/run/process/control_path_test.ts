import { assertStrictEquals } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { defaultControlPath, makeControlDirectory } from "../../../src/run/process/mod.ts";
import { processTest } from "../../support/process_harness.ts";

Deno.test("defaultControlPath() is in the user's own directory", () => {
  const none = { runtimeDirectory: undefined, temporaryDirectory: undefined, uid: 7 };
  assertStrictEquals(
    defaultControlPath({ ...none, runtimeDirectory: "/run/user/7" }),
    "/run/user/7/millrace.sock",
  );
  assertStrictEquals(defaultControlPath(none), "/tmp/millrace-7/control.sock");
  assertStrictEquals(
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
    assertStrictEquals((mode ?? 0) & 0o777, 0o700);
    if (uid !== 0) return;
    await Deno.chown(`${t.directory}/a`, 12345, 12345);
    await assertRejectsMatching(
      () => makeControlDirectory(path, uid),
      /belongs to user 12345, expected this one, 0/,
    );
  },
);
