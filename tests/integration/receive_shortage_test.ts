import { assertEquals } from "@std/assert";
import { runProgram } from "../support/net_child.ts";
import { uringSkipReason } from "../support/driver_uring.ts";

const skipReason = uringSkipReason();

/** In a process of its own: a loop that never ends would not let a watchdog run. */
const PROGRAM = `
  import { HttpResponse, serve } from "@millrace/millrace/http";
  import { Reactor } from "@millrace/millrace/reactor";
  const reactor = Reactor.open({ driver: "uring", receiveBufferCount: 4, submissionEntries: 8 });
  const server = serve({ port: 0, hostname: "127.0.0.1", reactor }, () => new HttpResponse("answer"));
  const conns = [];
  for (let index = 0; index < 60; index++) conns.push(await Deno.connect({ port: server.addr.port }));
  await new Promise((resolve) => setTimeout(resolve, 50));
  for (let round = 0; round < 3; round++) {
    // All at once, and while the server is busy.
    for (const conn of conns) conn.write(new TextEncoder().encode("GET / HTTP/1.1\\r\\nhost: a\\r\\n\\r\\n"));
    const until = performance.now() + 50;
    while (performance.now() < until);
    for (const conn of conns) {
      const into = new Uint8Array(1000);
      const count = await conn.read(into);
      if (!new TextDecoder().decode(into.subarray(0, count)).endsWith("answer")) throw new Error("no answer");
    }
  }
  for (const conn of conns) conn.close();
  await server.shutdown();
  console.log(reactor.driver.statistics.bufferShortageCount > 0 ? "short of buffers" : "never short");
  reactor.close();
`;

Deno.test({
  name: `serve() answers many clients that send at once with few receive buffers and a small ring` +
    (skipReason === undefined ? "" : ` (${skipReason})`),
  ignore: skipReason !== undefined,
  async fn() {
    const { code, stdout, stderr } = await runProgram(PROGRAM);
    assertEquals([code, stdout, stderr], [0, "short of buffers\n", ""]);
  },
});
