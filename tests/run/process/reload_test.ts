import { assert, assertEquals } from "@std/assert";
import { HttpLoad } from "../../support/http_load.ts";
import { portOf, processTest, workerSpec } from "../../support/process_harness.ts";

const WORKER = new URL("./http_worker.ts", import.meta.url);
const LISTEN = [{ name: "http", hostname: "127.0.0.1", port: 0 }];
const RELOADS = 3;

processTest(
  "Supervisor.reload() drops no request of HTTP clients, with keep-alive and without",
  async (t) => {
    const { supervisor } = await t.supervise([workerSpec(WORKER, { instances: 2, listen: LISTEN })]);
    await supervisor.ready();
    const load = new HttpLoad(portOf(supervisor, "web", "http"));
    load.start(4, "keep-alive");
    load.start(4, "connection-per-request");
    load.start(2, "keep-alive", "/?ms=20");
    load.start(2, "connection-per-request", "/?ms=20");
    for (let reload = 0; reload < RELOADS; reload++) {
      const before = load.answeredCount;
      await t.until(() => load.answeredCount > before + 20);
      await supervisor.reload("web");
    }
    const before = load.answeredCount;
    await t.until(() => load.answeredCount > before + 20);
    const { failures, bodies } = await load.stop();
    assertEquals(failures, []);
    const pids = new Set([...bodies].map((body) => body.split(" ")[0]));
    assert(pids.size > RELOADS, `${pids.size} processes answered`);
  },
);

processTest("Supervisor.reload() waits for requests that take long", async (t) => {
  const { supervisor } = await t.supervise([workerSpec(WORKER, { listen: LISTEN })]);
  await supervisor.ready();
  const [{ pid }] = supervisor.status();
  const load = new HttpLoad(portOf(supervisor, "web", "http"));
  load.start(2, "connection-per-request", "/?ms=3000");
  await new Promise((resolve) => setTimeout(resolve, 500));
  await supervisor.reload("web");
  const { failures, bodies } = await load.stop();
  assertEquals(failures, []);
  assert(bodies.has(`${pid} 0`), "the old one has answered what it had begun");
});

processTest("Supervisor keeps its sockets while no worker runs: clients wait, and are served", async (t) => {
  const { supervisor } = await t.supervise([workerSpec(WORKER, { listen: LISTEN })]);
  await supervisor.ready();
  const load = new HttpLoad(portOf(supervisor, "web", "http"));
  await supervisor.stop("web");
  load.start(2, "connection-per-request");
  await new Promise((resolve) => setTimeout(resolve, 200));
  assertEquals([load.answeredCount, load.failures], [0, []]);
  await supervisor.reload("web");
  await t.until(() => load.answeredCount > 10);
  assertEquals((await load.stop()).failures, []);
});

processTest(
  "Supervisor hands its sockets to a program that binds nothing itself, again after it was killed",
  async (t) => {
    const { supervisor } = await t.supervise([workerSpec(WORKER, { listen: LISTEN, instances: 2 })]);
    await supervisor.ready();
    const load = new HttpLoad(portOf(supervisor, "web", "http"));
    load.start(3, "connection-per-request");
    await t.until(() => load.answeredCount > 10);
    const [{ pid }] = supervisor.status();
    Deno.kill(pid ?? 0, "SIGKILL");
    await t.until(() =>
      supervisor.status()[0].restartCount === 1 && supervisor.status()[0].state === "ready"
    );
    const { failures, bodies } = await load.stop();
    // What it had under way is lost with it, and nothing else.
    assert(failures.length <= 3, failures.join("\n"));
    assert([...bodies].some((body) => body.endsWith(" 1")));
  },
);

processTest("Supervisor's workers take connections while one of them hangs", async (t) => {
  const { supervisor } = await t.supervise([workerSpec(WORKER, { listen: LISTEN, instances: 2 })]);
  await supervisor.ready();
  const [{ pid }] = supervisor.status();
  const load = new HttpLoad(portOf(supervisor, "web", "http"));
  Deno.kill(pid ?? 0, "SIGSTOP");
  // One after the other: none is helped on by the next.
  load.start(1, "connection-per-request");
  await t.until(() => load.answeredCount >= 20);
  const { failures, bodies } = await load.stop();
  assertEquals(failures, []);
  assert([...bodies].every((body) => body.endsWith(" 1")));
});
