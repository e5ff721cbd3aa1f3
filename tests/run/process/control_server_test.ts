import {
  assertEquals,
  assertMatch,
  assertNotStrictEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { askSupervisor } from "../../../src/run/process/mod.ts";
import { supervise } from "../../../src/run/process/mod.ts";
import { processTest } from "../../support/process_harness.ts";

processTest("a supervisor answers on its socket, which only its owner may use", async (t) => {
  const controlPath = `${t.directory}/control`;
  const { supervisor } = await t.supervise([t.script("nap", "echo ready; sleep 100")], { controlPath });
  await supervisor.ready();
  const { mode } = await Deno.lstat(controlPath);
  assertStrictEquals((mode ?? 0) & 0o777, 0o600);
  const { pid, instances } = await askSupervisor(controlPath, { command: "status" });
  assertStrictEquals(pid, Deno.pid);
  assertEquals(instances?.map(({ name, state }) => [name, state]), [["nap", "ready"]]);
  await askSupervisor(controlPath, { command: "reload", name: "nap" });
  assertNotStrictEquals(supervisor.status()[0].pid, instances?.[0].pid);
  await askSupervisor(controlPath, { command: "reload" });
  await assertRejectsMatching(
    () => askSupervisor(controlPath, { command: "reload", name: "x" }),
    /there is no process "x", expected one of nap/,
  );
  await askSupervisor(controlPath, { command: "stop", name: "nap" });
  assertStrictEquals(supervisor.status()[0].state, "stopped");
  await askSupervisor(controlPath, { command: "stop" });
  await supervisor.finished;
  await assertRejectsMatching(
    () => askSupervisor(controlPath, { command: "status" }),
    /no supervisor listens at .*\/control/,
  );
  assertEquals(await t.list(), []);
});

processTest("a supervisor refuses what it does not understand, and goes on", async (t) => {
  const controlPath = `${t.directory}/control`;
  const { supervisor } = await t.supervise([t.script("nap", "echo ready; sleep 100")], { controlPath });
  for (const line of ["", "no json\n", "{}\n", '{"command":"kill"}\n', "null\n", "x".repeat(100_000)]) {
    const conn = await Deno.connect({ transport: "unix", path: controlPath });
    const answer = new Response(conn.readable).text();
    await conn.write(new TextEncoder().encode(line)).catch(() => {});
    await conn.closeWrite().catch(() => {});
    // One that is far too long is cut off.
    assertMatch(await answer.catch(() => ""), /^$|^\{"ok":false,"error":".+"\}\n$/);
  }
  // Whoever connects and says nothing holds nobody up.
  const silent = await Deno.connect({ transport: "unix", path: controlPath });
  await supervisor.ready();
  await askSupervisor(controlPath, { command: "status" });
  await supervisor.shutdown();
  silent.close();
});

processTest(
  "supervise() refuses a socket on which another supervisor answers, and replaces one that is left over",
  async (t) => {
    const controlPath = `${t.directory}/control`;
    const spec = t.script("nap", "echo ready; sleep 100");
    const { supervisor } = await t.supervise([spec], { controlPath });
    await assertRejectsMatching(() => supervise([spec], { controlPath }), /another supervisor listens there/);
    await askSupervisor(controlPath, { command: "status" });
    await supervisor.shutdown();
    const stale = Deno.listen({ transport: "unix", path: `${t.directory}/other` });
    await Deno.link(`${t.directory}/other`, controlPath);
    stale.close();
    await t.supervise([spec], { controlPath });
    await askSupervisor(controlPath, { command: "status" });
    await Deno.writeTextFile(`${t.directory}/file`, "mine");
    await assertRejects(
      () => supervise([spec], { controlPath: `${t.directory}/file` }),
      Deno.errors.AddrInUse,
    );
    assertStrictEquals(await Deno.readTextFile(`${t.directory}/file`), "mine");
  },
);
