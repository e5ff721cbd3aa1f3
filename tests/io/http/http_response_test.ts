import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { HttpResponse } from "../../../src/io/http/mod.ts";

/** Every kind of body, made anew for each use. */
const BODIES: Readonly<Record<string, () => BodyInit | null | undefined>> = {
  nothing: () => undefined,
  null: () => null,
  empty: () => "",
  text: () => "grüße €",
  bytes: () => new Uint8Array([0, 1, 255]),
  buffer: () => new Uint8Array([0, 1, 255]).buffer,
  blob: () => new Blob(["blob"], { type: "x/y" }),
  parameters: () => new URLSearchParams({ a: "b c" }),
  stream: () => new Blob(["stream"]).stream(),
};

const INITS: Readonly<Record<string, ResponseInit | undefined>> = {
  nothing: undefined,
  empty: {},
  status: { status: 404 },
  statusText: { status: 299, statusText: "Fine" },
  record: { headers: { "X-A": " 1 ", "x-b": "2" } },
  pairs: { headers: [["x-a", "1"], ["X-A", "2"], ["set-cookie", "a"], ["set-cookie", "b"]] },
  headers: { headers: new Headers({ "x-a": "1" }) },
  contentType: { headers: { "Content-Type": "text/html" } },
};

/** What can be asked of a response without reading it. */
function look(response: Response): unknown {
  const { status, statusText, ok, bodyUsed, redirected, type, url } = response;
  const body = response.body === null ? null : "a stream";
  return { status, statusText, ok, bodyUsed, redirected, type, url, body, headers: [...response.headers] };
}

for (const [bodyName, body] of Object.entries(BODIES)) {
  Deno.test(`HttpResponse of body "${bodyName}" looks and reads as Response does`, async () => {
    for (const [initName, init] of Object.entries(INITS)) {
      const what = `init ${initName}`;
      assertEquals(look(new HttpResponse(body(), init)), look(new Response(body(), init)), what);
      // The order of questions must not matter.
      const later = new HttpResponse(body(), init);
      const { headers } = later;
      assert(later.body === null || later.body instanceof ReadableStream);
      assertEquals([...later.headers], [...headers], what);
      for (const read of ["text", "bytes", "arrayBuffer"] as const) {
        const [found, expected] = [new HttpResponse(body(), init), new Response(body(), init)];
        assertEquals(await found[read](), await expected[read](), what);
        assertStrictEquals(found.bodyUsed, expected.bodyUsed, what);
      }
      assertStrictEquals(
        (await new HttpResponse(body(), init).blob()).type,
        (await new Response(body(), init).blob()).type,
        what,
      );
    }
  });
}

Deno.test("HttpResponse is an instance of Response and of HttpResponse", () => {
  const response = new HttpResponse("x");
  assert(response instanceof Response);
  assert(response instanceof HttpResponse);
  assertStrictEquals(Object.prototype.toString.call(response), "[object Response]");
});

Deno.test("HttpResponse.json() makes what Response.json() makes", async () => {
  for (const data of [{ a: [1, "ü", null] }, "text", 0, null, true, []]) {
    for (const init of [undefined, { status: 201 }, { headers: { "content-type": "x/y" } }]) {
      const [found, expected] = [HttpResponse.json(data, init), Response.json(data, init)];
      assertEquals(look(found), look(expected));
      assertEquals(await found.json(), await expected.json());
    }
  }
  assertThrows(() => HttpResponse.json(undefined), TypeError);
  assertThrows(() => HttpResponse.json(() => {}), TypeError);
  assertThrows(() => HttpResponse.json(1n), TypeError);
});

Deno.test("HttpResponse throws where Response throws", () => {
  const bad: readonly [BodyInit | null, ResponseInit][] = [
    [null, { status: 199 }],
    [null, { status: 600 }],
    [null, { status: 0 }],
    [null, { status: 200.5 }],
    [null, { status: NaN }],
    [null, { status: -1 }],
    ["x", { status: 204 }],
    ["x", { status: 205 }],
    ["x", { status: 304 }],
    ["", { status: 204 }],
    [null, { statusText: "a\nb" }],
    [null, { statusText: "\u20ac" }],
    [null, { statusText: "\x7f" }],
  ];
  for (const [body, init] of bad) {
    const what = JSON.stringify([body, init]);
    // Numbers with a fraction are cut by Response; they are a mistake all the same.
    if (init.status !== 200.5) assertThrows(() => new Response(body, init), what);
    assertThrows(() => new HttpResponse(body, init), what);
  }
});

Deno.test("HttpResponse.headers may be changed, and what is read afterwards knows", async () => {
  const response = new HttpResponse("x", { headers: { "x-a": "1" } });
  response.headers.set("x-a", "2");
  response.headers.delete("content-type");
  assertEquals([...response.headers], [["x-a", "2"]]);
  const clone = response.clone();
  assertStrictEquals(clone.headers.get("x-a"), "2");
  assertStrictEquals(await response.text(), "x");
  assertStrictEquals(response.headers.get("x-a"), "2");
});

Deno.test("HttpResponse leaves the options it is given alone", () => {
  const init = Object.freeze({ status: 200, headers: Object.freeze({ "x-a": "1" }) });
  const response = new HttpResponse("x", init);
  response.headers.set("x-a", "2");
  const shared = new Headers({ "x-a": "1" });
  new HttpResponse("x", { headers: shared }).headers.set("x-a", "2");
  assertEquals([init.headers["x-a"], shared.get("x-a")], ["1", "1"]);
});

Deno.test("HttpResponse.clone() gives a response with the same content, until one is read", async () => {
  const response = new HttpResponse("text", { status: 201, headers: { "x-a": "1" } });
  const clone = response.clone();
  assertEquals(look(clone), look(response));
  assertEquals(await Promise.all([clone.text(), response.text()]), ["text", "text"]);
  assertThrows(() => response.clone(), TypeError);
});

Deno.test("HttpResponse.text() may be called once", async () => {
  const response = new HttpResponse("text");
  await response.text();
  await assertRejects(() => response.text(), TypeError);
  await assertRejects(() => response.json(), TypeError);
});

Deno.test("HttpResponse can be given to what takes a Response", async () => {
  const rewrapped = new Response(
    new HttpResponse("text", { headers: { "x-a": "1" } }).body,
    new HttpResponse("text"),
  );
  assertStrictEquals(await rewrapped.text(), "text");
  const form = await new HttpResponse(new URLSearchParams({ a: "b" })).formData();
  assertStrictEquals(form.get("a"), "b");
  let text = "";
  for await (const piece of new HttpResponse("grüße").textStream()) text += piece;
  assertStrictEquals(text, "grüße");
  assertMatch(Deno.inspect(new HttpResponse("text")), /Response/);
});
