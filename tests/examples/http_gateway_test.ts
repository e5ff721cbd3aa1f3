import { assertEquals, assertMatch, assertStrictEquals } from "@std/assert";
import { nativeStatus } from "../../ffi/mod.ts";
import { SharedQueue } from "../../src/ipc/queue/mod.ts";
import { QueueNames } from "../ipc/queue/support.ts";
import { type Child, startExample } from "../support/net_child.ts";

const TOKEN = "correct-horse";
const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };

/** Starts the gateway on a free port; its URL. */
async function startGateway(queue: string, ...args: string[]): Promise<{ gateway: Child; url: string }> {
  const gateway = await startExample(
    "http_gateway",
    ["--addr", "127.0.0.1:0", "--queue", queue, ...args],
    { MILLRACE_GATEWAY_TOKEN: TOKEN },
  );
  const [, url] = await gateway.says(/listening on (http:\S+) \(queue: /);
  return { gateway, url };
}

async function startWorker(queue: string, ...args: string[]): Promise<Child> {
  const worker = await startExample("gateway_worker", ["--queue", queue, ...args]);
  await worker.says(/handling requests/);
  return worker;
}

function gatewayTest(name: string, body: (queue: string) => Promise<void>): void {
  Deno.test({
    name: `examples/http_gateway.ts ${name}`,
    ignore: !nativeStatus().available,
    async fn() {
      using names = new QueueNames();
      await body(names.next());
    },
  });
}

async function get(url: string, init: RequestInit = {}): Promise<{ response: Response; text: string }> {
  const response = await fetch(url, { headers: AUTHORIZED, ...init });
  return { response, text: await response.text() };
}

gatewayTest("answers with what a worker replies", async (queue) => {
  const { gateway, url } = await startGateway(queue);
  await using _gateway = gateway;
  await using worker = await startWorker(queue);
  const headers = { ...AUTHORIZED, "content-type": "text/x-test" };
  const { response, text } = await get(`${url}a?b=c`, { method: "POST", body: "é\nbody", headers });
  assertEquals([response.status, text], [200, "é\nbody"]);
  assertStrictEquals(response.headers.get("content-type"), "text/x-test");
  assertStrictEquals(response.headers.get("x-worker"), String(worker.pid));
  assertMatch(worker.stdout, /\nPOST \/a\?b=c\n/);
  const bytes = crypto.getRandomValues(new Uint8Array(64 * 1024));
  const echo = await fetch(url, { method: "POST", body: bytes, headers: AUTHORIZED });
  assertEquals(await echo.bytes(), bytes);
});

gatewayTest("answers 401 without the right token, and does not ask a worker", async (name) => {
  const { gateway, url } = await startGateway(name);
  await using _gateway = gateway;
  for (
    const authorization of ["", "Bearer", "Bearer ", `Bearer ${TOKEN}x`, `Basic ${TOKEN}`, TOKEN]
  ) {
    const { response } = await get(url, { headers: { authorization } });
    assertEquals(
      [response.status, response.headers.get("www-authenticate")],
      [401, "Bearer"],
      authorization,
    );
  }
  assertStrictEquals((await get(url, { headers: {} })).response.status, 401);
  assertStrictEquals((await get(`${url}?token=${TOKEN}`, { headers: {} })).response.status, 401);
  using queue = SharedQueue.connect(name);
  assertStrictEquals(queue.status().sentCount, 0);
});

gatewayTest("answers 504 when no worker replies in time, and withdraws the request", async (name) => {
  const { gateway, url } = await startGateway(name, "--deadline-ms", "100");
  await using _gateway = gateway;
  assertStrictEquals((await get(url)).response.status, 504);
  using queue = SharedQueue.connect(name);
  const { readyCount, reservedCount } = queue.status();
  assertEquals([readyCount, reservedCount], [0, 0]);
  await using _worker = await startWorker(name, "--work-ms", "1000");
  assertStrictEquals((await get(url)).response.status, 504);
});

gatewayTest("answers 503 with Retry-After while the queue is full", async (name) => {
  using queue = SharedQueue.create(name, { capacity: 2, messageBytesMax: 1024 });
  const { gateway, url } = await startGateway(name);
  await using _gateway = gateway;
  await queue.sendMany(["one", "two"]);
  const { response } = await get(url);
  assertEquals([response.status, response.headers.get("retry-after")], [503, "1"]);
  queue.purge();
  await using _worker = await startWorker(name);
  assertStrictEquals((await get(url)).response.status, 200);
});

gatewayTest(
  "answers 502 when a worker fails, and tells its error to nobody but the operator",
  async (name) => {
    const { gateway, url } = await startGateway(name);
    await using _worker = await startWorker(name);
    const { response, text } = await get(`${url}fail`);
    assertEquals([response.status, text], [502, "the worker failed\n"]);
    gateway.kill("SIGTERM");
    const { code, stderr } = await gateway.ended();
    assertStrictEquals(code, 0);
    assertMatch(stderr, /^http_gateway: .*this request is one that fails\n$/);
  },
);

gatewayTest("answers 502 when what a worker replies is no response", async (name) => {
  const { gateway, url } = await startGateway(name);
  await using _gateway = gateway;
  using queue = SharedQueue.connect(name);
  let reply = "";
  const ending = new AbortController();
  const responding = queue.respond(() => reply, ending);
  const heads = [
    "",
    "null\n",
    "{}\n",
    '{"status":99,"headers":[]}\n',
    '{"status":"200","headers":[]}\n',
    '{"status":204,"headers":[]}\nbody',
    '{"status":200,"headers":[["a b","c"]]}\n',
    '{"status":200,"headers":[["x","a\\r\\nset-cookie: y"]]}\n',
  ];
  for (reply of heads) {
    const { response, text } = await get(url);
    assertEquals([response.status, text], [502, "the worker failed\n"], reply);
  }
  ending.abort();
  await responding;
});

gatewayTest("has workers that outlive what is no request", async (name) => {
  const { gateway, url } = await startGateway(name);
  await using _gateway = gateway;
  await using worker = await startWorker(name);
  using queue = SharedQueue.connect(name);
  queue.trySend("from nobody");
  const { response } = await get(url);
  assertEquals([response.status, response.headers.get("x-worker")], [200, String(worker.pid)]);
});

gatewayTest("answers 413 for what is too large", async (name) => {
  using _queue = SharedQueue.create(name, { capacity: 2, messageBytesMax: 1024 });
  const { gateway, url } = await startGateway(name);
  await using _gateway = gateway;
  for (const byteLength of [2000, 100_000]) {
    const { response } = await get(url, { method: "POST", body: new Uint8Array(byteLength) });
    assertStrictEquals(response.status, 413, `${byteLength}`);
  }
});

gatewayTest("answers with another worker's reply when the first is killed", async (name) => {
  const { gateway, url } = await startGateway(name, "--deadline-ms", "30000");
  await using _gateway = gateway;
  await using first = await startWorker(name, "--work-ms", "60000");
  const answered = get(`${url}slow`);
  await first.says(/GET \/slow\n/);
  await using second = await startWorker(name);
  first.kill("SIGKILL");
  const { response } = await answered;
  assertEquals([response.status, response.headers.get("x-worker")], [200, String(second.pid)]);
  assertMatch(second.stdout, /GET \/slow, again: its worker died\n/);
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  gatewayTest(`stops at ${signal} after it has answered, and so does its worker`, async (name) => {
    const { gateway, url } = await startGateway(name);
    await using worker = await startWorker(name, "--work-ms", "300");
    const answered = get(`${url}slow`);
    await worker.says(/GET \/slow\n/);
    gateway.kill(signal);
    worker.kill(signal);
    assertStrictEquals((await answered).response.status, 200);
    for (const child of [gateway, worker]) {
      const { code, signal: killed, stderr } = await child.ended();
      assertEquals([code, killed, stderr], [0, null, ""]);
    }
  });
}

const WRONG: [name: string, args: string[], named: RegExp][] = [
  ["gateway_worker", ["--concurrency", "0"], /--concurrency is "0", expected a whole number from 1 to 1024/],
  ["gateway_worker", ["--fast"], /--fast/],
  ["http_gateway", ["--deadline-ms", "0"], /--deadline-ms is "0"/],
  ["http_gateway", ["--addr", "nonsense"], /"nonsense"/],
  ["http_gateway", ["--token", "x"], /--token/],
  ["http_gateway", [], /MILLRACE_GATEWAY_TOKEN is not set/],
];
for (const [name, args, named] of WRONG) {
  Deno.test(`examples/${name}.ts ${args.join(" ")} says what is wrong and exits with 2`, async () => {
    await using child = await startExample(name, args);
    const { code, stdout, stderr } = await child.ended();
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, new RegExp(`^${name}: .*; usage: ${name} .*\\n$`));
    assertMatch(stderr, named);
  });
}

Deno.test("examples/http_gateway.ts refuses a token that no client can send", async () => {
  for (const token of ["secret\n", "two words", "gehe\u00efm"]) {
    await using child = await startExample("http_gateway", [], { MILLRACE_GATEWAY_TOKEN: token });
    const { code, stderr } = await child.ended();
    assertStrictEquals(code, 2);
    assertMatch(stderr, /MILLRACE_GATEWAY_TOKEN has blanks/);
  }
});

for (const name of ["gateway_worker", "http_gateway"]) {
  Deno.test(`examples/${name}.ts says what it needs without the native library`, async () => {
    const env = { MILLRACE_NATIVE: "off", MILLRACE_GATEWAY_TOKEN: "x" };
    await using child = await startExample(name, [], env);
    const { code, stdout, stderr } = await child.ended();
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, new RegExp(`^${name}: .*native library.*\\n$`));
  });

  Deno.test(`examples/${name}.ts --help says how it is used and exits with 0`, async () => {
    await using child = await startExample(name, ["--help"]);
    const { code, stdout, stderr } = await child.ended();
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, new RegExp(`^usage: ${name} .*\\n$`));
  });
}
