import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { HttpResponse } from "../../../src/io/http/mod.ts";
import { latin1Text, letters } from "../../support/http_bytes.ts";
import type { RawClient, RawResponse } from "../../support/http_client.ts";
import { type Http, httpTest } from "../../support/http_harness.ts";

/** Makes one response by a function that a test names, for each of the two classes. */
type Make = (type: typeof Response) => Response;

const CLASSES: readonly (readonly [name: string, type: typeof Response])[] = [
  ["Response", Response],
  ["HttpResponse", HttpResponse as unknown as typeof Response],
];

/** Serves what `make` makes and asks for it on one connection, as many times as there are methods. */
async function ask(
  http: Http,
  make: () => Response | Promise<Response>,
  ...methods: string[]
): Promise<RawResponse[]> {
  const client = await http.connect(http.serve(make));
  const responses: RawResponse[] = [];
  for (const method of methods) responses.push(await askOnce(client, method));
  await client.assertOpen();
  client.close();
  return responses;
}

async function askOnce(client: RawClient, method: string): Promise<RawResponse> {
  await client.send(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
  return await client.response({ head: method === "HEAD" });
}

function forBoth(name: string, body: (http: Http, type: typeof Response) => Promise<void>): void {
  httpTest(name, async (http) => {
    for (const [, type] of CLASSES) await body(http, type);
  });
}

const utf8 = (text: string) => latin1Text(new TextEncoder().encode(text));

forBoth("serve() sends every kind of body there is", async (http, type) => {
  const form = new FormData();
  form.set("name", "value");
  const bytes = new Uint8Array([0, 1, 254, 255, 13, 10]);
  const view = new Uint8Array([9, 9, ...bytes, 9]).subarray(2, 8);
  const text = "grüße €\u{1f600}";
  const plain = "text/plain;charset=UTF-8";
  const cases: readonly (readonly [make: () => Response, body: string, contentType: string | undefined])[] = [
    [() => new type("hello"), "hello", plain],
    [() => new type(""), "", plain],
    [() => new type(text), utf8(text), plain],
    [() => new type(bytes), latin1Text(bytes), undefined],
    [() => new type(view), latin1Text(bytes), undefined],
    [() => new type(bytes.buffer), latin1Text(bytes), undefined],
    [() => new type(new DataView(bytes.buffer, 1, 2)), "\x01\xfe", undefined],
    [() => new type(new Uint16Array([0x4142])), "BA", undefined],
    [() => new type(new Blob(["blob"])), "blob", undefined],
    [() => new type(new Blob(["blob"], { type: "x/y" })), "blob", "x/y"],
    [
      () => new type(new URLSearchParams({ a: "b c" })),
      "a=b+c",
      "application/x-www-form-urlencoded;charset=UTF-8",
    ],
    [() => new type(new Blob(["stream"]).stream()), "stream", undefined],
    [() => new type(null), "", undefined],
    [() => new type(), "", undefined],
    [() => type.json({ a: "ü" }), utf8('{"a":"ü"}'), "application/json"],
  ];
  for (const [make, body, contentType] of cases) {
    const [got, head] = await ask(http, make, "GET", "HEAD");
    assertStrictEquals(got.body, body);
    assertStrictEquals(got.field("content-type"), contentType);
    assertStrictEquals(head.field("content-type"), contentType);
    if (got.framing === "length") assertStrictEquals(got.field("content-length"), String(body.length));
  }
  const [got] = await ask(http, () => new type(form), "GET");
  assertMatch(got.field("content-type") ?? "", /^multipart\/form-data; ?boundary=/);
  assertMatch(got.body, /name="name"\r\n\r\nvalue\r\n/);
});

forBoth("serve() announces the length of what is at hand", async (http, type) => {
  for (const length of [0, 1, 9, 10, 63, 64, 65, 99, 100, 255, 256, 257, 999, 1000, 15_000, 16_384, 70_000]) {
    for (
      const make of [
        () => new type(letters(length)),
        () => new type(new TextEncoder().encode(letters(length))),
      ]
    ) {
      const [got, head] = await ask(http, make, "GET", "HEAD");
      assertStrictEquals(got.body, letters(length));
      assertEquals([got.framing, got.field("content-length")], ["length", String(length)]);
      // Of a real Response nobody knows how long it is but by reading it.
      const expected = type === Response && head.field("content-length") === undefined
        ? undefined
        : String(length);
      assertStrictEquals(head.field("content-length"), expected);
    }
  }
});

forBoth("serve() sends texts whose bytes are more than their characters", async (http, type) => {
  for (
    const text of [
      "é",
      "a€",
      "\u{1f600}".repeat(100),
      "x".repeat(255) + "é",
      "é".repeat(5400),
      "\ud800",
      "€".repeat(350_000),
    ]
  ) {
    const [got] = await ask(http, () => new type(text), "GET", "HEAD");
    assertStrictEquals(got.body.length, new TextEncoder().encode(text).byteLength);
    assertStrictEquals(got.body, utf8(text));
  }
});

forBoth("serve() sends a text of a mebibyte that is not ASCII", async (http, type) => {
  const text = "aé€".repeat(2 ** 20 / 6);
  const [got] = await ask(http, () => new type(text), "GET");
  assertStrictEquals(got.framing, "length");
  assertStrictEquals(got.body, utf8(text));
});

forBoth("serve() sends every status with its reason phrase", async (http, type) => {
  const reasons = {
    200: "OK",
    201: "Created",
    206: "Partial Content",
    404: "Not Found",
    418: "I'm a teapot",
    503: "Service Unavailable",
    599: "",
    299: "",
  };
  for (const [status, reason] of Object.entries(reasons)) {
    const [got] = await ask(http, () => new type("x", { status: Number(status) }), "GET");
    assertEquals([got.status, got.reason, got.body], [Number(status), reason, "x"]);
  }
  const [got] = await ask(http, () => new type("x", { status: 200, statusText: "Fine \xe9\tby me" }), "GET");
  assertStrictEquals(got.reason, "Fine \xe9\tby me");
  const long = letters(3000);
  const [other] = await ask(http, () => new type("x", { statusText: long }), "GET");
  assertStrictEquals(other.reason, long);
});

forBoth("serve() sends statuses without body as the RFC wants them", async (http, type) => {
  for (const [status, length] of [[204, undefined], [205, "0"], [304, undefined]] as const) {
    for (const method of ["GET", "HEAD", "POST"]) {
      const [got] = await ask(http, () => new type(null, { status, headers: { "x-a": "b" } }), method);
      assertEquals([got.status, got.body, got.field("x-a")], [status, "", "b"]);
      assertStrictEquals(got.field("content-length"), length, `${status} ${method}`);
    }
  }
  // What is written after such a response must not be taken for its body.
  const [got, next] = await ask(
    http,
    () => new type(null, { status: 304, headers: { "content-length": "10" } }),
    "GET",
    "GET",
  );
  assertEquals([got.status, next.status], [304, 304]);
});

forBoth("serve() answers HEAD with the length that the handler announces", async (http, type) => {
  const [got] = await ask(http, () => new type(null, { headers: { "content-length": "12345" } }), "HEAD");
  assertStrictEquals(got.field("content-length"), "12345");
  const [none] = await ask(
    http,
    () => new type(null, { status: 204, headers: { "content-length": "5" } }),
    "HEAD",
  );
  assertStrictEquals(none.field("content-length"), undefined);
});

forBoth(
  "serve() sends header fields as they are, several of one name apart or joined",
  async (http, type) => {
    const headers = new Headers([["X-One", "1"], ["x-two", "a"], ["X-Two", "b"], ["x-empty", ""], [
      "x-latin",
      "\xe9\xff",
    ]]);
    headers.append("set-cookie", "a=1");
    headers.append("set-cookie", "b=2; Path=/");
    const [got] = await ask(http, () => new type("x", { headers }), "GET");
    assertStrictEquals(got.field("x-one"), "1");
    assertStrictEquals(got.field("x-two"), "a, b");
    assertStrictEquals(got.field("x-empty"), "");
    assertStrictEquals(got.field("x-latin"), "\xe9\xff");
    assertEquals(got.fields.filter(([name]) => name === "set-cookie").map(([, value]) => value), [
      "a=1",
      "b=2; Path=/",
    ]);
  },
);

httpTest("serve() takes fields of an HttpResponse in each form that HeadersInit has", async (http) => {
  const forms: readonly HeadersInit[] = [
    { "X-A": "1", "x-b": "2" },
    [["X-A", "1"], ["x-b", "2"]],
    new Map([["X-A", "1"], ["x-b", "2"]]) as unknown as HeadersInit,
    new Headers([["X-A", "1"], ["x-b", "2"]]),
  ];
  for (const headers of forms) {
    for (const body of ["short", letters(100_000), null, new Uint8Array(3), new Blob(["x"])]) {
      const [got] = await ask(http, () => new HttpResponse(body, { headers }), "GET");
      assertEquals([got.field("x-a"), got.field("x-b")], ["1", "2"]);
    }
  }
});

forBoth("serve() drops the fields that are its own, whatever the handler says", async (http, type) => {
  const headers = {
    "Connection": "close",
    "Keep-Alive": "timeout=5",
    "Transfer-Encoding": "gzip",
    "Date": "Thu, 01 Jan 1970 00:00:00 GMT",
    "Upgrade": "h2c",
    "TE": "trailers",
    "Proxy-Connection": "close",
    "Content-Length": "3",
    "X-Kept": "yes",
  };
  const makes: readonly (() => Response)[] = [
    () => new type("four", { headers }),
    () => new type(new Uint8Array(4), { headers }),
    () => new type(letters(40_000), { headers }),
    () => new type(null, { headers }),
  ];
  for (const make of makes) {
    // A length that is not the body's is an error of a real Response, see below; HttpResponse knows its own.
    if (type === Response) {
      Object.assign(headers, { "Content-Length": String((await make().bytes()).byteLength) });
    }
    const [got] = await ask(http, make, "GET");
    for (
      const name of ["connection", "keep-alive", "transfer-encoding", "upgrade", "te", "proxy-connection"]
    ) {
      assertStrictEquals(got.field(name), undefined, name);
    }
    assert(Date.parse(got.field("date") ?? "") > 1e12);
    assertStrictEquals(got.field("x-kept"), "yes");
  }
});

forBoth("serve() sends many and long header fields", async (http, type) => {
  const headers = new Headers();
  for (let index = 0; index < 100; index++) headers.set(`x-field-${index}`, letters(140));
  const [got] = await ask(http, () => new type("x", { headers }), "GET");
  for (let index = 0; index < 100; index++) assertStrictEquals(got.field(`x-field-${index}`), letters(140));
  assertStrictEquals(got.body, "x");
});

forBoth("serve() answers 500 when header fields are over what one buffer holds", async (http, type) => {
  const errors: unknown[] = [];
  const onError = (error: unknown) => {
    errors.push(error);
    return new HttpResponse("too much", { status: 500 });
  };
  const server = http.serve(() => new type("x", { headers: { "x-long": letters(20_000) } }), { onError });
  const client = await http.connect(server);
  for (let round = 0; round < 2; round++) {
    const got = await askOnce(client, "GET");
    assertEquals([got.status, got.body], [500, "too much"]);
  }
  assertStrictEquals(errors.length, 2);
  assertMatch(String(errors[0]), /header fields, over the limit/);
});

httpTest("serve() refuses header fields that would be read as more than one", async (http) => {
  const errors: unknown[] = [];
  const onError = (error: unknown) => {
    errors.push(error);
    return new HttpResponse("refused", { status: 500 });
  };
  const evil: readonly HeadersInit[] = [
    { "x-a": "b\r\nset-cookie: evil=1" },
    { "x-a": "b\nevil: 1" },
    { "x-a": "b\rc" },
    { "x-a": "b\0c" },
    { "x-a": "b\u20ac" },
    { "x-a\r\nevil": "b" },
    { "x a": "b" },
    { "x-a:": "b" },
    { "": "b" },
    { "x-\xe9": "b" },
    [["x-a", "b\r\n\r\nHTTP/1.1 200 OK"]],
  ];
  const bodies = ["short", letters(100_000), null, new Uint8Array(5), new Blob(["x"])];
  let [headers, body]: [HeadersInit, BodyInit | null] = [evil[0], null];
  const server = http.serve(() => new HttpResponse(body, { headers }), { onError });
  const client = await http.connect(server);
  for (headers of evil) {
    for (body of bodies) {
      const got = await askOnce(client, "GET");
      assertEquals([got.status, got.body], [500, "refused"], JSON.stringify(headers));
      assert(errors.pop() instanceof TypeError);
    }
  }
});

httpTest("serve() sends one HttpResponse as often as it is returned", async (http) => {
  const response = new HttpResponse("again", { headers: { "x-a": "b" } });
  const responses = await ask(http, () => response, "GET", "HEAD", "GET");
  assertEquals(responses.map(({ body }) => body), ["again", "", "again"]);
});

httpTest("serve() sends an HttpResponse whose fields were changed after it was made", async (http) => {
  const [got] = await ask(http, () => {
    const response = new HttpResponse("x", { headers: { "x-a": "1" } });
    response.headers.set("x-a", "2");
    response.headers.append("x-b", "3");
    return response;
  }, "GET");
  assertEquals([got.field("x-a"), got.field("x-b"), got.body], ["2", "3", "x"]);
});

const REDIRECT: Make = () => Response.redirect("http://b/", 303);

httpTest("serve() sends redirects, clones and responses of fetch", async (http) => {
  const upstream = http.serve(() => new HttpResponse("from upstream", { headers: { "x-a": "b" } }));
  const [redirect] = await ask(http, () => REDIRECT(Response), "GET");
  assertEquals([redirect.status, redirect.field("location")], [303, "http://b/"]);
  const [clone] = await ask(http, () => new Response("cloned").clone(), "GET");
  assertStrictEquals(clone.body, "cloned");
  const [light] = await ask(http, () => new HttpResponse("cloned").clone(), "GET");
  assertStrictEquals(light.body, "cloned");
  const [proxied] = await ask(http, () => http.fetch(upstream, "/"), "GET");
  assertEquals([proxied.body, proxied.field("x-a")], ["from upstream", "b"]);
}, { drivers: ["uring", "deno"] });
