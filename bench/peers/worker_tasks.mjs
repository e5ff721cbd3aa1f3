// deno-lint-ignore-file no-console -- what it prints is what is measured
/** Tasks in threads of Deno's: `trip` or `rate OUTSTANDING WORKERS`. Prints one JSON object. */
import { measureTasks } from "./task_calls.mjs";

const tasks = { add: (left, right) => left + right };

if ("DedicatedWorkerGlobalScope" in globalThis) {
  self.onmessage = ({ data: { id, name, args } }) => self.postMessage({ id, result: tasks[name](...args) });
} else await main(...Deno.args);

async function main(what, outstanding = "1", workers = "1") {
  const waiting = new Map();
  const threads = Array.from({ length: Number(workers) }, () => {
    const thread = new Worker(import.meta.url, { type: "module" });
    thread.onmessage = ({ data: { id, result } }) => {
      waiting.get(id)(result);
      waiting.delete(id);
    };
    return thread;
  });
  let id = 0;
  const add = (left, right) =>
    new Promise((resolve) => {
      waiting.set(++id, resolve);
      threads[id % threads.length].postMessage({ id, name: "add", args: [left, right] });
    });
  console.log(JSON.stringify(await measureTasks(add, [Deno.pid], what, Number(outstanding))));
  Deno.exit(0);
}
