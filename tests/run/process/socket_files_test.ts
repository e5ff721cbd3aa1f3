import { assertEquals } from "@std/assert";
import { guardedSocket, removeLeftOver, removeSockets } from "../../../src/run/process/socket_files.ts";
import { processTest } from "../../support/process_harness.ts";

const exists = (path: string) => Deno.lstat(path).then(() => true, () => false);

processTest("removeLeftOver() removes a socket that nobody listens on, and nothing else", async (t) => {
  const [live, stale, file] = ["live", "stale", "file"].map((name) => `${t.directory}/${name}`);
  const listener = Deno.listen({ transport: "unix", path: live });
  const gone = Deno.listen({ transport: "unix", path: `${stale}-before` });
  await Deno.link(`${stale}-before`, stale);
  gone.close();
  await Deno.writeTextFile(file, "");
  for (const path of [live, stale, file, `${t.directory}/none`]) await removeLeftOver(path);
  assertEquals([await exists(live), await exists(stale), await exists(file)], [true, false, true]);
  listener.close();
});

processTest("removeSockets() leaves a file that is another one by now", async (t) => {
  const [same, other] = [`${t.directory}/same`, `${t.directory}/other`];
  await Deno.writeTextFile(same, "");
  await Deno.writeTextFile(other, "");
  const sockets = [await guardedSocket(same), await guardedSocket(other)];
  await Deno.writeTextFile(`${other}-new`, "");
  await Deno.rename(`${other}-new`, other);
  removeSockets([...sockets, { path: `${t.directory}/none`, inode: 1 }]);
  assertEquals([await exists(same), await exists(other)], [false, true]);
});
