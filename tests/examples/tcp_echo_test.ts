import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { patternBytes } from "../support/driver_seed.ts";
import { type Child, startExample } from "../support/net_child.ts";
import { assertSameBytes, driverSuffix, readToEnd, REAL_DRIVERS } from "../support/net_harness.ts";
import { withWatchdog } from "../support/watchdog.ts";

const WATCHDOG_MS = 60_000;

function exampleTest(name: string, body: (child: Child, port: number) => Promise<void>): void {
  for (const driver of REAL_DRIVERS) {
    Deno.test({
      name: `examples/tcp_echo.ts ${name} ${driverSuffix(driver)}`,
      ignore: driver.skipReason !== undefined,
      async fn() {
        await withWatchdog(WATCHDOG_MS, async () => {
          await using child = await startExample("tcp_echo", [
            "--addr",
            "127.0.0.1:0",
            "--driver",
            driver.name,
          ]);
          const match = await child.says(/^listening on 127\.0\.0\.1:(\d+) \(driver: (\w+)\)\n/m);
          assertStrictEquals(match[2], driver.name);
          await body(child, Number(match[1]));
        });
      },
    });
  }
}

/** Sends `bytes`, ends that direction, and gives what comes back. */
async function echo(port: number, bytes: Uint8Array): Promise<Uint8Array> {
  using conn = await Deno.connect({ port });
  const sending = (async () => {
    for (let at = 0; at < bytes.byteLength;) at += await conn.write(bytes.subarray(at));
    await conn.closeWrite();
  })();
  const [found] = await Promise.all([readToEnd(conn), sending]);
  return found;
}

exampleTest("sends every byte back, to many clients at once", async (_child, port) => {
  await Promise.all(Array.from({ length: 20 }, async (_, index) => {
    const bytes = patternBytes(index, index * 50_000);
    assertSameBytes(await echo(port, bytes), bytes);
  }));
});

exampleTest("goes on when clients vanish", async (child, port) => {
  for (let round = 0; round < 20; round++) {
    const conn = await Deno.connect({ port });
    await conn.write(new Uint8Array(50_000));
    conn.close();
  }
  assertSameBytes(await echo(port, patternBytes(1, 1000)), patternBytes(1, 1000));
  child.kill("SIGTERM");
  const { code, stderr } = await child.ended();
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
});

exampleTest("waits for a client that does not read, and serves the others", async (_child, port) => {
  using stuck = await Deno.connect({ port });
  let stuckBytes = 0;
  const sending = (async () => {
    for (;;) stuckBytes += await stuck.write(new Uint8Array(65_536));
  })().catch(() => {});
  for (let before = -1; before !== stuckBytes;) {
    before = stuckBytes;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assertSameBytes(await echo(port, patternBytes(2, 300_000)), patternBytes(2, 300_000));
  stuck.close();
  await sending;
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  exampleTest(`ends at ${signal} with 0, and closes its connections`, async (child, port) => {
    using conn = await Deno.connect({ port });
    await conn.write(new Uint8Array([1]));
    await conn.read(new Uint8Array(1));
    child.kill(signal);
    const { code, signal: killed, stderr } = await child.ended();
    assertEquals({ code, killed, stderr }, { code: 0, killed: null, stderr: "" });
    const end = await conn.read(new Uint8Array(1)).catch((error) => error);
    assert(end === null || end instanceof Deno.errors.ConnectionReset, `${end}`);
  });
}

for (const gapMs of [0, 1, 5]) {
  exampleTest(`takes a SIGINT that comes twice, ${gapMs} ms apart, for one`, async (child) => {
    child.kill("SIGINT");
    if (gapMs > 0) await new Promise((resolve) => setTimeout(resolve, gapMs));
    child.kill("SIGINT");
    const { code, signal } = await child.ended();
    assertEquals([code, signal], [0, null]);
  });
}

exampleTest("says one clear line and exits with 1 when the port is taken", async (child, port) => {
  const driver = /driver: (\w+)/.exec(child.stdout)?.[1] ?? "";
  await using second = await startExample("tcp_echo", ["--addr", `127.0.0.1:${port}`, "--driver", driver]);
  const { code, stdout, stderr } = await second.ended();
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, new RegExp(`^tcp_echo: .*127\\.0\\.0\\.1:${port}.*in use.*\\n$`));
});
