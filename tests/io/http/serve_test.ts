import { assert, assertEquals, assertMatch, assertStrictEquals, assertThrows } from "@std/assert";
import { assertThrowsMatching } from "../../support/assertions.ts";
import { HttpResponse, serve } from "../../../src/io/http/mod.ts";
import { connect } from "../../../src/io/net/mod.ts";
import { RawClient } from "../../support/http_client.ts";
import { type Http, httpTest, REAL_DRIVERS } from "../../support/http_harness.ts";

const GET = "GET /p HTTP/1.1\r\nhost: a\r\n\r\n";

async function ask(client: RawClient): Promise<string> {
  await client.send(GET);
  const { body } = await client.response();
  client.close();
  return body;
}

function base(http: Http) {
  return { hostname: "127.0.0.1", port: 0, reactor: http.reactor };
}

httpTest(
  "serve() takes options and handler, the handler among the options, or a handler alone",
  async (http) => {
    const handler = () => new HttpResponse("x");
    for (const server of [serve(base(http), handler), serve({ ...base(http), handler })]) {
      assertStrictEquals(await ask(await http.connect(server)), "x");
      await server.shutdown();
    }
    assertThrowsMatching(() => serve(base(http) as never), /TypeError: serve: no handler given/);
    assertThrows(() => serve(base(http), "x" as never), TypeError);
  },
);

httpTest("serve() calls onListen with the address, once", async (http) => {
  const addresses: Deno.NetAddr[] = [];
  const server = http.serve(() => new HttpResponse("x"), { onListen: (address) => addresses.push(address) });
  assertEquals(addresses, [server.addr]);
  assert(server.addr.port > 0);
  assertStrictEquals(await ask(await http.connect(server)), "x");
});

httpTest("serve() does not keep the port when onListen throws", async (http) => {
  let port = 0;
  const onListen = (address: Deno.NetAddr) => {
    port = address.port;
    throw new Error("not here");
  };
  assertThrowsMatching(() => serve({ ...base(http), onListen }, () => new HttpResponse("x")), /not here/);
  await http.sleep(10);
  const server = http.serve(() => new HttpResponse("x"), { port });
  assertStrictEquals(await ask(await http.connect(server)), "x");
});

httpTest("serve() throws AddrInUse for a port that is taken", async (http) => {
  const { port } = http.serve(() => new HttpResponse("x")).addr;
  assertThrowsMatching(() => serve({ ...base(http), port }, () => new HttpResponse("y")), (error) => {
    assert(error instanceof Deno.errors.AddrInUse);
    assertMatch(error.message, new RegExp(`${port}`));
    return true;
  });
  await http.sleep(1);
});

httpTest("serve() serves on one reactor several servers that share a port", async (http) => {
  const first = http.serve(() => new HttpResponse("x"), { reusePort: true });
  const second = http.serve(() => new HttpResponse("x"), { reusePort: true, port: first.addr.port });
  for (let round = 0; round < 40; round++) assertStrictEquals(await ask(await http.connect(first)), "x");
  await http.until(() => first.statistics.acceptedCount + second.statistics.acceptedCount === 40);
  assert(first.statistics.acceptedCount > 0 && second.statistics.acceptedCount > 0);
}, { drivers: ["uring"] });

httpTest("serve() serves on IPv6", async (http) => {
  const server = http.serve(
    (request, { remoteAddr }) => new HttpResponse(`${request.url} ${remoteAddr.hostname}`),
    {
      hostname: "::1",
    },
  );
  assertStrictEquals(server.addr.hostname, "::1");
  const client = new RawClient(
    await connect({ hostname: "::1", port: server.addr.port, reactor: http.reactor }),
  );
  await client.send("GET /p HTTP/1.0\r\n\r\n");
  assertStrictEquals((await client.response()).body, `http://[::1]:${server.addr.port}/p ::1`);
  client.close();
});

httpTest("serve() serves on a Unix socket", async (http) => {
  const directory = await Deno.makeTempDir({ prefix: "millrace_http_" });
  const path = `${directory}/socket`;
  try {
    const server = serve({ path, reactor: http.reactor }, (request, { remoteAddr }) => {
      return new HttpResponse(`${request.url} ${remoteAddr.transport}`);
    });
    assertEquals(server.addr, { transport: "unix", path });
    assertThrows(
      () => serve({ path, reactor: http.reactor }, () => new HttpResponse("y")),
      Deno.errors.AddrInUse,
    );
    const client = new RawClient(await connect({ transport: "unix", path, reactor: http.reactor }));
    await client.send("GET /p HTTP/1.1\r\nhost: a\r\n\r\nGET /p HTTP/1.0\r\n\r\n");
    assertStrictEquals((await client.response()).body, "http://a/p unix");
    assertStrictEquals((await client.response()).body, "http://localhost/p unix");
    client.close();
    await server.shutdown();
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}, { drivers: REAL_DRIVERS });

httpTest("serve() goes on accepting after the system has refused", async (http) => {
  const { driver } = http.reactor;
  assert("faults" in driver);
  const { faults } = driver as unknown as {
    faults: { inject(kind: "accept", fault: "EMFILE", count: number): void };
  };
  faults.inject("accept", "EMFILE", 5);
  const server = http.serve(() => new HttpResponse("x"));
  for (let round = 0; round < 10; round++) assertStrictEquals(await ask(await http.connect(server)), "x");
}, { drivers: ["simulated"] });

httpTest("serve() serves Deno's fetch, keep-alive and all", async (http) => {
  const server = http.serve(async (request) => HttpResponse.json([request.method, await request.text()]));
  for (let round = 0; round < 20; round++) {
    const init = round % 2 === 0 ? {} : { method: "POST", body: `body ${round}` };
    const response = await http.fetch(server, "/p?q", init);
    assertEquals(await response.json(), round % 2 === 0 ? ["GET", ""] : ["POST", `body ${round}`]);
  }
  assertStrictEquals(server.statistics.acceptedCount, 1);
  const body = new Blob(["streamed"]).stream();
  const response = await http.fetch(server, "/", { method: "PUT", body });
  assertEquals(await response.json(), ["PUT", "streamed"]);
}, { drivers: REAL_DRIVERS });

httpTest("HttpServer.statistics counts what happens", async (http) => {
  const server = http.serve(() => new HttpResponse("x"), { headerTimeoutMs: 50 });
  const good = await http.connect(server);
  await good.send(GET + GET);
  for (let index = 0; index < 2; index++) await good.response();
  const bad = await http.connect(server);
  await bad.send("bad\r\n\r\n");
  await bad.response();
  const late = await http.connect(server);
  await late.send("GET");
  await late.response();
  assertEquals({ ...server.statistics }, {
    connectionCount: 3,
    acceptedCount: 3,
    requestCount: 2,
    rejectedCount: 2,
    timeoutCount: 1,
  });
  await http.disconnect();
  assertStrictEquals(server.statistics.connectionCount, 0);
});
