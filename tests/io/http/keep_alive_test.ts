import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { HttpResponse, type ServeHandler } from "../../../src/io/http/mod.ts";
import { sleep } from "../../../src/base/timer/mod.ts";
import { letters } from "../../support/http_bytes.ts";
import { type Http, httpTest } from "../../support/http_harness.ts";

const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

/** Answers with method and target. */
const echoTarget: ServeHandler<Deno.NetAddr> = ({ method, target }) =>
  new HttpResponse(`${method} ${target}`);

/** Answers targets that begin with `/sync` at once, others later and in another order than asked for. */
function mixed(http: Http): ServeHandler<Deno.NetAddr> {
  return (request) => {
    if (request.pathname.startsWith("/sync")) return new HttpResponse(request.target);
    return (async () => {
      await sleep(http.random.below(4), { timers: http.reactor.timers });
      const text = `${request.target} ${request.header("x-number")}`;
      if (request.pathname.startsWith("/stream")) return new Response(new Blob([text]).stream());
      return request.pathname.startsWith("/real") ? new Response(text) : new HttpResponse(text);
    })();
  };
}

httpTest("serve() answers GET, HEAD and POST on one connection", async (http) => {
  const server = http.serve(async (request) => {
    const body = await request.text();
    return new HttpResponse(`${request.method} ${request.url} ${body}`, { headers: { "x-a": "b" } });
  });
  const client = await http.connect(server);
  for (let round = 0; round < 3; round++) {
    await client.send("GET /p?q HTTP/1.1\r\nHost: example.com:8080\r\n\r\n");
    const got = await client.response();
    assertStrictEquals(got.body, "GET http://example.com:8080/p?q ");
    assertEquals([got.status, got.reason, got.framing], [200, "OK", "length"]);
    assertStrictEquals(got.field("connection"), undefined);
    assertStrictEquals(got.field("x-a"), "b");
    await client.send("HEAD /p?q HTTP/1.1\r\nHost: example.com:8080\r\n\r\n");
    const head = await client.response({ head: true });
    assertStrictEquals(head.field("content-length"), String("HEAD http://example.com:8080/p?q ".length));
    await client.send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    assertStrictEquals((await client.response()).body, "POST http://a/p hello");
  }
  assertEquals({ ...server.statistics }, {
    connectionCount: 1,
    acceptedCount: 1,
    requestCount: 9,
    rejectedCount: 0,
    timeoutCount: 0,
  });
});

httpTest("serve() writes a Date of now in the form of IMF-fixdate", async (http) => {
  const client = await http.connect(http.serve(echoTarget));
  const before = Math.trunc(Date.now() / 1000) * 1000;
  await client.send(GET);
  const date = Date.parse((await client.response()).field("date") ?? "");
  assert(date >= before && date <= Date.now(), new Date(date).toISOString());
});

httpTest("serve() renews the Date while it answers on one connection", async (http) => {
  const client = await http.connect(http.serve(echoTarget));
  const dates = new Set<string>();
  while (dates.size < 3) {
    await client.send(GET);
    const { field } = await client.response();
    const date = field("date") ?? "";
    assert(Date.now() - Date.parse(date) > -1, "never in the future");
    dates.add(date);
    await http.sleep(50);
  }
}, { drivers: ["uring", "deno"] });

httpTest("serve() answers pipelined requests in order, whatever their handlers take", async (http) => {
  const server = http.serve(mixed(http));
  const client = await http.connect(server);
  const kinds = ["sync", "async", "stream", "real"];
  const paths = Array.from({ length: 200 }, (_, index) => `/${kinds[http.random.below(4)]}/${index}`);
  const text = paths.map((path, index) => `GET ${path} HTTP/1.1\r\nHost: a\r\nX-Number: ${index}\r\n\r\n`)
    .join("");
  const sending = (async () => {
    for (let at = 0; at < text.length;) {
      const length = 1 + http.random.below(3000);
      await client.send(text.slice(at, at + length));
      at += length;
    }
  })();
  for (const [index, path] of paths.entries()) {
    assertStrictEquals((await client.response()).body, path.startsWith("/sync") ? path : `${path} ${index}`);
  }
  await sending;
  assertStrictEquals(server.statistics.requestCount, 200);
});

httpTest("serve() answers pipelined requests with and without bodies in order", async (http) => {
  const server = http.serve(async (request) => new HttpResponse(`${request.target} ${await request.text()}`));
  const client = await http.connect(server);
  let text = "";
  const expected: string[] = [];
  for (let index = 0; index < 60; index++) {
    const body = letters(http.random.below(2000));
    const kind = http.random.below(3);
    expected.push(`/${index} ${kind === 0 ? "" : body}`);
    text += `POST /${index} HTTP/1.1\r\nHost: a\r\n`;
    if (kind === 0) text += "\r\n";
    else if (kind === 1) text += `Content-Length: ${body.length}\r\n\r\n${body}`;
    else {
      text += "Transfer-Encoding: chunked\r\n\r\n";
      for (let at = 0; at < body.length;) {
        const piece = body.slice(at, at + 1 + http.random.below(500));
        text += `${piece.length.toString(16)};x=y\r\n${piece}\r\n`;
        at += piece.length;
      }
      text += "0\r\nTrailer: z\r\n\r\n";
    }
  }
  const sending = client.send(text);
  for (const body of expected) assertStrictEquals((await client.response()).body, body);
  await sending;
});

httpTest("serve() answers a request that comes byte by byte", async (http) => {
  const server = http.serve(async (request) => new HttpResponse(`${request.target} ${await request.text()}`));
  const client = await http.connect(server);
  const text =
    "\r\nPOST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;e=f\r\nabc\r\n0\r\nT: u\r\n\r\n";
  for (let round = 0; round < 2; round++) {
    for (const byte of text) {
      await client.send(byte);
      await http.sleep(http.random.below(2));
    }
    assertStrictEquals((await client.response()).body, "/x abc");
  }
});

httpTest("serve() holds a client back that pipelines far ahead of a slow handler", async (http) => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const server = http.serve(async (request) => {
    if (request.target === "/first") await gate;
    return new HttpResponse(request.target);
  });
  const client = await http.connect(server);
  await client.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\n");
  const one = `GET /${letters(900)} HTTP/1.1\r\nHost: a\r\n\r\n`;
  const count = 20_000;
  let sent = 0;
  const sending = (async () => {
    for (; sent < count; sent++) await client.send(one);
  })();
  const stalled = await http.settled(() => sent);
  assert(stalled < count, "the client was never held back");
  open();
  assertStrictEquals((await client.response()).body, "/first");
  for (let index = 0; index < count; index++) assertStrictEquals((await client.response()).body.length, 901);
  await sending;
}, { simulatedRunCount: 1 });

httpTest(
  "serve() closes after a request that says Connection: close, and reads nothing behind it",
  async (http) => {
    const server = http.serve(echoTarget);
    const client = await http.connect(server);
    await client.send(`GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${GET}`);
    const { body, field } = await client.response();
    assertEquals([body, field("connection")], ["GET /1", "close"]);
    await client.assertEnd();
    assertStrictEquals(server.statistics.requestCount, 1);
  },
);

httpTest(
  "serve() closes in order although the client goes on sending behind Connection: close",
  async (http) => {
    const server = http.serve(async (request) => {
      await http.sleep(20);
      return new HttpResponse(letters(100_000) + request.target);
    });
    const client = await http.connect(server);
    await client.send(`GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${GET.repeat(1000)}`);
    await http.sleep(10);
    await client.sendIfOpen(GET.repeat(1000));
    const { body } = await client.response();
    assertStrictEquals(body.length, 100_002);
    await client.assertEnd();
  },
);

httpTest("serve() lets a client read an answer that was short, whatever it sends behind it", async (http) => {
  const server = http.serve(echoTarget);
  for (let round = 0; round < 10; round++) {
    const client = await http.connect(server);
    const sending = client.sendIfOpen(
      `GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n${letters(400_000)}`,
    );
    await http.sleep(http.random.below(4));
    assertStrictEquals((await client.response()).body, "GET /1");
    await client.assertEnd();
    assert(await sending);
    client.close();
  }
});

httpTest("serve() closes after a request of HTTP/1.0", async (http) => {
  const client = await http.connect(http.serve(echoTarget));
  await client.send("GET /1 HTTP/1.0\r\n\r\n");
  const { body, field } = await client.response();
  assertEquals([body, field("connection")], ["GET /1", "close"]);
  await client.assertEnd();
});

httpTest("serve() keeps the connection of HTTP/1.0 when it is asked to, and says so", async (http) => {
  const client = await http.connect(http.serve(echoTarget));
  for (let round = 0; round < 3; round++) {
    await client.send("GET /1 HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
    const { body, field } = await client.response();
    assertEquals([body, field("connection")], ["GET /1", "keep-alive"]);
  }
  await client.send("GET /2 HTTP/1.0\r\n\r\n");
  assertStrictEquals((await client.response()).body, "GET /2");
  await client.assertEnd();
});

httpTest(
  "serve() ends a stream of unknown length to HTTP/1.0 by closing, even when asked to keep alive",
  async (http) => {
    const server = http.serve(() => new Response(slowly(http, ["one", "two", "three"])));
    const client = await http.connect(server);
    await client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const { body, framing, field } = await client.response();
    assertEquals([body, framing, field("connection")], ["onetwothree", "close", "close"]);
    assertStrictEquals(client.error, undefined);
  },
);

httpTest("serve() answers a client that has ended its direction", async (http) => {
  const server = http.serve(async (request) => {
    const body = await request.text();
    await http.sleep(20);
    return new Response(slowly(http, [request.method, " ", body]));
  });
  for (const text of [GET, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"]) {
    const client = await http.connect(server);
    await client.send(text);
    await client.closeWrite();
    assertStrictEquals((await client.response()).body, text === GET ? "GET " : "POST hi");
    await client.assertEnd();
  }
});

httpTest("serve() answers all pipelined requests of a client that has ended its direction", async (http) => {
  const server = http.serve(mixed(http));
  const client = await http.connect(server);
  const paths = ["/async/1", "/sync/2", "/stream/3", "/sync/4", "/real/5"];
  await client.send(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(""));
  await client.closeWrite();
  for (const path of paths) assert((await client.response()).body.startsWith(path));
  await client.assertEnd();
});

httpTest(
  "serve() answers what is complete when the client ends, with 400 behind it in the middle of a head, and closes",
  async (http) => {
    const server = http.serve(echoTarget);
    for (const half of ["", "\r\n", "GET", GET.slice(0, -1)]) {
      const client = await http.connect(server);
      await client.send(GET + half);
      await client.closeWrite();
      assertStrictEquals((await client.response()).body, "GET /");
      if (half.trim() !== "") assertStrictEquals((await client.response()).status, 400);
      await client.assertEnd();
    }
    assertStrictEquals(server.statistics.requestCount, 4);
  },
);

httpTest("serve() does not mind clients that connect and leave", async (http) => {
  const server = http.serve(echoTarget);
  for (let round = 0; round < 50; round++) {
    const client = await http.connect(server);
    if (round % 2 === 0) await client.send(GET.slice(0, http.random.below(GET.length)));
    client.close();
  }
  const client = await http.connect(server);
  await client.assertOpen();
});

/** A stream whose pieces come one by one, with time between. */
function slowly(http: Http, pieces: readonly string[]): ReadableStream<Uint8Array<ArrayBuffer>> {
  const waiting = [...pieces];
  return new ReadableStream({
    async pull(controller) {
      await http.sleep(3);
      const piece = waiting.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(piece));
    },
  });
}
