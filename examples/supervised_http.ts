#!/usr/bin/env -S deno run --allow-net --allow-read --allow-write --allow-run --allow-sys --allow-env --allow-ffi
// deno-lint-ignore-file no-console -- a program speaks to its terminal
/**
 * N workers of an HTTP server behind one port, under a supervisor: `GET /` returns the number of the worker, `POST /echo` sends the body
 * back, and `GET /stats` counts the requests of all workers.
 *
 * Usage: examples/supervised_http.ts [--addr 127.0.0.1:8080] [--workers N] [--limit N] [--watch]
 *
 * With `--limit` each client address gets that many responses a second from all workers together, and 429 beyond. The counter and the limit are
 * in a shared state, which outlives every worker; without the native library there is neither.
 *
 * SIGUSR1, or with `--watch` a change of this file, replaces all workers without dropping a request: try it under the load of
 * `wrk http://127.0.0.1:8080/`. A worker that is killed is started again. Ctrl-C or SIGTERM stops all; a second one at once.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { HttpResponse, serve, type ServeHandlerInfo, type ServerRequest } from "@millrace/millrace/http";
import { formatAddress, parseAddress } from "@millrace/millrace/net";
import { handleSignals, INSTANCES_MAX, supervise, workerMain } from "@millrace/millrace/process";
import { SharedState } from "@millrace/millrace/state";

const USAGE = "usage: supervised_http [--addr 127.0.0.1:8080] [--workers N] [--limit N] [--watch]";
const USAGE_EXIT_CODE = 2;
const PERMISSIONS = ["--allow-net", "--allow-read", "--allow-write", "--allow-env", "--allow-ffi"];

interface Options {
  readonly hostname: string;
  readonly port: number;
  readonly workers: number;
  /** Responses that a client gets in a second. */
  readonly limit: number;
  readonly watch: boolean;
}

/** Prefix of the names of this program's states. */
const STATE_PREFIX = "supervised_http.";
const WINDOW_MS = 1000;
/** Clients whose requests are counted at once; further ones are not limited. */
const CLIENTS_MAX = 10_000;

/** The program of each worker. `state`: the name of the state that all of them share, if there is one. */
async function work(state: SharedState | undefined, limit: number): Promise<never> {
  return await workerMain((worker) => {
    const hello = `Hello from worker ${worker.instance}, process ${Deno.pid}\n`;
    const respond = (request: ServerRequest, info: ServeHandlerInfo): HttpResponse | Response => {
      if (request.pathname === "/stats") {
        return Response.json({ requestCount: state?.counter("requests") ?? null });
      }
      state?.increment("requests");
      if (state !== undefined && limit < Infinity && isTooMuch(state, limit, info)) {
        return new HttpResponse("too many requests\n", { status: 429, headers: { "retry-after": "1" } });
      }
      if (request.pathname === "/") return new HttpResponse(hello);
      if (request.pathname === "/echo" && request.method === "POST") return new HttpResponse(request.body);
      return new HttpResponse("there are /, /stats and POST /echo\n", { status: 404 });
    };
    worker.drain(serve({ inherit: "http", port: 8080, hostname: "127.0.0.1" }, respond));
  });
}

/** Whether a client has used up its responses of this second, from all workers. */
function isTooMuch(state: SharedState, limit: number, { remoteAddr }: ServeHandlerInfo): boolean {
  const client = "hostname" in remoteAddr ? remoteAddr.hostname : "unix";
  try {
    return state.increment(`client ${client}`, 1, { expiresAfterMs: WINDOW_MS }) > limit;
  } catch {
    // There is no room for more clients.
    return false;
  }
}

/** A state that all workers share; `undefined` without the native library. */
function createState(): SharedState | undefined {
  try {
    // Those of supervisors that were killed.
    SharedState.removeAbandoned({ prefix: STATE_PREFIX });
    return SharedState.create(STATE_PREFIX + Deno.pid, { capacity: CLIENTS_MAX, valueBytesMax: 16 });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotSupported)) throw error;
    console.error(`supervised_http: no request is counted, and none limited: ${error.message}`);
    return undefined;
  }
}

function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      addr: { type: "string", default: "127.0.0.1:8080" },
      workers: { type: "string", default: String(navigator.hardwareConcurrency) },
      limit: { type: "string" },
      watch: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    Deno.exit(0);
  }
  const workers = Number(values.workers);
  if (!(/^\d+$/.test(values.workers) && workers >= 1 && workers <= INSTANCES_MAX)) {
    throw new TypeError(
      `--workers is "${values.workers}", expected a whole number from 1 to ${INSTANCES_MAX}`,
    );
  }
  const limit = Number(values.limit ?? Infinity);
  if (!(limit >= 1)) throw new TypeError(`--limit is "${values.limit}", expected a number from 1`);
  return { ...parseAddress(values.addr), workers, limit, watch: values.watch };
}

async function run(options: Options): Promise<number> {
  using state = createState();
  try {
    return await superviseWorkers(state, options);
  } finally {
    if (state !== undefined) SharedState.unlink(state.name);
  }
}

async function superviseWorkers(
  state: SharedState | undefined,
  { hostname, port, workers, limit, watch }: Options,
): Promise<number> {
  // Before any client is counted, while there is room for this entry.
  state?.increment("requests", 0);
  const program = Deno.build.standalone ? [] : ["run", ...PERMISSIONS, fileURLToPath(import.meta.url)];
  const supervisor = await supervise([{
    name: "web",
    command: Deno.execPath(),
    args: [...program, "worker", state?.name ?? "", String(limit)],
    instances: workers,
    listen: [{ name: "http", hostname, port }],
    ready: { kind: "message" },
    health: { kind: "heartbeat" },
    watch: watch ? { paths: [fileURLToPath(import.meta.url)] } : undefined,
  }], { log: (line) => console.error(`supervised_http: ${line}`) });
  const ended = handleSignals(supervisor);
  supervisor.ready().then(() => {
    const address = supervisor.addresses("web").http;
    if ("port" in address) console.log(`listening on http://${formatAddress(address)}/ (${workers} workers)`);
  }, () => {});
  const { gaveUp } = await ended;
  return gaveUp.length === 0 ? 0 : 1;
}

if (Deno.args[0] === "worker") {
  const [, name, limit] = Deno.args;
  await work(name === "" ? undefined : SharedState.connect(name), Number(limit));
}

let options;
try {
  options = readOptions(Deno.args);
} catch (error) {
  console.error(`supervised_http: ${error instanceof Error ? error.message : error}; ${USAGE}`);
  Deno.exit(USAGE_EXIT_CODE);
}
try {
  Deno.exit(await run(options));
} catch (error) {
  console.error(`supervised_http: ${error instanceof Error ? error.message : error}`);
  Deno.exit(1);
}
