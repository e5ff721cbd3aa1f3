import { assert, assertStrictEquals } from "@std/assert";
import { HttpResponse } from "../../../src/io/http/mod.ts";
import { httpTest } from "../../support/http_harness.ts";

/** More than the buffers of both kernels' sockets and ours. */
const LARGE_BYTES = 32 << 20;
const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const NEXT = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";

/** What a handler may do to the memory of a body that it has handed over. */
const SPOILERS: Readonly<Record<string, (buffer: ArrayBuffer) => void>> = {
  transferred: (buffer) => void structuredClone(buffer, { transfer: [buffer] }),
  shrunk: (buffer) => buffer.resize(1000),
  grown: (buffer) => buffer.resize(2 * LARGE_BYTES),
};
const BODIES: Readonly<Record<string, (bytes: Uint8Array<ArrayBuffer>) => Response>> = {
  "with a length": (bytes) => new HttpResponse(bytes),
  "of a stream with a length": (bytes) => {
    const headers = { "content-length": String(LARGE_BYTES) };
    return new Response(ReadableStream.from([bytes]), { headers });
  },
  "in chunks": (bytes) => new Response(ReadableStream.from([new Uint8Array(1), new Uint8Array(1), bytes])),
};

for (const [body, respond] of Object.entries(BODIES)) {
  httpTest(`serve() cuts an answer ${body} whose memory is taken away meanwhile`, async (http) => {
    for (const [name, spoil] of Object.entries(SPOILERS)) {
      const spoiled = Promise.withResolvers<void>();
      let completed: Promise<unknown> | undefined;
      const server = http.serve((request, info) => {
        if (request.target === "/next") return new HttpResponse("THE NEXT ANSWER");
        completed = info.completed.then(() => "sent", () => "failed");
        const buffer = new ArrayBuffer(LARGE_BYTES, { maxByteLength: 2 * LARGE_BYTES });
        http.sleep(20).then(() => spoil(buffer)).then(spoiled.resolve);
        return respond(new Uint8Array(buffer));
      });
      const client = await http.connect(server);
      await client.send(GET + NEXT);
      await spoiled.promise;
      const rest = await client.rest();
      assert(rest.length < LARGE_BYTES, `${name}: ${rest.length} bytes`);
      assert(!rest.includes("THE NEXT ANSWER"), name);
      assert(!rest.endsWith("\r\n0\r\n\r\n"), name);
      assertStrictEquals(await completed, "failed", name);
      assertStrictEquals(server.statistics.requestCount, 1, name);
      client.close();
    }
  }, { simulatedRunCount: 1 });
}
