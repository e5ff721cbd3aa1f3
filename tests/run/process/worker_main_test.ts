import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { fileURLToPath } from "node:url";
import { workerMain } from "../../../src/run/process/mod.ts";
import { type ProcessHarness, processTest, workerSpec } from "../../support/process_harness.ts";

const PROGRAM = fileURLToPath(new URL("./signal_worker.ts", import.meta.url));

/** The worker without a supervisor. */
async function run(t: ProcessHarness, ...modes: string[]) {
  const log = `${t.directory}/log-${modes.join("-")}`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--no-lock", "--quiet", PROGRAM, log, ...modes],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(child.stderr).text();
  const text = await t.untilFile(
    log,
    modes.includes("starting") ? /starting\n/ : modes.includes("fail") ? /\n/ : /started\n/,
  );
  return { child, stderr, log, pid: Number(text.split(/\s/)[4]) };
}

for (const signal of ["SIGTERM", "SIGINT", "SIGUSR2"] as const) {
  processTest(`workerMain() finishes on ${signal} without a supervisor, and ends with 0`, async (t) => {
    const { child, log, stderr } = await run(t);
    child.kill(signal);
    assertStrictEquals((await child.status).code, 0, await stderr);
    const lines = (await Deno.readTextFile(log)).trim().split("\n");
    assertMatch(lines[0], /^start undefined 0 1 /);
    assertEquals(lines.slice(1), ["started", "abort", "second", "first"]);
  });
}

processTest("workerMain() ends at once on a second signal", async (t) => {
  const { child, log } = await run(t, "slow");
  child.kill("SIGUSR2");
  await t.untilFile(log, /abort\n/);
  child.kill("SIGTERM");
  assertStrictEquals((await child.status).code, 143);
});

processTest("workerMain() ends with 1 when finishing takes too long", async (t) => {
  const { child, stderr } = await run(t, "slow", "limit");
  child.kill("SIGTERM");
  assertStrictEquals((await child.status).code, 1);
  assertMatch(await stderr, /worker: .*it did not finish within 50 ms/);
});

processTest("workerMain() finishes without a limit where it is told so", async (t) => {
  const { child, log, stderr } = await run(t, "unlimited");
  child.kill("SIGTERM");
  assertStrictEquals((await child.status).code, 0, await stderr);
  assertMatch(await Deno.readTextFile(log), /abort\nsecond\nfirst\n$/);
});

processTest("workerMain() refuses a limit that is none", async () => {
  for (const drainTimeoutMs of [NaN, -1]) {
    await assertRejectsMatching(() => workerMain(() => {}, { drainTimeoutMs }), {
      name: "RangeError",
      message: `worker: drainTimeoutMs is ${drainTimeoutMs}, expected 0 or more`,
    });
  }
});

processTest("workerMain() finishes when it is told to while it starts", async (t) => {
  const { child, log } = await run(t, "starting");
  child.kill("SIGTERM");
  assertStrictEquals((await child.status).code, 0);
  assertMatch(await Deno.readTextFile(log), /starting\nabort\nsecond\nfirst\n$/);
});

processTest("workerMain() prints what its start throws, and ends with 1", async (t) => {
  const { child, stderr } = await run(t, "fail");
  assertStrictEquals((await child.status).code, 1);
  assertMatch(await stderr, /worker: Error: no database here\n +at /);
});

processTest(
  "workerMain() says who it is, is ready when it has started, and drains on a reload",
  async (t) => {
    const log = `${t.directory}/log`;
    const spec = workerSpec(PROGRAM, { name: "signal", instances: 2 });
    const { supervisor, events } = await t.supervise([{ ...spec, args: [...spec.args ?? [], log] }]);
    await supervisor.ready();
    const starts = (await Deno.readTextFile(log)).split("\n").filter((line) => line.startsWith("start "));
    assertEquals(starts.map((line) => line.split(" ").slice(0, 4).join(" ")).sort(), [
      "start signal 0 2",
      "start signal 1 2",
    ]);
    await supervisor.reload("signal");
    const ends = events.filter((event) => event.type === "exited");
    assert(ends.every((event) => event.type === "exited" && event.status.code === 0));
    assertStrictEquals((await Deno.readTextFile(log)).match(/abort\nsecond\nfirst\n/g)?.length, 2);
  },
);

processTest("workerMain() sends heartbeats, and a worker whose event loop hangs is replaced", async (t) => {
  const log = `${t.directory}/log`;
  const spec = workerSpec(PROGRAM, {
    name: "signal",
    instances: 2,
    health: { kind: "heartbeat", intervalMs: 1000, failuresMax: 3 },
    stopTimeoutMs: 100,
  });
  const args = [...spec.args ?? [], log];
  const { supervisor, events } = await t.supervise([
    { ...spec, args, instances: 1 },
    {
      ...spec,
      name: "busy",
      args: [...args, "busy"],
      instances: 1,
      restart: { policy: "on-failure", restartsMax: 1 },
    },
  ]);
  await t.until(() => events.some((event) => event.type === "unhealthy" && event.name === "busy"));
  await t.until(() => supervisor.status()[1].restartCount === 1);
  const unhealthy = events.find((event) => event.type === "unhealthy");
  assert(unhealthy?.type === "unhealthy");
  assertStrictEquals(unhealthy.reason, "3 heartbeats in a row did not come, one each 1000 ms");
  assertStrictEquals(supervisor.status()[0].restartCount, 0, "the other one is left alone");
  assertStrictEquals(supervisor.status()[1].lastExit?.signal, "SIGKILL", "it heard nothing else");
});

processTest("workerMain() ends when its supervisor is gone", async (t) => {
  // Where the kernel does not do it: a supervisor that speaks over a socket, and goes.
  const path = `${t.directory}/control`;
  const listener = Deno.listen({ transport: "unix", path });
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--no-lock", "--quiet", PROGRAM, `${t.directory}/log`],
    env: { MILLRACE_CONTROL: `unix:${path}#token` },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const stderr = new Response(child.stderr).text();
  const conn = await listener.accept();
  await t.untilFile(`${t.directory}/log`, /started\n/);
  let text = "";
  const buffer = new Uint8Array(1024);
  while (!text.includes("ready")) {
    text += new TextDecoder().decode(buffer.subarray(0, await conn.read(buffer) ?? 0));
  }
  assertStrictEquals(text, '{"type":"hello","token":"token"}\n{"type":"ready"}\n');
  conn.close();
  listener.close();
  assertStrictEquals((await child.status).code, 1);
  assertStrictEquals(await stderr, "worker: the supervisor is gone\n");
});
