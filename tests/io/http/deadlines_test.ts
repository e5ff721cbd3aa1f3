import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { HttpResponse } from "../../../src/io/http/mod.ts";
import { chunk, letters } from "../../support/http_bytes.ts";
import { type Http, httpTest, type HttpTestOptions } from "../../support/http_harness.ts";
import { CountedBody } from "../../support/http_streams.ts";

const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const HEAD = "POST / HTTP/1.1\r\nhost: a\r\n";
/** A deadline of these tests: long where time is virtual, short where it is waited for. */
const limitMs = (http: Http) => http.simulated ? 20_000 : 150;
/** For what must not be over in time: only where time is virtual does a busy machine not disturb. */
const VIRTUAL: HttpTestOptions = { drivers: ["simulated"], simulatedRunCount: 5 };

/** Runs `body` and asserts that at least `delayMs` have passed. */
async function assertTakes(http: Http, delayMs: number, body: () => Promise<void>): Promise<void> {
  const startMs = http.reactor.nowMs();
  await body();
  const tookMs = http.reactor.nowMs() - startMs;
  assert(tookMs >= delayMs - 1, `it took ${tookMs} ms, expected at least ${delayMs}`);
  // Virtual time does not depend on the machine, so that here is an upper bound: a quarter of the deadline is the rhythm.
  if (http.simulated) {
    assert(tookMs <= 1.5 * delayMs + 100, `it took ${tookMs} ms, expected about ${delayMs}`);
  }
}

httpTest("serve() answers 408 when a head does not come in headerTimeoutMs, and closes", async (http) => {
  const headerTimeoutMs = limitMs(http);
  const server = http.serve(() => new HttpResponse("x"), { headerTimeoutMs });
  for (const half of ["G", "GET / HTTP/1.1\r\nhost: a\r\n", "\r", `${GET}GET`]) {
    const client = await http.connect(server);
    await assertTakes(http, headerTimeoutMs, async () => {
      await client.send(half);
      if (half.startsWith(GET)) assertStrictEquals((await client.response()).body, "x");
      const { status, field } = await client.response();
      assertEquals([status, field("connection")], [408, "close"]);
    });
    await client.assertEnd();
  }
  assertEquals([server.statistics.timeoutCount, server.statistics.rejectedCount], [4, 4]);
});

httpTest("serve() answers 408 although the head goes on trickling", async (http) => {
  const headerTimeoutMs = limitMs(http);
  const server = http.serve(() => new HttpResponse("x"), { headerTimeoutMs });
  const client = await http.connect(server);
  const trickling = (async () => {
    const text = `GET / HTTP/1.1\r\nhost: a\r\nx: ${letters(100_000)}`;
    for (const byte of text) {
      if (!await client.sendIfOpen(byte)) return;
      await http.sleep(headerTimeoutMs / 50);
    }
  })();
  await assertTakes(
    http,
    headerTimeoutMs,
    async () => assertStrictEquals((await client.response()).status, 408),
  );
  client.close();
  await trickling;
});

httpTest("serve() lets a client go on for ever whose pieces end in the middle of heads", async (http) => {
  const server = http.serve(() => new HttpResponse("x"), { headerTimeoutMs: 10_000 });
  const client = await http.connect(server);
  await client.send(GET.slice(0, 9));
  for (let round = 0; round < 20; round++) {
    await http.sleep(3000);
    await client.send(GET.slice(9) + GET + GET.slice(0, 9));
    assertStrictEquals((await client.response()).status, 200);
    assertStrictEquals((await client.response()).status, 200);
  }
  assertStrictEquals(server.statistics.timeoutCount, 0);
}, VIRTUAL);

httpTest("serve() gives every head its full time, also behind an answer that took long", async (http) => {
  const server = http.serve(async () => {
    await http.sleep(60_000);
    return new HttpResponse("x");
  }, { headerTimeoutMs: 10_000 });
  const client = await http.connect(server);
  await client.send(GET + GET.slice(0, 9));
  assertStrictEquals((await client.response()).status, 200);
  await http.sleep(9000);
  await client.send(GET.slice(9));
  assertStrictEquals((await client.response()).status, 200);
  await client.send(GET.slice(0, 9));
  await assertTakes(http, 10_000, async () => assertStrictEquals((await client.response()).status, 408));
}, VIRTUAL);

httpTest(
  "serve() answers 408 when a body does not come in bodyTimeoutMs, and tells the handler",
  async (http) => {
    const bodyTimeoutMs = limitMs(http);
    const errors: unknown[] = [];
    const server = http.serve(async (request) => {
      try {
        return new HttpResponse(await request.text());
      } catch (error) {
        errors.push(error);
        return new HttpResponse("nobody hears this");
      }
    }, { bodyTimeoutMs });
    for (const half of ["content-length: 10\r\n\r\nhalf", "transfer-encoding: chunked\r\n\r\n5\r\nha"]) {
      const client = await http.connect(server);
      await assertTakes(http, bodyTimeoutMs, async () => {
        await client.send(HEAD + half);
        assertStrictEquals((await client.response()).status, 408);
      });
      await client.assertEnd();
    }
    assert(errors.every((error) => error instanceof Deno.errors.TimedOut));
    assertEquals([errors.length, server.statistics.timeoutCount], [2, 2]);
  },
);

httpTest("serve() answers 408 for a body that trickles, whatever the handler does", async (http) => {
  const bodyTimeoutMs = limitMs(http);
  const server = http.serve(() => new Promise(() => {}), { bodyTimeoutMs });
  const client = await http.connect(server);
  await client.send(`${HEAD}transfer-encoding: chunked\r\n\r\n`);
  const trickling = (async () => {
    while (await client.sendIfOpen(chunk("x"))) await http.sleep(bodyTimeoutMs / 50);
  })();
  await assertTakes(
    http,
    bodyTimeoutMs,
    async () => assertStrictEquals((await client.response()).status, 408),
  );
  client.close();
  await trickling;
});

httpTest("serve() closes when a body that nobody wants does not come in bodyTimeoutMs", async (http) => {
  const bodyTimeoutMs = limitMs(http);
  const server = http.serve(() => new HttpResponse("early"), { bodyTimeoutMs });
  const client = await http.connect(server);
  await assertTakes(http, bodyTimeoutMs, async () => {
    await client.send(`${HEAD}content-length: 10\r\n\r\nhalf`);
    assertStrictEquals((await client.response()).body, "early");
    assertStrictEquals(await client.rest(), "");
  });
  assertStrictEquals(server.statistics.timeoutCount, 1);
});

httpTest("serve() lets a client go on for ever whose pieces end in the middle of bodies", async (http) => {
  const server = http.serve(async (request) => new HttpResponse(await request.text()), {
    bodyTimeoutMs: 10_000,
  });
  const client = await http.connect(server);
  const text = `${HEAD}content-length: 10\r\n\r\n0123456789`;
  const cut = text.length - 5;
  await client.send(text.slice(0, cut));
  for (let round = 0; round < 20; round++) {
    await http.sleep(3000);
    await client.send(text.slice(cut) + text.slice(0, cut));
    assertStrictEquals((await client.response()).body, "0123456789");
  }
  await client.send(text.slice(cut));
  assertStrictEquals((await client.response()).body, "0123456789");
  assertStrictEquals(server.statistics.timeoutCount, 0);
}, VIRTUAL);

httpTest("serve() does the same with bodies that no handler reads", async (http) => {
  const server = http.serve(() => new HttpResponse("x"), { bodyTimeoutMs: 10_000 });
  const client = await http.connect(server);
  const text = `${HEAD}content-length: 10\r\n\r\n0123456789`;
  const cut = text.length - 5;
  await client.send(text.slice(0, cut));
  for (let round = 0; round < 20; round++) {
    await http.sleep(3000);
    assertStrictEquals((await client.response()).body, "x");
    await client.send(text.slice(cut) + text.slice(0, cut));
  }
  assertStrictEquals(server.statistics.timeoutCount, 0);
}, VIRTUAL);

httpTest("serve() closes a connection that is idle for idleTimeoutMs, without a word", async (http) => {
  // Of real time enough for a machine that is busy with others between two requests.
  const idleTimeoutMs = http.simulated ? 20_000 : 800;
  const server = http.serve(() => new HttpResponse("x"), { idleTimeoutMs });
  // The time counts from when the server has accepted, or answered, which may be some time before we know.
  await assertTakes(http, idleTimeoutMs, async () => await (await http.connect(server)).assertEnd());
  const client = await http.connect(server);
  for (let round = 0; round < 2; round++) {
    await http.sleep(idleTimeoutMs / 16);
    await client.send(GET);
    if (round === 0) await client.response();
  }
  await assertTakes(http, idleTimeoutMs, async () => {
    await client.response();
    await client.assertEnd();
  });
  await http.until(() => server.statistics.connectionCount === 0);
});

httpTest("serve() counts idleTimeoutMs anew from each answer", async (http) => {
  const server = http.serve(async () => {
    await http.sleep(60_000);
    return new HttpResponse("x");
  }, { idleTimeoutMs: 10_000 });
  const client = await http.connect(server);
  for (let round = 0; round < 3; round++) {
    await http.sleep(9000);
    await client.send(GET);
    assertStrictEquals((await client.response()).body, "x");
  }
  await assertTakes(http, 10_000, () => client.assertEnd());
}, VIRTUAL);

httpTest("serve() disturbs no handler that takes longer than every deadline", async (http) => {
  const timeouts = { headerTimeoutMs: 50, bodyTimeoutMs: 50, idleTimeoutMs: 50, writeTimeoutMs: 50 };
  const server = http.serve(async (request) => {
    await request.text();
    await http.sleep(400);
    return new HttpResponse("at last");
  }, timeouts);
  const client = await http.connect(server);
  await client.send(`${HEAD}content-length: 4\r\n\r\nbody`);
  assertStrictEquals((await client.response()).body, "at last");
  assertStrictEquals(server.statistics.timeoutCount, 0);
});

/** Responses that are more than a client takes that never reads. */
const ENDLESS: Readonly<Record<string, (http: Http) => Response>> = {
  "a text": () => new HttpResponse(letters(24 << 20)),
  "a stream that is fast": () => new Response(new CountedBody(1_000_000, 60_000).stream),
  "a stream of small pieces": (http) =>
    new Response(new CountedBody(1_000_000, 15_000, () => http.sleep(0.1)).stream),
  "a stream of pieces larger than a buffer": (http) =>
    new Response(new CountedBody(1_000_000, 300_000, () => http.sleep(0.1)).stream),
};

for (const [name, make] of Object.entries(ENDLESS)) {
  httpTest(`serve() closes when the client takes nothing of ${name} in writeTimeoutMs`, async (http) => {
    const writeTimeoutMs = limitMs(http);
    let completed: Promise<unknown> | undefined;
    const server = http.serve((_request, info) => {
      completed = info.completed.then(() => "sent", (error) => error);
      return make(http);
    }, { writeTimeoutMs });
    const client = await http.connect(server);
    await client.send(GET);
    await http.until(() => completed !== undefined);
    const error = await completed;
    assert(error instanceof Deno.errors.TimedOut, `${error}`);
    assertEquals([server.statistics.timeoutCount, server.statistics.connectionCount], [1, 0]);
    await http.until(() => http.reactor.driver.buffers.heldCount === 0);
  }, { simulatedRunCount: 1 });
}

httpTest("serve() closes when a client pipelines and never reads an answer", async (http) => {
  const server = http.serve(() => new HttpResponse(letters(10_000)), { writeTimeoutMs: limitMs(http) });
  const client = await http.connect(server);
  const sending = (async () => {
    while (await client.sendIfOpen(GET.repeat(1000)));
  })();
  await http.until(() => server.statistics.timeoutCount === 1);
  await sending;
}, { simulatedRunCount: 1 });

httpTest("serve() does not cut off a client that is slow, and reads", async (http) => {
  const server = http.serve(() => new HttpResponse(letters(2_000_000)), { writeTimeoutMs: 10_000 });
  const client = await http.connect(server);
  await client.send(GET);
  let received = 0;
  for (let text = "x"; text !== ""; received += text.length) {
    await http.sleep(5000);
    text = await client.receive(50_000);
    if (received + text.length >= 2_000_000) break;
  }
  assertStrictEquals(server.statistics.timeoutCount, 0);
}, VIRTUAL);

httpTest("serve() closes behind an error answer although the client stays", async (http) => {
  const server = http.serve(() => new HttpResponse("x"));
  const client = await http.connect(server);
  await client.send("bad\r\n\r\n");
  assertStrictEquals((await client.response()).status, 400);
  await client.assertEnd();
  // The client has its answer, and does not close its own side.
  await http.until(() => server.statistics.connectionCount === 0);
}, VIRTUAL);

httpTest("serve() serves others while hundreds of clients trickle their heads", async (http) => {
  const headerTimeoutMs = http.simulated ? 20_000 : 1000;
  const server = http.serve(() => new HttpResponse("x"), { headerTimeoutMs });
  let refusedCount = 0;
  const slow = await Promise.all(Array.from({ length: 200 }, () => http.connect(server)));
  const trickling = slow.map(async (client) => {
    const reading = client.rest().then((text) => {
      assert(text.startsWith("HTTP/1.1 408 "), text.slice(0, 60));
      refusedCount++;
    });
    const text = `GET / HTTP/1.1\r\nhost: a\r\n${"x: y\r\n".repeat(1000)}`;
    for (let at = 0; at < text.length && await client.sendIfOpen(text[at]); at++) {
      await http.sleep(headerTimeoutMs / 20);
    }
    await reading;
  });
  const client = await http.connect(server);
  for (let round = 0; refusedCount < slow.length; round++) {
    await client.send(GET);
    assertStrictEquals((await client.response()).body, "x");
    await http.sleep(headerTimeoutMs / 100);
  }
  for (const client of slow) client.close();
  await Promise.all(trickling);
  assertStrictEquals(server.statistics.timeoutCount, slow.length);
}, { simulatedRunCount: 1 });
