import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { GUARD_MARK, GUARD_PROGRAM, guardArguments } from "../../../src/run/process/guard.ts";
import { guardedSocket } from "../../../src/run/process/socket_files.ts";
import { type ProcessHarness, processTest } from "../../support/process_harness.ts";
import { isRunning } from "../../support/processes.ts";

/** The number of SIGTERM. */
const TERM = 15;

function startGuard(t: ProcessHarness, sockets: Parameters<typeof guardArguments>[2] = []) {
  const directory = `${t.directory}/it's mine`;
  Deno.mkdirSync(directory);
  Deno.writeTextFileSync(`${directory}/${GUARD_MARK}`, "");
  const guard = new Deno.Command(GUARD_PROGRAM, {
    args: guardArguments(0, directory, sockets),
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  return { guard, directory, writer: guard.stdin.getWriter() };
}

/** Whether a process ignores a signal. */
function ignores(pid: number, signal: number): boolean {
  const [, mask] = /SigIgn:\t(.*)/.exec(Deno.readTextFileSync(`/proc/${pid}/status`)) ?? [];
  return (BigInt(`0x${mask}`) >> BigInt(signal - 1) & 1n) === 1n;
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
    assertStrictEquals((await first.status).signal, "SIGKILL");
    assertStrictEquals((await second.status).signal, "SIGKILL");
    await guard.output();
    assert(isRunning(ended.pid), "what was taken off the list is left alone");
    ended.kill("SIGKILL");
    await ended.status;
    const left = await t.list();
    assertEquals(left, ["replaced"], directory);
  },
);

processTest(
  "the guard leaves a socket alone that was made later, though it has got the same number",
  async (t) => {
    const path = `${t.directory}/socket`;
    await Deno.writeTextFile(path, "");
    const { guard, directory, writer } = startGuard(t, [await guardedSocket(path)]);
    const later = new Date(Date.now() + 60_000);
    await Deno.utime(path, later, later);
    await writer.close();
    await guard.output();
    assertEquals(await t.list(), ["socket"], directory);
  },
);

processTest("the guard heeds no signal that a terminal sends", async (t) => {
  const { guard, writer, directory } = startGuard(t);
  await writer.write(new TextEncoder().encode("+ 999999999\n"));
  await t.until(() => ignores(guard.pid, TERM), "the guard has set its traps");
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) guard.kill(signal);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert(isRunning(guard.pid));
  await writer.close();
  await guard.output();
  await assertRejects(() => Deno.stat(directory), Deno.errors.NotFound);
});

processTest(
  "a supervisor that stops takes its guard with it, which would take what comes next for its own",
  async (t) => {
    const master = t.master([t.script("nap", "echo ready; sleep 100")]);
    await t.until(() => master.count("ready") === 1);
    const guard = childrenOf(master.pid).find((pid) => commandOf(pid).includes("millrace-guard"));
    assert(guard !== undefined);
    // One that comes to nothing by itself any more.
    Deno.kill(guard, "SIGSTOP");
    master.kill("SIGTERM");
    assertStrictEquals((await master.status).code, 0);
    const runs = isRunning(guard);
    if (runs) Deno.kill(guard, "SIGCONT");
    assert(!runs);
  },
);

function childrenOf(parent: number): number[] {
  const pids = Array.from(Deno.readDirSync("/proc"), ({ name }) => Number(name)).filter((pid) => pid > 0);
  return pids.filter((pid) => new RegExp(`^PPid:\\t${parent}$`, "m").test(readProcess(pid, "status")));
}

function commandOf(pid: number): string {
  return readProcess(pid, "cmdline");
}

function readProcess(pid: number, file: string): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/${file}`);
  } catch {
    // It has ended.
    return "";
  }
}
