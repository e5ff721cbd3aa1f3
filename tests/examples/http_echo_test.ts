import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { patternBytes } from "../support/driver_seed.ts";
import { type Child, startExample } from "../support/net_child.ts";
import { assertSameBytes, driverSuffix, readToEnd, REAL_DRIVERS } from "../support/net_harness.ts";
import { withWatchdog } from "../support/watchdog.ts";

const WATCHDOG_MS = 60_000;

interface Server {
  readonly child: Child;
  readonly port: number;
  readonly url: string;
}

/** Starts the example on a free port and waits until it serves. */
async function start(driver: string): Promise<Server & AsyncDisposable> {
  const child = await startExample("http_echo", ["--addr", "127.0.0.1:0", "--driver", driver]);
  const match = await child.says(/^listening on (http:\/\/127\.0\.0\.1:(\d+)\/) \(driver: (\w+)\)\n/m);
  assertStrictEquals(match[3], driver);
  return {
    child,
    port: Number(match[2]),
    url: match[1],
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

/** Sends `text` and gives the whole answer, up to the end of the connection. */
async function exchange(port: number, text: string): Promise<string> {
  using conn = await Deno.connect({ port });
  await conn.write(new TextEncoder().encode(text));
  return new TextDecoder().decode(await readToEnd(conn));
}

function exampleTest(name: string, body: (server: Server) => Promise<void>): void {
  for (const driver of REAL_DRIVERS) {
    Deno.test({
      name: `examples/http_echo.ts ${name} ${driverSuffix(driver)}`,
      ignore: driver.skipReason !== undefined,
      async fn() {
        await withWatchdog(WATCHDOG_MS, async () => {
          await using server = await start(driver.name);
          await body(server);
        });
      },
    });
  }
}

exampleTest("answers GET / and HEAD /", async ({ url, port }) => {
  const response = await fetch(url);
  assertStrictEquals(response.status, 200);
  assertStrictEquals(await response.text(), "Hello world!");
  const head = await fetch(url, { method: "HEAD" });
  assertStrictEquals(head.status, 200);
  assertStrictEquals(head.headers.get("content-length"), "12");
  assertStrictEquals(await head.text(), "");
  const raw = await exchange(port, "HEAD / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  assertMatch(raw, /^HTTP\/1\.1 200 /);
  assertMatch(raw, /\r\n\r\n$/);
});

exampleTest("streams a large body of POST /echo back", async ({ url }) => {
  const bytes = patternBytes(1, 8 << 20);
  const known = await fetch(`${url}echo`, {
    method: "POST",
    body: bytes,
    headers: { "content-type": "application/x-pattern" },
  });
  assertStrictEquals(known.headers.get("content-type"), "application/x-pattern");
  assertSameBytes(new Uint8Array(await known.arrayBuffer()), bytes);

  // Of unknown length, so chunked.
  const chunked = await fetch(`${url}echo`, { method: "POST", body: new Blob([bytes]).stream() });
  assertStrictEquals(chunked.status, 200);
  assertSameBytes(new Uint8Array(await chunked.arrayBuffer()), bytes);

  const empty = await fetch(`${url}echo`, { method: "POST" });
  assertEquals([empty.status, await empty.text()], [200, ""]);
});

exampleTest("sends the first bytes of POST /echo back before the last have come", async ({ url }) => {
  const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
  const writer = writable.getWriter();
  writer.write(new Uint8Array([1]));
  const response = await fetch(`${url}echo`, { method: "POST", body: readable });
  assert(response.body !== null);
  const reader = response.body.getReader();
  for (let round = 1; round <= 5; round++) {
    assertEquals((await reader.read()).value, new Uint8Array([round]));
    if (round < 5) await writer.write(new Uint8Array([round + 1]));
  }
  await writer.close();
  assertStrictEquals((await reader.read()).done, true);
});

exampleTest("answers 404 and 405 with what is allowed", async ({ url }) => {
  const cases: [path: string, method: string, status: number, allow: string | null][] = [
    ["nowhere", "GET", 404, null],
    ["nowhere", "POST", 404, null],
    ["", "POST", 405, "GET, HEAD"],
    ["", "DELETE", 405, "GET, HEAD"],
    ["echo", "GET", 405, "POST"],
    ["?query", "GET", 200, null],
  ];
  for (const [path, method, status, allow] of cases) {
    const response = await fetch(url + path, { method });
    await response.body?.cancel();
    assertEquals([response.status, response.headers.get("allow")], [status, allow], `${method} /${path}`);
  }
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  exampleTest(
    `answers the request in flight at ${signal}, refuses others and exits with 0`,
    async (server) => {
      const { child, port } = server;
      using conn = await Deno.connect({ port });
      const encoder = new TextEncoder();
      await conn.write(encoder.encode("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhello"));
      assertMatch(await readUntil(conn, "hello"), /^HTTP\/1\.1 200 /);
      child.kill(signal);
      await child.says(/^stopping/m);
      await refused(port);
      await conn.write(encoder.encode("world"));
      assertMatch(new TextDecoder().decode(await readToEnd(conn)), /world/);
      const { code, signal: killed, stderr } = await child.ended();
      assertEquals({ code, killed, stderr }, { code: 0, killed: null, stderr: "" });
    },
  );
}

exampleTest("closes idle connections at SIGINT", async ({ child, port }) => {
  using idle = await Deno.connect({ port });
  using served = await Deno.connect({ port });
  await served.write(new TextEncoder().encode("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
  assert(await served.read(new Uint8Array(1000)));
  child.kill("SIGINT");
  assertStrictEquals((await readToEnd(idle)).byteLength, 0);
  assertStrictEquals((await readToEnd(served)).byteLength, 0);
  assertStrictEquals((await child.ended()).code, 0);
});

/** Reads until `text` has come. */
async function readUntil(conn: Deno.Conn, text: string): Promise<string> {
  const into = new Uint8Array(1000);
  let found = "";
  while (!found.includes(text)) {
    const count = await conn.read(into);
    assert(count !== null, `the end came after ${JSON.stringify(found)}`);
    found += new TextDecoder().decode(into.subarray(0, count));
  }
  return found;
}

/** Resolves when connections to the port are refused. */
async function refused(port: number): Promise<void> {
  for (;;) {
    try {
      (await Deno.connect({ port })).close();
    } catch (error) {
      // It was in the queue of the listener that was just being closed, and was reset: perhaps before Deno asked for its peer's name.
      if (
        error instanceof Deno.errors.ConnectionReset ||
        error instanceof Deno.errors.NotConnected
      ) continue;
      assert(error instanceof Deno.errors.ConnectionRefused, `${error}`);
      return;
    }
  }
}

/** Leaves a request in flight, so that stopping waits. */
async function requestInFlight(port: number): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ port });
  await conn.write(
    new TextEncoder().encode("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhello"),
  );
  await readUntil(conn, "hello");
  return conn;
}

exampleTest("ends at once with 130 at a second SIGINT", async ({ child, port }) => {
  using conn = await requestInFlight(port);
  child.kill("SIGINT");
  await child.says(/^stopping/m);
  // Longer than an echo of the first takes.
  await new Promise((resolve) => setTimeout(resolve, 400));
  child.kill("SIGINT");
  assertEquals(await child.ended().then(({ code, signal }) => [code, signal]), [130, null]);
  await conn.read(new Uint8Array(1)).catch(() => {});
});

for (const gapMs of [0, 1, 5, 50]) {
  exampleTest(`takes a SIGINT that comes twice, ${gapMs} ms apart, for one`, async ({ child, port }) => {
    using conn = await requestInFlight(port);
    child.kill("SIGINT");
    if (gapMs > 0) await new Promise((resolve) => setTimeout(resolve, gapMs));
    child.kill("SIGINT");
    await child.says(/^stopping/m);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await conn.write(new TextEncoder().encode("world"));
    assertMatch(new TextDecoder().decode(await readToEnd(conn)), /world/);
    const { code, signal } = await child.ended();
    assertEquals([code, signal], [0, null]);
  });
}

exampleTest("says one clear line and exits with 1 when the port is taken", async ({ child, port }) => {
  const driver = /driver: (\w+)/.exec(child.stdout)?.[1] ?? "";
  await using second = await startExample("http_echo", ["--addr", `127.0.0.1:${port}`, "--driver", driver]);
  const { code, stdout, stderr } = await second.ended();
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, new RegExp(`^http_echo: .*127\\.0\\.0\\.1:${port}.*in use.*\\n$`));
});
