import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { HttpResponse, type ServeHandler, type ServerRequest } from "../../../src/io/http/mod.ts";
import { latin1Bytes, letters } from "../../support/http_bytes.ts";
import { type Http, httpTest, REAL_DRIVERS } from "../../support/http_harness.ts";

/** Requests before and behind the one in question, answered at once; what is not kept of that one, they overwrite. */
const OTHER = `GET /${letters(500)} HTTP/1.1\r\nHost: other\r\nX-A: other\r\n\r\n`;

/** Sends `text` between others and answers with what `look` finds: at once, later, and at the end of a promise. */
async function ask(http: Http, text: string, look: (request: ServerRequest) => unknown): Promise<unknown> {
  const found: unknown[] = [];
  const handlers: readonly ServeHandler<Deno.NetAddr>[] = [
    (request) => HttpResponse.json(look(request)),
    async (request) => {
      await http.sleep(2);
      return HttpResponse.json(look(request));
    },
    (request) => Promise.resolve(HttpResponse.json(look(request))),
  ];
  for (const handler of handlers) {
    const server = http.serve((request, info) => {
      return request.header("host") === "other" ? new HttpResponse("other") : handler(request, info);
    });
    const client = await http.connect(server);
    await client.send(OTHER + text + OTHER);
    assertStrictEquals((await client.response()).body, "other");
    const { body } = await client.response();
    found.push(JSON.parse(new TextDecoder().decode(latin1Bytes(body))));
    assertStrictEquals((await client.response()).body, "other");
  }
  assertEquals(found[1], found[0]);
  assertEquals(found[2], found[0]);
  return found[0];
}

const request = (line: string, ...fields: string[]) => `${[line, ...fields].join("\r\n")}\r\n\r\n`;

httpTest("HttpRequest.url, target and pathname name what was asked for", async (http) => {
  const cases: readonly (readonly [line: string, host: string, url: string, pathname: string])[] = [
    ["GET / HTTP/1.1", "a", "http://a/", "/"],
    ["GET /p/q?r=s HTTP/1.1", "example.com:8080", "http://example.com:8080/p/q?r=s", "/p/q"],
    ["GET /%20%2f?%zz HTTP/1.1", "[::1]:80", "http://[::1]:80/%20%2f?%zz", "/%20%2f"],
    ["GET //evil/x HTTP/1.1", "a", "http://a//evil/x", "//evil/x"],
    ["GET /? HTTP/1.1", "a", "http://a/?", "/"],
    ["GET http://B.example/p?q HTTP/1.1", "a", "http://b.example/p?q", "/p"],
    ["GET http://b.example?q HTTP/1.1", "a", "http://b.example/?q", "/"],
    ["GET HTTPS://b.example:443/ HTTP/1.1", "a", "https://b.example/", "/"],
    ["OPTIONS * HTTP/1.1", "a:1", "http://a:1/", "*"],
  ];
  for (const [line, host, url, pathname] of cases) {
    const found = await ask(http, request(line, `Host: ${host}`), (request) => {
      return [request.url, request.target, request.pathname, request.url];
    });
    assertEquals(found, [url, line.split(" ")[1], pathname, url]);
  }
});

httpTest("HttpRequest.url takes the server's own address when there is no Host", async (http) => {
  const server = http.serve((request) => new HttpResponse(request.url));
  const client = await http.connect(server);
  await client.send("GET /p HTTP/1.0\r\n\r\n");
  assertStrictEquals((await client.response()).body, `http://127.0.0.1:${server.addr.port}/p`);
});

httpTest("HttpRequest.url of a host that no URL can have is what was sent", async (http) => {
  const parts = ({ url, pathname, target }: ServerRequest) => [url, pathname, target];
  for (const target of ["http://xn--a/b/../c?d", "http://xn--a?d", "http://xn--a"]) {
    const found = await ask(http, request(`GET ${target} HTTP/1.1`, "Host: a"), parts);
    assertEquals(found, [target, target.includes("/b") ? "/b/../c" : "/", target]);
  }
  assertEquals(await ask(http, request("GET /b HTTP/1.1", "Host: xn--a"), parts), [
    "http://xn--a/b",
    "/b",
    "/b",
  ]);
});

httpTest("HttpRequest.url of a host that makes no URL is refused before it gets here", async (http) => {
  const server = http.serve((request) => new HttpResponse(new URL(request.url).href));
  for (const host of ["[:::::]", "999.999.999.999", "256.1.1.1", "1.2.3", "a.0x"]) {
    for (const lines of [["GET / HTTP/1.1", `Host: ${host}`], [`GET http://${host}/ HTTP/1.1`, "Host: a"]]) {
      const client = await http.connect(server);
      await client.send(request(lines[0], lines[1]));
      assertStrictEquals((await client.response()).status, 400);
      client.close();
    }
  }
});

httpTest("HttpRequest.method is what was sent", async (http) => {
  for (const method of ["GET", "POST", "PATCH", "PROPFIND", "get", "M-SEARCH"]) {
    const found = await ask(http, request(`${method} / HTTP/1.1`, "Host: a"), ({ method }) => method);
    assertStrictEquals(found, method);
  }
});

httpTest("HttpRequest.headers holds every field, joined, each byte a character", async (http) => {
  const text = request(
    "GET / HTTP/1.1",
    "Host: a",
    "X-A: 1",
    "x-a: 2",
    "X-A:",
    "X-Latin: \xe9\xff\x80",
    "X-Empty:",
    "X-Tab: a\tb",
  );
  const found = await ask(http, text, (request) => [
    ...["x-a", "X-A", "x-latin", "x-empty", "x-tab", "missing", "host"].map((name) => request.header(name)),
    request.headers.get("x-a"),
    ...["x-a", "X-A", "x-latin", "x-empty", "x-tab", "missing", "host"].map((name) => request.header(name)),
    [...request.headers],
  ]);
  const values = ["1, 2, ", "1, 2, ", "\xe9\xff\x80", "", "a\tb", null, "a"];
  const all = [["host", "a"], ["x-a", "1, 2, "], ["x-empty", ""], ["x-latin", "\xe9\xff\x80"], [
    "x-tab",
    "a\tb",
  ]];
  assertEquals(found, [...values, "1, 2, ", ...values, all]);
});

httpTest("HttpRequest.headers may be changed", async (http) => {
  const found = await ask(http, request("GET / HTTP/1.1", "Host: a", "X-A: 1"), (request) => {
    request.headers.set("x-a", "2");
    request.headers.append("x-b", "3");
    return [request.header("x-a"), request.headers.get("x-b"), new Request(request).headers.get("x-a")];
  });
  assertEquals(found, ["2", "3", "2"]);
});

httpTest("HttpRequest.headers holds a value of all the bytes a head may have", async (http) => {
  const server = http.serve(
    (request) => new HttpResponse(`${request.header("x-a")?.length} ${request.headers.get("x-a")?.length}`),
    {
      headerBytesMax: 1 << 20,
      targetBytesMax: 1 << 20,
    },
  );
  const client = await http.connect(server);
  for (const letter of ["a", "\xe9"]) {
    const value = letter.repeat(1_000_000);
    const sending = client.send(request("GET / HTTP/1.1", "Host: a", `X-A: ${value}`));
    assertStrictEquals((await client.response()).body, "1000000 1000000");
    await sending;
  }
}, { simulatedRunCount: 1 });

httpTest("HttpRequest is an instance of Request, with the same properties", async (http) => {
  const found = await ask(http, request("PUT /p HTTP/1.1", "Host: a", "X-A: 1"), (request) => {
    const expected = new Request("http://a/p", { method: "PUT", headers: { host: "a", "x-a": "1" } });
    assert(request instanceof Request);
    assert(request.signal instanceof AbortSignal);
    const names = Object.keys(Object.getOwnPropertyDescriptors(Request.prototype)) as (keyof Request)[];
    for (const name of names) assertStrictEquals(typeof request[name], typeof expected[name], name);
    for (const name of ["method", "url", "redirect", "body", "bodyUsed"] as const) {
      assertEquals(request[name], expected[name], name);
    }
    assertMatch(Deno.inspect(request), /Request/);
    return Object.prototype.toString.call(request);
  });
  assertStrictEquals(found, "[object Request]");
});

httpTest("HttpRequest is taken by new Request(), with and without changes", async (http) => {
  const server = http.serve(async (request) => {
    const copy = new Request(request, { headers: { "x-b": "2" } });
    const other = new Request("http://other/", copy);
    return HttpResponse.json([
      copy.url,
      copy.method,
      copy.headers.get("x-b"),
      copy.headers.get("x-a"),
      await other.text(),
    ]);
  });
  const client = await http.connect(server);
  await client.send("POST /p HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nContent-Length: 5\r\n\r\nhello");
  assertEquals(JSON.parse((await client.response()).body), ["http://a/p", "POST", "2", null, "hello"]);
});

httpTest("HttpRequest is forwarded by fetch(), body and all", async (http) => {
  const upstream = http.serve(async (request) => {
    return new HttpResponse(
      `${request.method} ${request.target} ${request.header("x-a")} ${(await request.text()).length}`,
    );
  });
  const server = http.serve((request) => {
    const url = new URL(request.url);
    url.port = String(upstream.addr.port);
    return http.fetch(upstream, url.pathname, {
      method: request.method,
      headers: { "x-a": request.header("x-a") ?? "" },
      body: request.body,
    });
  });
  const client = await http.connect(server);
  const body = letters(300_000);
  const sending = client.send(
    `POST /p HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: 1\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  assertStrictEquals((await client.response()).body, "POST /p 1 300000");
  await sending;
}, { drivers: REAL_DRIVERS });

httpTest("HttpRequest is taken by fetch() itself", async (http) => {
  const upstream = http.serve(
    async (request) => new HttpResponse(`${request.method} ${await request.text()}`),
    {},
  );
  const server = http.serve((request) => {
    // A client asks this server for what the other has: the Host names the other.
    return request.header("x-forwarded") === null ? fetch(request) : new HttpResponse("not reached");
  });
  const client = await http.connect(server);
  await client.send(
    `POST /p HTTP/1.1\r\nHost: 127.0.0.1:${upstream.addr.port}\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello`,
  );
  assertStrictEquals((await client.response()).body, "POST hello");
  // fetch() keeps its connection to the other server.
  await upstream.shutdown();
}, { drivers: REAL_DRIVERS });

/** What of a request can be asked for late, and what it was. */
const PARTS:
  readonly (readonly [name: string, look: (request: ServerRequest) => unknown, expected: string])[] = [
    ["target", (request) => request.target, "/kept?q"],
    ["pathname", (request) => request.pathname, "/kept"],
    ["url", (request) => request.url, "http://kept/kept?q"],
    ["header()", (request) => request.header("x-a"), "kept"],
    ["headers", (request) => request.headers.get("x-a"), "kept"],
    ["clone()", (request) => request.clone().url, "http://kept/kept?q"],
  ];

httpTest("HttpRequest throws a clear TypeError for what is asked for behind the answer", async (http) => {
  for (const [name, look, expected] of PARTS) {
    for (const before of [undefined, ...PARTS]) {
      const kept: ServerRequest[] = [];
      const server = http.serve((request) => {
        before?.[1](request);
        kept.push(request);
        return new HttpResponse("x");
      });
      const client = await http.connect(server);
      await client.send(request("GET /kept?q HTTP/1.1", "Host: kept", "X-A: kept"));
      await client.response();
      await client.send("GET /overwritten HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
      await client.response();
      const what = `${name} behind ${before?.[0]}`;
      try {
        const found = look(kept[0]);
        // What was asked for before is kept; nothing is ever another request's.
        assert(before !== undefined, what);
        assertStrictEquals(found, expected, what);
      } catch (error) {
        assertMatch(`${error}`, /^TypeError: .*its response has been sent/, what);
      }
      client.close();
    }
  }
}, { drivers: ["uring", "simulated"], simulatedRunCount: 1 });

httpTest("HttpRequest keeps what was asked for before the answer", async (http) => {
  const kept: ServerRequest[] = [];
  const server = http.serve((request) => {
    void [request.url, request.headers, request.method];
    kept.push(request);
    return new HttpResponse("x");
  });
  const client = await http.connect(server);
  for (let index = 0; index < 5; index++) {
    await client.send(request(`GET /${index} HTTP/1.1`, "Host: a", `X-A: ${index}`));
    await client.response();
  }
  const found = kept.map((
    request,
  ) => [request.url, request.header("x-a"), request.headers.get("x-a"), request.target]);
  assertEquals(found, kept.map((_, index) => [`http://a/${index}`, `${index}`, `${index}`, `/${index}`]));
});

httpTest(
  "HttpRequest.signal is aborted when the connection is gone, also for who asks late",
  async (http) => {
    const found: boolean[] = [];
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const server = http.serve(async (request) => {
      const early = request.target === "/early" ? request.signal : undefined;
      await http.until(() => server.statistics.connectionCount === 0);
      found.push(early?.aborted ?? request.signal.aborted);
      if (found.length === 2) resolve();
      return new HttpResponse("nobody hears this");
    });
    for (const target of ["/early", "/late"]) {
      const client = await http.connect(server);
      await client.send(`POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf`);
      await http.until(() => server.statistics.connectionCount === 1);
      await http.sleep(20);
      client.close();
      await http.until(() => server.statistics.connectionCount === 0);
    }
    await done;
    assertEquals(found, [true, true]);
  },
);

httpTest("HttpRequest.signal is not aborted by an answer that was sent", async (http) => {
  const signals: AbortSignal[] = [];
  const server = http.serve((request) => {
    signals.push(request.signal);
    return new HttpResponse("x");
  });
  const client = await http.connect(server);
  await client.send(request("GET / HTTP/1.1", "Host: a", "Connection: close"));
  await client.response();
  await client.assertEnd();
  assertEquals(signals.map(({ aborted }) => aborted), [false]);
});
