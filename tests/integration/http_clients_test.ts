import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { SeededRandom } from "../../src/base/mod.ts";
import { patternBytes, testSeeds, withSeed } from "../support/driver_seed.ts";
import { type Child, startExample } from "../support/net_child.ts";
import { assertSameBytes, driverSuffix, REAL_DRIVERS } from "../support/net_harness.ts";
import { withWatchdog } from "../support/watchdog.ts";

const WATCHDOG_MS = 120_000;
const CLIENT_COUNT = 200;
const REQUESTS_PER_CLIENT = 10;
const BODY_BYTES_MAX = 100_000;

async function withServer(driver: string, body: (url: string, child: Child) => Promise<void>): Promise<void> {
  await withWatchdog(WATCHDOG_MS, async () => {
    await using child = await startExample("http_echo", ["--addr", "127.0.0.1:0", "--driver", driver]);
    const [, url] = await child.says(/listening on (http:\S+)/);
    await body(url, child);
    child.kill("SIGINT");
    const { code, signal, stderr } = await child.ended();
    assertEquals({ code, signal, stderr }, { code: 0, signal: null, stderr: "" });
  });
}

/** One client: greetings and echoes of random bodies, one after the other. */
async function runClient(url: string, seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  for (let request = 0; request < REQUESTS_PER_CLIENT; request++) {
    if (random.below(2) === 0) {
      const response = await fetch(url);
      assertEquals([response.status, await response.text()], [200, "Hello world!"]);
      continue;
    }
    const bytes = patternBytes(seed + request, random.below(BODY_BYTES_MAX));
    const body = random.below(2) === 0 ? bytes : new Blob([bytes]).stream();
    const response = await fetch(`${url}echo`, { method: "POST", body });
    assertStrictEquals(response.status, 200);
    assertSameBytes(new Uint8Array(await response.arrayBuffer()), bytes);
  }
}

for (const driver of REAL_DRIVERS) {
  Deno.test({
    name: `http_echo serves ${CLIENT_COUNT} clients at once without an error ${driverSuffix(driver)}`,
    ignore: driver.skipReason !== undefined,
    async fn() {
      const [seed] = testSeeds(1);
      await withSeed(seed, () =>
        withServer(driver.name, async (url) => {
          const clients = Array.from({ length: CLIENT_COUNT }, (_, index) =>
            runClient(url, seed + 1000 * index));
          await Promise.all(clients);
        }));
    },
  });

  Deno.test({
    name: `http_echo survives ${CLIENT_COUNT} clients that give up halfway ${driverSuffix(driver)}`,
    ignore: driver.skipReason !== undefined,
    async fn() {
      const [seed] = testSeeds(1);
      await withSeed(seed, () =>
        withServer(driver.name, async (url) => {
          const random = new SeededRandom(seed);
          await Promise.all(Array.from({ length: CLIENT_COUNT }, async () => {
            const controller = new AbortController();
            setTimeout(() => controller.abort(), random.below(50));
            const body = new Blob([new Uint8Array(1 << 20)]).stream();
            const { signal } = controller;
            await fetch(`${url}echo`, { method: "POST", body, signal })
              .then((response) => response.arrayBuffer())
              .catch((error) => assertStrictEquals(error.name, "AbortError", `${error}`));
          }));
          const response = await fetch(url);
          assertStrictEquals(await response.text(), "Hello world!");
        }));
    },
  });

  Deno.test({
    name: `http_echo stopped under load finishes what it has begun ${driverSuffix(driver)}`,
    ignore: driver.skipReason !== undefined,
    async fn() {
      await withServer(driver.name, async (url, child) => {
        let [answered, stopping] = [0, false];
        const clients = Array.from({ length: 50 }, async () => {
          for (;;) {
            let response: Response;
            try {
              response = await fetch(`${url}echo`, { method: "POST", body: patternBytes(1, 20_000) });
            } catch (error) {
              // Refused, or on a connection that was closed while idle: nothing had been answered.
              assert(stopping, `${error}`);
              return;
            }
            // Whose head has come comes whole.
            assertSameBytes(new Uint8Array(await response.arrayBuffer()), patternBytes(1, 20_000));
            answered++;
          }
        });
        while (answered < 500) await new Promise((resolve) => setTimeout(resolve, 1));
        stopping = true;
        child.kill("SIGINT");
        await Promise.all(clients);
      });
    },
  });
}
