import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { HttpResponse } from "../../../src/io/http/mod.ts";
import { letters } from "../../support/http_bytes.ts";
import { httpTest } from "../../support/http_harness.ts";

const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

function expecting(framing: string, version = "HTTP/1.1"): string {
  return `POST / ${version}\r\nHost: a\r\nExpect: 100-continue\r\n${framing}\r\n\r\n`;
}

httpTest("serve() asks for the body with 100 when the handler reads it", async (http) => {
  const server = http.serve(async (request) => {
    if (request.target === "/late") await http.sleep(10);
    return new HttpResponse(await request.text());
  });
  const client = await http.connect(server);
  for (const framing of ["Content-Length: 5", "Transfer-Encoding: chunked"]) {
    for (const target of ["/", "/late"]) {
      await client.send(expecting(framing).replace("/", target));
      const first = await client.response();
      assertEquals([first.status, first.reason, first.fields], [100, "Continue", []]);
      await client.send(framing.startsWith("C") ? "hello" : "5\r\nhello\r\n0\r\n\r\n");
      const { status, body } = await client.response();
      assertEquals([status, body], [200, "hello"]);
    }
  }
  await client.send(GET);
  assertStrictEquals((await client.response()).status, 200);
});

httpTest("serve() asks for the body when its stream is read, not when it is looked at", async (http) => {
  let asked = false;
  const server = http.serve(async (request) => {
    const { body } = request;
    await http.sleep(30);
    asked = true;
    return new HttpResponse(await new Response(body).text());
  });
  const client = await http.connect(server);
  await client.send(expecting("Content-Length: 5"));
  assertStrictEquals((await client.response()).status, 100);
  assert(asked);
  await client.send("hello");
  assertStrictEquals((await client.response()).body, "hello");
});

httpTest("serve() asks for the body once", async (http) => {
  const server = http.serve(async (request) => {
    let length = 0;
    for await (const piece of request.body ?? []) length += piece.byteLength;
    return new HttpResponse(`${length}`);
  });
  const client = await http.connect(server);
  await client.send(expecting("Content-Length: 500000"));
  assertStrictEquals((await client.response()).status, 100);
  await client.send(letters(500_000));
  assertStrictEquals((await client.response()).body, "500000");
});

httpTest("serve() sends no 100 when the handler does not read, answers and closes", async (http) => {
  const server = http.serve(async (request) => {
    if (request.target === "/late") await http.sleep(5);
    return new HttpResponse("no thanks", { status: 403 });
  });
  for (const framing of ["Content-Length: 5", "Transfer-Encoding: chunked"]) {
    for (const target of ["/", "/late"]) {
      const client = await http.connect(server);
      await client.send(expecting(framing).replace("/", target));
      const { status, body, field } = await client.response();
      assertEquals([status, body, field("connection")], [403, "no thanks", "close"]);
      await client.assertEnd();
      client.close();
    }
  }
});

httpTest("serve() takes no body for a request that comes without having been asked for", async (http) => {
  const server = http.serve(({ target }) => new HttpResponse(target, { status: 403 }));
  const client = await http.connect(server);
  await client.send(expecting("Content-Length: 50"));
  assertStrictEquals((await client.response()).status, 403);
  // The client sends the body all the same, and it looks like a request.
  await client.sendIfOpen("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n".padEnd(50));
  await client.assertEnd();
  assertStrictEquals(server.statistics.requestCount, 1);
});

httpTest("serve() sends no 100 to a client that does not wait", async (http) => {
  const server = http.serve(async (request) => {
    await http.sleep(20);
    return new HttpResponse(await request.text());
  });
  const client = await http.connect(server);
  await client.send(`${expecting("Content-Length: 5")}hello`);
  assertEquals((await client.response()).body, "hello");
  await client.send(expecting("Content-Length: 5"));
  await client.send("hello");
  const first = await client.response();
  if (first.status === 100) assertStrictEquals((await client.response()).body, "hello");
  else assertStrictEquals(first.body, "hello");
  await client.send(GET);
  assertStrictEquals((await client.response()).status, 200);
});

httpTest("serve() sends no 100 to HTTP/1.0, nor when there is no body", async (http) => {
  const server = http.serve(async (request) => new HttpResponse(await request.text()));
  const old = await http.connect(server);
  await old.send(`${expecting("Content-Length: 5", "HTTP/1.0")}hello`);
  assertStrictEquals((await old.response()).body, "hello");
  const client = await http.connect(server);
  for (const framing of ["Content-Length: 0", "X: y"]) {
    await client.send(expecting(framing));
    assertStrictEquals((await client.response()).status, 200);
  }
});

httpTest("serve() sends 100 behind the answers to earlier requests", async (http) => {
  const server = http.serve(async (request) => {
    if (request.method === "GET") await http.sleep(10);
    return new HttpResponse(request.method + await request.text());
  });
  const client = await http.connect(server);
  await client.send(GET + GET + expecting("Content-Length: 2"));
  assertStrictEquals((await client.response()).body, "GET");
  assertStrictEquals((await client.response()).body, "GET");
  assertStrictEquals((await client.response()).status, 100);
  await client.send(`hi${GET}`);
  assertStrictEquals((await client.response()).body, "POSThi");
  assertStrictEquals((await client.response()).body, "GET");
});

/** Answers with "begun ", then with how reading the body went, then with "end" when `ending` has resolved. */
function answerBeforeReading(request: Request, ending: Promise<void>): Response {
  const encoder = new TextEncoder();
  async function* pieces() {
    for (const piece of ["be", "gun", " "]) yield encoder.encode(piece);
    yield encoder.encode(await request.text().catch((error) => error.name));
    await ending;
    yield encoder.encode(" end");
  }
  return new Response(ReadableStream.from(pieces()));
}

httpTest("serve() sends no 100 once the answer has begun, and fails the reading at once", async (http) => {
  const server = http.serve(async (request) => {
    if (request.target === "/late") await http.sleep(5);
    return answerBeforeReading(request, Promise.resolve());
  });
  for (const framing of ["Content-Length: 5", "Transfer-Encoding: chunked"]) {
    for (const target of ["/", "/late"]) {
      const client = await http.connect(server);
      await client.send(expecting(framing).replace("/", target));
      const { status, body, field } = await client.response();
      assertEquals([status, body, field("connection")], [200, "begun Interrupted end", "close"]);
      await client.assertEnd();
      client.close();
    }
  }
});

httpTest("serve() cuts an answer that is made of a body nobody was asked for", async (http) => {
  const server = http.serve((request) => {
    async function* pieces() {
      for (const piece of ["be", "gun", " "]) yield new TextEncoder().encode(piece);
      yield* request.body ?? [];
    }
    return new Response(ReadableStream.from(pieces()));
  }, { bodyTimeoutMs: Infinity });
  const client = await http.connect(server);
  await client.send(expecting("Content-Length: 5"));
  assert(!(await client.rest()).endsWith("0\r\n\r\n"));
});

httpTest("serve() takes what comes behind an answer that forwent the body for no request", async (http) => {
  const { promise: ending, resolve: end } = Promise.withResolvers<void>();
  const server = http.serve((request) => answerBeforeReading(request, ending));
  const client = await http.connect(server);
  const answered = client.response();
  await client.send(expecting("Content-Length: 50"));
  await http.until(() => client.receivedBytes > 0);
  await http.sleep(20);
  await client.send("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n".padEnd(50));
  await client.closeWrite();
  await http.sleep(20);
  end();
  assertStrictEquals((await answered).body, "begun Interrupted end");
  await client.assertEnd();
  assertStrictEquals(server.statistics.requestCount, 1);
});

httpTest("serve() asks for the body late when there was no buffer to ask in", async (http) => {
  const { buffers } = http.reactor.driver;
  const server = http.serve(async (request) => new HttpResponse(await request.text()));
  const [client, gone] = [await http.connect(server), await http.connect(server)];
  const held = Array.from({ length: buffers.bufferCountMax }, () => buffers.acquire());
  await client.send(expecting("Content-Length: 5"));
  await gone.send(expecting("Content-Length: 5"));
  await http.until(() => server.statistics.requestCount === 2);
  await http.sleep(20);
  gone.close();
  await http.until(() => server.statistics.connectionCount === 1);
  for (const buffer of held) if (buffer !== undefined) buffers.release(buffer);
  assertStrictEquals((await client.response()).status, 100);
  await client.send("hello");
  assertStrictEquals((await client.response()).body, "hello");
}, { drivers: ["uring", "deno"], bufferCountMax: 8 });

httpTest(
  "serve() asks for the body that the answer is made of, and goes on with the connection",
  async (http) => {
    const upper = () =>
      new TransformStream<Uint8Array, Uint8Array>({
        transform: (piece, controller) => controller.enqueue(piece.map((byte) => byte & 0xdf)),
      });
    const server = http.serve((request) => {
      return request.target === "/"
        ? new Response(request.body)
        : new Response(request.body?.pipeThrough(upper()));
    });
    const client = await http.connect(server);
    for (const target of ["/", "/upper"]) {
      for (const framing of ["Content-Length: 5", "Transfer-Encoding: chunked"]) {
        await client.send(expecting(framing).replace("/", target));
        assertStrictEquals((await client.response()).status, 100);
        await client.send(framing.startsWith("C") ? "hello" : "5\r\nhello\r\n0\r\n\r\n");
        const { status, body } = await client.response();
        assertEquals([status, body], [200, target === "/" ? "hello" : "HELLO"]);
      }
    }
    await client.send(GET);
    assertStrictEquals((await client.response()).status, 200);
  },
);
