import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { HttpResponse } from "../../../src/io/http/mod.ts";
import { BODY_BUFFER_BYTES } from "../../../src/io/http/request_body.ts";
import { letters } from "../../support/http_bytes.ts";
import { httpTest } from "../../support/http_harness.ts";

const ONE_BYTE_CHUNKS = 100_000;

function postHead(framing: string): string {
  return `POST / HTTP/1.1\r\nHost: a\r\n${framing}\r\n\r\n`;
}

httpTest(
  "serve() goes on behind a body that fills its buffer and is read behind the answer",
  async (http) => {
    const read: number[] = [];
    const server = http.serve((request) => {
      request.bytes().then(({ byteLength }) => read.push(byteLength), () => {});
      return new HttpResponse("x");
    });
    const lengths = [-1, 0, 1].flatMap((more) => [BODY_BUFFER_BYTES + more, 2 * BODY_BUFFER_BYTES + more]);
    for (const length of lengths) {
      const client = await http.connect(server);
      await client.send(postHead(`Content-Length: ${length}`));
      assertStrictEquals((await client.response()).body, "x");
      await client.send(letters(length));
      await http.sleep(5);
      await client.assertOpen();
      client.close();
    }
    assertEquals(read.filter((byteLength) => byteLength > 0), lengths);
  },
);

httpTest("serve() goes on when a handler stops reading behind its answer", async (http) => {
  const server = http.serve(async (request) => {
    const reader = request.body?.getReader();
    reader?.read().then(async () => {
      await http.sleep(20);
      await reader.cancel();
    });
    await http.sleep(1);
    return new HttpResponse("x");
  });
  const client = await http.connect(server);
  await client.send(postHead("Content-Length: 200000"));
  assertStrictEquals((await client.response()).body, "x");
  await client.send(letters(200_000));
  await client.assertOpen();
});

httpTest("HttpRequest.text() reads 100,000 chunks of one byte", async (http) => {
  const server = http.serve(async (request) => new HttpResponse(await request.text()));
  const body = letters(ONE_BYTE_CHUNKS);
  const client = await http.connect(server);
  const answered = client.response();
  await client.send(postHead("Transfer-Encoding: chunked"));
  await client.send(`${body.replace(/[^]/g, "1\r\n$&\r\n")}0\r\n\r\n`);
  assertStrictEquals((await answered).body, body);
});

httpTest("HttpRequest.body gives a slow reader many chunks in few pieces", async (http) => {
  let pieceCount = 0;
  const server = http.serve(async (request) => {
    let text = "";
    for await (const piece of request.body ?? []) {
      pieceCount++;
      text += new TextDecoder().decode(piece);
      await http.sleep(10);
    }
    return new HttpResponse(text);
  });
  const body = letters(ONE_BYTE_CHUNKS);
  const client = await http.connect(server);
  const answered = client.response();
  await client.send(postHead("Transfer-Encoding: chunked"));
  await client.send(`${body.replace(/[^]/g, "1\r\n$&\r\n")}0\r\n\r\n`);
  assertStrictEquals((await answered).body, body);
  assert(pieceCount <= ONE_BYTE_CHUNKS / 100, `${pieceCount} pieces`);
});
