import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { HttpResponse, type ServerRequest } from "../../../src/io/http/mod.ts";
import { BODY_BUFFER_BYTES } from "../../../src/io/http/request_body.ts";
import { CHUNKED_VECTORS } from "../../fixtures/http/chunked_vectors.ts";
import { chunked, letters } from "../../support/http_bytes.ts";
import { httpTest } from "../../support/http_harness.ts";

const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
/** More than the buffers of both kernels' sockets and ours. */
const LARGE_BYTES = 32 << 20;

function post(body: string, ...fields: string[]): string {
  const head = ["POST / HTTP/1.1", "Host: a", ...fields].join("\r\n");
  return `${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

function postChunks(...pieces: string[]): string {
  return `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunked(...pieces)}`;
}

/** Ways to read a body to its end. */
const READERS: Readonly<Record<string, (request: ServerRequest) => Promise<string>>> = {
  text: (request) => request.text(),
  bytes: async (request) => new TextDecoder().decode(await request.bytes()),
  arrayBuffer: async (request) => new TextDecoder().decode(await request.arrayBuffer()),
  blob: async (request) => await (await request.blob()).text(),
  json: async (request) => JSON.stringify(await request.json()),
  stream: async (request) => await new Response(request.body).text(),
  reader: async (request) => {
    let text = "";
    for await (const piece of request.body ?? []) text += new TextDecoder().decode(piece);
    return text;
  },
  byob: async (request) => {
    const reader = request.body?.getReader({ mode: "byob" });
    let text = "";
    for (let view = new Uint8Array(7);;) {
      const result = await reader?.read(view);
      if (result === undefined || result.done) return text;
      text += new TextDecoder().decode(result.value);
      view = new Uint8Array(result.value.buffer);
    }
  },
  clone: async (request) => {
    const clone = request.clone();
    const [first, second] = await Promise.all([request.text(), clone.text()]);
    assertStrictEquals(first, second);
    return first;
  },
  rewrapped: (request) => new Request(request).text(),
  textStream: async (request) => {
    let text = "";
    for await (const piece of request.textStream()) text += piece;
    return text;
  },
};

for (const [name, read] of Object.entries(READERS)) {
  httpTest(`HttpRequest.${name}: a body is read to its end, with a length and in chunks`, async (http) => {
    const server = http.serve(async (request) => new HttpResponse(await read(request)));
    const client = await http.connect(server);
    const body = `"${letters(200_000)}"`;
    const pieces = body.match(/[^]{1,7777}/g) ?? [];
    for (const text of [post('"x"'), postChunks('"', "x", '"'), post(body), postChunks(...pieces)]) {
      const sending = client.send(text);
      const { body: found } = await client.response();
      assertStrictEquals(found, text.length < 1000 ? '"x"' : body);
      await sending;
    }
  }, { simulatedRunCount: 2 });
}

httpTest("serve() gives an empty body to who reads what is not there", async (http) => {
  const server = http.serve(async (request) => {
    assertStrictEquals(request.bodyUsed, false);
    const { byteLength } = await request.bytes();
    return new HttpResponse(`${byteLength} ${request.body}`);
  });
  const client = await http.connect(server);
  for (const text of [GET, post("")]) {
    await client.send(text);
    assertStrictEquals((await client.response()).body, "0 null");
  }
  await client.send(postChunks());
  assertStrictEquals((await client.response()).body, "0 [object ReadableStream]");
});

httpTest("serve() gives the body of a GET as well", async (http) => {
  const server = http.serve(async (request) => new HttpResponse(await request.text()));
  const client = await http.connect(server);
  await client.send("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
  assertStrictEquals((await client.response()).body, "hello");
  await client.assertOpen();
});

httpTest("serve() refuses chunked bodies that are malformed, and decodes the others", async (http) => {
  const server = http.serve(async (request) => {
    const text = await request.text();
    return new HttpResponse(`got ${[...text].map((letter) => letter.charCodeAt(0)).join()}`);
  }, { onError: () => new HttpResponse("too late", { status: 500 }) });
  for (const { name, bytes, data, rest = "" } of CHUNKED_VECTORS) {
    const client = await http.connect(server);
    await client.send(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${bytes}`);
    // What is not complete is not refused yet.
    if (data === undefined) {
      const { status, field } = await client.response();
      assertEquals([status, field("connection")], [400, "close"], name);
      await client.assertEnd();
    } else {
      const expected = [...new TextDecoder().decode(latin1(data))].map((letter) => letter.charCodeAt(0))
        .join();
      assertStrictEquals((await client.response()).body, `got ${expected}`, name);
      if (rest === "") await client.assertOpen();
    }
    client.close();
  }
}, { simulatedRunCount: 1 });

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

httpTest("serve() holds a client back whose body nobody reads", async (http) => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const server = http.serve(async (request) => {
    await gate;
    let length = 0;
    for await (const piece of request.body ?? []) length += piece.byteLength;
    return new HttpResponse(`${length}`);
  });
  for (const chunkedBody of [false, true]) {
    if (chunkedBody) open();
    const client = await http.connect(server);
    const piece = letters(1 << 16);
    const framing = chunkedBody ? "Transfer-Encoding: chunked" : `Content-Length: ${LARGE_BYTES}`;
    await client.send(`POST / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`);
    let sent = 0;
    const sending = (async () => {
      for (; sent < LARGE_BYTES; sent += piece.length) {
        await client.send(chunkedBody ? `10000\r\n${piece}\r\n` : piece);
      }
      if (chunkedBody) await client.send("0\r\n\r\n");
    })();
    if (!chunkedBody) {
      const stalled = await http.settled(() => sent);
      assert(stalled < LARGE_BYTES / 2, `the client sent ${stalled} bytes although nobody reads`);
      open();
    }
    assertStrictEquals((await client.response()).body, `${LARGE_BYTES}`);
    await sending;
    await client.assertOpen();
  }
}, { simulatedRunCount: 1 });

httpTest("serve() keeps the connection when a small body was not read", async (http) => {
  const server = http.serve((request) => new HttpResponse(request.target));
  const client = await http.connect(server);
  for (const body of ["x", letters(1000), letters(BODY_BUFFER_BYTES), letters(200_000)]) {
    for (const text of [post(body), postChunks(body), postChunks(...body.match(/[^]{1,999}/g) ?? [])]) {
      const sending = client.send(text);
      assertStrictEquals((await client.response()).body, "/");
      await sending;
      await client.assertOpen();
    }
  }
});

httpTest("serve() keeps the connection when a handler waited, and did not read a body", async (http) => {
  const server = http.serve(async (request) => {
    await http.sleep(10);
    return new HttpResponse(request.target);
  });
  const client = await http.connect(server);
  for (const body of ["x", letters(200_000)]) {
    const sending = client.send(post(body) + postChunks(body) + GET);
    for (let index = 0; index < 3; index++) assertStrictEquals((await client.response()).body, "/");
    await sending;
  }
});

httpTest("serve() answers and closes when a large body was not read", async (http) => {
  const server = http.serve(async (request) => {
    if (request.header("x-wait") !== null) await http.sleep(5);
    return new HttpResponse("no thanks", { status: 403 });
  }, { discardBytesMax: 100_000 });
  const body = letters(400_000);
  for (
    const text of [post(body), post(body, "X-Wait: yes"), postChunks(...body.match(/[^]{1,9999}/g) ?? [])]
  ) {
    const client = await http.connect(server);
    const sending = client.sendIfOpen(text);
    const { status, body: answer } = await client.response();
    assertEquals([status, answer], [403, "no thanks"]);
    await client.assertEnd();
    await sending;
  }
});

httpTest(
  "serve() goes on after a handler that read a part of the body and cancelled the rest",
  async (http) => {
    const server = http.serve(async (request) => {
      if (request.body === null) return new HttpResponse("next");
      const reader = request.body.getReader();
      const { value } = await reader.read();
      await reader.cancel();
      return new HttpResponse(String.fromCharCode(value?.[0] ?? 0));
    });
    const client = await http.connect(server);
    for (const length of [10, 5000, 200_000]) {
      for (const text of [post(letters(length)), postChunks(letters(length))]) {
        const sending = client.send(text);
        assertStrictEquals((await client.response()).body, "a");
        await sending;
        await client.send(GET);
        assertStrictEquals((await client.response()).body, "next");
      }
    }
  },
);

httpTest("serve() goes on after a handler that waited before it cancelled the body", async (http) => {
  const server = http.serve(async (request) => {
    if (request.body === null) return new HttpResponse("next");
    const reader = request.body.getReader();
    await reader.read();
    // Meanwhile more comes in than is kept, and the client is held back.
    await http.sleep(50);
    await reader.cancel();
    return new HttpResponse("done");
  });
  const client = await http.connect(server);
  const sending = client.send(post(letters(250_000)));
  assertStrictEquals((await client.response()).body, "done");
  await sending;
  await client.send(GET);
  assertStrictEquals((await client.response()).body, "next");
});

httpTest("serve() lets a handler read on behind its own answer", async (http) => {
  const { promise: whole, resolve } = Promise.withResolvers<string>();
  const server = http.serve(async (request) => {
    if (request.body === null) return new HttpResponse("next");
    const reader = request.body.getReader();
    const first = await reader.read();
    resolve((async () => {
      let text = "";
      for (let piece = first; !piece.done; piece = await reader.read()) {
        text += new TextDecoder().decode(piece.value);
      }
      return text;
    })());
    return new HttpResponse("early");
  });
  const client = await http.connect(server);
  const body = letters(500_000);
  const sending = client.send(post(body));
  assertStrictEquals((await client.response()).body, "early");
  await sending;
  assert(await whole === body);
  await client.send(GET);
  assertStrictEquals((await client.response()).body, "next");
});

httpTest("HttpRequest.text() never gives half a body, whenever the answer is sent", async (http) => {
  const ways: readonly ((request: ServerRequest) => Promise<string>)[] = [
    (request) => request.text(),
    (request) => new Response(request.body).text(),
    (request) => request.clone().text(),
    (request) => new Request(request).text(),
    async (request) => {
      await http.sleep(http.random.below(5));
      return await request.text();
    },
    async (request) => {
      const { body } = request;
      await http.sleep(http.random.below(5));
      return await new Response(body).text();
    },
  ];
  for (const way of ways) {
    let result: Promise<string> | undefined;
    const server = http.serve((request) => {
      if (request.method === "POST") {
        result = way(request).then((text) => `whole ${text.length}`, (error) => `${error}`);
      }
      return new HttpResponse("early");
    });
    for (const text of [post(letters(100_000)), postChunks(letters(100_000))]) {
      const client = await http.connect(server);
      const sending = client.send(text);
      assertStrictEquals((await client.response()).body, "early");
      await sending;
      const found = await result ?? "";
      assert(found === "whole 100000" || found.startsWith("TypeError: read the request"), found);
      await client.assertOpen();
    }
  }
});

httpTest("serve() rejects the reading of a body whose client goes away in the middle", async (http) => {
  for (
    const head of [
      "Content-Length: 1000\r\n\r\nhalf",
      "Transfer-Encoding: chunked\r\n\r\n5\r\nhal",
      "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n",
    ]
  ) {
    for (const way of ["text", "reader", "blob"]) {
      const { promise: failed, resolve } = Promise.withResolvers<unknown>();
      let signal: AbortSignal | undefined;
      const server = http.serve(async (request) => {
        signal = request.signal;
        try {
          resolve(await READERS[way](request));
        } catch (error) {
          resolve(error);
        }
        return new HttpResponse("nobody hears this");
      });
      const client = await http.connect(server);
      await client.send(`POST / HTTP/1.1\r\nHost: a\r\n${head}`);
      await http.until(() => server.statistics.requestCount === 1);
      if (way === "text") client.close();
      else await client.closeWrite();
      const error = await failed;
      assert(error instanceof Error, `${way}: ${error}`);
      assertMatch(error.message, /the client closed the connection|reset/);
      assert(signal?.aborted);
      // Who has only ended its own direction still hears what was wrong.
      const rest = await client.rest().catch(() => "");
      if (way === "text") assertStrictEquals(rest, "");
      else assertMatch(rest, /^HTTP\/1\.1 400 Bad Request\r\n[^]*connection: close/);
    }
  }
});

httpTest("HttpRequest.bodyUsed says whether somebody has begun to read", async (http) => {
  const server = http.serve(async (request) => {
    const seen = [request.bodyUsed, request.body?.locked, request.bodyUsed];
    await request.text();
    seen.push(request.bodyUsed);
    await assertRejects(() => request.text(), TypeError);
    await assertRejects(() => request.arrayBuffer(), TypeError);
    await assertRejects(() => request.blob(), TypeError);
    assertThrows(() => request.clone(), TypeError);
    return HttpResponse.json(seen);
  });
  const client = await http.connect(server);
  await client.send(post("hello"));
  assertStrictEquals((await client.response()).body, "[false,false,false,true]");
});

httpTest("HttpRequest.text() without a stream may be read once", async (http) => {
  const server = http.serve(async (request) => {
    const text = await request.text();
    assert(request.bodyUsed);
    await assertRejects(() => request.text(), TypeError);
    await assertRejects(() => request.json(), TypeError);
    await assertRejects(() => request.formData(), TypeError);
    return new HttpResponse(text);
  });
  const client = await http.connect(server);
  await client.send(post("hello"));
  assertStrictEquals((await client.response()).body, "hello");
});

httpTest("HttpRequest.formData() reads both encodings of a form", async (http) => {
  const server = http.serve(async (request) => {
    const form = await request.formData();
    const file = form.get("file");
    return new HttpResponse(`${form.get("a")} ${file instanceof File ? await file.text() : file}`);
  });
  const client = await http.connect(server);
  await client.send(post("a=b+c&file=no", "Content-Type: application/x-www-form-urlencoded"));
  assertStrictEquals((await client.response()).body, "b c no");
  const part = (name: string, more: string, value: string) =>
    `--X\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;
  const body = `${part("a", "", "1")}${part("file", '; filename="f.txt"', "in a file")}--X--\r\n`;
  await client.send(post(body, "Content-Type: multipart/form-data; boundary=X"));
  assertStrictEquals((await client.response()).body, "1 in a file");
});
