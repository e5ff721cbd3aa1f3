import { assertStrictEquals, assertThrows } from "@std/assert";
import { watchFiles } from "../../../src/run/process/watch_files.ts";
import { processTest } from "../../support/process_harness.ts";

processTest("watchFiles() tells changes of a file, also after another was given its name", async (t) => {
  const path = `${t.directory}/watched`;
  await Deno.writeTextFile(path, "0");
  let changes = 0;
  const watcher = watchFiles([path], 1, () => changes++);
  for (let round = 1; round <= 3; round++) {
    const before = changes;
    await Deno.writeTextFile(`${path}.new`, String(round));
    await Deno.rename(`${path}.new`, path);
    await t.until(() => changes > before);
    const between = changes;
    await Deno.writeTextFile(path, `${round} again`);
    await t.until(() => changes > between);
  }
  watcher.close();
});

processTest(
  "watchFiles() tells changes within a directory, and none of files beside the watched",
  async (t) => {
    await Deno.mkdir(`${t.directory}/src/deep`, { recursive: true });
    await Deno.writeTextFile(`${t.directory}/file`, "");
    let changes = 0;
    const watcher = watchFiles([`${t.directory}/src`, `${t.directory}/file`], 1, () => changes++);
    await Deno.writeTextFile(`${t.directory}/other`, "");
    await Deno.writeTextFile(`${t.directory}/src/deep/a`, "");
    await t.until(() => changes > 0);
    const before = changes;
    await Deno.writeTextFile(`${t.directory}/other`, "again");
    await new Promise((resolve) => setTimeout(resolve, 100));
    assertStrictEquals(changes, before);
    watcher.close();
  },
);

processTest("watchFiles() waits for quiet", async (t) => {
  const path = `${t.directory}/watched`;
  await Deno.writeTextFile(path, "");
  let changes = 0;
  const watcher = watchFiles([path], 600_000, () => changes++);
  await Deno.writeTextFile(path, "a");
  await new Promise((resolve) => setTimeout(resolve, 50));
  watcher.close();
  assertStrictEquals(changes, 0);
  assertThrows(() => watchFiles([`${path}-none`], 1, () => {}), Deno.errors.NotFound);
});
