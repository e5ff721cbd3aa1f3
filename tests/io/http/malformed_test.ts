import { assertEquals, assertStrictEquals } from "@std/assert";
import { HttpResponse, type HttpServer } from "../../../src/io/http/mod.ts";
import type { HeadVector } from "../../fixtures/http/head_vector.ts";
import { HEAD_VECTORS } from "../../fixtures/http/head_vectors.ts";
import { latin1Bytes } from "../../support/http_bytes.ts";
import { type Http, httpTest } from "../../support/http_harness.ts";

/** Connections at a time. */
const CONCURRENCY = 32;

/** Vectors that end with an answer of the server's own. */
const REJECTED = HEAD_VECTORS.filter(({ rejected }) => rejected !== undefined);
const OTHER_LIMITS = { headerBytesMax: 512, targetBytesMax: 128 } as const;

/** One server for all, and what its handler has seen of each connection. */
interface Target {
  readonly server: HttpServer;
  readonly seen: Map<number, string[]>;
}

function startTarget(http: Http, limits: Partial<typeof OTHER_LIMITS>): Target {
  const seen = new Map<number, string[]>();
  const server = http.serve((request, { remoteAddr }) => {
    seen.set(remoteAddr.port, [...seen.get(remoteAddr.port) ?? [], `${request.method} ${request.target}`]);
    return new HttpResponse("fine");
  }, { ...limits, headerTimeoutMs: 60_000 });
  return { server, seen };
}

/** Sends a vector and checks that the server answers what stands before the damage, then the damage, then closes. */
async function check(
  http: Http,
  target: Target,
  vector: HeadVector,
  send: (bytes: Uint8Array, write: (piece: Uint8Array) => Promise<boolean>) => Promise<void>,
): Promise<void> {
  const { heads = [], rejected } = vector;
  const client = await http.connect(target.server);
  const writing = send(latin1Bytes(vector.bytes), (piece) => client.sendIfOpen(piece));
  for (const { method } of heads) {
    const { status } = await client.response({ head: method === "HEAD" });
    assertStrictEquals(status, 200, vector.name);
  }
  const answer = await client.response();
  assertStrictEquals(answer.status, rejected, vector.name);
  assertStrictEquals(answer.field("connection"), "close", vector.name);
  await client.assertEnd();
  await writing;
  const seen = target.seen.get(client.localPort) ?? [];
  assertEquals(seen, heads.map(({ method, target }) => `${method} ${target}`), vector.name);
  client.close();
}

async function checkAll(
  http: Http,
  vectors: readonly HeadVector[],
  send: (bytes: Uint8Array, write: (piece: Uint8Array) => Promise<boolean>) => Promise<void>,
): Promise<void> {
  const usual = startTarget(http, {});
  const small = startTarget(http, OTHER_LIMITS);
  const waiting = [...vectors];
  const work = async () => {
    for (let vector = waiting.shift(); vector !== undefined; vector = waiting.shift()) {
      await check(http, vector.headerBytesMax === undefined ? usual : small, vector, send);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  for (const { server, seen } of [usual, small]) {
    assertStrictEquals(server.statistics.rejectedCount, server.statistics.acceptedCount);
    assertStrictEquals(server.statistics.requestCount, [...seen.values()].flat().length);
  }
}

httpTest(
  "serve() answers every malformed message as it must, closes, and calls no handler for it",
  async (http) => {
    await checkAll(http, REJECTED, async (bytes, write) => {
      await write(bytes);
    });
  },
  { simulatedRunCount: 1 },
);

httpTest("serve() answers malformed messages that come in pieces in the same way", async (http) => {
  // What has no end is refused when it is seen to be wrong, or when its time is over.
  const ended = REJECTED.filter(({ bytes }) => /\n\r?\n/.test(bytes) && bytes.length < 2000);
  await checkAll(http, ended, async (bytes, write) => {
    for (let at = 0; at < bytes.byteLength;) {
      const length = 1 + http.random.below(http.random.below(2) === 0 ? 3 : 60);
      if (!await write(bytes.subarray(at, at + length))) return;
      at += length;
      await http.sleep(http.random.below(3));
    }
  });
}, { drivers: ["simulated"], simulatedRunCount: 2 });
