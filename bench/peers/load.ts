/**
 * The load generator for machines without a C compiler: takes the options of `load.c`, makes the same load, and prints the
 * same line of JSON. It costs the client several times as much, so it may be busier than the server it measures; the
 * server's processor time per request holds nevertheless.
 *
 * Without source addresses to choose from, a connection per echo message runs out of ports where a server is very fast;
 * that shows as `connect` errors.
 */
import { parseArgs } from "node:util";

const timeoutMs = 2000;
const retryMs = 10;
const expectedBody = "Hello world!";
const bufferBytes = 16 * 1024;

type ErrorKind = "connect" | "read" | "write" | "timeout" | "status" | "content" | "short";

/** Ends the request it is thrown from, and the connection with it. */
class LoadError extends Error {
  readonly kind: ErrorKind;

  constructor(kind: ErrorKind) {
    super(kind);
    this.kind = kind;
  }
}

const { values, positionals: [protocol, portText] } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    connections: { type: "string", default: "64" },
    seconds: { type: "string", default: "1" },
    bytes: { type: "string", default: "64" },
    close: { type: "boolean", default: false },
  },
});
const port = Number(portText);
const speaksHttp = protocol === "http";
const request = speaksHttp ? httpRequest() : echoMessage(Number(values.bytes));
const errors: Record<ErrorKind, number> = {
  connect: 0,
  read: 0,
  write: 0,
  timeout: 0,
  status: 0,
  content: 0,
  short: 0,
};
const latenciesUs: number[] = [];

function httpRequest(): Uint8Array {
  const close = values.close ? "Connection: close\r\n" : "";
  return new TextEncoder().encode(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${close}\r\n`);
}

function echoMessage(byteLength: number): Uint8Array {
  return Uint8Array.from({ length: byteLength }, (_, index) => 97 + index % 26);
}

/** Whether the answer is there in full. */
function judge(received: Uint8Array): boolean {
  return speaksHttp ? judgeHttp(new TextDecoder("latin1").decode(received)) : judgeEcho(received);
}

function judgeHttp(text: string): boolean {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd === -1) return false;
  if (!text.startsWith("HTTP/1.1 200 ")) throw new LoadError("status");
  const length = /\ncontent-length: *(\d+)/i.exec(text.slice(0, headEnd))?.[1];
  const body = text.slice(headEnd + 4);
  if (Number(length) !== expectedBody.length || !expectedBody.startsWith(body)) {
    throw new LoadError("content");
  }
  return body.length === expectedBody.length;
}

function judgeEcho(received: Uint8Array): boolean {
  if (received.length > request.length) throw new LoadError("content");
  if (received.length < request.length) return false;
  if (received.some((byte, index) => byte !== request[index])) throw new LoadError("content");
  return true;
}

/** What fails because the watch closed the connection has timed out. */
async function orFail<T>(kind: ErrorKind, promise: Promise<T>, watch: Watch): Promise<T> {
  try {
    return await promise;
  } catch {
    throw new LoadError(watch.isLate ? "timeout" : kind);
  }
}

/** Closes a connection that takes too long over one request. */
interface Watch {
  startedMs: number;
  isLate: boolean;
  readonly connection: Deno.TcpConn;
}
const watches = new Set<Watch>();

/** Whether a complete answer is the last of its connection: a server says so when it stops. */
function isLast(received: Uint8Array): boolean {
  if (values.close) return true;
  return speaksHttp && /\nconnection: *close/i.test(new TextDecoder("latin1").decode(received));
}

/** One request and its answer; whether the connection ends with it. */
async function exchange(watch: Watch, buffer: Uint8Array): Promise<boolean> {
  const { connection } = watch;
  for (let sent = 0; sent < request.length;) {
    sent += await orFail("write", connection.write(request.subarray(sent)), watch);
  }
  let received = 0;
  do {
    const count = await orFail("read", connection.read(buffer.subarray(received)), watch);
    if (count === null) throw new LoadError("short");
    received += count;
  } while (!judge(buffer.subarray(0, received)));
  return isLast(buffer.subarray(0, received));
}

async function awaitEnd(watch: Watch, buffer: Uint8Array): Promise<void> {
  if (!speaksHttp) await orFail("write", watch.connection.closeWrite(), watch);
  if (await orFail("read", watch.connection.read(buffer), watch) !== null) throw new LoadError("content");
}

/** One connection and its requests, until it fails, is used up, or the time is over. */
async function useConnection(buffer: Uint8Array, deadlineMs: number): Promise<void> {
  const openedMs = performance.now();
  const connection = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => {
    throw new LoadError("connect");
  });
  connection.setNoDelay(true);
  const watch: Watch = { startedMs: openedMs, isLate: false, connection };
  watches.add(watch);
  try {
    do {
      const last = await exchange(watch, buffer);
      latenciesUs.push((performance.now() - watch.startedMs) * 1000);
      if (last) return await awaitEnd(watch, buffer);
      watch.startedMs = performance.now();
    } while (watch.startedMs < deadlineMs);
  } finally {
    watches.delete(watch);
    if (!watch.isLate) connection.close();
  }
}

async function useConnections(deadlineMs: number): Promise<void> {
  const buffer = new Uint8Array(bufferBytes);
  while (performance.now() < deadlineMs) {
    try {
      await useConnection(buffer, deadlineMs);
    } catch (error) {
      if (!(error instanceof LoadError)) throw error;
      errors[error.kind]++;
      await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }
}

function closeTheLate(): void {
  for (const watch of watches) {
    if (watch.isLate || performance.now() - watch.startedMs < timeoutMs) continue;
    watch.isLate = true;
    watch.connection.close();
  }
}

const startMs = performance.now();
const deadlineMs = startMs + Number(values.seconds) * 1000;
const sweep = setInterval(closeTheLate, 100);
await Promise.all(Array.from({ length: Number(values.connections) }, () => useConnections(deadlineMs)));
clearInterval(sweep);

latenciesUs.sort((a, b) => a - b);
const percentileUs = (share: number) => latenciesUs[Math.floor(latenciesUs.length * share)] ?? 0;
const result = {
  requests: latenciesUs.length,
  seconds: (performance.now() - startMs) / 1000,
  p50Us: percentileUs(0.5),
  p99Us: percentileUs(0.99),
  longestUs: latenciesUs.at(-1) ?? 0,
  errors,
};
Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(result)}\n`));
