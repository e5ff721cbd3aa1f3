import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { patternBytes } from "../support/driver_seed.ts";
import { type Child, startExample } from "../support/net_child.ts";
import { assertSameBytes, driverSuffix, readToEnd, REAL_DRIVERS } from "../support/net_harness.ts";
import { withWatchdog } from "../support/watchdog.ts";

const WATCHDOG_MS = 60_000;

interface Server extends AsyncDisposable {
  readonly child: Child;
  readonly port: number;
  readonly url: string;
}

interface Stats {
  readonly totalCount: number;
  readonly requestCounts: readonly number[];
}

async function start(driver: string, cores: readonly string[]): Promise<Server> {
  const child = await startExample("http_echo", ["--addr", "127.0.0.1:0", "--driver", driver, ...cores]);
  const match = await child.says(
    /^listening on (http:\/\/127\.0\.0\.1:(\d+)\/) \(driver: (\w+)(?:, cores: (\d+))?\)\n/m,
  );
  assertEquals([match[3], match[4]], [driver, cores[1]]);
  return {
    child,
    url: match[1],
    port: Number(match[2]),
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** One request on a connection of its own, which the kernel gives to any core. */
async function get(port: number, path: string): Promise<string> {
  using conn = await Deno.connect({ port });
  await conn.write(new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`));
  return new TextDecoder().decode(await readToEnd(conn));
}

function serverTest(name: string, cores: readonly string[], body: (server: Server) => Promise<void>): void {
  for (const driver of REAL_DRIVERS) {
    Deno.test({
      name: `examples/http_echo.ts ${cores.join(" ")} ${name} ${driverSuffix(driver)}`,
      ignore: driver.skipReason !== undefined,
      fn: () =>
        withWatchdog(WATCHDOG_MS, async () => {
          await using server = await start(driver.name, cores);
          await body(server);
        }),
    });
  }
}

for (const cores of [[], ["--cores", "1"], ["--cores", "3"]]) {
  serverTest("counts the requests of all cores at GET /stats", cores, async ({ child, url, port }) => {
    const coreCount = Number(cores[1] ?? 1);
    for (let index = 0; index < 60; index++) assertMatch(await get(port, "/"), /Hello world!$/);
    const response = await fetch(`${url}stats`);
    assertStrictEquals(response.headers.get("content-type"), "application/json");
    const stats: Stats = await response.json();
    assertStrictEquals(stats.requestCounts.length, coreCount);
    assertStrictEquals(stats.totalCount, 61);
    assertStrictEquals(stats.requestCounts.reduce((sum, count) => sum + count), 61);
    // Sixty connections that all go to one core of three are no accident.
    for (const count of stats.requestCounts) assert(count > 0);
    const head = await fetch(`${url}stats`, { method: "HEAD" });
    assertEquals([head.status, await head.text()], [200, ""]);
    const post = await fetch(`${url}stats`, { method: "POST" });
    await post.body?.cancel();
    assertEquals([post.status, post.headers.get("allow")], [405, "GET, HEAD"]);
    const bytes = patternBytes(3, 1 << 20);
    const echo = await fetch(`${url}echo`, { method: "POST", body: bytes });
    assertSameBytes(new Uint8Array(await echo.arrayBuffer()), bytes);
    child.kill("SIGTERM");
    const { code, signal, stderr } = await child.ended();
    assertEquals([code, signal, stderr], [0, null, ""]);
  });
}

serverTest(
  "answers the request in flight at SIGINT and exits with 0",
  ["--cores", "2"],
  async ({ child, port }) => {
    using conn = await Deno.connect({ port });
    const encoder = new TextEncoder();
    await conn.write(encoder.encode("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhello"));
    let found = "";
    const into = new Uint8Array(1000);
    while (!found.includes("hello")) {
      found += new TextDecoder().decode(
        into.subarray(0, (await conn.read(into)) ?? 0),
      );
    }
    child.kill("SIGINT");
    await child.says(/^stopping/m);
    await conn.write(encoder.encode("world"));
    assertMatch(new TextDecoder().decode(await readToEnd(conn)), /world/);
    assertEquals((await child.ended()).code, 0);
  },
);

serverTest("ends at once with 130 at a second SIGINT", ["--cores", "2"], async ({ child, port }) => {
  using conn = await Deno.connect({ port });
  await conn.write(
    new TextEncoder().encode("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhello"),
  );
  assert(await conn.read(new Uint8Array(1000)));
  child.kill("SIGINT");
  await child.says(/^stopping/m);
  // Longer than an echo of the first takes.
  await new Promise((resolve) => setTimeout(resolve, 400));
  child.kill("SIGINT");
  assertEquals(await child.ended().then(({ code, signal }) => [code, signal]), [130, null]);
  await conn.read(new Uint8Array(1)).catch(() => {});
});

Deno.test("examples/http_echo.ts --cores says one clear line and exits with 1 when the port is taken", async () => {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  await using child = await startExample("http_echo", ["--addr", `127.0.0.1:${port}`, "--cores", "2"]);
  const { code, stdout, stderr } = await child.ended();
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, new RegExp(`^http_echo: .*127\\.0\\.0\\.1:${port}.*in use.*\\n$`));
});

for (const value of ["0", "257", "x", "1.5", ""]) {
  Deno.test(`examples/http_echo.ts --cores=${value} says what is wrong and exits with 2`, async () => {
    await using child = await startExample("http_echo", [`--cores=${value}`]);
    const { code, stdout, stderr } = await child.ended();
    assertEquals([code, stdout], [2, ""]);
    assertMatch(
      stderr,
      /^http_echo: --cores is ".*", expected a whole number from 1 to 256; usage: http_echo .*\n$/,
    );
  });
}
