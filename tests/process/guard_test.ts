import assert from "node:assert/strict";
import { GUARD_PROGRAM, guardArguments } from "../../src/process/guard.ts";
import { guardedSocket } from "../../src/process/socket_files.ts";
import { isRunning, type ProcessHarness, processTest } from "../support/process_harness.ts";

function startGuard(t: ProcessHarness, sockets: Parameters<typeof guardArguments>[2] = []) {
  const directory = `${t.directory}/it's mine`;
  Deno.mkdirSync(directory);
  Deno.writeTextFileSync(`${directory}/file`, "");
  const guard = new Deno.Command(GUARD_PROGRAM, {
    args: guardArguments(0, directory, sockets),
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  return { guard, directory, writer: guard.stdin.getWriter() };
}

function startGroup(): Deno.ChildProcess {
  const stdio = "null";
  const options = { stdin: stdio, stdout: stdio, stderr: stdio, detached: true } as const;
  return new Deno.Command("sleep", { args: ["1000"], ...options }).spawn();
}

processTest(
  "the guard kills the groups that are left when its input ends, and removes the files",
  async (t) => {
    const kept = `${t.directory}/kept socket`;
    const replaced = `${t.directory}/replaced`;
    for (const path of [kept, replaced]) await Deno.writeTextFile(path, "");
    const sockets = [await guardedSocket(kept), await guardedSocket(replaced)];
    await Deno.writeTextFile(`${replaced}-new`, "");
    await Deno.rename(`${replaced}-new`, replaced);
    const { guard, directory, writer } = startGuard(t, sockets);
    const [first, second, ended] = [startGroup(), startGroup(), startGroup()];
    const lines = [`+ ${first.pid}`, `+ ${ended.pid}`, `+ ${second.pid}`, `- ${ended.pid}`, ""];
    await writer.write(new TextEncoder().encode(lines.join("\n")));
    await writer.close();
    assert.equal((await first.status).signal, "SIGKILL");
    assert.equal((await second.status).signal, "SIGKILL");
    await guard.output();
    assert.ok(isRunning(ended.pid), "what was taken off the list is left alone");
    ended.kill("SIGKILL");
    await ended.status;
    const left = await t.list();
    assert.deepEqual(left, ["replaced"], directory);
  },
);

processTest("the guard heeds no signal that a terminal sends", async (t) => {
  const { guard, writer, directory } = startGuard(t);
  await writer.write(new TextEncoder().encode("+ 999999999\n"));
  // Once it reads it has set its traps.
  await t.until(() => /S|R/.test(Deno.readTextFileSync(`/proc/${guard.pid}/stat`)));
  await new Promise((resolve) => setTimeout(resolve, 200));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) guard.kill(signal);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.ok(isRunning(guard.pid));
  await writer.close();
  await guard.output();
  await assert.rejects(Deno.stat(directory), Deno.errors.NotFound);
});
