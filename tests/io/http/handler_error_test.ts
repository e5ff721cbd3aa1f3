// deno-lint-ignore-file no-console no-throw-literal -- what handlers throw, and where the server says so, is the subject
import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { HttpResponse, type ServeHandler } from "../../../src/io/http/mod.ts";
import { letters } from "../../support/http_bytes.ts";
import { httpTest } from "../../support/http_harness.ts";

const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello";

const used = new Response("used");
await used.text();
const usedLight = new HttpResponse("used");
await usedLight.text();

function locked(): Response {
  const response = new Response("locked");
  response.body?.getReader();
  return response;
}

/** Handlers that fail, and what the error has to say. */
const FAILURES: readonly (readonly [name: string, handler: () => unknown, message: RegExp])[] = [
  ["throws", () => {
    throw new Error("thrown");
  }, /thrown/],
  ["throws what is no error", () => {
    throw "thrown";
  }, /thrown/],
  ["throws undefined", () => {
    throw undefined;
  }, /undefined/],
  ["rejects", () => Promise.reject(new Error("rejected")), /rejected/],
  ["rejects later", async () => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    throw new Error("rejected");
  }, /rejected/],
  ["returns undefined", () => undefined, /returned undefined, expected a Response/],
  ["returns null", () => null, /returned null, expected a Response/],
  ["returns a string", () => "text", /returned a value of type string, expected a Response/],
  ["returns an object", () => ({ status: 200 }), /returned a value of type object, expected a Response/],
  [
    "returns a function",
    () => () => new Response(),
    /returned a value of type function, expected a Response/,
  ],
  ["returns a promise of undefined", () => Promise.resolve(), /returned undefined, expected a Response/],
  ["returns a response whose body was read", () => used, /read already/],
  ["returns an HttpResponse whose body was read", () => usedLight, /read already/],
  ["returns a response whose body somebody reads", locked, /lock/i],
  ["returns Response.error()", () => Response.error(), /status/],
];

for (const [name, handler, message] of FAILURES) {
  httpTest(`serve() asks onError when a handler ${name}, and goes on`, async (http) => {
    const errors: unknown[] = [];
    const onErrors = [
      (error: unknown) => {
        errors.push(error);
        return new HttpResponse("sorry", { status: 503 });
      },
      async (error: unknown) => {
        await http.sleep(2);
        errors.push(error);
        return new Response("sorry", { status: 503 });
      },
    ];
    for (const onError of onErrors) {
      const server = http.serve(
        (request) => request.target === "/fine" ? new HttpResponse("fine") : handler() as Response,
        {
          onError,
        },
      );
      const client = await http.connect(server);
      await client.send(GET + POST + GET.replace("/", "/fine"));
      for (let round = 0; round < 2; round++) {
        const { status, body } = await client.response();
        assertEquals([status, body], [503, "sorry"]);
        assertMatch(String(errors.shift()), message);
      }
      assertStrictEquals((await client.response()).body, "fine");
      assertEquals(errors, []);
    }
  }, { simulatedRunCount: 1 });
}

const throwing: ServeHandler<Deno.NetAddr> = () => {
  throw new Error("thrown");
};

httpTest("serve() answers 500 when onError fails as well", async (http) => {
  const handlers: readonly (() => unknown)[] = [
    () => {
      throw new Error("onError fails");
    },
    () => Promise.reject(new Error("onError fails")),
    () => undefined,
    () => Promise.resolve("text"),
    () => used,
    () => new HttpResponse("x", { headers: { "x-a": "b\r\nc" } }),
    () => Response.error(),
  ];
  for (const onError of handlers) {
    const server = http.serve(throwing, { onError: onError as () => Response });
    const client = await http.connect(server);
    for (let round = 0; round < 2; round++) {
      await client.send(POST);
      const { status, body } = await client.response();
      assertEquals([status, body], [500, "Internal Server Error"]);
    }
    await client.send("HEAD / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    assertStrictEquals((await client.response({ head: true })).status, 500);
    await client.assertEnd();
  }
});

httpTest("serve() sends whatever response onError makes", async (http) => {
  const makes: readonly (() => Response)[] = [
    () => new HttpResponse(letters(100_000), { status: 500 }),
    () => new Response(new Blob([letters(100_000)]).stream(), { status: 500 }),
    () => Response.json({ error: letters(99_000) }, { status: 500 }),
  ];
  for (const make of makes) {
    const client = await http.connect(http.serve(throwing, { onError: make }));
    await client.send(GET);
    const { status, body } = await client.response();
    assert(status === 500 && body.length >= 99_000);
    await client.assertOpen();
  }
});

httpTest("serve() says on standard error what a handler threw, when it has no onError", async (http) => {
  const printed: unknown[] = [];
  const original = console.error;
  console.error = (...values: unknown[]) => printed.push(...values);
  try {
    const client = await http.connect(http.serve(throwing, { onError: undefined }));
    await client.send(GET);
    const { status, body } = await client.response();
    assertEquals([status, body], [500, "Internal Server Error"]);
    assertMatch(String(printed), /thrown/);
  } finally {
    console.error = original;
  }
});

httpTest("serve() does not tell a client what a handler threw", async (http) => {
  const original = console.error;
  console.error = () => {};
  try {
    const client = await http.connect(http.serve(() => {
      throw new Error("secret");
    }, { onError: undefined }));
    await client.send(`${GET}${GET.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n")}`);
    assert(!(await client.rest()).includes("secret"));
  } finally {
    console.error = original;
  }
});

httpTest("serve() lets a handler go on whose client went away, and cancels what it answers", async (http) => {
  let cancelled = false;
  let headers: string | undefined;
  const server = http.serve(async (request) => {
    await http.until(() => server.statistics.connectionCount === 0);
    headers = request.headers.get("x-a") ?? undefined;
    return new Response(
      new ReadableStream({
        cancel() {
          cancelled = true;
        },
      }),
    );
  });
  const client = await http.connect(server);
  await client.send("POST / HTTP/1.1\r\nhost: a\r\nx-a: b\r\ncontent-length: 100\r\n\r\nhalf");
  await http.until(() => server.statistics.requestCount === 1);
  client.close();
  await http.until(() => cancelled);
  assertStrictEquals(headers, "b");
});
