import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { SeededRandom } from "../../../src/base/mod.ts";
import { testSeeds, withSeed } from "../../support/driver_seed.ts";
import { fileURLToPath } from "node:url";
import { SharedQueue } from "../../../src/ipc/queue/mod.ts";
import { HttpLoad } from "../../support/http_load.ts";
import { nativeStatus } from "../../../ffi/mod.ts";
import { portOf, processTest, workerSpec } from "../../support/process_harness.ts";
import { signalIfThere } from "../../support/processes.ts";

const CORES = new URL("./cores_worker.ts", import.meta.url);
const QUEUE = fileURLToPath(new URL("./queue_worker.ts", import.meta.url));

processTest(
  "Worker.startCores() serves one socket on several threads, and drains them all on a reload",
  async (t) => {
    const listen = [{ name: "http", hostname: "127.0.0.1", port: 0 }];
    const { supervisor, events } = await t.supervise([workerSpec(CORES, { listen })]);
    await supervisor.ready();
    const load = new HttpLoad(portOf(supervisor, "web", "http"));
    load.start(2, "keep-alive");
    load.start(4, "connection-per-request");
    await t.until(() => new Set([...load.bodies].map((body) => body.split(" ")[1])).size === 2);
    await supervisor.reload("web");
    const before = load.answeredCount;
    await t.until(() => load.answeredCount > before + 20);
    const { failures, bodies } = await load.stop();
    assertEquals(failures, []);
    assertStrictEquals(new Set([...bodies].map((body) => body.split(" ")[0])).size, 2);
    const exited = events.find((event) => event.type === "exited");
    assert(exited?.type === "exited" && exited.status.code === 0);
  },
);

if (nativeStatus().available) {
  processTest("Worker.consume() works off a queue, and loses and doubles nothing on a reload", async (t) => {
    const log = `${t.directory}/log`;
    const count = 200;
    using queue = SharedQueue.create("tasks", { directory: t.directory, capacity: count });
    const spec = workerSpec(QUEUE, { name: "queue", instances: 2 });
    const { supervisor } = await t.supervise([{ ...spec, args: [...spec.args ?? [], t.directory, log] }]);
    await supervisor.ready();
    for (let number = 0; number < count / 2; number++) await queue.send(String(number));
    const reloaded = supervisor.reload("queue");
    for (let number = count / 2; number < count; number++) await queue.send(String(number));
    await reloaded;
    const done = async () => (await Deno.readTextFile(log).catch(() => "")).trim().split("\n");
    await t.until(async () => (await done()).length >= count);
    const numbers = (await done()).map(Number).sort((a, b) => a - b);
    assertEquals(numbers, Array.from({ length: count }, (_, index) => index));
    const { readyCount, reservedCount } = queue.status();
    assertEquals([readyCount, reservedCount], [0, 0]);
  });

  processTest("Worker.consume(): what workers are killed with is worked off by others", async (t) => {
    const log = `${t.directory}/log`;
    const count = 200;
    const [seed] = testSeeds(1);
    await withSeed(seed, async () => {
      const random = new SeededRandom(seed);
      using queue = SharedQueue.create("tasks", { directory: t.directory, capacity: count });
      const restart = { delayMs: 1, delayMsMax: 1, restartsMax: 1000 };
      const spec = workerSpec(QUEUE, { name: "queue", instances: 2, restart });
      const { supervisor } = await t.supervise([{ ...spec, args: [...spec.args ?? [], t.directory, log] }]);
      await supervisor.ready();
      for (let number = 0; number < count; number++) await queue.send(String(number));
      const done = async () => new Set((await Deno.readTextFile(log).catch(() => "")).trim().split("\n"));
      let kills = 0;
      while (kills < 6 && (await done()).size < count) {
        const [pid] = supervisor.status().flatMap(({ pid }) => pid ?? []);
        if (pid !== undefined && signalIfThere(pid, "SIGKILL")) kills++;
        await new Promise((resolve) => setTimeout(resolve, random.below(60)));
      }
      assert(kills > 0);
      await t.until(async () => (await done()).size >= count);
      await t.until(() => {
        const { readyCount, reservedCount } = queue.status();
        return readyCount + reservedCount === 0;
      });
    });
  });
}
