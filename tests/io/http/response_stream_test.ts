import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { assertRejectsMatching } from "../../support/assertions.ts";
import { HttpResponse, type ServeHandlerInfo } from "../../../src/io/http/mod.ts";
import { SEND_QUEUE_BUFFERS_MAX, SimulatedDriver } from "../../../src/io/reactor/mod.ts";
import { letters } from "../../support/http_bytes.ts";
import type { RawClient } from "../../support/http_client.ts";
import { type Http, httpTest } from "../../support/http_harness.ts";
import { CountedBody, streamOf } from "../../support/http_streams.ts";

const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
/** More than the buffers of both kernels' sockets and ours. */
const LARGE_BYTES = 32 << 20;

httpTest("serve() sends a stream of unknown length in chunks", async (http) => {
  const server = http.serve(() => new Response(streamOf(["one", "", "two", letters(100_000), "\0\xff"])));
  const client = await http.connect(server);
  for (let round = 0; round < 2; round++) {
    await client.send(GET);
    const got = await client.response();
    assertStrictEquals(got.framing, "chunked");
    assertStrictEquals(got.body, `onetwo${letters(100_000)}\0\xc3\xbf`);
    assertStrictEquals(got.field("content-type"), undefined);
  }
  await client.assertOpen();
});

httpTest("serve() sends streams of every making", async (http) => {
  async function* generate() {
    for (const text of ["a", "b", "c"]) {
      yield new TextEncoder().encode(text);
      await http.sleep(1);
    }
  }
  const makes: readonly (() => ReadableStream<Uint8Array<ArrayBuffer>>)[] = [
    () => ReadableStream.from(generate()) as ReadableStream<Uint8Array<ArrayBuffer>>,
    () => new Blob(["abc"]).stream(),
    () => {
      const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
      const writer = writable.getWriter();
      writer.write(new TextEncoder().encode("abc")).then(() => writer.close());
      return readable;
    },
    () =>
      new ReadableStream({
        type: "bytes",
        start(controller) {
          for (const text of ["a", "b", "c"]) controller.enqueue(new TextEncoder().encode(text));
          controller.close();
        },
      }),
    () => new Response("abc").body as ReadableStream<Uint8Array<ArrayBuffer>>,
    () => new HttpResponse("abc").body as ReadableStream<Uint8Array<ArrayBuffer>>,
    () => streamOf(["abc"]),
  ];
  for (const make of makes) {
    for (const type of [Response, HttpResponse]) {
      const client = await http.connect(http.serve(() => new type(make())));
      await client.send(GET);
      assertStrictEquals((await client.response()).body, "abc");
      await client.assertOpen();
    }
  }
});

httpTest("serve() sends an empty stream as a body of nothing", async (http) => {
  for (const values of [[], [""], ["", ""]]) {
    const client = await http.connect(http.serve(() => new Response(streamOf(values))));
    await client.send(GET);
    assertStrictEquals((await client.response()).body, "");
    await client.assertOpen();
  }
});

httpTest("serve() announces the length of a stream when the handler knows it", async (http) => {
  const server = http.serve(() =>
    new Response(streamOf(["one", "two", "three"]), { headers: { "Content-Length": "11" } })
  );
  const client = await http.connect(server);
  await client.send(GET);
  const got = await client.response();
  assertEquals([got.framing, got.body], ["length", "onetwothree"]);
  await client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const old = await client.response();
  assertEquals([old.framing, old.body, old.field("connection")], ["length", "onetwothree", "keep-alive"]);
  await client.assertOpen();
});

httpTest("serve() cuts the connection when a stream is not as long as announced", async (http) => {
  for (const length of [12, 1000, 10, 5, 0]) {
    const completed: Promise<unknown>[] = [];
    const server = http.serve((_request, info) => {
      completed.push(info.completed.then(() => "sent", (error) => error));
      return new Response(streamOf(["one", "two", "three"]), { headers: { "Content-Length": `${length}` } });
    });
    const client = await http.connect(server);
    await client.send(GET + GET);
    const text = await client.rest();
    assert(text.split("HTTP/1.1").length <= 2, "no second response");
    const body = text.includes("\r\n\r\n") ? text.slice(text.indexOf("\r\n\r\n") + 4) : "";
    assert(body.length <= length && "onetwothree".startsWith(body), body);
    assertMatch(String(await completed[0]), /content-length says/);
  }
});

httpTest("serve() sends a piece of megabytes, and pieces of one byte", async (http) => {
  const large = new Uint8Array(5 << 20).fill(97);
  const server = http.serve(({ target }) =>
    new Response(streamOf(target === "/large" ? [large, "b"] : letters(500).split("")))
  );
  const client = await http.connect(server);
  await client.send("GET /large HTTP/1.1\r\nhost: a\r\n\r\nGET /small HTTP/1.1\r\nhost: a\r\n\r\n");
  const got = await client.response();
  assertStrictEquals(got.body.length, large.byteLength + 1);
  assertStrictEquals((await client.response()).body, letters(500));
}, { simulatedRunCount: 1 });

httpTest("serve() pulls no faster than the client takes", async (http) => {
  const body = new CountedBody(LARGE_BYTES >> 16, 1 << 16);
  const server = http.serve(() => new Response(body.stream));
  const client = await http.connect(server);
  await client.send(GET);
  const pulled = await http.settled(() => body.pulledBytes);
  assert(pulled < LARGE_BYTES / 2, `${pulled} bytes were pulled for a client that reads nothing`);
  const { heldCount } = http.reactor.driver.buffers;
  assert(heldCount <= SEND_QUEUE_BUFFERS_MAX + 1, `${heldCount} buffers are held for one connection`);
  assertStrictEquals((await client.response()).body.length, LARGE_BYTES);
  assert(body.ended);
}, { simulatedRunCount: 1 });

httpTest("serve() cancels the stream of a client that is gone", async (http) => {
  const body = new CountedBody(LARGE_BYTES >> 16, 1 << 16);
  let completed: Promise<unknown> | undefined;
  let signal: AbortSignal | undefined;
  const server = http.serve((request, info: ServeHandlerInfo) => {
    completed = info.completed.then(() => "sent", (error) => error);
    signal = request.signal;
    return new Response(body.stream);
  });
  const client = await http.connect(server);
  await client.send(GET);
  await client.receive(1000);
  client.close();
  await http.until(() => body.cancelled !== undefined);
  assert(await completed instanceof Error, `${await completed}`);
  assert(signal?.aborted);
  assert(body.cancelled?.reason instanceof Error);
  await http.until(() => server.statistics.connectionCount === 0);
});

httpTest(
  "serve() cancels a stream that waits for its next piece when the connection is reset",
  async (http) => {
    const body = new CountedBody(
      1000,
      1000,
      (index) => index === 3 ? new Promise(() => {}) : Promise.resolve(),
    );
    const server = http.serve((request) =>
      request.target === "/" ? new Response(body.stream) : new HttpResponse("x")
    );
    const client = await http.connect(server);
    await client.send(GET);
    await http.until(() => body.pulledBytes === 3000);
    const { driver } = http.reactor;
    assert(driver instanceof SimulatedDriver);
    // Closing the client would do the same only when data lies there unread: otherwise an orderly end comes first, and to a
    // server with nothing to send that looks like a client which waits for its answer.
    driver.faults.inject("receive", "ECONNRESET");
    await client.rest();
    assert(client.error instanceof Deno.errors.ConnectionReset, `${client.error}`);
    await http.until(() => body.cancelled !== undefined);
  },
  { drivers: ["simulated"] },
);

httpTest("serve() notices that a client is gone with what it sends next", async (http) => {
  const body = new CountedBody(1_000_000, 10, () => http.sleep(2));
  let signal: AbortSignal | undefined;
  const server = http.serve((request) => {
    signal = request.signal;
    return new Response(body.stream);
  });
  const client = await http.connect(server);
  await client.send(GET);
  await client.receive(100);
  client.close();
  await http.until(() => body.cancelled !== undefined);
  assert(signal?.aborted);
  assertStrictEquals(server.statistics.connectionCount, 0);
});

httpTest("serve() sends the head of a response whose first piece lets itself be waited for", async (http) => {
  const heads: Record<string, RegExp> = {
    "/": /transfer-encoding: chunked/,
    "/counted": /content-length: 4/,
  };
  for (const [path, named] of Object.entries(heads)) {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const headers = path === "/" ? undefined : { "content-length": "4" };
    const client = await http.connect(http.serve(() => new Response(readable, { headers })));
    await client.send(GET);
    const head = await receiveUntil(client, "\r\n\r\n");
    assertMatch(head, named);
    const writer = writable.getWriter();
    await writer.write(new TextEncoder().encode("late"));
    await writer.close();
    assertMatch(await receiveUntil(client, path === "/" ? "0\r\n\r\n" : "late"), /late/);
    client.close();
  }
});

httpTest("serve() asks onError for another response when a stream fails at once", async (http) => {
  const errors: unknown[] = [];
  const onError = (error: unknown) => {
    errors.push(error);
    return new HttpResponse("sorry", { status: 500 });
  };
  const failures: readonly (() => ReadableStream)[] = [
    () => new ReadableStream({ pull: (controller) => controller.error(new Error("fails at once")) }),
    () => ReadableStream.from([42]),
    () => ReadableStream.from([new ArrayBuffer(3)]),
  ];
  for (const make of failures) {
    const client = await http.connect(http.serve(() => new Response(make()), { onError }));
    await client.send(GET);
    const got = await client.response();
    assertEquals([got.status, got.body], [500, "sorry"]);
    await client.assertOpen();
  }
  assertStrictEquals(errors.length, 6);
  assertMatch(String(errors[0]), /fails at once/);
  assertMatch(String(errors[2]), /not a Uint8Array/);
});

httpTest(
  "serve() cuts the connection when a stream fails later, so that nobody takes it for whole",
  async (http) => {
    const failures: readonly (() => ReadableStream)[] = [
      () => streamOf(["one", "two"], new Error("fails later")),
      () => streamOf(["one", "two", 42]),
    ];
    for (const make of failures) {
      let completed: Promise<unknown> | undefined;
      const server = http.serve((_request, info) => {
        completed = info.completed.then(() => "sent", (error) => error);
        return new Response(make());
      });
      const client = await http.connect(server);
      await client.send(GET + GET);
      await assertRejectsMatching(() => client.response(), /the connection ended before/);
      assert(await completed instanceof Error);
      await http.until(() => server.statistics.connectionCount === 0);
    }
  },
);

httpTest("serve() cancels the body that HEAD is not to have, and does not wait for that", async (http) => {
  const bodies: (() => ReadableStream)[] = [
    () => new ReadableStream({ cancel: () => new Promise(() => {}) }),
    () => new ReadableStream({ cancel: () => Promise.reject(new Error("cannot")) }),
    () => {
      const body = new CountedBody(10, 10);
      counted.push(body);
      return body.stream;
    },
  ];
  const counted: CountedBody[] = [];
  for (const make of bodies) {
    const client = await http.connect(
      http.serve(({ method }) => new Response(method === "HEAD" ? make() : null)),
    );
    await client.send("HEAD / HTTP/1.1\r\nhost: a\r\n\r\n");
    assertStrictEquals((await client.response({ head: true })).status, 200);
    await client.assertOpen();
  }
  await http.until(() => counted[0].cancelled !== undefined);
  assertStrictEquals(counted[0].pulledBytes, 0);
});

httpTest("serve() lets many slow readers share few buffers", async (http) => {
  const server = http.serve(({ pathname }) => {
    const kind = Number(pathname.slice(1)) % 3;
    if (kind === 0) return new HttpResponse(letters(150_000));
    return kind === 1
      ? new Response(new CountedBody(15, 10_000).stream)
      : new HttpResponse(new Uint8Array(150_000));
  });
  const clients = await Promise.all(Array.from({ length: 24 }, () => http.connect(server)));
  await Promise.all(clients.map((client, index) => client.send(`GET /${index} HTTP/1.1\r\nhost: a\r\n\r\n`)));
  await http.sleep(20);
  await Promise.all(clients.map(async (client) => {
    await http.sleep(http.random.below(30));
    assertStrictEquals((await client.response()).body.length, 150_000);
  }));
}, { bufferCountMax: 4 });

httpTest("serve() holds no buffer for connections that are idle", async (http) => {
  const server = http.serve(({ target }) => new HttpResponse(target === "/é" ? "é" : target));
  const clients = await Promise.all(Array.from({ length: 50 }, () => http.connect(server)));
  for (const client of clients) {
    await client.send(GET);
    await client.response();
  }
  await http.until(() => http.reactor.driver.buffers.heldCount === 0);
  assertStrictEquals(server.statistics.connectionCount, 50);
});

httpTest("serve() streams a request's body back as it comes", async (http) => {
  const server = http.serve((request) => new Response(request.body, { headers: { "x-a": "b" } }));
  const client = await http.connect(server);
  await client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  await echoPieces(http, client);
  await client.assertOpen();
});

async function echoPieces(http: Http, client: Awaited<ReturnType<Http["connect"]>>): Promise<void> {
  const pieces = Array.from({ length: 20 }, (_, index) => letters(1 + http.random.below(30_000)) + index);
  const sending = (async () => {
    for (const piece of pieces) {
      await client.send(`${piece.length.toString(16)}\r\n${piece}\r\n`);
      await http.sleep(http.random.below(3));
    }
    await client.send("0\r\n\r\n");
  })();
  assertStrictEquals((await client.response()).body, pieces.join(""));
  await sending;
}

/** What comes up to and including `end`. */
async function receiveUntil(client: RawClient, end: string): Promise<string> {
  let text = "";
  while (!text.endsWith(end)) text += await client.receive(1);
  return text;
}
