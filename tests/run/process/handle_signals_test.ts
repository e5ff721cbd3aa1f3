import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import type { MasterProcess } from "../../support/master_process.ts";
import { type ProcessHarness, processTest } from "../../support/process_harness.ts";
import { isRunning } from "../../support/processes.ts";

function running(master: MasterProcess): number[] {
  return [...master.pids].filter(isRunning);
}

/** A process that has started another one, which heeds no signal. */
function family(t: ProcessHarness) {
  return t.script(
    "family",
    `sh -c 'trap "" TERM INT HUP; echo $$ >> ${t.directory}/children; sleep 1000' & echo ready; wait`,
    {
      instances: 2,
    },
  );
}

async function childrenOf(t: ProcessHarness): Promise<number[]> {
  return (await t.untilFile(`${t.directory}/children`, /^\d+\n\d+\n/)).trim().split("\n").map(Number);
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  processTest(
    `handleSignals() stops all on ${signal}, leaves no orphan and no file, and ends with 0`,
    async (t) => {
      const master = t.master([family(t)], { controlPath: `${t.directory}/control` });
      await t.until(() => master.count("ready") === 2);
      const children = await childrenOf(t);
      master.kill(signal);
      const { code, signal: endedBy } = await master.status;
      assertEquals([code, endedBy], [0, null]);
      await t.until(() => master.count("exited") === 2);
      assertEquals(running(master), []);
      // They were killed; on a busy machine they get round to it a little later.
      await t.until(() => children.filter(isRunning).length === 0);
      assertEquals(master.leftOver(), []);
      await assertRejects(() => Deno.lstat(`${t.directory}/control`), Deno.errors.NotFound);
    },
  );
}

processTest("handleSignals() ends at once on a second signal", async (t) => {
  const master = t.master([
    t.script("deaf", "trap '' TERM; echo ready; while :; do sleep 0.1; done", { stopTimeoutMs: 600_000 }),
  ]);
  await t.until(() => master.count("ready") === 1);
  master.kill("SIGTERM");
  // One that comes right after the first is taken for its echo.
  await new Promise((resolve) => setTimeout(resolve, 400));
  assertStrictEquals(running(master).length, 1);
  master.kill("SIGINT");
  assertStrictEquals((await master.status).code, 130);
  assertEquals(running(master), []);
  await t.until(() => master.leftOver().length === 0);
});

processTest("handleSignals() reloads all on SIGUSR1", async (t) => {
  const master = t.master([
    t.script("a", "echo ready; sleep 100", { instances: 2 }),
    t.script("b", "echo ready; sleep 100"),
  ]);
  await t.until(() => master.count("ready") === 3);
  master.kill("SIGUSR1");
  await t.until(() => master.count("reloaded") === 2);
  assertStrictEquals(master.pids.size, 6);
  assertStrictEquals(running(master).length, 3);
  master.kill("SIGTERM");
  assertStrictEquals((await master.status).code, 0);
});

processTest("handleSignals() ends with the supervisor when something was given up", async (t) => {
  const master = t.master([
    t.script("broken", "exit 1", { restart: { restartsMax: 0 } }),
  ]);
  assertStrictEquals((await master.status).code, 1);
  assertEquals(master.leftOver(), []);
});

processTest(
  "a supervisor that is killed takes its processes, what they started, and its files with it",
  async (t) => {
    const master = t.master(
      [{ ...family(t), listen: [{ path: `${t.directory}/http` }] }],
      { controlPath: `${t.directory}/control` },
    );
    await t.until(() => master.count("ready") === 2);
    const children = await childrenOf(t);
    assertStrictEquals(running(master).length, 2);
    assertStrictEquals(children.filter(isRunning).length, 2);
    assert((await Deno.lstat(`${t.directory}/control`)).isSocket);
    master.kill("SIGKILL");
    await master.status;
    await t.until(() => running(master).length === 0);
    await t.until(() => children.filter(isRunning).length === 0);
    await t.until(() => master.leftOver().length === 0);
    const left = () =>
      Array.from(Deno.readDirSync(t.directory), ({ name }) => name).filter((name) =>
        !/^t-|children/.test(name)
      );
    await t.until(() => left().length === 0);
  },
);

processTest("Ctrl-C in a terminal reaches the supervisor alone, which stops its processes", async (t) => {
  const log = `${t.directory}/log`;
  const script =
    `trap 'echo INT >> ${log}' INT; trap 'echo TERM >> ${log}; exit 0' TERM; echo ready; while :; do sleep 0.05; done`;
  const master = t.master([t.script("nap", script)]);
  await t.until(() => master.count("ready") === 1);
  // What a terminal does: all of the foreground group.
  Deno.kill(-master.pid, "SIGINT");
  assertStrictEquals((await master.status).code, 0);
  assertStrictEquals(await Deno.readTextFile(log), "TERM\n");
});

processTest("handleSignals() leaves no debugger open after SIGUSR1", async (t) => {
  const master = t.master([t.script("nap", "echo ready; sleep 100")]);
  await t.until(() => master.count("ready") === 1);
  // Deno begins to listen to the signal half a second after its start.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  for (let reload = 1; reload <= 2; reload++) {
    master.kill("SIGUSR1");
    await t.until(() => master.count("reloaded") === reload);
    await t.until(async () => !(await listeningPorts(master.pid)).includes(DEBUGGER_PORT));
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert(!(await listeningPorts(master.pid)).includes(DEBUGGER_PORT));
  }
  master.kill("SIGTERM");
  assertStrictEquals((await master.status).code, 0);
});

processTest("handleSignals() reloads on SIGUSR1 with few permissions as well", async (t) => {
  const permissions = [
    "--allow-read",
    "--allow-write",
    "--allow-run",
    "--allow-env",
    "--allow-ffi",
    "--allow-net",
  ];
  const master = t.master([t.script("nap", "echo ready; sleep 100")], { permissions });
  await t.until(() => master.count("ready") === 1);
  master.kill("SIGUSR1");
  await t.until(() => master.count("reloaded") === 1);
  master.kill("SIGTERM");
  assertStrictEquals((await master.status).code, 0);
});

const DEBUGGER_PORT = 9229;

/** Ports that a process listens on: those of its sockets that the system says are listening. */
async function listeningPorts(pid: number): Promise<number[]> {
  const sockets = new Set<string>();
  for await (const { name } of Deno.readDir(`/proc/${pid}/fd`)) {
    const target = await Deno.readLink(`/proc/${pid}/fd/${name}`).catch(() => "");
    sockets.add(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? "");
  }
  const table = (await Deno.readTextFile("/proc/net/tcp")).trim().split("\n").slice(1).map((line) =>
    line.trim().split(/ +/)
  );
  const listening = table.filter((fields) => fields[3] === "0A" && sockets.has(fields[9]));
  return listening.map((fields) => parseInt(fields[1].split(":")[1], 16));
}
