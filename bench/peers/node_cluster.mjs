// deno-lint-ignore-file no-console -- what it prints is what is measured
/**
 * HTTP servers under Node's cluster: `kills COUNT`, of one worker, prints one JSON object. `reloads COUNT WORKERS` prints its address, replaces the
 * workers one after the other so often when a line comes, and prints one JSON object then.
 */
import cluster from "node:cluster";
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as listen } from "node:net";
import process from "node:process";
import { measureKills } from "./kills.mjs";
import { measureReloads } from "./reloads.mjs";

const BODY = "Hello world!";
/** A worker that has not finished by then is killed. */
const DRAIN_MS_MAX = 10_000;

if (cluster.isPrimary) await main(...process.argv.slice(2));
else work();

/** Answers until it is told to finish: no new connections, and the last answer of each says so. */
function work() {
  let isFinishing = false;
  const server = createServer((_request, response) => {
    if (isFinishing) response.setHeader("connection", "close");
    response.writeHead(200, { "content-type": "text/plain", "content-length": BODY.length }).end(BODY);
  });
  process.on("message", () => {
    isFinishing = true;
    server.close(() => process.exit(0));
  });
  server.listen(Number(process.env.BENCH_PORT), "127.0.0.1");
}

async function start() {
  const worker = cluster.fork();
  await once(worker, "listening");
  return worker;
}

async function finish(worker) {
  const ended = once(worker, "exit");
  const timer = setTimeout(() => worker.kill("SIGKILL"), DRAIN_MS_MAX);
  worker.send("finish");
  await ended;
  clearTimeout(timer);
}

async function main(what, count, workerCount = "1") {
  // With port 0, a worker that is alone again would have another one.
  const probe = listen().listen(0, "127.0.0.1");
  await once(probe, "listening");
  process.env.BENCH_PORT = String(probe.address().port);
  probe.close();
  await once(probe, "close");
  const port = Number(process.env.BENCH_PORT);
  let workers = await Promise.all(Array.from({ length: Number(workerCount) }, start));
  process.on("SIGTERM", () => {
    for (const worker of Object.values(cluster.workers)) worker.process.kill("SIGKILL");
    process.exit(0);
  });
  if (what === "kills") {
    let told = () => {};
    cluster.on("exit", () => {
      workers[0] = cluster.fork();
      told();
    });
    const nextEnd = () => new Promise((resolve) => told = resolve);
    console.log(
      JSON.stringify(await measureKills(Number(count), port, () => workers[0].process.pid, nextEnd)),
    );
    process.kill(process.pid, "SIGTERM");
    return;
  }
  console.log(`listening on 127.0.0.1:${port}`);
  await once(process.stdin, "data");
  const figures = await measureReloads(Number(count), async () => {
    const fresh = [];
    for (const worker of workers) {
      fresh.push(await start());
      await finish(worker);
    }
    workers = fresh;
  });
  console.log(JSON.stringify(figures));
}
