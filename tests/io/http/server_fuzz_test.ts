import { assert, AssertionError, assertStrictEquals } from "@std/assert";
import { HttpResponse, type HttpServer, type ServeHandler } from "../../../src/io/http/mod.ts";
import { SimulatedDriver } from "../../../src/io/reactor/mod.ts";
import { chunk, letters } from "../../support/http_bytes.ts";
import type { RawClient } from "../../support/http_client.ts";
import { type Http, httpTest } from "../../support/http_harness.ts";
import { mutatedRequest, pick, randomBytesText, tokenSoup } from "../../support/http_fuzz.ts";
import { CountedBody } from "../../support/http_streams.ts";

/** Connections of one run. */
const CONNECTION_COUNT = 150;
const STATUSES: readonly number[] = [200, 204, 400, 408, 413, 414, 417, 431, 500, 501, 505];

/** Does something else with each request. */
function anything(http: Http): ServeHandler<Deno.NetAddr> {
  const { random } = http;
  return (request) => {
    switch (random.below(12)) {
      case 0:
        return new HttpResponse(null, { status: 204 });
      case 1:
        return new HttpResponse(letters(random.below(60_000)));
      case 2:
        return new Response(new CountedBody(random.below(5), 1 + random.below(20_000)).stream);
      case 3:
        return http.sleep(random.below(5)).then(() => new HttpResponse(request.target));
      case 4:
        return request.text().then((text) => new HttpResponse(text));
      case 5:
        return new Response(request.body);
      case 6:
        throw new Error("chance");
      case 7:
        return Promise.reject(new Error("chance"));
      case 8:
        return (async () => {
          await request.body?.cancel();
          return new Response([...request.headers.keys()].join());
        })();
      case 9:
        return new Response(request.clone().body);
      default:
        return new HttpResponse(request.url);
    }
  };
}

function randomMessage(http: Http): string {
  const { random } = http;
  switch (random.below(6)) {
    case 0:
      return randomBytesText(random, 300);
    case 1:
      return tokenSoup(random);
    case 2:
      return mutatedRequest(random, 2);
    case 3: {
      const body = chunk(letters(1 + random.below(30_000))) + chunk(letters(1 + random.below(100)));
      const end = pick(random, ["0\r\n\r\n", "0\r\nT: u\r\n\r\n", "", "x", "0\r\n\n"]);
      return `POST /chunks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}${end}`;
    }
    case 4: {
      const length = random.below(40_000);
      return `POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${letters(length)}`;
    }
    default:
      return `GET /${random.below(100)} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(1 + random.below(20));
  }
}

/** One hostile client: sends something in pieces, perhaps only a part of it, reads or does not, and leaves in some way. */
async function attack(http: Http, server: HttpServer): Promise<void> {
  const { random } = http;
  const client = await http.connect(server);
  let text = "";
  for (let count = 1 + random.below(3); count > 0; count--) text += randomMessage(http);
  if (random.below(3) === 0) text = text.slice(0, random.below(text.length + 1));
  const reading = random.below(4) > 0 ? client.rest() : undefined;
  for (let at = 0; at < text.length;) {
    const length = 1 + random.below(random.below(2) === 0 ? 20 : 50_000);
    if (!await client.sendIfOpen(text.slice(at, at + length))) break;
    at += length;
    if (random.below(4) === 0) await http.sleep(random.below(3));
  }
  if (random.below(3) === 0) await client.closeWrite().catch(() => {});
  if (reading !== undefined) {
    await Promise.race([reading, http.sleep(5 + random.below(40))]);
  }
  client.close();
  const received = await reading;
  if (received !== undefined && received !== "") assertResponses(received, text);
}

/** What a server says, whatever it was told, begins with responses of the statuses that it has. */
function assertResponses(received: string, sent: string): void {
  const [statusLine, ...more] = received.split("\r\n");
  // Half a line is no answer yet.
  if (more.length === 0) {
    return assert("HTTP/1.1 ".startsWith(received.slice(0, 9)), received.slice(0, 60));
  }
  const match = /^HTTP\/1\.1 (100|\d{3}) [A-Za-z ]*$/.exec(statusLine);
  const known = match !== null && (match[1] === "100" || STATUSES.includes(Number(match[1])));
  assert(known, `${JSON.stringify(statusLine)} for ${JSON.stringify(sent.slice(0, 500))}`);
}

async function assertAlive(client: RawClient): Promise<void> {
  await client.send("GET /alive HTTP/1.1\r\nHost: a\r\n\r\n");
  assertStrictEquals((await client.response()).body, "alive");
}

httpTest(
  "serve() stays alive, and holds nothing, whatever clients send and however they leave",
  async (http) => {
    const chance = anything(http);
    const server = http.serve((request, info) => {
      return request.target === "/alive" ? new HttpResponse("alive") : chance(request, info);
    }, {
      onError: () => new HttpResponse("error", { status: 500 }),
      bodyBytesMax: 20_000,
      discardBytesMax: 5000,
      headerTimeoutMs: 500,
      bodyTimeoutMs: 500,
      idleTimeoutMs: 60_000,
    });
    const witness = await http.connect(server);
    for (let left = CONNECTION_COUNT; left > 0; left -= 10) {
      await Promise.all(Array.from({ length: 10 }, () => attack(http, server)));
      await assertAlive(witness);
    }
    await http.until(() => server.statistics.connectionCount === 1);
    await assertAlive(witness);
    witness.close();
    await http.until(() => server.statistics.connectionCount === 0);
    await http.until(() => http.reactor.driver.buffers.heldCount === 0);
    assertStrictEquals(http.reactor.driver.buffers.waitingCount, 0);
  },
  { simulatedRunCount: 4, bufferCountMax: 64 },
);

httpTest("serve() holds nothing when the network fails by chance", async (http) => {
  const { driver } = http.reactor;
  assert(driver instanceof SimulatedDriver);
  const server = http.serve(anything(http), {
    onError: () => new HttpResponse("error", { status: 500 }),
    headerTimeoutMs: 500,
    bodyTimeoutMs: 500,
    writeTimeoutMs: 500,
  });
  const { settings } = driver.faults;
  settings.resetProbability = 0.02;
  settings.acceptFailureProbability = 0.1;
  settings.delayProbability = 0.05;
  for (let left = CONNECTION_COUNT; left > 0; left -= 10) {
    const attacks = Array.from({ length: 10 }, () =>
      attack(http, server).catch((error) => {
        // Its own side may be the one that fails.
        if (error instanceof AssertionError) throw error;
      }));
    await Promise.all(attacks);
  }
  settings.resetProbability = settings.acceptFailureProbability = settings.delayProbability = 0;
  await http.disconnect();
  await http.until(() => http.reactor.driver.buffers.heldCount === 0);
  await assertAlive(await http.connect(http.serve(() => new HttpResponse("alive"))));
}, { drivers: ["simulated"], simulatedRunCount: 4 });
