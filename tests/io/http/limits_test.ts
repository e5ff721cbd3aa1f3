import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { HTTP_LIMITS, type HttpLimits, HttpResponse, serve } from "../../../src/io/http/mod.ts";
import { resolveLimits } from "../../../src/io/http/limits.ts";
import { chunk, letters } from "../../support/http_bytes.ts";
import type { RawClient } from "../../support/http_client.ts";
import { type Http, httpTest } from "../../support/http_harness.ts";

/** More than what a server reads behind an error answer, and what the buffers of the kernel hold. */
const SENT_BYTES_MAX = 40 << 20;
const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

/** Asserts the answer of a server that refuses, and that the connection ends behind it. */
async function assertRefused(client: RawClient, status: number): Promise<void> {
  const { status: found, field } = await client.response();
  assertEquals([found, field("connection")], [status, "close"]);
  await client.assertEnd();
}

/** Sends `text`, then more for as long as the server takes it, up to `moreBytes`. */
function sendOn(client: RawClient, text: string, moreBytes: number): Promise<boolean> {
  return client.sendIfOpen(text + letters(moreBytes));
}

/** Messages that are refused at their head, and with which status. */
const REFUSED: readonly (readonly [name: string, limits: HttpLimits, text: string, status: number])[] = [
  [
    "headerBytesMax",
    { headerBytesMax: 1000 },
    `GET / HTTP/1.1\r\nhost: a\r\nx: ${letters(1000)}\r\n\r\n`,
    431,
  ],
  [
    "headerBytesMax, no end",
    { headerBytesMax: 1000 },
    `GET / HTTP/1.1\r\nhost: a\r\nx: ${letters(1000)}`,
    431,
  ],
  ["headerBytesMax by default", {}, `GET / HTTP/1.1\r\nhost: a\r\nx: ${letters(16_384)}`, 431],
  ["targetBytesMax", { targetBytesMax: 100 }, `GET /${letters(100)} HTTP/1.1\r\nhost: a\r\n\r\n`, 414],
  ["targetBytesMax, no end", { targetBytesMax: 100 }, `GET /${letters(300)}`, 414],
  ["targetBytesMax by default", {}, `GET /${letters(9000)}`, 414],
  ["bodyBytesMax", { bodyBytesMax: 1000 }, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1001\r\n\r\n", 413],
  ["bodyBytesMax by default", {}, "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 67108865\r\n\r\n", 413],
  [
    "bodyBytesMax, expected",
    { bodyBytesMax: 1000 },
    "POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 1001\r\n\r\n",
    413,
  ],
];

for (const [name, limits, text, status] of REFUSED) {
  httpTest(`serve() answers ${status} for what is over ${name}, and closes`, async (http) => {
    const server = http.serve(() => new HttpResponse("not reached"), limits);
    for (const moreBytes of [0, 300_000]) {
      const client = await http.connect(server);
      const sending = sendOn(client, text, moreBytes);
      await assertRefused(client, status);
      await sending;
    }
    const pipelined = await http.connect(server);
    await pipelined.send(GET + GET + text);
    assertStrictEquals((await pipelined.response()).body, "not reached");
    assertStrictEquals((await pipelined.response()).body, "not reached");
    await assertRefused(pipelined, status);
    assertEquals([server.statistics.requestCount, server.statistics.rejectedCount], [2, 3]);
  }, { simulatedRunCount: 2 });
}

httpTest("serve() takes what is just within its limits", async (http) => {
  const limits = { headerBytesMax: 1000, targetBytesMax: 100, bodyBytesMax: 1000 };
  const server = http.serve(
    async (request) => new HttpResponse(`${request.target.length} ${(await request.text()).length}`),
    limits,
  );
  const client = await http.connect(server);
  const body = letters(1000);
  const head = `POST /${letters(99)} HTTP/1.1\r\nhost: a\r\nx: \r\ncontent-length: 1000\r\n\r\n`;
  await client.send(head.replace("x: ", `x: ${letters(1000 - head.length)}`) + body);
  assertStrictEquals((await client.response()).body, "100 1000");
  await client.send(
    `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n${chunk(letters(999))}${
      chunk("x")
    }0\r\n\r\n`,
  );
  assertStrictEquals((await client.response()).body, "1 1000");
});

/** A handler that reads the body in one of several ways, and what it found. */
function bodyReader(http: Http, way: string, found: unknown[]) {
  return async (request: Request): Promise<Response> => {
    if (way === "slow") await http.sleep(20);
    if (way === "never") return await new Promise(() => {});
    try {
      found.push((await request.text()).length);
    } catch (error) {
      found.push(error);
      if (way === "throws") throw error;
    }
    return new HttpResponse("nobody hears this");
  };
}

for (const way of ["reads", "slow", "never", "throws"]) {
  httpTest(`serve() answers 413 for chunks over bodyBytesMax when a handler ${way}`, async (http) => {
    const found: unknown[] = [];
    const completed: Promise<unknown>[] = [];
    const handler = bodyReader(http, way, found);
    const onError = () => new HttpResponse("nobody hears this either", { status: 500 });
    const server = http.serve((request, info) => {
      completed.push(info.completed.then(() => "sent", () => "failed"));
      return handler(request);
    }, { bodyBytesMax: 1000, onError });
    for (
      const text of [chunk(letters(1001)), chunk(letters(600)) + chunk(letters(600)), chunk("x").repeat(1001)]
    ) {
      const client = await http.connect(server);
      const sending = sendOn(
        client,
        `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n${text}`,
        100_000,
      );
      await assertRefused(client, 413);
      await sending;
    }
    await http.disconnect();
    await http.until(() => way === "never" || found.length === 3);
    for (const error of found) assertMatch(`${error}`, /bodyBytesMax/);
    assertEquals(await Promise.all(completed), ["failed", "failed", "failed"]);
    assertStrictEquals(server.statistics.rejectedCount, 3);
  });
}

httpTest("serve() sends nothing behind 413, although the handler's response was under way", async (http) => {
  const cancelled: unknown[] = [];
  const server = http.serve(({ target }) => {
    const stream = new ReadableStream({
      async pull(controller) {
        if (target === "/late") await http.sleep(30);
        controller.enqueue(new TextEncoder().encode("too late"));
      },
      cancel: (reason) => {
        cancelled.push(reason);
      },
    });
    return new Response(stream);
  }, { bodyBytesMax: 1000 });
  for (const target of ["/soon", "/late"]) {
    const client = await http.connect(server);
    const head = `POST ${target} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n`;
    await client.send(head + chunk(letters(2000)));
    await assertRefused(client, 413);
  }
  await http.until(() => cancelled.length === 2);
}, { drivers: ["uring", "deno"] });

httpTest(
  "serve() cuts the connection when a body goes wrong behind the beginning of the answer",
  async (http) => {
    const server = http.serve((request) => {
      const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
      const writer = writable.getWriter();
      writer.write(new TextEncoder().encode("begun")).catch(() => {});
      request.text().then(() => writer.close()).catch((error) => writer.abort(error)).catch(() => {});
      return new Response(readable);
    }, { bodyBytesMax: 1000 });
    const client = await http.connect(server);
    await client.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
    const begun = await client.receive(30);
    assert(begun.startsWith("HTTP/1.1 200"));
    await client.send(chunk(letters(2000)));
    const rest = begun + await client.rest();
    assertStrictEquals(rest.split("HTTP/1.1").length, 2, "no second answer");
    assert(!rest.endsWith("0\r\n\r\n"), "not for a whole response");
  },
);

httpTest("serve() lets more clients than connectionsMax wait until others are gone", async (http) => {
  const server = http.serve(({ target }) => new HttpResponse(target), { connectionsMax: 3 });
  const clients = await Promise.all(Array.from({ length: 12 }, () => http.connect(server)));
  const answered = new Set<RawClient>();
  const waiting = clients.map(async (client) => {
    await client.send(GET);
    assertStrictEquals((await client.response()).body, "/");
    answered.add(client);
    return client;
  });
  let countMax = 0;
  for (let left = clients.length; left > 0; left -= 3) {
    await http.until(() => answered.size === 3);
    await http.sleep(20);
    assertStrictEquals(answered.size, 3, "no more than three are served at once");
    countMax = Math.max(countMax, server.statistics.connectionCount);
    for (const client of answered) client.close();
    answered.clear();
  }
  await Promise.all(waiting);
  assertStrictEquals(countMax, 3);
  assertStrictEquals(server.statistics.acceptedCount, 12);
});

httpTest(
  "serve() answers 431 and 413 although the client goes on sending, and does not read for ever",
  async (http) => {
    const server = http.serve(() => new HttpResponse("not reached"), { headerBytesMax: 1000 });
    const client = await http.connect(server);
    let sent = 0;
    const sending = (async () => {
      const piece = letters(100_000);
      for (; sent < SENT_BYTES_MAX; sent += piece.length) if (!await client.sendIfOpen(piece)) return;
    })();
    await sending;
    assert(sent < SENT_BYTES_MAX, "the server took everything");
    await http.until(() => server.statistics.connectionCount === 0);
  },
  { simulatedRunCount: 1 },
);

Deno.test("resolveLimits() gives the defaults that are documented", () => {
  assertEquals(resolveLimits({}), HTTP_LIMITS);
  assertEquals({ ...HTTP_LIMITS }, {
    headerBytesMax: 16_384,
    targetBytesMax: 8192,
    bodyBytesMax: 67_108_864,
    discardBytesMax: 262_144,
    connectionsMax: 16_384,
    headerTimeoutMs: 10_000,
    bodyTimeoutMs: 300_000,
    idleTimeoutMs: 75_000,
    writeTimeoutMs: 30_000,
    shutdownTimeoutMs: 10_000,
  });
});

Deno.test("resolveLimits() throws RangeError for what is out of range, and names it", () => {
  for (const name of Object.keys(HTTP_LIMITS) as (keyof HttpLimits)[]) {
    for (const value of [0, -1, NaN, -Infinity, "x", null, {}]) {
      assertThrowsMatching(() => resolveLimits({ [name]: value }), (error) => {
        return error instanceof RangeError && error.message.includes(name);
      }, `${name} ${value}`);
    }
    assertStrictEquals(resolveLimits({ [name]: undefined })[name], HTTP_LIMITS[name]);
  }
  assertThrows(() => resolveLimits({ headerBytesMax: (1 << 20) + 1 }), RangeError);
  assertStrictEquals(resolveLimits({ headerBytesMax: 1 << 20 }).headerBytesMax, 1 << 20);
});

Deno.test("resolveLimits() makes whole numbers of what the parsers take", () => {
  const { headerBytesMax, targetBytesMax } = resolveLimits({
    headerBytesMax: 99.5,
    targetBytesMax: Infinity,
  });
  assertEquals([headerBytesMax, targetBytesMax], [100, 100]);
});

httpTest("serve() throws RangeError for a limit out of range, and does not keep the port", (http) => {
  const { port } = http.serve(() => new HttpResponse("x")).addr;
  const options = { hostname: "127.0.0.1", port: 0, reactor: http.reactor };
  assertThrows(() => serve({ ...options, idleTimeoutMs: -1 }, () => new HttpResponse("x")), RangeError);
  assertThrows(
    () => serve({ ...options, port, idleTimeoutMs: -1 }, () => new HttpResponse("x")),
    Deno.errors.AddrInUse,
  );
});

httpTest("serve() takes limits without bounds", async (http) => {
  const unbounded = Object.fromEntries(Object.keys(HTTP_LIMITS).map((name) => [name, Infinity]));
  const server = http.serve(async (request) => new HttpResponse(await request.text()), {
    ...unbounded,
    headerBytesMax: 1 << 20,
  });
  const client = await http.connect(server);
  await client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello");
  assertStrictEquals((await client.response()).body, "hello");
  await client.send(`GET /${letters(100_000)} HTTP/1.1\r\nhost: a\r\n\r\n`);
  assertStrictEquals((await client.response()).status, 200);
});
