#!/usr/bin/env -S deno run --allow-net --allow-read --allow-write --allow-run --allow-sys --allow-env --allow-ffi
// deno-lint-ignore-file no-console -- a program speaks to its terminal
/**
 * N workers of an HTTP server behind one port, looked after by a supervisor: `GET /` answers which worker it was.
 *
 * Usage: examples/supervised_http.ts [--addr 127.0.0.1:8080] [--workers N] [--watch]
 *
 * SIGUSR1, or with `--watch` a change of this file, replaces all workers without dropping a request: try it under the load of
 * `wrk http://127.0.0.1:8080/`. A worker that is killed is started again. Ctrl-C or SIGTERM stops all; a second one at once.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { HttpResponse, serve } from "@millrace/millrace/http";
import { formatAddress, parseAddress } from "@millrace/millrace/net";
import { heedSignals, INSTANCES_MAX, supervise, workerMain } from "@millrace/millrace/process";

const USAGE = "usage: supervised_http [--addr 127.0.0.1:8080] [--workers N] [--watch]";
const USAGE_EXIT_CODE = 2;
const PERMISSIONS = ["--allow-net", "--allow-read", "--allow-write", "--allow-env", "--allow-ffi"];

interface Options {
  readonly hostname: string;
  readonly port: number;
  readonly workers: number;
  readonly watch: boolean;
}

/** What each worker runs. */
async function work(): Promise<never> {
  return await workerMain((worker) => {
    worker.drain(serve({ inherit: "http", port: 8080, hostname: "127.0.0.1" }, () => {
      return new HttpResponse(`Hello from worker ${worker.instance}, process ${Deno.pid}\n`);
    }));
  });
}

function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      addr: { type: "string", default: "127.0.0.1:8080" },
      workers: { type: "string", default: String(navigator.hardwareConcurrency) },
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
  return { ...parseAddress(values.addr), workers, watch: values.watch };
}

async function run({ hostname, port, workers, watch }: Options): Promise<number> {
  const program = Deno.build.standalone ? [] : ["run", ...PERMISSIONS, fileURLToPath(import.meta.url)];
  const supervisor = await supervise([{
    name: "web",
    command: Deno.execPath(),
    args: [...program, "worker"],
    instances: workers,
    listen: [{ name: "http", hostname, port }],
    ready: { kind: "message" },
    health: { kind: "heartbeat" },
    watch: watch ? { paths: [fileURLToPath(import.meta.url)] } : undefined,
  }], { log: (line) => console.error(`supervised_http: ${line}`) });
  const ended = heedSignals(supervisor);
  supervisor.ready().then(() => {
    const address = supervisor.addresses("web").http;
    if ("port" in address) console.log(`listening on http://${formatAddress(address)}/ (${workers} workers)`);
  }, () => {});
  const { gaveUp } = await ended;
  return gaveUp.length === 0 ? 0 : 1;
}

if (Deno.args[0] === "worker") await work();

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
