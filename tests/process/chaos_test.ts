import assert from "node:assert/strict";
import { SeededRandom } from "../../src/base/mod.ts";
import { testSeeds, withSeed } from "../support/driver_seed.ts";
import { HttpLoad } from "../support/http_load.ts";
import { MasterProcess } from "../support/master_process.ts";
import { isRunning, type ProcessHarness, processTest, workerSpec } from "../support/process_harness.ts";

const WORKER = new URL("./_http_worker.ts", import.meta.url);
/** What is done to the workers in a run; more by the variable, for a night's run. */
const STRIKES = Number(Deno.env.get("MILLRACE_CHAOS_STRIKES") ?? 6);
const CLIENTS = 4;

processTest(
  "Supervisor: no request is dropped by a reload, and no process is left, whoever is killed or stopped",
  async (t) => {
    const [seed] = testSeeds(1);
    await withSeed(seed, () => runChaos(t, new SeededRandom(seed)));
  },
);

async function runChaos(t: ProcessHarness, random: SeededRandom): Promise<void> {
  const control = `${t.directory}/control`;
  const master = new MasterProcess(t.directory, [
    workerSpec(WORKER, {
      instances: 2,
      listen: [{ name: "http", hostname: "127.0.0.1", port: 0 }],
      health: { kind: "heartbeat", intervalMs: 1000, failuresMax: 4 },
      restart: { delayMs: 10, delayMsMax: 100, restartsMax: 10_000 },
      ready: { kind: "message", timeoutMs: 15_000 },
      output: { kind: "null" },
    }),
  ], control);
  await t.until(() => master.count("ready") >= 2);
  const address = master.addresses[0].http;
  assert.ok("port" in address);
  const load = new HttpLoad(address.port);
  load.start(CLIENTS / 2, "keep-alive");
  load.start(CLIENTS / 2, "connection-per-request", "/?ms=5");
  let killCount = 0;
  for (let strike = 0; strike < STRIKES; strike++) {
    await new Promise((resolve) => setTimeout(resolve, random.below(300)));
    let alive: number[] = [];
    await t.until(() => (alive = [...master.pids].filter(isRunning)).length > 0);
    const victim = alive[random.below(alive.length)];
    const kind = random.below(3);
    if (kind === 0) {
      strikeDown(victim, "SIGKILL");
      killCount++;
    } else if (kind === 1) strikeDown(victim, "SIGSTOP");
    else master.kill("SIGUSR1");
  }
  // It comes to rest: all that was stopped is replaced, and the last reload over, which the signal before may have asked for.
  await reloadOnce(t, master, load);
  await t.until(() => master.count("reloading") === master.count("reloaded") + master.count("reload-failed"));
  await t.until(() => [...master.pids].filter(isRunning).length === 2);
  // One that had to be killed after a hang has lost what it had, too.
  killCount += master.count("killed");
  assert.equal(master.count("gave-up"), 0);
  const lost = load.failures.length;
  assert.ok(lost <= killCount * CLIENTS, `${lost} lost, ${killCount} killed: ${load.failures.join("\n")}`);
  await reloadsInARow(t, master, load);
  const { failures, answeredCount } = await load.stop();
  assert.deepEqual(failures.slice(lost), []);
  assert.ok(answeredCount > 0);
  master.kill("SIGKILL");
  await master.status;
  await t.until(() => [...master.pids].filter(isRunning).length === 0);
  await t.until(() => master.leftOver().length === 0);
  await t.until(() => Deno.lstat(control).then(() => false, () => true));
}

/** Nobody is killed, so nothing may be lost. */
async function reloadsInARow(t: ProcessHarness, master: MasterProcess, load: HttpLoad): Promise<void> {
  for (let reload = 0; reload < 2; reload++) await reloadOnce(t, master, load);
}

async function reloadOnce(t: ProcessHarness, master: MasterProcess, load: HttpLoad): Promise<void> {
  const answered = load.answeredCount;
  const reloaded = master.count("reloaded");
  while (master.count("reloaded") === reloaded) {
    // One that was stopped before it was ready fails the reload that has started it.
    const failed = master.count("reload-failed");
    master.kill("SIGUSR1");
    await t.until(() => master.count("reloaded") > reloaded || master.count("reload-failed") > failed);
  }
  await t.until(() => load.answeredCount > answered);
}

function strikeDown(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch {
    // It has just ended by itself.
  }
}
