import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { Hono } from "npm:hono@4.13.19";
import { stream, streamText } from "npm:hono@4.13.19/streaming";
import { letters } from "../../support/http_bytes.ts";
import { httpTest, REAL_DRIVERS } from "../../support/http_harness.ts";

/** An application with what frameworks do with requests. */
function application(): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    context.header("x-method", context.req.method);
  });
  app.get("/", (context) => context.text("Hello Hono!"));
  app.get(
    "/user/:name",
    (context) => context.json({ name: context.req.param("name"), q: context.req.query("q") ?? null }),
  );
  app.get("/header", (context) => context.text(context.req.header("x-a") ?? "none"));
  app.post("/json", async (context) => {
    const body = await context.req.json<{ value: number }>();
    return context.json({ doubled: 2 * body.value }, 201);
  });
  app.post("/form", async (context) => context.text(String((await context.req.parseBody()).field)));
  app.post("/echo", (context) =>
    stream(context, async (out) => {
      for await (const piece of context.req.raw.body ?? []) await out.write(piece);
    }));
  app.get("/stream", (context) =>
    streamText(context, async (out) => {
      for (const text of ["one ", "two ", "three"]) {
        await out.write(text);
        await out.sleep(1);
      }
    }));
  app.post("/rewrapped", async (context) => {
    const request = new Request(context.req.raw, { headers: { "x-rewrapped": "yes" } });
    return context.text(`${request.method} ${request.headers.get("x-rewrapped")} ${await request.text()}`);
  });
  app.get("/redirect", (context) => context.redirect("/elsewhere"));
  app.get("/empty", (context) => context.body(null, 204));
  app.get("/large", (context) => context.text(letters(500_000)));
  app.get("/throws", () => {
    throw new Error("thrown in a route");
  });
  app.notFound((context) => context.text(`no ${context.req.path}`, 404));
  app.onError((error, context) => context.text(`caught: ${error.message}`, 500));
  app.route("/nested", new Hono().get("/leaf", (context) => context.text(new URL(context.req.url).pathname)));
  return app;
}

httpTest("serve() runs a Hono application unchanged", async (http) => {
  const server = http.serve(application().fetch);
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await http.fetch(server, path, { redirect: "manual", ...init });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  const post = (body: BodyInit, type?: string) => ({
    method: "POST",
    body,
    headers: type === undefined ? undefined : { "content-type": type },
  });
  const root = await ask("/");
  assertEquals([root.status, root.text, root.headers.get("x-method")], [200, "Hello Hono!", "GET"]);
  assertStrictEquals((await ask("/user/j%C3%BCrgen?q=1")).text, '{"name":"jürgen","q":"1"}');
  assertStrictEquals((await ask("/header", { headers: { "x-a": "b" } })).text, "b");
  const json = await ask("/json", post('{"value":21}', "application/json"));
  assertEquals([json.status, json.text], [201, '{"doubled":42}']);
  assertStrictEquals((await ask("/form", post(new URLSearchParams({ field: "a b" })))).text, "a b");
  const form = new FormData();
  form.set("field", "from a form");
  assertStrictEquals((await ask("/form", post(form))).text, "from a form");
  const large = letters(300_000);
  assert((await ask("/echo", post(large))).text === large);
  assertStrictEquals((await ask("/stream")).text, "one two three");
  assertStrictEquals((await ask("/rewrapped", post("body"))).text, "POST yes body");
  const redirect = await ask("/redirect");
  assertEquals([redirect.status, redirect.headers.get("location")], [302, "/elsewhere"]);
  assertEquals([(await ask("/empty")).status, (await ask("/empty")).text], [204, ""]);
  assertStrictEquals((await ask("/large")).text.length, 500_000);
  const thrown = await ask("/throws");
  assertEquals([thrown.status, thrown.text], [500, "caught: thrown in a route"]);
  const missing = await ask("/missing");
  assertEquals([missing.status, missing.text], [404, "no /missing"]);
  assertStrictEquals((await ask("/nested/leaf")).text, "/nested/leaf");
  const head = await http.fetch(server, "/large", { method: "HEAD" });
  assertEquals([head.status, await head.text()], [200, ""]);
}, { drivers: REAL_DRIVERS });

httpTest("serve() runs a Hono application for pipelined and raw requests", async (http) => {
  const client = await http.connect(http.serve(application().fetch));
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
  await client.send(
    `${get("/")}${get("/stream")}${
      get("/user/x")
    }POST /json HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n{"value":1}${get("/missing")}`,
  );
  const bodies = ["Hello Hono!", "one two three", '{"name":"x","q":null}', '{"doubled":2}', "no /missing"];
  for (const body of bodies) assertStrictEquals((await client.response()).body, body);
});
