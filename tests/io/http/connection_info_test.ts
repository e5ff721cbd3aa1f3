import { assert, assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { HttpResponse, type ServeHandlerInfo } from "../../../src/io/http/mod.ts";
import { letters } from "../../support/http_bytes.ts";
import { httpTest } from "../../support/http_harness.ts";
import { CountedBody } from "../../support/http_streams.ts";

const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

httpTest("ServeHandlerInfo.remoteAddr is the client's address", async (http) => {
  const server = http.serve(async (_request, info) => {
    const early = info.remoteAddr;
    await http.sleep(2);
    assertEquals(info.remoteAddr, early);
    return HttpResponse.json(info.remoteAddr);
  });
  for (let round = 0; round < 3; round++) {
    const client = await http.connect(server);
    await client.send(GET);
    const found = JSON.parse((await client.response()).body);
    assertEquals(found, { transport: "tcp", hostname: "127.0.0.1", port: client.localPort });
  }
});

httpTest("ServeHandlerInfo.completed resolves when the answer is with the kernel", async (http) => {
  const completed: Promise<void>[] = [];
  const answers: readonly (() => Response | Promise<Response>)[] = [
    () => new HttpResponse("x"),
    () => new HttpResponse(letters(200_000)),
    () => new Response("x"),
    () => new Response(new CountedBody(20, 10_000).stream),
    () => Promise.resolve(new HttpResponse("x")),
    () => new HttpResponse(null, { status: 204 }),
  ];
  const server = http.serve((request, info) => {
    completed.push(info.completed);
    return answers[Number(request.pathname.slice(1))]();
  });
  const client = await http.connect(server);
  await client.send(answers.map((_, index) => `GET /${index} HTTP/1.1\r\nhost: a\r\n\r\n`).join(""));
  for (let index = 0; index < answers.length; index++) await client.response();
  assertStrictEquals(completed.length, answers.length);
  assertStrictEquals(new Set(completed).size, answers.length);
  await Promise.all(completed);
});

httpTest(
  "ServeHandlerInfo.completed does not resolve before the client has taken the answer",
  async (http) => {
    let done = false;
    const server = http.serve((_request, info) => {
      info.completed.then(() => done = true);
      return new HttpResponse(letters(24 << 20));
    });
    const client = await http.connect(server);
    await client.send(GET);
    await http.sleep(100);
    assertStrictEquals(done, false);
    await client.response();
    await http.until(() => done);
  },
  { simulatedRunCount: 1 },
);

httpTest(
  "ServeHandlerInfo.completed rejects when the client goes away, and nobody need look",
  async (http) => {
    const infos: ServeHandlerInfo[] = [];
    const body = new CountedBody(1_000_000, 10_000, () => http.sleep(1));
    let reason: unknown;
    const server = http.serve((_request, info) => {
      infos.push(info);
      info.completed.catch((error) => reason = error);
      void info.completed;
      return new Response(body.stream);
    });
    const client = await http.connect(server);
    await client.send(GET);
    await client.receive(100);
    client.close();
    await http.until(() => reason !== undefined);
    assert(reason instanceof Error);
  },
);

httpTest("ServeHandlerInfo.completed rejects when the server is stopped at once", async (http) => {
  let completed: Promise<unknown> | undefined;
  const server = http.serve((_request, info) => {
    completed = info.completed.catch((error) => error);
    return new Promise(() => {});
  });
  const client = await http.connect(server);
  await client.send(GET);
  await http.until(() => completed !== undefined);
  server.stopNow();
  assertMatch(String(await completed), /Interrupted: .*stopped/);
});
