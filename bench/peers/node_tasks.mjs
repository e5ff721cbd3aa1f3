// deno-lint-ignore-file no-console -- what it prints is what is measured
/**
 * Tasks over the channels that Node has between processes: `fork|cluster advanced|json trip`, or `… rate OUTSTANDING WORKERS`. Prints one JSON
 * object.
 */
import { fork } from "node:child_process";
import cluster from "node:cluster";
import process from "node:process";
import { measureTasks } from "./task_calls.mjs";

const tasks = { add: (left, right) => left + right };

/** A worker with what waits for its answers. */
class Caller {
  #waiting = new Map();
  #id = 0;

  constructor(worker) {
    this.worker = worker;
    // In a worker of a cluster, what comes before the program listens is lost.
    this.ready = new Promise((resolve) => this.#waiting.set("ready", resolve));
    worker.on("message", ({ id, result }) => {
      this.#waiting.get(id)(result);
      this.#waiting.delete(id);
    });
  }

  call(name, args) {
    return new Promise((resolve) => {
      const id = ++this.#id;
      this.#waiting.set(id, resolve);
      this.worker.send({ id, name, args });
    });
  }
}

async function main(kind, serialization, what, outstanding = "1", workers = "1") {
  if (kind === "cluster") cluster.setupPrimary({ serialization });
  const start = () => kind === "cluster" ? cluster.fork() : fork(new URL(import.meta.url), { serialization });
  const callers = Array.from({ length: Number(workers) }, () => new Caller(start()));
  await Promise.all(callers.map(({ ready }) => ready));
  const pids = [process.pid, ...callers.map(({ worker }) => (worker.process ?? worker).pid)];
  let next = 0;
  const add = (left, right) => callers[next = (next + 1) % callers.length].call("add", [left, right]);
  console.log(JSON.stringify(await measureTasks(add, pids, what, Number(outstanding))));
  for (const { worker } of callers) worker.kill("SIGKILL");
  process.exit(0);
}

if (process.send !== undefined) {
  process.on("message", ({ id, name, args }) => process.send({ id, result: tasks[name](...args) }));
  process.send({ id: "ready" });
} else await main(...process.argv.slice(2));
