import { fileURLToPath } from "node:url";
import { assert, assertEquals, assertMatch, assertRejects, assertStrictEquals } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { ProcessSpecError, supervise } from "../../../src/run/process/mod.ts";
import { nativeStatus } from "../../../ffi/mod.ts";
import { runProgram } from "../../support/driver_program.ts";
import { portOf, processTest } from "../../support/process_harness.ts";

processTest("supervise() rejects when a command is no program, and starts nothing", async (t) => {
  const touch = t.script("touch", `touch ${t.directory}/touched`);
  await assertRejectsMatching(
    () => supervise([touch, { name: "web", command: "no-such-program-anywhere" }]),
    (error) => {
      assert(error instanceof Deno.errors.NotFound);
      assertMatch(
        error.message,
        /^start web: command "no-such-program-anywhere": there is no such program in PATH \(/,
      );
      return true;
    },
  );
  await assertRejectsMatching(
    () => supervise([{ name: "web", command: `${t.directory}/nope` }]),
    /there is no program at .*\/nope/,
  );
  for (const cwd of [`${t.directory}/nope`, touch.command]) {
    await assertRejectsMatching(() => supervise([touch, { name: "web", command: "true", cwd }]), {
      name: "NotFound",
      message: `start web: cwd ${JSON.stringify(cwd)}: there is no such directory`,
    });
  }
  await Deno.mkdir(`${t.directory}/run0`);
  const each = { name: "web", command: "true", cwd: `${t.directory}/run{instance}`, instances: 2 };
  await assertRejectsMatching(() => supervise([touch, each]), /run1": there is no such directory$/);
  await Deno.writeTextFile(`${t.directory}/text`, "");
  await assertRejects(
    () => supervise([{ name: "web", command: `${t.directory}/text` }]),
    Deno.errors.PermissionDenied,
  );
  await assertRejects(() => Deno.stat(`${t.directory}/touched`), Deno.errors.NotFound);
});

processTest("supervise() rejects when a port is taken, and lets go of those it had", async (t) => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = free.addr;
  free.close();
  const listen = [{ name: "a", hostname: "127.0.0.1", port }, {
    name: "b",
    hostname: "127.0.0.1",
    port: taken.addr.port,
  }];
  await assertRejectsMatching(
    () => supervise([{ name: "web", command: "sleep", args: ["100"], listen }]),
    (error) => {
      assert(error instanceof Deno.errors.AddrInUse);
      assertStrictEquals(
        error.message,
        `start web: bind 127.0.0.1:${taken.addr.port}: the address is in use (EADDRINUSE)`,
      );
      return true;
    },
  );
  taken.close();
  // Closing may take until the next turns of the event loop.
  await t.until(() => {
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return true;
    } catch {
      return false;
    }
  });
});

processTest("supervise() rejects a mistake in a specification with its key", async () => {
  await assertRejectsMatching(() => supervise([{ name: "web", command: "sleep", instances: 0 }]), (error) => {
    assert(error instanceof ProcessSpecError);
    assertEquals([error.key, error.found, error.expected], [
      "process[0].instances",
      "0",
      "a whole number from 1 to 1024",
    ]);
    return true;
  });
});

processTest("supervise() is shut down by its signal", async (t) => {
  const controller = new AbortController();
  const { supervisor } = await t.supervise([t.script("nap", "echo ready; sleep 100")], {
    signal: controller.signal,
  });
  await supervisor.ready();
  controller.abort();
  assertEquals(await supervisor.finished, { gaveUp: [] });
  await assertRejectsMatching(
    () => supervise([t.script("nap", "sleep 100")], { signal: controller.signal }),
    {
      name: "AbortError",
    },
  );
});

processTest("a process has arguments, variables and directory as they are specified", async (t) => {
  const out = `${t.directory}/out`;
  const script =
    `echo "$0 $1 $A $MILLRACE_NAME $MILLRACE_INSTANCE $MILLRACE_INSTANCES $PWD \${HOME-none}" > ${out}.tmp; mv ${out}.tmp ${out}; sleep 100`;
  await t.supervise([{
    name: "env",
    command: "sh",
    args: ["-c", script, "{name}", "n{instance}"],
    env: { A: "a b={instance}" },
    clearEnv: true,
    cwd: t.directory,
    instances: 1,
    output: { kind: "null" },
  }]);
  assertStrictEquals(await t.untilFile(out), `env n0 a b=0 env 0 1 ${t.directory} none\n`);
});

processTest("a process that cannot be started again is told, and tried again", async (t) => {
  const program = `${t.directory}/program`;
  await Deno.writeTextFile(program, "#!/bin/sh\necho ready\nsleep 0.1\nexit 1\n", { mode: 0o755 });
  const { supervisor, events } = await t.supervise([{
    name: "gone",
    command: program,
    instances: 1,
    ready: { kind: "line", pattern: "ready" },
    restart: { delayMs: 1, restartsMax: 5 },
    output: { kind: "null" },
  }]);
  await supervisor.ready();
  await Deno.remove(program);
  assertEquals(await supervisor.finished, { gaveUp: ["gone/0"] });
  await t.until(() => events.some(({ type }) => type === "gave-up"));
  const failed = events.find((event) => event.type === "failed");
  assert(failed?.type === "failed");
  assertMatch(failed.reason, /no such file or directory|No such file or directory/i);
});

processTest("ready: http waits for an answer, and health: http finds one that hangs", async (t) => {
  const answer = `${t.directory}/answer`;
  let port = 0;
  // Stands for what the process would serve itself.
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: (addr) => port = addr.port },
    async () => {
      const status = Number(await Deno.readTextFile(answer).catch(() => "503"));
      return new Response(null, { status });
    },
  );
  const url = `http://127.0.0.1:${port}/{instance}`;
  const { supervisor, events } = await t.supervise([
    t.script("web", "sleep 100", {
      ready: { kind: "http", url, intervalMs: 10 },
      health: { kind: "http", url, intervalMs: 50, failuresMax: 2 },
    }),
  ]);
  await t.until(() => supervisor.status()[0].state === "starting");
  await Deno.writeTextFile(answer, "204");
  await supervisor.ready();
  await Deno.writeTextFile(answer, "500");
  await t.until(() => events.some(({ type }) => type === "unhealthy"));
  await Deno.writeTextFile(answer, "200");
  await t.until(() => supervisor.status()[0].restartCount === 1);
  await supervisor.ready();
  await server.shutdown();
});

processTest("ready: started takes one that still runs for ready", async (t) => {
  const { supervisor, events } = await t.supervise([
    t.script("nap", "sleep 100", { ready: { kind: "started", afterMs: 50 } }),
    t.script("gone", "exit 1", { ready: { kind: "started", afterMs: 60_000 }, restart: { restartsMax: 0 } }),
  ]);
  await t.until(() => supervisor.status()[0].state === "ready" && supervisor.status()[1].state === "gave-up");
  assert(!events.some((event) => event.type === "ready" && event.name === "gone"));
});

Deno.test({
  name:
    "a program of any kind has its sockets by systemd's protocol, and says by it that it is ready and lives",
  ignore: !nativeStatus().available,
  fn: () => socketActivation(),
});

async function socketActivation(): Promise<void> {
  const python = await new Deno.Command("python3", { args: ["--version"], stdout: "null", stderr: "null" })
    .output().catch(() => undefined);
  if (python?.success !== true) return;
  const directory = await Deno.makeTempDir();
  const program = `
import os, socket, sys, time
assert os.environ["LISTEN_PID"] == str(os.getpid()), os.environ["LISTEN_PID"]
assert os.environ["LISTEN_FDS"] == "2" and os.environ["LISTEN_FDNAMES"] == "http:admin"
assert 3 == len([fd for fd in os.listdir("/proc/self/fd") if int(fd) in (3, 4, 5)])
def notify(text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.sendto(text, os.environ["NOTIFY_SOCKET"])
notify(b"STATUS=warming up\\nREADY=1")
listener = socket.fromfd(3, socket.AF_INET, socket.SOCK_STREAM)
listener.settimeout(0.05)
while True:
    if not os.path.exists(sys.argv[1]): notify(b"WATCHDOG=1")
    try:
        conn, _ = listener.accept()
        conn.recv(1000)
        conn.sendall(b"HTTP/1.1 200 OK\\r\\nconnection: close\\r\\ncontent-length: 6\\r\\n\\r\\npython")
        conn.close()
    except socket.timeout:
        pass
`;
  await using supervisor = await supervise([{
    name: "python",
    command: "python3",
    args: ["-c", program, `${directory}/hang`],
    instances: 1,
    listen: [{ name: "http", hostname: "127.0.0.1", port: 0 }, {
      name: "admin",
      hostname: "127.0.0.1",
      port: 0,
    }],
    ready: { kind: "message" },
    health: { kind: "heartbeat", intervalMs: 1000, failuresMax: 2 },
  }]);
  const events = supervisor.events();
  await supervisor.ready();
  const answer = await fetch(`http://127.0.0.1:${portOf(supervisor, "python", "http")}/`);
  assertStrictEquals(await answer.text(), "python");
  await Deno.writeTextFile(`${directory}/hang`, "");
  for await (const event of events) if (event.type === "unhealthy") break;
  await Deno.remove(directory, { recursive: true });
}

processTest("output: prefixed and files carry whole lines, and files are rotated", async (t) => {
  const logs = `${t.directory}/logs`;
  const { supervisor } = await t.supervise([
    t.script("talk", "for i in $(seq 100 199); do echo line $i; done; echo end >&2; echo ready; sleep 100", {
      output: { kind: "files", directory: logs, bytesMax: 300, filesMax: 3 },
      instances: 2,
    }),
  ]);
  await supervisor.ready();
  await supervisor.shutdown();
  const names = (await t.list(logs)).sort();
  const expected = ["", ".1", ".2"].flatMap((end) => [0, 1].map((index) => `talk-${index}.log${end}`)).sort();
  assertEquals(names, expected);
  const texts = await Promise.all(
    [".2", ".1", ""].map((end) => Deno.readTextFile(`${logs}/talk-0.log${end}`)),
  );
  assert(texts.every((text) => text.length <= 300 && text.endsWith("\n")));
  const lines = texts.join("").trim().split("\n").filter((line) => line.startsWith("line "));
  assertEquals(lines, lines.map((_, index) => `line ${200 - lines.length + index}`));
  assert(texts.join("").includes("end\n"));
});

processTest("listen: { path } is a Unix socket that is there for its owner's time", async (t) => {
  const path = `${t.directory}/web.sock`;
  // What a supervisor that was killed leaves behind.
  const stale = Deno.listen({ transport: "unix", path });
  await Deno.rename(path, `${path}.kept`);
  stale.close();
  await Deno.rename(`${path}.kept`, path);
  const { supervisor } = await t.supervise([
    t.script("web", "echo ready; sleep 100", { listen: [{ name: "web", path }] }),
  ]);
  await supervisor.ready();
  assertEquals(supervisor.addresses("web"), { web: { path } });
  (await Deno.connect({ transport: "unix", path })).close();
  await assertRejects(
    () => supervise([t.script("other", "sleep 100", { listen: [{ name: "web", path }] })]),
    Deno.errors.AddrInUse,
  );
  await supervisor.shutdown();
  await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
});

processTest(
  "supervise() rejects when a watched path is not there, or TMPDIR too long for sockets",
  async (t) => {
    const watch = { paths: [`${t.directory}/none`] };
    await assertRejectsMatching(() => supervise([t.script("web", "sleep 100", { watch })]), (error) => {
      assert(error instanceof Deno.errors.NotFound);
      assertMatch(error.message, /^watch .*\/none for web: no such file or directory/);
      return true;
    });
    const long = `${t.directory}/${"x".repeat(100)}`;
    await Deno.mkdir(long);
    const source = `
    import { supervise } from "@millrace/millrace/process";
    await supervise([{ name: "nap", command: "sleep", args: ["100"] }]).catch((error) => console.log(error.message));
  `;
    const { stdout, stderr } = await runProgram(source, { environment: { TMPDIR: long } });
    assertMatch(
      stdout,
      /^TMPDIR is too long for the sockets of a supervisor: .* bytes, expected at most 80\n$/,
      stderr,
    );
    assertEquals(await t.list(long), []);
  },
);

processTest("output: files tells once when lines are lost, and the process goes on", async (t) => {
  await Deno.writeTextFile(`${t.directory}/logs`, "no directory");
  const { supervisor, lines } = await t.supervise([
    t.script("talk", "for i in 1 2 3 4 5; do echo $i; sleep 0.01; done; echo ready; sleep 100", {
      output: { kind: "files", directory: `${t.directory}/logs` },
    }),
  ]);
  await supervisor.ready();
  assertStrictEquals(lines.filter((line) => line.startsWith("OUTPUT OF talk/0 IS LOST: write ")).length, 1);
});

processTest("Supervisor.shutdown() does not wait for somebody who takes no output any more", async (t) => {
  const source = `
    import { handleSignals, supervise } from "@millrace/millrace/process";
    const spec = { name: "talk", command: "yes", instances: 1, ready: { kind: "line", pattern: "^y$" } };
    const supervisor = await supervise([spec]);
    supervisor.ready().then(() => Deno.writeTextFileSync(${JSON.stringify(`${t.directory}/ready`)}, "ready"));
    await handleSignals(supervisor);
    Deno.exit(0);
  `;
  const path = `${t.directory}/program.ts`;
  await Deno.writeTextFile(path, source);
  const config = fileURLToPath(new URL("../../../deno.json", import.meta.url));
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-lock", "--no-check", "--config", config, path],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let ended = false;
  child.status.then(() => ended = true);
  try {
    await t.untilFile(`${t.directory}/ready`, /ready/);
    child.kill("SIGTERM");
    await t.until(() => ended);
    assertStrictEquals((await child.status).code, 0);
  } finally {
    if (!ended) child.kill("SIGKILL");
    await child.stdout.cancel();
  }
});

processTest("supervise() goes on when its log throws", async (t) => {
  const { supervisor } = await t.supervise([t.script("nap", "echo ready; sleep 100")], {
    log() {
      throw new Error("the log is full");
    },
  });
  await supervisor.ready();
  await supervisor.reload("nap");
  assertStrictEquals(supervisor.status()[0].restartCount, 0);
});
