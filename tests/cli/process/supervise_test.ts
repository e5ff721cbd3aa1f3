import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { processTest } from "../../support/process_harness.ts";
import { isRunning } from "../../support/processes.ts";
import { assertDone, assertFailure, millrace, start } from "../support.ts";

const SHELL = (script: string) => ({
  command: "/bin/sh",
  args: ["-c", script],
  instances: 1,
  ready: { kind: "line", pattern: "^ready$" },
});

async function writeFile(directory: string, process: unknown): Promise<string> {
  const path = `${directory}/processes.json`;
  await Deno.writeTextFile(path, JSON.stringify({ process }));
  return path;
}

processTest("millrace supervise runs a file; ps, reload and stop speak to it; it ends with 0", async (t) => {
  const env = { MILLRACE_SOCKET: `${t.directory}/run/control` };
  const file = await writeFile(t.directory, [
    { name: "web", ...SHELL("echo ready; sleep 100"), instances: 2 },
    { name: "talk", ...SHELL("echo ready; echo hello; echo oh >&2; sleep 100") },
  ]);
  await using supervisor = start(["supervise", file], { env });
  await supervisor.says(/^talk\/0: hello$/m);
  const list = async () => {
    const lines = assertDone(await millrace(["ps", "--json"], { env })).trim().split("\n");
    return lines.map((line) => JSON.parse(line));
  };
  let before = await list();
  await t.until(async () => (before = await list()).every(({ state }) => state === "ready"));
  assertEquals(before.map(({ name, instance }) => `${name}/${instance}`), ["web/0", "web/1", "talk/0"]);
  const table = assertDone(await millrace(["ps", "--socket", env.MILLRACE_SOCKET])).split("\n");
  assertMatch(table[0], /^NAME +PID +STATE +UPTIME +RESTARTS +MEMORY +CPU +LAST EXIT$/);
  assertMatch(table[1], /^web\/0 +\d+ +ready +\d+ s +0 +/);
  assertStrictEquals(assertDone(await millrace(["reload", "web"], { env })), "");
  const after = await list();
  assert(
    after[0].pid !== before[0].pid && after[1].pid !== before[1].pid && after[2].pid === before[2].pid,
  );
  assertFailure(
    await millrace(["reload", "nope"], { env }),
    1,
    /there is no process "nope", expected one of web, talk/,
  );
  assertStrictEquals(assertDone(await millrace(["stop", "web"], { env })), "");
  assertStrictEquals((await list())[0].state, "stopped");
  assertFailure(await millrace(["supervise", file], { env }), 1, /another supervisor listens there/);
  assertStrictEquals(assertDone(await millrace(["stop"], { env })), "");
  const { code, stderr } = await supervisor.ended();
  assertStrictEquals(code, 0);
  assertMatch(stderr, /^talk\/0: oh$/m);
  assertMatch(stderr, /^millrace: web\/0 \(process \d+\) is ready$/m);
  assert([...before, ...after].every(({ pid }) => !isRunning(pid)));
  assertFailure(await millrace(["ps"], { env }), 5, /no supervisor listens at .*control/);
});

processTest(
  "millrace supervise ends with 0 on SIGTERM, and with 1 when something was given up",
  async (t) => {
    const env = { XDG_RUNTIME_DIR: t.directory };
    const nap = await writeFile(t.directory, [{ name: "nap", ...SHELL("echo ready; sleep 100") }]);
    await using napping = start(["supervise", nap], { env });
    await napping.says(/^nap\/0: ready$/m);
    assert((await Deno.lstat(`${t.directory}/millrace.sock`)).isSocket);
    napping.kill("SIGTERM");
    assertStrictEquals((await napping.ended()).code, 0);
    const broken = await writeFile(t.directory, [
      { name: "broken", ...SHELL("echo 'no database' >&2; exit 3"), restart: { restartsMax: 0 } },
    ]);
    const { code, stderr } = await millrace(["supervise", broken], { env });
    assertStrictEquals(code, 1);
    assertMatch(stderr, /broken\/0 IS GIVEN UP: .*no database\n/);
    assertMatch(stderr, /\nmillrace: given up: broken\/0\n$/);
  },
);

processTest("millrace supervise refuses a wrong file with 2, in one line that names it", async (t) => {
  const env = { XDG_RUNTIME_DIR: t.directory };
  assertFailure(
    await millrace(["supervise", "/no/such/file.toml"], { env }),
    2,
    /\/no\/such\/file\.toml: there is no such file/,
  );
  const many = await writeFile(t.directory, [{ name: "web", command: "deno", instances: "many" }]);
  assertFailure(
    await millrace(["supervise", many], { env }),
    2,
    /processes\.json: process\[0\]\.instances is "many", expected/,
  );
  const missing = await writeFile(t.directory, [{ name: "web", command: "no-such-program" }]);
  assertFailure(
    await millrace(["supervise", missing], { env }),
    2,
    /processes\.json: start web: command "no-such-program": there is no such program in PATH/,
  );
  assertFailure(await millrace(["supervise"], { env }), 2, /missing required argument 'file'/);
  assertFailure(await millrace(["ps", "--yaml"], { env }), 2, /'--yaml'; see millrace ps --help/);
});

processTest("millrace supervise reloads all on SIGUSR1", async (t) => {
  const env = { XDG_RUNTIME_DIR: t.directory };
  const file = await writeFile(t.directory, [{
    name: "nap",
    ...SHELL("echo ready $$; sleep 100"),
    ready: { kind: "line", pattern: "ready" },
  }]);
  await using supervisor = start(["supervise", file], { env });
  await supervisor.says(/ready \d+\n/);
  supervisor.kill("SIGUSR1");
  await supervisor.says(/ready \d+\n[^]*ready \d+\n/);
  supervisor.kill("SIGINT");
  assertStrictEquals((await supervisor.ended()).code, 0);
});
