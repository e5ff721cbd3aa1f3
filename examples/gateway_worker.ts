#!/usr/bin/env -S deno run --allow-read --allow-env=MILLRACE_NATIVE --allow-ffi
// deno-lint-ignore-file no-console -- a program speaks to its terminal
/**
 * Replies to the requests that examples/http_gateway.ts puts into a queue: sends their bodies back, with the process id.
 * `/fail` throws.
 *
 * Usage: examples/gateway_worker.ts [--queue requests] [--work-ms 0] [--concurrency 1]
 *
 * Runs until Ctrl-C or SIGTERM, and finishes the request in progress.
 *
 * @module
 */
import type { Message } from "@millrace/millrace/queue";
import { sleep } from "@millrace/millrace/timer";
import { type GatewayRequest, pack, REQUESTS_SHAPE, unpack } from "./support/gateway_messages.ts";
import { openQueue } from "./support/open_queue.ts";
import { Program } from "./support/program.ts";
import { wholeNumber } from "./support/whole_number.ts";

const program = new Program("gateway_worker", "[--queue requests] [--work-ms 0] [--concurrency 1]");
const WORK_MS_MAX = 3_600_000;
const CONCURRENCY_MAX = 1024;

/** The reply to one request. The gateway gets the errors that it throws, and no client does. */
async function reply({ data, redeliveryCount }: Message, workMs: number): Promise<Uint8Array> {
  let request: ReturnType<typeof unpack<GatewayRequest>>;
  try {
    request = unpack<GatewayRequest>(data);
  } catch {
    // An error would bring the message back, here or to the next worker, for ever.
    console.error("gateway_worker: what came is no request of a gateway");
    return pack({ status: 400, headers: [] }, new Uint8Array(0));
  }
  const { head: { method, target, headers }, body } = request;
  console.log(`${method} ${target}${redeliveryCount > 0 ? ", again: its worker died" : ""}`);
  await sleep(workMs);
  if (target === "/fail") throw new Error("this request is one that fails");
  const type = headers.find(([name]) => name === "content-type")?.[1] ?? "application/octet-stream";
  return pack({ status: 200, headers: [["content-type", type], ["x-worker", String(Deno.pid)]] }, body);
}

const options = program.options(
  {
    queue: { type: "string", default: "requests" },
    "work-ms": { type: "string", default: "0" },
    concurrency: { type: "string", default: "1" },
  },
  ({ queue, "work-ms": workMs, concurrency }) => ({
    queue,
    workMs: wholeNumber("--work-ms", workMs, 0, WORK_MS_MAX),
    concurrency: wholeNumber("--concurrency", concurrency, 1, CONCURRENCY_MAX),
  }),
);

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, () => stop.abort());
try {
  const { workMs, concurrency } = options;
  using queue = openQueue(options.queue, REQUESTS_SHAPE);
  console.log(`handling requests of ${queue.name}`);
  await queue.respond((message) => reply(message, workMs), { concurrency, signal: stop.signal });
} catch (error) {
  program.fail(error);
}
// The listeners stay: one Ctrl-C may arrive twice, and the second must still be handled.
Deno.exit(0);
