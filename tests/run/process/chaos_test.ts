import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { SeededRandom } from "../../../src/base/mod.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";
import { HttpLoad } from "../../support/http_load.ts";
import type { MasterProcess } from "../../support/master_process.ts";
import { type ProcessHarness, processTest, workerSpec } from "../../support/process_harness.ts";
import { isRunning, signalIfThere } from "../../support/processes.ts";

const WORKER = new URL("./http_worker.ts", import.meta.url);
/** What is done to the workers in a run; more by the variable, for a night's run. */
const STRIKES = Number(Deno.env.get("MILLRACE_CHAOS_STRIKES") ?? 6);
/** Milliseconds in which that is done; on a busy machine it is less. */
const STRIKING_MS_MAX = Number(Deno.env.get("MILLRACE_CHAOS_MS") ?? 5000);
const STRIKES_MIN = 2;
/** Milliseconds after which no reload in a row is begun any more. */
const RELOADING_MS_MAX = 15_000;
const RELOADS_IN_A_ROW = 2;
const CLIENTS = 4;

processTest(
  "Supervisor: no request is dropped by a reload, and no process is left, whoever is killed or stopped",
  async (t) => {
    const [seed] = testSeeds(1);
    await withSeed(seed, () => runChaos(t, new SeededRandom(seed)));
  },
);

async function runChaos(t: ProcessHarness, random: SeededRandom): Promise<void> {
  const startMs = performance.now();
  const control = `${t.directory}/control`;
  const master = t.master([
    workerSpec(WORKER, {
      instances: 2,
      listen: [{ name: "http", hostname: "127.0.0.1", port: 0 }],
      health: { kind: "heartbeat", intervalMs: 1000, failuresMax: 4 },
      restart: { delayMs: 10, delayMsMax: 100, restartsMax: 10_000 },
      ready: { kind: "message", timeoutMs: 8000 },
      output: { kind: "null" },
    }),
  ], { controlPath: control });
  await t.until(() => master.count("ready") >= 2);
  const address = master.addresses[0].http;
  assert("port" in address);
  const load = new HttpLoad(address.port);
  load.start(CLIENTS / 2, "keep-alive");
  load.start(CLIENTS / 2, "connection-per-request", "/?ms=5");
  let killCount = 0;
  let strikeCount = 0;
  const endMs = performance.now() + STRIKING_MS_MAX;
  for (; strikeCount < STRIKES && performance.now() < endMs; strikeCount++) {
    await new Promise((resolve) => setTimeout(resolve, random.below(300)));
    let alive: number[] = [];
    await t.until(() => (alive = [...master.pids].filter(isRunning)).length > 0);
    const victim = alive[random.below(alive.length)];
    const kind = random.below(3);
    if (kind === 0) {
      signalIfThere(victim, "SIGKILL");
      killCount++;
    } else if (kind === 1) signalIfThere(victim, "SIGSTOP");
    else master.kill("SIGUSR1");
  }
  assert(strikeCount >= STRIKES_MIN, `${strikeCount} strikes in ${STRIKING_MS_MAX} ms`);
  // It comes to rest: all that was stopped is replaced, and the last reload over, which the signal before may have asked for.
  await reloadOnce(t, master, load);
  await t.until(() => master.count("reloading") === master.count("reloaded") + master.count("reload-failed"));
  await t.until(() => [...master.pids].filter(isRunning).length === 2);
  // One that had to be killed after a hang has lost what it had, too.
  killCount += master.count("killed");
  assertStrictEquals(master.count("gave-up"), 0);
  const lost = load.failures.length;
  assert(lost <= killCount * CLIENTS, `${lost} lost, ${killCount} killed: ${load.failures.join("\n")}`);
  // Nobody is killed any more, so nothing may be lost.
  let reloadCount = 0;
  do await reloadOnce(t, master, load); while (
    ++reloadCount < RELOADS_IN_A_ROW && performance.now() < startMs + RELOADING_MS_MAX
  );
  const { failures, answeredCount } = await load.stop();
  assertEquals(failures.slice(lost), []);
  assert(answeredCount > 0);
  master.kill("SIGKILL");
  await master.status;
  await t.until(() => [...master.pids].filter(isRunning).length === 0);
  await t.until(() => master.leftOver().length === 0);
  await t.until(() => Deno.lstat(control).then(() => false, () => true));
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
