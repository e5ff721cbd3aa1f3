import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { HttpResponse, type HttpServer, serve, type ServeHandler } from "../../../src/io/http/mod.ts";
import { connect } from "../../../src/io/net/mod.ts";
import { letters } from "../../support/http_bytes.ts";
import type { RawClient } from "../../support/http_client.ts";
import { type Http, httpTest, REAL_DRIVERS } from "../../support/http_harness.ts";
import { CountedBody } from "../../support/http_streams.ts";

const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

/** Answers after `delayMs` with the target. */
function slow(http: Http, delayMs: number): ServeHandler<Deno.NetAddr> {
  return async ({ target }) => {
    await http.sleep(delayMs);
    return new HttpResponse(target);
  };
}

/** Asserts that nobody listens any more; a connection that the kernel still made is never served. */
async function assertGone(http: Http, server: HttpServer): Promise<void> {
  for (;;) {
    try {
      const client = await http.connect(server);
      assertStrictEquals(await client.rest(), "");
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionRefused) return;
      // NotConnected: the reset came before Deno asked for the peer's name.
      const isReset = error instanceof Deno.errors.ConnectionReset ||
        error instanceof Deno.errors.NotConnected;
      assert(isReset, `${error}`);
    }
  }
}

function gets(count: number): string {
  return Array.from({ length: count }, (_, index) => `GET /${index} HTTP/1.1\r\nhost: a\r\n\r\n`).join("");
}

httpTest("HttpServer.shutdown() closes idle connections and refuses new ones", async (http) => {
  const server = http.serve(() => new HttpResponse("x"));
  const clients = await Promise.all(Array.from({ length: 10 }, () => http.connect(server)));
  for (const client of clients.slice(5)) {
    await client.send(GET);
    await client.response();
  }
  await http.until(() => server.statistics.connectionCount === 10);
  const stopped = server.shutdown();
  assertStrictEquals(server.shutdown(), stopped, "stopping twice is stopping once");
  for (const client of clients) await client.assertEnd();
  await stopped;
  await server.finished;
  await assertGone(http, server);
  assertStrictEquals(server.statistics.connectionCount, 0);
});

httpTest(
  "HttpServer.shutdown() answers the requests in flight, says close, and refuses new clients meanwhile",
  async (http) => {
    const server = http.serve(slow(http, 50));
    const clients = await Promise.all(Array.from({ length: 10 }, () => http.connect(server)));
    for (const client of clients) await client.send(GET);
    await http.until(() => server.statistics.requestCount === 10);
    let finished = false;
    const stopped = server.shutdown().then(() => finished = true);
    await assertGone(http, server);
    assertStrictEquals(finished, false);
    for (const client of clients) {
      const { body, field } = await client.response();
      assertEquals([body, field("connection")], ["/", "close"]);
      await client.assertEnd();
    }
    await stopped;
  },
);

httpTest("HttpServer.shutdown() answers every pipelined request that was received", async (http) => {
  const server = http.serve(slow(http, 5));
  const client = await http.connect(server);
  await client.send(gets(5));
  await http.until(() => server.statistics.requestCount === 1);
  await http.sleep(3);
  const stopped = server.shutdown();
  for (let index = 0; index < 5; index++) {
    const { body, field } = await client.response();
    assertEquals([body, field("connection")], [`/${index}`, index === 4 ? "close" : undefined]);
  }
  await client.assertEnd();
  await stopped;
}, { drivers: REAL_DRIVERS });

httpTest(
  "HttpServer.shutdown() called by a handler answers that handler's request and those behind it",
  async (http) => {
    const answers: readonly ((target: string) => Response | Promise<Response>)[] = [
      (target) => new HttpResponse(target),
      (target) => Promise.resolve(new HttpResponse(target)),
    ];
    for (const answer of answers) {
      const server = http.serve(({ target }) => {
        if (target === "/1") server.shutdown();
        return answer(target);
      });
      const client = await http.connect(server);
      await client.send(gets(4));
      for (let index = 0; index < 4; index++) {
        const { body, field } = await client.response();
        assertEquals([body, field("connection")], [`/${index}`, index === 3 ? "close" : undefined]);
      }
      await client.assertEnd();
      await server.finished;
    }
  },
  { drivers: REAL_DRIVERS },
);

httpTest("HttpServer.shutdown() lets heads and bodies come in that have begun", async (http) => {
  const server = http.serve(async (request) => new HttpResponse(`${request.target} ${await request.text()}`));
  const whole = "POST /p HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n0123456789";
  const clients: RawClient[] = [];
  for (const cut of [1, 20, whole.length - 5]) {
    const client = await http.connect(server);
    clients.push(client);
    await client.send(whole.slice(0, cut));
  }
  await http.until(() => server.statistics.connectionCount === 3);
  await http.sleep(20);
  const stopped = server.shutdown();
  await http.sleep(20);
  for (const [index, cut] of [1, 20, whole.length - 5].entries()) {
    await clients[index].send(whole.slice(cut));
    const { body, field } = await clients[index].response();
    assertEquals([body, field("connection")], ["/p 0123456789", "close"]);
    await clients[index].assertEnd();
  }
  await stopped;
});

httpTest("HttpServer.shutdown() sends responses to their end that have begun", async (http) => {
  const server = http.serve(({ target }) => {
    return target === "/stream"
      ? new Response(new CountedBody(200, 10_000, () => http.sleep(0.2)).stream)
      : new HttpResponse(letters(2_000_000));
  }, { shutdownTimeoutMs: 600_000 });
  const clients: RawClient[] = [];
  for (const target of ["/stream", "/text"]) {
    const client = await http.connect(server);
    clients.push(client);
    await client.send(`GET ${target} HTTP/1.1\r\nhost: a\r\n\r\n`);
  }
  await http.until(() => server.statistics.requestCount === 2);
  await http.sleep(5);
  const stopped = server.shutdown();
  await http.sleep(5);
  for (const client of clients) {
    assertStrictEquals((await client.response()).body.length, 2_000_000);
    await client.assertEnd();
  }
  await stopped;
});

httpTest("HttpServer.shutdown() cuts off what is left after shutdownTimeoutMs", async (http) => {
  const shutdownTimeoutMs = http.simulated ? 5000 : 100;
  const signals: AbortSignal[] = [];
  const completed: Promise<unknown>[] = [];
  const server = http.serve((request, info) => {
    signals.push(request.signal);
    completed.push(info.completed.catch((error) => error));
    return new Promise(() => {});
  }, { shutdownTimeoutMs, headerTimeoutMs: 60_000 });
  const [waiting, half] = [await http.connect(server), await http.connect(server)];
  await waiting.send(GET);
  await half.send("GET");
  await http.until(() => server.statistics.requestCount === 1 && server.statistics.connectionCount === 2);
  await http.sleep(20);
  const startMs = http.reactor.nowMs();
  await server.shutdown();
  assert(http.reactor.nowMs() - startMs >= shutdownTimeoutMs - 1);
  assertStrictEquals(await waiting.rest(), "");
  assertStrictEquals(await half.rest(), "");
  assert(signals[0].aborted);
  assertMatch(`${await completed[0]}`, /the server was stopped/);
});

httpTest("HttpServer.stopNow() closes everything at once", async (http) => {
  const server = http.serve(() => new Promise(() => {}));
  const clients = await Promise.all(Array.from({ length: 5 }, () => http.connect(server)));
  for (const client of clients) await client.send(GET);
  await http.until(() => server.statistics.requestCount === 5);
  server.stopNow();
  server.stopNow();
  for (const client of clients) assertStrictEquals(await client.rest(), "");
  await server.finished;
  assertStrictEquals(server.statistics.connectionCount, 0);
});

httpTest(
  "HttpServer.stopNow() ends a graceful stop that takes too long, also from a handler",
  async (http) => {
    const server = http.serve(({ target }) => {
      if (target === "/now") server.stopNow();
      return new Promise<Response>(() => {});
    });
    const [first, second] = [await http.connect(server), await http.connect(server)];
    await first.send(GET);
    await second.send(GET.slice(0, 9));
    await http.until(() => server.statistics.requestCount === 1);
    const stopped = server.shutdown();
    await http.sleep(20);
    server.stopNow();
    await stopped;
    const other = http.serve(({ target }) => {
      if (target === "/now") other.stopNow();
      return new HttpResponse("x");
    });
    const client = await http.connect(other);
    await client.send(`${GET}GET /now HTTP/1.1\r\nhost: a\r\n\r\n${GET}`);
    await other.finished;
    await client.rest();
  },
);

httpTest("HttpServer.stopNow() lets nothing be said that a handler answers later", async (http) => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  let cancelled = false;
  const server = http.serve(async () => {
    await gate;
    return new Response(
      new ReadableStream({
        cancel() {
          cancelled = true;
        },
      }),
    );
  });
  const client = await http.connect(server);
  await client.send(GET);
  await http.until(() => server.statistics.requestCount === 1);
  server.stopNow();
  await server.finished;
  open();
  await http.until(() => cancelled);
  assertStrictEquals(await client.rest(), "");
});

httpTest("serve() stops when its signal is aborted", async (http) => {
  const controller = new AbortController();
  const server = http.serve(slow(http, 20), { signal: controller.signal });
  const client = await http.connect(server);
  await client.send(GET);
  await http.until(() => server.statistics.requestCount === 1);
  controller.abort();
  assertStrictEquals((await client.response()).field("connection"), "close");
  await server.finished;
  const aborted = http.serve(() => new HttpResponse("x"), { signal: AbortSignal.abort() });
  await aborted.finished;
  await assertGone(http, aborted);
});

httpTest("serve() leaves nothing behind at a signal whose server has stopped", async (http) => {
  const controller = new AbortController();
  let added = 0;
  const { signal } = controller;
  const [add, remove] = [signal.addEventListener, signal.removeEventListener];
  signal.addEventListener = (...args: Parameters<typeof add>) => (added++, add.apply(signal, args));
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (added--, remove.apply(signal, args));
  await http.serve(() => new HttpResponse("x"), { signal }).shutdown();
  assertStrictEquals(added, 0);
});

httpTest("HttpServer is disposed of by `await using`", async (http) => {
  let finished: Promise<void>;
  {
    await using server = serve(
      { hostname: "127.0.0.1", port: 0, reactor: http.reactor },
      () => new HttpResponse("x"),
    );
    finished = server.finished;
    const client = await http.connect(server);
    await client.send(GET);
    assertStrictEquals((await client.response()).body, "x");
  }
  await finished;
});

httpTest("HttpServer.shutdown() under load loses no request that a handler was given", async (http) => {
  const handled: string[] = [];
  const server = http.serve(async ({ target }) => {
    handled.push(target);
    if (http.random.below(3) > 0) await http.sleep(http.random.below(10));
    return http.random.below(2) === 0 ? new HttpResponse(target) : new Response(new Blob([target]).stream());
  });
  const answered: string[] = [];
  let stopping = false;
  const work = async (client: RawClient, name: number) => {
    for (let round = 0;; round++) {
      const targets = Array.from(
        { length: 1 + http.random.below(4) },
        (_, index) => `/${name}/${round}/${index}`,
      );
      const text = targets.map((target) => `GET ${target} HTTP/1.1\r\nhost: a\r\n\r\n`).join("");
      if (!await client.sendIfOpen(text)) return;
      for (const target of targets) {
        try {
          const { body } = await client.response();
          assertStrictEquals(body, target);
          answered.push(body);
        } catch (error) {
          // Closed between two requests: nothing of an answer had come.
          assertMatch(`${error}`, /at hand: ""/);
          assert(stopping);
          return;
        }
      }
    }
  };
  const clients = await Promise.all(Array.from({ length: 20 }, () => http.connect(server)));
  const working = Promise.all(clients.map(work));
  await http.until(() => answered.length > 200);
  stopping = true;
  await server.shutdown();
  await working;
  assertEquals(answered.sort(), handled.sort());
}, { simulatedRunCount: 5 });

httpTest("HttpServer.shutdown() waits for clients that read their error answers", async (http) => {
  const server = http.serve(() => new HttpResponse("x"));
  const client = await http.connect(server);
  await client.send("bad\r\n\r\n");
  await http.until(() => server.statistics.rejectedCount === 1);
  const stopped = server.shutdown();
  assertStrictEquals((await client.response()).status, 400);
  await client.assertEnd();
  client.close();
  await stopped;
});

httpTest("HttpServer.shutdown() is not held up by clients that connect all the time", async (http) => {
  const server = http.serve(() => new HttpResponse("x"));
  let connecting = true;
  const { port } = server.addr;
  const work = async () => {
    while (connecting) {
      try {
        const conn = await connect({ hostname: "127.0.0.1", port, reactor: http.reactor });
        await http.sleep(1);
        conn.close();
      } catch {
        await http.sleep(1);
      }
    }
  };
  const working = Promise.all(Array.from({ length: 10 }, work));
  await http.until(() => server.statistics.acceptedCount > 30);
  await server.shutdown();
  connecting = false;
  await working;
  assertStrictEquals(server.statistics.connectionCount, 0);
});

httpTest("HttpServer.shutdown() without a limit waits for the answer in flight", async (http) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const server = http.serve(async () => {
    await promise;
    return new HttpResponse("late");
  }, { shutdownTimeoutMs: Infinity });
  const client = await http.connect(server);
  await client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  await http.until(() => server.statistics.requestCount === 1);
  const stopped = server.shutdown();
  await http.sleep(20);
  resolve();
  assertStrictEquals((await client.response()).body, "late");
  await stopped;
});

httpTest(
  "HttpServer.shutdown() answers one more request of idle connections within idleGraceMs",
  async (http) => {
    const server = http.serve(() => new HttpResponse("x"));
    const clients = await Promise.all(Array.from({ length: 3 }, () => http.connect(server)));
    await http.until(() => server.statistics.connectionCount === 3);
    const [used, fresh, silent] = clients;
    await used.send(GET);
    await used.response();
    let finished = false;
    const stopped = server.shutdown({ idleGraceMs: 2000 }).then(() => finished = true);
    await http.sleep(50);
    assertStrictEquals(finished, false);
    for (const client of [used, fresh]) {
      await client.send(GET);
      const { body, field } = await client.response();
      assertEquals([body, field("connection")], ["x", "close"]);
      await client.assertEnd();
    }
    await silent.assertEnd();
    await stopped;
  },
);

httpTest(
  "HttpServer.shutdown() gives idleGraceMs to connections whose answer was under way, too",
  async (http) => {
    const server = http.serve(slow(http, 50));
    const client = await http.connect(server);
    await client.send(`${GET}${GET}`);
    await http.until(() => server.statistics.requestCount === 1);
    const stopped = server.shutdown({ idleGraceMs: 60_000 });
    assertStrictEquals((await client.response()).field("connection"), undefined);
    assertStrictEquals((await client.response()).field("connection"), "close");
    await client.assertEnd();
    await stopped;
  },
);

httpTest("HttpServer.stopNow() does not wait for idleGraceMs", async (http) => {
  const server = http.serve(() => new HttpResponse("x"));
  await http.connect(server);
  await http.until(() => server.statistics.connectionCount === 1);
  const stopped = server.shutdown({ idleGraceMs: 600_000 });
  server.stopNow();
  await stopped;
});

httpTest("HttpServer.shutdown() refuses an idleGraceMs that is none", (http) => {
  const server = http.serve(() => new HttpResponse("x"));
  for (const idleGraceMs of [-1, NaN, Infinity]) {
    assertThrows(() => server.shutdown({ idleGraceMs }), RangeError);
  }
  server.stopNow();
  return Promise.resolve();
});
